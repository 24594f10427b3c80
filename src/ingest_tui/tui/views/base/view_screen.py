"""What all views have in common: header, filter, hint line, footer, movement, marks, and what is remembered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from ingest_tui.model.safe_text import safe_display
from ingest_tui.tui import wording
from ingest_tui.tui.actions.actions import Action
from ingest_tui.tui.client.feed import FeedUpdate
from ingest_tui.tui.header import footer
from ingest_tui.tui.navigation.views import VIEW_NAMES, VIEWS
from ingest_tui.tui.views.base.copy_and_edit import Carrying
from ingest_tui.tui.widgets.command_line import CommandLine
from ingest_tui.tui.widgets.line import Line
from ingest_tui.tui.widgets.panel import title_panel
from ingest_tui.tui.widgets.table import VirtualTable
from ingest_tui.tui.widgets.tabs import Tabs
from ingest_tui.tui.widgets.text import TextLines

AGES_SECONDS = 5.0
MOST_MARKS_REMEMBERED = 1000
_COMPOSING_SECONDS = 0.02
_SAID = (VirtualTable.Moved, VirtualTable.Scrolled, TextLines.Moved)
_OPENERS = {"command", "filter", "log.filter", "find"}


class ViewScreen(Carrying):
    """A full view. Subclasses compose their body, name their main table, and do their actions."""

    AUTO_FOCUS = ""  # the first of its widgets is the filter, which is hidden: keys would be lost in it
    heading: ClassVar[str] = ""
    sorts: ClassVar[dict[str, str]] = {}
    panels: ClassVar[dict[str, str]] = {}
    """The ids of the panels next to the main one, with what their borders say."""

    def __init__(self) -> None:
        super().__init__()
        self.words = ""
        self.sort = next(iter(self.sorts), "")
        self._is_set_up = False
        self._was_composed = False
        self._row_before_filter = ""
        self.why_unread: list[str] = []
        self.reversed = False
        self.info = ""
        """What the border of the main panel says of the list: how many rows, how filtered, ordered and marked."""

    # Composition

    def compose(self) -> ComposeResult:
        """Header, tabs, filter, body, hint and footer."""
        yield Line(id="header")
        yield Tabs(id="tabs")
        yield Input(id="filter", placeholder="filter", compact=True, select_on_focus=False)
        with Container(id="body"):
            yield from self.compose_body()
        yield Line(id="hint")
        yield Line(id="keys")
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

    def focus_main(self) -> None:
        """Give the main widget the focus."""
        self.query_one(f"#{self.main_id}").focus()

    def on_screen_resume(self) -> None:
        """Catch up with what happened while another view was shown."""
        self.ingest.arrived(self)
        self._have_focus()
        self.say_header()
        self.catch_up()

    def on_resize(self) -> None:
        """Say the lines again for the new width."""
        self.end_zoom()
        self._have_focus()
        self.say_header()
        self.say_keys()

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

    def show_words(self, words: str) -> None:
        """Show what these words find: by the filter, where a view has nothing better."""
        self.words = words
        self.rows_changed()

    def on_key(self, event: events.Key) -> None:
        """Keep keys in their order that come in bunches, as on a slow link.

        Bindings wait until a key has gone through all widgets; what is typed after a ``:`` would overtake it. So the
        keys that open a field act here, and a field gets the letters that were typed before it had the focus.
        """
        if isinstance(self.focused, Input):
            if event.is_printable and event.character:
                event.stop()
                self.focused.insert_text_at_cursor(event.character)
            elif isinstance(self.focused, CommandLine) and event.key in CommandLine.own_keys:
                event.stop()
                self.focused.press(event.key)
            return
        for action in self.ingest.registry.of(self.view):
            if action.id in _OPENERS and event.key in action.keys.split(","):
                event.stop()
                event.prevent_default()
                self.perform(action.id)

    @property
    def is_whole(self) -> bool:
        """Whether the view has its widgets: not before it is composed, nor while it is being taken away."""
        return self.is_mounted and self.is_attached and bool(self.query("#header"))

    def _is_composed(self) -> bool:
        self._was_composed = self._was_composed or all(child.is_mounted for child in self.walk_children(Widget))
        return self._was_composed

    async def _dispatch_message(self, message: Message) -> None:
        """Let what the widgets say wait until all of them are there: what is said of one is shown in another."""
        if isinstance(message, _SAID) and not self._is_composed():
            self.set_timer(_COMPOSING_SECONDS, partial(self.post_message, message))
        else:
            await super()._dispatch_message(message)

    # Lines around the body

    def say_header(self) -> None:
        """Say where we are and how the workspace is doing."""
        if self.is_whole:
            self.query_one("#header", Line).say(self.ingest.header(self.place(), self.size.width))
            names = [(key, view.title, view.name) for key, view in VIEWS.items()]
            self.query_one(Tabs).show(names, self.app.current_mode, self.size.width)

    def place(self) -> str:
        """Where we are: ``Jobs > all``."""
        return self.heading

    @on(Tabs.Chosen)
    def tab_chosen(self, event: Tabs.Chosen) -> None:
        """Show the view whose tab was clicked."""
        self.go_to(event.name)

    def say_keys(self) -> None:
        """Say the most useful keys, as many as fit."""
        actions = [action for action in self.ingest.registry.of(self.view) if action.hint]
        self.query_one("#keys", Line).say(
            footer([(action.shown_keys, action.hint) for action in actions], self.size.width)
        )

    def say_info(self, shown: int, total: int, word: str, note: str = "", *, order: str | None = None) -> None:
        """Say how the list is filtered, sorted (``order``, where it is not the chosen one) and marked, and a note."""
        number = wording.plural(total, word) if shown == total else f"{shown:,} of {wording.plural(total, word)}"
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

    def catch_up(self) -> None:
        """Take in all that is known; called when the view is shown again."""

    def rows_changed(self) -> None:
        """Filter, order or marks have changed: show the rows again."""
        self.catch_up()

    # Actions

    def move_down(self) -> None:
        """Go one down."""
        self.target.move(1)

    def move_up(self) -> None:
        """Go one up."""
        self.target.move(-1)

    def move_top(self) -> None:
        """Go to the first."""
        self.target.move_to_end(first=True)

    def move_bottom(self) -> None:
        """Go to the last."""
        self.target.move_to_end(first=False)

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

    def start_filter(self) -> None:
        """Open the filter."""
        self._row_before_filter = self.row_key
        entry = self.query_one("#filter", Input)
        entry.value = self.words
        self.add_class("-filtering")
        self.set_focus(entry)

    def close_filter(self) -> None:
        """Close and empty the filter. The cursor stays on its row; from a filter that was being typed it goes back."""
        before = self._row_before_filter if self.has_class("-filtering") else ""
        self._keep_row()
        self.words = ""
        self.query_one("#filter", Input).value = ""
        self.remove_class("-filtering")
        self.focus_main()
        self.rows_changed()
        if before:
            self.select_row(before)

    def _start_over(self) -> None:
        for table in self.query(f"#{self.main_id}").results(VirtualTable):
            table.start_over()

    def _keep_row(self) -> None:
        for table in self.query(f"#{self.main_id}").results(VirtualTable):
            table.keep_row()

    @on(Input.Changed, "#filter")
    def filter_typed(self, event: Input.Changed) -> None:
        """Filter while a person types."""
        if self.has_class("-filtering"):
            self.words_typed(event.value.strip())

    def words_typed(self, words: str) -> None:
        """Filter by these words."""
        if words != self.words:
            self.words = words
            self._start_over()
            self.rows_changed()

    @on(Input.Submitted, "#filter")
    def filter_done(self) -> None:
        """Go on to the rows; the one under the cursor is what the filter has found."""
        self.remove_class("-filtering")
        self._keep_row()
        self.focus_main()

    def toggle_mark(self) -> None:
        """Mark the row under the cursor."""
        self.main_table.toggle_mark()
        self.rows_changed()

    def toggle_range(self) -> None:
        """Mark every row that the cursor passes from here on, or end that."""
        begins = self.main_table.toggle_range()
        self.say_hint("marking: move, then v ends it" if begins else "")
        self.rows_changed()

    def mark_all(self) -> None:
        """Mark all rows that are shown."""
        self.main_table.mark_all()
        self.rows_changed()

    def choose_sort(self) -> None:
        """Let a person choose the order."""
        from ingest_tui.tui.dialogs.dialogs import Choose

        def chosen(name: str | None) -> None:
            if name:
                self.sort, self.reversed = name, False
                self.main_table.start_over()
                self.rows_changed()

        self.app.push_screen(Choose("Sort by", list(self.sorts.items())), chosen)

    def reverse_sort(self) -> None:
        """Turn the order around."""
        self.reversed = not self.reversed
        self.main_table.start_over()
        self.rows_changed()

    def menu_targets(self) -> list[str]:
        """The keys of what the menu is for: the marked rows, or the one under the cursor."""
        return self.main_table.chosen_keys

    def menu_name(self, key: str) -> str:
        """What the title of the menu calls the row of a key."""
        return key

    def offers(self, action: Action) -> bool:
        """Tell whether the menu offers an action for what it is opened for."""
        del action
        return True

    def open_menu(self) -> None:
        """Offer what can be done with the marked rows."""
        from ingest_tui.tui.dialogs.dialogs import Choose

        chosen = self.menu_targets()
        if not chosen:
            return
        actions = [one for one in self.ingest.registry.of(self.view) if one.menu and self.offers(one)]
        offered = [(action.id, f"{action.title}   {action.shown_keys}") for action in actions]
        keys = {key: action.id for action in actions for key in action.keys.split(",")}
        what = safe_display(self.menu_name(chosen[0]), limit=40) if len(chosen) == 1 else f"{len(chosen)} marked"

        def picked(action_id: str | None) -> None:
            if action_id and self.menu_targets() != chosen:
                self.show_notice("not done: other rows are here now", f"the actions were for {what}", bad=True)
            elif action_id:
                self.perform(action_id)

        self.app.push_screen(Choose(f"Actions for {what}", offered, keys=keys), picked)

    def reload(self) -> None:
        """Look at the workspace again, without waiting, and paint all of the screen."""
        self.ingest.paint_all()
        self.ingest.feed.look_now()
        self.catch_up()
