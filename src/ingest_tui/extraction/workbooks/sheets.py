"""What every reader of sheets gives: cells by row and column, and what is written around them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ingest_tui.extraction.markup.literal_text import literal
from ingest_tui.model.counted import counted
from ingest_tui.model.errors import ItemRejectedError

MAX_CELLS = 20_000_000
"""Cells between the first and the last used one: a lone cell in the far corner makes a table of 17 billion."""

CellAddress = tuple[int, int]
"""Row and column of a cell, both from 0."""
ERRORS = {
    0: "#NULL!",
    7: "#DIV/0!",
    15: "#VALUE!",
    23: "#REF!",
    29: "#NAME?",
    36: "#NUM!",
    42: "#N/A",
    43: "#GETTING_DATA",
}
"""Error values by their code in binary workbooks ([MS-XLS] 2.5.10)."""


@dataclass(frozen=True, slots=True)
class SheetDescription:
    """A sheet in the list of a workbook, with the words of calamine: ``WorkSheet`` or ``MacroSheet``, ``Visible``, …"""

    name: str
    typ: str = "WorkSheet"
    visible: str = "Visible"


@dataclass(slots=True)
class Sheet:
    """A sheet. ``cells`` are all of its cells, or those only that are shown otherwise than their plain value.

    ``merged`` are ranges from the first to the last cell; ``notes`` the comments with the cell they belong to;
    ``texts`` what text boxes, charts and headers say.
    """

    name: str
    cells: dict[CellAddress, Any] = field(default_factory=dict)
    merged: list[tuple[CellAddress, CellAddress]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def add_notes(self, place: CellAddress, notes: list[str]) -> None:
        """Add the comments of one cell."""
        self.notes += [(place_name(place), note) for note in notes if note.strip()]

    def start(self) -> CellAddress:
        """Return the place of the first cell of `rows`."""
        return min((row for row, _column in self.cells), default=0), min(
            (column for _row, column in self.cells), default=0
        )

    def rows(self) -> list[list[Any]]:
        """Return the cells as rows of equal width. Raises `ItemRejectedError` (``too_large``)."""
        if not self.cells:
            return []
        first_row, last_row = min(row for row, _column in self.cells), max(row for row, _column in self.cells)
        first, last = min(column for _row, column in self.cells), max(column for _row, column in self.cells)
        height, width = last_row - first_row + 1, last - first + 1
        check_size(self.name, height, width)
        rows: list[list[Any]] = [[""] * width for _row in range(height)]
        for (row, column), value in self.cells.items():
            rows[row - first_row][column - first] = value
        return rows


def check_size(name: str, height: int, width: int) -> None:
    """Raise `ItemRejectedError` (``too_large``) for a sheet that spans too many cells."""
    if height * width > MAX_CELLS:
        raise ItemRejectedError(
            f"the sheet {name[:60]!r} spans {counted(height, 'row')} by {counted(width, 'column')}",
            code="too_large",
            hint="delete the far-off cells and save it again",
        )


def overlay(rows: list[list[Any]], start: CellAddress, sheet: Sheet) -> None:
    """Put the cells of a sheet over rows whose first cell is at ``start``; a blank one gives way to nothing."""
    first_row, first_column = start
    for (row, column), value in sheet.cells.items():
        if 0 <= row - first_row < len(rows) and 0 <= column - first_column < len(rows[row - first_row]):
            rows[row - first_row][column - first_column] = value


def repeat_merged_headers(
    rows: list[list[Any]], start: CellAddress, merged: list[tuple[CellAddress, CellAddress]]
) -> None:
    """Write the value of a merged cell into each of its cells, as far as the header goes.

    The header is taken to go on as long as rows at the top have cells merged across columns. A title that alone
    fills its row is left as it is.
    """
    across: dict[int, list[tuple[CellAddress, CellAddress]]] = {}
    for first, last in merged:
        if last[1] > first[1]:
            across.setdefault(first[0] - start[0], []).append((first, last))
    at = 0
    while at < len(rows) and _filled(rows[at]) <= 1:
        at += 1
    while at < len(rows) and at in across:
        for begin, end in across[at]:
            left, right = max(begin[1] - start[1], 0), min(end[1] - start[1], len(rows[at]) - 1)
            if left < len(rows[at]):
                rows[at][left : right + 1] = [rows[at][left]] * (right + 1 - left)
        at += 1


def _filled(row: list[Any]) -> int:
    return sum(1 for cell in row if cell not in ("", None))


def describe_surroundings(sheet: Sheet) -> str:
    """Return the notes and texts of a sheet as markdown; nothing where there are none."""
    parts: list[str] = []
    if sheet.notes:
        parts.append("### Comments\n\n" + "\n".join(f"- {place}: {_one_line(text)}" for place, text in sheet.notes))
    if sheet.texts:
        parts.append("### Other text\n\n" + "\n\n".join(literal(_one_line(text)) for text in sheet.texts))
    return "\n\n".join(parts)


def _one_line(text: str) -> str:
    return " ".join(text.split())


@lru_cache(maxsize=1024)
def column_index(letters: str) -> int:
    """Return the column of ``A`` (0), ``AA`` (26), …"""
    index = 0
    for letter in letters.upper():
        index = index * 26 + ord(letter) - 64
    return index - 1


def place_name(place: CellAddress) -> str:
    """Return the name of a cell, such as ``B3``."""
    row, column = place
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row + 1}"
