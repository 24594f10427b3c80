"""Tables of light markup languages as rows of cells: what is below each other in them becomes a table as any other.

A table is looked for where one may begin: by the lines of a text and the number of one of them.
"""

from __future__ import annotations

import csv
import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from textwrap import dedent
from typing import NamedTuple
from unicodedata import east_asian_width

from ingest_tui.extraction.markup.literal_text import literal
from ingest_tui.extraction.tables.table import pipe_table

_WIDE = "\ue000"
_GRID_BORDER = re.compile(r"[ \t]*\+(?:[-=]+\+)+[ \t]*\Z")
_GRID_LINE = re.compile(r"[ \t]*[|+].*[|+][ \t]*\Z")
_SIMPLE_BORDER = re.compile(r"[ \t]*=+(?:[ ]+=+)+[ \t]*\Z")
_SIMPLE_SPANS = re.compile(r"[ \t]*-+(?:[ ]+-+)*[ \t]*\Z")
_DIRECTIVE = re.compile(r"([ \t]*)\.\. (list-table|csv-table|table)::[ \t]*(.*)\Z")
_OPTION = re.compile(r"[ \t]*:([\w-]{1,40}):[ \t]*(.*)\Z")
_LIST_ROW = re.compile(r"[*+-][ \t]+([*+-])(?:[ \t]+(.*))?\Z")
_LIST_CELL = re.compile(r"[ \t]+([*+-])(?:[ \t]+(.*))?\Z")
_DELIMITERS = {"tab": "\t", "space": " "}
_ORG_RULE = re.compile(r"[ \t]*\|[-+]+\|?[ \t]*\Z")
_ORG_WIDTHS = re.compile(r"(?:<[lrc]?\d*>)?\Z")
_ASCIIDOC_EDGE = re.compile(r"([|,:])={3,}[ \t]*\Z")
_ASCIIDOC_CELL = re.compile(
    r"(?:^|(?<=[ \t\n]))(?:(\d{1,2})(\*)|(\d{1,2})?(?:\.(\d{1,2}))?\+)?[<^>]?(?:\.[<^>])?[aehlmdsv]?(?<!\\)\|"
)
_ASCIIDOC_COLUMNS = re.compile(r"cols[ \t]*=[ \t]*(?:\"([^\"]*)\"|([^\],]*))")
_MAX_COLUMNS = 200
_TABULAR = re.compile(
    r"\\begin\{(tabular[xy*]?|longtable|tabulary|array)\}(?:\[[^\]\n]*\])?(?:\{[^{}]*\}(?=\{))?"
    r"\{(?>(?:[^{}]++|\{(?>(?:[^{}]++|\{[^{}]*\})*)\})*)\}"
)
_LATEX_RULE = re.compile(
    r"\\(?:hline|toprule|midrule|bottomrule|endhead|endfirsthead|endfoot|endlastfoot|centering|cline\{[^{}]*\}"
    r"|(?:cmidrule|specialrule|addlinespace)(?:\([^)]*\))?(?:\[[^\]]*\])?(?:\{[^{}]*\})*)"
)
_LATEX_SPAN = re.compile(r"\\multi(column|row)\{(\d{1,2})\}\{(?:[^{}]|\{[^{}]*\})*\}")
_LATEX_ROW_END = re.compile(r"\\\\(?:\*)?(?:\[[^\]]*\])?|\\tabularnewline\b")
_LATEX_COMMENT = re.compile(r"(?<!\\)%.*")
_LATEX_COMMAND = re.compile(r"\\[A-Za-z]+\*?[ \t]*|(?<!\\)[{}~]")


class FoundTable(NamedTuple):
    """A table: the line after its last one, and its markdown, below its title where it has one."""

    end: int
    markdown: str


def _by_columns(line: str) -> str:
    """Return a line in which each place is one column of a terminal: wide characters are followed by a filler."""
    return line if line.isascii() else "".join(c + _WIDE * (east_asian_width(c) in "WF") for c in line)


def _cell(text: str) -> str:
    return " ".join(text.replace(_WIDE, "").split())


