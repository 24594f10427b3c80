"""What a person can do with jobs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.errors import DiskFullError, StoreError, UsageError
from ingest_tui.model.job import (
    EMBED,
    ENDED_STATES,
    KNOWN_PLAN,
    RECHUNK,
    JobState,
    Manifest,
)
from ingest_tui.model.log import is_at_least
from ingest_tui.model.outcome import Outcome
from ingest_tui.model.plan import FAILED_BEFORE
from ingest_tui.model.plan_line import PlanLine
from ingest_tui.model.reasons import PROBLEM_OUTCOMES, ReasonGroup, Reasons
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.source import RESERVED_SOURCES
from ingest_tui.store.fs.disk import means_disk_full
from ingest_tui.store.job_notices import leave_queue
from ingest_tui.store.records.job_log import read_log
from ingest_tui.store.records.journal import read_journal_from
from ingest_tui.store.records.looks import why_hold_is_closed
from ingest_tui.store.records.plan_file import read_plan, write_known_plan
from ingest_tui.store.users import requester, trigger_here
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.submit import RequestedSync, new_manifest, request_sync, submit_embedding, submit_rechunking

_CAN_WAIT = {"cancel", "pause"}
"""What the next worker of a job answers before it does anything."""


def list_jobs(
    workspace: Workspace,
    *,
    states: Iterable[str] | None = None,
    source_id: str | None = None,
    since: str = "",
    limit: int | None = None,
    on_unreadable: Callable[[str], None] = lambda _job_id: None,
) -> list[Manifest]:
    """Return jobs, newest first; ``since``: those made on that day (2026-11-21, UTC) or later.

    ``on_unreadable`` hears of each whose manifest is lost or damaged. Raises `NotFoundError` for a source that there is
    not, and that no job is of.
    """
    wanted = set(states) if states else None
    jobs = workspace.jobs.readable(workspace.jobs.ids(), on_unreadable=lambda job_id, _error: on_unreadable(job_id))
    found = (
        as_it_is(workspace, job)
        for job in jobs
        if (wanted is None or job.state in wanted) and source_id in {None, job.source_id} and job.created_at >= since
    )
    listed = list(islice(found, None if limit is None else min(limit, sys.maxsize)))
    if source_id is not None and not listed and not _has_jobs(workspace, source_id):
        workspace.sources.get(source_id)
    return listed


def _has_jobs(workspace: Workspace, source_id: str) -> bool:
    if source_id in RESERVED_SOURCES:
        return True
    jobs = workspace.jobs.readable(workspace.jobs.ids(), on_unreadable=lambda _job_id, _error: None)
    return any(job.source_id == source_id for job in jobs)


def as_it_is(workspace: Workspace, manifest: Manifest) -> Manifest:
    """Return a manifest with what it cannot say itself: its owner is dead, or what it held needs no answer any more.

    A job that says it runs but whose owner is dead is interrupted; the next worker will write it.
    """
    _close_hold(workspace, manifest)
    if manifest.state is JobState.RUNNING and not workspace.jobs.has_owner(manifest.job_id):
        fresh = next(workspace.jobs.readable([manifest.job_id]), manifest)
        _close_hold(workspace, fresh)
        if fresh.state is JobState.RUNNING and not workspace.jobs.has_owner(manifest.job_id):
            fresh.state, fresh.parsing = JobState.INTERRUPTED, []
        return fresh
    return manifest


def _close_hold(workspace: Workspace, manifest: Manifest) -> None:
    if manifest.ended and manifest.held is not None and manifest.held.waits:
        manifest.held.closed = why_hold_is_closed(workspace.layout, manifest.source_id, manifest.job_id)


def get_job(workspace: Workspace, job_id: str) -> Manifest:
    """Return a job by its id, a unique part of its beginning or end, or ``last``; raises `NotFoundError`."""
    return as_it_is(workspace, workspace.jobs.load(workspace.jobs.resolve(job_id)))


def queue_positions(workspace: Workspace) -> dict[str, int]:
    """Return the place of each waiting job in the queue, 1 for the next to run; jobs that do not wait have none."""
    return {manifest.job_id: position for position, manifest in enumerate(workspace.jobs.waiting(), 1)}


def job_items(
    workspace: Workspace,
    job_id: str,
    *,
    outcomes: set[str] | None = None,
    with_warnings: bool = False,
    offset: int = 0,
) -> Iterator[tuple[Outcome, int]]:
    """Yield the outcomes of a job from byte ``offset`` on, each with the offset after it; poll it to follow.

    ``with_warnings``: only of items in which validators found something. Raises `StoreError` when the job has done
    something and its outcomes are lost.
    """
    if not offset:
        _refuse_lost_outcomes(workspace, job_id)
    for record, end in read_journal_from(workspace.jobs.paths(job_id).outcomes, offset):
        if (outcomes is None or record["outcome"] in outcomes) and (record.get("warnings") or not with_warnings):
            yield Outcome.from_dict(record), end


def _refuse_lost_outcomes(workspace: Workspace, job_id: str) -> None:
    path = workspace.jobs.paths(job_id).outcomes
    if path.exists() and path.stat().st_size:
        return
    manifest = workspace.jobs.load(job_id)
    counters = manifest.counters
    did = counters.listed_accounted_for + counters.items_retired - counters.items_skipped_incremental
    if manifest.ended and did:
        raise StoreError(
            f"the outcomes of job {job_id} are missing: {safe_display(str(path))}",
            hint=f"restore the file from a backup; 'ingest-tui job retry {job_id}' does the job again",
            job_id=job_id,
        )


def job_reasons(workspace: Workspace, job_id: str) -> list[ReasonGroup]:
    """Return what went wrong in a job by reason: every outcome that failed, was refused or was empty is counted."""
    manifest = get_job(workspace, job_id)
    reasons = Reasons(manifest.errors)
    for outcome, _ in job_items(workspace, manifest.job_id, outcomes=set(PROBLEM_OUTCOMES)):
        reasons.add(outcome)
    return reasons.groups()


def job_plan(workspace: Workspace, job_id: str) -> Iterator[PlanLine]:
    """Yield the lines of a job's plan; raises `PlanDamagedError` where it is not as it was written."""
    return read_plan(workspace.jobs.paths(job_id).plan)


