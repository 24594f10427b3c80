"""Who did what, when, with which outcome: looked through, followed, and taken out."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest_tui.model.clock import is_beginning_of_time, rfc3339_now
from ingest_tui.model.errors import IngestError, UsageError
from ingest_tui.model.matching import matches
from ingest_tui.model.safe_text import safe_cell, safe_display
from ingest_tui.services.documents.export import checked_target
from ingest_tui.store.fs.atomic import write_pieces_durably
from ingest_tui.store.fs.encoding import encode_json
from ingest_tui.store.users import requester
from ingest_tui.store.workspace import Workspace

__all__ = ["FORMATS", "AuditQuery", "audit_from", "audit_lines_from", "audit_tail_offset", "export_audit", "list_audit"]

FORMATS = ("jsonl", "csv")
TAIL_BYTES = 4_000_000
DIGEST = "digest"
_COLUMNS = ("at", "by", "action", "target", "outcome", "details")


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which lines: ``words`` as in the filters of lists, ``since`` the beginning of an RFC 3339 time, such as a day.

    ``until`` likewise: lines of that day, that minute or that second are the last.
    """

    words: str = ""
    since: str = ""
    until: str = ""

    def __post_init__(self) -> None:
        """Raise `UsageError` for a time that is none."""
        for time in filter(None, (self.since, self.until)):
            if not is_beginning_of_time(time):
                raise UsageError(
                    f"not a time: {safe_display(time)}", hint="write it as 2026-11-21 or 2026-11-21T06:30:00Z"
                )

    def takes(self, entry: dict[str, Any]) -> bool:
        """Tell whether a line is wanted."""
        at, until = str(entry.get("at", "")), self.until.removesuffix("Z")
        if at < self.since or (until and at[: len(until)] > until):
            return False
        return not self.words or matches(searchable(entry), self.words)


def searchable(entry: dict[str, Any]) -> str:
    """Return what the words of a filter are looked for in."""
    details = " ".join(f"{name}={value}" for name, value in (entry.get("details") or {}).items())
    return f"{' '.join(str(entry.get(name, '')) for name in _COLUMNS[:-1])} {details}".lower()


def list_audit(workspace: Workspace, query: AuditQuery | None = None) -> Iterator[dict[str, Any]]:
    """Yield the wanted lines, oldest first."""
    query = query or AuditQuery()
    return (entry for entry in workspace.audit.entries() if query.takes(entry))


def audit_tail_offset(workspace: Workspace) -> int:
    """Return the offset from which the newest lines begin, so many that a screen holds them."""
    return workspace.audit.tail_offset(TAIL_BYTES)


def audit_lines_from(workspace: Workspace, offset: int | None) -> tuple[list[dict[str, Any]], int]:
    """Return the lines from byte ``offset`` on and the offset after them; None: the newest, a screenful."""
    end = audit_tail_offset(workspace) if offset is None else offset
    entries = []
    for entry, after in audit_from(workspace, end):
        entries.append(entry)
        end = after
    return entries, end


def audit_from(workspace: Workspace, offset: int) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield the lines from byte ``offset`` on, oldest first, each with the offset after it; poll it to follow."""
    return workspace.audit.entries_from(offset)


def export_audit(
    workspace: Workspace, target: Path, query: AuditQuery | None = None, *, file_format: str = "", replace: bool = False
) -> tuple[Path, int]:
    """Write the wanted lines to a file outside of the workspace, whole or not at all; returns where, and how many.

    ``file_format``: ``jsonl`` or ``csv``; by default what the name of the file ends with, else ``jsonl``. A line of
    JSON has its ``digest`` too, by which `check_export` finds what was changed. The audit notes that of the last one.
    """
    place = checked_target(workspace, target.expanduser(), replace=replace, is_folder=False)
    as_csv = (file_format or place.suffix.removeprefix(".").lower()) == "csv"
    number, last, wanted = 0, "", query or AuditQuery()

    def counted() -> Iterator[dict[str, Any]]:
        nonlocal number, last
        for entry, digest in workspace.audit.entries_with_digests():
            if wanted.takes(entry):
                number, last = number + 1, digest
                yield entry | {DIGEST: digest}

    try:
        write_pieces_durably(place, _csv(counted()) if as_csv else _json_lines(counted()))
    except OSError as error:
        raise IngestError(f"{place}: {error.strerror}", hint="name another place") from None
    at = rfc3339_now()
    workspace.audit.add_or_warn(
        at=at, by=requester(), action="audit.export", target=str(place), entries=number, head=last
    )
    return place, number


def _json_lines(entries: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    for entry in entries:
        yield encode_json(entry) + b"\n"


def _csv(entries: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    yield _csv_row(_COLUMNS)
    for entry in entries:
        details = encode_json(entry.get("details") or {}).decode()
        yield _csv_row([*(safe_cell(str(entry.get(name, ""))) for name in _COLUMNS[:-1]), details])


def _csv_row(cells: Iterable[str]) -> bytes:
    row = io.StringIO()
    csv.writer(row, lineterminator="\n").writerow(cells)
    return row.getvalue().encode("utf-8", "backslashreplace")
