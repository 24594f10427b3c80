"""Sources and collections on disk: one small file each."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from ingest_tui.model import collection as collections_model
from ingest_tui.model import source as sources_model
from ingest_tui.model.collection import Collection
from ingest_tui.model.errors import IngestError, NotFoundError, StoreError
from ingest_tui.model.revision import conflict, differences
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.similar_names import did_you_mean
from ingest_tui.model.source import Source
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.json_files import record_names, refuse_other_name
from ingest_tui.store.records.listing_cache import StoredMemory
from ingest_tui.store.records.looks import LookStore
from ingest_tui.store.records.record_file import RecordFile
from ingest_tui.store.records.schedule_marks import ScheduleMarks


class SourceStore:
    """The sources of a workspace."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def names(self) -> list[str]:
        """Return the identifiers of all sources, sorted."""
        return record_names(self._layout.sources)

    def all(self) -> list[Source]:
        """Return all sources that can be read, sorted by identifier; `unreadable` names the others."""
        return [source for source in map(self._get_if_valid, self.names()) if source is not None]

    def unreadable(self) -> list[str]:
        """Return the identifiers of sources whose file cannot be read, or is lost; `doctor` reports why."""
        return sorted(name for name in {*self.names(), *self._looked_at()} if self._get_if_valid(name) is None)

    def _looked_at(self) -> list[str]:
        """Return the identifiers of sources that are looked at: they go with what is known of the looks."""
        folder = self._layout.look("any").parent
        return record_names(folder) if folder.is_dir() else []

    def _get_if_valid(self, name: str) -> Source | None:
        try:
            return self.get(name)
        except IngestError:
            return None

    def exists(self, source_id: str) -> bool:
        """Return whether there is a source of that identifier."""
        return self._layout.source(source_id).exists()

    def get(self, source_id: str) -> Source:
        """Return a source; raises `NotFoundError`."""
        if not self.exists(source_id):
            self._refuse_lost(source_id)
            raise NotFoundError(
                f"there is no source '{safe_display(source_id)}'",
                hint=f"{did_you_mean(source_id, self.names())}'ingest-tui source list' shows them;"
                " 'ingest-tui source add TYPE NAME' adds one",
                source_id=source_id,
            )
        source = self._file(source_id).read()
        refuse_other_name(source.source_id, source_id, what="source", path=self._layout.source(source_id))
        return source

    def _refuse_lost(self, source_id: str) -> None:
        """Raise `StoreError` when a source has lost its file: nobody removed it, as what is known of it is there."""
        if self._layout.look(source_id).exists() or self._layout.listing_memory(source_id).exists():
            raise StoreError(
                f"the file of source '{safe_display(source_id)}' is missing: "
                f"{safe_display(str(self._layout.source(source_id)))}",
                hint="restore it from a backup, or add the source again under its name: it takes its documents over",
                source_id=source_id,
            )

    def add(self, source: Source) -> Source:
        """Write a new source durably; raises `UsageError` when there is a file of that name, damaged or not."""
        return self._file(source.source_id).add(source)

    def save(self, source: Source, based_on: Source | None = None) -> Source:
        """Write a source durably that was made from ``based_on``; without, a new one, or one of the same revision.

        Raises `ConflictError` for whoever is late. What is known of its listings holds for the same settings only.
        """
        if based_on is None:
            if not self.exists(source.source_id):
                return self.add(source)
            based_on = self.get(source.source_id)
            if based_on.revision != source.revision:
                found = differences(source.model_dump(mode="json"), based_on.model_dump(mode="json"))
                raise conflict(f"source {source.source_id!r}", found, based_on)
        saved = self._file(source.source_id).save(source, based_on)
        if based_on.source_config != source.source_config:
            self._forget_listings(source.source_id)
        return saved

    def remove(self, source_id: str) -> None:
        """Forget a source, as it is now; its documents are the caller's business.

        Its file goes last: a source of which only the rest is known has lost it.
        """
        self._forget_listings(source_id)
        ScheduleMarks(self._layout).remove(source_id)
        LookStore(self._layout).remove(source_id)
        self._file(source_id).remove()

    def _forget_listings(self, source_id: str) -> None:
        """Remove what its connector remembers and keeps; a job that uses it now fetches it again."""
        StoredMemory.discard(self._layout.listing_memory(source_id))
        shutil.rmtree(self._layout.kept_files(source_id), ignore_errors=True)

    def _file(self, source_id: str) -> RecordFile[Source]:
        path = self._layout.source(source_id)
        newest = sources_model.SCHEMA_VERSION
        return RecordFile(self._layout, path, Source, newest=newest, what=f"source {source_id!r}")


