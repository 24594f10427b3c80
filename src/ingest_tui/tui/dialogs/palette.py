"""``^p``: every action of the view, found by any letters of its name in their order; what was run last comes first."""

from __future__ import annotations

from collections.abc import Sequence

from textual.fuzzy import Matcher

from ingest_tui.tui.actions.actions import Action
from ingest_tui.tui.dialogs.finder import Finder
from ingest_tui.tui.widgets.columns import Cell, Column

_COLUMNS: list[Column[Action]] = [
    Column("title", "ACTION", 0, lambda action: Cell(action.title)),
    Column("key", "KEY", 5, lambda action: Cell(action.shown_keys, "running")),
    Column("command", "COMMAND LINE", 0, lambda action: Cell(action.command, "quiet"), from_width=70),
]


class Palette(Finder):
    """A chooser of actions; returns the id of the one to do, or None. ``recent``: ids, the newest last."""

    def __init__(self, actions: Sequence[Action], recent: Sequence[str]) -> None:
        age = {action_id: number for number, action_id in enumerate(reversed(recent))}
        offered = [action for action in actions if action.id != "palette" and not action.needs_argument]
        super().__init__(
            "All actions",
            _COLUMNS,
            sorted(offered, key=lambda action: age.get(action.id, len(age))),
            key=lambda action: action.id,
            searchable=lambda action: action.title,
        )

    def found(self, words: str) -> list[Action]:
        """Return the actions whose title or id has these letters, the best first; of equal ones the recent first."""
        if not words.strip():
            return self.rows
        matcher = Matcher(words.strip())
        scores = {action.id: max(matcher.match(action.title), matcher.match(action.id)) for action in self.rows}
        matching = [action for action in self.rows if scores[action.id] > 0]
        return sorted(matching, key=lambda action: -scores[action.id])
