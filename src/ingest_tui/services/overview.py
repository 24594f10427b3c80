"""A workspace at a glance: what needs a person, the sources, what each collection holds, and the disk."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from ingest_tui.model.collection import Collection
from ingest_tui.services.attention import AttentionItem, attention_of
from ingest_tui.services.embedding_states import documents_to_embed
from ingest_tui.services.sources.health import SourceSummary, list_sources
from ingest_tui.store.catalogue import queries
from ingest_tui.store.fs.disk import Room, room_in
from ingest_tui.store.workspace import Workspace


@dataclass(frozen=True, slots=True)
class CollectionTotals:
    """How many active documents a collection has, and how many chunks these have.

    ``to_embed``: how many documents wait to be embedded; None where nothing is embedded.
    """

    collection_id: str
    documents: int
    chunks: int
    to_embed: int | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """What `overview` finds. ``catalogue_bytes`` is the size of the catalogue's file."""

    attention: list[AttentionItem]
    sources: list[SourceSummary]
    collections: list[CollectionTotals]
    room: Room
    catalogue_bytes: int


def overview(workspace: Workspace) -> Overview:
    """Return a workspace at a glance. Reads small records and one sum of the catalogue; walks no folder."""
    summaries = list_sources(workspace)
    totals = queries.totals_by_collection(workspace.reading)
    collections = [
        _totals_of(workspace, one, *totals.get(one.collection_id, (0, 0))) for one in _collections(workspace)
    ]
    size = 0
    with contextlib.suppress(OSError):
        size = workspace.layout.catalogue.stat().st_size
    return Overview(
        attention_of(workspace, summaries),
        summaries,
        sorted(collections, key=lambda one: (-one.documents, one.collection_id)),
        room_in(workspace.root, workspace.settings.disk_reserve),
        size,
    )


def _collections(workspace: Workspace) -> list[Collection]:
    return list(workspace.collections.all())


def _totals_of(workspace: Workspace, collection: Collection, documents: int, chunks: int) -> CollectionTotals:
    to_embed = documents_to_embed(workspace, collection.collection_id, documents=documents)
    return CollectionTotals(collection.collection_id, documents, chunks, to_embed)
