"""The server for the one client that started it, over its standard input and output."""

from __future__ import annotations

import getpass
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

import anyio
from mcp.server.stdio import stdio_server

from ingest_tui.model.mcp_options import McpOptions
from ingest_tui.server.mcp.protocol import make_server
from ingest_tui.server.mcp.reach import Reach
from ingest_tui.server.mcp.stderr_log import say, write_logs_to_stderr
from ingest_tui.services.client import Client

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
    async with stdio_server() as (requests, answers):
        await server.run(requests, answers, server.create_initialization_options())
