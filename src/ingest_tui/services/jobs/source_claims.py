"""Sources to oneself: what takes something away waits for the jobs that work on it, and keeps others out meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ingest_tui.model.errors import BusyError
from ingest_tui.model.job import JobState, Manifest
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.workspace import Workspace

_POLL_SECONDS = 0.1
_GRACE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class WaitPolicy:
    """How long to wait for jobs, in seconds (None: for ever). ``told(job)`` is called once for each job waited for."""

    seconds: float | None
    told: Callable[[Manifest], None]


@contextmanager
def sources_to_oneself(
    workspace: Workspace, source_ids: Collection[str], *, patience: WaitPolicy | None, queued_too: bool
) -> Iterator[None]:
    """Hold the locks of sources that no unfinished job works on, so that none starts before the end.

    Queued jobs are in the way only with ``queued_too``. Raises `BusyError` naming the job: at once without
    ``patience``, else when that is over.
    """
    locks = [FileLock(workspace.layout.source_lock(source_id)) for source_id in sorted(source_ids)]
    deadline = None if patience is None or patience.seconds is None else time.monotonic() + patience.seconds
    grace_ends = time.monotonic() + _GRACE_SECONDS
    told: set[str] = set()
    try:
        while True:
            held_by_others = next((lock for lock in locks if not lock.try_acquire()), None)
            job = _job_in_the_way(workspace, source_ids, queued_too=queued_too)
            if held_by_others is None and job is None:
                break
            _release(locks)
            if job is None and time.monotonic() < grace_ends:
                time.sleep(_POLL_SECONDS / 10)  # a job that has just ended, or another removal: over in a moment
                continue
            if patience is None or (deadline is not None and time.monotonic() >= deadline):
                raise _busy(job, waited=patience is not None)
            if job is not None and job.job_id not in told:
                told.add(job.job_id)
                patience.told(job)
            time.sleep(_POLL_SECONDS)
        yield
    finally:
        _release(locks)


def _release(locks: list[FileLock]) -> None:
    for lock in locks:
        lock.release()


def _job_in_the_way(workspace: Workspace, source_ids: Collection[str], *, queued_too: bool) -> Manifest | None:
    for job in workspace.jobs.readable(workspace.jobs.queued_ids()):
        if job.source_id not in source_ids or job.ended:
            continue
        # A job that a worker has just taken says that it is queued for a moment longer.
        if queued_too or job.state is not JobState.QUEUED or workspace.jobs.has_owner(job.job_id):
            return job
    return None


def _busy(job: Manifest | None, *, waited: bool) -> BusyError:
    if job is None:
        return BusyError("the source is being changed by another process", hint="try again in a moment")
    ways = f"end it with 'ingest-tui job cancel {job.job_id}'"
    return BusyError(
        f"job {job.job_id} works on source {job.source_id!r} ({job.state})",
        hint=f"wait longer, or {ways}" if waited else f"wait for it with --wait, or {ways}",
        job_id=job.job_id,
        source_id=job.source_id,
    )
