"""What is kept, and how long: as the preferences of a collection say, else as the workspace does."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

from ingest_tui.model.clock import days
from ingest_tui.model.document import Document
from ingest_tui.model.errors import IngestError
from ingest_tui.model.retention import RetentionPolicy
from ingest_tui.model.source import UPLOAD_SOURCE
from ingest_tui.store.document_preferences import document_preferences
from ingest_tui.store.records.removed_collections import read_removed, removed_ids
from ingest_tui.store.workspace import Workspace


class RetentionPolicies:
    """The policy of each collection, as it is when this is made. A removed collection keeps the one that it had."""

    def __init__(self, workspace: Workspace) -> None:
        self.usual = workspace.settings.retention
        self._workspace = workspace
        self._known: dict[str, RetentionPolicy | None] = {}
        for collection_id in removed_ids(workspace.layout):
            with suppress(IngestError):
                removed = read_removed(workspace.layout, collection_id)
                chosen = None if removed is None else self.usual.of_collection(removed.collection.preferences)
                self._known[collection_id] = chosen
            self._known.setdefault(collection_id, None)
        self._known |= dict.fromkeys(workspace.collections.unreadable())
        self._known |= {
            one.collection_id: self.usual.of_collection(one.preferences) for one in workspace.collections.all()
        }
        self._of_sources: dict[str, timedelta | None] = dict.fromkeys(workspace.sources.unreadable())
        self._choosing = {UPLOAD_SOURCE, *self._of_sources}
        self._of_choosing: dict[tuple[str, str], RetentionPolicy | None] = {}
        for source in workspace.sources.all():
            if source.overrides.chosen():
                self._choosing.add(source.source_id)
            if source.overrides.trash_days is not None:
                self._of_sources[source.source_id] = days(source.overrides.trash_days)

    def of(self, collection_id: str) -> RetentionPolicy | None:
        """Return the policy of a collection; None where its record cannot be read: then nothing says what may go."""
        return self._known.get(collection_id, self.usual)

    def of_document(self, document: Document) -> RetentionPolicy | None:
        """Return the policy of a document, whose source or upload may have chosen one; None where it cannot be read."""
        if document.source_id not in self._choosing:
            return self.of(document.collection_id)
        if document.source_id == UPLOAD_SOURCE:
            return self._chosen(document)
        where = document.collection_id, document.source_id
        if where not in self._of_choosing:
            self._of_choosing[where] = self._chosen(document)
        return self._of_choosing[where]

    def _chosen(self, document: Document) -> RetentionPolicy | None:
        """Return the policy by the preferences in force; what an upload has chosen is in the record of its document."""
        store, record = self._workspace.document_store, dict[str, Any]()
        try:
            if document.source_id == UPLOAD_SOURCE:
                folder = store.folder(document.collection_id, document.document_id, document.version)
                record = store.ingestion(folder)
            preferences = document_preferences(
                self._workspace.layout, document.collection_id, document.source_id, record
            )
        except IngestError:
            return None
        return self.usual.of_collection(preferences)

    def grace_of(self, collection_id: str, source_id: str = "") -> timedelta | None:
        """Return how long the trash keeps what was removed from a collection, or what a source of it has chosen.

        None where a record cannot be read. A source that was removed chooses nothing any more.
        """
        if source_id in self._of_sources:
            return self._of_sources[source_id]
        policy = self.of(collection_id)
        return None if policy is None else policy.trash

    @property
    def shortest_grace(self) -> timedelta:
        """The shortest time that the trash keeps anything."""
        return min(self._graces)

    @property
    def shortest_grace_to_wait(self) -> timedelta:
        """The shortest that is not zero; zero where nothing waits."""
        return min(filter(None, self._graces), default=timedelta())

    @property
    def _graces(self) -> list[timedelta]:
        chosen = [*(policy.trash for policy in self._known.values() if policy is not None), *self._of_sources.values()]
        return [self.usual.trash, *(grace for grace in chosen if grace is not None)]
