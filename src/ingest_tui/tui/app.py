"""The application: which view is shown, what is known of the workspace, and how it starts and ends."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from rich.segment import Segments
from rich.text import Text
from textual import on
from textual.app import App
from textual.content import Content
from textual.filter import LineFilter
from textual.screen import Screen

from ingest_tui.model.errors import IngestError, UsageError
from ingest_tui.model.naming import safe_display
from ingest_tui.store.layout import Layout
from ingest_tui.tui import clipboard, safety, wording
from ingest_tui.tui.feed import Feed, FeedUpdate
from ingest_tui.tui.gateway import Gateway
from ingest_tui.tui.jobs_model import JobsModel
from ingest_tui.tui.messages import WorkspaceChanged
from ingest_tui.tui.screens.base import WIDE, ViewScreen
from ingest_tui.tui.views import VIEWS

EXIT_GRACE_SECONDS = 3.0
TINY_WIDTH, TINY_HEIGHT = 40, 10


def _palette() -> type[Any]:
    from ingest_tui.tui.palette import ActionsProvider

    return ActionsProvider


class IngestApp(App[int]):
    """Shows a workspace and leaves requests in it. Runs no job: closing it changes nothing."""

    TITLE = "ingest-tui"
    CSS_PATH = "app.tcss"
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {view.name: view.load for view in VIEWS.values()}
    DEFAULT_MODE = "jobs"
    COMMANDS: ClassVar[set[Any]] = {_palette}
    ENABLE_COMMAND_PALETTE = True
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
        gateway: Gateway | None = None,
        now: Callable[[], float] = time.time,
        slow_link: bool = False,
        driver_class: type[Any] | None = None,
    ) -> None:
        plain = slow_link or bool(os.environ.get("NO_COLOR"))
        super().__init__(driver_class=driver_class, ansi_color=True if plain else None)
        if plain:
            self.theme = "ansi-dark"
        self.animation_level = "none"
        self._acting_characters = safety.ActingCharacters()
        self.root = root
        self.now = now
        self.gateway = gateway or Gateway(root)
        self.model = JobsModel()
        self.trouble: IngestError | None = None
        self._checked = False
        self.living_workers: tuple[Any, ...] = ()
        self.told_of_workers = False
        self.end_for_certain_after: float | None = None
        self.feed = Feed(
            root,
            self._tell,
            workers=self.gateway.workers,
            interval=1.0 if slow_link else 0.25,
            rescan=5.0 if slow_link else 3.0,
        )

    # Start and end

    def on_mount(self) -> None:
        """Follow the workspace once the first screen is painted."""
        self.call_after_refresh(self.feed.start)

    def _check(self) -> None:
        """Open the workspace, in a thread and after the first rows: what that needs to load would keep them waiting."""
        try:
            self.gateway.check()
        except IngestError as error:
            self.trouble = error
            self.call_from_thread(self.exit, return_code=1)

    def on_unmount(self) -> None:
        """Stop following."""
        self.feed.stop(wait=0.2)
        if self.end_for_certain_after is not None:
            # A thread that waits for a dead network share must not keep the shell from coming back.
            safety.end_for_certain(self.return_code or 0, after=self.end_for_certain_after)

    def get_line_filters(self) -> list[LineFilter]:
        """Return the filters of every painted line; the last one lets no control character of the data through."""
        return [*super().get_line_filters(), self._acting_characters]

    def _handle_exception(self, error: Exception) -> None:
        """End with a report that shows no values: Textual's own prints local variables, secrets among them."""
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        report = Text("\n".join(safety.crash_report(error)))
        self._exit_renderables.append(Segments(self.console.render(report, self.console.options)))
        self._close_messages_no_wait()

    # What is known

    def _tell(self, update: FeedUpdate) -> None:
        self.post_message(WorkspaceChanged(update))

    @on(WorkspaceChanged)
    def workspace_changed(self, event: WorkspaceChanged) -> None:
        """Take in what the feed has seen, and tell the views that are shown."""
        update = event.update
        if not self._checked:
            self._checked = True
            self.run_worker(self._check, thread=True, exit_on_error=False)
        self.model.merge(update.changed, update.removed)
        self.model.complete = self.model.complete or update.complete
        if update.workers is not None:
            self.living_workers, self.told_of_workers = update.workers, True
        for screen in self.screen_stack:
            if isinstance(screen, ViewScreen) and screen.is_mounted:
                screen.feed_changed(update)
                screen.say_header()

    @property
    def worker_hint(self) -> str:
        """What to say when something is queued and nobody works."""
        return "no worker is running: w starts one" if self.told_of_workers and not self.living_workers else ""

    def header(self, place: str, view: str, width: int) -> Content:
        """Return the first line: workspace, place, counts, and who works."""
        running = self.model.number("running")
        failed = self.model.number("failed", "partial", "interrupted", wording.UNREADABLE)
        good = self.model.number("succeeded")
        waiting = self.model.number("queued", "paused")
        counts = f"{running} run  {failed} fail  {wording.count(good)} ok"
        if waiting:
            counts = f"{waiting} wait  {counts}"
        if width < TINY_WIDTH:
            return Content(f"ingest {counts}")
        left = f" ingest {safe_display(self.root.name, limit=20)}  "
        if width >= WIDE:
            names = {known.name: f"{key} {known.title}" for key, known in VIEWS.items()}
            left += " ".join(f"[{name}]" if view == known else f" {name} " for known, name in names.items()) + "  |  "
        worker = self._worker_words(brief=False)
        if len(left) + len(place) + len(counts) + len(worker) + 5 > width:
            worker = self._worker_words(brief=True)
        room = width - len(left) - len(counts) - len(worker) - 5
        left += safe_display(place, limit=max(12, room))
        gap = max(2, width - len(left) - len(counts) - len(worker) - 3)
        colour = "$text-success" if self.living_workers else "$text-warning"
        return Content.assemble(left, " " * gap, counts, "  ", (worker, colour), " ")

    def _worker_words(self, *, brief: bool) -> str:
        if not self.told_of_workers:
            return "  worker …"
        if not self.living_workers:
            return "○ no worker: w" if brief else "○ no worker — w starts one"
        pids = ", ".join(str(worker.pid) for worker in self.living_workers[:3])
        return f"● pid {pids}" if brief else f"● worker pid {pids}"

    # Going places

    def show_view(self, view: str) -> None:
        """Show one of the top views, without what was opened over it."""
        if self.current_mode != view:
            self.switch_mode(view)
        else:
            while len(self.screen_stack) > 1:
                self.pop_screen()

    def add_source(self) -> None:
        """Go to the sources and open the form."""
        self.switch_mode("sources")
        self.call_later(self._open_form)

    def _open_form(self) -> None:
        from ingest_tui.tui.screens.sources import SourcesScreen

        if isinstance(self.screen, SourcesScreen):
            self.screen.add_source()

    def show_documents_of(self, source_id: str) -> None:
        """Show the documents of one source."""
        self.switch_mode("documents")
        self.call_later(self._narrow_documents, source_id)

    def _narrow_documents(self, source_id: str) -> None:
        from ingest_tui.tui.screens.documents import DocumentsScreen

        if isinstance(self.screen, DocumentsScreen):
            self.screen.show_source(source_id)

    def open_document(self, document_id: str, name: str) -> None:
        """Show the text of a document over the view."""
        from ingest_tui.tui.screens.document import DocumentScreen

        self.push_screen(DocumentScreen(self.gateway, document_id, name))

    def explain(self, target: str) -> None:
        """Show why a document is here, or why not."""
        from ingest_tui.tui.screens.report import Story

        self.push_screen(Story(self.gateway, target))

    def send_to_clipboard(self, text: str) -> None:
        """Send a line to the terminal's clipboard; whether it takes it, nobody can know."""
        sequence = clipboard.sequence(text)
        if self._driver is not None and sequence:
            self._driver.write(sequence)
            self.notify("sent to the terminal's clipboard", timeout=3, markup=False)


def run_tui(root: Path, *, slow_link: bool = False) -> int:
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
        Gateway(root).check()
    from ingest_tui.tui.driver import TolerantDriver

    app = IngestApp(root, slow_link=slow_link, driver_class=TolerantDriver)
    app.end_for_certain_after = EXIT_GRACE_SECONDS
    app.run(mouse=not slow_link)
    if app.trouble is not None:
        raise app.trouble
    return app.return_code or 0
