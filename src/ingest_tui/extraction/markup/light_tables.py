"""Tables of light markup languages as rows of cells: what is below each other in them becomes a table as any other.

A table is looked for where one may begin: by the lines of a text and the number of one of them.
"""

from __future__ import annotations

import csv
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from textwrap import dedent
from typing import NamedTuple
from unicodedata import combining, east_asian_width

from ingest_tui.extraction.markup.literal_text import literal
from ingest_tui.extraction.tables.table import MAX_COLUMNS, pipe_table

_WORD = re.compile(r"[^\W_]+")
_GRID_BORDER = re.compile(r"[ \t]*\+(?:[-=]+\+)+[ \t]*\Z")
_ON_EDGE = ("|", "+")
_ON_RULE = ("+", "-", "=")
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
_ORG_SYNTAX = re.compile(r"<[lrc]?\d*>")
_ASCIIDOC_EDGE = re.compile(r"([|,:])={3,}[ \t]*\Z")
_ASCIIDOC_CELL = re.compile(
    r"(?:(?:^|(?<=[ \t\n]))(?:(\d{1,2})(\*)|(\d{1,2})?(?:\.(\d{1,2}))?\+)?[<^>]?(?:\.[<^>])?[aehlmdsv]?)?(?<!\\)\|"
)
_ASCIIDOC_FORMAT = re.compile(r"format[ \t]*=[ \t]*\"?(\w+)")
_ASCIIDOC_SEPARATOR = re.compile(r"separator[ \t]*=[ \t]*\"?([^\s\",\]]+)")
_ASCIIDOC_COLUMNS = re.compile(r"cols[ \t]*=[ \t]*(?:\"([^\"]*)\"|([^\],]*))")
_ASCIIDOC_DELIMITERS = {"tsv": "tab", "dsv": ":"}
_MAX_COLUMNS = 200
_FEW_CELLS = 10_000
_TABULAR = re.compile(
    r"\\begin\{(?:tabular[xy*]\}(?:\{[^{}]*\}(?=[\[{]))?|(?:tabular|longtable)\})(?:\[[^\]\n]{0,100}\])?"
    r"\{(?>(?:[^{}]++|\{(?>(?:[^{}]++|\{[^{}]*\})*)\})*)\}"
)
_TABULAR_END = re.compile(r"\\end\{(?:tabular[xy*]?|longtable|array)\}")
_LATEX_TOKEN = re.compile(
    r"\\begin\{(verbatim\*?|Verbatim|lstlisting|minted|comment)\}"
    r"|\\(begin|end)\{(tabular[xy*]?|longtable|array)\}"
    r"|\\.|%[^\n]*"
)
_LATEX_RULE = re.compile(
    r"\\(?:hline|toprule|midrule|bottomrule|endhead|endfirsthead|endfoot|endlastfoot|centering|cline\{[^{}]*\}"
    r"|(?:cmidrule|specialrule|addlinespace)(?:\([^)]{0,100}\))?(?:\[[^\]]{0,100}\])?(?:\{[^{}]*\})*)"
)
_LATEX_SPAN = re.compile(r"\\multi(column|row)\{(\d{1,2})\}\{(?:[^{}]|\{[^{}]*\})*\}")
_LATEX_ROW_END = re.compile(r"\\\\(?:\*)?(?:\[[^\]\n]{0,100}\])?|\\tabularnewline\b")
_LATEX_CELL_END = re.compile(r"(?<!\\)&")
_LATEX_COMMENT = re.compile(r"(\\.)|%.*")
_LATEX_STYLE = re.compile(
    r"\\(?:text(?:bf|it|sl|sc|tt|rm|sf|md|up|normal)|emph|underline|(?:bf|md|sc|tt|rm|sf)(?:series|family)|(?:it|sl|up)shape"
    r"|bf|it|tt|rm|sc|tiny|scriptsize|footnotesize|small|normalsize|large|centering|raggedright|raggedleft)"
    r"(?![A-Za-z])[ \t]*"
)
_LATEX_FORMULA = re.compile(r"\\[A-Za-z\"'`^=.~]|(?<!\\)\$")


class FoundTable(NamedTuple):
    """A table: the line after its last one, and its markdown, below its title where it has one."""

    end: int
    markdown: str


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


def _cell(text: str) -> str:
    return " ".join(text.split())


def _shown(rows: Sequence[Sequence[str]], written: Iterable[str], syntax: re.Pattern[str] | None = None) -> str:
    """Return rows as a table; what is written, as text, where a word would be lost or most of a large table is blank.

    ``syntax``: what is written and no word of the table.
    """
    text = "\n".join(written)
    if not _is_small_enough(rows, text):
        return literal(text)
    table = pipe_table(rows)
    lost = Counter(_WORD.findall(syntax.sub("|", text) if syntax else text)) - Counter(_WORD.findall(table))
    return literal(text) if lost else table


