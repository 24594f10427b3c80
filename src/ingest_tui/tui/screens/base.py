"""What all views have in common: header, filter, hint line, footer, movement, and the actions that work everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input

from ingest_tui.model.naming import safe_display
from ingest_tui.tui import wording
from ingest_tui.tui.actions import BY_ID, actions_of, command_lines
from ingest_tui.tui.asking import Asking
from ingest_tui.tui.feed import FeedUpdate
from ingest_tui.tui.views import VIEW_NAMES
from ingest_tui.tui.widgets.line import Line
from ingest_tui.tui.widgets.table import VirtualTable
from ingest_tui.tui.widgets.text import TextLines

if TYPE_CHECKING:
    from ingest_tui.tui.app import IngestApp

AGES_SECONDS = 5.0
WIDE = 140


def matches(searchable: str, words: str) -> bool:
    """Tell whether a row passes the filter: every word is in it, and no word behind a ``!`` is."""
    for word in words.lower().split():
        if word.startswith("!"):
            if len(word) > 1 and word[1:] in searchable:
                return False
        elif word not in searchable:
            return False
    return True


class ViewScreen(Asking, Screen[None]):
    """A full view. Subclasses compose their body, name their main table, and do their actions."""

    view: ClassVar[str] = ""
    heading: ClassVar[str] = ""
    sorts: ClassVar[dict[str, str]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.words = ""
        self.sort = next(iter(self.sorts), "")
        self.reversed = False

    @property
    def ingest(self) -> IngestApp:
        """The application, with its type."""
        return cast("IngestApp", self.app)

    # Composition

    def compose(self) -> ComposeResult:
        """Header, filter, body, hint and footer."""
        yield Line(id="header")
        yield Input(id="filter", placeholder="filter", compact=True, select_on_focus=False)
        yield Line(id="info")
        with Container(id="body"):
            yield from self.compose_body()
        yield Line(id="hint")
        yield Line(id="keys")

    def compose_body(self) -> ComposeResult:
        """The inside of the view."""
        yield from ()

    def on_mount(self) -> None:
        """Keep still what would blink, and let ages grow."""
        self.query_one("#filter", Input).cursor_blink = False
        self.set_interval(AGES_SECONDS, self.redraw_ages)
        self.query_one(f"#{self.main_id}").focus()
        self.say_header()
        self.say_keys()

    def on_screen_resume(self) -> None:
        """Catch up with what happened while another view was shown."""
        self.say_header()
        self.catch_up()

    def on_resize(self) -> None:
        """Say the lines anew for the new width."""
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

    def on_key(self, event: events.Key) -> None:
        """Give a field the letters that were typed before it had the focus: on a slow link keys come in bunches."""
        if event.is_printable and event.character and isinstance(self.focused, Input):
            event.stop()
            self.focused.insert_text_at_cursor(event.character)

    # Lines around the body

    def say_header(self) -> None:
        """Say where we are and how the workspace is doing."""
        if self.is_mounted:
            self.query_one("#header", Line).say(self.ingest.header(self.place(), self.view, self.size.width))

    def place(self) -> str:
        """Where we are: ``Jobs > all``."""
        return self.heading

    def say_keys(self) -> None:
        """Say the most useful keys, as many as fit."""
        parts = [f"{action.shown_keys} {action.hint}" for action in actions_of(self.view) if action.hint]
        self.query_one("#keys", Line).say(Content(" " + "  ".join(parts)))

    def say_info(self, shown: int, total: int, word: str, note: str = "") -> None:
        """Say how the list is filtered, sorted and marked, and a note of the view."""
        number = wording.plural(total, word) if shown == total else f"{shown:,} of {wording.plural(total, word)}"
        parts = [number]
        if note:
            parts.insert(0, safe_display(note))
        if self.words:
            parts.insert(0, f"/{safe_display(self.words)}")
        if self.sort:
            parts.append(f"sort: {self.sort} {'^' if self.reversed else 'v'}")
        marks = len(self.main_table.marks)
        if marks:
            parts.append(f"{marks} marked")
        self.query_one("#info", Line).say("  " + "   ".join(parts))

    def say_hint(self, text: str, tone: str = "") -> None:
        """Say something about the row under the cursor."""
        style = {"bad": "$text-error", "warn": "$text-warning"}.get(tone, "$text-muted")
        self.query_one("#hint", Line).say(Content.assemble((" " + safe_display(text), style)))

    def redraw_ages(self) -> None:
        """Repaint what reads differently now."""
        for table in self.query(VirtualTable):
            table.redraw_changed()

    # What subclasses do

    def feed_changed(self, update: FeedUpdate) -> None:
        """Take in what is new; called for shown views only."""

    def catch_up(self) -> None:
        """Take in all that is known; called when the view is shown again."""

    def rows_changed(self) -> None:
        """Filter, order or marks have changed: show the rows anew."""
        self.catch_up()

    def command_values(self) -> dict[str, str]:
        """What the command lines of this view can be filled with."""
        return {}

    # Actions

    def action_perform(self, action_id: str) -> None:
        """Do an action of the registry; every key binding ends here."""
        BY_ID[action_id].run(self)

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

    def go_to(self, view: str) -> None:
        """Show a top view."""
        self.ingest.show_view(view)

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
            self.app.pop_screen()

    def start_filter(self) -> None:
        """Open the filter."""
        entry = self.query_one("#filter", Input)
        entry.value = self.words
        self.add_class("-filtering")
        self.set_focus(entry)

    def close_filter(self) -> None:
        """Close and empty the filter."""
        self.words = ""
        self.query_one("#filter", Input).value = ""
        self.remove_class("-filtering")
        self.query_one(f"#{self.main_id}").focus()
        self.rows_changed()

    @on(Input.Changed, "#filter")
    def filter_typed(self, event: Input.Changed) -> None:
        """Filter while a person types."""
        if self.has_class("-filtering") and event.value.strip() != self.words:
            self.words = event.value.strip()
            self.rows_changed()

    @on(Input.Submitted, "#filter")
    def filter_done(self) -> None:
        """Go on to the rows."""
        self.remove_class("-filtering")
        self.query_one(f"#{self.main_id}").focus()

    def toggle_mark(self) -> None:
        """Mark the row under the cursor."""
        self.main_table.toggle_mark()
        self.rows_changed()

    def mark_all(self) -> None:
        """Mark all rows that are shown."""
        self.main_table.mark_all()
        self.rows_changed()

    def choose_sort(self) -> None:
        """Let a person choose the order."""
        from ingest_tui.tui.screens.dialogs import Choose

        def chosen(name: str | None) -> None:
            if name:
                self.sort, self.reversed = name, False
                self.rows_changed()

        self.app.push_screen(Choose("Sort by", list(self.sorts.items())), chosen)

    def reverse_sort(self) -> None:
        """Turn the order around."""
        self.reversed = not self.reversed
        self.rows_changed()

    def open_menu(self) -> None:
        """Offer what can be done with the marked rows."""
        from ingest_tui.tui.screens.dialogs import Choose

        chosen = self.main_table.chosen_keys
        if not chosen:
            return
        offered = [
            (action.id, f"{action.title}   {action.shown_keys}") for action in actions_of(self.view) if action.menu
        ]
        what = safe_display(chosen[0], limit=40) if len(chosen) == 1 else f"{len(chosen)} marked"

        def picked(action_id: str | None) -> None:
            if action_id:
                self.action_perform(action_id)

        self.app.push_screen(Choose(f"Actions for {what}", offered), picked)

    def show_commands(self) -> None:
        """Show what one would type in a shell instead."""
        from ingest_tui.tui.screens.dialogs import Choose

        lines = list(dict.fromkeys((line, line) for _action, line in command_lines(self.view, self.command_values())))

        def picked(line: str | None) -> None:
            if line:
                self.ingest.send_to_clipboard(line)

        self.app.push_screen(Choose("Command lines (enter sends one to the clipboard)", lines), picked)

    def show_help(self) -> None:
        """Show all keys and actions."""
        from ingest_tui.tui.screens.help import Help

        def picked(action_id: str | None) -> None:
            if action_id:
                self.action_perform(action_id)

        self.app.push_screen(Help(self.view), picked)

    def show_palette(self) -> None:
        """Open the command palette."""
        self.app.action_command_palette()

    def reload(self) -> None:
        """Look at the workspace again, without waiting."""
        self.ingest.feed.look_now()
        self.catch_up()

    def leave(self) -> None:
        """End the screen; jobs go on in their workers."""
        self.app.exit(return_code=0)

    def start_worker(self) -> None:
        """Start a worker that outlives this screen."""
        self.tell("starting a worker …")
        gateway = self.ingest.gateway
        self.ask(gateway.start_worker, lambda pid: self._worker_changed(f"worker {pid} runs"), group="worker")

    def ensure_worker(self) -> None:
        """After something was queued: start a worker when there is none, and say so."""

        def told(pid: int | None) -> None:
            if pid is not None:
                self._worker_changed(f"started worker {pid}: it goes on when this screen is closed")

        self.ask(self.ingest.gateway.ensure_worker, told, group="worker")

    def stop_workers(self) -> None:
        """Stop the workers; their jobs wait for the next one."""
        gateway = self.ingest.gateway
        self.ask(
            gateway.stop_workers,
            lambda number: self._worker_changed(f"asked {wording.plural(number, 'worker')} to end"),
            group="worker",
        )

    def _worker_changed(self, text: str) -> None:
        self.tell(text)
        self.ingest.feed.look_now()
