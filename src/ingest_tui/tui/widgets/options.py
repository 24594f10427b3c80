"""A list to choose from that also takes keys while it has no room."""

from __future__ import annotations

from textual.geometry import Offset
from textual.widgets import OptionList


class Options(OptionList):
    """The library's list looks up lines that it has not laid out where a small terminal leaves no room for any.

    A page further, or another option, then was a KeyError that ended the program (Textual 8.2.8).
    """

    @property
    def _has_room(self) -> bool:
        return bool(self.scrollable_content_region)

    def action_page_down(self) -> None:
        """Go a page further."""
        if self._has_room:
            self._move_page(1)

    def action_page_up(self) -> None:
        """Go a page back."""
        if self._has_room:
            self._move_page(-1)

    def scroll_to_highlight(self, top: bool = False) -> None:
        """Bring the highlighted option into sight."""
        if self._has_room:
            super().scroll_to_highlight(top)

    def what_is_at(self, place: Offset) -> str:
        """Return what the line at a place says."""
        return self.render_line(place.y).text if 0 <= place.y < self.size.height and self._has_room else ""
