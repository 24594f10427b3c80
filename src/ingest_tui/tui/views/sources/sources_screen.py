"""Sources: where documents come from, how they are doing, and everything that can be done with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical

from ingest_tui.model.job_order import job_order
from ingest_tui.model.matching import matches
from ingest_tui.tui import wording
from ingest_tui.tui.actions.actions import bindings_of
from ingest_tui.tui.client.editable_records import Record, source_record
from ingest_tui.tui.client.feed import FeedUpdate
from ingest_tui.tui.views.sources.source_actions import FIRST_STEPS, SourceActions
from ingest_tui.tui.views.sources.source_words import (
    HEALTH_TONES,
    detail_lines,
    health_words,
    job_columns,
    searchable,
    state_of,
)
from ingest_tui.tui.widgets.columns import Cell, Column
from ingest_tui.tui.widgets.drawings import with_drawing
from ingest_tui.tui.widgets.table import VirtualTable
from ingest_tui.tui.widgets.text import TextLines

if TYPE_CHECKING:
    from ingest_tui.services.sources.sources import SourceSummary
    from ingest_tui.tui.views.jobs.jobs_model import JobRow

_LEVELS = {"problem": 0, "warning": 1, "": 2, "ok": 3}
_JOBS_SHOWN = 200


class SourcesScreen(SourceActions):
    """The list of sources; on a wide screen with the settings and the jobs of the one under the cursor."""

    view = "sources"
    heading = "Sources"
    panels: ClassVar[dict[str, str]] = {"source-detail": "Source", "source-jobs": "Its jobs"}
    sorts: ClassVar[dict[str, str]] = {
        "name": "By name",
        "health": "What is wrong first",
        "documents": "Most documents first",
        "state": "By state",
        "synced": "Last synced first",
    }
    CSS_PATH = "sources_screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("sources")]

    def __init__(self) -> None:
        super().__init__()
        self._summaries: list[SourceSummary] | None = None
        self._unreadable: list[str] = []

    def compose_body(self) -> ComposeResult:
        """The table, and what is next to it on a wide screen."""
        with Horizontal():
            yield VirtualTable(self._columns(), lambda summary: summary.source.source_id, id="sources-table")
            with Vertical(id="source-pane"):
                yield TextLines(id="source-detail")
                yield VirtualTable(job_columns(self.ingest.now), lambda row: row.job_id, id="source-jobs")

    def _columns(self) -> list[Column[SourceSummary]]:
        def state(summary: SourceSummary) -> Cell:
            word = state_of(summary)
            return Cell(wording.state_word(word), wording.tone(word))

        def synced(summary: SourceSummary) -> Cell:
            job = summary.last_job
            return Cell(wording.age(job.finished_at or job.created_at, self.ingest.now()) if job else "-", "quiet")

        def health(summary: SourceSummary) -> Cell:
            return Cell(health_words(summary, self.ingest.now()), HEALTH_TONES.get(summary.level, "quiet"))

        return [
            Column("name", "NAME", 0, lambda summary: Cell(summary.source.name or summary.source.source_id)),
            Column("type", "TYPE", 10, lambda summary: Cell(summary.source.source_type), from_width=90),
            Column(
                "place", "WHERE", 0, lambda summary: Cell(summary.source.place, "quiet"), from_width=110, is_path=True
            ),
            Column("state", "STATE", 14, state),
            Column("documents", "DOCS", 5, lambda summary: Cell(wording.count(summary.documents)), right=True),
            Column("synced", "SYNCED", 6, synced, right=True),
            Column("next", "NEXT", 12, lambda summary: Cell(summary.next_run, "quiet"), from_width=74),
            Column("health", "HEALTH", 0, health, from_width=50),
        ]

    @property
    def table(self) -> VirtualTable[SourceSummary]:
        """The table of sources."""
        return cast("VirtualTable[SourceSummary]", self.query_one("#sources-table", VirtualTable))

    # What is shown

    def feed_changed(self, update: FeedUpdate) -> None:
        """Read the sources again when they or their jobs have changed."""
        if update.sources_changed or update.documents_changed or update.changed or update.complete:
            self.read()

    def catch_up(self) -> None:
        """Show what is known, and read again."""
        self._show()
        self.read()
        if self._summaries is None:
            self.wait_for("sources")

    def rows_changed(self) -> None:
        """Show the rows again."""
        self._show()

    def sources_changed(self, text: str = "") -> None:
        """Read again after an action."""
        if text:
            self.show_notice(text)
        self.read()

    def read(self) -> None:
        """Read the sources in a thread."""
        client = self.ingest.client

        def ask() -> tuple[list[SourceSummary], list[str]]:
            return client.sources.list(), client.sources.unreadable()

        self.ask(ask, self._take, group="sources", otherwise=self.could_not_read)

    def _take(self, answer: tuple[list[SourceSummary], list[str]]) -> None:
        self._summaries, self._unreadable = answer
        self.why_unread = []
        self._show()

    def _show(self) -> None:
        known = self._summaries or []
        shown = [summary for summary in known if not self.words or matches(searchable(summary), self.words)]
        if self.sort == "documents":
            shown.sort(key=lambda summary: -summary.documents)
        elif self.sort == "state":
            shown.sort(key=state_of)
        elif self.sort == "health":
            shown.sort(key=lambda summary: (_LEVELS.get(summary.level, 2), summary.source.source_id))
        elif self.sort == "synced":
            shown.sort(key=lambda summary: summary.last_job.created_at if summary.last_job else "", reverse=True)
        else:
            shown.sort(key=lambda summary: summary.source.source_id)
        if self.reversed:
            shown.reverse()
        self.table.show(shown, empty=self._empty_words())
        total = None if self._summaries is None else len(known)
        self.say_info(len(shown), total, "source", self._unreadable_words())
        self.say_current()

    def _unreadable_words(self) -> str:
        if not self._unreadable:
            return ""
        return f"! unreadable: {', '.join(self._unreadable)} ('ingest-tui doctor' shows why)"

    def _empty_words(self) -> list[str]:
        if self.why_unread:
            return self.why_unread
        if self._summaries is None:
            return ["reading …"]
        if self._summaries:
            return wording.nothing_matches("source")
        return with_drawing(
            "sources",
            "No sources yet.",
            "",
            "A source is where documents come from: a folder, a bucket, a library.",
            "Press a to add one. It goes step by step, and esc goes back at each:",
            "",
            *(f"  {number}  {step}" for number, step in enumerate(FIRST_STEPS, 1)),
        )

    @on(VirtualTable.Moved, "#sources-table")
    def say_current(self) -> None:
        """Say something about the source under the cursor, and show it next to the list where there is room."""
        summary = self.table.current
        self._say_hint(summary)
        pane = self.query_one("#source-pane")
        if summary is None:
            self.query_one("#source-detail", TextLines).show([])
        elif pane.display and self.has_class("-wide"):
            self.query_one("#source-detail", TextLines).show(detail_lines(summary))
        rows = [] if summary is None else self._jobs_of(summary.source.source_id)
        empty = "never synced; s syncs it" if self.ingest.model.complete else "reading …"
        self.query_one("#source-jobs", VirtualTable).show(rows, empty=[empty])

    def _jobs_of(self, source_id: str) -> list[JobRow]:
        rows = [row for row in self.ingest.model.rows.values() if row.source_id == source_id]
        return sorted(rows, key=lambda row: job_order(row.job_id), reverse=True)[:_JOBS_SHOWN]

    def _say_hint(self, summary: SourceSummary | None) -> None:
        if summary is None:
            self.say_hint("")
            return
        last = summary.last_job
        if last is not None and last.errors_total:
            message = last.errors[-1].message if last.errors else ""
            self.say_hint(f"{last.job_id}: {wording.plural(last.errors_total, 'error')}; last: {message}", "bad")
        elif summary.level in {"problem", "warning"}:
            self.say_hint(f"{summary.source.source_id}: {health_words(summary, self.ingest.now())}", "warn")
        elif last is None and summary.active_job is None:
            self.say_hint(f"{summary.source.place}: never synced; p shows what a sync would do, s syncs it")
        else:
            self.say_hint(f"{summary.source.source_id}  {summary.source.place}")

    # Actions

    def command_values(self) -> dict[str, str]:
        """The source under the cursor, and its collection."""
        summary = self.table.current
        return {"source": self.table.current_key, "collection": summary.source.collection_id if summary else ""}

    def copies(self) -> dict[str, str]:
        """The source, and where it is."""
        summary = self.table.current
        return super().copies() | ({"path": summary.source.place} if summary is not None else {})

    def record(self) -> Record | None:
        """The record of the source under the cursor; what an editor makes of it is saved when it is valid."""
        key = self.table.current_key
        return source_record(self.ingest.client, key) if key else None

    def chosen_sources(self) -> list[str]:
        """The marked sources, or the one under the cursor."""
        return self.table.chosen_keys

    def chosen_summaries(self) -> list[SourceSummary]:
        """The same with what is known of them."""
        chosen = set(self.table.chosen_keys)
        return [summary for summary in self.table.rows if summary.source.source_id in chosen]

    @on(VirtualTable.Opened, "#sources-table")
    def open_selected(self) -> None:
        """Open the page of the source."""
        if self.table.current_key:
            self.ingest.open_source_here(self.table.current_key)

    def show_documents(self) -> None:
        """Show the documents of the source."""
        if self.table.current_key:
            self.ingest.show_documents_of(self.table.current_key)
