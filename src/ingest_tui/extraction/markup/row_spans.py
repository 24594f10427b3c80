"""Cells of HTML that say they reach down further than their part of a table: no browser shows them so."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# As in HTML, what is never closed goes to the end of the page; so each part of it is looked at once.
_TOKEN = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(?P<name>/?(?:table|thead|tbody|tfoot|tr|t[hd]))(?=[\s>/])(?P<attributes>[^>]*+)(?:>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_ROW_SPAN = re.compile(r"(?<![\w-])rowspan\s*+=\s*+[\"']?\s*+(\d{1,9})", re.IGNORECASE)

_ENDS_OF_PARTS = frozenset(("thead", "tbody", "tfoot", "/thead", "/tbody", "/tfoot", "/table"))


@dataclass(slots=True)
class _Part:
    """A head, body or foot of a table: its rows so far, and where the heights of its cells are written."""

    rows: int = 0
    heights: list[tuple[int, int, int]] = field(default_factory=list)

    def take(self, name: str, token: re.Match[str]) -> None:
        """Take a row or a cell that begins."""
        if name == "tr":
            self.rows += 1
        elif name in ("td", "th") and (height := _ROW_SPAN.search(token["attributes"])):
            at = token.start("attributes")
            self.heights.append((at + height.start(1), at + height.end(1), self.rows))


def with_spans_within_parts(html: str) -> str:
    """Return a page in which no cell reaches down beyond its head, body or foot (HTML, 4.9.12)."""
    if "rowspan" not in html.lower():
        return html
    changes: list[tuple[int, int, int]] = []
    tables: list[_Part] = []
    for token in _TOKEN.finditer(html):
        name = (token["name"] or "").lower()
        if name == "table":
            tables.append(_Part())
        elif tables and name in _ENDS_OF_PARTS:
            changes += _too_high(tables.pop(), html)
            tables += [_Part()] if name != "/table" else []
        elif tables:
            tables[-1].take(name, token)
    for part in tables:
        changes += _too_high(part, html)
    parts: list[str] = []
    done = 0
    for start, end, most in sorted(changes):
        parts += [html[done:start], str(most)]
        done = end
    return "".join((*parts, html[done:]))


def _too_high(part: _Part, html: str) -> list[tuple[int, int, int]]:
    """Return where a height is written that is more than the rows left; 0 means all of them."""
    found = [(start, end, int(html[start:end]), part.rows - row + 1) for start, end, row in part.heights]
    return [(start, end, most) for start, end, height, most in found if height > most or not height]
