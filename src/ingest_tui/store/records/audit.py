"""Who did what, when, with which outcome."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from typing import Any

from ingest_tui.model.redaction import redact_values
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.audit_chain import (
    ACKNOWLEDGED,
    CHAIN,
    ChainBreak,
    breaks_in,
    digest_of,
    head_is_usable,
    next_link,
    write_head,
)
from ingest_tui.store.records.journal import Journal, decode_line, read_journal, read_journal_from, whole_lines
from ingest_tui.store.users import asked_through


class AuditLog:
    """The audit journal of a workspace, shared by all processes."""

    def __init__(self, layout: Layout) -> None:
        self._path = layout.audit
        self._lock_path = layout.lock("audit")
        self._head = layout.audit_head

    def add(self, *, at: str, by: str, action: str, target: str, outcome: str = "done", **details: Any) -> None:
        """Write one durable line, without secrets; ``trigger`` among its details names a server that was asked."""
        if through := asked_through():
            details = {"trigger": through, **details}
        record = {"at": at, "by": by, "action": action, "target": target, "outcome": outcome, "details": details}
        lock = FileLock(self._lock_path)
        lock.acquire(10.0, what="the audit log")
        with lock, Journal(self._path) as journal:
            journal.append([redact_values(record) | {CHAIN: next_link(self._path, self._head)}])
            write_head(self._path, self._head)

    def add_or_warn(self, **line: Any) -> None:
        """As `add`, for what is done whether or not there can be a line of it: where nothing can be written, warn."""
        try:
            self.add(**line)
        except OSError as error:
            message = f"the audit log cannot be written, so {line['action']!r} is not in it: {error.strerror}"
            warnings.warn(message, stacklevel=2)

    def breaks(self) -> Iterator[ChainBreak]:
        """Yield where the chain of the lines does not hold: a line was changed, put in or taken out."""
        return breaks_in(self._path, self._head)

    def acknowledge(self, breaks: Iterable[ChainBreak], *, at: str, by: str) -> None:
        """Write down that somebody has seen these breaks: they are no finding any more, and stay in the file."""
        lines = [[one.line, one.digest] for one in breaks if one.line]
        self.add(at=at, by=by, action=ACKNOWLEDGED, target="audit.jsonl", lines=lines)
        own = [[one.line, one.digest] for one in self.breaks()]
        if own:  # what was missing at the end became a break at the line that acknowledges it
            self.add(at=at, by=by, action=ACKNOWLEDGED, target="audit.jsonl", lines=own)

    def end_is_noted(self) -> bool:
        """Whether it is noted where the audit ends: else lines that are taken from its end are not missed."""
        return head_is_usable(self._path, self._head)

    def note_end(self) -> None:
        """Note where the audit ends now."""
        lock = FileLock(self._lock_path)
        lock.acquire(10.0, what="the audit log")
        with lock:
            write_head(self._path, self._head)

    def entries(self) -> Iterator[dict[str, Any]]:
        """Yield all lines, oldest first."""
        return read_journal(self._path)

    def entries_with_digests(self) -> Iterator[tuple[dict[str, Any], str]]:
        """Yield all lines, oldest first, each with its digest, which the line after it names as its ``chain``."""
        for line, _end in whole_lines(self._path):
            record = decode_line(line)
            if record is not None:
                yield record, digest_of(line)

    def entries_from(self, offset: int) -> Iterator[tuple[dict[str, Any], int]]:
        """Yield the lines from byte ``offset`` on, each with the offset after it."""
        return read_journal_from(self._path, offset)

    def tail_offset(self, most_bytes: int) -> int:
        """Return an offset with at most so many bytes after it; a line that it cuts is skipped by its CRC."""
        try:
            return max(0, self._path.stat().st_size - most_bytes)
        except FileNotFoundError:
            return 0
