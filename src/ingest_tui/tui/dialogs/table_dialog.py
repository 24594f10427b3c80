"""A long list over a view: rows that come while they are found, with keys to move, a filter, and a line that counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from ingest_tui.model.matching import matches
from ingest_tui.model.safe_text import safe_display
from ingest_tui.tui.background.questions import Asking, FailureHandler
from ingest_tui.tui.dialogs.dialog import Dialog
from ingest_tui.tui.widgets.columns import Column
from ingest_tui.tui.widgets.line import Line
from ingest_tui.tui.widgets.panel import title_panel
from ingest_tui.tui.widgets.table import VirtualTable

Row = TypeVar("Row")
_HERE = Path(__file__).parent  # of the style sheets, also for subclasses in other folders
SLICE = 500


def slices(rows: Iterable[Row], length: int = SLICE) -> Iterator[list[Row]]:
    """Yield rows in lists: the first soon, later ones of ``length``; so that not each row is a message."""
    batch: list[Row] = []
    wanted = 1
    for row in rows:
        batch.append(row)
        if len(batch) >= wanted:
            yield batch
            batch, wanted = [], min(length, wanted * 4)
    if batch:
        yield batch


class TableDialog(Asking, Dialog[str | None]):
    """A title, a table, a line of the state, and the keys. Subclasses say what Enter does."""

    CSS_PATH = [_HERE / "dialogs.tcss", _HERE / "table_dialog.tcss"]  # noqa: RUF012 - as the base class declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="table.back"),
        Binding("enter", "open", "open", id="table.open"),
        Binding("j", "move(1)", "down", id="table.down"),
        Binding("k", "move(-1)", "up", id="table.up"),
        Binding("g", "end(True)", "first", id="table.first"),
        Binding("G", "end(False)", "last", id="table.last"),
        Binding("slash", "filter", "filter", id="table.filter"),
    ]
    keys: ClassVar[str] = "/ filter  esc back"

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title
        self.words = ""

    def compose(self) -> ComposeResult:
        """Title, filter, table, and two lines."""
        with Vertical(classes="dialog table-dialog"):
            yield Line(safe_display(self._title), id="dialog-title", classes="dialog--title")
            yield Input(id="dialog-filter", placeholder="filter", compact=True)
            yield VirtualTable(self.columns(), self.key_of, id="dialog-table")
            yield Line(id="dialog-said")
            yield Line(self.keys, id="dialog-keys", classes="dialog--note")

    def on_mount(self) -> None:
        """Begin."""
        self.query_one("#dialog-filter", Input).cursor_blink = False
        self.table.focus()
        self.begin()

    # For subclasses

    def columns(self) -> Sequence[Column[Any]]:
        """The columns."""
        return ()

    def key_of(self, row: Any) -> str:
        """What distinguishes a row from the others."""
        return str(row)

    def begin(self) -> None:
        """Ask for the rows."""

    def show_rows(self) -> None:
        """Show the rows that pass the filter."""

    def action_open(self) -> None:
        """Do what Enter does."""

    # What it can do

    @property
    def table(self) -> VirtualTable[Any]:
        """The table."""
        return self.query_one("#dialog-table", VirtualTable)

    def say_title(self, text: str) -> None:
        """Change the title."""
        self.query_one("#dialog-title", Line).say(safe_display(text))

    def say(self, text: str, *, bad: bool = False) -> None:
        """Show the state."""
        style = "$text-error" if bad else "$text-muted"
        self.query_one("#dialog-said", Line).say(Content.assemble((safe_display(text), style)))

    def say_keys(self, text: str) -> None:
        """Say other keys."""
        self.query_one("#dialog-keys", Line).say(text)

    def show_passing(self, rows: Sequence[Row], searchable: Callable[[Row], str], empty: Sequence[str]) -> None:
        """Show the rows that pass the filter; the border has the filter, and how many of all pass.

        ``empty``: what there is to say where there are no rows at all.
        """
        shown = [row for row in rows if not self.words or matches(searchable(row).lower(), self.words)]
        self.table.show(shown, empty=["nothing matches"] if rows and self.words else empty)
        title, subtitle = (f"{len(shown):,} of {len(rows):,}", f"/{self.words}") if self.words else ("", "")
        title_panel(self.query_one(".table-dialog"), title, subtitle)

    def drop_filter(self) -> None:
        """Filter no more."""
        self.words = self.query_one("#dialog-filter", Input).value = ""
        self.remove_class("-filtering")

    def say_failure(self, message: str, hint: str) -> None:
        """Say what went wrong."""
        self.say(f"! {message}{f'; {hint}' if hint else ''}", bad=True)

    def ask_slices(
        self,
        work: Callable[[], Iterable[Any]],
        take: Callable[[list[Any] | None], None],
        *,
        group: str | None = "rows",
        otherwise: FailureHandler | None = None,
    ) -> None:
        """Ask for rows that come in slices; ``take`` gets None after the last."""

        def in_slices() -> Iterator[list[Any] | None]:
            yield from slices(work())
            yield None

        self.ask_many(in_slices, take, group=group, otherwise=otherwise or self.say_failure)

    def action_move(self, rows: int) -> None:
        """Move the cursor."""
        self.table.move(rows)

    def action_end(self, first: bool) -> None:
        """Go to an end."""
        self.table.move_to_end(first=first)

    def action_filter(self) -> None:
        """Open the filter."""
        self.add_class("-filtering")
        self.query_one("#dialog-filter", Input).focus()

    def action_back(self) -> None:
        """Clear the filter, else close."""
        if self.has_class("-filtering") or self.words:
            self.drop_filter()
            self.table.focus()
            self.show_rows()
        else:
            self.go_back()

    def go_back(self) -> None:
        """Close."""
        self.dismiss(None)

    @on(Input.Changed, "#dialog-filter")
    def filter_typed(self, event: Input.Changed) -> None:
        """Filter while a person types."""
        self.words = event.value.strip()
        self.show_rows()

    @on(Input.Submitted, "#dialog-filter")
    def filter_done(self) -> None:
        """Go on to the rows."""
        self.remove_class("-filtering")
        self.table.focus()

    @on(VirtualTable.Opened)
    def opened(self) -> None:
        """A double click is Enter."""
        self.action_open()