# --- reStructuredText ---


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
    end = at
    while end < len(lines) and _GRID_LINE.match(lines[end]):
        end += 1
    grid = [_by_columns(line.strip()) for line in lines[at:end]]
    edges = sorted({place for line in grid if line[0] == "+" for place, sign in enumerate(line) if sign == "+"})
    rows: list[list[str]] = []
    cells = [""] * (len(edges) - 1)
    for line in grid:
        parts = [line[left + 1 : right] for left, right in pairwise(edges)]
        is_rule = [bool(part) and not part.strip("-=+") for part in parts]
        if any(is_rule) and line[0] in "+|":
            rows += [cells] if any(cell.strip() for cell in cells) else []
            cells = [""] * len(parts)
        for number, (part, rule) in enumerate(zip(parts, is_rule, strict=True)):
            if rule:
                continue
            goes_on = number and line[edges[number] : edges[number] + 1] not in ("|", "+", "")
            own = number if not goes_on else next((n for n in range(number - 1, -1, -1) if cells[n]), 0)
            cells[own] += (line[edges[number]] if goes_on else "\n") + part
    return FoundTable(end, pipe_table([[_cell(cell) for cell in row] for row in rows]) if rows else "")


def _simple(lines: Sequence[str], at: int, end: int) -> FoundTable:
    columns = [match.start() for match in re.finditer("=+", lines[at])]
    rows: list[list[str]] = []
    for line in lines[at + 1 : end]:
        if not line.strip() or _SIMPLE_BORDER.match(line) or _SIMPLE_SPANS.match(line):
            continue
        cells = [_cell(part) for part in _at_columns(_by_columns(line), columns)]
        if not cells[0] and rows:
            rows[-1] = [f"{above} {below}".strip() for above, below in zip(rows[-1], cells, strict=True)]
        else:
            rows.append(["" if cell == "\\" else cell for cell in cells])
    return FoundTable(end, pipe_table(rows) if rows else "")


def _at_columns(line: str, columns: Sequence[int]) -> list[str]:
    """Return a line cut where columns begin; a text that goes on over the gap before a column stays in its own."""
    cells = [""] * len(columns)
    own = 0
    for number, start in enumerate(columns):
        if not number or line[start - 1 : start] in (" ", ""):
            own = number
        until = columns[number + 1] if number + 1 < len(columns) else len(line)
        cells[own] += line[start:until]
    return cells


def _of_directive(lines: Sequence[str], at: int, directive: re.Match[str]) -> FoundTable | None:
    indent = len(directive[1])
    end = at + 1
    while end < len(lines) and (not lines[end].strip() or len(lines[end]) - len(lines[end].lstrip()) > indent):
        end += 1
    body = dedent("\n".join(lines[at + 1 : end])).split("\n")
    options: dict[str, str] = {}
    first = 0
    while first < len(body) and (option := _OPTION.match(body[first])):
        options[option[1]] = option[2]
        first += 1
    body = body[first:]
    if directive[2] == "list-table":
        found = pipe_table(_list_rows(body))
    elif directive[2] == "csv-table":
        found = pipe_table(_csv_rows(options, body))
    else:
        start = next((number for number, line in enumerate(body) if line.strip()), len(body))
        inner = _drawn(body, start, simple_ends(body)) if start < len(body) else None
        found = inner.markdown if inner else ""
    return FoundTable(end, "\n\n".join(filter(None, (literal(directive[3].strip()), found)))) if found else None


def _list_rows(body: Iterable[str]) -> list[list[str]]:
    """Return the items of a list of lists; what is indented further belongs to the item above."""
    rows: list[list[str]] = []
    indent = 0
    for line in body:
        if row := _LIST_ROW.match(line):
            indent = row.start(1)
            rows.append([row[2] or ""])
        elif rows and (cell := _LIST_CELL.match(line)) and cell.start(1) == indent:
            rows[-1].append(cell[2] or "")
        elif rows and line.strip():
            rows[-1][-1] = f"{rows[-1][-1]} {line.strip()}".strip()
    return rows


def _csv_rows(options: dict[str, str], body: Iterable[str]) -> list[list[str]]:
    delimiter = _DELIMITERS.get(options.get("delim", ""), options.get("delim", "") or ",")[:1]
    quote = options.get("quote", "")[:1] or '"'
    lines = [one for one in (options.get("header", ""), *body) if one.strip()]
    try:
        rows = csv.reader(lines, delimiter=delimiter, quotechar=quote, skipinitialspace=True)
        return [[_cell(cell) for cell in row] for row in rows]
    except (csv.Error, TypeError, ValueError):
        return [[_cell(line)] for line in lines]


