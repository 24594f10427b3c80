"""Jobs with all that is known of them, for programs that show what the command line shows."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from ingest_tui.model.access_token import WRITE
from ingest_tui.model.job import IngestionStatusResponse, JobState, Manifest
from ingest_tui.server.endpoint import Answer, AnyEndpoint, Call, HttpEndpoint, NoBody, Params
from ingest_tui.server.routes.jobs import JobParams, status_for
from ingest_tui.server.routes.sources import PlannedAction, planned_action
from ingest_tui.server.values import Identifier, Moment

_TAG = "jobs"
_MOST_JOBS = 10_000


class ManifestsParams(Params):
    """Which jobs."""

    state: tuple[JobState, ...] = Field(default=(), description="only these; may be repeated")
    source_id: Identifier | None = None
    since: Moment = Field(default="", description="made on this day (UTC) or later: 2026-11-21")
    limit: int = Field(default=50, ge=1, le=_MOST_JOBS)


class JobManifest(Manifest):
    """The manifest of a job, and its place in the queue."""

    queue_position: int | None


class JobManifests(Answer):
    """Jobs, newest first; ``unreadable``: those whose manifest is lost or damaged."""

    items: list[JobManifest]
    unreadable: list[str]


class HeldDeletionsAnswer(Answer):
    """The deletions of a job that wait for somebody's answer."""

    job_id: str
    items: list[PlannedAction]


def list_manifests(call: Call[ManifestsParams, NoBody]) -> JobManifests:
    """List jobs with all that is known of them, newest first."""
    params, is_restricted = call.params, call.caller.collection_id is not None
    unreadable: list[str] = []
    found: list[Manifest] = call.client.jobs.list(
        states=params.state,
        source_id=params.source_id,
        since=params.since,
        limit=None if is_restricted else params.limit,
        on_unreadable=unreadable.append,
    )
    queue = call.client.jobs.queue_positions()
    seen = [job for job in found if call.caller.sees(job.collection_id)][: params.limit]
    return JobManifests(items=[_manifest(job, queue) for job in seen], unreadable=[] if is_restricted else unreadable)


def get_manifest(call: Call[JobParams, NoBody]) -> JobManifest:
    """Return all that is known of a job."""
    job: Manifest = call.client.jobs.get(call.params.job_id)
    call.caller.check_sees(job.collection_id, f"job {call.params.job_id!r}")
    return _manifest(job, call.client.jobs.queue_positions())


def _manifest(job: Manifest, queue: dict[str, int]) -> JobManifest:
    return JobManifest.model_validate(job.model_dump() | {"queue_position": queue.get(job.job_id)})


def list_held_deletions(call: Call[JobParams, NoBody]) -> HeldDeletionsAnswer:
    """List the deletions of a job that wait for an answer, or waited for one."""
    job = status_for(call, call.params.job_id)
    lines = call.client.jobs.held_deletions(job.job_id)
    return HeldDeletionsAnswer(job_id=job.job_id, items=[planned_action(line) for line in lines])


def withdraw_approval(call: Call[JobParams, NoBody]) -> IngestionStatusResponse:
    """Take back the approval of deletions, while no worker has begun: they are held again."""
    job = status_for(call, call.params.job_id)
    held: Any = call.client.jobs.withdraw(job.job_id)
    return status_for(call, held.job_id)


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    HttpEndpoint(
        method="GET", path="/manifests", summary="Jobs with all that is known of them", tag=_TAG,
        handler=list_manifests, params=ManifestsParams, body=NoBody, answer=JobManifests,
    ),
    HttpEndpoint(
        method="GET", path="/manifests/{job_id}", summary="All that is known of a job", tag=_TAG,
        handler=get_manifest, params=JobParams, body=NoBody, answer=JobManifest,
    ),
    HttpEndpoint(
        method="GET", path="/jobs/{job_id}/held", summary="The deletions that wait for approval", tag=_TAG,
        handler=list_held_deletions, params=JobParams, body=NoBody, answer=HeldDeletionsAnswer,
    ),
    HttpEndpoint(
        method="POST", path="/jobs/{job_id}/withdraw", summary="Take an approval back", tag=_TAG,
        handler=withdraw_approval, params=JobParams, body=NoBody, answer=IngestionStatusResponse, scope=WRITE,
    ),
)  # fmt: skip
