"""What happens, as it happens (server-sent events)."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from ingest_tui.model.access_token import ADMIN
from ingest_tui.model.job import ENDED_STATES, IngestionStatusResponse
from ingest_tui.server.answers import plain
from ingest_tui.server.endpoint import AnyEndpoint, Call, HttpEndpoint, NoBody, Params
from ingest_tui.server.events import EVENT_TYPE, ServedEvent, TooManyStreamsError
from ingest_tui.server.places import PlaceNames
from ingest_tui.server.problems import RequestError
from ingest_tui.server.routes.jobs import JobParams, status_for
from ingest_tui.services.client import Client

_TAG = "events"
_NEWEST_JOBS = 100
MOST_STREAMS = 200
"""How many a token may follow at once: each holds a connection of those that all share."""
_SHORT = ("job_id", "state", "kind", "source_id", "collection_id", "queue_position", "updated_at")


def follow_job(call: Call[JobParams, NoBody]) -> Response:
    """Follow a job: its state as `GET /jobs/{job_id}` gives it, whenever it changes, until it has ended.

    The id of an event is the revision of the job; Last-Event-ID resumes after it. 204 where nothing will follow.
    """
    job_id = status_for(call, call.params.job_id).job_id
    client = call.client
    now = _state_of(client, job_id)
    if now.is_last and now.mark <= call.headers.get("last-event-id", ""):
        return Response(status_code=204)
    return _response(call, f"job/{job_id}", lambda: [_state_of(client, job_id)])


def follow_jobs(call: Call[Params, NoBody]) -> Response:
    """Follow all jobs that have not ended, and the newest: of each its state and progress, whenever they change.

    The id of an event is the time of the change; Last-Event-ID resumes after it.
    """
    return _response(call, "jobs", JobChanges(call.client))


class JobChanges:
    """Reads the state of jobs again and again: one that has not ended is read until it has, however many came since."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._unfinished: frozenset[str] = frozenset()

    def __call__(self) -> list[ServedEvent]:
        """Return the state of each job now."""
        states = self._client.jobs.watched(newest=_NEWEST_JOBS, also=self._unfinished)
        self._unfinished = frozenset(one.job_id for one in states if one.state not in ENDED_STATES)
        return [_change_of(one) for one in states]


def _state_of(client: Client, job_id: str) -> ServedEvent:
    revision, state = client.jobs.get(job_id).rev, client.jobs.status(job_id)
    return ServedEvent(
        "job", job_id, f"{revision:012d}", state.collection_id, plain(state), is_last=state.state in ENDED_STATES
    )


def _change_of(state: IngestionStatusResponse) -> ServedEvent:
    data = {name: getattr(state, name) for name in _SHORT} | {"percent": state.progress.percent}
    return ServedEvent("job", state.job_id, state.updated_at, state.collection_id, data)


def _response(call: Call[Any, Any], question: str, read: Any) -> Response:
    caller, places = call.caller, None
    if not caller.may(ADMIN):
        places = PlaceNames(call.client.tokens.machine_places())
    try:
        return call.feeds.response(
            question,
            read,
            caller=caller,
            seen=call.headers.get("last-event-id", ""),
            shown=lambda data: data if places is None else places.hidden(data),
            most=MOST_STREAMS if caller.name else None,
        )
    except TooManyStreamsError:
        raise RequestError(
            f"the token follows {MOST_STREAMS} streams of events already",
            status=429,
            code="throttled",
            hint="end some of them; one connection to /events follows all jobs",
            headers={"Retry-After": "10"},
        ) from None


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    HttpEndpoint(
        method="GET", path="/jobs/{job_id}/events", summary="Follow a job", tag=_TAG, handler=follow_job,
        params=JobParams, body=NoBody, media_types=(EVENT_TYPE,), other_statuses=(204,),
    ),
    HttpEndpoint(
        method="GET", path="/events", summary="Follow all jobs", tag=_TAG, handler=follow_jobs,
        params=Params, body=NoBody, media_types=(EVENT_TYPE,),
    ),
)  # fmt: skip
