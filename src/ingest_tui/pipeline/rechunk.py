"""A job that cuts texts again: each document of a collection gets a version with the chunks of today's preferences.

Nothing is fetched or parsed: the text is that of normalized.md, and the files of the new version are those of the one
before. The ids of chunks name a version and never get another text, so a document whose chunks come out otherwise gets
a new version, in one transaction: until then its old chunks answer. What is cut already by today's rules is seen from
ingestion.json, so an attempt that died is done again from what is there.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from ingest_tui.model.analysis import stemming_language
from ingest_tui.model.chunk_limits import ChunkRules
from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.document import Document
from ingest_tui.model.errors import IngestError, StoreError
from ingest_tui.model.hashing import short_digest
from ingest_tui.model.job import RECHUNK, JobState, Phase, end_state
from ingest_tui.model.job_counters import Counters
from ingest_tui.model.languages import language_among
from ingest_tui.model.outcome import Outcome
from ingest_tui.model.pages import page_starts_of
from ingest_tui.model.version_label import label_of_copy
from ingest_tui.pipeline.job.context import JobContext
from ingest_tui.pipeline.job.recovery import count_finished, refuse_without_progress
from ingest_tui.store.catalogue.queries import count_documents
from ingest_tui.store.catalogue.rows import VersionRow
from ingest_tui.store.change import PlacedVersion, StoreChange
from ingest_tui.store.document_preferences import DocumentLimits
from ingest_tui.store.fs.atomic import TEMPORARY_PREFIX, make_inner_folder, remove_tree
from ingest_tui.store.layout import INGESTION, vectors_name
from ingest_tui.store.version_chunks import TextFile, VersionChunks

RECHUNKED = "rechunked"
_DOCUMENTS_AT_ONCE = 100
_BYTES_AT_ONCE = 4_000_000
_VECTORS = vectors_name("any").partition("-")[0]


@dataclass(slots=True)
class _NewVersion:
    """A document as it will be, its chunks, its record, and the folder that its files come from."""

    document: Document
    chunks: VersionChunks
    record: dict[str, Any]
    source: Path
    bytes: int


def run_rechunking(job: JobContext) -> JobState:
    """Cut again what is cut by other rules; returns the state that the outcomes give the job."""
    manifest = job.manifest
    manifest.counters = Counters()
    manifest.phases = {RECHUNK: Phase()}
    manifest.errors.clear()
    manifest.errors_total = 0
    finished = count_finished(job)
    manifest.counters.descriptors_listed = len(finished)
    manifest.counters.chunks_written = job.reading.count_chunks_of_job(manifest.job_id)
    refuse_without_progress(job, len(finished))
    _Rechunking(job, finished).run()
    return end_state(manifest, listing_complete=True)


class _Rechunking:
    """The work of one attempt."""

    def __init__(self, job: JobContext, finished: set[str]) -> None:
        self._job = job
        self._finished = finished
        self._store = job.workspace.document_store
        self._limits = DocumentLimits(job.workspace.layout)

    def run(self) -> None:
        """Look at each active document of the collection."""
        job, collection_id = self._job, self._job.manifest.collection_id
        job.meter.start(RECHUNK, total=count_documents(job.reading, collection_id=collection_id))
        job.keeper.save_state()
        pending: list[_NewVersion] = []
        for document in self._documents(collection_id):
            job.controls.checkpoint()
            version = self._version_for(document)
            if version is not None:
                pending.append(version)
            if len(pending) >= _DOCUMENTS_AT_ONCE or sum(one.bytes for one in pending) > _BYTES_AT_ONCE:
                self._commit(pending)
                pending = []
            job.meter.advance(RECHUNK)
        self._commit(pending)
        job.meter.done(RECHUNK)

    def _documents(self, collection_id: str) -> Iterator[Document]:
        last = ""
        while page := self._job.reading.active_documents_after(collection_id, last, limit=_DOCUMENTS_AT_ONCE):
            yield from page
            last = page[-1].document_id

    def _version_for(self, document: Document) -> _NewVersion | None:
        """Return the version that a document is to get; None where it needs none, or cannot have one."""
        try:
            return self._cut(document)
        except (IngestError, OSError) as error:
            message = error.message if isinstance(error, IngestError) else str(error.strerror)
            self._record(document, "failed", "damaged", message, hint="'ingest-tui rebuild' lists what is damaged")
            return None

    def _cut(self, document: Document) -> _NewVersion | None:
        folder = self._store.folder(document.collection_id, document.document_id, document.version)
        record = self._store.ingestion(folder)
        limits = self._limits.of(document.collection_id, document.source_id, record)
        rules = limits.rules
        if record.get("chunking", ChunkRules().as_dict()) == rules.as_dict():
            is_of_this_job = document.job_id == self._job.manifest.job_id  # its line was lost
            self._record(document, *(("ingested", RECHUNKED) if is_of_this_job else ("unchanged", "same_rules")))
            return None
        text = TextFile(self._store.normalized_path(folder))
        if text.content_hash() != document.content_hash:
            raise StoreError(f"the text of document {document.document_id} is not what was committed")
        language = record.get("language") or text.language()
        chunks = VersionChunks(
            document.document_id, document.version + 1, text, page_starts_of(record), language, limits
        )
        if self._are_there(document, chunks) and _language_before(record, language) == _language_of(chunks):
            self._record(document, "unchanged", "same_chunks")
            return None
        at = rfc3339_now()
        again = document._replace(
            version=document.version + 1,
            chunks=len(chunks),
            updated_at=at,
            job_id=self._job.manifest.job_id,
        )
        changed = {
            "version": again.version,
            "version_label": label_of_copy(record, again.file_name, again.version),
            "job_id": again.job_id,
            "chunks": again.chunks,
            "chunking": rules.as_dict(),
            "rechunked_from": document.version,
            "ingested_at": at,
        }
        return _NewVersion(again, chunks, record | changed, folder, text.bytes)

    def _are_there(self, document: Document, chunks: VersionChunks) -> bool:
        now = self._job.reading.full_text.stream_chunks_of(document.document_id)
        return all(
            one is not None
            and other is not None
            and (one.heading, one.text, one.page, one.start, one.end)
            == (other.heading, other.text, other.page, other.start, other.end)
            for one, other in zip_longest(now, chunks)
        )

    def _commit(self, versions: list[_NewVersion]) -> None:
        """Put the new versions in force; a document that has changed meanwhile is cut by what has changed it."""
        if not versions:
            return
        job = self._job
        job.disk.await_room(sum(one.bytes for one in versions))
        for one in versions:
            self._build(one)
        done = []
        with job.committing(job.reading) as writer:
            now = writer.catalogue.documents([one.document.document_id for one in versions])
            change = StoreChange(at=rfc3339_now(), by=f"job {job.manifest.job_id}")
            for one in versions:
                document = now.get(one.document.document_id)
                before = one.document.version - 1
                if document is None or (document.state, document.version) != ("active", before):
                    continue
                self._add(change, one, document)
                for place in writer.catalogue.locations_of(document.document_id):
                    if place.version == before:
                        change.put_location(place._replace(version=one.document.version))
                done.append(one)
            writer.carry_out(change)
        for one in versions:
            remove_tree(self._folder(one))
            if one in done:
                job.manifest.counters.chunks_written += len(one.chunks)
                self._record(one.document, "ingested", RECHUNKED)
            else:
                self._record(one.document._replace(version=one.document.version - 1), "unchanged", "superseded")

    def _add(self, change: StoreChange, one: _NewVersion, now: Document) -> None:
        """Add a version; its place is what it is now, since a document may have moved meanwhile."""
        document = one.document._replace(
            source_id=now.source_id, source_type=now.source_type, key=now.key, uri=now.uri, file_name=now.file_name
        )
        change.placed.append(PlacedVersion(self._folder(one), document))
        change.documents[document.document_id] = document
        change.versions.append(VersionRow.of_current(document))
        change.rechunked.add(document.document_id)
        change.chunks[document.document_id] = one.chunks
        if self._store.has_note(document):
            change.noted.add(document.document_id)

    def _folder(self, one: _NewVersion) -> Path:
        return Path(self._job.staging.folder(short_digest(one.document.job_id, one.document.document_id, length=20)))

    def _build(self, one: _NewVersion) -> None:
        """Fill a folder with the files of the version before, and a record of its own. Vectors follow by themselves."""
        folder = self._folder(one)
        remove_tree(folder)
        make_inner_folder(folder)
        for path in one.source.iterdir():
            if path.name == INGESTION or path.name.startswith((TEMPORARY_PREFIX, f"{_VECTORS}-")) or not path.is_file():
                continue
            _link_or_copy(path, folder / path.name)
        self._store.write_ingestion(folder, one.record)

    def _record(self, document: Document, name: Any, reason: str, detail: str = "", *, hint: str = "") -> None:
        if document.document_id in self._finished:
            return
        manifest = self._job.manifest
        manifest.counters.descriptors_listed += 1
        if name == "unchanged":  # no line for what was not touched
            manifest.counters.count(name)
            return
        self._finished.add(document.document_id)
        self._job.outcomes.record(
            [
                Outcome(
                    uri=document.uri,
                    key=document.document_id,
                    outcome=name,
                    reason=reason,
                    at=rfc3339_now(),
                    detail=detail,
                    hint=hint,
                    document_id=document.document_id,
                    version=document.version,
                    phase=RECHUNK,
                )
            ]
        )


def _language_before(record: dict[str, Any], language: str | None) -> str:
    """Return the language by whose rules the chunks of a version were stemmed."""
    before = ChunkRules.of(record.get("chunking", {}))
    return stemming_language(language_among(language, before.languages))


def _language_of(chunks: VersionChunks) -> str:
    return next(iter(chunks)).language if len(chunks) else ""


def _link_or_copy(path: Path, target: Path) -> None:
    """Give a file a second name, since versions never change; a copy where the file system has no second names."""
    try:
        target.hardlink_to(path)
    except OSError:
        shutil.copyfile(path, target)
