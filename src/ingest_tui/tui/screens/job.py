"""One job in detail: phases with their progress, counters, every document's outcome, and the log."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from ingest_tui.tui.actions import bindings_of
from ingest_tui.tui.feed import FeedUpdate
from ingest_tui.tui.job_actions import JobActions
from ingest_tui.tui.records import Record, job_record
from ingest_tui.tui.widgets.job_pane import SORTS, JobPane
from ingest_tui.tui.widgets.table import VirtualTable

_ROOM_FOR_BOTH = 34


class JobScreen(JobActions):
    """A job, opened from a list; Esc goes back."""

    view = "job"
    heading = "Jobs"
    sorts: ClassVar[dict[str, str]] = SORTS
    CSS_PATH = "job.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("job")]

    def __init__(self, job_id: str, *, log: bool = False) -> None:
        super().__init__()
        self.job_id = job_id
        self._log_first = log

    def compose_body(self) -> ComposeResult:
        """The job."""
        yield JobPane(id="job-pane")

    @property
    def main_id(self) -> str:
        """The outcomes have the focus."""
        return "job-items"

    @property
    def pane(self) -> JobPane:
        """The job."""
        return self.query_one("#job-pane", JobPane)

    def place(self) -> str:
        """Where we are."""
        return f"Jobs > {self.job_id[-4:]}"

    def reopener(self) -> tuple[str, Callable[[], JobScreen]]:
        """The job."""
        return f"job {self.job_id}", partial(JobScreen, self.job_id)

    def shows_job(self, job_id: str) -> bool:
        """Only this one."""
        return job_id == self.job_id

    def on_mount(self) -> None:
        """Follow the job."""
        super().on_mount()
        self.pane.follow(self.job_id)
        if self._log_first:
            self.show_log()

    def on_resize(self) -> None:
        """Show outcomes and log together when there is room."""
        super().on_resize()
        self.pane.set_class(self.size.height >= _ROOM_FOR_BOTH, "-both")
        self.pane.show_state()

    def feed_changed(self, update: FeedUpdate) -> None:
        """Read on when the feed has news of this job."""
        if any(row.job_id == self.job_id for row in update.changed):
            self.pane.refresh_job()

    def redraw_ages(self) -> None:
        """Let times grow while the job goes on."""
        super().redraw_ages()
        if self.pane.manifest is not None and not self.pane.manifest.ended:
            self.pane.show_state()

    def catch_up(self) -> None:
        """Show the outcomes that pass the filter."""
        self.pane.words, self.pane.sort, self.pane.reversed = self.words, self.sort, self.reversed
        self.pane.show_items()
        self.pane.refresh_job()
        self._say()

    @on(JobPane.ItemsShown)
    def items_shown(self) -> None:
        """Say how many are shown."""
        self._say()

    def _say(self) -> None:
        self.say_info(len(self.pane.items.rows), self.pane.number_of_items, "outcome")

    @on(VirtualTable.Moved, "#job-items")
    def moved(self) -> None:
        """Say what happened to the document under the cursor, and what to do."""
        self._say()
        row = self.pane.items.current
        if row is None:
            self.say_hint("")
            return
        outcome = row.outcome
        hint = f"  hint: {outcome.hint}" if outcome.hint else ""
        tone = "bad" if outcome.outcome == "failed" else ""
        self.say_hint(f"{outcome.detail or outcome.reason}{hint}", tone)

    # Actions

    def target_jobs(self) -> list[str]:
        """Return the job that is shown."""
        return [self.job_id]

    def command_values(self) -> dict[str, str]:
        """Name the job, and the document under the cursor."""
        row = self.pane.items.current
        values = {"job": self.job_id}
        if self.pane.manifest is not None:
            values["source"] = self.pane.manifest.source_id
        if row is not None:
            values["document"] = row.outcome.document_id or row.outcome.uri
        return values

    def copies(self) -> dict[str, str]:
        """The job, and of the document under the cursor its address and what is wrong with it."""
        row = self.pane.items.current
        if row is None:
            return super().copies()
        outcome = row.outcome
        return super().copies() | {"path": outcome.uri} | ({"error": outcome.detail} if outcome.detail else {})

    def record(self) -> Record:
        """The manifest."""
        return job_record(self.ingest.gateway, self.job_id)

    @on(VirtualTable.Opened, "#job-items")
    def open_selected(self) -> None:
        """Open the document under the cursor, or say why there is none."""
        row = self.pane.items.current
        if row is not None and row.outcome.document_id and row.outcome.outcome != "retired":
            self.ingest.open_document(row.outcome.document_id, row.outcome.key)
        elif row is not None:
            self.explain()

    def explain(self) -> None:
        """Say why the document is here, or why not."""
        row = self.pane.items.current
        if row is not None:
            self.ingest.explain(row.outcome.document_id or row.outcome.uri)

    def show_log(self) -> None:
        """Show the log instead of the outcomes, or back."""
        if self.pane.has_class("-both"):
            target = self.pane.items if self.pane.log_lines.has_focus else self.pane.log_lines
            target.focus()
            return
        self.pane.toggle_class("-log")
        (self.pane.log_lines if self.pane.has_class("-log") else self.pane.items).focus()

    def show_items(self) -> None:
        """Show the outcomes."""
        self.pane.remove_class("-log")
        self.pane.items.focus()

    def toggle_follow(self) -> None:
        """Follow the log or hold it still."""
        log = self.pane.log_lines
        log.follow = not log.follow
        self.tell("the log is followed" if log.follow else "the log stands still: f follows it again")
        if log.follow:
            log.move_to_end(first=False)
            log.unseen = 0
        self.pane.say_log()

    def toggle_wrap(self) -> None:
        """Wrap long lines of the log, or cut them."""
        self.pane.log_lines.toggle_wrap()
