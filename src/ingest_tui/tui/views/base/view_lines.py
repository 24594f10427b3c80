"""The lines around the body of a view: header, tabs, hint and keys, and what the border of its main panel says."""

from __future__ import annotations

from typing import ClassVar, cast

from textual import on
from textual.content import Content

from ingest_tui.model.safe_text import safe_display
from ingest_tui.tui import wording
from ingest_tui.tui.header import footer
from ingest_tui.tui.navigation.views import VIEWS
from ingest_tui.tui.views.base.copy_and_edit import Carrying
from ingest_tui.tui.widgets.keys_line import KeysLine
from ingest_tui.tui.widgets.line import Line
from ingest_tui.tui.widgets.panel import title_panel
from ingest_tui.tui.widgets.table import VirtualTable
from ingest_tui.tui.widgets.tabs import Tabs, TabTitle
from ingest_tui.tui.widgets.text import TextLines


class ViewLines(Carrying):
    """A view with its lines, and with a main widget that they speak of: a table, or a text."""

    heading: ClassVar[str] = ""
    sorts: ClassVar[dict[str, str]] = {}
    sorts_of_heads: ClassVar[dict[str, str]] = {}
    """The order that a click on the head of a column asks for, where it has another name than the column."""

    def __init__(self) -> None:
        super().__init__()
        self.words = ""
        """The filter."""
        self.sort = next(iter(self.sorts), "")
        self.reversed = False
        self.why_unread: list[str] = []
        self.info = ""
        """What the border of the main panel says of the list: how many rows, how filtered, ordered and marked."""

    def catch_up(self) -> None:
        """Take in all that is known; called when the view is shown again."""

    def rows_changed(self) -> None:
        """Filter, order or marks have changed: show the rows again."""
        self.catch_up()

    # The main widget

    @property
    def is_whole(self) -> bool:
        """Whether the view has its widgets: not before it is composed, nor while it is being taken away."""
        return self.is_mounted and self.is_attached and not self._pruning and bool(self.query("#header"))

    @property
    def main_id(self) -> str:
        """The id of the widget that has the focus at first."""
        return f"{self.view}-table"

    @property
    def target(self) -> VirtualTable[object] | TextLines:
        """What moves: the focused list or text, else the main one."""
        focused = self.focused
        if isinstance(focused, VirtualTable | TextLines):
            return focused
        return cast("VirtualTable[object]", self.query_one(f"#{self.main_id}"))

    @property
    def main_table(self) -> VirtualTable[object]:
        """The main table of the view."""
        return cast("VirtualTable[object]", self.query_one(f"#{self.main_id}", VirtualTable))

    @property
    def has_marks(self) -> bool:
        """Whether rows are marked; a view of text has none."""
        main = self.query_one(f"#{self.main_id}")
        return isinstance(main, VirtualTable) and bool(main.marks)

    @property
    def row_key(self) -> str:
        """The key of the row under the cursor; nothing in a view of text."""
        tables = self.query(f"#{self.main_id}").results(VirtualTable)
        return next((table.current_key for table in tables), "")

    def select_row(self, key: str) -> None:
        """Put the cursor on the row of a key, once it is there."""
        for table in self.query(f"#{self.main_id}").results(VirtualTable):
            table.select(key)

    def focus_main(self) -> None:
        """Give the main widget the focus."""
        self.query_one(f"#{self.main_id}").focus()

    # Lines around the body

    def say_header(self) -> None:
        """Say where we are and how the workspace is doing."""
        if self.is_whole:
            self.query_one("#header", Line).say(self.ingest.header(self.place(), self.size.width))
            titles = [TabTitle(view.name, key, view.title, view.short_title) for key, view in VIEWS.items()]
            self.query_one(Tabs).show(titles, self.app.current_mode, self.size.width)

    def place(self) -> str:
        """Where we are: ``Jobs > all``."""
        return self.heading

    @on(Tabs.Chosen)
    def tab_chosen(self, event: Tabs.Chosen) -> None:
        """Show the view whose tab was clicked."""
        self.go_to(event.name)

    @on(KeysLine.Chosen)
    def key_chosen(self, event: KeysLine.Chosen) -> None:
        """Do what the key that was clicked does."""
        for action in self.ingest.registry.of(self.keys_of):
            if action.shown_keys.partition(" ")[0] == event.key:
                self.perform(action.id)
                return

    def say_keys(self) -> None:
        """Say the most useful keys, as many as fit."""
        known = self.ingest.registry.of(self.keys_of)
        actions = [one for one in known if one.hint and (not self.is_whole or self.why_not(one) is None)]
        self.query_one("#keys", Line).say(
            footer([(action.shown_keys, action.hint) for action in actions], self.size.width)
        )

    def say_info(self, shown: int, total: int | None, word: str, note: str = "", *, order: str | None = None) -> None:
        """Say how the list is filtered, sorted (``order``, where it is not the chosen one) and marked, and a note.

        ``total`` None: nothing was read yet, or it cannot be; that is no 0.
        """
        number = wording.plural(total or 0, word)
        if total is None:
            number = number.partition(" ")[2]
        elif shown != total:
            number = f"{shown:,} of {number}"
        parts = [f"/{self.words}"] if self.words else []
        if note:
            parts.append(note)
        if order is not None:
            parts.append(order)
        elif self.sort:
            parts.append(f"sort: {self.sort} {'^' if self.reversed else 'v'}")
        marks = len(self.main_table.marks)
        if marks:
            parts.append(f"{marks:,} marked")
        self.say_panel(number, " · ".join(parts))

    def say_panel(self, title: str, subtitle: str = "") -> None:
        """Put into the border of the main panel what is shown, and how."""
        self.info = f"{title} · {subtitle}"
        title_panel(self.query_one(f"#{self.main_id}"), title, subtitle)

    def say_hint(self, text: str, tone: str = "") -> None:
        """Say something about the row under the cursor."""
        style = {"bad": "$text-error", "warn": "$text-warning"}.get(tone, "$text-muted")
        self.query_one("#hint", Line).say(Content.assemble((" " + safe_display(text), style)))

    def redraw_ages(self) -> None:
        """Repaint what reads differently now."""
        for table in self.query(VirtualTable):
            table.redraw_changed()

    def could_not_read(self, message: str, hint: str) -> None:
        """Say what is in the way; where nothing was read yet also in the place of the rows, which would not come."""
        self.why_unread = [f"! {message}", f"  {hint}"]
        self.show_notice(message, hint, bad=True)
        for table in self.query(f"#{self.main_id}").results(VirtualTable):
            if not table.rows:
                table.show([], empty=self.why_unread)
