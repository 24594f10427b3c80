"""What the pointer of the mouse is on, so that a click that has waited can be told from one on something else."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Protocol, runtime_checkable

from textual.errors import NoWidget
from textual.geometry import Offset
from textual.screen import Screen


@runtime_checkable
class Pointable(Protocol):
    """A widget that shows several things to click on, which come and go."""

    def what_is_at(self, place: Offset) -> Hashable:
        """Return what distinguishes the one at a place of its content from the others."""
        ...


def pointed_at(screen: Screen[object], place: Offset) -> tuple[object, Hashable]:
    """Return the widget at a place of the screen, and what that shows there."""
    try:
        widget, region = screen.get_widget_at(*place)
    except NoWidget:
        return screen, None
    inside = place - region.offset - widget.gutter.top_left
    return widget, widget.what_is_at(inside) if isinstance(widget, Pointable) else None
