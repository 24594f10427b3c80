"""Connections without a request end by themselves; those that are being answered do not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from ingest_tui.server import connections
from ingest_tui.server.connections import GuardedConnection

HEAD = b"GET / HTTP/1.1\r\nHost: here\r\n"
Story = Callable[[int], Awaitable[None]]


async def listening(story: Story, go_on: asyncio.Event) -> None:
    """Run a story with the port of a server that answers once it may go on."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    config = uvicorn.Config(app, log_config=None, lifespan="off", ws="none", server_header=False)
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: GuardedConnection(config, state, {}), "127.0.0.1", 0
    )
    async with server:
        await story(server.sockets[0].getsockname()[1])


async def is_ended(port: int, sent: bytes) -> bool:
    """Open a connection, send something, and wait until the other side ends it; whether nothing came before."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        return await reader.read() == b""
    except ConnectionResetError:
        return True
    finally:
        writer.close()


@pytest.mark.slow
def test_a_connection_without_a_whole_head_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever has come of the head; a connection that is being answered meanwhile lives on, until it idles."""
    monkeypatch.setattr(connections, "HEAD_SECONDS", 1.0)

    async def run() -> None:
        go_on = asyncio.Event()

        async def story(port: int) -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(HEAD + b"\r\n")
            assert all(await asyncio.gather(*(is_ended(port, sent) for sent in (b"", b"GET /", HEAD))))
            go_on.set()
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
            writer.write(HEAD)
            with suppress(ConnectionResetError):
                assert await reader.read() == b"", "half of a second head is none"
            writer.close()

        async with asyncio.timeout(60):
            await listening(story, go_on)

    asyncio.run(run())
