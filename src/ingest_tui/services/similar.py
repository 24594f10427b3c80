"""Finding what is similar: the documents whose vectors are nearest to those of a document, or to that of a text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from ingest_tui.model.document import Document, SearchHit
from ingest_tui.model.embedder import no_embedder
from ingest_tui.model.errors import UsageError
from ingest_tui.pipeline.embed.due import is_embedding_due
from ingest_tui.pipeline.embed.generations import known_generations
from ingest_tui.services.documents.documents import check_choice, get_document
from ingest_tui.services.documents.search_modes import narrows
from ingest_tui.services.nearest import SearchedVectors, nearest_hits, no_vectors, query_vector, vectors_of
from ingest_tui.store.catalogue.chosen_documents import ChosenDocuments
from ingest_tui.store.catalogue.queries import DocumentChoice
from ingest_tui.store.vector_rows import LogRows
from ingest_tui.store.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def similar_to_document(
    workspace: Workspace, target: str, *, limit: int = 20, **choice: Unpack[DocumentChoice]
) -> list[SearchHit]:
    """Return the best chunk of each of the documents that are nearest to one, best first, from its collection.

    Raises `UsageError` where the collection has no embedder, or the document no vector yet.
    """
    document = get_document(workspace, target)
    check_choice(workspace, choice)
    searched = vectors_of(workspace, document.collection_id)
    query = _centre_of(searched.rows, document)
    most = limit + 1 if limit > 0 else limit  # it is the nearest to itself
    hits = nearest_hits(workspace, searched, query, _chosen(workspace, searched, choice), limit=most)
    others = [hit for hit in hits if hit.document_id != document.document_id]
    return others if limit < 0 else others[:limit]


def similar_to_text(
    workspace: Workspace, text: str, *, limit: int = 20, **choice: Unpack[DocumentChoice]
) -> list[SearchHit]:
    """Return the best chunk of each of the documents that are nearest to a text, best first.

    It is searched in the collection that ``choice`` names, else in the one that has an embedder. Raises `UsageError`
    where that is none or several, and what the model raises.
    """
    if not text.strip():
        raise UsageError("the text is empty", hint="give the words to look for")
    check_choice(workspace, choice)
    searched = vectors_of(workspace, choice.get("collection_id") or _only_collection(workspace))
    query = query_vector(workspace, searched, text)
    return nearest_hits(workspace, searched, query, _chosen(workspace, searched, choice), limit=limit)


def hint_without_hits(workspace: Workspace, *, target: str | None = None, **choice: Unpack[DocumentChoice]) -> str:
    """Return what to do where nothing was found by vectors: embed what has changed since; empty where nothing has.

    ``target`` is the document that others were to be similar to. After documents were cut into other chunks none has
    vectors until the next job that embeds.
    """
    if target is not None:
        named: str | None = get_document(workspace, target).collection_id
    else:
        named = choice.get("collection_id")
    for collection_id in [named] if named else workspace.collections.names():
        answering = known_generations(workspace, collection_id).answering
        if answering is not None and is_embedding_due(workspace, collection_id, answering):
            return (
                f"documents of collection {collection_id!r} have changed since they were embedded; "
                f"'ingest-tui embed {collection_id}' embeds them"
            )
    return ""


def _only_collection(workspace: Workspace) -> str:
    """Return the collection that has an embedder."""
    found = [one.collection_id for one in workspace.collections.all() if one.preferences.embedding_choice() is not None]
    if not found:
        raise no_embedder("default", workspace.embedders.names())
    if len(found) > 1:
        raise UsageError(f"which collection? These have an embedder: {', '.join(found)}", hint="name one: --collection")
    return found[0]


def _chosen(workspace: Workspace, searched: SearchedVectors, choice: DocumentChoice) -> ChosenDocuments | None:
    """Return the documents that may be found; None: all of the collection, without a look at each."""
    if not narrows(choice):
        return None
    return ChosenDocuments(workspace.reading, {**choice, "collection_id": searched.collection_id})


def _centre_of(rows: LogRows, document: Document) -> NDArray[np.float32]:
    """Return the unit vector between the chunks of a document."""
    import numpy as np

    numbers = np.flatnonzero(rows.document_ids == document.document_id.encode("ascii"))
    mine = np.isin(rows.entries["document"], numbers) & (rows.entries["version"] == document.version)
    if not mine.any():
        raise no_vectors("the document", document.collection_id)
    centre: NDArray[np.float32] = np.asarray(rows.vectors[mine], dtype=np.float32).mean(axis=0)
    length = float(np.linalg.norm(centre))
    return centre / length if length else centre
