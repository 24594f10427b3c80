"""What all views have in common: how they are put together, shown and left, and what is remembered of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message
from textual.notifications import Notification
from textual.widget import Widget
from textual.widgets import Input

from ingest_tui.model.ocr import lack_in_words
from ingest_tui.tui.client.feed import FeedUpdate
from ingest_tui.tui.navigation.views import VIEW_NAMES
from ingest_tui.tui.views.base.row_actions import RowActions
from ingest_tui.tui.widgets.keys_line import KeysLine
from ingest_tui.tui.widgets.line import Line
from ingest_tui.tui.widgets.notice_line import NoticeLine
from ingest_tui.tui.widgets.panel import title_panel
from ingest_tui.tui.widgets.table import VirtualTable
from ingest_tui.tui.widgets.tabs import Tabs
from ingest_tui.tui.widgets.text import TextLines

AGES_SECONDS = 5.0
MOST_MARKS_REMEMBERED = 1000
_COMPOSING_SECONDS = 0.02
_SAID = (VirtualTable.Moved, VirtualTable.Scrolled, TextLines.Moved)


class ViewScreen(RowActions):
    """A full view. Subclasses compose their body, name their main table, and do their actions."""

    AUTO_FOCUS = ""  # the first of its widgets is the filter, which is hidden: keys would be lost in it
    panels: ClassVar[dict[str, str]] = {}
    """The ids of the panels next to the main one, with what their borders say."""

    def __init__(self) -> None:
        super().__init__()
        self._is_set_up = False
        self._was_composed = False

    # Composition

    def compose(self) -> ComposeResult:
        """Header, tabs, filter, body, hint and footer."""
        yield Line(id="header")
        yield Tabs(id="tabs")
        yield Input(id="filter", placeholder="filter", compact=True, select_on_focus=False)
        with Container(id="body"):
            yield from self.compose_body()
        yield NoticeLine(id="notice")
        yield Line(id="hint")
        yield KeysLine(id="keys")
        yield self.command_line()

    def compose_body(self) -> ComposeResult:
        """The inside of the view."""
        yield from ()

    def on_mount(self) -> None:
        """Keep still what would blink, let ages grow, and take up what was remembered."""
        if self._is_set_up:
            return  # Textual calls this for each class by itself, also where a view has called it for its order
        self._is_set_up = True
        self.take_up(self.ingest.view_state.get(self.view, {}))
        self.query_one("#filter", Input).cursor_blink = False
        self._draw_panels()
        self.set_interval(AGES_SECONDS, self.redraw_ages)
        self.focus_main()
        self.say_header()
        self.say_keys()

    def _draw_panels(self) -> None:
        """Put borders around the main widget and those next to it."""
        self.query_one(f"#{self.main_id}").add_class("panel")
        for name, title in self.panels.items():
            for panel in self.query(f"#{name}"):  # none on a screen that is taken away while it is being made
                title_panel(panel.add_class("panel"), title)

    def _have_focus(self) -> None:
        """Let keys go somewhere also after a size at which there was room for nothing that takes them."""
        if self.focused is None and self.is_whole:
            fields = (("-filtering", "#filter"), ("-commanding", "#command"))
            field = next((name for shown, name in fields if self.has_class(shown)), None)
            self.set_focus(self.query_one(field or f"#{self.main_id}"))

    def on_screen_resume(self) -> None:
        """Catch up with what happened while another view was shown."""
        if not self.is_whole:
            return  # it is taken away before all of it was made
        self.ingest.arrived(self)
        self._have_focus()
        self.say_header()
        self.catch_up()

    def show_notices(self, notices: Sequence[Notification]) -> None:
        """Show notices in the place of the hint, until they run out."""
        if self.is_whole:
            self.query_one(NoticeLine).show(notices)
            self.set_class(bool(notices), "-noticing")

    def on_resize(self) -> None:
        """Say the lines again for the new width."""
        self.end_zoom()
        self._have_focus()
        self.say_header()
        self.say_keys()

    # What is remembered

    def state_to_remember(self) -> dict[str, object]:
        """What the view takes up when it is shown next time: order, and for a top view filter and marks."""
        state: dict[str, object] = {"sort": self.sort, "reversed": self.reversed}
        if self.view in VIEW_NAMES:
            state["words"] = self.words
            for table in self.query(f"#{self.main_id}").results(VirtualTable):
                state["marks"] = sorted(table.marks)[:MOST_MARKS_REMEMBERED]
        return state

    def take_up(self, state: Mapping[str, Any]) -> None:
        """Take up what was remembered; what makes no sense any more is passed over."""
        if state.get("sort") in self.sorts:
            self.sort, self.reversed = state["sort"], state.get("reversed") is True
        if self.view in VIEW_NAMES and isinstance(state.get("words"), str):
            self.words = state["words"]
        if self.view in VIEW_NAMES and isinstance(state.get("marks"), list):
            for table in self.query(f"#{self.main_id}").results(VirtualTable):
                table.mark_when_here(key for key in state["marks"] if isinstance(key, str))

    def _is_composed(self) -> bool:
        self._was_composed = self._was_composed or all(child.is_mounted for child in self.walk_children(Widget))
        return self._was_composed

    async def _dispatch_message(self, message: Message) -> None:
        """Let what the widgets say wait until all of them are there: what is said of one is shown in another."""
        if isinstance(message, _SAID) and not self._is_composed():
            self.set_timer(_COMPOSING_SECONDS, partial(self.post_message, message))
        else:
            await super()._dispatch_message(message)

    def show_what_ocr_lacks(self, look: Callable[[], tuple[str, str] | None]) -> None:
        """Show a notice of what OCR lacks on this machine for what was just saved, where ``look`` returns something."""

        def show(lack: tuple[str, str] | None) -> None:
            if lack is not None:
                self.show_notice(lack_in_words(lack))

        self.ask(look, show, group="ocr")

    # What subclasses do

    def reopener(self) -> tuple[str, Callable[[], ViewScreen]] | None:
        """What an inner view shows, and how to open it again; a top view returns None."""
        return None

    def shows_job(self, job_id: str) -> bool:
        """Tell whether a person who looks at this view sees what becomes of a job."""
        del job_id
        return False

    def feed_changed(self, update: FeedUpdate) -> None:
        """Take in what is new; called for shown views only."""

    # Actions

    def open_selected(self) -> None:
        """Open the row under the cursor."""

    def go_back(self) -> None:
        """Clear marks or filter, or leave an inner view. Never quits."""
        if self.has_class("-filtering") or self.words:
            self.close_filter()
        elif self.has_marks:
            self.main_table.clear_marks()
            self.rows_changed()
        elif self.view not in VIEW_NAMES:
            self.close_view()
        else:
            self.ingest.go_back_where_led_from()

    def close_view(self) -> None:
        """Show what is below, once: a key of the same burst that still comes here takes nothing else away."""
        if self.app.screen is self:
            self.app.pop_screen()

    def reload(self) -> None:
        """Look at the workspace again, without waiting, and paint all of the screen."""
        self.ingest.paint_all()
        self.ingest.feed.look_now()
        self.catch_up()
