"""The application: which view is shown, what is known of the workspace, and how it starts and ends."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from rich.segment import Segments
from rich.text import Text
from textual import events, on
from textual._compositor import CompositorUpdate
from textual.content import Content
from textual.driver import Driver
from textual.filter import ANSIToTruecolor, LineFilter, NoColor
from textual.geometry import Size
from textual.screen import Screen

from ingest_tui.model.clock import posix_seconds
from ingest_tui.model.errors import IngestError, UsageError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.services.client import Client
from ingest_tui.services.noted_warnings import note_warnings
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.view_state import read_view_state, write_view_state
from ingest_tui.tui.actions.action_registry import Registry
from ingest_tui.tui.actions.undo import UndoStack
from ingest_tui.tui.background.input_queue import InputQueue
from ingest_tui.tui.background.messages import CatalogueRebuilt, WorkspaceChanged
from ingest_tui.tui.background.questions import Asking
from ingest_tui.tui.client.feed import Feed, FeedUpdate
from ingest_tui.tui.header import TINY_HEIGHT, TINY_WIDTH, WIDE, header
from ingest_tui.tui.navigation.navigation import Going
from ingest_tui.tui.navigation.recent import lines_of
from ingest_tui.tui.navigation.views import VIEWS
from ingest_tui.tui.terminal import clipboard, safety, themes
from ingest_tui.tui.terminal.characters import OnlyAscii, draws_lines, terminal_encoding
from ingest_tui.tui.terminal.closed_widgets import let_go_of_closed_widgets
from ingest_tui.tui.terminal.painting import Painting
from ingest_tui.tui.terminal.preferences import read_preferences
from ingest_tui.tui.views.base.view_screen import ViewScreen
from ingest_tui.tui.views.jobs.endings import ended_now, notice
from ingest_tui.tui.views.jobs.jobs_model import JobRow, JobsModel
from ingest_tui.tui.widgets.glyphs import Glyphs

if TYPE_CHECKING:
    from ingest_tui.store.catalogue.rebuild_progress import RebuildProgress
    from ingest_tui.tui.application import Application

EXIT_GRACE_SECONDS = 3.0
DEFAULT_WORKSPACE = "workspace"
TOAST_SECONDS = 1.0
SECONDS_BETWEEN_REBUILD_NOTICES = 5.0


class IngestApp(Going):
    """Shows a workspace and leaves requests in it. Runs no job: closing it changes nothing."""

    TITLE = "ingest-tui"
    CSS_PATH = "app.tcss"
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {view.name: view.load for view in VIEWS.values()}
    DEFAULT_MODE = "overview"
    ENABLE_COMMAND_PALETTE = False  # that of the library; ours is an action as the others are
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - as the base class declares it
        (0, "-tiny"),
        (TINY_WIDTH, "-narrow"),
        (80, "-normal"),
        (WIDE, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (TINY_HEIGHT, "-tall")]  # noqa: RUF012

    def __init__(
        self,
        root: Path,
        *,
        client: Client | None = None,
        now: Callable[[], float] = posix_seconds,
        slow_link: bool = False,
        read_only: bool = False,
        theme: str | None = None,
        driver_class: type[Any] | None = None,
    ) -> None:
        let_go_of_closed_widgets()
        super().__init__(driver_class=driver_class)
        self.preferences = read_preferences(root)
        self.input_queue = InputQueue(self, self._tell_of_keys)
        self.registry = Registry(self.preferences.keymap, read_only=read_only)
        self.set_keymap(self.registry.keys_by_binding())
        self._slow_link = slow_link
        self._without_colour = NoColor()
        for own in themes.own_themes():
            self.register_theme(own)
        self.use_theme(theme or self.preferences.theme)
        self.animation_level = "none"
        self._acting_characters = safety.ActingCharacters()
        self._only_ascii = OnlyAscii(terminal_encoding())
        self.painting = Painting()
        self.root = root
        self.now = now
        self.client = client or Client(root, read_only=read_only)
        self.client.read_only = read_only
        self.client.on_rebuild = self._show_rebuild
        self._rebuild_shown_at = 0.0
        self.view_state = read_view_state(Layout(root))
        self.command_history = lines_of(self.view_state.get("commands", {}))
        self.undo_stack = UndoStack()
        self.recent_actions = lines_of(self.view_state.get("palette", {}))
        self._ended: list[JobRow] = []
        self.model = JobsModel()
        self.glyphs = Glyphs(ascii_only=not draws_lines(encoding=terminal_encoding()))
        self.set_class(self.glyphs.ascii_only, "-ascii")
        self.failure: IngestError | None = None
        self._checked = False
        self.living_workers: tuple[Any, ...] = ()
        self.knows_workers = False
        self.end_for_certain_after: float | None = None
        self.feed = Feed(
            root,
            self._post_update,
            workers=self.client.workers.list,
            interval=1.0 if slow_link else 0.25,
            rescan=5.0 if slow_link else 3.0,
        )

    async def on_event(self, event: events.Event) -> None:
        """Let keys, clicks and pastes act one after another."""
        if isinstance(event, events.Resize):
            self._terminal_resized(event.size)
        if not self.input_queue.takes(event):
            await super().on_event(event)

    def _terminal_resized(self, size: Size) -> None:
        self.painting.resized(*size)
        if self.screen_stack and size == self.screen.size:
            # It had another size for a moment, of which no layout was made: nothing else would paint what that has cut.
            self.screen.refresh()

    def _tell_of_keys(self, text: str) -> None:
        self.notify(text, timeout=4, markup=False)

    # Start and end

    def on_mount(self) -> None:
        """Follow the workspace once the first screen is painted."""
        note_warnings()
        self.call_after_refresh(self.feed.start)
        problems = [*self.preferences.problems, *self.registry.problems]
        if problems:
            where = safe_display(str(Layout(self.root).settings))
            text = "\n".join([*problems, f"change it in {where}"])
            self.notify(text, severity="warning", timeout=20, markup=False)

    def _check(self) -> None:
        """Open the workspace, in a thread and after the first rows: what that needs to load would keep them waiting."""
        try:
            self.client.check()
        except IngestError as error:
            self.failure = error
            self.call_from_thread(self.exit, return_code=1)

    def on_unmount(self) -> None:
        """Stop following."""
        self.input_queue.close()
        self.feed.stop(wait=0.2)
        if self.end_for_certain_after is not None:
            # A thread that waits for a dead network share must not keep the shell from coming back.
            safety.end_for_certain(self.return_code or 0, after=self.end_for_certain_after)
        if not self.client.read_only:
            recent = {"commands": {"lines": self.command_history}, "palette": {"lines": self.recent_actions}}
            write_view_state(Layout(self.root), self.view_state | recent)

    def exit(self, result: int | None = None, return_code: int = 0, message: Any = None) -> None:
        """End, and take note of what the views are to remember while they are still there."""
        for stack in self._screen_stacks.values():
            for screen in stack:
                if isinstance(screen, ViewScreen) and screen.is_whole:
                    self.view_state[screen.view] = screen.state_to_remember()
        super().exit(result, return_code, message)

    def use_theme(self, name: str) -> None:
        """Colour the screen in one of `themes.THEMES`."""
        self.theme_used = themes.resolved(name, slow_link=self._slow_link)
        # Textual's own answer to NO_COLOR is greyscale in true colour; ours is no colour code at all.
        self._filters = [known for known in self._filters if isinstance(known, ANSIToTruecolor)]
        made = themes.readable_theme(self.theme_used)
        if made is not None:
            self.register_theme(made)
        self.theme = themes.name_in_textual(self.theme_used)

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        """Send of an update only what looks different from what the terminal shows."""
        if isinstance(renderable, CompositorUpdate):
            renderable = self.painting.only_changes(renderable)
        super()._display(screen, cast("Any", renderable))

    @on(Driver.SignalResume)
    def paint_after_suspension(self) -> None:
        """Paint the screen that the shell has taken away; Textual does so only where it ran another program itself."""
        self.paint_all()

    def paint_all(self) -> None:
        """Send the whole screen again, whatever the terminal shows: other programs may have written to it."""
        self.painting.forget()
        self.screen.refresh()

    def get_line_filters(self) -> list[LineFilter]:
        """Return the filters of every painted line; the last one lets no control character of the data through."""
        plain: list[LineFilter] = [self._without_colour] if self.theme_used == themes.NO_COLOUR else []
        drawn: list[LineFilter] = [self._only_ascii] if self.glyphs.ascii_only else []
        return [*super().get_line_filters(), *plain, *drawn, self._acting_characters]

    def _handle_exception(self, error: Exception) -> None:
        """End with a report that shows no values: Textual's own prints local variables, secrets among them."""
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        report = Text("\n".join(safety.crash_report(error)))
        self._exit_renderables.append(Segments(self.console.render(report, self.console.options)))
        self._close_messages_no_wait()

    def _refresh_notifications(self) -> None:
        """Have a view show notices in a line of its own, where they cover nothing; a dialog has those of Textual."""
        super()._refresh_notifications()
        if self.screen_stack and isinstance(self.screen, ViewScreen):
            # Of the collection itself `list` asks the length, which drops what has run out meanwhile.
            self.screen.show_notices(list(iter(self._notifications)))

    # What is known

    def _post_update(self, update: FeedUpdate) -> None:
        self.post_message(WorkspaceChanged(update))

    @on(WorkspaceChanged)
    def workspace_changed(self, event: WorkspaceChanged) -> None:
        """Take in what the feed has seen, and notify the views that are shown."""
        if not self.screen_stack:
            return  # the program ends
        update = event.update
        if not self._checked:
            self._checked = True
            self.run_worker(self._check, thread=True, exit_on_error=False)
        self._note_endings(update)
        self.model.merge(update.changed, update.removed)
        self.model.complete = self.model.complete or update.complete
        if update.failure is not None:
            self._show_feed_failure(update.failure)
        if update.workers is not None:
            self.living_workers, self.knows_workers = update.workers, True
        # Only the view on top, which a dialog may stand over: one below it would have the whole screen painted again,
        # and catches up when it is shown again.
        shown = next((screen for screen in reversed(self.screen_stack) if isinstance(screen, ViewScreen)), None)
        if shown is not None and shown.is_whole:
            shown.feed_changed(update)
            shown.say_header()

    def _show_rebuild(self, progress: RebuildProgress) -> None:
        self.post_message(CatalogueRebuilt(progress))

    @on(CatalogueRebuilt)
    def catalogue_rebuilt(self, event: CatalogueRebuilt) -> None:
        """Say why answers have to wait, how far it is, and how it ended."""
        if not self.screen_stack:
            return  # the program ends
        progress, now = event.progress, self.now()
        if progress.ended:
            self.notify(
                progress.in_words(),
                severity="warning" if progress.problems else "information",
                timeout=20,
                markup=False,
            )
            self._rebuild_shown_at = 0.0
        elif now - self._rebuild_shown_at >= SECONDS_BETWEEN_REBUILD_NOTICES:
            so_far = f": {progress.documents:,} so far" if progress.documents else ""
            lasting = SECONDS_BETWEEN_REBUILD_NOTICES
            self.notify(f"{progress.in_words()}{so_far}", severity="warning", timeout=lasting, markup=False)
            self._rebuild_shown_at = now

    def _show_feed_failure(self, failure: str) -> None:
        if failure:
            message = f"this screen does not follow the workspace right now ({failure}); it looks again"
            self.notify(message, severity="error", timeout=20, markup=False)
        else:
            self.notify("this screen follows the workspace again", timeout=6, markup=False)

    def _note_endings(self, update: FeedUpdate) -> None:
        """Say what ended while a person looked elsewhere: what ends within a moment in one notice."""
        ended = ended_now(self.model.rows, update.changed, complete=self.model.complete)
        unseen = [row for row in ended if not self._is_seen(row)]
        if unseen and not self._ended:
            self.set_timer(TOAST_SECONDS, self._announce_endings)
        self._ended += unseen

    def _is_seen(self, row: JobRow) -> bool:
        screen = self.screen
        return isinstance(screen, ViewScreen) and screen.shows_job(row.job_id)

    def _announce_endings(self) -> None:
        text, bad = notice(self._ended)
        self._ended = []
        self.notify(text, severity="warning" if bad else "information", timeout=6, markup=False)

    @property
    def is_changing(self) -> bool:
        """Whether a change that a screen has asked for is still under way."""
        screens = [screen for stack in self._screen_stacks.values() for screen in stack]
        nodes = [node for screen in screens for node in screen.walk_children(Asking, with_self=True)]
        return any(node.is_changing for node in nodes)

    @property
    def workspace_to_name(self) -> str:
        """The workspace as command lines have to name it; empty where it is the default one of this folder."""
        is_default = os.path.abspath(DEFAULT_WORKSPACE) == os.path.abspath(self.root)  # noqa: PTH100 - links stay
        return "" if is_default else os.path.abspath(self.root)  # noqa: PTH100

    @property
    def worker_hint(self) -> str:
        """What to say when something is queued and nobody works."""
        return "no worker is running: w starts one" if self.knows_workers and not self.living_workers else ""

    def header(self, place: str, width: int) -> Content:
        """Return the first line of a view."""
        workers = self.living_workers if self.knows_workers else None
        return header(self.root.name, place, width, jobs=self.model, workers=workers, read_only=self.client.read_only)

    def send_to_clipboard(self, text: str) -> bool:
        """Send a text to the terminal's clipboard; whether it takes it, nobody can know. False: it is too long."""
        sequence = clipboard.sequence(text)
        if self._driver is not None and sequence:
            self._driver.write(sequence)
            self.notify("sent to the terminal's clipboard", timeout=3, markup=False)
        return bool(sequence)


if TYPE_CHECKING:
    _application: type[Application] = IngestApp  # the type check sees that it is one


def run_tui(root: Path, *, slow_link: bool = False, read_only: bool = False, theme: str | None = None) -> int:
    """Show the workspace in ``root`` until a person quits; returns the exit code.

    Raises `UsageError` where there is no usable terminal, and what `open_workspace_at` raises.
    """
    if not safety.terminal_is_usable():
        raise UsageError(
            "the full-screen view needs a terminal",
            hint="'ingest-tui --watch' works without one; 'ingest-tui job list' prints the jobs",
        )
    root = Path(os.path.abspath(root))  # noqa: PTH100 - resolve() would follow a link that people named on purpose
    if not Layout(root).settings.exists():
        Client(root).check()
    from ingest_tui.tui.terminal.driver import TolerantDriver

    app = IngestApp(root, slow_link=slow_link, read_only=read_only, theme=theme, driver_class=TolerantDriver)
    app.end_for_certain_after = EXIT_GRACE_SECONDS
    app.run(mouse=not slow_link)
    if app.failure is not None:
        raise app.failure
    return app.return_code or 0
