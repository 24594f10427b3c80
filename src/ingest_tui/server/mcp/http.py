"""The server for agents over HTTP (streamable HTTP): each request stands for itself, no session can be taken over."""

from __future__ import annotations

from typing import Any

from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.types import ASGIApp, Receive, Scope, Send

from ingest_tui.model.access_token import ADMIN, WRITE
from ingest_tui.server.caller import CALLER, Caller
from ingest_tui.server.mcp.protocol import make_server
from ingest_tui.server.mcp.reach import Reach, unchanged
from ingest_tui.server.places import PlaceNames
from ingest_tui.services.client import Client


def reach_of(client: Client, caller: Caller) -> Reach:
    """Return what a caller sees. To change something takes a token that may write: who has none is not known."""
    return Reach(
        client,
        caller.collection_id,
        may_write=bool(caller.name) and caller.may(WRITE) and not client.read_only,
        acts_as=caller.acts_as,
        hidden=unchanged if caller.may(ADMIN) else PlaceNames(client.tokens.machine_places()).hidden,
    )


def mcp_app(client: Client) -> ASGIApp:
    """Return what answers the requests of agents, whose scope has their `Caller`."""

    def reach_of_request(context: Any) -> Reach:
        return reach_of(client, context.request.scope[CALLER])

    server = make_server(reach_of_request)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        manager = StreamableHTTPSessionManager(server, stateless=True, json_response=True)
        async with manager.run():
            await manager.handle_request(scope, receive, send)

    return answer
