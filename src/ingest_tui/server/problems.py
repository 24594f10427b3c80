"""Errors as clients get them: problem details (RFC 9457) with our codes, hints and what an exit code says."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import pydantic
from pydantic import Field
from starlette.responses import Response

from ingest_tui.model.errors import (
    BusyError,
    ConflictError,
    DiskFullError,
    IngestError,
    ItemError,
    MissingDependencyError,
    NotFoundError,
    RefusedError,
    SchemaVersionError,
    SourceAccessError,
    StoreError,
    UsageError,
    ValidationError,
    WorkspaceMissingError,
)
from ingest_tui.model.foreign_errors import as_ingest_error
from ingest_tui.model.invalid_values import invalid_values
from ingest_tui.model.redaction import redact, redact_values
from ingest_tui.model.safe_text import safe_display
from ingest_tui.server.answers import json_response, plain
from ingest_tui.server.endpoint import Answer
from ingest_tui.server.places import PlaceNames

PROBLEM_TYPE = "application/problem+json"
_STATUS: tuple[tuple[type[IngestError], int], ...] = (
    (ValidationError, 422),
    (UsageError, 400),
    (WorkspaceMissingError, 503),
    (NotFoundError, 404),
    (ConflictError, 412),
    (BusyError, 409),
    (RefusedError, 403),
    (MissingDependencyError, 503),
    (DiskFullError, 507),
    (SchemaVersionError, 503),
    (SourceAccessError, 424),
    (ItemError, 422),
    (StoreError, 500),
)
_BY_CODE = {"too_large": 413, "settings_missing": 503, "restore_unfinished": 503}
_PUT_BACK = (
    "put the workspace back where the server was started with it, or mount its disk; the server answers again then"
)
_EXIT_CODES = {403: 6, 404: 4, 409: 5, 412: 5}
"""Of what the server refuses by itself; 2 for all else: the request is wrong."""
_ITEMS_NAMED = 20


class FieldProblem(Answer):
    """What is wrong with one value of a request: ``field`` is its path, such as ``body.chunk_size``."""

    field: str
    message: str


class ProblemDetails(Answer):
    """Why a request failed. ``exit_code`` is what the command line ends with for the same reason."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: str = ""
    exit_code: int = 1
    errors: list[FieldProblem] = Field(default_factory=list)
    details: dict[str, Any] = Field(default_factory=dict)


class RequestError(IngestError):
    """A request that is refused before a service hears of it. ``headers`` are those of its answer."""

    code = "request"

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        code: str | None = None,
        hint: str = "",
        errors: Iterable[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        **context: Any,
    ) -> None:
        super().__init__(message, hint=hint, code=code, **context)
        self.status = status
        self.exit_code = _EXIT_CODES.get(status, 2)  # type: ignore[misc] # as its status says
        self.errors = [FieldProblem(field=safe_display(name), message=safe_display(text)) for name, text in errors]
        self.headers = dict(headers or {})


def status_of(error: IngestError) -> int:
    """Return the status that says what kind of error it is."""
    if isinstance(error, RequestError):
        return error.status
    by_code = _BY_CODE.get(error.reason)
    return by_code or next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def invalid_request(error: pydantic.ValidationError, within: str = "", *, noun: str = "parameter") -> RequestError:
    """Return the error of values that are not as the endpoint declares them; names each. ``noun`` is what one is."""
    found = []
    for one in invalid_values(error, quotes=False, noun=noun)[:_ITEMS_NAMED]:
        place = ".".join(part for part in (within, one.place) if part)
        found.append((place or "body", one.words))
    named = "; ".join(f"{place}: {text}" for place, text in found)
    return RequestError(
        safe_display(f"the request is not valid: {named}", limit=1000), status=422, code="invalid", errors=found,
        hint="GET /openapi.json describes each request",
    )  # fmt: skip


def known_error(error: BaseException) -> IngestError:
    """Return the error of ours that says what happened; one that nobody foresaw is reported on stderr alone."""
    known = as_ingest_error(error)
    if isinstance(known, WorkspaceMissingError):  # it was there when the server began
        return WorkspaceMissingError(known.message, hint=_PUT_BACK)
    if known is not None:
        return known
    _report_unexpected(error)
    return IngestError(f"unexpected {type(error).__name__}", hint="the log of the server says where", code="unexpected")


def problem_response(error: IngestError, places: PlaceNames | None = None) -> Response:
    """Return the answer for an error, without secrets; ``places`` hides where files of this machine are."""
    status = status_of(error)
    headers = error.headers if isinstance(error, RequestError) else {}
    problem = ProblemDetails(
        type=f"urn:ingest-tui:problem:{error.reason}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=error.message,
        code=error.reason,
        hint=error.hint,
        exit_code=error.exit_code,
        errors=error.errors if isinstance(error, RequestError) else [],
        details={} if places else _plain_context(error),
    )
    value = redact_values(plain(problem))
    if places is not None:
        value = places.hidden(value)
    if error.retryable and status in {409, 424}:
        headers = {"Retry-After": "1", **headers}
    return json_response(value, status, headers, PROBLEM_TYPE)


def _plain_context(error: IngestError) -> dict[str, Any]:
    return {name: value for name, value in error.context.items() if _is_json(value)}


def _is_json(value: Any) -> bool:
    if isinstance(value, list):
        return all(_is_json(one) for one in value)
    if isinstance(value, dict):
        return all(isinstance(name, str) and _is_json(one) for name, one in value.items())
    return value is None or isinstance(value, str | int | float | bool)


def _report_unexpected(error: BaseException) -> None:
    """Write where an error that nobody foresaw happened, in one line: a traceback would quote data."""
    places = [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
    line = f"error: unexpected {type(error).__name__} at {' < '.join(reversed(places))}"
    print(safe_display(redact(line)), file=sys.stderr, flush=True)  # noqa: T201
