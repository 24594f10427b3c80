"""Heads of tables in several rows, for libraries that take the first row for the head: marked before, joined after."""

from __future__ import annotations

import re
from html import unescape
from itertools import pairwise

from ingest_tui.extraction.tables.header import joined_names
from ingest_tui.model.chunk_pieces import cells_of_row

HEAD_MARK = "\ue0fc"
"""Begins a cell of each row of a head but the first; a character that no font of the world has a meaning for."""
MOST_HEAD_ROWS = 4
# As in HTML, what is never closed goes to the end of the page; so each part of it is looked at once.
_ROW_TOKEN = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(?:(?P<opens>table|thead|tbody|tfoot|tr|t[hd])(?=[\s>/])(?P<attributes>[^>]*+)|(?P<closes>/(?:thead|table))\s*+)"
    r"(?:>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_TAG = re.compile(r"<[^>]*+(?:>|\Z)")
_SHOWN = re.compile(r"<(?:img|svg|math|object)\b", re.IGNORECASE)
_FIELD = re.compile(r"<(?:input|select|button|textarea)\b", re.IGNORECASE)
_ROW_SPAN = re.compile(r"(?<![\w-])rowspan\s*+=\s*+[\"']?\s*+(\d{1,9})", re.IGNORECASE)


def with_marked_heads(html: str) -> str:
    """Return a page with a mark in each further row of a head: of those in ``thead``, else those of ``th`` alone.

    Outside ``thead``, a row with one text alone is the name of a part of the table; a row of fields is for filters.
    """
    lowered = html.lower()
    if "<th" not in lowered or "<table" not in lowered:
        return html
    marks: list[int] = []
    open_tables: list[_Head] = []
    at = 0
    for token in _ROW_TOKEN.finditer(html):
        name = (token["opens"] or token["closes"] or "").lower()
        if not name or not token[0].endswith(">"):
            continue
        if open_tables:
            open_tables[-1].take_text(html, at, token.start())
        at = token.end()
        if name == "table":
            open_tables.append(_Head())
        elif open_tables and name == "/table":
            marks += open_tables.pop().marks()
        elif open_tables:
            open_tables[-1].take(name, token["attributes"] or "", token.end())
    for table in open_tables:
        marks += table.marks()
    return _with_marks(html, sorted(marks))


def _with_marks(html: str, places: list[int]) -> str:
    parts = [html[start:end] for start, end in pairwise((0, *places, len(html)))]
    return HEAD_MARK.join(parts)


class _Head:
    """The rows of a table that may be its head: where the first cell of each begins."""

    def __init__(self) -> None:
        self._first_cells: list[int] = []
        self._is_in_thead = self._is_over = self._is_new_row = False
        self._rows_below = 0
        self._filled: set[int] = set()
        """Cells of the row that have a text, by their numbers."""
        self._cells = 0
        self._reach = 0
        """How many rows the cells so far reach down."""

    def take_text(self, html: str, start: int, end: int) -> None:
        """Take what is between two tags of the table."""
        if self._is_over or not self._cells:
            return
        text = html[start:end]
        if _SHOWN.search(text) or unescape(_TAG.sub("", text)).strip():
            self._filled.add(self._cells)
        if len(self._first_cells) > 1 and _FIELD.search(text):
            self._first_cells.pop()
            self._is_over = True
            self._rows_below += 1

    def take(self, name: str, attributes: str, end: int) -> None:
        """Take a tag that ends there."""
        if name == "tr":
            self._end_row()
            self._is_new_row = True
            self._rows_below += self._is_over
        elif self._is_over:
            return
        elif name == "thead":
            self._is_in_thead = True
        elif name in ("/thead", "tbody", "tfoot"):
            self._end_row()
            self._is_over = self._is_over or name == "/thead" or bool(self._first_cells)
        elif self._is_new_row or name == "td" or self._cells:
            self._take_cell(name, end)
            self._cells += 1
            if span := _ROW_SPAN.search(attributes):
                self._reach = max(self._reach, len(self._first_cells) + int(span[1]) - 1)

    def _take_cell(self, name: str, end: int) -> None:
        if name == "td" and not self._is_in_thead:
            self._is_over = True
            if not self._is_new_row and self._first_cells:  # a row with a heading of its own
                self._first_cells.pop()
            self._rows_below += 1
        elif self._is_new_row:
            self._first_cells.append(end)
        self._is_new_row = False

    def _end_row(self) -> None:
        """Take the row that ends for no head where it has one text alone, and none of its cells began above it."""
        rows = len(self._first_cells)
        is_part = len(self._filled) < 2 and self._reach < rows  # noqa: PLR2004
        if self._cells and rows > 1 and is_part and not (self._is_over or self._is_in_thead):
            self._first_cells.pop()
            self._is_over = True
            self._rows_below += 1
        self._cells = 0
        self._filled.clear()

    def marks(self) -> list[int]:
        """Return where the rows of the head below the first one begin; none where it is the whole table."""
        self._end_row()
        is_head = self._rows_below and len(self._first_cells) <= MOST_HEAD_ROWS
        return self._first_cells[1:] if is_head else []


def with_joined_heads(markdown: str) -> str:
    """Return markdown in which the marked rows of heads are one with the names above them."""
    if HEAD_MARK not in markdown:
        return markdown
    lines: list[str] = []
    joined = 0
    for line in markdown.split("\n"):
        joined = joined if HEAD_MARK in line else 0
        if HEAD_MARK not in line:
            lines.append(line)
        elif joined < MOST_HEAD_ROWS - 1 and _is_further_row(line) and len(lines) > 1 and "---" in lines[-1]:
            joined += 1
            lines[-2] = _joined_row(lines[-2], line.replace(HEAD_MARK, ""))
        else:
            lines.append(line.replace(HEAD_MARK, ""))
    return "\n".join(lines)


def _is_further_row(line: str) -> bool:
    """Whether a line is a marked row itself; in the text of a cell the mark is of a table within it."""
    return line.lstrip("> \t").startswith("|") and any(
        cell.text.startswith(HEAD_MARK) for cell in cells_of_row(line, 0)
    )


def _joined_row(names: str, further: str) -> str:
    rows = [[cell.text for cell in cells_of_row(row, 0)] for row in (names, further)]
    return f"{names[: names.index('|')]}| {' | '.join(joined_names(rows))} |"
