"""Jobs: how they are doing, what they did, and what can be asked of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field

from ingest_tui.model.access_token import WRITE
from ingest_tui.model.job import IngestionStatusResponse, JobState, Manifest
from ingest_tui.model.outcome import OutcomeName
from ingest_tui.model.reasons import ReasonGroup
from ingest_tui.server.endpoint import Answer, AnyEndpoint, Body, Call, HttpEndpoint, NoBody, Params
from ingest_tui.server.pages import Page, PageParams, closing_all, encoded_cursor, number_cursor, text_cursor
from ingest_tui.server.values import Identifier
from ingest_tui.services.noted_warnings import noted_so_far

_TAG = "jobs"
_ACCEPTED = 202
_NO_WORKER = "no worker is running: the job waits until 'ingest-tui worker start'"
WORKING_MODES = frozenset({"watch", "queue"})
"""The modes of workers that work the queue off."""
JobKind = Literal["sync", "upload", "embed", "rechunk"]
Read = TypeVar("Read")
Made = TypeVar("Made")
JobId = Annotated[str, Field(pattern=r"^[0-9]{8}-[0-9]{6}-[a-z0-9._-]{1,40}-[0-9a-z]{4}$", max_length=64)]
"""Malformed ones are refused (422), so that they are not taken for jobs that are gone (404)."""


class JobParams(Params):
    """Which job."""

    job_id: JobId


class JobPageParams(PageParams):
    """Which part of what a job has."""

    job_id: JobId


class JobsParams(PageParams):
    """Which jobs."""

    state: tuple[JobState, ...] = Field(default=(), description="only these; may be repeated")
    source_id: Identifier | None = None
    kind: JobKind | None = None


class ItemsParams(JobPageParams):
    """Which items of a job."""

    outcome: tuple[OutcomeName, ...] = Field(default=(), description="only these; may be repeated")


class LogParams(JobPageParams):
    """Which lines of the log of a job. ``offset`` is for following it: the `end` of the line that was read last."""

    offset: int = Field(default=0, ge=0, le=2**62, description="bytes of the log that were read before")
    level: Literal["debug", "info", "warning", "error"] = Field(default="debug", description="of this level or above")


class Item(Answer):
    """What became of one item; a line of outcomes.jsonl."""

    uri: str
    key: str
    outcome: OutcomeName
    reason: str
    at: str
    detail: str
    hint: str
    document_id: str | None
    version: int | None
    raw_sha256: str | None
    content_hash: str | None
    bytes: int | None
    media_type: str | None
    backend: str | None
    milliseconds: int | None
    phase: str
    warnings: list[str]
    parent: str | None


class ErrorGroup(Answer):
    """Items that failed, were rejected or are empty for the same reason; ``outcome`` may be ``job``."""

    outcome: str
    reason: str
    number: int
    detail: str
    hint: str
    is_example: bool


class ErrorGroups(Answer):
    """What went wrong in a job."""

    job_id: str
    groups: list[ErrorGroup]


class LogLine(Answer):
    """A line of a log, with whatever fields it has; ``end``: the bytes of the log up to its end."""

    at: str
    level: str
    message: str
    fields: dict[str, Any]
    end: int = 0


class QueuedJob(IngestionStatusResponse):
    """A job that was queued. ``warnings``: such as that nobody works the queue off."""

    warnings: list[str]


class RetryBody(Body):
    """What a job does again."""

    failed_only: bool = Field(default=False, description="only what failed")


class PriorityBody(Body):
    """When a job runs."""

    priority: int = Field(ge=0, le=1000, description="lower runs first; 100 is usual")


def status_for(call: Call[Any, Any], job_id: str) -> IngestionStatusResponse:
    """Return the state of a job that the caller sees; raises `NotFoundError`."""
    found = call.client.jobs.status(job_id)
    call.caller.check_sees(found.collection_id, f"job {job_id!r}")
    return found


def queued_job(call: Call[Any, Any], job_id: str) -> QueuedJob:
    """Return a job that was queued for this request, with what there is to warn of."""
    state = status_for(call, job_id)
    waits = state.state is JobState.QUEUED and not _is_worked_off(call)
    found = [*noted_so_far(), *([_NO_WORKER] if waits else [])]
    return QueuedJob.model_validate(state.model_dump() | {"warnings": found})


def _is_worked_off(call: Call[Any, Any]) -> bool:
    return any(worker.mode in WORKING_MODES for worker in call.client.workers.list())


def get_ingestion(call: Call[JobParams, NoBody]) -> IngestionStatusResponse:
    """Return the state of a job: counters, phases, transitions, errors, place in the queue."""
    return status_for(call, call.params.job_id)


def get_job(call: Call[JobParams, NoBody]) -> IngestionStatusResponse:
    """Return the state of a job; the same as `GET /ingest/{job_id}`."""
    return status_for(call, call.params.job_id)


def list_jobs(call: Call[JobsParams, NoBody]) -> Page[IngestionStatusResponse]:
    """List jobs, newest first."""
    params = call.params
    found = call.client.jobs.page(
        states=params.state,
        source_id=params.source_id,
        collection_id=call.caller.collection_id,
        kind=params.kind,
        before=text_cursor(params.cursor),
        limit=params.limit + 1,
    )
    more = encoded_cursor(found[params.limit - 1].job_id) if len(found) > params.limit else None
    return Page[IngestionStatusResponse](items=found[: params.limit], next_cursor=more)


def list_job_items(call: Call[ItemsParams, NoBody]) -> Page[Item]:
    """List what became of each item of a job, in the order in which they were done."""
    params = call.params
    job = status_for(call, params.job_id)
    lines = call.client.jobs.items(
        job.job_id, outcomes=set(params.outcome) or None, offset=number_cursor(params.cursor)
    )
    items, more = _part(lines, params.limit, lambda outcome, _end: Item.model_validate(outcome.as_dict()))
    return Page[Item](items=items, next_cursor=more)


def list_job_errors(call: Call[JobParams, NoBody]) -> ErrorGroups:
    """Return what went wrong in a job by reason, with what to do about each."""
    job = status_for(call, call.params.job_id)
    groups: list[ReasonGroup] = call.client.jobs.reasons(job.job_id)
    return ErrorGroups(job_id=job.job_id, groups=[ErrorGroup.model_validate(group.as_dict()) for group in groups])


def get_job_log(call: Call[LogParams, NoBody]) -> Page[LogLine]:
    """Return the log of a job, oldest first."""
    params = call.params
    job = status_for(call, params.job_id)
    start = number_cursor(params.cursor) or params.offset
    lines = call.client.jobs.log(job.job_id, start, level=params.level)
    items, more = _part(lines, params.limit, log_line)
    return Page[LogLine](items=items, next_cursor=more)


def log_line(record: dict[str, Any], end: int = 0) -> LogLine:
    """Return a record of a log."""
    fields = {name: value for name, value in record.items() if name not in {"at", "level", "message"}}
    at, level, message = (str(record.get(name, "")) for name in ("at", "level", "message"))
    return LogLine(at=at, level=level, message=message, fields=fields, end=end)


def _part(
    lines: Iterator[tuple[Read, int]], limit: int, make: Callable[[Read, int], Made]
) -> tuple[list[Made], str | None]:
    """Return the next lines of a journal, and the cursor after them if there are more."""
    with closing_all(lines):
        found = list(islice(lines, limit + 1))
    more = encoded_cursor(found[limit - 1][1]) if len(found) > limit else None
    return [make(record, end) for record, end in found[:limit]], more


def cancel_job(call: Call[JobParams, NoBody]) -> IngestionStatusResponse:
    """Cancel a job; what is committed stays."""
    return _asked(call, call.client.jobs.cancel)


def pause_job(call: Call[JobParams, NoBody]) -> IngestionStatusResponse:
    """Pause a job until it is resumed."""
    return _asked(call, call.client.jobs.pause)


def resume_job(call: Call[JobParams, NoBody]) -> IngestionStatusResponse:
    """Resume a paused job."""
    return _asked(call, call.client.jobs.resume)


def retry_job(call: Call[JobParams, RetryBody]) -> QueuedJob:
    """Queue a new job that does an ended one again, and return that job."""
    failed_only = call.body.failed_only
    return _queued(call, lambda job_id: call.client.jobs.retry(job_id, failed_only=failed_only))


def approve_job(call: Call[JobParams, NoBody]) -> QueuedJob:
    """Approve the deletions that a job holds, and return the job that carries them out."""
    return _queued(call, call.client.jobs.approve)


def refuse_job(call: Call[JobParams, NoBody]) -> IngestionStatusResponse:
    """Refuse the deletions that a job holds: the documents stay."""
    return _asked(call, call.client.jobs.refuse)


def set_job_priority(call: Call[JobParams, PriorityBody]) -> IngestionStatusResponse:
    """Let a job run sooner or later than others."""
    priority = call.body.priority
    return _asked(call, lambda job_id: call.client.jobs.set_priority(job_id, priority))


def _queued(call: Call[JobParams, Any], ask: Callable[[str], Manifest]) -> QueuedJob:
    job = status_for(call, call.params.job_id)
    return queued_job(call, ask(job.job_id).job_id)


def _asked(call: Call[JobParams, Any], ask: Callable[[str], Manifest]) -> IngestionStatusResponse:
    job = status_for(call, call.params.job_id)
    return call.client.jobs.status(ask(job.job_id).job_id)


def _action(name: str, summary: str, handler: Callable[[Any], IngestionStatusResponse], **more: Any) -> AnyEndpoint:
    return HttpEndpoint(
        method="POST", path=f"/jobs/{{job_id}}/{name}", summary=summary, tag=_TAG, handler=handler,
        params=JobParams, body=more.pop("body", NoBody), scope=WRITE,
        answer=QueuedJob if more.get("status") == _ACCEPTED else IngestionStatusResponse, **more,
    )  # fmt: skip


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    HttpEndpoint(
        method="GET", path="/ingest/{job_id}", summary="The state of a job", tag=_TAG, handler=get_ingestion,
        params=JobParams, body=NoBody, answer=IngestionStatusResponse,
    ),
    HttpEndpoint(
        method="GET", path="/jobs", summary="Jobs, newest first", tag=_TAG, handler=list_jobs,
        params=JobsParams, body=NoBody, answer=Page[IngestionStatusResponse],
    ),
    HttpEndpoint(
        method="GET", path="/jobs/{job_id}", summary="The state of a job", tag=_TAG, handler=get_job,
        params=JobParams, body=NoBody, answer=IngestionStatusResponse,
    ),
    HttpEndpoint(
        method="GET", path="/jobs/{job_id}/items", summary="What became of each item", tag=_TAG,
        handler=list_job_items, params=ItemsParams, body=NoBody, answer=Page[Item],
    ),
    HttpEndpoint(
        method="GET", path="/jobs/{job_id}/errors", summary="What went wrong, by reason", tag=_TAG,
        handler=list_job_errors, params=JobParams, body=NoBody, answer=ErrorGroups,
    ),
    HttpEndpoint(
        method="GET", path="/jobs/{job_id}/log", summary="The log of a job", tag=_TAG, handler=get_job_log,
        params=LogParams, body=NoBody, answer=Page[LogLine],
    ),
    _action("cancel", "Cancel a job", cancel_job),
    _action("pause", "Pause a job", pause_job),
    _action("resume", "Resume a job", resume_job),
    _action("retry", "Do a job again", retry_job, status=202, body=RetryBody),
    _action("approve", "Approve held deletions", approve_job, status=202),
    _action("refuse", "Refuse held deletions", refuse_job),
    _action("priority", "Change the priority of a job", set_job_priority, body=PriorityBody),
)  # fmt: skip
