"""What the other modules of this package share. Lengths are in points; y grows upwards, as in PDF."""

from __future__ import annotations

from typing import NamedTuple


class Style(NamedTuple):
    """How the letters of a line look. ``size`` is in half points, 0 where it is not known."""

    size: float
    bold: bool
    fixed_pitch: bool


UNKNOWN_STYLE = Style(0, bold=False, fixed_pitch=False)


class PageLine(NamedTuple):
    """A line of text: where its characters are in the text of the page, how it looks, and where it is on the page.

    ``middle`` is the height of its middle. ``gap`` is the widest gap between the pieces that it was drawn in,
    ``later_gap`` the widest but for that after the first piece, in sizes of its letters.
    A line of which nothing is known has no size; one that is several lines of the page has none, but has a box.
    """

    start: int
    end: int
    style: Style = UNKNOWN_STYLE
    left: float = 0
    right: float = 0
    middle: float = 0
    gap: float = 0
    later_gap: float = 0


class Word(NamedTuple):
    """A word: where its characters are in the text of the page, and its box."""

    start: int
    end: int
    left: float
    bottom: float
    right: float
    top: float

    @property
    def middle(self) -> float:
        """Return the height of the word's middle."""
        return (self.bottom + self.top) / 2

    @property
    def centre(self) -> float:
        """Return the x of the word's middle."""
        return (self.left + self.right) / 2


class DrawnRule(NamedTuple):
    """A drawn line that is upright or level: at ``at`` on one axis, from ``begin`` to ``end`` on the other."""

    at: float
    begin: float
    end: float


class Rules(NamedTuple):
    """The drawn lines of a page."""

    level: list[DrawnRule]
    upright: list[DrawnRule]


class PageTable(NamedTuple):
    """A table: its rows of cells, each cell the words in it, in order. All rows are of one length."""

    rows: list[list[list[Word]]]

    def words(self) -> list[Word]:
        """Return all words of the table in the order of the page's text."""
        return sorted(word for row in self.rows for cell in row for word in cell)