def job_log(
    workspace: Workspace, job_id: str, offset: int = 0, *, level: str = "debug"
) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield the log of a job from byte ``offset`` on, each line of ``level`` or above with the offset after it."""
    lines = read_log(workspace.jobs.paths(job_id).log, offset)
    return ((record, end) for record, end in lines if is_at_least(record.get("level"), level))


def request_source_sync(
    workspace: Workspace, source_id: str, *, trigger: str = "", force: bool = False
) -> RequestedSync:
    """Queue a sync of a source, or join the one that waits already. ``force`` reads and extracts everything again."""
    source = workspace.sources.get(source_id)
    if not source.enabled:
        raise UsageError(
            f"source {source_id!r} is disabled",
            hint=f"'ingest-tui source enable {source_id}' first",
            source_id=source_id,
        )
    options = {"force": True} if force else {}
    requested = request_sync(workspace, source, trigger=trigger or trigger_here(), by=requester(), **options)
    joined = {} if requested.is_new else {"joined": True}
    _audit(workspace, "job.sync", requested.manifest.job_id, source=source_id, **joined)
    return requested


def enqueue_sync(workspace: Workspace, source_id: str, *, trigger: str = "", force: bool = False) -> Manifest:
    """As `request_source_sync`; returns the job."""
    return request_source_sync(workspace, source_id, trigger=trigger, force=force).manifest


def job_before_change(workspace: Workspace, job_id: str, *, wanted: str) -> Manifest:
    """Return a job that may be ``wanted`` ("cancelled"); raises `UsageError` for one that has ended."""
    manifest = get_job(workspace, job_id)
    refuse_when_ended(manifest, wanted)
    return manifest


def cancel_job(workspace: Workspace, job_id: str) -> Manifest:
    """Cancel a job: at once while nobody runs it, else the worker is asked; what is committed stays."""
    from ingest_tui.pipeline.job.recovery import intents_of_an_older_program  # who lists jobs needs no pipeline

    def cancel(manifest: Manifest) -> None:
        if manifest.state is JobState.RUNNING:
            manifest.move_to(JobState.INTERRUPTED, at=rfc3339_now(), by=requester(), reason="its worker died")
        if old := intents_of_an_older_program(workspace, manifest.job_id):
            with workspace.committing() as writer:
                writer.undo(old)
        manifest.move_to(JobState.CANCELLED, at=rfc3339_now(), by=requester(), reason="asked for")
        _save(workspace, manifest)
        workspace.reserve_file.makes_room_for(lambda: leave_queue(workspace, manifest))

    return _do_or_ask(workspace, job_id, "cancel", cancel, wanted="cancelled")


def pause_job(workspace: Workspace, job_id: str) -> Manifest:
    """Pause a job until it is resumed, over restarts of the worker too."""

    def pause(manifest: Manifest) -> None:
        if manifest.waits_for_space:  # paused by a person from now on, room or not
            manifest.move_to(JobState.INTERRUPTED, at=rfc3339_now(), by=requester(), reason="asked for")
        if manifest.state is not JobState.PAUSED:
            manifest.move_to(JobState.PAUSED, at=rfc3339_now(), by=requester(), reason="asked for")
            _save(workspace, manifest)

    return _do_or_ask(workspace, job_id, "pause", pause, wanted="paused")


def resume_job(workspace: Workspace, job_id: str) -> Manifest:
    """Resume a paused job."""

    def resume(manifest: Manifest) -> None:
        if manifest.state is JobState.PAUSED:
            # Nobody works on it: the next worker takes it up as one that was interrupted.
            manifest.move_to(JobState.INTERRUPTED, at=rfc3339_now(), by=requester(), reason="resumed")
            _save(workspace, manifest)

    return _do_or_ask(workspace, job_id, "resume", resume, wanted="resumed")


def set_priority(workspace: Workspace, job_id: str, priority: int) -> Manifest:
    """Let a job run sooner (lower) or later than others."""

    def reorder(manifest: Manifest) -> None:
        manifest.priority = priority
        _save(workspace, manifest)

    return _do_or_ask(workspace, job_id, "priority", reorder, wanted="moved in the queue", priority=priority)


def _do_or_ask(
    workspace: Workspace, job_id: str, request: str, act: Callable[[Manifest], None], *, wanted: str, **values: Any
) -> Manifest:
    """Change a job under its lock when nobody owns it, else leave the request for its owner; returns the job.

    Raises `UsageError` for a job that has ended: it cannot be ``wanted`` any more.
    """
    jobs = workspace.jobs
    full_id = jobs.resolve(job_id)
    refuse_when_ended(jobs.load(full_id), wanted)
    lock = jobs.lock(full_id)
    if not lock.try_acquire():
        jobs.leave_request(full_id, request, by=requester(), **values)
        # Looking again, because a request is read only by an owner: it may have ended in this moment, or it was a
        # worker that only tried whether the job can run.
        lock.try_acquire()
    if lock.held:
        with lock:
            manifest = jobs.load(full_id)
            if manifest.ended or _is_done(workspace, act, manifest, request):
                jobs.settle_request(full_id, request)
    line = {"at": rfc3339_now(), "by": requester(), "action": f"job.{request}", "target": full_id}
    workspace.audit.add_or_warn(**line, **values)
    return get_job(workspace, full_id)


def _save(workspace: Workspace, manifest: Manifest) -> None:
    """Write a job, on a full disk into the room that is kept for that."""
    workspace.reserve_file.makes_room_for(lambda: workspace.jobs.save(manifest))


def _is_done(workspace: Workspace, act: Callable[[Manifest], None], manifest: Manifest, request: str) -> bool:
    """Change a job that nobody owns; on a disk too full even for that, leave what ends it or makes it wait to the next
    worker. Raises `DiskFullError` for the rest: the job stays as it is.
    """
    state = manifest.state
    try:
        act(manifest)
    except OSError as error:
        if not means_disk_full(error, workspace.root):
            raise
        if request not in _CAN_WAIT:
            raise DiskFullError(
                f"there is no room left on the disk: job {manifest.job_id} stays as it is ({state})",
                hint="free some space, then try again",
                job_id=manifest.job_id,
            ) from error
        workspace.jobs.leave_request(manifest.job_id, request, by=requester())
        return False
    return True


def retry_job(workspace: Workspace, job_id: str, *, failed_only: bool = False) -> Manifest:
    """Queue a new job that does an ended one again: all of it, or only what failed."""
    old = get_job(workspace, job_id)
    if not old.ended:
        raise UsageError(f"job {old.job_id} has not ended ({old.state})", hint="cancel it first, or wait")
    if old.options.get("staged"):
        from ingest_tui.services.documents.uploads import retry_upload

        manifest = retry_upload(workspace, old)
        _audit(workspace, "job.retry", manifest.job_id, of=old.job_id)
        return manifest
    if old.kind == EMBED:
        options = old.options | {"retry_of": old.job_id, "all": True}
        manifest = submit_embedding(workspace, old.collection_id, trigger="retry", by=requester(), **options)
        _audit(workspace, "job.retry", manifest.job_id, of=old.job_id)
        return manifest
    if old.kind == RECHUNK:
        manifest = submit_rechunking(workspace, old.collection_id, trigger="retry", by=requester(), retry_of=old.job_id)
        _audit(workspace, "job.retry", manifest.job_id, of=old.job_id)
        return manifest
    source = workspace.sources.get(old.source_id)
    if not failed_only:
        again = {"force": True} if old.options.get("force") else {}
        manifest = request_sync(
            workspace, source, trigger="retry", by=requester(), retry_of=old.job_id, **again
        ).manifest
        _audit(workspace, "job.retry", manifest.job_id, of=old.job_id)
        return manifest
    failed = {
        outcome.key
        for outcome, _ in job_items(workspace, old.job_id, outcomes={"failed", "unchanged"})
        if outcome.outcome == "failed" or outcome.reason == FAILED_BEFORE
    }
    failed |= {row.container for row in workspace.reading.locations(source.source_id, failed).values()}
    lines = [
        line._replace(action="ingest", reason="retry")
        for line in job_plan(workspace, old.job_id)
        if line.key in failed and (line.action in {"ingest", "quarantine"} or line.reason == FAILED_BEFORE)
    ]
    if not lines:
        raise UsageError(
            f"nothing failed in job {old.job_id}", hint=f"'ingest-tui job retry {old.job_id}' does all of it again"
        )
    manifest = new_manifest(source, kind="sync", trigger="retry", by=requester(), retry_of=old.job_id)
    write_plan_and_queue(workspace, manifest, lines)
    _audit(workspace, "job.retry", manifest.job_id, of=old.job_id, items=len(lines))
    return manifest


def write_plan_and_queue(workspace: Workspace, manifest: Manifest, lines: list[PlanLine]) -> None:
    """Queue a job whose plan is known already. It retires nothing, since it has listed nothing."""
    manifest.options[KNOWN_PLAN] = True
    with workspace.jobs.being_made(manifest) as paths:
        write_known_plan(paths.plan, lines)


def refuse_when_ended(manifest: Manifest, wanted: str) -> None:
    """Raise `UsageError` for a job that has ended: it cannot be ``wanted`` ("cancelled") any more."""
    if manifest.state in ENDED_STATES:
        raise UsageError(
            f"job {manifest.job_id} has ended ({manifest.state}) and cannot be {wanted}",
            hint=f"'ingest-tui job retry {manifest.job_id}' does it again",
            job_id=manifest.job_id,
        )


def _audit(workspace: Workspace, action: str, target: str, **details: Any) -> None:
    workspace.audit.add(at=rfc3339_now(), by=requester(), action=action, target=target, **details)
