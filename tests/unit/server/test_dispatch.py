"""How long a request may be worked on, and by how many threads."""

from __future__ import annotations

import asyncio
import threading

import pytest

from ingest_tui.server.access import ClientAccess
from ingest_tui.server.dispatch import THREADS, ServerState, in_thread
from ingest_tui.server.problems import RequestError, problem_response
from ingest_tui.store.workspace import Workspace
from tests.servers.served import Served


@pytest.mark.parametrize(("path", "opened"), [("/search?q=barometer", 1), ("/documents", 1), ("/health", 0)])
def test_a_request_opens_the_workspace_once(
    served: Served, monkeypatch: pytest.MonkeyPatch, path: str, opened: int
) -> None:
    """From who calls on, whatever is asked of it: opening takes as long as what many requests ask for."""
    closed: list[Workspace] = []
    close = Workspace.close

    def noted(workspace: Workspace) -> None:
        closed.append(workspace)
        close(workspace)

    with served.asking() as asking:
        monkeypatch.setattr(Workspace, "close", noted)
        assert asking.get(path).is_success
    assert len(closed) == opened


def test_a_call_that_takes_too_long_is_answered_and_its_thread_counted(served: Served) -> None:
    """503 with Retry-After; what goes on takes the place of others, so that there are never more threads."""
    state = ServerState(served.client, ClientAccess(served.client, served.options))
    go_on, guard = threading.Event(), threading.Lock()
    begun: list[int] = []

    def blocks(number: int) -> int:
        with guard:
            begun.append(number)
        go_on.wait(60)
        return number

    async def asked() -> None:
        async def refused(number: int) -> None:
            with pytest.raises(RequestError) as caught:
                await in_thread(state, blocks, number, seconds=0.05)
            assert (caught.value.status, caught.value.reason) == (503, "service_timeout")
            assert problem_response(caught.value).headers["retry-after"] == "10"

        await asyncio.gather(*(refused(number) for number in range(2 * THREADS)))
        assert len(begun) <= THREADS
        go_on.set()
        assert await in_thread(state, lambda: "free again") == "free again"
        assert len(begun) <= THREADS

    try:
        asyncio.run(asked())
    finally:
        go_on.set()
        state.threads.shutdown()


def test_an_error_of_a_call_is_its_own(served: Served) -> None:
    """A service that gave up waiting for something is not taken for one that took too long."""
    state = ServerState(served.client, ClientAccess(served.client, served.options))

    def fails() -> None:
        raise TimeoutError("the lock")

    async def asked() -> None:
        with pytest.raises(TimeoutError, match="the lock"):
            await in_thread(state, fails)

    asyncio.run(asked())
    state.threads.shutdown()
