"""Where a person has been: ``[`` goes back, ``]`` forward. Without Textual."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MOST_PLACES = 100


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A top view, and what was opened over it: ``opened`` names it, ``again`` makes its screen again.

    ``row``: the key of the row under the cursor.
    """

    view: str
    opened: str = ""
    again: Callable[[], Any] | None = None
    row: str = ""

    def is_same(self, other: HistoryEntry) -> bool:
        """Tell whether both show the same thing, wherever the cursor is."""
        return (self.view, self.opened) == (other.view, other.opened)


class History:
    """The places in the order of the visits, and the one that is shown."""

    def __init__(self) -> None:
        self._places: list[HistoryEntry] = []
        self._position = -1

    def visit(self, place: HistoryEntry) -> None:
        """Take note of the place that is shown now. Leaving what was opened for what lies under it is going back."""
        here = self.here
        if here is not None and here.is_same(place):
            self._places[self._position] = place
        elif here is not None and here.opened and not place.opened and self._is_before(place):
            self._position -= 1
        else:
            self._places = [*self._places[: self._position + 1], place][-MOST_PLACES:]
            self._position = len(self._places) - 1

    def _is_before(self, place: HistoryEntry) -> bool:
        return self._position > 0 and self._places[self._position - 1].is_same(place)

    @property
    def here(self) -> HistoryEntry | None:
        """The place that is shown."""
        return self._places[self._position] if self._places else None

    def go(self, steps: int) -> HistoryEntry | None:
        """Go back (-1) or forward (1); None where there is nothing more."""
        if not 0 <= self._position + steps < len(self._places):
            return None
        self._position += steps
        return self._places[self._position]
