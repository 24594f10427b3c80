"""What a person can do with sources from a view: add, change, test, plan, sync, watch, remove; and the first steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ingest_tui.tui import wording
from ingest_tui.tui.actions import undo
from ingest_tui.tui.views.collections.collection_actions import CollectionActions

if TYPE_CHECKING:
    from ingest_tui.model.job import Manifest
    from ingest_tui.model.source import Source
    from ingest_tui.services.sources.kinds import SourceKind
    from ingest_tui.services.sources.sources import SourceSummary
    from ingest_tui.services.sources.trials import SourceDraft

FIRST_STEPS = (
    "choose what kind of place your documents are in",
    "name the place; browse for it, and preview what would be taken",
    "the test runs at once",
    "see what a sync would do, before a byte is fetched",
    "sync: a worker starts, and keeps running when this screen is closed",
)

_READ_AGAIN = "All items are fetched and extracted, changed or not; documents answer meanwhile."


class SourceActions(CollectionActions):
    """Actions of views that show sources. The view says which are chosen, and shows what has changed."""

    def chosen_sources(self) -> list[str]:
        """The ids of the chosen sources."""
        return []

    def chosen_summaries(self) -> list[SourceSummary]:
        """The chosen sources with what is known of them."""
        return []

    def chosen_collection(self) -> str:
        """The collection that the documents of the chosen source are in."""
        return next((one.source.collection_id for one in self.chosen_summaries()), "")

    def sources_changed(self, text: str = "") -> None:
        """Something was changed: show it."""

    # From nothing to a source

    def add_source(self) -> None:
        """Ask for the type, then for the settings; the new source is tested, planned and synced if that is wanted."""
        client = self.ingest.client

        def ask() -> tuple[list[SourceKind], bool]:
            return client.sources.kinds(), not client.sources.has_any()

        self.ask(ask, self._choose_kind, group="kinds", opens_dialog=True)

    def _choose_kind(self, answer: tuple[list[SourceKind], bool]) -> None:
        from ingest_tui.tui.dialogs.dialogs import Choose

        kinds, is_first = answer
        width = max(len(kind.name) for kind in kinds)
        options = [(kind.name, f"{kind.name:{width}}  {kind.in_words}") for kind in kinds]
        options.sort(key=lambda option: option[0] != "local")
        usable = {kind.name for kind in kinds if not kind.problem}
        guide = _guide(1) if is_first else ""

        def chosen(name: str | None) -> None:
            if name in usable:
                self._ask_for_settings(str(name), is_first=is_first)
            elif name is not None:
                self.show_notice(next(kind.problem for kind in kinds if kind.name == name), bad=True)

        self.app.push_screen(Choose(f"{guide}What kind of source?", options), chosen)

    def _ask_for_settings(self, source_type: str, *, is_first: bool) -> None:
        from ingest_tui.tui.views.sources.source_form_screen import SourceForm

        def added(source: Source | None) -> None:
            if source is not None:
                self.sources_changed(f"added {source.source_id}")
                self.show_what_ocr_lacks(partial(self.ingest.client.sources.missing_for_ocr, source))
                self._test(source.source_id, guided=is_first)

        guide = _guide(2) if is_first else ""
        self.app.push_screen(SourceForm(self.ingest.client, source_type, guide=guide), added)

    def _test(self, source_id: str, *, guided: bool = False) -> None:
        from ingest_tui.tui.dialogs.report import TestReport

        def closed(wants: str | None) -> None:
            if wants == "sync":
                self._sync([source_id])
            elif wants == "plan":
                self._plan(source_id, guided=guided)

        guide = _guide(3) if guided else ""
        self.app.push_screen(TestReport(self.ingest.client, source_id, guide=guide), closed)

    def _plan(self, source_id: str, *, guided: bool = False) -> None:
        from ingest_tui.tui.views.sources.plan_screen import Plan

        def closed(wants: str | None) -> None:
            if wants == "sync":
                self._sync([source_id])

        guide = _guide(4) if guided else ""
        self.app.push_screen(Plan(self.ingest.client, source_id, guide=guide), closed)

    # With those that are there

    def edit_source(self) -> None:
        """Change the settings of the source under the cursor."""
        chosen = self.chosen_sources()[:1]
        if not chosen:
            return
        client = self.ingest.client

        def changed(source: Source | None) -> None:
            if source is not None:
                self.sources_changed(f"changed {source.source_id}")
                self.show_what_ocr_lacks(partial(client.sources.missing_for_ocr, source))
                self._test(source.source_id)

        def ask(draft: SourceDraft) -> None:
            from ingest_tui.tui.views.sources.source_form_screen import SourceForm

            self.app.push_screen(SourceForm(client, draft.source_type, draft=draft), changed)

        self.ask(partial(client.sources.draft_of, chosen[0]), ask, group="draft", opens_dialog=True)

    def test_source(self) -> None:
        """Test the source under the cursor."""
        for source_id in self.chosen_sources()[:1]:
            self._test(source_id)

    def plan_source(self) -> None:
        """Show what a sync of the source under the cursor would do, and why."""
        for source_id in self.chosen_sources()[:1]:
            self._plan(source_id)

    def preview_source(self) -> None:
        """Show the first items that the source under the cursor takes and leaves out."""
        from ingest_tui.tui.views.sources.preview_screen import Preview

        client = self.ingest.client

        def show(draft: SourceDraft) -> None:
            self.app.push_screen(Preview(client, draft))

        for source_id in self.chosen_sources()[:1]:
            self.ask(partial(client.sources.draft_of, source_id), show, group="draft", opens_dialog=True)

    def sync_sources(self) -> None:
        """Queue a sync of the chosen sources."""
        self._sync(self.chosen_sources())

    def force_sync(self) -> None:
        """Queue a sync of the chosen sources that reads everything again, once a person has agreed."""
        from ingest_tui.tui.dialogs.dialogs import Confirm

        source_ids = self.chosen_sources()
        if not source_ids:
            return

        def answered(confirmed: bool | None) -> None:
            if confirmed:
                self._sync(source_ids, force=True)

        self.app.push_screen(
            Confirm("Read everything again?", source_ids, "Read again", consequence=_READ_AGAIN, is_destructive=False),
            answered,
        )

    def _sync(self, source_ids: list[str], *, force: bool = False) -> None:
        def queued(jobs: list[Manifest]) -> None:
            if jobs:
                self.say_hint(f"{jobs[-1].job_id}: 1 shows the jobs")
                self.ensure_worker()
                self.ingest.feed.look_now()
                self.sources_changed()

        self._each(source_ids, partial(self.ingest.client.sources.sync, force=force), "sync queued", queued)

    def toggle_enabled(self) -> None:
        """Enable the chosen sources, or disable them when the first one is enabled."""
        summaries = self.chosen_summaries()
        if summaries:
            enabled = not summaries[0].source.enabled
            change = partial(self.ingest.client.sources.set_enabled, enabled=enabled)
            self._switch(change, partial(self.ingest.client.sources.set_enabled, enabled=not enabled),
                         "enabled" if enabled else "disabled")  # fmt: skip

    def toggle_watch(self) -> None:
        """Watch the chosen sources, or stop watching when the first one is watched."""
        summaries = self.chosen_summaries()
        if summaries:
            watched = not summaries[0].source.watch
            change = partial(self.ingest.client.sources.set_watched, watched=watched)
            self._switch(change, partial(self.ingest.client.sources.set_watched, watched=not watched),
                         "watching" if watched else "no longer watching")  # fmt: skip

    def _switch(self, change: Callable[[str], Source], back: Callable[[str], Source], done: str) -> None:
        """Change the chosen sources; ``back`` undoes it for each that was changed."""

        def changed(sources: list[Source]) -> None:
            if sources:
                ids = [one.source_id for one in sources]
                what = ids[0] if len(ids) == 1 else wording.plural(len(ids), "source")
                self.ingest.undo_stack.add(f"{what}: as before", lambda: [back(one) for one in ids])
            self._done(sources)

        self._each(self.chosen_sources(), change, done, changed, hint=undo.HINT)

    def remove_sources(self) -> None:
        """Remove the chosen sources after a question that names what goes with them."""
        summaries, client = self.chosen_summaries(), self.ingest.client
        if summaries:
            source_ids = [summary.source.source_id for summary in summaries]
            self.ask(lambda: client.sources.count_documents_to_retire(source_ids),
                     partial(self._ask_about_removal, summaries), group="choices", opens_dialog=True)  # fmt: skip

    def _ask_about_removal(self, summaries: Sequence[SourceSummary], to_retire: int) -> None:
        from ingest_tui.tui.views.sources.remove_source_screen import RemoveSources

        dialog = RemoveSources(summaries, to_retire)

        def answered(confirmed: bool | None) -> None:
            if confirmed:
                keeps = dialog.keeps_documents
                client, seen = self.ingest.client, {item.source.source_id: item.source for item in summaries}

                def change(source_id: str) -> int:
                    return client.sources.remove(source_id, keep_documents=keeps, based_on=seen[source_id])

                self._each(dialog.source_ids, change, "removed", partial(self._removed, keeps=keeps))

        self.app.push_screen(dialog, answered)

    def _removed(self, retired: list[int], *, keeps: bool) -> None:
        if retired and not keeps:
            self.show_notice(f"{wording.plural(sum(retired), 'document')} in the trash")
        self._done(retired)

    def _done(self, _answers: list[Any]) -> None:
        self.ingest.feed.look_now()
        self.sources_changed()

    def _each(
        self,
        source_ids: list[str],
        work: Callable[[str], Any],
        done: str,
        then: Callable[[list[Any]], None],
        hint: str = "",
    ) -> None:
        if source_ids:
            self.ask_each(source_ids, work, done=done, say=self.say_hint, then=then, hint=hint)


def _guide(step: int) -> str:
    """Return what is before the titles of the first steps: without a source a person gets step by step guidance."""
    return f"First source, step {step} of {len(FIRST_STEPS)}: "
