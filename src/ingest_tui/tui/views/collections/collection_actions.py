"""What can be done with a collection wherever it or its documents are shown: upload, preferences, adding another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ingest_tui.tui.views.base.progress import ShownProgress

if TYPE_CHECKING:
    from ingest_tui.model.collection import Collection
    from ingest_tui.model.job import Manifest
    from ingest_tui.services.collections.preferences import SavedPreferences


class CollectionActions(ShownProgress):
    """Actions on `chosen_collection`, or where that is none, on one that a person chooses."""

    def chosen_collection(self) -> str:
        """The collection that an action is for; empty where all are shown."""
        return ""

    def collection_added(self, collection_id: str) -> None:
        """A collection was made: show it."""

    def collections_changed(self) -> None:
        """Something about collections was changed."""
        self.catch_up()

    def sample_document(self, collection_id: str) -> str:
        """The document by which preferences of a collection are previewed; empty for its first one."""
        del collection_id
        return ""

    def upload_files(self) -> None:
        """Let a person choose files, and queue the job that takes them in; each that cannot be taken is named."""
        self.with_collection("Upload to which collection?", self._choose_files)

    def _choose_files(self, collection_id: str) -> None:
        from ingest_tui.tui.views.documents.file_picker import FilePicker, chosen_paths

        client = self.ingest.client

        def queued(job: Manifest) -> None:
            self.end_progress()
            self.show_notice(
                f"upload to {collection_id} queued as {job.job_id}", "1 shows the jobs; Enter on it shows each file"
            )
            self.ensure_worker()
            self.ingest.feed.look_now()

        def chosen(answer: str | None) -> None:
            if answer is not None:
                files, shown = chosen_paths(answer), self.shown_progress()
                self.ask(
                    lambda: client.documents.upload(files, collection_id=collection_id, progress=shown),
                    queued,
                    group=None,
                    in_background=True,
                    otherwise=self.failed_in_progress,
                )

        self.app.push_screen(FilePicker(client, collection_id, Path.cwd()), chosen)

    def edit_preferences(self) -> None:
        """Change the preferences of the collection."""
        self.with_collection("Preferences of which collection?", self._open_preferences)

    def _open_preferences(self, collection_id: str) -> None:
        from ingest_tui.tui.views.collections.preferences_form import PreferencesForm

        def saved(answer: SavedPreferences | None) -> None:
            if answer is not None:
                job = f"; job {answer.job.job_id} cuts its documents again" if answer.job is not None else ""
                self.show_notice(f"saved the preferences of collection {collection_id}{job}", self.ingest.worker_hint)
                self.collections_changed()
                preferences, sources = answer.collection.preferences, self.ingest.client.sources
                self.show_what_ocr_lacks(lambda: sources.missing_for_ocr_preferences(preferences))

        form = PreferencesForm(self.ingest.client, collection_id, self.sample_document(collection_id))
        self.app.push_screen(form, saved)

    def add_collection(self) -> None:
        """Ask for the name of a new collection, and show it."""
        from ingest_tui.tui.dialogs.ask import Ask

        client = self.ingest.client

        def added(collection: Collection) -> None:
            self.collection_added(collection.collection_id)
            self.collections_changed()
            self.show_notice(
                f"made collection {collection.collection_id}", "a uploads files to it, P has its preferences"
            )

        def named(name: str | None) -> None:
            if name is not None:
                self.ask(lambda: client.collections.add(name), added, group=None)

        self.app.push_screen(Ask("Name of the new collection", note="a group of documents, searched together"), named)

    def with_collection(self, question: str, act: Callable[[str], None]) -> None:
        """Act on the chosen collection, or on one that a person chooses; the one in use is offered first."""
        chosen = self.chosen_collection()
        if chosen:
            act(chosen)
            return
        from ingest_tui.tui.dialogs.dialogs import Choose

        client = self.ingest.client

        def look() -> tuple[list[tuple[Collection, int]], str]:
            return client.collections.list(), client.collections.in_use()

        def choose(found: tuple[list[tuple[Collection, int]], str]) -> None:
            choices, in_use = found
            offered = [(one.collection_id, f"{one.collection_id}  {number:,}") for one, number in choices]
            offered.sort(key=lambda one: one[0] != in_use)
            if len(offered) == 1:
                act(offered[0][0])
                return
            self.app.push_screen(Choose(question, offered), lambda chosen: act(chosen) if chosen else None)

        self.ask(look, choose, group="choices", opens_dialog=True)
