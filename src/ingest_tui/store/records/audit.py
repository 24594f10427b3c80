"""Who did what, when, with which outcome."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from ingest_tui.model.redaction import redact_values
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.journal import Journal, read_journal, read_journal_from


class AuditLog:
    """The audit journal of a workspace, shared by all processes."""

    def __init__(self, layout: Layout) -> None:
        self._path = layout.audit
        self._lock_path = layout.lock("audit")

    def add(self, *, at: str, by: str, action: str, target: str, outcome: str = "done", **details: Any) -> None:
        """Write one durable line, without secrets."""
        record = {"at": at, "by": by, "action": action, "target": target, "outcome": outcome, "details": details}
        lock = FileLock(self._lock_path)
        lock.acquire(10.0, what="the audit log")
        with lock, Journal(self._path) as journal:
            journal.append([redact_values(record)])

    def add_or_warn(self, **line: Any) -> None:
        """As `add`, for what is done whether or not there can be a line of it: where nothing can be written, warn."""
        try:
            self.add(**line)
        except OSError as error:
            message = f"the audit log cannot be written, so {line['action']!r} is not in it: {error.strerror}"
            warnings.warn(message, stacklevel=2)

    def entries(self) -> Iterator[dict[str, Any]]:
        """Yield all lines, oldest first."""
        return read_journal(self._path)

    def entries_from(self, offset: int) -> Iterator[tuple[dict[str, Any], int]]:
        """Yield the lines from byte ``offset`` on, each with the offset after it."""
        return read_journal_from(self._path, offset)

    def tail_offset(self, most_bytes: int) -> int:
        """Return an offset with at most so many bytes after it; a line that it cuts is skipped by its CRC."""
        try:
            return max(0, self._path.stat().st_size - most_bytes)
        except FileNotFoundError:
            return 0
