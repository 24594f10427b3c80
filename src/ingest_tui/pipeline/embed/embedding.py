"""Embedding in a generation: for each document that is due, the vectors that its chunks lack, a batch at a time.

Nothing is planned on disk: what has its vector is known by the digest of its text, so an attempt that died is done
again from what is there. A batch is committed in this order: the vectors next to the documents, durably, under the
commit lock; the rows that search reads; the outcomes. How far the feed was followed is written last, at the end.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from ingest_tui.embedding.base import BackendContext
from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.counted import counted
from ingest_tui.model.document import Document
from ingest_tui.model.embedder import embedding_text, text_digest
from ingest_tui.model.errors import StoreError
from ingest_tui.model.generation import Generation
from ingest_tui.model.job import EMBED
from ingest_tui.model.outcome import Outcome
from ingest_tui.pipeline.connecting import registry_for
from ingest_tui.pipeline.embed.due import DueDocuments, due_documents
from ingest_tui.pipeline.embed.model import NOTHING_KNOWN, CheckedModel, Refusal
from ingest_tui.pipeline.embed.row_check import are_as_embedded
from ingest_tui.pipeline.job.context import JobContext
from ingest_tui.pipeline.job.recovery import refuse_without_progress
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.vector_files import encode_vectors, read_vectors, write_vectors
from ingest_tui.store.vector_log import VectorLog, VectorRow, begin_again

_DOCUMENTS_AT_ONCE = 200
_TEXTS_AT_ONCE = 256
_SECONDS_BETWEEN_COMMITS = 60.0
_SECONDS_BETWEEN_WRITES = 10.0
"""Of a document that is not done: what a crash costs."""
_REASONS_SHOWN = 3
_LOCK_SECONDS = 30.0
_ROWS_PER_CHUNK, _FEW_ROWS = 2, 1_000


@dataclass(slots=True)
class _Work:
    """A document that is looked at: its chunks, the vectors they have, and the texts that still need one."""

    document: Document
    chunks: list[tuple[int, bytes]]
    vectors: dict[bytes, Any] = field(default_factory=dict)
    missing: dict[bytes, str] = field(default_factory=dict)
    refused: dict[bytes, Refusal] = field(default_factory=dict)
    is_to_write: bool = False
    is_superseded: bool = False
    written: int = 0

    def failures(self) -> list[tuple[bytes, Refusal]]:
        """Return the texts that the model did not take; one that means nothing to it is no failure."""
        return [(digest, one) for digest, one in self.refused.items() if one is not NOTHING_KNOWN]

    def entries(self) -> Iterator[VectorRow]:
        """Yield the rows that search needs of it."""
        for ordinal, digest in self.chunks:
            vector = self.vectors.get(digest)
            if vector is not None:
                yield VectorRow(self.document.document_id, self.document.version, ordinal, digest, vector)


def embed_due(job: JobContext, generation: Generation, finished: set[str], *, everything: bool) -> DueDocuments:
    """Embed what is due in a generation; returns up to where that is. ``finished``: who has an outcome already.

    Raises `BusyError` while another process writes its rows.
    """
    collection_id, layout = job.manifest.collection_id, job.workspace.layout
    lock = FileLock(layout.vector_log_lock(collection_id, generation.key))
    lock.acquire(_LOCK_SECONDS, what="the vectors of the collection")
    with lock:
        log = VectorLog(layout.vector_log(collection_id, generation.key), generation.space)
        try:
            everything = everything or log.lacks_sums
            due = due_documents(job.reading, collection_id, log.state, everything=everything)
            if log.lacks_sums and are_as_embedded(layout, collection_id, generation):
                log.add_sums()
            if due.has_purged or log.lacks_sums or _is_mostly_stale(log, job):
                log, due = _begun_again(log), due._replace(document_ids=None)
            refuse_without_progress(job, len(finished) + log.state.rows)
            model = CheckedModel(
                generation.embedder,
                BackendContext(registry_for(job.workspace), sleep=job.controls.sleep),
                probe=log.state.probe,
                call=job.controls.in_a_thread,
            )
            with closing(model):
                _Embedding(job, generation, model, log, finished).run(due)
        finally:
            log.close()
    return due


def _is_mostly_stale(log: VectorLog, job: JobContext) -> bool:
    """Whether most rows are of chunks that are no more: search would go through them for nothing."""
    wanted = job.reading.count_chunks_of_collection(job.manifest.collection_id)
    return log.state.rows > _ROWS_PER_CHUNK * wanted + _FEW_ROWS


def _begun_again(log: VectorLog) -> VectorLog:
    """Return the log without its rows: some are of documents that are gone for good, or nobody knows."""
    log.close()
    begin_again(log.folder, log.state.space)
    return VectorLog(log.folder, log.state.space)


class _Embedding:
    """The work of one attempt."""

    def __init__(
        self, job: JobContext, generation: Generation, model: CheckedModel, log: VectorLog, finished: set[str]
    ) -> None:
        self._job = job
        self._generation = generation
        self._model = model
        self._log = log
        self._finished = finished
        self._committed_at = self._written_at = time.monotonic()

    def run(self, due: DueDocuments) -> None:
        """Look at each document that is due."""
        job = self._job
        job.meter.start(EMBED, total=job.manifest.phases[EMBED].done + self._total(due))
        job.keeper.save_state()
        pending: list[_Work] = []
        for document in self._documents(due):
            job.controls.checkpoint()
            pending.append(self._work_for(document))
            if len(pending) >= _DOCUMENTS_AT_ONCE or sum(len(one.missing) for one in pending) >= _TEXTS_AT_ONCE:
                self._settle(pending)
                pending = []
        self._settle(pending)
        self._log.commit(epoch=self._log.state.epoch, sequence=self._log.state.sequence, probe=self._model.probe)
        self._log.grow_graph()
        self._log.commit(epoch=due.epoch, sequence=due.sequence, probe=self._model.probe)

    def _total(self, due: DueDocuments) -> int:
        catalogue, collection_id = self._job.reading, self._job.manifest.collection_id
        if due.document_ids is None:
            return catalogue.count_chunks_of_collection(collection_id)
        return sum(one.chunks for one in catalogue.documents(due.document_ids).values() if one.state == "active")

    def _documents(self, due: DueDocuments) -> Iterator[Document]:
        """Yield the active documents that are due; each once, although they may change meanwhile."""
        catalogue, collection_id = self._job.reading, self._job.manifest.collection_id
        if due.document_ids is None:
            last = ""
            while page := catalogue.active_documents_after(collection_id, last, limit=_DOCUMENTS_AT_ONCE):
                yield from page
                last = page[-1].document_id
            return
        for start in range(0, len(due.document_ids), _DOCUMENTS_AT_ONCE):
            found = catalogue.documents(due.document_ids[start : start + _DOCUMENTS_AT_ONCE])
            yield from (one for one in found.values() if (one.state, one.collection_id) == ("active", collection_id))

    def _work_for(self, document: Document) -> _Work:
        """Return what a document has and lacks. An unchanged text keeps its vector of the version before."""
        texts = {}
        ordinals = []
        for chunk in self._job.reading.full_text.stream_chunks_of(document.document_id):
            text = embedding_text(chunk.heading, chunk.text)
            digest = text_digest(text)
            ordinals.append((chunk.ordinal, digest))
            texts[digest] = text
        work = _Work(document, ordinals)
        generation = self._generation
        stored = self._stored(document, document.version, generation.key)
        work.vectors = {digest: vector for digest, vector in stored.items() if digest in texts}
        if len(work.vectors) < len(texts) and not stored:
            before = self._stored(document, document.version - 1, generation.key)
            if not generation.embeds_again(document.document_id, document.source_id):
                before |= self._stored(document, document.version, generation.based_on)
            work.vectors |= {digest: vector for digest, vector in before.items() if digest in texts}
            work.is_to_write = bool(work.vectors)
        work.missing = {digest: text for digest, text in texts.items() if digest not in work.vectors}
        return work

    def _stored(self, document: Document, version: int, key: str) -> dict[bytes, Any]:
        if version < 1:
            return {}
        folder = self._job.workspace.layout.version(document.collection_id, document.document_id, version)
        try:
            found = read_vectors(folder, self._generation.space, key)
        except StoreError as error:
            self._job.log.event("warning", f"{error.message}; the vectors are made again", document=document.uri)
            return {}
        return found.by_digest() if found is not None else {}

    def _settle(self, works: list[_Work]) -> None:
        """Embed what documents lack, commit it, and record what became of them."""
        texts = [(work, digest, text) for work in works for digest, text in work.missing.items()]
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            window = texts[start : start + _TEXTS_AT_ONCE]
            found = self._model.embed([text for _work, _digest, text in window], self._job.controls.checkpoint)
            for (work, digest, _text), vector in zip(window, found, strict=True):
                if isinstance(vector, Refusal):
                    work.refused[digest] = vector
                    work.is_to_write = True
                else:
                    work.vectors[digest] = vector
                    work.is_to_write = True
                    work.written += 1
            self._write(self._to_write([work for work, _digest, _text in window], texts[start + len(window) :][:1]))
            self._job.meter.advance(EMBED, len(window))
        self._write(works)
        self._log.append(entry for work in works if not work.is_superseded for entry in work.entries())
        self._record(works)
        if time.monotonic() - self._committed_at > _SECONDS_BETWEEN_COMMITS:
            self._committed_at = time.monotonic()
            state = self._log.state
            self._log.commit(epoch=state.epoch, sequence=state.sequence, probe=self._model.probe)

    def _to_write(self, embedded: list[_Work], following: list[tuple[_Work, bytes, str]]) -> list[_Work]:
        """Return the documents of a window that are written after it: those that are done, and now and then another.

        The vectors of a document are one file: to write it after each window of a large one would take it that often.
        """
        waits = time.monotonic() - self._written_at < _SECONDS_BETWEEN_WRITES
        unfinished = following[0][0] if following and waits else None
        return [work for work in {id(work): work for work in embedded}.values() if work is not unfinished]

    def _write(self, works: list[_Work]) -> None:
        """Put vectors next to their documents; a document that has changed meanwhile is left to the next job."""
        works = [work for work in works if work.is_to_write and not work.is_superseded]
        if not works:
            return
        self._written_at = time.monotonic()
        job, generation = self._job, self._generation
        encoded = [
            (work, encode_vectors(generation.space, work.vectors, refused=len(work.failures()))) for work in works
        ]
        job.disk.await_room(sum(len(data) for _work, data in encoded))
        with job.committing(job.reading):
            now = job.reading.documents([work.document.document_id for work in works])
            files = []
            for work, data in encoded:
                document = now.get(work.document.document_id)
                work.is_superseded = document is None or (document.state, document.version, document.content_hash) != (
                    "active",
                    work.document.version,
                    work.document.content_hash,
                )
                work.is_to_write = False
                if not work.is_superseded:
                    place = work.document
                    folder = job.workspace.layout.version(place.collection_id, place.document_id, place.version)
                    files.append((folder, data))
            write_vectors(files, generation.key, job.workspace.document_store.sync)

    def _record(self, works: list[_Work]) -> None:
        manifest = self._job.manifest
        outcomes = []
        for work in works:
            self._job.meter.advance(EMBED, len(work.chunks) - len(work.missing))
            manifest.counters.chunks_embedded += work.written
            manifest.counters.chunks_not_embedded += len(work.refused)
            if work.document.document_id in self._finished:
                continue
            manifest.counters.descriptors_listed += 1
            outcome = self._outcome_of(work)
            if outcome is None:
                manifest.counters.count("unchanged")
            else:
                outcomes.append(outcome)
        if outcomes:
            self._job.outcomes.record(outcomes)
            self._finished.update(outcome.key for outcome in outcomes)

    def _outcome_of(self, work: _Work) -> Outcome | None:
        """Return what became of a document; None where there was nothing to do."""
        document = work.document
        refused = work.failures()
        has_nothing = not work.vectors and bool(work.refused)
        if work.is_superseded or not (work.written or refused or has_nothing):
            return None
        name, reason, detail, hint = "embedded", "embedded", "", ""
        if refused:
            ordinals = {digest: ordinal for ordinal, digest in work.chunks}
            shown = "; ".join(f"chunk {ordinals[digest]}: {one.message}" for digest, one in refused[:_REASONS_SHOWN])
            more = f"; and {len(refused) - _REASONS_SHOWN} more" if len(refused) > _REASONS_SHOWN else ""
            name, reason, hint = "failed", refused[0][1].reason, refused[0][1].hint
            detail = f"{len(refused)} of {counted(len(work.chunks), 'chunk')} have no vector: {shown}{more}"
        elif has_nothing:
            name, reason, detail = "empty", NOTHING_KNOWN.reason, NOTHING_KNOWN.message
        return Outcome(
            uri=document.uri,
            key=document.document_id,
            outcome=name,  # type: ignore[arg-type] # one of the three above
            reason=reason,
            at=rfc3339_now(),
            detail=detail,
            hint=hint,
            document_id=document.document_id,
            version=document.version,
            backend=self._generation.embedder.embedder_id,
            phase=EMBED,
        )
