"""Numbers of lists of HTML that do not count up by one: marked before a page is converted, written after."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_MARK = "\ue0fb"
"""Around the number of an item; a character that no font of the world has a meaning for."""
# As in HTML, what is never closed goes to the end of the page; so each part of it is looked at once.
_TOKEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(?:(?P<opens>ol|ul|menu)(?=[\s>/])(?P<list>[^>]*+)|(?P<item>li)(?=[\s>/])(?P<attributes>[^>]*+)"
    r"|/(?P<closes>ol|ul|menu)\s*+|(?P<box>input)(?=[\s>/])(?P<kind>[^>]*+))(?:>(?:\s*+<p(?=[\s>])[^>]*+>)?|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_NUMBER = r"(?<![\w-]){}\s*+=\s*+[\"']?\s*+(-?\d{{1,9}})(?!\d)"
_VALUE, _START = (re.compile(_NUMBER.format(name), re.IGNORECASE) for name in ("value", "start"))
_REVERSED = re.compile(r"(?<![\w-])reversed(?![\w-])", re.IGNORECASE)
_SAYS_NUMBERS = re.compile(r"\sreversed\b|\svalue\s*+=", re.IGNORECASE)
_IS_BOX = re.compile(r"(?<![\w-])type\s*+=\s*+[\"']?\s*+checkbox", re.IGNORECASE)
_SHOWN = re.compile(rf"(?:\d{{1,9}}([.)])[ \t]+)?{_MARK}(-?\d+){_MARK}[ \t]*")


@dataclass(slots=True)
class _List:
    is_numbered: bool
    attributes: str
    items: list[tuple[int, int | None]] = field(default_factory=list)
    """Where the text of each item begins, and the number that it says it has."""
    has_boxes: bool = False
    """Whether items have boxes to check: in markdown those are the beginning of an item."""

    def numbers(self) -> Iterator[tuple[int, int]]:
        """Yield the number of each item, where they do not count up from the first."""
        is_reversed = _REVERSED.search(self.attributes) is not None
        if (
            not self.is_numbered
            or self.has_boxes
            or not (is_reversed or any(value is not None for _at, value in self.items))
        ):
            return
        start = _START.search(self.attributes)
        number = int(start[1]) if start else len(self.items) if is_reversed else 1
        for at, value in self.items:
            number = number if value is None else value
            yield at, number
            number += -1 if is_reversed else 1


def with_marked_numbers(html: str) -> str:
    """Return a page with the number of each item of lists that are reversed, or whose items say their numbers."""
    if not _SAYS_NUMBERS.search(html):
        return html
    marks: list[tuple[int, int]] = []
    lists: list[_List] = []
    for token in _TOKEN.finditer(html):
        if token.end() == len(html) and not token[0].endswith(">"):
            continue
        if token["opens"]:
            lists.append(_List(token["opens"].lower() == "ol", token["list"]))
        elif token["item"] and lists:
            value = _VALUE.search(token["attributes"])
            lists[-1].items.append((token.end(), int(value[1]) if value else None))
        elif token["box"] and lists:
            lists[-1].has_boxes |= _IS_BOX.search(token["kind"]) is not None
        elif token["closes"] and lists:
            marks += lists.pop().numbers()
    for one in lists:
        marks += one.numbers()
    parts: list[str] = []
    done = 0
    for at, number in sorted(marks):
        parts += [html[done:at], f"{_MARK}{number}{_MARK}"]
        done = at
    return "".join((*parts, html[done:]))


def with_shown_numbers(markdown: str) -> str:
    """Return markdown in which items have the numbers that were marked."""
    if _MARK not in markdown:
        return markdown
    return _SHOWN.sub(lambda found: f"{found[2]}{found[1]} " if found[1] else "", markdown)