def _is_small_enough(rows: Sequence[Sequence[str]], text: str) -> bool:
    width = max(map(len, rows), default=0)
    return width <= MAX_COLUMNS and width * len(rows) <= _most_cells(text)


def _most_cells(text: str) -> int:
    """Return how many cells a table may have: spans and ragged rows make many of few characters."""
    return _FEW_CELLS + len(text)


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
    """Return a grid table; one whose edges are not below each other as its lines, since text could be on an edge."""
    end = at
    while end < len(lines) and _GRID_LINE.match(lines[end]):
        end += 1
    width = len(lines[at].strip())
    grid = [_fitted(line, width) for line in lines[at:end]]
    edges = sorted({place for line in grid if line[0] == "+" for place, sign in enumerate(line) if sign == "+"})
    rows: list[list[str]] | None = None
    if _GRID_BORDER.match(lines[end - 1]) and all(len(line) == width for line in grid) and len(edges) <= _MAX_COLUMNS:
        rows = _grid_rows(grid, edges)
    written = lines[at:end]
    return FoundTable(end, literal("\n".join(written)) if rows is None else _shown(rows, written))


def _fitted(line: str, width: int) -> list[str]:
    """Return the columns of a line; marks of letters are some of their own where only that makes it as wide."""
    line = line.expandtabs(8).strip()
    places = _by_columns(line)
    return places if len(places) == width else _by_columns(line, marks_are_columns=True)


def _grid_rows(grid: Sequence[list[str]], edges: Sequence[int]) -> list[list[str]] | None:
    """Return the rows between the rules, or None where a line of one has an edge that another line has not."""
    rows: list[list[str]] = []
    cells: list[list[str]] = [[] for _ in edges[1:]]
    edges_of_row: list[bool] = []
    for line in grid:
        parts = ["".join(line[left + 1 : right]) for left, right in pairwise(edges)]
        is_rule = [
            bool(part) and not part.strip("-=+") and line[left] in _ON_RULE and line[right] in _ON_RULE
            for part, (left, right) in zip(parts, pairwise(edges), strict=True)
        ]
        if any(is_rule):
            rows.append([_cell("".join(cell)) for cell in cells])
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
    return [row for row in rows if any(row)]


def _simple(lines: Sequence[str], at: int, end: int) -> FoundTable:
    columns = [match.start() for match in re.finditer("=+", lines[at].expandtabs(8))]
    written = lines[at:end]
    if len(columns) > _MAX_COLUMNS:
        return FoundTable(end, literal("\n".join(written)))
    rows: list[list[list[str]]] = []
    for line in written:
        if not line.strip() or _SIMPLE_BORDER.match(line) or _SIMPLE_SPANS.match(line):
            continue
        cells = [_cell(part) for part in _at_columns(_by_columns(line.expandtabs(8)), columns)]
        if cells[0] or not rows:
            rows.append([[] for _ in columns])
        for parts, cell in zip(rows[-1], cells, strict=True):
            parts.extend([cell] if cell not in ("", "\\") else [])
    return FoundTable(end, _shown([[" ".join(parts) for parts in row] for row in rows], written))


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
    body = dedent("\n".join(lines[at + 1 : end])).split("\n")
    options: dict[str, str] = {}
    first = 0
    while first < len(body) and (option := _OPTION.match(body[first])):
        options[option[1]] = option[2]
        first += 1
    body = body[first:]
    if directive[2] == "list-table":
        found = _shown(_list_rows(body), body)
    elif directive[2] == "csv-table":
        found = _shown(_csv_rows(options, body), body)
    else:
        start = next((number for number, line in enumerate(body) if line.strip()), len(body))
        inner = _drawn(body, start, simple_ends(body)) if start < len(body) else None
        below = literal("\n".join(body[inner.end :]).strip("\n")) if inner else ""
        found = "\n\n".join(filter(None, (inner.markdown, below))) if inner else ""
    return FoundTable(end, "\n\n".join(filter(None, (literal(directive[3].strip()), found)))) if found else None


def _list_rows(body: Iterable[str]) -> list[list[str]]:
    """Return the items of a list of lists; what is indented further belongs to the item above.

    Nothing where a text is above the first item.
    """
    rows: list[list[list[str]]] = []
    indent = 0
    for line in body:
        if row := _LIST_ROW.match(line):
            indent = row.start(1)
            rows.append([[row[2] or ""]])
        elif rows and (cell := _LIST_CELL.match(line)) and cell.start(1) == indent:
            rows[-1].append([cell[2] or ""])
        elif rows:
            rows[-1][-1].append(line)
        elif line.strip():
            return []
    return [[_cell(" ".join(lines)) for lines in row] for row in rows]


