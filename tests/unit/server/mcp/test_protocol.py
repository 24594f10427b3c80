"""How requests are answered: in a few threads, until nobody waits any more, and whatever happens."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any, NoReturn

import anyio
import anyio.to_thread
import pytest
from mcp.client.client import Client as McpClient
from mcp.shared.exceptions import MCPError

from ingest_tui.server.mcp.lookups import GivenUp
from ingest_tui.server.mcp.protocol import THREADS, RequestAnswering, make_server
from ingest_tui.server.mcp.reach import Reach
from ingest_tui.services.client import Client
from tests.servers.mcp_agent import Agent
from tests.waiting import wait_until


def test_what_nobody_expected_is_an_answer_without_what_it_quotes(caplog: pytest.LogCaptureFixture) -> None:
    """A fault of ours has a code of its own; neither its words nor a traceback reach the client."""

    def fails(_context: Any) -> NoReturn:
        raise KeyError("the word of somebody")

    agent = Agent(lambda: make_server(fails))
    with caplog.at_level(logging.ERROR):
        error = agent.error("search", query="x")
    assert (error["code"], error["message"]) == ("unexpected", "unexpected KeyError")
    assert "--debug" in error["hint"]
    assert [one.getMessage() for one in caplog.records] == ["unexpected KeyError while answering"]

    async def listed(client: McpClient) -> MCPError:
        try:
            await client.list_tools()
        except MCPError as refused:
            return refused
        raise AssertionError

    refused = agent.ask(listed)
    assert (refused.message, refused.data["code"]) == ("unexpected KeyError", "unexpected")


def test_many_calls_share_a_few_threads(tmp_path: Path) -> None:
    """As many as may are worked on at once, and never more; all are answered."""
    together, lock = threading.Barrier(THREADS), threading.Lock()
    running, most = 0, 0

    def reach_of(_context: Any) -> Reach:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        together.wait(20)
        with lock:
            running -= 1
        return Reach(Client(tmp_path / "nowhere"))

    async def many(client: McpClient) -> int:
        answered = 0

        async def one() -> None:
            nonlocal answered
            assert (await client.call_tool("list_sources", {})).is_error
            answered += 1

        async with anyio.create_task_group() as group:
            for _ in range(4 * THREADS):
                group.start_soon(one)
        return answered

    assert Agent(lambda: make_server(reach_of)).ask(many) == 4 * THREADS
    assert most == THREADS


def test_who_stops_waiting_is_heard(tmp_path: Path) -> None:
    """A call that is cancelled tells its work so, which then ends."""
    started, heard = threading.Event(), list[bool]()

    def act(_reach: Reach, given_up: GivenUp) -> None:
        started.set()
        heard.append(wait_until(given_up))

    async def cancelled() -> None:
        answering = RequestAnswering(lambda _context: Reach(Client(tmp_path)))
        async with anyio.create_task_group() as group:
            group.start_soon(answering.for_caller, None, act)
            await anyio.to_thread.run_sync(started.wait)
            group.cancel_scope.cancel()

    anyio.run(cancelled)
    wait_until(lambda: heard == [True])


def test_a_call_that_takes_too_long_is_an_error(tmp_path: Path) -> None:
    """It has a code and says what to do; its thread is told, and there is never one more meanwhile."""
    go_on, told, begun = threading.Event(), threading.Semaphore(0), list[int]()

    def act(_reach: Reach, given_up: GivenUp) -> None:
        begun.append(1)
        wait_until(given_up)
        told.release()
        go_on.wait(60)

    async def asked() -> None:
        slow = RequestAnswering(lambda _context: Reach(Client(tmp_path)), seconds=0.05)
        with anyio.fail_after(60):
            while len(begun) < THREADS:
                answered = await slow.for_caller(None, act)
                assert answered.outcome is None
                assert answered.error["code"] == "service_timeout"
                assert answered.error["hint"]
            assert (await slow.for_caller(None, act)).outcome is None
        assert len(begun) == THREADS
        go_on.set()

    try:
        anyio.run(asked)
    finally:
        go_on.set()
    assert told.acquire(timeout=60)
