"""Tables of LaTeX: tabular and its relatives."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ingest_tui.extraction.markup.light_tables import cell_text, is_small_enough, most_cells
from ingest_tui.extraction.tables.table import pipe_table

_TABULAR = re.compile(
    r"\\begin\{(?:tabular[xy*]\}(?:\{[^{}]*\}(?=[\[{]))?|(?:tabular|longtable)\})(?:\[[^\]\n]{0,100}\])?"
    r"\{(?>(?:[^{}]++|\{(?>(?:[^{}]++|\{[^{}]*\})*)\})*)\}"
)
_TABULAR_END = re.compile(r"\\end\{(?:tabular[xy*]?|longtable|array)\}")
_LATEX_TOKEN = re.compile(
    r"\\begin\{(verbatim\*?|Verbatim|lstlisting|minted|comment)\}"
    r"|\\(begin|end)\{(tabular[xy*]?|longtable|array)\}"
    r"|\\verb\*?(?P<mark>[^\w\s*])[^\n]*?(?P=mark)|\\.|%[^\n]*"
)
_VERBATIM = re.compile(r"\\verb\*?([^\w\s*])([^\n]*?)\1")
_PLACE = "\ue0fd{}\ue0fd"
_PLACES = re.compile("\ue0fd(\\d{1,6})\ue0fd")
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
        if sum(map(len, rows)) <= most_cells(text) and is_small_enough(rows, body) and (found := pipe_table(rows)):
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
    """Return the cells of a table; what is verbatim in them waits outside, since no sign in it means anything."""
    verbatim = [found[2] for found in _VERBATIM.finditer(body)]
    places = iter(range(len(verbatim)))
    body = _VERBATIM.sub(lambda _found: _PLACE.format(next(places)), body)
    body = _LATEX_RULE.sub(
        " ", "\n".join(_LATEX_COMMENT.sub(lambda found: found[1] or "", line) for line in body.split("\n"))
    )
    rows = (_LATEX_CELL_END.split(row) for row in _LATEX_ROW_END.split(body) if row.strip())

    def whole(cell: str) -> str:
        return _PLACES.sub(lambda place: verbatim[int(place[1])] if int(place[1]) < len(verbatim) else "", cell)

    return [[whole(shown) for cell in row for shown in _latex_cells(cell)] for row in rows]


def _latex_cells(cell: str) -> list[str]:
    span = _LATEX_SPAN.search(cell)
    more = int(span[2]) - 1 if span and span[1] == "column" else 0
    plain = _LATEX_STYLE.sub("", _LATEX_SPAN.sub("", cell))
    if _LATEX_FORMULA.search(plain):  # what stands for letters and signs: without it words would be others
        return [cell_text(plain), *[""] * more]
    plain = re.sub(r"\\[,;:! ]|(?<!\\)[{}~]", " ", plain)
    return [cell_text(re.sub(r"\\([&%$#_{}])", r"\1", plain)), *[""] * more]
