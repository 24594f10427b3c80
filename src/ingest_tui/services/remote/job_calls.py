"""Jobs of a server: how they are doing, what they did, what can be asked of them, and following one to its end."""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson

from ingest_tui.model.errors import IngestError, NotFoundError
from ingest_tui.model.job import IngestionStatusResponse, Manifest
from ingest_tui.model.outcome import Outcome
from ingest_tui.model.plan_line import PlanLine
from ingest_tui.model.reasons import ReasonGroup
from ingest_tui.services.attention import AttentionItem
from ingest_tui.services.jobs.jobs import refuse_when_ended
from ingest_tui.services.remote.names import named
from ingest_tui.services.remote.server import Server, target_of
from ingest_tui.services.workers import WorkerInfo, still_running

_JOB_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[a-z0-9._-]{1,40}-[0-9a-z]{4}")
_MOST_JOBS = 10_000
_POLL_SECONDS = 0.5
_LOST_SECONDS = 60.0
"""For how long a connection that follows a job is made again before the call gives up."""


def list_jobs(
    server: Server,
    *,
    states: Iterable[str] | None = None,
    source_id: str | None = None,
    since: str = "",
    limit: int | None = None,
    on_unreadable: Callable[[str], None] = lambda _job_id: None,
) -> list[Manifest]:
    """Return jobs, newest first."""
    most = _MOST_JOBS if limit is None else min(limit, _MOST_JOBS)
    found = server.get("manifests", state=list(states or ()), source_id=source_id, since=since, limit=most)
    with server.reading(("manifests",)):
        for job_id in found["unreadable"]:
            on_unreadable(str(job_id))
        jobs = server.read_all(Manifest, found["items"], "manifests")
        # For `queue_positions`, which is asked for next.
        server.remembered["queue"] = {one["job_id"]: one["queue_position"] for one in found["items"]}
    return jobs


def get_job(server: Server, job_id: str) -> Manifest:
    """Return a job by its id, a unique part of it, or ``last``."""
    found = server.get("manifests", _full_id(server, job_id))
    job = server.read(Manifest, found, "manifests")
    server.remembered["queue"] = {job.job_id: found.get("queue_position")}
    return job


def _full_id(server: Server, job_id: str) -> str:
    found = job_id if _JOB_ID.fullmatch(job_id) else named(server, "job", job_id)
    if not _JOB_ID.fullmatch(found):
        raise NotFoundError(f"there is no job {job_id!r}", hint="'ingest-tui job list' shows them")
    return found


def queue_positions(server: Server) -> dict[str, int]:
    """Return the places in the queue of the jobs that were asked for last."""
    known: dict[str, int | None] = server.remembered.get("queue", {})
    return {job_id: place for job_id, place in known.items() if isinstance(place, int)}


def status(server: Server, job_id: str) -> IngestionStatusResponse:
    """Return the state of a job as the status response of the contract."""
    full_id = _full_id(server, job_id)
    return server.read(IngestionStatusResponse, server.get("ingest", full_id), "ingest", full_id)


def job_items(
    server: Server, job_id: str, *, outcomes: set[str] | None = None, with_warnings: bool = False
) -> Iterator[tuple[Outcome, int]]:
    """Yield the outcomes of a job, each with how many came before it."""
    found = server.items("jobs", _full_id(server, job_id), "items", outcome=sorted(outcomes or ()))
    for number, record in enumerate(found):
        outcome = server.read(Outcome, record, "jobs", job_id, "items")
        if outcome.warnings or not with_warnings:
            yield outcome, number


def job_reasons(server: Server, job_id: str) -> list[ReasonGroup]:
    """Return what went wrong in a job by reason."""
    path = ("jobs", _full_id(server, job_id), "errors")
    return server.read_all(ReasonGroup, server.get(*path)["groups"], *path)


def job_log(
    server: Server, job_id: str, offset: int = 0, *, level: str = "debug"
) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield the log of a job from ``offset`` on, each line with the offset after it."""
    path = ("jobs", _full_id(server, job_id), "log")
    for line in server.items(*path, level=level, offset=offset):
        with server.reading(path):
            record = {"at": str(line["at"]), "level": str(line["level"]), "message": str(line["message"])}
            yield record | dict(line["fields"]), int(line["end"])


def deleted_versions(server: Server, job_id: str) -> Iterator[tuple[str, list[int]]]:
    """Yield the key of each document of which a job deleted earlier versions for good, with their numbers."""
    from ingest_tui.services.documents.pruning import deleted_in

    return deleted_in(record for record, _end in job_log(server, job_id))


def held_deletions(server: Server, job_id: str) -> list[PlanLine]:
    """Return the lines of a job's plan that hold a deletion."""
    path = ("jobs", _full_id(server, job_id), "held")
    with server.reading(path):
        return [PlanLine.from_dict(one) for one in server.get(*path)["items"]]


def job_before_change(server: Server, job_id: str, *, wanted: str) -> Manifest:
    """Return a job that may be ``wanted``; raises `UsageError` for one that has ended."""
    job = get_job(server, job_id)
    refuse_when_ended(job, wanted)
    return job


