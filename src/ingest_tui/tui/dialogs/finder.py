"""A list over a view that is searched while one types; Enter takes the row under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from ingest_tui.model.safe_text import safe_display
from ingest_tui.tui.background.questions import Asking
from ingest_tui.tui.dialogs.dialog import Dialog
from ingest_tui.tui.widgets.columns import Column
from ingest_tui.tui.widgets.line import Line
from ingest_tui.tui.widgets.table import VirtualTable

_HERE = Path(__file__).parent  # of the style sheets, also for subclasses in other folders


class Finder(Asking, Dialog[str | None]):
    """Rows that are searched by every word typed; returns the key of the one that was taken, or None."""

    CSS_PATH = [_HERE / "dialogs.tcss", _HERE / "finder.tcss"]  # noqa: RUF012 - as the base class declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "close", id="finder.close"),
        Binding("down", "move(1)", "down", id="finder.down", priority=True),
        Binding("up", "move(-1)", "up", id="finder.up", priority=True),
        Binding("pagedown", "move(10)", "page down", id="finder.page_down", priority=True),
        Binding("pageup", "move(-10)", "page up", id="finder.page_up", priority=True),
    ]

    def __init__(
        self,
        title: str,
        columns: Sequence[Column[Any]],
        rows: Sequence[Any],
        *,
        key: Callable[[Any], str],
        searchable: Callable[[Any], str],
        note: str = "",
    ) -> None:
        super().__init__()
        self._title = title
        self._columns = columns
        self.rows = list(rows)
        self._key = key
        self._searchable = searchable
        self._note = note

    def compose(self) -> ComposeResult:
        """A search field and the list."""
        with Vertical(classes="dialog finder"):
            yield Line(safe_display(f"{self._title}   type to search, enter takes it, esc closes"),
                       classes="dialog--title")  # fmt: skip
            yield Input(id="search", placeholder="search", compact=True)
            yield VirtualTable(self._columns, self._key, id="finder-table")
            if self._note:
                yield Line(self._note, classes="dialog--note")

    @property
    def table(self) -> VirtualTable[Any]:
        """The list."""
        return self.query_one("#finder-table", VirtualTable)

    def on_mount(self) -> None:
        """Show all of them, and let a person type at once."""
        entry = self.query_one("#search", Input)
        entry.cursor_blink = False
        entry.focus()
        self.table.can_focus = False
        self._show()

    def add_rows(self, rows: Sequence[Any], *, at: int) -> None:
        """Offer more, before the row that is number ``at`` now."""
        self.rows[at:at] = rows
        self._show()

    def _show(self) -> None:
        found = self.found(self.query_one("#search", Input).value)
        self.table.show(found, empty=["nothing is called that; esc closes"], from_top=True)

    def found(self, words: str) -> list[Any]:
        """Return the rows to show for what is typed: those that have every word."""
        wanted = words.lower().split()
        return [row for row in self.rows if all(word in self._searchable(row).lower() for word in wanted)]

    def action_move(self, rows: int) -> None:
        """Move in the list while the search field keeps the focus."""
        self.table.move(rows)

    @on(Input.Changed, "#search")
    def typed(self) -> None:
        """Search."""
        self._show()

    @on(Input.Submitted, "#search")
    @on(VirtualTable.Opened, "#finder-table")
    def taken(self) -> None:
        """Take what the cursor is on."""
        self.dismiss(self.table.current_key or None)
