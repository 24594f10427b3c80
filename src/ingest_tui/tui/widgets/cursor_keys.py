"""What the keys of a scrolling widget do where it has a cursor: they move that, and the widget scrolls after it."""

from __future__ import annotations

from typing import TYPE_CHECKING


class CursorKeys:
    """The first of the bases, before the widget: its actions take the place of those that scroll."""

    if TYPE_CHECKING:  # what the class moves its cursor with

        def move(self, steps: int) -> None: ...

        def move_page(self, pages: int) -> None: ...

        def move_to_end(self, *, first: bool) -> None: ...

    def action_scroll_up(self) -> None:
        """Move the cursor up."""
        self.move(-1)

    def action_scroll_down(self) -> None:
        """Move the cursor down."""
        self.move(1)

    def action_page_up(self) -> None:
        """Move the cursor a screenful up."""
        self.move_page(-1)

    def action_page_down(self) -> None:
        """Move the cursor a screenful down."""
        self.move_page(1)

    def action_scroll_home(self) -> None:
        """Move the cursor to the first line."""
        self.move_to_end(first=True)

    def action_scroll_end(self) -> None:
        """Move the cursor to the last line."""
        self.move_to_end(first=False)
