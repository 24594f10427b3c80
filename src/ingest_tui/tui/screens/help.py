"""Help: every action with its keys and its command line. Type to search, Enter does it."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from ingest_tui.tui.actions import Action, actions_of
from ingest_tui.tui.widgets.line import Line
from ingest_tui.tui.widgets.table import Cell, Column, VirtualTable

_COLUMNS: list[Column[Action]] = [
    Column("key", "KEY", 7, lambda action: Cell(action.shown_keys, "running")),
    Column("title", "WHAT IT DOES", 38, lambda action: Cell(action.title)),
    Column("command", "COMMAND LINE", 0, lambda action: Cell(action.command, "quiet"), from_width=70),
]


class Help(ModalScreen[str | None]):
    """What can be done in a view; returns the id of the action to do, or None."""

    CSS_PATH = ["dialogs.tcss", "help.tcss"]  # noqa: RUF012 - as the base class declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "close", id="help.close"),
        Binding("down", "move(1)", "down", id="help.down", priority=True),
        Binding("up", "move(-1)", "up", id="help.up", priority=True),
        Binding("pagedown", "move(10)", "page down", id="help.page_down", priority=True),
        Binding("pageup", "move(-10)", "page up", id="help.page_up", priority=True),
    ]

    def __init__(self, view: str) -> None:
        super().__init__()
        self._actions = actions_of(view)
        self._view = view

    def compose(self) -> ComposeResult:
        """A search field and the list."""
        with Vertical(classes="dialog help"):
            yield Line(f"Help for {self._view}   type to search, enter does it, esc closes", classes="dialog--title")
            yield Input(id="search", placeholder="search", compact=True)
            yield VirtualTable(_COLUMNS, lambda action: action.id, id="help-table")
            yield Line(
                "states: . queued  > running  = paused  ~ interrupted  + succeeded  ? partial  ! failed  x cancelled",
                classes="dialog--note",
            )

    def on_mount(self) -> None:
        """Show all of them, and let a person type at once."""
        entry = self.query_one("#search", Input)
        entry.cursor_blink = False
        entry.focus()
        self.query_one("#help-table", VirtualTable).can_focus = False
        self._show("")

    def _show(self, words: str) -> None:
        wanted = words.lower().split()
        found = [
            action
            for action in self._actions
            if all(word in f"{action.title} {action.shown_keys} {action.command}".lower() for word in wanted)
        ]
        self.query_one("#help-table", VirtualTable).show(found, empty=["nothing is called that; esc closes"])

    def action_move(self, rows: int) -> None:
        """Move in the list while the search field keeps the focus."""
        self.query_one("#help-table", VirtualTable).move(rows)

    @on(Input.Changed, "#search")
    def typed(self, event: Input.Changed) -> None:
        """Search."""
        self._show(event.value)

    @on(Input.Submitted, "#search")
    def submitted(self) -> None:
        """Do what the cursor stands on."""
        self.dismiss(self.query_one("#help-table", VirtualTable).current_key or None)
