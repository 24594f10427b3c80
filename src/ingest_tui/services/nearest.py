"""The chunks whose vectors are nearest to one: of a collection, in the space of its embedder, as they are now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from ingest_tui.embedding.base import PROBE_TEXT, SEARCH_SECONDS, BackendContext, EmbedderError, EmbeddingBackend
from ingest_tui.embedding.registry import missing_extra, open_backend
from ingest_tui.index.vectors import nearest
from ingest_tui.model.batching import batches
from ingest_tui.model.document import Chunk, Document, SearchHit
from ingest_tui.model.embedder import Embedder, embedding_text, text_digest
from ingest_tui.model.errors import UnknownWordsError, UsageError
from ingest_tui.model.generation import Generation
from ingest_tui.pipeline.connecting import registry_for
from ingest_tui.pipeline.embed.generations import known_generations, with_current_settings
from ingest_tui.pipeline.embed.model import SAME_MODEL, likeness_of
from ingest_tui.services.embedding import chosen_embedder
from ingest_tui.services.open_graphs import OpenGraphs
from ingest_tui.services.open_models import LastModel
from ingest_tui.store.catalogue.chosen_documents import ChosenDocuments
from ingest_tui.store.graph_file import may_be_searched
from ingest_tui.store.vector_rows import LogRows, read_rows
from ingest_tui.store.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ROWS_PER_HIT = 4
_ROWS_READ_AT_ONCE = 100
_SNIPPET = 200


class SearchedVectors(NamedTuple):
    """What is searched: the rows of a generation of a collection's vectors, and the embedder that they are of."""

    collection_id: str
    embedder: Embedder
    rows: LogRows


def vectors_of(workspace: Workspace, collection_id: str, generation: Generation | None = None) -> SearchedVectors:
    """Return the vectors of a collection: of the generation that answers, or of another one.

    Raises `UsageError` where it has no embedder or no vectors yet, `MissingDependencyError`.
    """
    chosen = chosen_embedder(workspace, collection_id)
    searched = generation or known_generations(workspace, collection_id).answering
    if searched is None:
        workspace.embedders.get(chosen.embedder_id)
        raise no_vectors(f"collection {collection_id!r}", collection_id)
    if workspace.embedders.exists(searched.embedder.embedder_id):
        searched = with_current_settings(searched, workspace.embedders.get(searched.embedder.embedder_id))
    missing = missing_extra(searched.embedder.backend)
    if missing is not None:
        raise missing
    rows = read_rows(workspace.layout.vector_log(collection_id, searched.key), searched.space)
    if rows is None:
        raise no_vectors(f"collection {collection_id!r}", collection_id)
    return SearchedVectors(collection_id, searched.embedder, rows)


def no_vectors(what: str, collection_id: str) -> UsageError:
    """Return the error for something that is not embedded yet."""
    hint = f"'ingest-tui embed {collection_id}' makes them"
    return UsageError(f"{what} has no vectors yet", hint=hint, code="no_vectors")


_model: LastModel[EmbeddingBackend[Any]] = LastModel()


def query_vector(workspace: Workspace, searched: SearchedVectors, text: str) -> NDArray[np.float32]:
    """Return the unit vector of a query; raises `UnknownWordsError`, and what the model raises."""
    embedder = searched.embedder
    key = orjson.dumps([str(workspace.root), embedder.backend, embedder.settings, embedder.space.space_id])
    vector = _model.ask(key, lambda: _opened(workspace, searched), lambda model: model.embed_query(text))
    if not vector.any():
        raise UnknownWordsError(
            "the model knows nothing of these words", hint="use others, or 'ingest-tui search --mode text WORDS'"
        )
    return vector


def _opened(workspace: Workspace, searched: SearchedVectors) -> EmbeddingBackend[Any]:
    embedder, probe = searched.embedder, searched.rows.state.probe
    context = BackendContext.while_somebody_waits(registry_for(workspace), SEARCH_SECONDS)
    model = open_backend(embedder.backend, embedder.settings, context)
    vector = model.embed_documents([PROBE_TEXT])[0]
    if embedder.space.differences(model.space) or (probe and likeness_of(probe, vector) < SAME_MODEL):
        model.close()
        raise EmbedderError(
            f"embedder {embedder.embedder_id!r} is another model than the one that the vectors are of",
            hint=f"'ingest-tui embedder test {embedder.embedder_id}' shows what differs",
            code="model_changed",
        )
    return model


_graphs = OpenGraphs()


def nearest_hits(
    workspace: Workspace,
    searched: SearchedVectors,
    query: NDArray[np.float32],
    chosen: ChosenDocuments | None,
    *,
    limit: int,
    all_chunks: bool = False,
) -> list[SearchHit]:
    """Return the best chunk of each of the nearest documents, or with ``all_chunks`` the best chunks; the best first.

    ``chosen`` are the documents that may be found, None: all of the collection, without a look at each. More rows are
    asked for until there are enough that are in force.
    """
    if limit == 0:
        return []
    rows = searched.rows
    allowed = None if chosen is None else _RowsOfDocuments(rows, chosen)
    graph = None
    if rows.state.graph is not None and may_be_searched(rows.folder, rows.state.graph):
        graph = _graphs.opened(rows.folder, rows.state.graph, rows.state.space.dimensions)
    most = rows.state.rows
    wanted = most if limit < 0 else min(most, limit * _ROWS_PER_HIT)
    while True:
        found = nearest(rows.vectors, query, limit=wanted, allowed=allowed, graph=graph)
        hits: dict[str, SearchHit] = {}
        for document, chunk, score in _in_force(workspace, searched, found.rows.tolist(), found.scores.tolist()):
            key = chunk.chunk_id if all_chunks else document.document_id
            if key not in hits:
                hits[key] = _hit(document, chunk, score)
            if len(hits) == limit:
                break
        if len(hits) >= limit >= 0 or len(found.rows) < wanted or wanted >= most:
            return list(hits.values())[: limit if limit >= 0 else None]
        wanted = min(most, wanted * _ROWS_PER_HIT)


