"""The line of the views: each with its key, the one that is shown set off; a click shows another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message

from ingest_tui.tui.widgets.line import Line

_LEAST = 4
"""The letters of a title below which it says nothing."""


class Tab(NamedTuple):
    """A view in the line: where it begins, and what it says."""

    name: str
    key: str
    title: str
    start: int

    @property
    def end(self) -> int:
        """The cell after it."""
        return self.start + cell_len(f"{self.key} {self.title}".rstrip())


def lay_out_tabs(views: Sequence[tuple[str, str, str]], shown: str, width: int) -> list[Tab]:
    """Return the views, each given as key, title and name, in ``width`` cells.

    Where there is no room for all titles the longest get shorter, and all go in the end; the one of the view that is
    shown stays.
    """
    longest = max((len(title) for _key, title, _name in views), default=0)
    shorter = [(1, most) for most in range(longest - 1, _LEAST - 1, -1)]
    for gap, most in ((3, longest), (2, longest), (1, longest), *shorter, (1, 0)):
        tabs, start = [], 1
        for key, title, name in views:
            tab = Tab(name, key, title if name == shown else title[:most], start)
            tabs.append(tab)
            start = tab.end + gap
        if start - gap <= width:
            break
    return tabs


class Tabs(Line):
    """The tabs of the top views."""

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._tabs: list[Tab] = []

    def show(self, views: Iterable[tuple[str, str, str]], shown: str, width: int) -> None:
        """Show the views, each given as key, title and name."""
        self._tabs = lay_out_tabs(list(views), shown, width)
        parts: list[str | tuple[str, str]] = []
        at = 0
        for tab in self._tabs:
            parts.append(" " * (tab.start - at))
            style = "bold $text-accent underline" if tab.name == shown else "$text-muted"
            parts.append((f"{tab.key} {tab.title}".rstrip(), style))
            at = tab.end
        self.say(Content.assemble(*parts))

    def on_click(self, event: events.Click) -> None:
        """Ask for the view of the tab."""
        for tab in self._tabs:
            if tab.start <= event.x < tab.end:
                self.post_message(self.Chosen(tab.name))
