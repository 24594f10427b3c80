"""The server for the one client that started it, over its standard input and output."""

from __future__ import annotations

import asyncio
import getpass
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from types import FrameType
from typing import NoReturn, cast

import anyio
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage

from ingest_tui.model.mcp_options import McpOptions
from ingest_tui.server.mcp.malformed import refusal_of
from ingest_tui.server.mcp.protocol import make_server
from ingest_tui.server.mcp.reach import Reach
from ingest_tui.server.mcp.stderr_log import say, write_logs_to_stderr
from ingest_tui.services.client import Client

SendMessage = Callable[[SessionMessage], Awaitable[None]]
_INTERRUPTED = 130


def serve_stdio(options: McpOptions) -> int:
    """Answer the requests on stdin until it ends; returns the exit code. Only the protocol writes to stdout.

    Raises what is wrong with the workspace, or `NotFoundError` for an unknown collection, before anything is read.
    """
    reach = _reach_of(options)
    write_logs_to_stderr(debug=options.debug)
    if sys.stdin.isatty():
        say("waiting for a client of the Model Context Protocol on standard input; Ctrl-C ends this")
    # The thread that reads stdin cannot be interrupted: Ctrl-C would wait for the client. To end at once loses nothing,
    # as after a kill.
    signal.signal(signal.SIGINT, _end_at_once)
    try:
        anyio.run(_serve, reach)
    except* (BrokenPipeError, ConnectionResetError):  # the client has gone
        pass
    return 0


def _reach_of(options: McpOptions) -> Reach:
    client = Client(options.root, read_only=options.read_only)
    client.check()
    collection_id = None
    if options.collection is not None:
        collection_id = client.collections.get(client.collections.id_of(options.collection)).collection_id
    return Reach(client, collection_id, may_write=options.allow_write, acts_as=f"mcp:{getpass.getuser()}")


def _end_at_once(_number: int, _frame: FrameType | None) -> NoReturn:
    say("interrupted")
    os._exit(_INTERRUPTED)


async def _serve(reach: Reach) -> None:
    server = make_server(lambda _context: reach)
    messages = CheckedMessages(_own_stdin())
    async with stdio_server(stdin=cast("anyio.AsyncFile[str]", messages)) as (requests, answers):
        messages.refuse_with(answers.send)
        await server.run(requests, answers, server.create_initialization_options())


class CheckedMessages:
    """The lines that are messages, as the SDK reads them; each other one is answered here, which the SDK leaves out."""

    def __init__(self, lines: anyio.AsyncFile[str]) -> None:
        self._lines = lines
        self._send: asyncio.Future[SendMessage] = asyncio.get_running_loop().create_future()

    def refuse_with(self, send: SendMessage) -> None:
        """From now on answer with this what is no message; until then none is read."""
        self._send.set_result(send)

    async def __aiter__(self) -> AsyncIterator[str]:
        """Yield the lines that are messages."""
        send = await self._send
        async for line in self._lines:
            refusal = refusal_of(line) if line.strip() else None
            if refusal is None:
                yield line
            else:
                await send(SessionMessage(refusal))


def _own_stdin() -> anyio.AsyncFile[str]:
    """Return standard input, which from now on is empty for all else in this process and for its children."""
    own = os.dup(sys.stdin.fileno())
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, sys.stdin.fileno())
    os.close(nothing)
    # A thread may still wait at it when all else has ended: it is not closed.
    return anyio.wrap_file(os.fdopen(own, encoding="utf-8", errors="replace", closefd=False))
