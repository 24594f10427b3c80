"""Tables of reStructuredText, looked for where one may begin: by the lines of a text and the number of one of them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from textwrap import dedent
from unicodedata import combining, east_asian_width

from ingest_tui.extraction.markup.light_tables import MAX_DRAWN_COLUMNS, FoundTable, cell_text, csv_rows, shown_table
from ingest_tui.extraction.markup.literal_text import literal

_GRID_BORDER = re.compile(r"[ \t]*\+(?:[-=]+\+)+[ \t]*\Z")
_ON_EDGE = ("|", "+")
_ON_RULE = ("+", "-", "=")
_GRID_LINE = re.compile(r"[ \t]*[|+].*[|+][ \t]*\Z")
_SIMPLE_BORDER = re.compile(r"[ \t]*=+(?:[ ]+=+)+[ \t]*\Z")
_SIMPLE_SPANS = re.compile(r"[ \t]*-+(?:[ ]+-+)*[ \t]*\Z")
_DIRECTIVE = re.compile(r"([ \t]*)\.\. (list-table|csv-table|table)::[ \t]*(.*)\Z")
_OPTION = re.compile(r"[ \t]*:([\w-]{1,40}):[ \t]*(.*)\Z")
_LIST_ROW = re.compile(r"[*+-](?:[ \t]+([*+-])(?:[ \t]+(.*))?)?[ \t]*\Z")
_DELIMITERS = {"tab": "\t", "space": " "}
_LIST_CELL = re.compile(r"[ \t]+([*+-])(?:[ \t]+(.*))?\Z")


def rst_table(lines: Sequence[str], at: int, ends: Sequence[int]) -> FoundTable | None:
    """Return a grid table, a simple table, or what a directive of tables makes (docutils, Tables).

    ``ends`` is what `simple_ends` returns of these lines.
    """
    directive = _DIRECTIVE.match(lines[at])
    return _of_directive(lines, at, directive) if directive else _drawn(lines, at, ends)


def simple_ends(lines: Sequence[str]) -> list[int]:
    """Return the numbers of the lines with which a simple table may end: a border with nothing below it."""
    return [
        number
        for number, line in enumerate(lines)
        if _SIMPLE_BORDER.match(line) and (number + 1 == len(lines) or not lines[number + 1].strip())
    ]


def _drawn(lines: Sequence[str], at: int, ends: Sequence[int]) -> FoundTable | None:
    if _GRID_BORDER.match(lines[at]):
        return _grid(lines, at)
    following = bisect_right(ends, at)
    if following < len(ends) and _SIMPLE_BORDER.match(lines[at]):
        return _simple(lines, at, ends[following] + 1)
    return None


def _grid(lines: Sequence[str], at: int) -> FoundTable:
    """Return a grid table; one whose edges are not below each other as its lines, since text could be on an edge."""
    end = at
    while end < len(lines) and _GRID_LINE.match(lines[end]):
        end += 1
    width = len(lines[at].strip())
    grid = [_fitted(line, width) for line in lines[at:end]]
    edges = sorted({place for line in grid if line[0] == "+" for place, sign in enumerate(line) if sign == "+"})
    found: tuple[list[list[str]], int] | None = None
    if (
        _GRID_BORDER.match(lines[end - 1])
        and all(len(line) == width for line in grid)
        and len(edges) <= MAX_DRAWN_COLUMNS
    ):
        found = _grid_rows(grid, edges)
    written = lines[at:end]
    if found is None:
        return FoundTable(end, literal("\n".join(written)))
    rows, heads = found
    return FoundTable(end, shown_table(rows, written, head_rows=heads))


def _fitted(line: str, width: int) -> list[str]:
    """Return the columns of a line; marks of letters are some of their own where only that makes it as wide."""
    line = line.expandtabs(8).strip()
    places = _by_columns(line)
    return places if len(places) == width else _by_columns(line, marks_are_columns=True)


def _grid_rows(grid: Sequence[list[str]], edges: Sequence[int]) -> tuple[list[list[str]], int] | None:
    """Return the rows between the rules, and how many are above a rule that is of ``=`` as a whole.

    None where a line of one has an edge that another line has not.
    """
    rows: list[list[str]] = []
    heads = 1
    cells: list[list[str]] = [[] for _ in edges[1:]]
    edges_of_row: list[bool] = []
    for line in grid:
        parts = ["".join(line[left + 1 : right]) for left, right in pairwise(edges)]
        is_rule = [
            bool(part) and not part.strip("-=+") and line[left] in _ON_RULE and line[right] in _ON_RULE
            for part, (left, right) in zip(parts, pairwise(edges), strict=True)
        ]
        if any(is_rule):
            row = [cell_text("".join(cell)) for cell in cells]
            rows += [row] if any(row) else []
            heads = len(rows) if "=" in line and not "".join(line).strip("=+") else heads
            cells = [[] for _ in parts]
            edges_of_row = []
        else:
            found = [line[edge] in _ON_EDGE for edge in edges]
            if edges_of_row and found != edges_of_row:
                return None
            edges_of_row = found
        own = 0
        for number, (part, rule) in enumerate(zip(parts, is_rule, strict=True)):
            goes_on = bool(number) and not rule and line[edges[number]] not in _ON_EDGE
            own = own if goes_on else number
            if not rule:
                cells[own] += [line[edges[number]] if goes_on else "\n", part]
    return rows, heads


def _simple(lines: Sequence[str], at: int, end: int) -> FoundTable:
    columns = [match.start() for match in re.finditer("=+", lines[at].expandtabs(8))]
    written = lines[at:end]
    if len(columns) > MAX_DRAWN_COLUMNS:
        return FoundTable(end, literal("\n".join(written)))
    rows: list[list[list[str]]] = []
    heads = 1
    for line in written[:-1]:
        if rows and _SIMPLE_BORDER.match(line):
            heads = len(rows)
        if not line.strip() or _SIMPLE_BORDER.match(line) or _SIMPLE_SPANS.match(line):
            continue
        cells = [cell_text(part) for part in _at_columns(_by_columns(line.expandtabs(8)), columns)]
        if cells[0] or not rows:
            rows.append([[] for _ in columns])
        for parts, cell in zip(rows[-1], cells, strict=True):
            parts.extend([cell] if cell not in ("", "\\") else [])
    return FoundTable(end, shown_table([[" ".join(parts) for parts in row] for row in rows], written, head_rows=heads))


def _by_columns(line: str, *, marks_are_columns: bool = False) -> list[str]:
    """Return what is in each column of a terminal: a wide character is in two, marks are where their letter is."""
    if line.isascii():
        return list(line)
    places: list[str] = []
    for character in line:
        if places and combining(character) and not marks_are_columns:
            places[-1] += character
        else:
            places += [character, ""] if east_asian_width(character) in "WF" else [character]
    return places


def _at_columns(line: list[str], columns: Sequence[int]) -> list[str]:
    """Return a line cut where columns begin; a text that goes on over the gap before a column stays in its own."""
    cells = [""] * len(columns)
    own = 0
    for number, start in enumerate(columns):
        if not number or line[start - 1 : start] in ([" "], []):
            own = number
        until = columns[number + 1] if number + 1 < len(columns) else len(line)
        cells[own] += "".join(line[start if number else 0 : until])
    return cells


def _of_directive(lines: Sequence[str], at: int, directive: re.Match[str]) -> FoundTable | None:
    indent = len(directive[1])
    end = at + 1
    while end < len(lines) and (not lines[end].strip() or len(lines[end]) - len(lines[end].lstrip()) > indent):
        end += 1
    title, options, body = _parts(directive[3], dedent("\n".join(lines[at + 1 : end])).split("\n"))
    if directive[2] == "list-table":
        found = shown_table(_list_rows(body), body, head_rows=_head_rows(options))
    elif directive[2] == "csv-table":
        header = csv_rows(options.get("header", "").split("\n"), ",", escape="\\")
        rows = header + _csv_rows(options, body)
        found = shown_table(rows, body, head_rows=len(header) + _head_rows(options))
    else:
        start = next((number for number, line in enumerate(body) if line.strip()), len(body))
        inner = _drawn(body, start, simple_ends(body)) if start < len(body) else None
        below = literal("\n".join(body[inner.end :]).strip("\n")) if inner else ""
        found = "\n\n".join(filter(None, (inner.markdown, below))) if inner else ""
    return FoundTable(end, "\n\n".join(filter(None, (literal(title), found)))) if found else None


def _parts(title: str, body: list[str]) -> tuple[str, dict[str, str], list[str]]:
    """Return the title of a directive, its options and its content; title and options may go on over further lines."""
    first = next((at for at, line in enumerate(body) if not line.strip() or _OPTION.match(line)), len(body))
    first = first if title.strip() and any(line.strip() for line in body[first:]) else 0
    whole_title = " ".join((title, *body[:first])).strip()
    options: dict[str, str] = {}
    name = ""
    while first < len(body) and body[first].strip():
        if option := _OPTION.match(body[first]):
            name, options[option[1]] = option[1], option[2]
        elif name and body[first].startswith((" ", "\t")):
            options[name] += f"\n{body[first].strip()}"
        else:
            break
        first += 1
    return whole_title, options, body[first:]


def _head_rows(options: dict[str, str]) -> int:
    written = options.get("header-rows", "").strip()
    return int(written) if written.isdecimal() else 0


def _csv_rows(options: dict[str, str], body: Iterable[str]) -> list[list[str]]:
    """Return the rows below those of the option ``header``, which has a form of its own (docutils, csv-table)."""
    delimiter = _DELIMITERS.get(options.get("delim", ""), options.get("delim", "") or ",")[:1]
    quote, escape = options.get("quote", "")[:1] or '"', options.get("escape", "")[:1] or None
    return csv_rows(body, delimiter, quote, escape)


def _list_rows(body: Iterable[str]) -> list[list[str]]:
    """Return the items of a list of lists; what is indented further belongs to the item above.

    Nothing where a text is above the first item.
    """
    rows: list[list[list[str]]] = []
    indent = 0
    for line in body:
        cell = _LIST_CELL.match(line) if rows else None
        if row := _LIST_ROW.match(line):
            indent = row.start(1)
            rows.append([[row[2] or ""]] if row[1] else [])
        elif cell and (cell.start(1) == indent or not rows[-1]):
            indent = cell.start(1)
            rows[-1].append([cell[2] or ""])
        elif rows and rows[-1]:
            rows[-1][-1].append(line)
        elif line.strip():
            return []
    return [[cell_text(" ".join(lines)) for lines in row] for row in rows]