class _RowsOfDocuments:
    """The rows of documents that may be found. Each document is asked for once."""

    def __init__(self, rows: LogRows, chosen: ChosenDocuments) -> None:
        self._rows = rows
        self._chosen = chosen
        self._known: dict[int, bool] = {}
        self._of_all: NDArray[np.bool_] | None = None

    def among(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return for each of some rows whether it may be found."""
        import numpy as np

        numbers = self._rows.entries["document"][rows].tolist()
        unknown = {number: self._name(number) for number in set(numbers) - self._known.keys()}
        found = self._chosen.among(unknown.values()) if unknown else set()
        self._known.update({number: name in found for number, name in unknown.items()})
        return np.fromiter((self._known[number] for number in numbers), dtype=np.bool_, count=len(numbers))

    def of_all(self) -> NDArray[np.bool_]:
        """Return for each row whether it may be found."""
        import numpy as np

        if self._of_all is None:
            chosen = {name.encode("ascii", "replace") for name in self._chosen.all}
            names = self._rows.document_ids.tolist()
            of_documents = np.fromiter((name in chosen for name in names), dtype=np.bool_, count=len(names))
            self._of_all = of_documents[self._rows.entries["document"]]
        return self._of_all

    def _name(self, number: int) -> str:
        name: str = self._rows.document_ids[number].decode("ascii", "replace")
        return name


def _in_force(
    workspace: Workspace, searched: SearchedVectors, rows: list[int], scores: list[float]
) -> Iterator[tuple[Document, Chunk, float]]:
    """Yield the chunks of rows that are as they were embedded, with the same text.

    A row of an older version counts for the chunk that has its text now, until the new version is embedded.
    """
    older: dict[str, dict[bytes, Chunk]] = {}
    for some in batches(zip(rows, scores, strict=True), _ROWS_READ_AT_ONCE):
        entries = [_entry(searched.rows, row) for row, _ in some]
        documents: Mapping[str, Document] = workspace.reading.documents({entry.document_id for entry in entries})
        current = _chunks_at(workspace, (entry for entry in entries if entry.is_of(documents.get(entry.document_id))))
        for entry, (_, score) in zip(entries, some, strict=True):
            document = documents.get(entry.document_id)
            if document is None or document.state != "active" or document.collection_id != searched.collection_id:
                continue
            if entry.is_of(document):
                chunk = current.get((entry.document_id, entry.ordinal))
                chunk = chunk if chunk is not None and _digest_of(chunk) == entry.digest else None
            else:
                if entry.document_id not in older:
                    older[entry.document_id] = _by_digest(workspace.reading.full_text.chunks_of(entry.document_id))
                chunk = older[entry.document_id].get(entry.digest)
            if chunk is not None:
                yield document, chunk, score


class _Entry(NamedTuple):
    """What a row is of: a chunk of a version of a document, and the digest of what was embedded of it."""

    document_id: str
    version: int
    ordinal: int
    digest: bytes

    def is_of(self, document: Document | None) -> bool:
        """Whether it is of the version that a document has now."""
        return document is not None and document.version == self.version


def _entry(log: LogRows, row: int) -> _Entry:
    entry = log.entries[row]
    document_id = log.document_ids[entry["document"]].decode("ascii", "replace")
    return _Entry(document_id, int(entry["version"]), int(entry["ordinal"]), entry["digest"].tobytes())


def _chunks_at(workspace: Workspace, entries: Iterable[_Entry]) -> dict[tuple[str, int], Chunk]:
    """Return the chunks that entries of current versions are of: these alone, not all of their documents."""
    chunks = workspace.reading.full_text.chunks_at((entry.document_id, entry.ordinal) for entry in entries)
    return {(chunk.document_id, chunk.ordinal): chunk for chunk in chunks}


def _by_digest(chunks: Iterable[Chunk]) -> dict[bytes, Chunk]:
    """Return the chunks of a document by the digest of what is embedded of them, the first of those with the same."""
    return {_digest_of(chunk): chunk for chunk in reversed(list(chunks))}


def _digest_of(chunk: Chunk) -> bytes:
    return text_digest(embedding_text(chunk.heading, chunk.text))


def _hit(document: Document, chunk: Chunk, score: float) -> SearchHit:
    words = " ".join(chunk.text.split())
    return SearchHit(
        document_id=document.document_id,
        chunk_id=chunk.chunk_id,
        title=document.title,
        uri=document.uri,
        collection_id=document.collection_id,
        version=document.version,
        heading_path=chunk.heading,
        snippet=words if len(words) <= _SNIPPET else f"{words[: _SNIPPET - 1]}…",
        text=chunk.text,
        score=round(score, 4),
        page=chunk.page,
        start=chunk.start,
        end=chunk.end,
    )
