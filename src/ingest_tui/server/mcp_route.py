"""``/mcp``: agents over HTTP, with the tokens of the server. Their protocol is loaded by the first of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ingest_tui.server.caller import CALLER
from ingest_tui.server.dispatch import ServerState, in_thread
from ingest_tui.server.problems import known_error, problem_response
from ingest_tui.server.requests import read_body
from ingest_tui.services.client import Client

if TYPE_CHECKING:
    from ingest_tui.server.mcp.http import McpAnswer

LARGEST_MESSAGE = 2**20
"""Bytes of a request of an agent: a query, or a text that others are to be similar to."""


class McpRequests:
    """Lets in who may use the server, and passes requests on when they are whole; an ASGI application."""

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._answer: McpAnswer | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        state = self._state
        request = Request(scope, receive)
        try:
            scope[CALLER] = await in_thread(state, state.access.identified, request.headers)
            body = await read_body(request, LARGEST_MESSAGE)
            if self._answer is None:
                self._answer = await in_thread(state, _loaded, state.client)
        except Exception as error:  # noqa: BLE001 - whatever happens, a client gets an answer that says what to do
            places = await in_thread(state, state.access.places)
            await problem_response(known_error(error), places)(scope, receive, send)
            return
        await self._answer(body, scope, receive, send)


def mcp_route(state: ServerState) -> Route:
    """Return the route of ``/mcp``. There are no streams to open with GET and no sessions to end with DELETE."""
    return Route("/mcp", McpRequests(state), methods=["POST"])


def _loaded(client: Client) -> McpAnswer:
    from ingest_tui.server.mcp.http import mcp_answer

    return mcp_answer(client)
