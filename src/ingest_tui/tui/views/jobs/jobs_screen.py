"""Jobs: all of them, newest first, live. Next to it, on a wide screen, the one under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.timer import Timer

from ingest_tui.model.counted import counted
from ingest_tui.model.job import JobState
from ingest_tui.model.job_order import job_order
from ingest_tui.model.matching import matches
from ingest_tui.tui import wording
from ingest_tui.tui.actions.actions import bindings_of
from ingest_tui.tui.client.editable_records import Record, job_record
from ingest_tui.tui.client.feed import FeedUpdate
from ingest_tui.tui.header import WIDE
from ingest_tui.tui.views.jobs.job_actions import JobActions
from ingest_tui.tui.views.jobs.jobs_model import JobRow
from ingest_tui.tui.widgets.columns import Cell, Column
from ingest_tui.tui.widgets.drawings import with_drawing
from ingest_tui.tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from ingest_tui.tui.views.jobs.job_pane import JobPane

_SETTLE_SECONDS = 0.15


_SORTS = {
    "newest": "Newest first",
    "updated": "Last changed first",
    "state": "By state, unfinished first",
    "source": "By source",
    "errors": "Most errors first",
}


def _sort_key(name: str, row: JobRow) -> tuple[object, ...]:
    if name == "state":
        return row.ended, row.state, job_order(row.job_id)
    if name == "source":
        return row.source_id, job_order(row.job_id)
    if name == "errors":
        return -row.errors_total, job_order(row.job_id)
    if name == "updated":
        return (row.updated_at,)
    return row.created_at or row.job_id, job_order(row.job_id)


class JobsScreen(JobActions):
    """The list of jobs."""

    view = "jobs"
    heading = "Jobs"
    sorts: ClassVar[dict[str, str]] = _SORTS
    sorts_of_heads: ClassVar[dict[str, str]] = {"id": "newest"}
    CSS_PATH = "jobs_screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("jobs")]

    def __init__(self) -> None:
        super().__init__()
        self._settling: Timer | None = None
        self.side_pane: JobPane | None = None

    def compose_body(self) -> ComposeResult:
        """The table; a job comes next to it when there is room."""
        with Horizontal(id="jobs-panes"):
            yield VirtualTable(self._columns(), lambda row: row.job_id, id="jobs-table")

    def _columns(self) -> list[Column[JobRow]]:
        def updated(row: JobRow) -> Cell:
            return Cell(wording.age(row.updated_at, self.ingest.now()), "quiet")

        def state(row: JobRow) -> Cell:
            position = self.ingest.model.queue_position(row.job_id)
            place = f" {position}" if position is not None else ""
            return Cell(wording.state_word(row.state) + place, wording.tone(row.state))

        def errors(row: JobRow) -> Cell:
            return Cell(wording.count(row.errors_total), "bad" if row.errors_total else "quiet")

        def held(row: JobRow) -> Cell:
            return Cell(wording.count(row.held) if row.held else "-", "warn" if row.held else "quiet")

        def took(row: JobRow) -> Cell:
            return Cell(wording.duration(row.seconds_taken(self.ingest.now())), "quiet")

        return [
            Column("id", "ID", 4, lambda row: Cell(row.job_id[-4:])),
            Column("source", "SOURCE", 0, lambda row: Cell(row.source_id), from_width=56),
            Column("kind", "KIND", 8, lambda row: Cell(row.kind, "quiet"), from_width=100),
            Column("state", "STATE", 13, state),
            Column("done", "DONE/TOTAL", 11, lambda row: Cell(_done(row)), right=True),
            Column("percent", "", 4, lambda row: Cell(f"{row.percent:.0f}%"), right=True),
            Column("errors", "ERR", 5, errors, right=True),
            Column("held", "HELD", 5, held, from_width=70, right=True),
            Column(
                "rate",
                "RATE",
                6,
                lambda row: Cell(f"{row.rate:.0f}/s" if row.state == "running" else "-"),
                77,
                right=True,
            ),
            Column("took", "TOOK", 6, took, from_width=92, right=True),
            Column("updated", "UPDATED", 7, updated, right=True),
            Column("last", "LAST ERROR", 0, lambda row: Cell(row.last_error, "quiet"), from_width=116),
        ]

    @property
    def table(self) -> VirtualTable[JobRow]:
        """The table of jobs."""
        return cast("VirtualTable[JobRow]", self.query_one("#jobs-table", VirtualTable))

    def place(self) -> str:
        """Where we are."""
        return f"Jobs > {self.words or 'all'}"

    def shows_job(self, job_id: str) -> bool:
        """All that pass the filter."""
        return job_id in self.table

    # What is shown

    def feed_changed(self, update: FeedUpdate) -> None:
        """Repaint changed rows in place where the order allows it, else show all rows again."""
        if (
            update.removed
            or update.complete
            or not self._changed_in_place(update.changed)
            or (update.workers is not None and not self.table.rows)
        ):
            self.rows_changed()
        if any(row.job_id == self.table.current_key for row in update.changed):
            self._hint()
        if self.ingest.model.number("queued"):
            self.table.redraw_changed()  # places in the queue change with the rows of others
        if self.side_pane is not None and any(row.job_id == self.side_pane.job_id for row in update.changed):
            self.side_pane.refresh_job()

    def _changed_in_place(self, changed: tuple[JobRow, ...]) -> bool:
        if self.sort != "newest" or self.words:
            return not changed
        return all(self.table.change(row) for row in changed)

    def catch_up(self) -> None:
        """Show the jobs that pass the filter, in the chosen order."""
        rows = self.ingest.model.rows.values()
        shown = [row for row in rows if not self.words or matches(row.searchable, self.words)]
        newest_first = self.sort in {"newest", "updated"}
        shown.sort(key=lambda row: _sort_key(self.sort, row), reverse=newest_first != self.reversed)
        self.table.show(shown, empty=self._empty_words(), from_top=not self.ingest.model.complete)
        self.say_info(len(shown), len(rows) if rows or self.ingest.model.complete else None, "job")
        self.say_header()
        self._hint()

    def _empty_words(self) -> list[str]:
        if self.ingest.model.rows:
            return wording.nothing_matches("job")
        if not self.ingest.model.complete:
            return ["reading …"]
        worker = [] if self.ingest.living_workers else ["No worker is running: press w to start one."]
        return with_drawing(
            "jobs",
            "No jobs yet.",
            "",
            "A job brings the documents of a source in, and keeps them fresh.",
            "Press a to add a folder, or 2 to see the sources and s there to sync one.",
            *worker,
        )

    @on(VirtualTable.Moved, "#jobs-table")
    def moved(self) -> None:
        """Say something about the job, and show it at the side once the cursor rests."""
        self._hint()
        if self.size.width >= WIDE:
            if self._settling is not None:
                self._settling.stop()
            self._settling = self.set_timer(_SETTLE_SECONDS, self._show_side_pane)

    async def _show_side_pane(self) -> None:
        if self.side_pane is None:
            from ingest_tui.tui.views.jobs.job_pane import JobPane

            self.side_pane = JobPane(id="side-pane")
            self.side_pane.add_class("-both")
            await self.query_one("#jobs-panes").mount(self.side_pane)
        if self.table.current_key:
            self.side_pane.follow(self.table.current_key)

    def on_resize(self) -> None:
        """Show the job at the side when there is room now."""
        super().on_resize()
        if self.side_pane is not None:
            self.side_pane.display = self.size.width >= WIDE
        if self.size.width >= WIDE:
            self.call_after_refresh(self._show_side_pane)

    def _hint(self) -> None:
        row = self.table.current
        if row is None:
            self.say_hint("" if self.ingest.living_workers else "no worker is running: w starts one")
        elif row.held:
            self.say_hint(
                f"{row.job_id}: {counted(row.held, 'deletion waits', 'deletions wait')} for a person; H lists them",
                "warn",
            )
        elif row.errors_total:
            self.say_hint(f"{row.job_id}: {wording.plural(row.errors_total, 'error')}; last: {row.last_error}", "bad")
        elif row.state == "queued" and not self.ingest.living_workers:
            self.say_hint(f"{row.job_id} waits, and no worker is running: w starts one", "warn")
        elif row.state == "queued":
            position = self.ingest.model.queue_position(row.job_id)
            self.say_hint(f"{row.job_id}  number {position} in the queue")
        else:
            eta = f", eta {wording.duration(row.eta_seconds)}" if row.state == "running" else ""
            self.say_hint(f"{row.job_id}  {row.phase or row.kind}{eta}")

    # Actions

    def target_jobs(self) -> list[str]:
        """The marked jobs, or the one under the cursor."""
        return self.table.chosen_keys

    def command_values(self) -> dict[str, str]:
        """The job under the cursor."""
        row = self.table.current
        return {"job": row.job_id, "source": row.source_id} if row is not None else {}

    def shown_commands(self) -> dict[str, str]:
        """The jobs of the state that the filter names; other words have no option."""
        states = {state.value for state in JobState}
        return {"view.jobs": f"ingest-tui job list --state {self.words}"} if self.words in states else {}

    def copies(self) -> dict[str, str]:
        """The job, its source, and its last error."""
        row = self.table.current
        error = {"error": row.last_error} if row is not None and row.last_error else {}
        return super().copies() | error

    def record(self) -> Record | None:
        """The manifest of the job under the cursor."""
        return job_record(self.ingest.client, self.table.current_key) if self.table.current_key else None

    @on(VirtualTable.Opened, "#jobs-table")
    def open_selected(self) -> None:
        """Open the job under the cursor."""
        self._open(log=False)

    def show_log(self) -> None:
        """Open the job under the cursor at its log."""
        self._open(log=True)

    def _open(self, *, log: bool) -> None:
        from ingest_tui.tui.views.jobs.job_screen import JobScreen

        if self.table.current_key:
            self.app.push_screen(JobScreen(self.table.current_key, log=log))

    def add_source(self) -> None:
        """Go to the sources and add one."""
        self.ingest.add_source()


def _done(row: JobRow) -> str:
    return f"{wording.count(row.done)}/{wording.count(row.total)}"