class CollectionStore:
    """The collections of a workspace."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def all(self) -> list[Collection]:
        """Return all collections that can be read, sorted by identifier; `unreadable` names the others."""
        return [collection for collection in map(self._get_if_readable, self.names()) if collection is not None]

    def unreadable(self) -> list[str]:
        """Return the identifiers of collections whose file cannot be read, or is lost: there are documents."""
        return [name for name in self.names() if self._get_if_readable(name) is None]

    def names(self) -> list[str]:
        """Return the identifiers of all collections, those with documents that lost their file too, sorted."""
        names = set(record_names(self._layout.collections))
        with suppress(OSError):
            names |= {path.name for path in self._layout.documents.iterdir() if not path.name.startswith(".")}
        return sorted(names)

    def _has_documents(self, collection_id: str) -> bool:
        try:
            return any((self._layout.documents / collection_id).iterdir())
        except OSError:
            return False

    def _get_if_readable(self, name: str) -> Collection | None:
        try:
            return self.get(name)
        except IngestError:
            return None

    def exists(self, collection_id: str) -> bool:
        """Return whether there is a collection of that identifier."""
        return self._layout.collection(collection_id).exists()

    def get(self, collection_id: str) -> Collection:
        """Return a collection; raises `NotFoundError`, and `StoreError` for one whose file is lost or damaged."""
        if not self.exists(collection_id):
            if self._has_documents(collection_id):
                raise StoreError(
                    f"the file of collection '{safe_display(collection_id)}' is missing although it has documents: "
                    f"{safe_display(str(self._layout.collection(collection_id)))}",
                    hint=f"restore it from a backup, or 'ingest-tui collection add {collection_id}' makes it again",
                    collection_id=collection_id,
                )
            listed = "'ingest-tui collection list' shows them; 'ingest-tui collection add NAME' adds one"
            hint = f"{did_you_mean(collection_id, self.names())}{listed}"
            if self._layout.removed_collection(collection_id).exists():
                hint = f"it was removed; 'ingest-tui collection restore {collection_id}' brings it back"
            raise NotFoundError(
                f"there is no collection '{safe_display(collection_id)}'",
                hint=hint,
                collection_id=collection_id,
            )
        collection = self._file(collection_id).read()
        path = self._layout.collection(collection_id)
        refuse_other_name(collection.collection_id, collection_id, what="collection", path=path)
        return collection

    def add(self, collection: Collection) -> Collection:
        """Write a new collection durably; raises `UsageError` when there is a file of that name, damaged or not."""
        return self._file(collection.collection_id).add(collection)

    def save(self, collection: Collection, based_on: Collection) -> Collection:
        """Write a collection durably that was made from ``based_on``; raises `ConflictError` for whoever is late."""
        return self._file(collection.collection_id).save(collection, based_on)

    def remove(self, collection_id: str) -> None:
        """Forget a collection that has no documents any more, and the folders where they were."""
        folder = self._layout.documents / collection_id
        for path in (*_folders_in(folder), folder):
            with suppress(OSError):  # something is in it that is no document
                path.rmdir()
        self._file(collection_id).remove()

    def _file(self, collection_id: str) -> RecordFile[Collection]:
        path = self._layout.collection(collection_id)
        newest = collections_model.SCHEMA_VERSION
        return RecordFile(self._layout, path, Collection, newest=newest, what=f"collection {collection_id!r}")


def _folders_in(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()]
    except OSError:
        return []
