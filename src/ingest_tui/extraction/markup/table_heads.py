"""Heads of tables in several rows, for libraries that take the first row for the head: marked before, joined after."""

from __future__ import annotations

import re

from ingest_tui.extraction.tables.header import joined_names
from ingest_tui.model.chunk_pieces import cells_of_row

HEAD_MARK = "\ue0fc"
"""Begins a cell of each row of a head but the first; a character that no font of the world has a meaning for."""
MOST_HEAD_ROWS = 4
_ROW_TOKEN = re.compile(
    r"<!--.*?-->|<(?:(?P<opens>table|thead|tbody|tfoot|tr|t[hd])(?=[\s>/])[^>]*|(?P<closes>/(?:thead|table))\s*)>",
    re.DOTALL | re.IGNORECASE,
)


def with_marked_heads(html: str) -> str:
    """Return a page with a mark in each further row of a head: of those in ``thead``, else those of ``th`` alone."""
    lowered = html.lower()
    if "<th" not in lowered or "<table" not in lowered:
        return html
    marks: list[int] = []
    open_tables: list[_Head] = []
    for token in _ROW_TOKEN.finditer(html):
        name = (token["opens"] or token["closes"] or "").lower()
        if name == "table":
            open_tables.append(_Head())
        elif open_tables and name == "/table":
            marks += open_tables.pop().marks()
        elif open_tables and name:
            open_tables[-1].take(name, token.end())
    for table in open_tables:
        marks += table.marks()
    if not marks:
        return html
    parts: list[str] = []
    at = 0
    for mark in sorted(marks):
        parts += [html[at:mark], HEAD_MARK]
        at = mark
    return "".join((*parts, html[at:]))


class _Head:
    """The rows of a table that may be its head: where the first cell of each begins."""

    def __init__(self) -> None:
        self._first_cells: list[int] = []
        self._is_in_thead = self._is_over = self._is_new_row = False
        self._rows_below = 0

    def take(self, name: str, end: int) -> None:
        """Take a tag that ends there."""
        if name == "tr":
            self._is_new_row = True
            self._rows_below += self._is_over
        elif self._is_over:
            return
        elif name == "thead":
            self._is_in_thead = True
        elif name in ("/thead", "tbody", "tfoot"):
            self._is_over = name == "/thead" or bool(self._first_cells)
        elif self._is_new_row or name == "td":
            self._take_cell(name, end)

    def _take_cell(self, name: str, end: int) -> None:
        if name == "td" and not self._is_in_thead:
            self._is_over = True
            if not self._is_new_row and self._first_cells:  # a row with a heading of its own
                self._first_cells.pop()
            self._rows_below += 1
        elif self._is_new_row:
            self._first_cells.append(end)
        self._is_new_row = False

    def marks(self) -> list[int]:
        """Return where the rows of the head below the first one begin; none where it is the whole table."""
        is_head = self._rows_below and len(self._first_cells) <= MOST_HEAD_ROWS
        return self._first_cells[1:] if is_head else []


def with_joined_heads(markdown: str) -> str:
    """Return markdown in which the marked rows of heads are one with the names above them."""
    if HEAD_MARK not in markdown:
        return markdown
    lines: list[str] = []
    for line in markdown.split("\n"):
        if HEAD_MARK not in line:
            lines.append(line)
        elif line.lstrip("> \t").startswith("|") and len(lines) > 1 and "---" in lines[-1]:
            lines[-2] = _joined_row(lines[-2], line.replace(HEAD_MARK, ""))
        else:
            lines.append(line.replace(HEAD_MARK, ""))
    return "\n".join(lines)


def _joined_row(names: str, further: str) -> str:
    rows = [[cell.text for cell in cells_of_row(row, 0)] for row in (names, further)]
    return f"{names[: names.index('|')]}| {' | '.join(joined_names(rows))} |"
