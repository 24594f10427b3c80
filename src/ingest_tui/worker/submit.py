"""Putting jobs into the queue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from ingest_tui.model.chunk_limits import ChunkRules
from ingest_tui.model.clock import rfc3339, utc_now
from ingest_tui.model.collection import Collection
from ingest_tui.model.embedder import Embedder
from ingest_tui.model.errors import IngestError
from ingest_tui.model.generation import GenerationState
from ingest_tui.model.job import COLLECTION_KINDS, EMBED, RECHUNK, JobState, Manifest, Phase
from ingest_tui.model.preference_overrides import Overriding
from ingest_tui.model.preferences_in_force import preferences_in_force
from ingest_tui.model.source import EMBEDDING_SOURCE, RECHUNKING_SOURCE, UPLOAD_SOURCE, Source
from ingest_tui.model.sync_options import merged_options
from ingest_tui.pipeline.embed.due import is_embedding_due
from ingest_tui.pipeline.embed.generations import known_generations
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.jobs import new_job_id
from ingest_tui.store.workspace import Workspace

_SUBMIT_SECONDS = 10.0


def new_manifest(source: Source, *, kind: str, trigger: str, by: str, **options: Any) -> Manifest:
    """Return the manifest of a job that is about to be queued."""
    moment = utc_now()
    at = rfc3339(moment)
    name = f"{kind}-{source.collection_id}" if kind in COLLECTION_KINDS else source.source_id
    manifest = Manifest(
        job_id=new_job_id(name, moment),
        kind=kind,
        source_id=source.source_id,
        collection_id=source.collection_id,
        priority=source.priority,
        trigger=trigger,
        requested_by=by,
        created_at=at,
        updated_at=at,
        options=options,
    )
    manifest.move_to(JobState.QUEUED, at=at, by=by)
    return manifest


def submit_sync(workspace: Workspace, source: Source, *, trigger: str, by: str, **options: Any) -> Manifest:
    """Queue a sync of a source; returns its manifest."""
    manifest = new_manifest(source, kind="sync", trigger=trigger, by=by, **options)
    workspace.jobs.create(manifest)
    return manifest


class RequestedSync(NamedTuple):
    """The job that does a sync that was asked for. ``is_new``: it was queued for that, rather than waiting already."""

    manifest: Manifest
    is_new: bool


def request_sync(workspace: Workspace, source: Source, *, trigger: str, by: str, **options: Any) -> RequestedSync:
    """Queue a sync of a source, unless one waits already: that has seen nothing yet, and will see everything.

    A waiting one takes over the options (see `merged_options`), so that at most one waits of each source. Where it
    begins in this moment, is to be cancelled, or cannot do both, another is queued.
    """
    lock = FileLock(workspace.layout.lock("submit"))
    lock.acquire(_SUBMIT_SECONDS, what="the queue")
    with lock:
        for waiting in workspace.jobs.waiting():
            is_of_source = (waiting.kind, waiting.source_id) == ("sync", source.source_id)
            if is_of_source and not workspace.jobs.is_to_be_cancelled(waiting.job_id):
                joined = _joined(workspace, waiting, options)
                if joined is not None:
                    return RequestedSync(joined, is_new=False)
        return RequestedSync(submit_sync(workspace, source, trigger=trigger, by=by, **options), is_new=True)


def _joined(workspace: Workspace, waiting: Manifest, options: dict[str, Any]) -> Manifest | None:
    """Return a waiting job that does what these options ask too; None where it cannot, or has just begun."""
    merged = merged_options(waiting.options, options)
    if merged is None or merged == waiting.options:
        return None if merged is None else waiting
    lock = workspace.jobs.lock(waiting.job_id)
    if not lock.try_acquire():
        return None
    with lock:
        fresh = workspace.jobs.load(waiting.job_id)
        merged = merged_options(fresh.options, options)
        if merged is None or fresh.state is not JobState.QUEUED:
            return None
        fresh.options = merged
        workspace.jobs.save(fresh)
    return fresh


def source_as_stored(workspace: Workspace, manifest: Manifest) -> Source:
    """Return the source of a job; uploads, and jobs that work on a collection, have one that is in no file."""
    if manifest.works_on_collection:
        return source_of_collection_job(manifest.kind, manifest.collection_id)
    if manifest.source_id == UPLOAD_SOURCE:
        return source_of_upload(manifest.collection_id, manifest.options)
    return workspace.sources.get(manifest.source_id)


def source_of_upload(collection_id: str, options: Mapping[str, Any]) -> Source:
    """Return what stands for the source of an upload, with the preferences that its options choose."""
    return Source(
        source_id=UPLOAD_SOURCE,
        name="Uploads",
        source_type="upload",
        collection_id=collection_id,
        overrides=Overriding.of(options).overrides,
    )


def source_of_collection_job(kind: str, collection_id: str) -> Source:
    """Return what a job that works on a collection has as its source; it is in no file."""
    name = {EMBED: EMBEDDING_SOURCE, RECHUNK: RECHUNKING_SOURCE}[kind]
    return Source(source_id=name, name=name.title(), source_type=name, collection_id=collection_id)


def submit_embedding(workspace: Workspace, collection_id: str, *, trigger: str, by: str, **options: Any) -> Manifest:
    """Queue a job that embeds what is due in a collection.

    Options: ``all`` looks at every document. ``build`` builds the next generation, of ``embedder``, with ``documents``
    or ``sources`` for these only; ``reuse`` takes the one that is kept if it is of that embedder; ``switch`` lets it
    answer when it is complete, with ``incomplete`` too when some chunks have no vector.
    """
    return _submit_for_collection(workspace, EMBED, collection_id, trigger=trigger, by=by, **options)


def submit_rechunking(workspace: Workspace, collection_id: str, *, trigger: str, by: str, **options: Any) -> Manifest:
    """Queue a job that cuts the texts of a collection again, by its preferences as they are when it begins.

    One that waits already is returned instead: it will do the same.
    """
    waiting = (job for job in workspace.jobs.waiting() if job.kind == RECHUNK)
    found = next((job for job in waiting if job.collection_id == collection_id), None)
    if found is not None:
        return found
    return _submit_for_collection(workspace, RECHUNK, collection_id, trigger=trigger, by=by, **options)


def _submit_for_collection(
    workspace: Workspace, kind: str, collection_id: str, *, trigger: str, by: str, **options: Any
) -> Manifest:
    source = source_of_collection_job(kind, collection_id)
    manifest = new_manifest(source, kind=kind, trigger=trigger, by=by, **options)
    manifest.phases = {name: Phase() for name in manifest.phase_names}
    workspace.jobs.create(manifest)
    return manifest


def queue_embedding_after(workspace: Workspace, ended: Manifest) -> Manifest | None:
    """Queue the embedding of a collection after a job that has changed it, where it embeds by itself.

    None is queued while one waits: that will see everything. What is queued but for a failure here is queued after the
    next job. Returns the first that was queued.
    """
    if ended.kind == EMBED or not ended.ended:
        return None
    with suppress(IngestError):
        queued = _queue_due(workspace, workspace.collections.get(ended.collection_id), by=f"job {ended.job_id}")
        return next(iter(queued), None)
    return None


def queue_embedding(workspace: Workspace, collection_id: str, *, by: str) -> Manifest | None:
    """Queue the embedding of a collection that a person has changed, where it embeds by itself and none waits."""
    with suppress(IngestError):
        return next(iter(_queue_due(workspace, workspace.collections.get(collection_id), by=by)), None)
    return None


def queue_rechunking_after(workspace: Workspace, ended: Manifest, rules: ChunkRules) -> Manifest | None:
    """Queue the cutting of a collection after a job that cut its documents by rules that have been changed since."""
    with suppress(IngestError):
        preferences = workspace.collections.get(ended.collection_id).preferences
        overriding = source_as_stored(workspace, ended).overriding
        if preferences_in_force(preferences, overriding).chunk_rules() != rules:
            by = f"job {ended.job_id}"
            return submit_rechunking(workspace, ended.collection_id, trigger="sync", by=by)
    return None


def queue_due_embeddings(workspace: Workspace) -> list[Manifest]:
    """Queue what no job has caused: after documents were registered, restored or purged, or a worker died in between.

    Nothing for a generation whose last job did not end well: the next sync, or a person, tries that again.
    """
    queued: list[Manifest] = []
    for collection in workspace.collections.all():
        if collection.preferences.embedding_choice() is not None:
            with suppress(IngestError):
                queued += _queue_due(workspace, collection, by="worker", unless_it_failed=True)
    return queued


def _queue_due(
    workspace: Workspace, collection: Collection, *, by: str, unless_it_failed: bool = False
) -> list[Manifest]:
    """Queue what is due in each generation of a collection, unless a job for it waits."""
    choice = collection.preferences.embedding_choice()
    if choice is None or not choice.is_automatic:
        return []
    collection_id = collection.collection_id
    unfinished = [job for job in workspace.jobs.readable(workspace.jobs.queued_ids()) if not job.ended]
    queued = []
    for options in embeddings_due(workspace, collection_id, workspace.embedders.get(choice.embedder_id)):
        builds = bool(options.get("build"))
        if any(_is_for(job, collection_id, builds=builds) and (builds or _waits(job)) for job in unfinished):
            continue
        if unless_it_failed and _has_failed(workspace, collection_id, builds=builds):
            continue
        queued.append(submit_embedding(workspace, collection_id, trigger="sync", by=by, **options))
    return queued


def embeddings_due(workspace: Workspace, collection_id: str, embedder: Embedder) -> Iterator[dict[str, Any]]:
    """Yield the options of the jobs that a collection needs, for what answers and for what is to answer next."""
    known = known_generations(workspace, collection_id)
    answering, pending = known.answering, known.pending
    if answering is None:
        if workspace.reading.has_documents(collection_id):
            yield {}
        return
    if is_embedding_due(workspace, collection_id, answering):
        yield {}
    if pending is not None:
        if pending.state is GenerationState.READY and is_embedding_due(workspace, collection_id, pending):
            yield {"build": True}
    elif answering.space != embedder.space:
        yield next_generation(embedder)


def next_generation(embedder: Embedder) -> dict[str, Any]:
    """Return the options of a job that builds a generation with the embedder that a collection has chosen."""
    return {"build": True, "switch": True, "embedder": embedder.embedder_id, "reuse": True}


def _is_for(job: Manifest, collection_id: str, *, builds: bool) -> bool:
    return job.kind == EMBED and job.collection_id == collection_id and job.builds_generation == builds


def _waits(job: Manifest) -> bool:
    return job.state is JobState.QUEUED


def _has_failed(workspace: Workspace, collection_id: str, *, builds: bool) -> bool:
    jobs = (job for job in workspace.jobs.of_source(EMBEDDING_SOURCE) if _is_for(job, collection_id, builds=builds))
    last = next(jobs, None)
    return last is not None and last.state in {JobState.FAILED, JobState.CANCELLED}
