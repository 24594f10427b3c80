"""Sources: where documents come from. Add a folder, test it, sync it, remove it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from ingest_tui.model.job import Manifest
from ingest_tui.tui import wording
from ingest_tui.tui.actions import bindings_of
from ingest_tui.tui.feed import FeedUpdate
from ingest_tui.tui.records import Record, source_record
from ingest_tui.tui.screens.base import ViewScreen, matches
from ingest_tui.tui.widgets.table import Cell, Column, VirtualTable

if TYPE_CHECKING:
    from ingest_tui.model.source import Source
    from ingest_tui.services.sources import SourceSummary


def state_of(summary: SourceSummary) -> str:
    """Return the state of a source: of its unfinished job, else of its last one."""
    if summary.active_job is not None:
        return str(summary.active_job.state)
    if not summary.source.enabled:
        return "disabled"
    return "never synced" if summary.last_job is None else str(summary.last_job.state)


class SourcesScreen(ViewScreen):
    """The list of sources."""

    view = "sources"
    heading = "Sources"
    sorts: ClassVar[dict[str, str]] = {"name": "By name", "documents": "Most documents first", "state": "By state"}
    CSS_PATH = "sources.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("sources")]

    def __init__(self) -> None:
        super().__init__()
        self._summaries: list[SourceSummary] | None = None

    def compose_body(self) -> ComposeResult:
        """The table."""
        yield VirtualTable(self._columns(), lambda summary: summary.source.source_id, id="sources-table")

    def _columns(self) -> list[Column[SourceSummary]]:
        def state(summary: SourceSummary) -> Cell:
            word = state_of(summary)
            return Cell(wording.state_word(word), wording.tone(word))

        def synced(summary: SourceSummary) -> Cell:
            job = summary.last_job
            return Cell(wording.age(job.finished_at or job.created_at, self.ingest.now()) if job else "-", "quiet")

        def watched(summary: SourceSummary) -> Cell:
            return Cell("yes" if summary.source.watch else "no", "quiet")

        return [
            Column("name", "NAME", 0, lambda summary: Cell(summary.source.name or summary.source.source_id)),
            Column("type", "TYPE", 6, lambda summary: Cell(summary.source.source_type), from_width=60),
            Column("place", "WHERE", 0, lambda summary: Cell(summary.source.place, "quiet"), from_width=70),
            Column("state", "STATE", 14, state),
            Column("documents", "DOCS", 6, lambda summary: Cell(wording.count(summary.documents)), right=True),
            Column("watch", "WATCH", 5, watched, from_width=78),
            Column("synced", "SYNCED", 6, synced, right=True),
        ]

    @property
    def table(self) -> VirtualTable[SourceSummary]:
        """The table of sources."""
        return cast("VirtualTable[SourceSummary]", self.query_one("#sources-table", VirtualTable))

    # What is shown

    def feed_changed(self, update: FeedUpdate) -> None:
        """Read the sources again when they or their jobs have changed."""
        if update.sources_changed or update.documents_changed or update.changed:
            self.read()

    def catch_up(self) -> None:
        """Show what is known, and read again."""
        self._show()
        self.read()

    def rows_changed(self) -> None:
        """Show the rows anew."""
        self._show()

    def read(self) -> None:
        """Read the sources in a thread."""
        self.ask(self.ingest.gateway.sources, self._take, group="sources")

    def _take(self, summaries: list[SourceSummary]) -> None:
        self._summaries = summaries
        self._show()

    def _show(self) -> None:
        known = self._summaries or []
        shown = [summary for summary in known if not self.words or matches(_searchable(summary), self.words)]
        if self.sort == "documents":
            shown.sort(key=lambda summary: -summary.documents)
        elif self.sort == "state":
            shown.sort(key=state_of)
        else:
            shown.sort(key=lambda summary: summary.source.source_id)
        if self.reversed:
            shown.reverse()
        self.table.show(shown, empty=self._empty_words())
        self.say_info(len(shown), len(known), "source")
        self._hint()

    def _empty_words(self) -> list[str]:
        if self._summaries is None:
            return ["reading …"]
        if self._summaries:
            return ["No source matches the filter.", "", "esc clears it"]
        return [
            "No sources yet.",
            "",
            "A source is a place that documents come from, such as a folder.",
            "Press a to add a folder. It is tested, and then s syncs it.",
        ]

    @on(VirtualTable.Moved, "#sources-table")
    def _hint(self) -> None:
        summary = self.table.current
        if summary is None:
            self.say_hint("")
            return
        last = summary.last_job
        if last is not None and last.errors_total:
            message = last.errors[-1].message if last.errors else ""
            self.say_hint(f"{last.job_id}: {wording.plural(last.errors_total, 'error')}; last: {message}", "bad")
        elif last is None and summary.active_job is None:
            self.say_hint(f"{summary.source.place}: never synced; s syncs it")
        else:
            self.say_hint(f"{summary.source.source_id}  {summary.source.place}")

    # Actions

    def command_values(self) -> dict[str, str]:
        """The source under the cursor."""
        return {"source": self.table.current_key}

    def copies(self) -> dict[str, str]:
        """The source, and where it is."""
        summary = self.table.current
        return super().copies() | ({"path": summary.source.place} if summary is not None else {})

    def record(self) -> Record | None:
        """The record of the source under the cursor; what an editor makes of it is saved when it is valid."""
        key = self.table.current_key
        return source_record(self.ingest.gateway, key) if key else None

    @on(VirtualTable.Opened, "#sources-table")
    def open_selected(self) -> None:
        """Show the documents of the source."""
        if self.table.current_key:
            self.ingest.show_documents_of(self.table.current_key)

    def add_source(self) -> None:
        """Ask for a folder, add it, test it, and offer to sync it."""
        from ingest_tui.tui.screens.add_source import AddSource

        def added(source: Source | None) -> None:
            if source is not None:
                self.read()
                self._test(source.source_id)

        self.app.push_screen(AddSource(self.ingest.gateway), added)

    def test_source(self) -> None:
        """Test the source under the cursor."""
        if self.table.current_key:
            self._test(self.table.current_key)

    def _test(self, source_id: str) -> None:
        from ingest_tui.tui.screens.report import TestReport

        def closed(wants_sync: bool | None) -> None:
            if wants_sync:
                self._sync([source_id])

        self.app.push_screen(TestReport(self.ingest.gateway, source_id), closed)

    def sync_sources(self) -> None:
        """Queue a sync of the marked sources, or of the one under the cursor."""
        self._sync(self.table.chosen_keys)

    def _sync(self, source_ids: list[str]) -> None:
        gateway = self.ingest.gateway

        def work() -> Iterator[Manifest]:
            for source_id in source_ids:
                yield gateway.sync(source_id)

        def queued(manifest: Manifest) -> None:
            self.tell(f"queued: {manifest.job_id}", "1 shows the jobs")
            self.ensure_worker()
            self.ingest.feed.look_now()
            self.read()

        self.ask_many(work, queued, group="sync")

    def toggle_enabled(self) -> None:
        """Enable a disabled source, or the other way round."""
        summary = self.table.current
        if summary is None:
            return
        gateway, source = self.ingest.gateway, summary.source

        def changed(after: Source) -> None:
            self.tell(f"{after.source_id} is {'enabled' if after.enabled else 'disabled'}")
            self.read()

        self.ask(lambda: gateway.set_enabled(source.source_id, enabled=not source.enabled), changed, group="enable")

    def remove_sources(self) -> None:
        """Remove sources after a question that says how many documents go with them."""
        from ingest_tui.tui.screens.dialogs import Confirm

        chosen = set(self.table.chosen_keys)
        summaries = [summary for summary in self.table.rows if summary.source.source_id in chosen]
        if not summaries:
            return
        source_ids = [summary.source.source_id for summary in summaries]
        documents = sum(summary.documents for summary in summaries)

        def answered(confirmed: bool | None) -> None:
            if confirmed:
                self._remove(source_ids)

        names = [
            f"{summary.source.source_id}: {wording.plural(summary.documents, 'document')}" for summary in summaries
        ]
        consequence = f"{wording.plural(documents, 'document')} go to the trash. The folder itself is not touched."
        question = f"Remove {wording.plural(len(source_ids), 'source')}?"
        self.app.push_screen(Confirm(question, names, "Remove", consequence=consequence), answered)

    def _remove(self, source_ids: list[str]) -> None:
        gateway = self.ingest.gateway

        def work() -> Iterator[tuple[str, int]]:
            for source_id in source_ids:
                yield source_id, gateway.remove_source(source_id)

        def removed(answer: tuple[str, int]) -> None:
            source_id, retired = answer
            self.tell(f"removed {source_id}; {wording.plural(retired, 'document')} in the trash")
            self.read()

        self.ask_many(work, removed, group="remove")


def _searchable(summary: SourceSummary) -> str:
    source = summary.source
    return f"{source.source_id} {source.name} {source.source_type} {source.place} {state_of(summary)}".lower()
