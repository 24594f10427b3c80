"""Whether the server and the workspace are well, and the figures of the workspace."""

from __future__ import annotations

from typing import Literal

from starlette.responses import Response

from ingest_tui.server.endpoint import Answer, AnyEndpoint, Call, HttpEndpoint, NoBody, Params
from ingest_tui.version import __version__

_TAG = "workspace"
_METRICS_TYPE = "text/plain"


class Alive(Answer):
    """That the server answers."""

    status: Literal["ok"] = "ok"
    version: str = __version__


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


def health(call: Call[Params, NoBody]) -> Alive:
    """Say that the server answers; asks nothing of the workspace."""
    del call
    return Alive()


def ready(call: Call[Params, NoBody]) -> Readiness:
    """Say whether the workspace can be used, and what needs a person.

    A source that fails does not make the server unready: `status` and `findings` are those of `ingest-tui health`.
    """
    return Readiness.model_validate(call.client.monitoring.health().as_dict())


def metrics(call: Call[Params, NoBody]) -> Response:
    """Give the figures of the workspace in the text format of Prometheus."""
    return Response(call.client.monitoring.metrics(), media_type=_METRICS_TYPE, headers={"Cache-Control": "no-store"})


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    HttpEndpoint(
        method="GET", path="/health", summary="Whether the server answers", tag=_TAG, handler=health,
        params=Params, body=NoBody, answer=Alive, is_public=True,
    ),
    HttpEndpoint(
        method="GET", path="/health/ready", summary="Whether the workspace can be used", tag=_TAG, handler=ready,
        params=Params, body=NoBody, answer=Readiness, whole_workspace=True,
    ),
    HttpEndpoint(
        method="GET", path="/metrics", summary="Figures for Prometheus", tag=_TAG, handler=metrics,
        params=Params, body=NoBody, media_types=(_METRICS_TYPE,), whole_workspace=True,
    ),
)  # fmt: skip
