"""Whether the server and the workspace are well, and the figures of the workspace."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from starlette.responses import Response

from ingest_tui.model.access_token import ADMIN, WRITE, TokenScope
from ingest_tui.server.endpoint import Answer, AnyEndpoint, Call, HttpEndpoint, NoBody, Params, Reply
from ingest_tui.server.pages import Page, PageParams, closing_all, encoded_cursor, number_cursor
from ingest_tui.server.values import Moment
from ingest_tui.services.jobs.audit_trail import AuditQuery
from ingest_tui.version import __version__

_TAG = "workspace"
_METRICS_TYPE = "text/plain"


class Alive(Answer):
    """That the server answers."""

    status: Literal["ok"] = "ok"
    version: str = __version__


class ServerAnswer(Answer):
    """What this server is, and where it is described: paths of it."""

    name: str = "ingest-tui"
    version: str = __version__
    docs: str = "/docs"
    openapi: str = "/openapi.json"
    mcp: str = "/mcp"
    health: str = "/health"


class CallerAnswer(Answer):
    """Who the server takes the sender of a request for. ``name``: of the token; empty where none is needed.

    ``may_change``: it may run and change something, and the server was not started with ``--read-only``.
    """

    name: str
    scope: TokenScope
    collection_id: str | None
    may_change: bool


class HealthFinding(Answer):
    """Something that needs a person, with what to do about it."""

    level: str
    code: str
    subject: str
    message: str
    hint: str


class Readiness(Answer):
    """Whether the workspace can be used, and what needs a person."""

    status: str
    summary: str
    findings: list[HealthFinding]


def describe_server(call: Call[Params, NoBody]) -> Reply:
    """Say what this server is and where it is described. Who asks for HTML gets the page for browsers here."""
    del call
    return Reply(ServerAnswer(), headers={"Vary": "Accept"})


def health(call: Call[Params, NoBody]) -> Alive:
    """Say that the server answers; asks nothing of the workspace."""
    del call
    return Alive()


def describe_caller(call: Call[Params, NoBody]) -> CallerAnswer:
    """Say who the server takes you for, and what you may do."""
    caller = call.caller
    may_change = caller.may(WRITE) and not call.client.read_only
    return CallerAnswer(name=caller.name, scope=caller.scope, collection_id=caller.collection_id, may_change=may_change)


def ready(call: Call[Params, NoBody]) -> Readiness:
    """Say whether the workspace can be used, and what needs a person.

    A source that fails does not make the server unready: `status` and `findings` are those of `ingest-tui health`.
    """
    return Readiness.model_validate(call.client.monitoring.health().as_dict())


class AuditParams(PageParams):
    """Which lines of the audit, oldest first."""

    words: str = Field(default="", max_length=500, description="as in the filters of lists: document !restore")
    since: Moment = Field(default="", description="the beginning of an RFC 3339 time: 2026-11-21")
    until: Moment = Field(default="", description="lines of that day, that minute or that second are the last")


class AuditLine(Answer):
    """Who did what, when, with which outcome."""

    at: str
    by: str
    action: str
    target: str
    outcome: str
    details: dict[str, Any]


def list_audit(call: Call[AuditParams, NoBody]) -> Page[AuditLine]:
    """List who did what, when, oldest first."""
    params = call.params
    query = AuditQuery(params.words, params.since, params.until)
    found: list[AuditLine] = []
    end, more = number_cursor(params.cursor), None
    with closing_all(call.client.audit.entries_from(end)) as lines:
        for entry, after in lines:
            if not query.takes(entry):
                continue
            if len(found) == params.limit:
                more = encoded_cursor(end)
                break
            found.append(AuditLine.model_validate({name: entry.get(name) or _EMPTY[name] for name in _EMPTY}))
            end = after
    return Page[AuditLine](items=found, next_cursor=more)


def metrics(call: Call[Params, NoBody]) -> Response:
    """Give the figures of the workspace in the text format of Prometheus."""
    return Response(call.client.monitoring.metrics(), media_type=_METRICS_TYPE, headers={"Cache-Control": "no-store"})


_EMPTY: dict[str, Any] = {"at": "", "by": "", "action": "", "target": "", "outcome": "", "details": {}}
ENDPOINTS: tuple[AnyEndpoint, ...] = (
    HttpEndpoint(
        method="GET", path="/", summary="What this server is", tag=_TAG, handler=describe_server,
        params=Params, body=NoBody, answer=ServerAnswer, is_public=True,
    ),
    HttpEndpoint(
        method="GET", path="/health", summary="Whether the server answers", tag=_TAG, handler=health,
        params=Params, body=NoBody, answer=Alive, is_public=True,
    ),
    HttpEndpoint(
        method="GET", path="/caller", summary="Who you are to the server", tag=_TAG, handler=describe_caller,
        params=Params, body=NoBody, answer=CallerAnswer,
    ),
    HttpEndpoint(
        method="GET", path="/health/ready", summary="Whether the workspace can be used", tag=_TAG, handler=ready,
        params=Params, body=NoBody, answer=Readiness, whole_workspace=True,
    ),
    HttpEndpoint(
        method="GET", path="/audit", summary="Who did what, when", tag=_TAG, handler=list_audit,
        params=AuditParams, body=NoBody, answer=Page[AuditLine], scope=ADMIN, whole_workspace=True,
    ),
    HttpEndpoint(
        method="GET", path="/metrics", summary="Figures for Prometheus", tag=_TAG, handler=metrics,
        params=Params, body=NoBody, media_types=(_METRICS_TYPE,), whole_workspace=True,
    ),
)  # fmt: skip
