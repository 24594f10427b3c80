"""Tables of AsciiDoc, between their two edges."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ingest_tui.extraction.markup.light_tables import (
    MAX_DRAWN_COLUMNS,
    FoundTable,
    cell_text,
    csv_rows,
    most_cells,
    shown_table,
)
from ingest_tui.extraction.markup.literal_text import literal

_ASCIIDOC_EDGE = re.compile(r"([|,:])={3,}[ \t]*\Z")
_ASCIIDOC_CELL = re.compile(
    r"(?:(?:^|(?<=[ \t\n]))(?:(\d{1,2})(\*)|(\d{1,2})?(?:\.(\d{1,2}))?\+)?[<^>]?(?:\.[<^>])?[aehlmdsv]?)?(?<!\\)\|"
)
_ASCIIDOC_FORMAT = re.compile(r"format[ \t]*=[ \t]*\"?(\w+)")
_ASCIIDOC_SEPARATOR = re.compile(r"separator[ \t]*=[ \t]*\"?([^\s\",\]]+)")
_ASCIIDOC_COLUMNS = re.compile(r"cols[ \t]*=[ \t]*(?:\"([^\"]*)\"|([^\],]*))")
_ASCIIDOC_DELIMITERS = {"tsv": "\t", "dsv": ":"}


def asciidoc_table(lines: Sequence[str], at: int, attributes: str) -> FoundTable | None:
    """Return the table between two edges; ``attributes`` is the line in brackets above it."""
    edge = _ASCIIDOC_EDGE.match(lines[at])
    if edge is None:
        return None
    closing = lines[at].rstrip()
    end = next((number for number in range(at + 1, len(lines)) if lines[number].rstrip() == closing), 0)
    if not end:
        return None
    body = lines[at + 1 : end]
    written = literal("\n".join(lines[at : end + 1]))
    form = _ASCIIDOC_FORMAT.search(attributes)
    separator = _ASCIIDOC_SEPARATOR.search(attributes)
    kind = form[1] if form else {",": "csv", ":": "dsv"}.get(edge[1], "psv")
    if kind != "psv":
        rows = csv_rows(body, separator[1][:1] if separator else _ASCIIDOC_DELIMITERS.get(kind, ","))
    elif separator:  # its own sign between cells, which few tables have
        rows = []
    else:
        rows = _asciidoc_rows(body, _columns_of(attributes))
    return FoundTable(end + 1, (shown_table(rows, body, _ASCIIDOC_CELL) if rows else "") or written)


def _columns_of(attributes: str) -> int:
    match = _ASCIIDOC_COLUMNS.search(attributes)
    written = (match[1] or match[2] or "") if match else ""
    repeated = (re.match(r"[ \t]*(\d{1,2})\*", one) for one in written.split(",")) if written.strip() else ()
    return min(sum(int(one[1]) if one else 1 for one in repeated), MAX_DRAWN_COLUMNS)


def _asciidoc_rows(body: Sequence[str], width: int) -> list[list[str]]:
    """Return the cells in rows: as many to a row as there are columns, those that span several once.

    A text above the first cell is one, as for Asciidoctor. Nothing where spans make more cells than anybody writes.
    """
    text = "\n".join(body).strip()
    if not _ASCIIDOC_CELL.match(text):
        text = f"|{text}"
    if not width:
        width = sum(_times(one[1] or one[3]) for one in _ASCIIDOC_CELL.finditer(text.partition("\n")[0]))
    marks = list(_ASCIIDOC_CELL.finditer(text))
    made = sum(_times(mark[1]) * _times(mark[4]) * min(_times(mark[3]), width) for mark in marks)
    if width > MAX_DRAWN_COLUMNS or made > most_cells(text):
        return []
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    grid: dict[tuple[int, int], str] = {}
    row = column = 0
    for mark, end in zip(marks, ends, strict=True):
        content = cell_text(text[mark.end() : end].replace("\\|", "|"))
        for _copy in range(_times(mark[1])):
            while (row, column) in grid:
                row, column = _next_place(row, column, width)
            for below in range(_times(mark[4])):
                for right in range(min(_times(mark[3]), width - column)):
                    grid[row + below, column + right] = content if not below and not right else ""
    height = max(place[0] for place in grid) + 1
    return [[grid.get((number, place), "") for place in range(width)] for number in range(height)]


def _times(written: str | None) -> int:
    return max(int(written or 1), 1)


def _next_place(row: int, column: int, width: int) -> tuple[int, int]:
    return (row, column + 1) if column + 1 < width else (row + 1, 0)
