"""From a request to its answer: who calls, whether they may, what they give, the handler in a thread, the answer.

Handlers call services, which block; so they run in a few threads of a pool, and requests wait for a free one. Each call
opens the workspace for itself (`services.client`), so that no thread shares a connection with another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from pydantic import BaseModel
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import Response

from ingest_tui.model.access_token import ADMIN, READ
from ingest_tui.model.errors import IngestError, NotFoundError, WorkspaceMissingError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.source import RESERVED_SOURCES
from ingest_tui.server.access import ClientAccess
from ingest_tui.server.answers import json_response, plain
from ingest_tui.server.caller import Caller
from ingest_tui.server.endpoint import SERVICE_SECONDS, AnyEndpoint, Call, NoBody, Params, Reply
from ingest_tui.server.events import Feeds
from ingest_tui.server.idempotency import HEADER, AnswersGiven, checked_key, digest_of
from ingest_tui.server.places import PlaceNames
from ingest_tui.server.problems import RequestError, known_error, problem_response
from ingest_tui.server.requests import Sent, params_of, sent_body
from ingest_tui.server.warning_headers import warning_headers
from ingest_tui.services.client import Client
from ingest_tui.services.noted_warnings import noting
from ingest_tui.store.given_answers import GivenAnswerStore
from ingest_tui.store.layout import Layout
from ingest_tui.store.users import acting_for

_TRIGGER = "http"
"""Of the jobs and in the audit."""
THREADS = 8
"""How many requests are worked on at once: more would wait for the same disk and the same interpreter."""

_TOOK_TOO_LONG = "service_timeout"


@dataclass
class ServerState:
    """What the requests to one server share."""

    client: Client
    access: ClientAccess
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(THREADS, "service"))

    def __post_init__(self) -> None:
        """Let what is followed be read in the same threads, and answers be kept in the workspace."""
        self.answers = AnswersGiven(GivenAnswerStore(Layout(self.client.root)))
        self.feeds = Feeds(lambda read: in_thread(self, read), self.access.let_in)


Outcome = TypeVar("Outcome")
Handle = Callable[[Request], Awaitable[Response]]


def handler_of(state: ServerState, endpoints: dict[str, AnyEndpoint]) -> Handle:
    """Return what answers the requests to one path; ``endpoints`` by method."""

    async def handle(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await answered(state, endpoints[method], request)

    return handle


async def answered(state: ServerState, endpoint: AnyEndpoint, request: Request) -> Response:
    """Return the answer of an endpoint, or the problem that kept it from answering."""
    asked = _Asked(state, endpoint, request)
    try:
        if not endpoint.has_body:
            return await in_thread(state, asked.answer_at_once, seconds=endpoint.seconds)
        caller = await in_thread(state, asked.identify)
        params = params_of(endpoint, request)
        async with sent_body(endpoint, request) as sent:
            return await in_thread(state, asked.answer, caller, params, sent, seconds=endpoint.seconds)
    except Exception as error:  # noqa: BLE001 - whatever happens, a client gets an answer that says what to do
        known = _as_told(known_error(error), asked.caller)
        is_admin = asked.caller is not None and asked.caller.may(ADMIN)
        if known.reason == _TOOK_TOO_LONG:  # names nothing, and there may be no thread to look what to hide
            return problem_response(known)
        places = None if is_admin else await in_thread(state, state.access.places)
        return problem_response(known, places)


class _Asked:
    """A request to an endpoint on its way; all but ``caller``, who is None until identified, is called in a thread."""

    def __init__(self, state: ServerState, endpoint: AnyEndpoint, request: Request) -> None:
        self.caller: Caller | None = None
        self._state, self._endpoint, self._request = state, endpoint, request

    def identify(self) -> Caller:
        """Find out who calls; raises `RequestError` where they may not."""
        self.caller = self._state.access.caller_of(self._endpoint, self._request.headers)
        return self.caller

    def answer_at_once(self) -> Response:
        """Answer one without a body, from who calls on: in one thread, with one open workspace."""
        with self._state.client.kept_open():
            return self._answer(self.identify(), params_of(self._endpoint, self._request), (NoBody(), []))

    def answer(self, caller: Caller, params: Params, sent: Sent) -> Response:
        """Answer one whose caller is known and whose body is there."""
        with self._state.client.kept_open():
            return self._answer(caller, params, sent)

    def _answer(self, caller: Caller, params: Params, sent: Sent) -> Response:
        state, (body, files) = self._state, sent
        call = Call(state.client, state.feeds, caller, params, body, self._request.headers, files)
        return _done_once(state, self._endpoint, call, self._request.url)


async def in_thread(
    state: ServerState, act: Callable[..., Outcome], *args: Any, seconds: float = SERVICE_SECONDS
) -> Outcome:
    """Call something that blocks, in a thread of the pool; raises `RequestError` (503) where that takes too long.

    The thread then goes on to its end, and no other takes its place meanwhile: there are never more than `THREADS`.
    """
    call = partial(copy_context().run, act, *args)
    try:
        async with asyncio.timeout(seconds) as limit:
            return await asyncio.get_running_loop().run_in_executor(state.threads, call)
    except TimeoutError:
        if limit.expired():
            raise _took_too_long(seconds) from None
        raise


def _took_too_long(seconds: float) -> RequestError:
    return RequestError(
        f"there was no answer within {seconds:.0f} s; what was asked for may still be done",
        status=503,
        code=_TOOK_TOO_LONG,
        hint="look at what it changes before it is sent again, or send it again with the same Idempotency-Key",
        headers={"Retry-After": "10"},
    )


def _as_told(error: IngestError, caller: Caller | None) -> IngestError:
    """Return an error as its caller may know it: what is not there may be like something that they do not see."""
    if caller is None or caller.collection_id is None or not isinstance(error, NotFoundError):
        return error
    if isinstance(error, WorkspaceMissingError):
        return error
    return NotFoundError("there is no such thing", hint="the lists of this server show what there is")


def _done_once(state: ServerState, endpoint: AnyEndpoint, call: Call[Any, Any], url: URL) -> Response:
    """Handle a request; one that names itself with Idempotency-Key, and was handled before, is answered again."""
    key = call.headers.get(HEADER)
    if key is None or endpoint.method != "POST":
        return _handled(endpoint, call)
    name = (call.caller.digest, endpoint.method, url.path, checked_key(key))
    asked = digest_of(call.body, url.query, call.files)
    return state.answers.answer(name, asked, lambda: _handled(endpoint, call), is_stored=endpoint.scope != READ)


def _handled(endpoint: AnyEndpoint, call: Call[Any, Any]) -> Response:
    with acting_for(call.caller.acts_as, through=_TRIGGER), noting() as noted:
        _check_named_source(call)
        result = endpoint.handler(call)
    response = result if isinstance(result, Response) else _response(endpoint, call, result)
    response.headers.update(warning_headers(noted))
    return response


def _check_named_source(call: Call[Any, Any]) -> None:
    """Raise `NotFoundError` where who sees one collection names a source of another, as for one that is none.

    Here for all endpoints: a list that is empty rather than not there would tell that there is such a source.
    """
    if call.caller.collection_id is None:
        return
    for given in (call.params, call.body):
        source_id = getattr(given, "source_id", None)
        if source_id is not None and source_id not in RESERVED_SOURCES:
            call.caller.check_sees(call.client.sources.get(source_id).collection_id, f"source {source_id!r}")


def _response(endpoint: AnyEndpoint, call: Call[Any, Any], result: BaseModel | Reply) -> Response:
    reply = result if isinstance(result, Reply) else Reply(result)
    status = reply.status or endpoint.status
    if reply.value is None:
        return Response(status_code=status, headers={"Cache-Control": "no-store", **reply.headers})
    # What is for everybody names no place, and is answered without the workspace.
    value = plain(reply.value) if endpoint.is_public else shown_to(call.caller, call.client, reply.value)
    return json_response(value, status, reply.headers)


def shown_to(caller: Caller, client: Client, value: BaseModel) -> Any:
    """Return the JSON value of an answer, without paths of this machine for who is no administrator."""
    found = plain(value)
    return found if caller.may(ADMIN) else PlaceNames(client.tokens.machine_places()).hidden(found)


def refused_query(request: Request) -> Response | None:
    """Return the problem of a query where nothing is asked for; None without one. For what is not in the table."""
    names = [safe_display(name, limit=80) for name in request.query_params]
    if not names:
        return None
    problems = [(name, "is unknown") for name in names]
    error = RequestError("there is nothing to ask for here", status=422, code="invalid", errors=problems)
    return problem_response(error)


def not_found(request: Request, _error: Exception) -> Response:
    """Return the problem of a path that is none of this server."""
    del request
    hint = "GET /openapi.json lists the paths"
    return problem_response(RequestError("there is nothing at this path", status=404, code="not_found", hint=hint))


def wrong_method(request: Request, error: Exception) -> Response:
    """Return the problem of a method that a path does not have."""
    headers = dict(getattr(error, "headers", None) or {})
    message = f"{request.method} cannot be done here" if request.method.isalpha() else "there is no such method"
    return problem_response(RequestError(message, status=405, code="method", headers=headers))