def _csv_rows(options: dict[str, str], body: Iterable[str]) -> list[list[str]]:
    delimiter = _DELIMITERS.get(options.get("delim", ""), options.get("delim", "") or ",")[:1]
    quote = options.get("quote", "")[:1] or '"'
    lines = [f"{one}\n" for one in (options.get("header", ""), *body) if one.strip()]
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
    return FoundTable(end, _shown(rows, lines[at:end], _ORG_SYNTAX))


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
    written = literal("\n".join(lines[at : end + 1]))
    form = _ASCIIDOC_FORMAT.search(attributes)
    separator = _ASCIIDOC_SEPARATOR.search(attributes)
    kind = form[1] if form else {",": "csv", ":": "dsv"}.get(edge[1], "psv")
    if kind != "psv":
        rows = _csv_rows({"delim": separator[1] if separator else _ASCIIDOC_DELIMITERS.get(kind, ",")}, body)
    elif separator:  # its own sign between cells, which few tables have
        rows = []
    else:
        rows = _asciidoc_rows(body, _columns_of(attributes))
    return FoundTable(end + 1, (_shown(rows, body, _ASCIIDOC_CELL) if rows else "") or written)


def _columns_of(attributes: str) -> int:
    match = _ASCIIDOC_COLUMNS.search(attributes)
    written = (match[1] or match[2] or "") if match else ""
    repeated = (re.match(r"[ \t]*(\d{1,2})\*", one) for one in written.split(",")) if written.strip() else ()
    return min(sum(int(one[1]) if one else 1 for one in repeated), _MAX_COLUMNS)


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
    if width > _MAX_COLUMNS or made > _most_cells(text):
        return []
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    grid: dict[tuple[int, int], str] = {}
    row = column = 0
    for mark, end in zip(marks, ends, strict=True):
        content = _cell(text[mark.end() : end].replace("\\|", "|"))
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


# --- LaTeX ---


def split_at_tabulars(text: str) -> list[tuple[str, str]]:
    """Return what is before each table of a text with the table, and what is after the last one with none."""
    parts: list[tuple[str, str]] = []
    at = 0
    for start, end, nested in _tabulars(text):
        head = _TABULAR.match(text, start)
        if head is None:
            continue
        body = _flat(text, head.end(), text.rindex("\\end", start, end), nested)
        rows = _tabular_rows(body)
        if sum(map(len, rows)) <= _most_cells(text) and _is_small_enough(rows, body) and (found := pipe_table(rows)):
            parts.append((text[at:start], found))
            at = end
    return [*parts, (text[at:], "")]


def _tabulars(text: str) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """Yield where tables begin and end, with those that are in their cells; in comments and listings there are none."""
    opened: list[tuple[str, int]] = []
    nested: list[tuple[int, int]] = []
    at = 0
    while token := _LATEX_TOKEN.search(text, at):
        at = token.end()
        if token[1]:
            closing = f"\\end{{{token[1]}}}"
            end = text.find(closing, at)
            if end < 0:
                return
            at = end + len(closing)
        elif token[2] == "begin":
            opened.append((token[3], token.start()))
        elif token[2] and opened and opened[-1][0] == token[3]:
            start = opened.pop()[1]
            if not opened:
                yield start, at, nested
                nested = []
            elif len(opened) == 1:
                nested.append((start, at))


def _flat(text: str, start: int, end: int, nested: Iterable[tuple[int, int]]) -> str:
    """Return what is in a table with the words of the tables in its cells in their places."""
    parts: list[str] = []
    for begin, finish in nested:
        inner = text[begin:finish]
        for mark in (_TABULAR, _TABULAR_END, _LATEX_ROW_END, _LATEX_CELL_END):
            inner = mark.sub(" ", inner)
        parts += [text[start:begin], inner]
        start = finish
    return "".join((*parts, text[start:end]))


def _tabular_rows(body: str) -> list[list[str]]:
    body = _LATEX_RULE.sub(
        " ", "\n".join(_LATEX_COMMENT.sub(lambda found: found[1] or "", line) for line in body.split("\n"))
    )
    rows = (_LATEX_CELL_END.split(row) for row in _LATEX_ROW_END.split(body) if row.strip())
    return [[shown for cell in row for shown in _latex_cells(cell)] for row in rows]


def _latex_cells(cell: str) -> list[str]:
    span = _LATEX_SPAN.search(cell)
    more = int(span[2]) - 1 if span and span[1] == "column" else 0
    plain = _LATEX_STYLE.sub("", _LATEX_SPAN.sub("", cell))
    if _LATEX_FORMULA.search(plain):  # what stands for letters and signs: without it words would be others
        return [_cell(plain), *[""] * more]
    plain = re.sub(r"\\[,;:! ]|(?<!\\)[{}~]", " ", plain)
    return [_cell(re.sub(r"\\([&%$#_{}])", r"\1", plain)), *[""] * more]
