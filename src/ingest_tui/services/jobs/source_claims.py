"""Sources to oneself: what takes something away waits for the jobs that work on it, and keeps others out meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ingest_tui.model.document import Document
from ingest_tui.model.errors import BusyError
from ingest_tui.model.job import EMBED, JobState, Manifest
from ingest_tui.services.jobs.embedding_claims import job_that_embeds
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.workspace import Workspace

_POLL_SECONDS = 0.1
_GRACE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class WaitPolicy:
    """How long to wait for jobs, in seconds (None: for ever). ``report(job)`` is called once a job."""

    seconds: float | None
    report: Callable[[Manifest], None]


@contextmanager
def sources_to_oneself(
    workspace: Workspace,
    source_ids: Collection[str],
    *,
    wait_policy: WaitPolicy | None,
    queued_too: bool,
    collection_id: str | None = None,
    documents: Callable[[], Iterable[Document]] = tuple,
) -> Iterator[None]:
    """Hold the locks of sources that no unfinished job works on, so that none starts before the end.

    With ``collection_id`` the jobs of that collection are in the way, whatever their source; of others then only those
    that hold the lock of a source. A job in which the embedding of one of ``documents`` is in progress is in the way
    too; they are looked up again each time. Queued jobs are in the way only with ``queued_too``. Raises `BusyError`
    naming the job: at once without ``wait_policy``, else when that is over.
    """
    locks = [FileLock(workspace.layout.source_lock(source_id)) for source_id in sorted(source_ids)]
    if collection_id is not None:
        locks.append(FileLock(workspace.layout.embedding_lock(collection_id)))
        locks.append(FileLock(workspace.layout.building_lock(collection_id)))
        locks.append(FileLock(workspace.layout.rechunking_lock(collection_id)))
    deadline = None if wait_policy is None or wait_policy.seconds is None else time.monotonic() + wait_policy.seconds
    grace_ends = time.monotonic() + _GRACE_SECONDS
    reported: set[str] = set()
    try:
        while True:
            held_by_others = next((lock for lock in locks if not lock.try_acquire()), None)
            job = _job_in_the_way(workspace, source_ids, collection_id, queued_too=queued_too)
            job = job or job_that_embeds(workspace, documents())
            if held_by_others is None and job is None:
                break
            _release(locks)
            if job is None and time.monotonic() < grace_ends:
                time.sleep(_POLL_SECONDS / 10)  # a job that has just ended, or another removal: over in a moment
                continue
            if wait_policy is None or (deadline is not None and time.monotonic() >= deadline):
                raise _busy(job, waited=wait_policy is not None)
            if job is not None and job.job_id not in reported:
                reported.add(job.job_id)
                wait_policy.report(job)
            time.sleep(_POLL_SECONDS)
        yield
    finally:
        _release(locks)


def _release(locks: list[FileLock]) -> None:
    for lock in locks:
        lock.release()


def _job_in_the_way(
    workspace: Workspace, source_ids: Collection[str], collection_id: str | None, *, queued_too: bool
) -> Manifest | None:
    for job in workspace.jobs.readable(workspace.jobs.queued_ids()):
        is_of_collection = job.collection_id == collection_id
        if job.ended or not (is_of_collection or job.source_id in source_ids):
            continue
        queued_counts = queued_too and (collection_id is None or is_of_collection)
        # A job that a worker has just taken says that it is queued for a moment longer.
        if queued_counts or job.state is not JobState.QUEUED or workspace.jobs.has_owner(job.job_id):
            return job
    return None


def _busy(job: Manifest | None, *, waited: bool) -> BusyError:
    if job is None:
        return BusyError("the source is being changed by another process", hint="try again in a moment")
    ways = f"end it with 'ingest-tui job cancel {job.job_id}'"
    works_on = f"works on collection {job.collection_id!r}"
    if job.kind == EMBED:
        works_on = f"embeds documents of collection {job.collection_id!r}"
    elif not job.works_on_collection:
        works_on = f"works on source {job.source_id!r}"
    return BusyError(
        f"job {job.job_id} {works_on} ({job.state})",
        hint=f"wait longer, or {ways}" if waited else f"wait for it with --wait, or {ways}",
        job_id=job.job_id,
        source_id=job.source_id,
    )
