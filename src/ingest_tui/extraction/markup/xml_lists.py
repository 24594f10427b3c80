"""Lists of prose in XML: those of DocBook, JATS, DITA, TEI and patents, with the marks that they are shown with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_BULLETS = frozenset(("itemizedlist", "list", "ul", "steps-unordered"))
_NUMBERED = frozenset(("orderedlist", "procedure", "ol", "steps", "substeps"))
_UNMARKED = frozenset(("variablelist", "simplelist", "calloutlist", "sl", "dl", "def-list"))
_ITEMS = frozenset(("listitem", "list-item", "li", "item", "step", "substep"))
LISTS = _BULLETS | _NUMBERED | _UNMARKED
LIST_ELEMENTS = LISTS | _ITEMS | {"label"}
_KINDS = ("list-type", "rend", "type", "rendition", "list-style", "mark")
"""Attributes in which the vocabularies say how a list is marked."""
_NO_MARKS = frozenset(("simple", "none", "gloss"))
_NUMBERS = ("order", "number", "alpha", "roman")


@dataclass(slots=True)
class _List:
    mark: str
    """What each item begins with; nothing where they are numbered."""
    number: int = 0
    is_marked: bool = True


class XmlLists:
    """The lists that are open; `start` and `end` are told of each element, `mark` of each line."""

    def __init__(self) -> None:
        self._open: list[_List] = []
        self._pending = ""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take what an element says of lists and items. A label is the mark of its item."""
        if name in _ITEMS:
            self._pending = self._mark_of_item(attributes)
        elif name == "label":
            self._pending = ""
        else:
            self._open.append(_list_of(name, attributes))

    def _mark_of_item(self, attributes: Mapping[str, str]) -> str:
        if not self._open or not self._open[-1].is_marked:
            return ""
        inner = self._open[-1]
        indent = "  " * (sum(one.is_marked for one in self._open) - 1)
        if inner.mark:
            return f"{indent}{inner.mark} "
        inner.number = _number(attributes, "override", inner.number + 1)
        return f"{indent}{inner.number}. "

    def end(self, name: str) -> None:
        """Take the end of an element."""
        if name in _ITEMS:
            self._pending = ""
        elif name != "label" and self._open:
            self._open.pop()

    @property
    def is_outermost(self) -> bool:
        """Whether the list that was opened last is in no other."""
        return len(self._open) == 1 and self._open[0].is_marked

    def mark(self) -> str:
        """Return what the line begins with that is written now: a mark for the first line of an item."""
        mark, self._pending = self._pending, ""
        return mark


def _list_of(name: str, attributes: Mapping[str, str]) -> _List:
    kinds = {attributes[key].lower() for key in _KINDS if key in attributes}
    if name in _UNMARKED or kinds & _NO_MARKS:
        return _List("", is_marked=False)
    if name in _NUMBERED or any(kind.startswith(_NUMBERS) for kind in kinds):
        return _List("", _number(attributes, "startingnumber", _number(attributes, "start", 1)) - 1)
    return _List("-")


def _number(attributes: Mapping[str, str], name: str, usual: int) -> int:
    written = attributes.get(name, "")
    return int(written) if written.isdecimal() and len(written) < 9 else usual  # noqa: PLR2004 as in markdown
