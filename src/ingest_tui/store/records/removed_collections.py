"""What the trash keeps of a collection that was removed: its record and its sources, so that it can be brought back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from ingest_tui.model.collection import Collection
from ingest_tui.model.errors import IngestError, ValidationError
from ingest_tui.model.identifiers import check_identifier
from ingest_tui.model.source import Source
from ingest_tui.store.fs.atomic import sync_folder
from ingest_tui.store.layout import REMOVED_COLLECTION, Layout
from ingest_tui.store.records.json_files import read_record, write_record
from ingest_tui.store.retirements import time_in

SCHEMA_VERSION = 1


class RemovedCollection(BaseModel):
    """A collection that was removed, with the sources that went with it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    schema_version: int = SCHEMA_VERSION
    removed_at: str
    by: str = ""
    collection: Collection
    sources: tuple[Source, ...] = ()


def read_removed(layout: Layout, collection_id: str) -> RemovedCollection | None:
    """Return what is kept of a removed collection, None where nothing is; raises `StoreError` for a damaged record."""
    path = layout.removed_collection(collection_id)
    if not path.exists():
        return None
    return read_record(path, RemovedCollection, newest=SCHEMA_VERSION, what=f"removed collection {collection_id!r}")


def write_removed(layout: Layout, removed: RemovedCollection) -> None:
    """Keep a collection durably. What a removal kept that did not come to its end is joined: its sources are gone."""
    with suppress(IngestError):
        earlier = read_removed(layout, removed.collection.collection_id)
        if earlier is not None:
            now = {source.source_id for source in removed.sources}
            gone = [source for source in earlier.sources if source.source_id not in now]
            removed = removed.model_copy(update={"sources": (*gone, *removed.sources)})
    write_record(layout.removed_collection(removed.collection.collection_id), removed)


def forget_removed(layout: Layout, collection_id: str) -> None:
    """Keep a removed collection no more."""
    layout.removed_collection(collection_id).unlink(missing_ok=True)
    sync_folder(layout.trash)


def removed_ids(layout: Layout) -> list[str]:
    """Return the identifiers of the collections that were removed, whether their records can be read or not."""
    paths = layout.removed_collection("any").parent.glob(f"{REMOVED_COLLECTION}*.json")
    return sorted(path.stem.removeprefix(REMOVED_COLLECTION) for path in paths)


def removal_times(layout: Layout) -> Iterator[tuple[str, datetime]]:
    """Yield the removed collections whose record can be read, and when they were removed."""
    for collection_id in removed_ids(layout):
        with suppress(IngestError):
            removed = read_removed(layout, collection_id)
            removed_at = time_in({} if removed is None else {"at": removed.removed_at}, "at")
            if removed_at is not None:
                yield collection_id, removed_at


def removed_called(layout: Layout, name: str) -> RemovedCollection | None:
    """Return a removed collection by its identifier, else by its name; None where there is none."""
    with suppress(ValidationError):  # no identifier, but it may be a name
        removed = read_removed(layout, check_identifier(name))
        if removed is not None:
            return removed
    for collection_id in removed_ids(layout):
        with suppress(IngestError):
            removed = read_removed(layout, collection_id)
            if removed is not None and removed.collection.name == name:
                return removed
    return None
