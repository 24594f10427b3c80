"""The preferences in force for documents of the store: read from the records of their collections and sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest_tui.model.chunk_limits import ChunkLimits
from ingest_tui.model.collection import CollectionPreferences
from ingest_tui.model.preference_overrides import NOTHING_OVERRIDDEN, Overriding
from ingest_tui.model.preferences_in_force import preferences_in_force
from ingest_tui.model.source import RESERVED_SOURCES, UPLOAD_SOURCE
from ingest_tui.store.chunk_tokens import limits_of
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.sources import CollectionStore, SourceStore


def overriding_of(layout: Layout, source_id: str, record: Mapping[str, Any]) -> Overriding:
    """Return what is chosen for a document in place of its collection: by its source, or by its upload.

    ``record`` is its ingestion.json. A source that was removed chooses nothing any more. Raises `StoreError` where its
    record cannot be read.
    """
    if source_id == UPLOAD_SOURCE:
        return Overriding.of(record)
    sources = SourceStore(layout)
    if source_id in RESERVED_SOURCES or not sources.exists(source_id):
        return NOTHING_OVERRIDDEN
    return sources.get(source_id).overriding


def document_preferences(
    layout: Layout, collection_id: str, source_id: str, record: Mapping[str, Any]
) -> CollectionPreferences:
    """Return the preferences in force for a document."""
    preferences = CollectionStore(layout).get(collection_id).preferences
    return preferences_in_force(preferences, overriding_of(layout, source_id, record))


class DocumentLimits:
    """The limits of chunks of many documents; each record is read once, so this is for a moment of work."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._of_collections: dict[str, CollectionPreferences] = {}
        self._of_sources: dict[str, Overriding] = {}

    def of(self, collection_id: str, source_id: str, record: Mapping[str, Any]) -> ChunkLimits:
        """Return the limits of the chunks of a document; raises `IngestError` for records that cannot be used."""
        if collection_id not in self._of_collections:
            self._of_collections[collection_id] = CollectionStore(self._layout).get(collection_id).preferences
        overriding = self._of_sources.get(source_id)
        if overriding is None:
            overriding = overriding_of(self._layout, source_id, record)
            if source_id != UPLOAD_SOURCE:
                self._of_sources[source_id] = overriding
        return limits_of(preferences_in_force(self._of_collections[collection_id], overriding).chunk_rules())
