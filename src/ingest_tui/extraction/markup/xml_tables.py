"""Tables of prose in XML: those of CALS (DocBook, DITA, patents), of HTML (JATS, DocBook), of DITA and of TEI."""

from __future__ import annotations

from collections.abc import Mapping

from ingest_tui.extraction.markup.light_tables import is_small_enough
from ingest_tui.extraction.markup.literal_text import literal
from ingest_tui.extraction.tables.table import pipe_table

_TABLES = frozenset(("table", "informaltable", "tgroup", "simpletable"))
_ROWS = frozenset(("row", "tr", "strow", "sthead"))
_CELLS = frozenset(("entry", "entrytbl", "td", "th", "stentry", "cell"))
_COLUMNS = frozenset(("colspec", "spanspec", "col", "colgroup"))
_PARTS = frozenset(("thead", "tbody", "tfoot"))
TABLE_ELEMENTS = _TABLES | _ROWS | _CELLS | _COLUMNS | _PARTS
_MAX_SPAN = 200


class XmlTable:
    """The table that is being read; `start` and `end` are told of each element, with the lines of the text so far.

    What is in a cell becomes lines first, and is taken from their end when the cell ends. Tables in cells are words
    of them. ``depth``: how many elements are open, this one included.
    """

    def __init__(self) -> None:
        self._rows: list[list[str]] = []
        self._head_rows = 0
        self._columns: dict[str, int] = {}
        self._spans: dict[str, tuple[str, str]] = {}
        self._next_column = 0
        self._taken: dict[int, int] = {}
        """Column → how many rows, counted from the first, the cell that began in it reaches down to."""
        self._cell_depth = self._cell_begins = self._column = self._span = self._height = 0

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
            self._name_column(attributes)
        elif name == "spanspec":
            self._spans[attributes.get("spanname", "")] = (attributes.get("namest", ""), attributes.get("nameend", ""))
        elif name in _PARTS:
            self._next_column = 0
            self._taken = {}  # no cell reaches into the next part
        elif name in _CELLS and self._rows:
            self._cell_depth, self._cell_begins = depth, len(lines)
            self._height = _number(attributes, "rowspan", "rows") - 1 or _number(attributes, "morerows", usual=0)
            first, end = self._spans.get(attributes.get("spanname", ""), ("", ""))
            self._column = self._columns.get(attributes.get("namest", first) or attributes.get("colname", ""), 0)
            last = self._columns.get(attributes.get("nameend", end), self._column)
            self._span = max(_number(attributes, "colspan", "cols"), last - self._column + 1)

    def _name_column(self, attributes: Mapping[str, str]) -> None:
        column = min(max(_number(attributes, "colnum", usual=self._next_column + 1), 1) - 1, _MAX_SPAN)
        self._next_column = column + 1
        if "colname" in attributes:
            self._columns[attributes["colname"]] = column

    def end(self, name: str, depth: int, lines: list[str]) -> None:
        """Take the cell that ends, or add the table that does to the lines."""
        if self.is_in_cell:
            if depth == self._cell_depth:
                self._end_cell(lines)
        elif name == "thead":
            self._head_rows = len(self._rows)
        elif name in _TABLES:
            self.close(lines)

    def _end_cell(self, lines: list[str]) -> None:
        cell, row = " ".join(lines[self._cell_begins :]), self._rows[-1]
        del lines[self._cell_begins :]
        self._cell_depth = 0
        row += [""] * (self._column - len(row))
        while self._taken.get(len(row), 0) >= len(self._rows):
            row.append("")
        for column in range(len(row), len(row) + self._span):
            self._taken[column] = len(self._rows) + self._height
        row += [cell, *[""] * (self._span - 1)]

    def close(self, lines: list[str]) -> None:
        """Add the table to the lines, also one whose end is lost; its rows as lines where most of it would be blank."""
        if self.is_in_cell:
            self._end_cell(lines)
        rows = [row for row in self._rows if row]
        heads = sum(map(bool, self._rows[: self._head_rows]))
        self._rows, self._columns, self._next_column, self._taken = [], {}, 0, {}
        self._head_rows, self._spans = 0, {}
        if is_small_enough(rows, "".join(cell for row in rows for cell in row)):
            table = pipe_table(rows, heads)
        else:
            table = literal("\n".join(" ".join(filter(None, row)) for row in rows))
        lines += ["", table, ""] if table else []


def _number(attributes: Mapping[str, str], *names: str, usual: int = 1) -> int:
    written = next((attributes[name] for name in names if name in attributes), "")
    return min(int(written), _MAX_SPAN) if written.isdecimal() else usual
