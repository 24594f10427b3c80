"""Help: every action with its keys and its command line. Type to search, Enter does it."""

from __future__ import annotations

from collections.abc import Sequence

from ingest_tui.tui.actions.actions import Action
from ingest_tui.tui.dialogs.finder import Finder
from ingest_tui.tui.widgets.columns import Cell, Column

_COLUMNS: list[Column[Action]] = [
    Column("key", "KEY", 7, lambda action: Cell(action.shown_keys, "running")),
    Column("title", "WHAT IT DOES", 0, lambda action: Cell(action.title)),
    Column("command", "COMMAND LINE", 0, lambda action: Cell(action.command, "quiet"), from_width=70),
]


class Help(Finder):
    """What can be done in a view; returns the id of the action to do, or None."""

    def __init__(self, view: str, actions: Sequence[Action]) -> None:
        super().__init__(
            f"Help for {view}",
            _COLUMNS,
            [action for action in actions if not action.needs_argument],
            key=lambda action: action.id,
            searchable=lambda action: f"{action.title} {action.shown_keys} {action.command}",
            note="states: . queued  > running  = paused  ~ interrupted  + succeeded  ? partial  ! failed  x cancelled",
        )
