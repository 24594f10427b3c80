"""Tables of a body of Word whose head is several rows: xberg knows one, so the others are marked, and joined later."""

from __future__ import annotations

import re

from ingest_tui.extraction.markup.table_heads import HEAD_MARK, MOST_HEAD_ROWS

_TOKEN = re.compile(
    r"<(?:(?P<name>w:tbl|w:tr|/w:tbl)(?=[ >])[^<>]*+|w:tblHeader(?P<off>(?: w:val=[\"'](?:0|false|off)[\"'])?)[^<>]*+)>"
)
_FIRST_CELL = re.compile(
    r"<w:tc[ >](?>(?:[^<]++|<(?!w:p[ />]|/?w:tc[ />]|w:vMerge(?![^<>]*restart)))*)"
    r"<w:p(?: [^<>]*)?(?:(/)>|>(?:\s*<w:pPr>.*?</w:pPr>)?)",
    re.DOTALL,
)


def with_marked_heads(xml: str) -> str:
    """Return a body with a mark in each row of a head but the first: rows on top that repeat on each page."""
    if "<w:tblHeader" not in xml:
        return xml
    marks: list[int] = []
    tables: list[_Rows] = []
    for token in _TOKEN.finditer(xml):
        if token["name"] == "w:tbl":
            tables.append(_Rows())
        elif token["name"] == "/w:tbl":
            marks += tables.pop().further_heads() if tables else []
        elif tables and token["name"]:
            tables[-1].begin(token.end())
        elif tables and not token["off"]:
            tables[-1].mark()
    parts: list[str] = []
    at = 0
    for mark in sorted(marks):
        cell = _FIRST_CELL.search(xml, mark, xml.find("</w:tr>", mark))
        if cell is None or cell.end() < at:
            continue
        run = f"<w:r><w:t>{HEAD_MARK}</w:t></w:r>"
        parts += [xml[at : cell.start(1)], f">{run}</w:p>"] if cell[1] else [xml[at : cell.end()], run]
        at = cell.end()
    return "".join((*parts, xml[at:]))


class _Rows:
    """The rows of a table: where those of its head begin."""

    def __init__(self) -> None:
        self._rows = 0
        self._heads: list[int] = []
        self._begin = 0

    def begin(self, at: int) -> None:
        self._rows += 1
        self._begin = at

    def mark(self) -> None:
        if len(self._heads) == self._rows - 1:
            self._heads.append(self._begin)

    def further_heads(self) -> list[int]:
        """Return where the rows of the head below the first begin; none where it is the whole table."""
        return self._heads[1:] if len(self._heads) < self._rows and len(self._heads) <= MOST_HEAD_ROWS else []