def _asking(action: str) -> Callable[..., Manifest]:
    """Return the call that asks something of a job; it returns the job that the server names then."""

    def ask(server: Server, job_id: str) -> Manifest:
        return asked(server, "jobs", _full_id(server, job_id), action)

    return ask


def asked(server: Server, *path: str, body: Any = None) -> Manifest:
    """Ask for something that is answered with the state of a job; returns that job."""
    found = server.post(*path, body=body)
    with server.reading(path):
        job_id = str(found["job_id"])
    return get_job(server, job_id)


def retry_job(server: Server, job_id: str, *, failed_only: bool = False) -> Manifest:
    """Queue a new job that does an ended one again."""
    return asked(server, "jobs", _full_id(server, job_id), "retry", body={"failed_only": failed_only})


def set_priority(server: Server, job_id: str, priority: int) -> Manifest:
    """Let a job run sooner or later than others."""
    return asked(server, "jobs", _full_id(server, job_id), "priority", body={"priority": priority})


def list_workers(server: Server) -> list[WorkerInfo]:
    """Return the living workers; none for a token that is not shown them."""
    return _workers_shown(server) or []


def _workers_shown(server: Server) -> list[WorkerInfo] | None:
    """Return the living workers; None for a token that is not shown them."""
    try:
        found = server.get("workers")
    except NotFoundError:
        return None
    with server.reading(("workers",)):
        return [WorkerInfo.from_dict(one) for one in found["items"]]


def list_attention(server: Server) -> list[AttentionItem]:
    """Return what needs a person now, the worst first."""
    return server.read_all(AttentionItem, server.get("attention")["items"], "attention")


def wait_for_job(
    server: Server,
    job_id: str,
    on_progress: Callable[[Manifest], None],
    *,
    timeout: float | None = None,
    poll: float = _POLL_SECONDS,
) -> Manifest:
    """Wait until a job has ended, with each state that is seen; raises `BusyError` after ``timeout`` seconds."""
    full_id = _full_id(server, job_id)
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        job = get_job(server, full_id)
        on_progress(job)
        if job.ended:
            return job
        if deadline is not None and timeout is not None and time.monotonic() >= deadline:
            raise still_running(job, timeout)
        time.sleep(poll)


def follow_job(
    server: Server, job_id: str, on_progress: Callable[[Manifest], None], *, run_here: bool, poll: float = _POLL_SECONDS
) -> Manifest:
    """Follow a job to its end by the events of the server; a worker there does it. Returns its last state."""
    del run_here
    job = get_job(server, job_id)
    on_progress(job)
    if not job.ended and _workers_shown(server) == []:
        warnings.warn(
            f"no worker runs for {server.shown}: job {job.job_id} waits; 'ingest-tui worker start' there starts one",
            stacklevel=2,
        )
    seen, lost_since = "", None
    while not job.ended:
        try:
            for mark, state in _events(server, job.job_id, seen):
                seen = mark
                on_progress(server.read(Manifest, state, "jobs", job.job_id, "events"))
            job, lost_since = get_job(server, job.job_id), None
        except IngestError as error:
            now = time.monotonic()
            lost_since = lost_since or now
            if error.reason != "server_unreachable" or now - lost_since > _LOST_SECONDS:
                raise
        if not job.ended:
            time.sleep(poll)
    on_progress(job)
    return job


def _events(server: Server, job_id: str, seen: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the id and the data of each event of a job after ``seen``, until the server ends them."""
    path = ("jobs", job_id, "events")
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": seen} if seen else {})
    with server.connection.stream(target_of(path), headers) as (response, _pieces):
        if response.headers.get_content_type() != "text/event-stream":
            server.refuse_stream(response, path)
            return
        mark = ""
        for line in server.connection.lines(response):
            name, _, value = line.decode("utf-8", "replace").partition(":")
            if name == "id":
                mark = value.strip()
            elif name == "data":
                with server.reading(path):
                    yield mark, dict(orjson.loads(value))


CALLS: dict[str, Callable[..., Any]] = {
    "jobs.list": list_jobs,
    "jobs.get": get_job,
    "jobs.queue_positions": queue_positions,
    "jobs.status": status,
    "jobs.items": job_items,
    "jobs.reasons": job_reasons,
    "jobs.log": job_log,
    "jobs.held_deletions": held_deletions,
    "jobs.before_change": job_before_change,
    "jobs.cancel": _asking("cancel"),
    "jobs.pause": _asking("pause"),
    "jobs.resume": _asking("resume"),
    "jobs.retry": retry_job,
    "jobs.approve": _asking("approve"),
    "jobs.refuse": _asking("refuse"),
    "jobs.withdraw": _asking("withdraw"),
    "jobs.set_priority": set_priority,
    "workers.list": list_workers,
    "workers.wait_for": wait_for_job,
    "workers.follow": follow_job,
    "maintenance.attention": list_attention,
    "documents.deleted_versions": deleted_versions,
}
