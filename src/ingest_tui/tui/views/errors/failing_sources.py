"""The sources that cannot be listed or read, above the errors of documents: none of those comes in meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ingest_tui.tui import wording
from ingest_tui.tui.widgets.board import Board
from ingest_tui.tui.widgets.columns import Cell, Column

if TYPE_CHECKING:
    from ingest_tui.services.attention import AttentionItem

_MOST_LINES = 6
_BESIDES_ROWS = 3  # the border, and the heads
CODES = ("source_failing", "source_unreadable")
"""What needs a person, as `services.attention` calls it, and is a source that fails."""


class FailingSources(Board["AttentionItem"]):
    """A panel that is there only while a source fails."""

    def __init__(self, now: Callable[[], float]) -> None:
        columns: list[Column[AttentionItem]] = [
            Column("source", "SOURCE", 18, lambda item: Cell(f"! {item.subject}", "bad")),
            Column("message", "WHAT", 0, lambda item: Cell(item.message)),
            Column("since", "SINCE", 5, lambda item: Cell(wording.age(item.since, now()), "quiet"), 50, right=True),
        ]
        super().__init__("Sources that fail", columns, lambda item: item.key, id="errors-sources")
        self.display = False

    def show_failing(self, items: Sequence[AttentionItem]) -> None:
        """Show these; the panel goes with the last one."""
        self.say_title(f"Sources that fail {len(items):,}", "enter opens the source")
        self.display = bool(items)
        self.styles.height = min(len(items), _MOST_LINES) + _BESIDES_ROWS
        self.show(list(items))
