"""Connections without a request end by themselves; those that are being answered do not."""

from __future__ import annotations

import asyncio
import socket
import ssl
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from ingest_tui.model.serving import ServeOptions
from ingest_tui.server import connections, running
from ingest_tui.server.connections import GuardedConnection
from tests.servers.certificates import own_certificate

HEAD = b"GET / HTTP/1.1\r\nHost: here\r\n"
Story = Callable[[int], Awaitable[None]]


async def listening(
    story: Story,
    go_on: asyncio.Event,
    body: bytes = b"ok",
    *,
    asked: asyncio.Event | None = None,
    tls: ssl.SSLContext | None = None,
    at: Path | None = None,
) -> list[bool]:
    """Run a story with the port of a server that notes that it is asked, and answers once it may go on.

    ``at``: its Unix socket, instead of a port. Returns for each connection whether what is written is sent at once.
    """
    size = str(len(body)).encode()

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        if asked is not None:
            asked.set()
        await go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", size)]})
        await send({"type": "http.response.body", "body": body})

    config = uvicorn.Config(app, log_config=None, lifespan="off", ws="none", server_header=False)
    config.load()
    state, ended = ServerState(), asyncio.Event()
    sends_at_once: list[bool] = []

    class NotedConnection(GuardedConnection):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
            super().connection_made(transport)
            connection = transport.get_extra_info("socket")
            if at is None:
                sends_at_once.append(bool(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            ended.set()

    loop = asyncio.get_running_loop()
    with running.listening(ServeOptions(port=0, socket=at)) as listener:
        server = await loop.create_server(lambda: NotedConnection(config, state, {}), sock=listener, ssl=tls)
        async with server:
            await story(0 if at else server.sockets[0].getsockname()[1])
            while state.connections:  # ended by the server: nobody else does
                ended.clear()
                await ended.wait()
    return sends_at_once


async def is_ended(port: int, sent: bytes) -> bool:
    """Open a connection, send something, and wait until the other side ends it; whether nothing came before."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        return await reader.read() == b""
    except ConnectionError:
        return True
    finally:
        writer.close()


@pytest.mark.parametrize("is_over_tls", [False, True])
def test_an_answer_waits_for_no_acknowledgement(is_over_tls: bool, tmp_path: Path) -> None:
    """Its body would wait 40 ms for that of its head, with every answer: asyncio does not see to it for each socket."""
    shown, certificate = own_certificate(tmp_path) if is_over_tls else (None, None)
    trusted = ssl.create_default_context(cafile=certificate) if is_over_tls else None

    async def run() -> list[bool]:
        go_on = asyncio.Event()
        go_on.set()

        async def story(port: int) -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusted)
            writer.write(HEAD + b"\r\n")
            await reader.readuntil(b"ok")
            writer.close()

        async with asyncio.timeout(60):
            return await listening(story, go_on, tls=shown)

    assert asyncio.run(run()) == [True]


@pytest.mark.slow
def test_a_connection_without_a_whole_head_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever has come of the head; a connection that is being answered meanwhile lives on, until it idles."""
    monkeypatch.setattr(connections, "HEAD_SECONDS", 1.0)

    async def run() -> None:
        go_on = asyncio.Event()

        async def story(port: int) -> None:
            living = socket.create_connection(("127.0.0.1", port))
            living.sendall(HEAD + b"\r\n")  # before the server can wait for it, however slow this machine is
            reader, writer = await asyncio.open_connection(sock=living)
            assert all(await asyncio.gather(*(is_ended(port, sent) for sent in (b"", b"GET /", HEAD))))
            go_on.set()
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
            writer.write(HEAD)
            with suppress(ConnectionError):
                assert await reader.read() == b"", "half of a second head is none"
            writer.close()

        async with asyncio.timeout(60):
            await listening(story, go_on)

    asyncio.run(run())


@pytest.mark.parametrize("is_over_tls", [False, True])
def test_a_client_that_takes_its_answer_slowly_gets_all_of_it(
    is_over_tls: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is whole, and waits in the server, for longer than a connection may be without a request."""
    shown, certificate = own_certificate(tmp_path) if is_over_tls else (None, None)
    trusted = ssl.create_default_context(cafile=certificate) if is_over_tls else None
    size = 16 << 20

    async def run() -> None:
        go_on, asked = asyncio.Event(), asyncio.Event()

        async def story(port: int) -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusted)
            writer.write(HEAD + b"\r\n")
            await asked.wait()
            monkeypatch.setattr(connections, "HEAD_SECONDS", 0.05)
            go_on.set()
            await reader.readexactly(1)
            await asyncio.sleep(0.5)
            await reader.readuntil(b"\r\n\r\n")
            assert len(await reader.readexactly(size)) == size
            writer.close()

        async with asyncio.timeout(60):
            await listening(story, go_on, bytes(size), asked=asked, tls=shown)

    asyncio.run(run())


@pytest.mark.slow
def test_a_client_that_takes_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer is larger than what the system keeps for it; once it has read nothing for so long, it is gone."""
    monkeypatch.setattr(connections, "TAKING_SECONDS", 1.0)

    async def run() -> None:
        go_on = asyncio.Event()
        go_on.set()
        with socket.socket() as asking:

            async def story(port: int) -> None:
                asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                asking.setblocking(False)
                loop = asyncio.get_running_loop()
                await loop.sock_connect(asking, ("127.0.0.1", port))
                await loop.sock_sendall(asking, HEAD + b"\r\n")
                assert (await loop.sock_recv(asking, 8)).startswith(b"HTTP/1.1")

            async with asyncio.timeout(60):
                await listening(story, go_on, bytes(64 << 20))

    asyncio.run(run())


@pytest.mark.slow
@pytest.mark.parametrize("size", [64 << 20, 200_000])
def test_a_client_of_a_unix_socket_that_takes_nothing_is_let_go(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system sees to it over TCP alone. The smaller answer is all in the buffers: nothing waits to be written."""
    monkeypatch.setattr(connections, "TAKING_SECONDS", 1.0)
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.1)

    async def run() -> None:
        go_on = asyncio.Event()
        go_on.set()
        with tempfile.TemporaryDirectory(dir="/tmp") as folder, socket.socket(socket.AF_UNIX) as asking:
            place = Path(folder) / "s"

            async def story(_port: int) -> None:
                asking.setblocking(False)
                loop = asyncio.get_running_loop()
                await loop.sock_connect(asking, str(place))
                await loop.sock_sendall(asking, HEAD + b"\r\n")
                assert (await loop.sock_recv(asking, 8)).startswith(b"HTTP/1.1")

            async with asyncio.timeout(60):
                await listening(story, go_on, bytes(size), at=place)

    asyncio.run(run())


def test_a_client_of_a_unix_socket_that_takes_its_answer_slowly_gets_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something is taken between any two looks, and each time far less than waits."""
    size, looks, most_looks = 8 << 20, 0, 10
    look = GuardedConnection._end_unless_taken
    monkeypatch.setattr(connections, "TAKING_SECONDS", 0.01)

    async def run() -> None:
        go_on, looked = asyncio.Event(), asyncio.Event()
        go_on.set()
        with tempfile.TemporaryDirectory(dir="/tmp") as folder, socket.socket(socket.AF_UNIX) as asking:
            place, taken = Path(folder) / "s", bytearray()

            def take_and_look(connection: GuardedConnection, before: int) -> None:
                nonlocal looks
                looks += 1
                taken.extend(asking.recv(100_000))
                if looks == most_looks:
                    monkeypatch.setattr(connections, "TAKING_SECONDS", 60)
                    looked.set()
                look(connection, before)

            monkeypatch.setattr(GuardedConnection, "_end_unless_taken", take_and_look)

            async def story(_port: int) -> None:
                asking.setblocking(False)
                loop = asyncio.get_running_loop()
                await loop.sock_connect(asking, str(place))
                await loop.sock_sendall(asking, HEAD + b"\r\n")
                await looked.wait()
                while len(taken.partition(b"\r\n\r\n")[2]) < size:
                    piece = await loop.sock_recv(asking, 1 << 20)
                    assert piece, "the connection was ended"
                    taken.extend(piece)
                asking.close()

            async with asyncio.timeout(60):
                await listening(story, go_on, bytes(size), at=place)

    asyncio.run(run())
    assert looks == most_looks
