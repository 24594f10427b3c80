"""Which rows of a table are marked: one by one, all, or those that the cursor passes. By key, without Textual."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet


class RowMarks:
    """The marks. A range is anchored in the row where it began; what it no longer reaches has its mark of before."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        self.anchor = ""
        """The row where the range began; empty while there is none."""
        self._before_range: frozenset[str] = frozenset()
        self._awaited: set[str] = set()

    def await_rows(self, keys: Iterable[str]) -> None:
        """Mark the rows of these keys as soon as they are there."""
        self._awaited = set(keys)

    def keep(self, here: AbstractSet[str]) -> None:
        """Take in which rows there are now: marks of others fall, and what was awaited is marked."""
        self.keys = (self.keys | self._awaited) & here
        self._awaited -= self.keys

    def toggle(self, key: str) -> None:
        """Mark a row, or take its mark away."""
        self.keys ^= {key}

    def clear(self) -> None:
        """Take all marks away."""
        self.end_range()
        self.keys.clear()

    def begin_range(self, key: str) -> None:
        """Begin a range in a row."""
        self.anchor, self._before_range = key, frozenset(self.keys)

    def end_range(self) -> None:
        """Leave the marks as they are from now on."""
        self.anchor = ""

    def reach(self, passed: AbstractSet[str]) -> set[str]:
        """Mark the rows from the anchor to the cursor; returns those whose mark has changed."""
        changed = self.keys ^ (self._before_range | passed)
        self.keys ^= changed
        return changed
