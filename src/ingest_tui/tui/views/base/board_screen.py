"""A view of several boards: the cursor goes from one to the next, and the hint is about the row that it is on."""

from __future__ import annotations

from typing import Any

from textual import on

from ingest_tui.tui.views.base.view_screen import ViewScreen
from ingest_tui.tui.widgets.board import Board
from ingest_tui.tui.widgets.table import VirtualTable


class BoardScreen(ViewScreen):
    """Views whose rows are in boards, with ids that begin with the name of the view: ``overview-sources``."""

    def board(self, name: str) -> Board[Any]:
        """Return one of the panels."""
        return self.query_one(f"#{self.view}-{name}", Board)

    def boards(self) -> list[Board[Any]]:
        """Return the panels that are shown, in their order."""
        return [board for board in self.query(Board) if board.display]

    @property
    def current_row(self) -> Any:
        """The row under the cursor of the board that has the focus; None where there is none."""
        target = self.target
        return target.current if isinstance(target, Board) else None

    def say_current(self) -> None:
        """Say more of the row under the cursor."""

    @on(VirtualTable.Moved)
    def moved(self) -> None:
        """Say more of the row."""
        self.say_current()

    def on_descendant_focus(self) -> None:
        """Say more of the row under the cursor of the panel that has the focus now."""
        self.say_current()

    @on(Board.Left)
    def leave_board(self, event: Board.Left) -> None:
        """Go on in the panel above or below."""
        boards = [board for board in self.boards() if board.rows or board is event.board]
        position = boards.index(event.board) + event.steps
        if 0 <= position < len(boards):
            boards[position].focus()
            boards[position].move_to_end(first=event.steps > 0)
