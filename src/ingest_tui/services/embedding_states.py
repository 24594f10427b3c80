"""How far the embedding of documents and sources is, in the generation that answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ingest_tui.model.counted import counted
from ingest_tui.model.document import Document
from ingest_tui.model.embedding_state import EmbeddingState, embedding_state
from ingest_tui.model.errors import IngestError
from ingest_tui.model.generation import Generation
from ingest_tui.model.job import EMBED, JobState, Manifest
from ingest_tui.model.source import Source
from ingest_tui.services.documents.documents import get_document
from ingest_tui.store.catalogue import queries
from ingest_tui.store.jobs import id_part_of
from ingest_tui.store.vector_files import refused_in
from ingest_tui.store.vector_rows import LogState, has_rows, read_rows, read_state
from ingest_tui.store.workspace import Workspace


class _Embedded(NamedTuple):
    """What is known of the vectors of a collection."""

    generation: Generation | None
    job: Manifest | None
    is_automatic: bool
    is_next: bool = False

    def state(self, refused: int | None) -> EmbeddingState:
        if self.is_next and refused is None and self.job is not None and self.job.state is JobState.PARTIAL:
            return "failed"  # nobody tries again by itself what a generation lacks
        return embedding_state(
            refused=refused, job=self.job.state if self.job else None, is_automatic=self.is_automatic
        )


def documents_to_embed(workspace: Workspace, collection_id: str, *, documents: int) -> int | None:
    """Return how many of the ``documents`` of a collection are not in the vectors that answer as they are now.

    None where nothing is embedded. Reads what the catalogue says of changes, no file of a document.
    """
    embedded = _embedded(workspace, {collection_id}).get(collection_id)
    if embedded is None:
        return None
    due = _documents_due(workspace, collection_id, embedded)
    return documents if due is None else len(due)


class MissingVectors(NamedTuple):
    """How many chunks of a collection have no vector that a search could find, and the job that makes them, if any."""

    collection_id: str
    chunks: int
    job: Manifest | None

    def __str__(self) -> str:
        """Return it in words."""
        one = self.chunks == 1
        vectors = (
            f"the vector of 1 chunk of collection {self.collection_id!r} is missing"
            if one
            else f"vectors of {counted(self.chunks, 'chunk')} of collection {self.collection_id!r} are missing"
        )
        them = "it" if one else "them"
        who = f"job {self.job.job_id} ({self.job.state})" if self.job else f"'ingest-tui embed {self.collection_id}'"
        return f"{vectors}, and a search by meaning does not find {them}: {who} makes {them}"


def missing_vectors(workspace: Workspace, collection_id: str) -> MissingVectors | None:
    """Return which vectors of a collection are missing; None where none is, or it has no embedder that works here.

    What has changed is known of the feed, and only documents that have are looked at. Where all are to be embedded
    again, the rows are counted: those of documents that are gone are taken for others then.
    """
    from ingest_tui.embedding.registry import missing_extra

    embedded = _embedded(workspace, {collection_id}).get(collection_id)
    if embedded is None or (embedded.generation and missing_extra(embedded.generation.embedder.backend)):
        return None
    chunks = _chunks_without_vectors(workspace, collection_id, embedded.generation)
    job = embedded.job if embedded.job is not None and not embedded.job.ended else None
    return MissingVectors(collection_id, chunks, job) if chunks else None


def _chunks_without_vectors(workspace: Workspace, collection_id: str, generation: Generation | None) -> int:
    from ingest_tui.pipeline.embed.due import due_documents

    folder = workspace.layout.vector_log(collection_id, generation.key) if generation else None
    state = read_state(folder, generation.space) if folder and generation else None
    if folder is None or state is None or not has_rows(folder, state):
        return workspace.reading.count_chunks_of_collection(collection_id)
    due = due_documents(workspace.reading, collection_id, state, everything=False).document_ids
    if due is None:
        return max(0, workspace.reading.count_chunks_of_collection(collection_id) - state.rows)
    documents = [one for one in workspace.reading.documents(due).values() if one.state == "active"]
    return _chunks_without_rows(folder, state, documents) if documents else 0


def _chunks_without_rows(folder: Path, state: LogState, documents: list[Document]) -> int:
    """Return how many chunks of documents, as these are now, have no row."""
    import numpy as np

    rows = read_rows(folder, state.space)
    known: Counter[tuple[str, int]] = Counter()
    if rows is not None:
        numbers = np.flatnonzero(np.isin(rows.document_ids, [one.document_id.encode("ascii") for one in documents]))
        names = {number: rows.document_ids[number].decode("ascii") for number in numbers.tolist()}
        entries = rows.entries[np.isin(rows.entries["document"], numbers)]
        pairs = zip(entries["document"].tolist(), entries["version"].tolist(), strict=True)
        known.update((names[number], version) for number, version in pairs)
    return sum(max(0, one.chunks - known[one.document_id, one.version]) for one in documents)


def embeds_anything(workspace: Workspace) -> bool:
    """Whether a collection has an embedder."""
    try:
        return any(one.preferences.embedding_choice() is not None for one in workspace.collections.all())
    except IngestError:
        return False


def states_of_documents(
    workspace: Workspace, documents: Iterable[Document], *, in_next: bool = False
) -> dict[str, EmbeddingState]:
    """Return the states of the embedding of documents, by their ids; of a retired one it is empty.

    ``in_next``: in the generation that is being built, where there is one, rather than in the one that answers.
    """
    documents = list(documents)
    collection_ids = {document.collection_id for document in documents}
    known = _embedded(workspace, collection_ids)
    if in_next:
        known |= _being_built(workspace, collection_ids)
    return {document.document_id: _of_document(workspace, document, known) for document in documents}


def state_of_document(workspace: Workspace, document_id: str) -> EmbeddingState:
    """Return the state of the embedding of a document; raises `NotFoundError`."""
    document = get_document(workspace, document_id)
    return states_of_documents(workspace, [document])[document.document_id]


def _of_document(workspace: Workspace, document: Document, known: dict[str, _Embedded]) -> EmbeddingState:
    embedded = known.get(document.collection_id)
    if embedded is None or document.state != "active":
        return ""
    if not document.chunks:
        return "succeeded"
    if embedded.generation is None:
        return embedded.state(None)
    folder = workspace.layout.version(document.collection_id, document.document_id, document.version)
    return embedded.state(refused_in(folder, embedded.generation.key))


def states_of_sources(workspace: Workspace, sources: Iterable[Source]) -> dict[str, EmbeddingState]:
    """Return the states of the embedding of sources, by their ids; of one without documents it is empty.

    A source is at what its documents are at for which something is to be done; else it has failed where the last job
    names a failure in one of its documents.
    """
    sources = list(sources)
    counts = queries.documents_by_source(workspace.reading)
    states: dict[str, EmbeddingState] = dict.fromkeys((source.source_id for source in sources), "")
    for collection_id, embedded in _embedded(workspace, {source.collection_id for source in sources}).items():
        own = [one.source_id for one in sources if one.collection_id == collection_id and counts.get(one.source_id)]
        states |= _states_of(workspace, collection_id, embedded, own)
    return states


def states_in_collection(
    workspace: Workspace, collection_id: str, source_ids: Iterable[str]
) -> dict[str, EmbeddingState]:
    """Return the states of the embedding of what a collection has of sources, uploads among them, by their ids."""
    embedded = _embedded(workspace, {collection_id}).get(collection_id)
    return {} if embedded is None else _states_of(workspace, collection_id, embedded, source_ids)


def _states_of(
    workspace: Workspace, collection_id: str, embedded: _Embedded, source_ids: Iterable[str]
) -> dict[str, EmbeddingState]:
    due = _sources_with_due(workspace, collection_id, embedded)
    failed = _sources_with_failures(workspace, embedded)
    return {one: embedded.state(None if due is None or one in due else int(one in failed)) for one in source_ids}


def states_in_next_generation(workspace: Workspace, collection_id: str) -> dict[str, EmbeddingState]:
    """Return how far each source of a collection is in the generation that is being built; nothing where none is.

    A source has succeeded once all its documents with text have vectors there; until then it is at what the job is at.
    Reads the ids of the documents that have been embedded, no file of a document.
    """
    building = _being_built(workspace, {collection_id}).get(collection_id)
    if building is None or building.generation is None:
        return {}
    rows = read_rows(workspace.layout.vector_log(collection_id, building.generation.key), building.generation.space)
    done = {bytes(one).decode("ascii", "replace") for one in rows.document_ids} if rows is not None else set()
    missing: set[str] = set()
    sources: dict[str, EmbeddingState] = {}
    for document in queries.stream_documents(workspace.reading, collection_id=collection_id, state="active"):
        sources.setdefault(document.source_id, "succeeded")
        if document.chunks and document.document_id not in done:
            missing.add(document.source_id)
    return sources | dict.fromkeys(missing, building.state(None))


def _being_built(workspace: Workspace, collection_ids: Iterable[str]) -> dict[str, _Embedded]:
    """Return what is known of the generations that are being built, each with the job that does so."""
    from ingest_tui.pipeline.embed.generations import known_generations  # only where there are vectors
    from ingest_tui.services.jobs.jobs import as_it_is  # with all that makes jobs

    found = {}
    for collection_id in collection_ids:
        with suppress(IngestError):
            pending = known_generations(workspace, collection_id).pending
            if pending is not None:
                job = next(workspace.jobs.readable([pending.job_id]), None) if pending.job_id else None
                current = None if job is None else as_it_is(workspace, job)
                found[collection_id] = _Embedded(pending, current, is_automatic=True, is_next=True)
    return found


def _embedded(workspace: Workspace, collection_ids: set[str]) -> dict[str, _Embedded]:
    """Return what is known of the vectors of those collections that have an embedder."""
    found = {}
    for collection_id in collection_ids:
        try:
            choice = workspace.collections.get(collection_id).preferences.embedding_choice()
            if choice is not None:
                from ingest_tui.pipeline.embed.generations import known_generations  # only where there are vectors

                generation = known_generations(workspace, collection_id).answering
                found[collection_id] = _Embedded(generation, _newest_job(workspace, collection_id), choice.is_automatic)
        except IngestError:  # a record that cannot be read is reported by `doctor`; lists are shown all the same
            continue
    return found


def _newest_job(workspace: Workspace, collection_id: str) -> Manifest | None:
    part = id_part_of(f"{EMBED}-{collection_id}")
    jobs = workspace.jobs.readable(job_id for job_id in workspace.jobs.ids() if part in job_id)
    of_collection = (job for job in jobs if (job.kind, job.collection_id) == (EMBED, collection_id))
    newest = next((job for job in of_collection if not job.builds_generation), None)
    if newest is not None and newest.state is JobState.RUNNING and not workspace.jobs.has_owner(newest.job_id):
        newest.state = JobState.INTERRUPTED
    return newest


def _sources_with_due(workspace: Workspace, collection_id: str, embedded: _Embedded) -> set[str] | None:
    """Return the sources that have something to embed; None: all."""
    due = _documents_due(workspace, collection_id, embedded)
    if due is None:
        return None
    return {one.source_id for one in workspace.reading.documents(due).values() if one.state == "active"}


def _documents_due(workspace: Workspace, collection_id: str, embedded: _Embedded) -> Collection[str] | None:
    """Return the documents that changed since they were embedded; None: all are to be."""
    from ingest_tui.pipeline.embed.due import due_documents

    generation = embedded.generation
    if generation is None:
        return None
    state = read_state(workspace.layout.vector_log(collection_id, generation.key), generation.space)
    if state is None:
        return None
    return due_documents(workspace.reading, collection_id, state, everything=False).document_ids


def _sources_with_failures(workspace: Workspace, embedded: _Embedded) -> set[str]:
    errors = embedded.job.errors if embedded.job is not None else []
    places = (queries.documents_at(workspace.reading, error.uri) for error in errors if error.uri)
    return {document.source_id for documents in places for document in documents}
