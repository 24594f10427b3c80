"""Sources and collections on disk: one small file each."""

from __future__ import annotations

from ingest_tui.model import collection as collections_model
from ingest_tui.model import source as sources_model
from ingest_tui.model.collection import Collection
from ingest_tui.model.errors import IngestError, NotFoundError
from ingest_tui.model.naming import safe_display
from ingest_tui.model.source import Source
from ingest_tui.store.atomic import sync_folder
from ingest_tui.store.layout import Layout
from ingest_tui.store.looks import LookStore
from ingest_tui.store.records import read_record, record_names, write_record
from ingest_tui.store.remembering import StoredMemory


class SourceStore:
    """The sources of a workspace."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def names(self) -> list[str]:
        """Return the identifiers of all sources, sorted."""
        return record_names(self._layout.sources)

    def all(self) -> list[Source]:
        """Return all sources that can be read, sorted by identifier; `unreadable` names the others."""
        return [source for source in map(self._get_if_sound, self.names()) if source is not None]

    def unreadable(self) -> list[str]:
        """Return the identifiers of sources whose file cannot be read; `doctor` tells why."""
        return [name for name in self.names() if self._get_if_sound(name) is None]

    def _get_if_sound(self, name: str) -> Source | None:
        try:
            return self.get(name)
        except IngestError:
            return None

    def exists(self, source_id: str) -> bool:
        """Tell whether there is a source of that identifier."""
        return self._layout.source(source_id).exists()

    def get(self, source_id: str) -> Source:
        """Return a source; raises `NotFoundError`."""
        if not self.exists(source_id):
            raise NotFoundError(
                f"there is no source {safe_display(source_id)!r}",
                hint="'ingest-tui source list' shows them; 'ingest-tui source add' adds one",
                source_id=source_id,
            )
        path = self._layout.source(source_id)
        return read_record(path, Source, newest=sources_model.SCHEMA_VERSION, what=f"source {source_id!r}")

    def save(self, source: Source) -> None:
        """Write a source durably. What was remembered of its listings holds for the same settings only."""
        path = self._layout.source(source.source_id)
        before = self._get_if_sound(source.source_id) if path.exists() else None
        write_record(path, source)
        if before is not None and before.source_config != source.source_config:
            StoredMemory.discard(self._layout.listing_memory(source.source_id))

    def remove(self, source_id: str) -> None:
        """Forget a source; its documents are the caller's business."""
        self._layout.source(source_id).unlink(missing_ok=True)
        sync_folder(self._layout.sources)
        StoredMemory.discard(self._layout.listing_memory(source_id))
        LookStore(self._layout).remove(source_id)


class CollectionStore:
    """The collections of a workspace."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def all(self) -> list[Collection]:
        """Return all collections, sorted by identifier."""
        return [self.get(name) for name in record_names(self._layout.collections)]

    def exists(self, collection_id: str) -> bool:
        """Tell whether there is a collection of that identifier."""
        return self._layout.collection(collection_id).exists()

    def get(self, collection_id: str) -> Collection:
        """Return a collection; raises `NotFoundError`."""
        if not self.exists(collection_id):
            raise NotFoundError(
                f"there is no collection {safe_display(collection_id)!r}",
                hint="'ingest-tui collection list' shows them; 'ingest-tui collection add' adds one",
                collection_id=collection_id,
            )
        path = self._layout.collection(collection_id)
        what = f"collection {collection_id!r}"
        return read_record(path, Collection, newest=collections_model.SCHEMA_VERSION, what=what)

    def save(self, collection: Collection) -> None:
        """Write a collection durably."""
        write_record(self._layout.collection(collection.collection_id), collection)
