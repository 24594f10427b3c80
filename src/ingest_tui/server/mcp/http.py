"""The server for agents over HTTP (streamable HTTP): each request stands for itself, no session can be taken over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.types import Message, Receive, Scope, Send

from ingest_tui.model.access_token import ADMIN, WRITE
from ingest_tui.server.answers import json_response, plain
from ingest_tui.server.caller import CALLER, Caller
from ingest_tui.server.mcp.malformed import refusal_of
from ingest_tui.server.mcp.protocol import make_server
from ingest_tui.server.mcp.reach import Reach, unchanged
from ingest_tui.server.places import PlaceNames
from ingest_tui.services.client import Client

McpAnswer = Callable[[bytes, Scope, Receive, Send], Awaitable[None]]
"""Answers a request whose body was read."""

_BAD_REQUEST = 400
_HOW_TO_WRITE = (
    "send a token that may write, after the word Bearer in the header Authorization;"
    " 'ingest-tui serve token add NAME --scope write' makes one"
)
_SERVES_READ_ONLY = "the server was started with --read-only; without it a token of scope write may"


def reach_of(client: Client, caller: Caller) -> Reach:
    """Return what a caller sees. To change something takes a token that may write: who has none is not known."""
    return Reach(
        client,
        caller.collection_id,
        may_write=bool(caller.name) and caller.may(WRITE) and not client.read_only,
        how_to_write=_SERVES_READ_ONLY if client.read_only else _HOW_TO_WRITE,
        acts_as=caller.acts_as,
        hidden=unchanged if caller.may(ADMIN) else PlaceNames(client.tokens.machine_places()).hidden,
    )


def mcp_answer(client: Client) -> McpAnswer:
    """Return what answers the requests of agents, whose scope has their `Caller`."""

    def reach_of_request(context: Any) -> Reach:
        return reach_of(client, context.request.scope[CALLER])

    server = make_server(reach_of_request)

    async def answer(body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = refusal_of(body.decode("utf-8", "replace"))
        if refusal is not None:
            await json_response(plain(refusal), _BAD_REQUEST)(scope, receive, send)
            return
        manager = StreamableHTTPSessionManager(server, stateless=True, json_response=True)
        async with manager.run():
            await manager.handle_request(scope, _replayed(body, receive), send)

    return answer


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read, then what else comes: that the client has gone."""
    is_given = False

    async def replay() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
