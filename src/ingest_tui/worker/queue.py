"""Which job runs next: priority, then age; one job of a lane, a limited number in the workspace.

Jobs that embed have places of their own, so that they never hold up a sync: text can be found before its vectors are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ingest_tui.model.errors import IngestError
from ingest_tui.model.job import EMBED, RECHUNK, JobState, Manifest
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.job_notices import leave_queue
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


def in_running_order(
    manifests: Iterable[Manifest], *, is_to_end: Callable[[str], bool] = lambda _job_id: False
) -> list[Manifest]:
    """Return runnable jobs in the order in which they are to run; what was interrupted is run before its peers.

    Within a source, and so within what a collection gets from it, a later job never overtakes an earlier one of the
    same priority. ``is_to_end`` says of the job of an id whether somebody has left word to cancel it.
    """
    runnable = [manifest for manifest in manifests if _is_runnable(manifest, is_to_end)]
    return sorted(
        runnable,
        key=lambda job: (job.priority, job.state is JobState.QUEUED, job.created_at, job.job_id),
    )


def _is_runnable(manifest: Manifest, is_to_end: Callable[[str], bool]) -> bool:
    # What waits for room on the disk resumes by itself, whoever its worker was. A paused job begins only to end.
    is_paused = manifest.state is JobState.PAUSED
    return manifest.state in _RUNNABLE or manifest.waits_for_space or (is_paused and is_to_end(manifest.job_id))


def claim_next(workspace: Workspace, *, only_lane: str | None = None) -> Claim | None:
    """Return the next job that can run now, claimed, or None. Jobs of other living workers are passed over."""
    slots = _free_slots(workspace)
    try:
        return _claim_first(workspace, slots, only_lane) if slots else None
    finally:
        for slot in slots.values():  # those that the claim has not taken
            slot.release()


def _claim_first(workspace: Workspace, slots: dict[bool, FileLock], only_lane: str | None) -> Claim | None:
    """Return the first job that can run, claimed, with the slot of its kind out of ``slots``."""
    started_lanes: set[str] = set()
    for candidate in in_running_order(_unfinished(workspace, only_lane), is_to_end=workspace.jobs.is_to_be_cancelled):
        slot = slots.get(candidate.kind == EMBED)
        if candidate.lane in started_lanes or slot is None:
            continue
        started_lanes.add(candidate.lane)
        claim = _try_claim(workspace, candidate.job_id, slot)
        if claim is not None:
            del slots[candidate.kind == EMBED]
            return claim
    return None


def _unfinished(workspace: Workspace, only_lane: str | None) -> Iterator[Manifest]:
    """Yield the jobs in the queue that have not ended; sweeps what crashes have left in it."""
    jobs = workspace.jobs
    for manifest in jobs.readable(jobs.queued_ids(), on_missing=jobs.sweep_half_made):  # `doctor` reports the others
        if manifest.ended:
            if not jobs.has_owner(manifest.job_id):
                leave_queue(workspace, manifest)  # its worker died right after the end
        elif only_lane in {None, manifest.lane}:
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
        if not _is_runnable(manifest, workspace.jobs.is_to_be_cancelled):
            if manifest.ended:
                leave_queue(workspace, manifest)
            return None
        lane_lock = FileLock(_lane_lock(workspace, manifest))
        if not lane_lock.try_acquire():
            return None
        until_claimed.pop_all()
        return Claim(manifest, (job_lock, lane_lock, slot))


def _lane_lock(workspace: Workspace, manifest: Manifest) -> Path:
    if manifest.builds_generation:
        return workspace.layout.building_lock(manifest.collection_id)
    if manifest.kind == EMBED:
        return workspace.layout.embedding_lock(manifest.collection_id)
    if manifest.kind == RECHUNK:
        return workspace.layout.rechunking_lock(manifest.collection_id)
    return workspace.layout.source_lock(manifest.source_id)


def _free_slots(workspace: Workspace) -> dict[bool, FileLock]:
    """Return a place for a job that embeds (True) and one for any other (False), held; without those that are taken."""
    settings = workspace.settings
    free = {}
    for embeds, name, number in (
        (False, "slot", settings.max_running_jobs),
        (True, "embed", settings.max_embedding_jobs),
    ):
        slots = (FileLock(workspace.layout.lock(f"{name}-{place}")) for place in range(number))
        slot = next((slot for slot in slots if slot.try_acquire()), None)
        if slot is not None:
            free[embeds] = slot
    return free
