"""Which job runs next: priority, then age; one job a source, a limited number in the workspace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from ingest_tui.model.errors import IngestError
from ingest_tui.model.job import JobState, Manifest
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.workspace import Workspace

_RUNNABLE = {JobState.QUEUED, JobState.INTERRUPTED, JobState.RUNNING}


@dataclass(slots=True)
class Claim:
    """A job that is ours, with the locks that make it so."""

    manifest: Manifest
    locks: tuple[FileLock, ...]

    def release(self) -> None:
        """Give the job back: at its end, or for the next worker to resume."""
        for lock in self.locks:
            lock.release()


def in_running_order(manifests: Iterable[Manifest]) -> list[Manifest]:
    """Return runnable jobs in the order in which they are to run; what was interrupted is run before its peers.

    Within a source, and so within what a collection gets from it, a later job never overtakes an earlier one of the
    same priority.
    """
    runnable = [manifest for manifest in manifests if _is_runnable(manifest)]
    return sorted(
        runnable,
        key=lambda job: (job.priority, job.state is JobState.QUEUED, job.created_at, job.job_id),
    )


def _is_runnable(manifest: Manifest) -> bool:
    # What waits for room on the disk resumes by itself, whoever its worker was.
    return manifest.state in _RUNNABLE or manifest.waits_for_space


def claim_next(workspace: Workspace, *, only_source: str | None = None) -> Claim | None:
    """Return the next job that can run now, claimed, or None. Jobs of other living workers are passed over."""
    slot = _free_slot(workspace)
    if slot is None:
        return None
    with ExitStack() as until_claimed:
        until_claimed.callback(slot.release)
        started_sources: set[str] = set()
        for candidate in in_running_order(_unfinished(workspace, only_source)):
            if candidate.source_id in started_sources:
                continue
            started_sources.add(candidate.source_id)
            claim = _try_claim(workspace, candidate.job_id, slot)
            if claim is not None:
                until_claimed.pop_all()
                return claim
    return None


def _unfinished(workspace: Workspace, only_source: str | None) -> Iterator[Manifest]:
    """Yield the jobs in the queue that have not ended; sweeps what crashes have left in it."""
    jobs = workspace.jobs
    for manifest in jobs.readable(jobs.queued_ids(), on_missing=jobs.sweep_half_made):  # `doctor` reports the others
        if manifest.ended:
            if not jobs.has_owner(manifest.job_id):
                jobs.leave_queue(manifest.job_id)  # its worker died right after the end
        elif only_source in {None, manifest.source_id}:
            yield manifest


def _try_claim(workspace: Workspace, job_id: str, slot: FileLock) -> Claim | None:
    with ExitStack() as until_claimed:
        job_lock = workspace.jobs.lock(job_id)
        until_claimed.callback(job_lock.release)
        if not job_lock.try_acquire():
            return None
        try:
            manifest = workspace.jobs.load(job_id)  # again, now that nobody else writes it
        except IngestError:
            return None
        if not _is_runnable(manifest):
            if manifest.ended:
                workspace.jobs.leave_queue(job_id)
            return None
        source_lock = FileLock(workspace.layout.source_lock(manifest.source_id))
        if not source_lock.try_acquire():
            return None
        until_claimed.pop_all()
        return Claim(manifest, (job_lock, source_lock, slot))


def _free_slot(workspace: Workspace) -> FileLock | None:
    for number in range(workspace.settings.max_running_jobs):
        slot = FileLock(workspace.layout.lock(f"slot-{number}"))
        if slot.try_acquire():
            return slot
    return None
