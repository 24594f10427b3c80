"""Audit: who did what, when, with which outcome. The newest lines are held; an export takes all."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from ingest_tui.model.matching import matches
from ingest_tui.tui import wording
from ingest_tui.tui.actions.actions import bindings_of, shell_word
from ingest_tui.tui.client.editable_records import Record
from ingest_tui.tui.views.base.following_screen import FollowingScreen
from ingest_tui.tui.widgets.columns import Cell, Column
from ingest_tui.tui.widgets.drawings import with_drawing
from ingest_tui.tui.widgets.table import VirtualTable

MOST_ENTRIES = 20_000
_DONE = "done"


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A line of the audit; ``number`` is its key."""

    number: int
    entry: dict[str, Any]
    details: str
    searchable: str

    def text(self, name: str) -> str:
        """Return one of its values as text."""
        return str(self.entry.get(name, ""))


def _row(number: int, entry: dict[str, Any]) -> AuditRow:
    known = entry.get("details")
    details = "  ".join(wording.named(name, value) for name, value in known.items()) if isinstance(known, dict) else ""
    words = " ".join(str(entry.get(name, "")) for name in ("at", "by", "action", "target", "outcome"))
    return AuditRow(number, entry, details, f"{words} {details}".lower())


def _outcome(row: AuditRow) -> Cell:
    outcome = row.text("outcome")
    return Cell(f"{'+' if outcome == _DONE else '!'} {outcome}", "good" if outcome == _DONE else "bad")


COLUMNS: list[Column[AuditRow]] = [
    Column("at", "WHEN", 14, lambda row: Cell(row.text("at")[5:19].replace("T", " "), "quiet")),
    Column("by", "WHO", 14, lambda row: Cell(row.text("by")), from_width=64),
    Column("action", "ACTION", 19, lambda row: Cell(row.text("action"))),
    Column("target", "TARGET", 0, lambda row: Cell(row.text("target")), is_path=True),
    Column("outcome", "OUTCOME", 9, _outcome, from_width=50),
    Column("details", "DETAILS", 0, lambda row: Cell(row.details, "quiet"), from_width=110),
]


class AuditScreen(FollowingScreen):
    """The lines of the audit, newest first."""

    view = "audit"
    heading = "Audit"
    sorts: ClassVar[dict[str, str]] = {
        "newest": "Newest first", "who": "By who did it", "action": "By action", "target": "By what it was done to",
    }  # fmt: skip
    sorts_of_heads: ClassVar[dict[str, str]] = {"at": "newest", "by": "who"}
    CSS_PATH = "audit_screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("audit")]

    def __init__(self) -> None:
        super().__init__()
        self._rows: deque[AuditRow] | None = None
        self._number = 0
        self._offset: int | None = None

    def compose_body(self) -> ComposeResult:
        """The table."""
        yield VirtualTable(COLUMNS, lambda row: str(row.number), id="audit-table")

    @property
    def table(self) -> VirtualTable[AuditRow]:
        """The table."""
        return cast("VirtualTable[AuditRow]", self.query_one("#audit-table", VirtualTable))

    def place(self) -> str:
        """Where we are."""
        return f"Audit > {self.words or 'all'}"

    # What is shown

    def reading(self) -> Callable[[], tuple[list[dict[str, Any]], int]]:
        """Return what reads the lines that have come since."""
        return partial(self.ingest.client.audit.lines_from, self._offset)

    def take(self, answer: tuple[list[dict[str, Any]], int]) -> None:
        """Show what has come."""
        entries, self._offset = answer
        if entries or self._rows is None:
            rows = self._rows if self._rows is not None else deque[AuditRow](maxlen=MOST_ENTRIES)
            for entry in entries:
                self._number += 1
                rows.append(_row(self._number, entry))
            self._rows = rows
            self.show_lines()

    def show_lines(self) -> None:
        """Show the lines that pass the filter, in their order."""
        known = self._rows or ()
        shown = [row for row in known if not self.words or matches(row.searchable, self.words)]
        shown.reverse()
        if self.sort != "newest":
            name = {"who": "by"}.get(self.sort, self.sort)
            shown.sort(key=lambda row: row.text(name))
        if self.reversed:
            shown.reverse()
        self.table.show(shown, empty=self._empty_words())
        self.say_info(len(shown), None if self._rows is None else len(known), "line")
        self.say_header()
        self._hint()

    def _empty_words(self) -> list[str]:
        if self._rows is None:
            return self.why_unread or ["reading …"]
        if self._rows:
            return wording.nothing_matches("line")
        return with_drawing(
            "audit",
            "Nothing has been done yet.",
            "",
            "Who has changed what in this workspace, and when, is shown here.",
            "Press 2, then a to add a source.",
        )

    @on(VirtualTable.Moved, "#audit-table")
    def _hint(self) -> None:
        row = self.table.current
        self.say_hint("" if row is None else f"{row.text('by')}  {row.text('target')}  {row.details}")

    # Actions

    def command_values(self) -> dict[str, str]:
        """The words of the filter."""
        return {"query": self.words}

    def shown_commands(self) -> dict[str, str]:
        """The lines that pass the filter."""
        return {"view.audit": f"ingest-tui audit --contains {shell_word(self.words)}"} if self.words else {}

    def copies(self) -> dict[str, str]:
        """What the line says."""
        row = self.table.current
        return {} if row is None else {name: row.text(name) for name in ("target", "by", "action", "at")}

    def record(self) -> Record | None:
        """The line as JSON."""
        row = self.table.current
        return None if row is None else Record(f"audit line of {row.text('at')}", lambda: _as_json(row))

    @on(VirtualTable.Opened, "#audit-table")
    def open_selected(self) -> None:
        """Show the record of the line."""
        from ingest_tui.tui.dialogs.report import LinesReport

        row = self.table.current
        if row is not None:
            self.app.push_screen(LinesReport(f"{row.text('action')} {row.text('target')}", _as_json(row).splitlines()))

    def export_audit(self) -> None:
        """Write the lines that pass the filter to a file, all of them, not only those that are held here."""
        from ingest_tui.tui.dialogs.ask import Ask

        client, words = self.ingest.client, self.words

        def written(answer: tuple[Path, int]) -> None:
            place, number = answer
            self.show_notice(f"{wording.plural(number, 'line')} written to {place}")

        def export(name: str) -> tuple[Path, int]:
            from ingest_tui.services.jobs.audit_trail import AuditQuery

            return client.audit.export(Path(name), AuditQuery(words))

        def named(name: str | None) -> None:
            if name:
                self.ask(partial(export, name), written, group="export")

        what = f"the lines with {words}" if words else "all lines"
        note = "a new file; .csv for a table, else JSON lines"
        self.app.push_screen(Ask(f"Export {what} to which file?", value="audit.jsonl", note=note), named)


def _as_json(row: AuditRow) -> str:
    """The record for people; characters that act on a terminal are escaped."""
    return json.dumps(row.entry, indent=2)
