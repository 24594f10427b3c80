"""The line of the views: each with its key, the one that is shown set off; a click shows another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.geometry import Offset
from textual.message import Message

from ingest_tui.tui.widgets.line import Line


class TabTitle(NamedTuple):
    """A view: its key, and what it is called where there is room and where there is little."""

    name: str
    key: str
    title: str
    short: str


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


def lay_out_tabs(views: Sequence[TabTitle], shown: str, width: int) -> list[Tab]:
    """Return the views in ``width`` cells.

    Where there is no room for all titles they are the short ones; then the last ones go, each as a whole, but for that
    of the view that is shown.
    """
    whole, short = [view.title for view in views], [view.short for view in views]
    for titles, gap, start in ((whole, 3, 1), (whole, 2, 1), (whole, 1, 1), (short, 1, 1), (short, 1, 0)):
        tabs = _in_a_row(views, titles, gap, start)
        if tabs[-1].end <= width:
            return tabs
    for last in range(len(views) - 1, -1, -1):
        if views[last].name != shown:
            short[last] = ""
            tabs = _in_a_row(views, short, 1, 1)
            if tabs[-1].end <= width:
                break
    return tabs


def _in_a_row(views: Sequence[TabTitle], titles: Sequence[str], gap: int, start: int) -> list[Tab]:
    tabs = []
    for view, title in zip(views, titles, strict=True):
        tabs.append(Tab(view.name, view.key, title, start))
        start = tabs[-1].end + gap
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

    def show(self, views: Sequence[TabTitle], shown: str, width: int) -> None:
        """Show the views."""
        self._tabs = lay_out_tabs(views, shown, width)
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
        name = self.what_is_at(event.offset)
        if name:
            self.post_message(self.Chosen(name))

    def what_is_at(self, place: Offset) -> str:
        """Return the view whose tab is at a place; nothing between two."""
        return next((tab.name for tab in self._tabs if tab.start <= place.x < tab.end), "")
