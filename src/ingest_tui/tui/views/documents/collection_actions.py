"""What can be done with the collection that is shown, or one that is chosen: its preferences, adding, removing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ingest_tui.model.collection import DEFAULT_COLLECTION
from ingest_tui.tui import wording
from ingest_tui.tui.views.documents.collection_views import ALL
from ingest_tui.tui.views.documents.document_actions import DocumentActions
from ingest_tui.tui.views.documents.filters import Narrowing, choices_of

if TYPE_CHECKING:
    from ingest_tui.model.collection import Collection
    from ingest_tui.model.job import Manifest
    from ingest_tui.services.collections.preferences import SavedPreferences
    from ingest_tui.services.collections.removal import RemovalReport
    from ingest_tui.store.records.removed_collections import RemovedCollection


class CollectionActions(Narrowing, DocumentActions):
    """Actions on ``narrowed.collection_id``, or where all are shown, on a collection that a person chooses."""

    def upload_files(self) -> None:
        """Let a person choose files, and queue the job that takes them in; each that cannot be taken is named."""
        self._with_collection("Upload to which collection?", self._choose_files)

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
                    otherwise=self.failed_in_progress,
                )

        self.app.push_screen(FilePicker(client, collection_id, Path.cwd()), chosen)

    def edit_preferences(self) -> None:
        """Change the preferences of the collection."""
        self._with_collection("Preferences of which collection?", self._open_preferences)

    def add_collection(self) -> None:
        """Ask for the name of a new collection, and show it."""
        from ingest_tui.tui.dialogs.ask import Ask

        client = self.ingest.client

        def added(collection: Collection) -> None:
            self.switch_collection(collection.collection_id)
            self.catch_up()
            self.show_notice(
                f"made collection {collection.collection_id}", "a uploads files to it, P has its preferences"
            )

        def named(name: str | None) -> None:
            if name is not None:
                self.ask(lambda: client.collections.add(name), added, group=None)

        self.app.push_screen(Ask("Name of the new collection", note="a group of documents, searched together"), named)

    def remove_collection(self) -> None:
        """Remove the collection after a question that says what goes with it."""
        self._with_collection("Remove which collection?", self._ask_to_remove, without=DEFAULT_COLLECTION)

    def restore_collection(self) -> None:
        """Bring back a removed collection that a person chooses, and show it."""
        from ingest_tui.tui.dialogs.dialogs import Choose

        client = self.ingest.client

        def restored(report: RemovalReport) -> None:
            self.switch_collection(report.collection_id)
            documents = wording.plural(report.documents, "document")
            sources = "".join(f", source {one}" for one in report.source_ids)
            self.show_notice(f"restored collection {report.collection_id} with {documents}{sources}")

        def chosen(collection_id: str | None) -> None:
            if collection_id is not None:
                self.ask(lambda: client.collections.restore(collection_id), restored, group=None)

        def choose(removed: list[RemovedCollection]) -> None:
            if not removed:
                self.show_notice("no collection was removed, or its time in the trash is over")
                return
            now = self.ingest.now()
            offered = [
                (one.collection.collection_id,
                 f"{one.collection.collection_id}  removed {wording.age(one.removed_at, now)} ago by {one.by}")
                for one in removed
            ]  # fmt: skip
            self.app.push_screen(Choose("Restore which collection?", offered), chosen)

        self.ask(client.collections.in_trash, choose, group="choices", opens_dialog=True)

    def _with_collection(self, question: str, act: Callable[[str], None], *, without: str = "") -> None:
        """Act on the collection that is shown, or on one that a person chooses; the one in use is offered first."""
        if self.narrowed.collection_id:
            act(self.narrowed.collection_id)
            return
        from ingest_tui.tui.dialogs.dialogs import Choose

        client = self.ingest.client

        def look() -> tuple[list[tuple[str, str]], str]:
            return choices_of(client, "collection"), client.collections.in_use()

        def choose(found: tuple[list[tuple[str, str]], str]) -> None:
            choices, in_use = found
            offered = sorted((one for one in choices if one[0] != without), key=lambda one: one[0] != in_use)
            if len(offered) == 1:
                act(offered[0][0])
                return
            self.app.push_screen(Choose(question, offered), lambda chosen: act(chosen) if chosen else None)

        self.ask(look, choose, group="choices", opens_dialog=True)

    def _open_preferences(self, collection_id: str) -> None:
        from ingest_tui.tui.views.documents.preferences_form import PreferencesForm

        def saved(answer: SavedPreferences | None) -> None:
            if answer is not None:
                job = f"; job {answer.job.job_id} cuts its documents again" if answer.job is not None else ""
                self.show_notice(f"saved the preferences of collection {collection_id}{job}", self.ingest.worker_hint)

        self.app.push_screen(PreferencesForm(self.ingest.client, collection_id, self._sample_of(collection_id)), saved)

    def _sample_of(self, collection_id: str) -> str:
        """Return the document under the cursor where that is one of the collection that is shown."""
        is_shown = collection_id == self.narrowed.collection_id and self.narrowed.state == "active"
        targets = self.target_documents() if is_shown else []
        return targets[0][0] if targets else ""

    def _ask_to_remove(self, collection_id: str) -> None:
        from ingest_tui.tui.dialogs.dialogs import Confirm

        client = self.ingest.client

        def look() -> tuple[Collection, RemovalReport]:
            return client.collections.show(collection_id).collection, client.collections.what_would_go(collection_id)

        def removed(report: RemovalReport) -> None:
            self.switch_collection(ALL)
            self.catch_up()
            documents = wording.plural(report.documents, "document")
            self.show_notice(
                f"removed collection {collection_id}; {documents} in the trash", ":collection.restore brings it back"
            )

        def ask(found: tuple[Collection, RemovalReport]) -> None:
            seen, goes = found
            names = [wording.plural(goes.documents, "document"), *(f"source {one}" for one in goes.source_ids)]

            def answered(agreed: bool | None) -> None:
                if agreed:
                    self.ask(lambda: client.collections.remove(collection_id, based_on=seen), removed, group=None)

            consequence = "Documents go to the trash with all their versions; those of other collections stay."
            question = f"Remove collection {collection_id}?"
            self.app.push_screen(Confirm(question, names, "Remove", consequence=consequence), answered)

        self.ask(look, ask, group="collection", opens_dialog=True)
