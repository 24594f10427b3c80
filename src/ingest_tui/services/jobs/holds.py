"""The deletions that a job holds for a person: listed, approved, refused; an approval is taken back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.errors import UsageError
from ingest_tui.model.job import HeldDeletions, JobState, Manifest
from ingest_tui.model.plan_line import PlanLine
from ingest_tui.services.jobs.jobs import job_plan
from ingest_tui.store.records.looks import why_hold_is_closed
from ingest_tui.store.users import requester, trigger_here
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.submit import request_sync


def held_deletions(workspace: Workspace, job_id: str) -> list[PlanLine]:
    """Return the lines of a job's plan that hold a deletion."""
    full_id = workspace.jobs.resolve(job_id)
    return [line for line in job_plan(workspace, full_id) if line.action == "hold"]


def approve_job(workspace: Workspace, job_id: str) -> Manifest:
    """Approve the deletions that a job holds: queues a sync that lists again and retires those that are still gone."""
    with _held_by(workspace, job_id) as (old, held):
        held_deletions(workspace, old.job_id)  # raises when what is approved cannot be read
        source = workspace.sources.get(old.source_id)
        manifest = request_sync(workspace, source, trigger=trigger_here(), by=requester(), approves=old.job_id).manifest
        held.answered_by_job = manifest.job_id
        workspace.jobs.save(old)
    workspace.audit.add(
        at=rfc3339_now(),
        by=requester(),
        action="job.approve",
        target=old.job_id,
        documents=held.documents,
        job=manifest.job_id,
    )
    return manifest


def refuse_job(workspace: Workspace, job_id: str) -> Manifest:
    """Refuse the deletions that a job holds: the documents stay, and this job asks no more.

    A later sync that misses them still holds their deletion again: only then is it known that they are still gone.
    Raises `UsageError` where such a look was made already: it is that job which asks.
    """
    with _held_by(workspace, job_id) as (manifest, held):
        if closed := why_hold_is_closed(workspace.layout, manifest.source_id, manifest.job_id):
            raise UsageError(
                f"the deletions of job {manifest.job_id} wait for no answer any more: {closed}",
                hint="'ingest-tui job list' marks the jobs that do as held",
            )
        held.refused_by = requester()
        workspace.jobs.save(manifest)
    workspace.audit.add(
        at=rfc3339_now(), by=requester(), action="job.refuse", target=manifest.job_id, documents=held.documents
    )
    return manifest


def withdraw_approval(workspace: Workspace, job_id: str) -> Manifest:
    """Take back the approval of deletions that a job held, while no worker has begun: they are held again.

    The sync that waits stays in the queue, and asks like any other. Raises `UsageError` where nothing waits.
    """
    with _locked(workspace, job_id) as manifest:
        held = manifest.held
        if held is None or not held.answered_by_job:
            raise UsageError(
                f"no approval of job {manifest.job_id} waits",
                hint="'ingest-tui job list' marks the jobs that hold deletions",
            )
        _let_go_of_approval(workspace, held.answered_by_job, manifest.job_id)
        held.answered_by_job = None
        workspace.jobs.save(manifest)
    workspace.audit.add(
        at=rfc3339_now(), by=requester(), action="job.withdraw", target=manifest.job_id, documents=held.documents
    )
    return manifest


def _let_go_of_approval(workspace: Workspace, waiting_id: str, approved_id: str) -> None:
    begun = UsageError(
        f"job {waiting_id} has begun to carry the approval out",
        hint=f"'ingest-tui job cancel {waiting_id}' stops it; 'ingest-tui trash list' shows what is gone",
    )
    lock = workspace.jobs.lock(waiting_id)
    if not lock.try_acquire():  # a worker holds it
        raise begun
    with lock:
        waiting = workspace.jobs.load(waiting_id)
        if waiting.state is not JobState.QUEUED or waiting.options.get("approves", approved_id) != approved_id:
            raise begun  # one that approves nothing was let go of before, by a call that was killed after that
        waiting.options = {name: value for name, value in waiting.options.items() if name != "approves"}
        workspace.jobs.save(waiting)


@contextmanager
def _held_by(workspace: Workspace, job_id: str) -> Iterator[tuple[Manifest, HeldDeletions]]:
    """Hold a job with unanswered deletions. Raises `UsageError`."""
    with _locked(workspace, job_id) as manifest:
        held, full_id = manifest.held, manifest.job_id
        if held is None or not held.documents:
            raise UsageError(
                f"job {full_id} holds no deletions", hint="'ingest-tui job list' marks the jobs that do as held"
            )
        if held.answered_by_job:
            raise UsageError(
                f"the deletions of job {full_id} were approved already",
                hint=f"'ingest-tui job show {held.answered_by_job}' shows what became of them",
            )
        if held.refused_by:
            raise UsageError(
                f"the deletions of job {full_id} were refused already by {held.refused_by}",
                hint=f"'ingest-tui sync {manifest.source_id}' looks again, and asks again if they are still gone",
            )
        yield manifest, held


@contextmanager
def _locked(workspace: Workspace, job_id: str) -> Iterator[Manifest]:
    """Hold a job, as it is now: two people may answer at the same time."""
    full_id = workspace.jobs.resolve(job_id)
    lock = workspace.jobs.lock(full_id)
    lock.acquire(5.0, what=f"job {full_id}")
    with lock:
        yield workspace.jobs.load(full_id)
