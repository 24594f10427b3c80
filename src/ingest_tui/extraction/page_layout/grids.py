"""Tables whose cells are drawn: the drawn lines that meet, and the cells between them. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from ingest_tui.extraction.page_layout.model import DrawnRule, PageTable, Rules, Word

_SAME = 2.5
"""Drawn lines less than this apart are one, such as a double line."""
_REACH = 4.0
_MAX_RULES = 200
"""Of each direction on a page, once the pieces of one line are put together."""
_FEWEST_LINES = 3
_MAX_COLUMNS = 40
_MAX_CELLS = 10_000
_LEAST_FILLED = 0.4
_LONGEST_CELL = 150
"""In words: what has more is a part of the page in a frame."""
_WIDE_GAP = 1.2
_MOST_GAPS = 0.2
"""Of the cells with text: where more have wide gaps in them, the drawn lines are around groups of columns."""
_FEW_BANDS = 3
_MANY_LINES = 4


class Grid(NamedTuple):
    """Drawn lines that meet: the x of the upright ones, the y of the level ones from the top, and the lines."""

    xs: list[float]
    ys: list[float]
    rules: Rules

    def holds(self, word: Word) -> bool:
        """Say whether the middle of a word is within the outermost lines."""
        return self.xs[0] < word.centre < self.xs[-1] and self.ys[-1] < word.middle < self.ys[0]


def find_grids(rules: Rules) -> list[Grid]:
    """Return the groups of drawn lines that meet and have at least two columns and two rows between them."""
    level, upright = _joined(rules.level), _joined(rules.upright)
    if len(level) > _MAX_RULES or len(upright) > _MAX_RULES:
        return []
    groups = _Groups(len(level) + len(upright))
    for number, line in enumerate(level):
        for other, post in enumerate(upright, len(level)):
            if (
                post.begin - _REACH <= line.at <= post.end + _REACH
                and line.begin - _REACH <= post.at <= line.end + _REACH
            ):
                groups.join(number, other)
    members: dict[int, Rules] = defaultdict(lambda: Rules([], []))
    for number, line in enumerate(level):
        members[groups.of(number)].level.append(line)
    for number, post in enumerate(upright, len(level)):
        members[groups.of(number)].upright.append(post)
    grids = [
        Grid(_places(one.upright, one.level), _places(one.level, one.upright)[::-1], one) for one in members.values()
    ]
    return [grid for grid in grids if len(grid.xs) >= _FEWEST_LINES and len(grid.ys) >= _FEWEST_LINES]


class _Groups:
    """Numbers that belong together, and the least of each group (union-find)."""

    def __init__(self, count: int) -> None:
        self._leader = list(range(count))

    def of(self, number: int) -> int:
        while self._leader[number] != number:
            self._leader[number] = self._leader[self._leader[number]]
            number = self._leader[number]
        return number

    def join(self, one: int, other: int) -> None:
        one, other = sorted((self.of(one), self.of(other)))
        self._leader[other] = one


def _joined(rules: Iterable[DrawnRule]) -> list[DrawnRule]:
    """Put pieces together that follow one another on one line."""
    joined: list[DrawnRule] = []
    place: list[DrawnRule] = []
    for rule in sorted(rules):
        if place and rule.at - place[0].at > _SAME:
            joined += _end_to_end(place)
            place = []
        place.append(rule)
    return joined + _end_to_end(place)


def _end_to_end(place: list[DrawnRule]) -> list[DrawnRule]:
    joined: list[DrawnRule] = []
    for rule in sorted(place, key=lambda one: one.begin):
        if joined and rule.begin <= joined[-1].end + _REACH:
            joined[-1] = DrawnRule(joined[-1].at, joined[-1].begin, max(joined[-1].end, rule.end))
        else:
            joined.append(rule)
    return joined


def _places(rules: Sequence[DrawnRule], across: Sequence[DrawnRule]) -> list[float]:
    """Return where lines are, and where those across begin and end: a table may be open at its sides."""
    ends = [end for rule in across for end in (rule.begin, rule.end)] if rules else []
    places: list[float] = []
    for at in sorted([*(rule.at for rule in rules), *(end for end in ends if end in (min(ends), max(ends)))]):
        if not places or at - places[-1] > _SAME:
            places.append(at)
    return places


def table_in(grid: Grid, words: Sequence[Word]) -> PageTable | None:
    """Return the table that a grid is around these words; None where it is a frame, a chart or a form instead."""
    columns, bands = len(grid.xs) - 1, len(grid.ys) - 1
    if columns > _MAX_COLUMNS or columns * bands > _MAX_CELLS:
        return None
    cells: dict[tuple[int, int], list[Word]] = defaultdict(list)
    falling = [-y for y in grid.ys]
    for word in sorted(words):
        if grid.holds(word):
            column = bisect_right(grid.xs, word.centre) - 1
            band = bisect_right(falling, -word.middle) - 1
            cells[band, column].append(word)
    merged = _merged(grid, cells)
    if sum(_has_wide_gap(cell) for cell in merged.values()) > len(merged) * _MOST_GAPS or any(
        len(cell) > _LONGEST_CELL for cell in merged.values()
    ):
        return None
    rows: list[list[list[Word]]] = []
    for band in range(bands):
        row = [merged.get((band, column), []) for column in range(columns)]
        rows += _by_text_lines(row, bands)
    rows = [row for row in rows if any(row)]
    used = [column for column in range(columns) if any(row[column] for row in rows)]
    rows = [[row[column] for column in used] for row in rows]
    filled = sum(bool(cell) for row in rows for cell in row)
    rows_of_cells = sum(sum(map(bool, row)) > 1 for row in rows)
    if rows_of_cells < 2 or filled < _LEAST_FILLED * len(rows) * len(used):  # noqa: PLR2004 one row is a line
        return None
    return PageTable(rows)


def _merged(grid: Grid, cells: dict[tuple[int, int], list[Word]]) -> dict[tuple[int, int], list[Word]]:
    """Put the words of cells with no drawn line between them into the first of these cells."""
    columns, bands = len(grid.xs) - 1, len(grid.ys) - 1
    groups = _Groups(columns * bands)
    right_of, below = _Borders(grid.rules.upright, grid.xs), _Borders(grid.rules.level, grid.ys)
    for band in range(bands):
        y = (grid.ys[band] + grid.ys[band + 1]) / 2
        for column in range(columns):
            x = (grid.xs[column] + grid.xs[column + 1]) / 2
            number = band * columns + column
            if column + 1 < columns and not right_of.has(column + 1, y):
                groups.join(number, number + 1)
            if band + 1 < bands and not below.has(band + 1, x):
                groups.join(number, number + columns)
    merged: dict[tuple[int, int], list[Word]] = defaultdict(list)
    for (band, column), words in cells.items():
        merged[divmod(groups.of(band * columns + column), columns)] += words
    return {place: sorted(words) for place, words in merged.items()}


def _has_wide_gap(cell: Sequence[Word]) -> bool:
    """Say whether the words of a cell are in columns of their own."""
    return any(
        other.left - one.right > (one.top - one.bottom) * _WIDE_GAP and abs(one.middle - other.middle) < _REACH / 2
        for one, other in pairwise(cell)
    )


class _Borders:
    """Says where at each of some places a line is drawn."""

    def __init__(self, rules: Iterable[DrawnRule], places: Sequence[float]) -> None:
        self._at = [[rule for rule in rules if abs(rule.at - place) <= _SAME] for place in places]

    def has(self, place: int, where: float) -> bool:
        return any(rule.begin <= where <= rule.end for rule in self._at[place])


def _by_text_lines(row: list[list[Word]], bands: int) -> list[list[list[Word]]]:
    """Cut a band into rows where it is drawn around many rows: each of its columns has a text at the same heights.

    A cell of some lines next to another of as many looks the same: a band is cut only where there are few bands, or
    many lines.
    """
    heights = [_heights(cell) for cell in row if cell]
    count = max((len(one) for one in heights), default=0)
    same = len(heights) > 1 and all(len(one) == count for one in heights)
    if count < 2 or not same or (bands > _FEW_BANDS and count < _MANY_LINES) or not _level(heights):  # noqa: PLR2004 one line
        return [row]
    lines = heights[0]
    cut: list[list[list[Word]]] = [[[] for _ in row] for _ in lines]
    for column, cell in enumerate(row):
        for word in cell:
            nearest = min(range(count), key=lambda number, y=word.middle: abs(lines[number] - y))  # type: ignore[misc]
            cut[nearest][column].append(word)
    return cut


def _heights(cell: Sequence[Word]) -> list[float]:
    """Return the heights of the text lines in a cell, from the top."""
    heights: list[float] = []
    for word in sorted(cell, key=lambda one: -one.middle):
        if not heights or heights[-1] - word.middle > (word.top - word.bottom) / 2:
            heights.append(word.middle)
    return heights


def _level(heights: Sequence[Sequence[float]]) -> bool:
    return all(abs(one - other) <= _REACH for line in zip(*heights, strict=True) for one, other in pairwise(line))
