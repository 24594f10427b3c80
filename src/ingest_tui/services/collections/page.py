"""A collection at a glance: what is in it, its sources, its vectors, and how far these are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ingest_tui.model.embedding_state import EmbeddingState
from ingest_tui.model.generation import Generation
from ingest_tui.model.job import Manifest
from ingest_tui.services.collections.collections import CollectionSummary, show_collection
from ingest_tui.services.embedding_states import (
    documents_to_embed,
    states_in_collection,
    states_in_next_generation,
)
from ingest_tui.services.generations import list_generations
from ingest_tui.services.jobs.jobs import as_it_is
from ingest_tui.store.catalogue import queries
from ingest_tui.store.workspace import Workspace


@dataclass(frozen=True, slots=True)
class SourceOfCollection:
    """A source, how many documents the collection has of it, and how far their vectors are.

    ``next_embedding``: how far they are in the generation that is being built, empty where none is.
    """

    source_id: str
    documents: int
    embedding: EmbeddingState
    next_embedding: EmbeddingState = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        states = {"embedding": self.embedding, "next_embedding": self.next_embedding}
        return {"source_id": self.source_id, "documents": self.documents, **states}


@dataclass(frozen=True, slots=True)
class CollectionPage:
    """What `collection_page` finds. ``to_embed``: how many documents wait for vectors, None where nothing is embedded.

    ``jobs``: those that have not ended, as they are now.
    """

    summary: CollectionSummary
    to_embed: int | None
    sources: tuple[SourceOfCollection, ...]
    generations: tuple[Generation, ...]
    jobs: tuple[Manifest, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        generations = [
            {"number": one.number, "state": str(one.state), "embedder": one.embedder.embedder_id}
            for one in self.generations
        ]
        embedding = {"to_embed": self.to_embed, "generations": generations}
        states = [one.as_dict() for one in self.sources]
        return self.summary.as_dict() | {"embedding": embedding, "source_states": states}


def collection_page(workspace: Workspace, collection_id: str) -> CollectionPage:
    """Return a collection at a glance; raises `NotFoundError`."""
    summary = show_collection(workspace, collection_id)
    jobs = (as_it_is(workspace, job) for job in workspace.jobs.readable(summary.unfinished_jobs))
    return CollectionPage(
        summary,
        documents_to_embed(workspace, collection_id, documents=summary.documents),
        _sources_of(workspace, summary),
        list_generations(workspace, collection_id),
        tuple(jobs),
    )


def list_pages(workspace: Workspace) -> list[CollectionPage]:
    """Return all collections that can be read, each at a glance."""
    return [collection_page(workspace, one.collection_id) for one in workspace.collections.all()]


def _sources_of(workspace: Workspace, summary: CollectionSummary) -> tuple[SourceOfCollection, ...]:
    """Return the sources of a collection, and what else its documents are of: uploads, sources that were removed."""
    collection_id = summary.collection.collection_id
    counts = queries.documents_by_source(workspace.reading, collection_id)
    names = [*summary.source_ids, *sorted(counts.keys() - set(summary.source_ids))]
    states = states_in_collection(workspace, collection_id, counts)
    coming = states_in_next_generation(workspace, collection_id)
    return tuple(
        SourceOfCollection(name, counts.get(name, 0), states.get(name, ""), coming.get(name, "")) for name in names
    )
