"""One source: how it is doing and was, what is set, what became of its items and why, and its jobs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical

from ingest_tui.model.errors import NotFoundError
from ingest_tui.model.job_order import job_order
from ingest_tui.tui import wording
from ingest_tui.tui.actions.actions import bindings_of
from ingest_tui.tui.client.editable_records import Record, source_record
from ingest_tui.tui.client.feed import FeedUpdate
from ingest_tui.tui.views.jobs.jobs_model import JobRow
from ingest_tui.tui.views.sources.source_actions import SourceActions
from ingest_tui.tui.views.sources.source_words import (
    OUTCOME_COLUMNS,
    detail_lines,
    health_words,
    history_line,
    job_columns,
)
from ingest_tui.tui.widgets.panel import title_panel
from ingest_tui.tui.widgets.table import VirtualTable
from ingest_tui.tui.widgets.text import TextLines

if TYPE_CHECKING:
    from ingest_tui.services.sources.outcomes import OutcomeCount
    from ingest_tui.services.sources.sources import SourceSummary

BROAD = 110
_JOBS_SHOWN, _JOBS_IN_HISTORY = 500, 40


class SourceScreen(SourceActions):
    """The page of a source: its jobs, which have the focus at first, what became of its items, and its settings."""

    view = "source"
    heading = "Sources"
    panels: ClassVar[dict[str, str]] = {"source-outcomes": "Items", "source-about": "Source"}
    CSS_PATH = "source_screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("source")]

    def __init__(self, source_id: str) -> None:
        super().__init__()
        self.source_id = source_id
        self._summary: SourceSummary | None = None

    def compose_body(self) -> ComposeResult:
        """Settings on one side; jobs and outcomes on the other, or below."""
        with Container(id="source-page"):
            with Vertical(id="source-lists"):
                yield VirtualTable(job_columns(self.ingest.now), lambda row: row.job_id, id="source-history")
                yield VirtualTable(OUTCOME_COLUMNS, lambda one: f"{one.outcome}/{one.reason}", id="source-outcomes")
            yield TextLines(id="source-about")

    @property
    def main_id(self) -> str:
        """The jobs."""
        return "source-history"

    @property
    def jobs(self) -> VirtualTable[JobRow]:
        """The table of jobs."""
        return cast("VirtualTable[JobRow]", self.query_one("#source-history", VirtualTable))

    @property
    def outcomes(self) -> VirtualTable[OutcomeCount]:
        """The table of outcomes."""
        return cast("VirtualTable[OutcomeCount]", self.query_one("#source-outcomes", VirtualTable))

    def place(self) -> str:
        """Where we are."""
        return f"Sources > {self.source_id}"

    def reopener(self) -> tuple[str, Callable[[], SourceScreen]]:
        """The source."""
        return f"source {self.source_id}", partial(SourceScreen, self.source_id)

    def shows_job(self, job_id: str) -> bool:
        """The jobs of this source."""
        row = self.ingest.model.rows.get(job_id)
        return row is not None and row.source_id == self.source_id

    def on_resize(self) -> None:
        """Put the settings next to the lists where there is room."""
        super().on_resize()
        self.set_class(self.size.width >= BROAD, "-broad")

    # What is shown

    def feed_changed(self, update: FeedUpdate) -> None:
        """Show its jobs at once, and read the rest again where it may have changed."""
        if update.removed or update.complete or any(row.source_id == self.source_id for row in update.changed):
            self._show_jobs()
        if update.sources_changed or update.documents_changed or update.changed:
            self._read()

    def catch_up(self) -> None:
        """Show what is known, and read again."""
        self._show_jobs()
        self._read()

    def sources_changed(self, text: str = "") -> None:
        """Read again after an action."""
        if text:
            self.show_notice(text)
        self._read()

    def _read(self) -> None:
        client, source_id = self.ingest.client, self.source_id

        def read() -> tuple[SourceSummary, list[OutcomeCount]]:
            found = [one for one in client.sources.list() if one.source.source_id == source_id]
            if not found:
                raise NotFoundError(f"there is no source {source_id} any more", hint="esc goes back")
            return found[0], client.sources.outcomes(source_id)

        self.ask(read, self._take, group="source", otherwise=self._failed)

    def _take(self, answer: tuple[SourceSummary, list[OutcomeCount]]) -> None:
        self._summary, outcomes = answer
        self.outcomes.show(outcomes, empty=["No item was looked at yet.", "P previews what it takes and leaves out."])
        title_panel(self.outcomes, wording.plural(sum(one.number for one in outcomes), "item"), "P previews the rest")
        about = self.query_one("#source-about", TextLines)
        about.show([*self._history(), *detail_lines(self._summary)])
        title_panel(about, self._summary.source.name or self.source_id, health_words(self._summary, self.ingest.now()))
        self._say_current()

    def _failed(self, message: str, hint: str) -> None:
        self.outcomes.show([], empty=[f"! {message}", f"  {hint}"])
        self.say_hint(f"{message}: {hint}", "bad")

    def _own_jobs(self) -> list[JobRow]:
        rows = [row for row in self.ingest.model.rows.values() if row.source_id == self.source_id]
        return sorted(rows, key=lambda row: job_order(row.job_id), reverse=True)[:_JOBS_SHOWN]

    def _history(self) -> list[tuple[str, str]]:
        states = [row.state for row in self._own_jobs() if row.ended][:_JOBS_IN_HISTORY]
        line = history_line(self.ingest.glyphs.health(states[::-1]), states)
        return [(line, ""), ("", "")] if states else []

    def _show_jobs(self) -> None:
        rows = self._own_jobs()
        is_known = bool(rows) or self.ingest.model.complete
        empty = "Never synced: p shows what a sync would do, s syncs it." if is_known else "reading …"
        self.jobs.show(rows, empty=[empty], from_top=not self.ingest.model.complete)
        self.say_panel(wording.plural(len(rows), "job") if is_known else "jobs")

    @on(VirtualTable.Moved)
    def moved(self) -> None:
        """Say more of the row."""
        self._say_current()

    def on_descendant_focus(self) -> None:
        """Say more of the row of the panel that has the focus now."""
        self._say_current()

    def _say_current(self) -> None:
        job, outcome = self.jobs.current, self.outcomes.current
        if self.outcomes.has_focus and outcome is not None:
            self.say_hint(outcome.hint or "enter shows its documents", "warn" if outcome.hint else "")
        elif job is not None:
            bad = bool(job.errors_total)
            self.say_hint(f"{job.job_id}{f': {job.last_error}' if bad else ''}", "bad" if bad else "")
        else:
            self.say_hint(self.source_id)

    # Actions

    def command_values(self) -> dict[str, str]:
        """The source, the job under the cursor, and the collection."""
        return {"source": self.source_id, "job": self.jobs.current_key, "collection": self.chosen_collection()}

    def record(self) -> Record | None:
        """The record of the source; what an editor makes of it is saved when it is valid."""
        return source_record(self.ingest.client, self.source_id)

    def chosen_sources(self) -> list[str]:
        """The one that is shown."""
        return [self.source_id]

    def chosen_summaries(self) -> list[SourceSummary]:
        """The one that is shown, once it is known."""
        return [] if self._summary is None else [self._summary]

    def show_documents(self) -> None:
        """Show the documents of the source."""
        self.ingest.show_documents_of(self.source_id)

    @on(VirtualTable.Opened)
    def open_selected(self) -> None:
        """Open the job under the cursor, or the errors or documents that an outcome speaks of."""
        if not self.outcomes.has_focus:
            if self.jobs.current_key:
                self.ingest.open_job_here(self.jobs.current_key)
        elif self.outcomes.current is not None and self.outcomes.current.hint:
            self.ingest.show_view("errors", self.source_id)
        else:
            self.show_documents()
