"""Tables of prose in XML: those of CALS (DocBook, DITA, patents), of HTML (JATS, DocBook), of DITA and of TEI."""

from __future__ import annotations

from collections.abc import Mapping

from ingest_tui.extraction.markup.light_tables import is_small_enough
from ingest_tui.extraction.markup.literal_text import literal
from ingest_tui.extraction.tables.table import pipe_table

_TABLES = frozenset(("table", "informaltable", "tgroup", "simpletable"))
_ROWS = frozenset(("row", "tr", "strow", "sthead"))
_CELLS = frozenset(("entry", "entrytbl", "td", "th", "stentry", "cell"))
_COLUMNS = frozenset(("colspec", "spanspec", "col", "colgroup", "thead", "tbody", "tfoot"))
TABLE_ELEMENTS = _TABLES | _ROWS | _CELLS | _COLUMNS
_MAX_SPAN = 200


class XmlTable:
    """The table that is being read; `start` and `end` are told of each element, with the lines of the text so far.

    What is in a cell becomes lines first, and is taken from their end when the cell ends. Tables in cells are words
    of them. ``depth``: how many elements are open, this one included.
    """

    def __init__(self) -> None:
        self._rows: list[list[str]] = []
        self._columns: dict[str, int] = {}
        self._rows_below: dict[int, int] = {}
        """Column → in how many further rows a cell of an earlier one is in it."""
        self._cell_depth = self._cell_begins = self._span = self._height = 0

    @property
    def is_in_cell(self) -> bool:
        return self._cell_depth > 0

    def start(self, name: str, attributes: Mapping[str, str], depth: int, lines: list[str]) -> None:
        """Take what an element says of rows, columns and cells."""
        if self.is_in_cell:
            return
        if name in _ROWS:
            self._rows.append([])
        elif name == "colspec":
            self._columns[attributes.get("colname", "")] = min(len(self._columns), _MAX_SPAN)
        elif name in _CELLS and self._rows:
            self._cell_depth, self._cell_begins = depth, len(lines)
            self._height = _number(attributes, "rowspan", "rows") - 1 or _number(attributes, "morerows", usual=0)
            first = self._columns.get(attributes.get("namest", ""), 0)
            last = self._columns.get(attributes.get("nameend", ""), first)
            self._span = max(_number(attributes, "colspan", "cols"), last - first + 1)

    def end(self, name: str, depth: int, lines: list[str]) -> None:
        """Take the cell that ends, or add the table that does to the lines."""
        if self.is_in_cell:
            if depth == self._cell_depth:
                self._end_cell(lines)
        elif name in _TABLES:
            self.close(lines)

    def _end_cell(self, lines: list[str]) -> None:
        cell, row = " ".join(lines[self._cell_begins :]), self._rows[-1]
        del lines[self._cell_begins :]
        self._cell_depth = 0
        while left := self._rows_below.get(len(row), 0):
            self._rows_below[len(row)] = left - 1
            row.append("")
        for column in range(len(row), len(row) + self._span):
            self._rows_below[column] = self._height
        row += [cell, *[""] * (self._span - 1)]

    def close(self, lines: list[str]) -> None:
        """Add the table to the lines, also one whose end is lost; its rows as lines where most of it would be blank."""
        if self.is_in_cell:
            self._end_cell(lines)
        rows = [row for row in self._rows if row]
        self._rows, self._columns, self._rows_below = [], {}, {}
        if is_small_enough(rows, "".join(cell for row in rows for cell in row)):
            table = pipe_table(rows)
        else:
            table = literal("\n".join(" ".join(filter(None, row)) for row in rows))
        lines += ["", table, ""] if table else []


def _number(attributes: Mapping[str, str], *names: str, usual: int = 1) -> int:
    written = next((attributes[name] for name in names if name in attributes), "")
    return min(int(written), _MAX_SPAN) if written.isdecimal() else usual