# --- Org ---


def org_table(lines: Sequence[str], at: int) -> FoundTable:
    """Return the table that begins with a line of cells; rules and widths of columns are no rows of it."""
    end = at
    while end < len(lines) and lines[end].lstrip().startswith("|"):
        end += 1
    rows = [
        [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]
        for line in lines[at:end]
        if not _ORG_RULE.match(line)
    ]
    rows = [row for row in rows if not all(_ORG_WIDTHS.match(cell) for cell in row)]
    return FoundTable(end, pipe_table(rows) if rows else "")


# --- AsciiDoc ---


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
    if edge[1] != "|" or "format" in attributes:
        is_dsv = edge[1] == ":" or "dsv" in attributes
        rows = _csv_rows({"delim": ":" if is_dsv else "tab" if "tsv" in attributes else ","}, body)
    else:
        rows = _asciidoc_rows(body, _columns_of(attributes))
    found = pipe_table(rows) if rows else ""
    return FoundTable(end + 1, found) if found else None


def _columns_of(attributes: str) -> int:
    match = _ASCIIDOC_COLUMNS.search(attributes)
    written = (match[1] or match[2] or "") if match else ""
    repeated = (re.match(r"[ \t]*(\d{1,2})\*", one) for one in written.split(",")) if written.strip() else ()
    return min(sum(int(one[1]) if one else 1 for one in repeated), _MAX_COLUMNS)


def _asciidoc_rows(body: Sequence[str], width: int) -> list[list[str]]:
    """Return the cells in rows: as many to a row as there are columns, those that span several once."""
    if not width:
        first = next((line for line in body if line.strip()), "")
        width = sum(int(one[1] or one[3] or 1) for one in _ASCIIDOC_CELL.finditer(first))
    text = "\n".join(body)
    marks = list(_ASCIIDOC_CELL.finditer(text))
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    grid: dict[tuple[int, int], str] = {}
    row = column = 0
    for mark, end in zip(marks, ends, strict=False):
        content = _cell(text[mark.end() : end].replace("\\|", "|"))
        for _copy in range(int(mark[1] or 1)):
            while (row, column) in grid:
                row, column = _next_place(row, column, max(width, 1))
            for below in range(int(mark[4] or 1)):
                for right in range(min(int(mark[3] or 1), max(width, 1) - column)):
                    grid[row + below, column + right] = content if not below and not right else ""
    height = max((place[0] for place in grid), default=-1) + 1
    return [[grid.get((number, place), "") for place in range(max(width, 1))] for number in range(height)]


def _next_place(row: int, column: int, width: int) -> tuple[int, int]:
    return (row, column + 1) if column + 1 < width else (row + 1, 0)


# --- LaTeX ---


def split_at_tabulars(text: str) -> list[tuple[str, str]]:
    """Return what is before each table of a text with the table, and what is after the last one with none."""
    parts: list[tuple[str, str]] = []
    never_closed: set[str] = set()
    at = 0
    for begin in _TABULAR.finditer(text):
        closing = f"\\end{{{begin[1]}}}"
        if begin.start() < at or closing in never_closed:
            continue
        end = text.find(closing, begin.end())
        if end < 0:
            never_closed.add(closing)
        elif found := pipe_table(_tabular_rows(text[begin.end() : end])):
            parts.append((text[at : begin.start()], found))
            at = end + len(closing)
    return [*parts, (text[at:], "")]


def _tabular_rows(body: str) -> list[list[str]]:
    body = _LATEX_RULE.sub(" ", "\n".join(_LATEX_COMMENT.sub("", line) for line in body.split("\n")))
    rows = (re.split(r"(?<!\\)&", row) for row in _LATEX_ROW_END.split(body) if row.strip())
    return [[shown for cell in row for shown in _latex_cells(cell)] for row in rows]


def _latex_cells(cell: str) -> list[str]:
    span = _LATEX_SPAN.search(cell)
    more = int(span[2]) - 1 if span and span[1] == "column" else 0
    plain = _LATEX_COMMAND.sub(" ", _LATEX_SPAN.sub("", cell))
    plain = re.sub(r"\\[,;:! ]", " ", plain)
    return [_cell(re.sub(r"\\([&%$#_{}])", r"\1", plain)), *[""] * more]
