"""A table that is one panel of several: the cursor leaves it at its ends, for the panel above or below."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic

from textual.message import Message

from ingest_tui.tui.widgets.columns import Column, Row
from ingest_tui.tui.widgets.panel import title_panel
from ingest_tui.tui.widgets.table import VirtualTable


class Board(VirtualTable[Row], Generic[Row]):
    """A table in a border with a title. Its cursor is shown only while it has the focus."""

    class Left(Message):
        """A person has gone beyond the last row (``steps`` 1), or before the first (-1)."""

        def __init__(self, board: Board[Row], steps: int) -> None:
            super().__init__()
            self.board = board
            self.steps = steps

    def __init__(self, title: str, columns: Sequence[Column[Row]], key: Callable[[Row], str], *, id: str) -> None:  # noqa: A002
        super().__init__(columns, key, id=id)
        self.hides_cursor = True
        self.add_class("panel")
        self._title = ""
        self.say_title(title)

    def say_title(self, title: str, subtitle: str = "") -> None:
        """Put a title, and what else is to be said, into the border."""
        self._title = title
        title_panel(self, title, subtitle)

    @property
    def title(self) -> str:
        """The title that is shown."""
        return self._title

    def fill(
        self,
        title: str,
        rows: Sequence[Row],
        empty: Sequence[str],
        *,
        subtitle: str = "",
        total: int = 0,
        from_top: bool = False,
    ) -> None:
        """Show rows, or the lines ``empty``; the title says how many there are, and of how many (``total``)."""
        many = f" {len(rows):,}" if rows else ""
        self.say_title(f"{title}{many}{f' of {total:,}' if total > len(rows) else ''}", subtitle)
        self.show(rows, empty=empty, from_top=from_top)

    def move(self, steps: int) -> None:
        """Move the cursor, or leave the panel where one step leads out of it."""
        if abs(steps) == 1 and not 0 <= self.cursor + steps < len(self.rows):
            self.post_message(self.Left(self, steps))
        else:
            super().move(steps)
