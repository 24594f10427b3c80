"""The protocol: requests of a client go to tools and resources, and what these return or raise goes back."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar

from mcp import types
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from ingest_tui.model.errors import IngestError
from ingest_tui.server.endpoint import SERVICE_SECONDS
from ingest_tui.server.mcp.lookups import GivenUp
from ingest_tui.server.mcp.reach import Reach
from ingest_tui.server.mcp.resources import TEMPLATE, contents_at, newest
from ingest_tui.server.mcp.results import error_result, error_value, known_error, result_of, tool_of
from ingest_tui.server.mcp.safe_values import NOTICE
from ingest_tui.server.mcp.tools import offered_to, tool_named
from ingest_tui.store.users import acting_for
from ingest_tui.version import __version__

Outcome = TypeVar("Outcome")
ReachOf = Callable[[Any], Reach]
"""Returns what the caller of a request sees; called in a thread, once for each request."""
_TRIGGER = "mcp"
"""Of the jobs and in the audit."""
THREADS = 4
"""How many calls are worked on at once: all read the same disk."""
_INSTRUCTIONS = (
    "Documents that people chose to keep here, as text, searchable and versioned. Begin with search, read on with "
    "fetch. freshness and explain say how current an answer can be and why something is not here: ask them before you "
    f"say that something does not exist. {NOTICE}"
)
_log = logging.getLogger(__name__)


class RequestOutcome(NamedTuple, Generic[Outcome]):
    """What came of a request: ``outcome``, or, where that is None, the error as clients are told of it."""

    outcome: Outcome | None
    error: dict[str, Any]


def make_server(reach_of: ReachOf) -> Server[Any]:
    """Return a server that answers each request as its caller may see it."""
    answering = RequestAnswering(reach_of)
    return Server(
        "ingest-tui",
        version=__version__,
        title="ingest-tui",
        instructions=_INSTRUCTIONS,
        on_list_tools=answering.list_tools,
        on_call_tool=answering.call_tool,
        on_list_resources=answering.list_resources,
        on_list_resource_templates=answering.list_templates,
        on_read_resource=answering.read_resource,
    )


class RequestAnswering:
    """What answers the requests. Services block, so each is called in one of a few threads."""

    def __init__(self, reach_of: ReachOf, *, seconds: float = SERVICE_SECONDS) -> None:
        self._reach_of = reach_of
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(THREADS, "agent")

    async def list_tools(self, context: Any, _params: Any) -> types.ListToolsResult:
        """Return the tools that the caller may use."""
        answered = await self.for_caller(context, lambda reach, _given_up: offered_to(reach))
        return types.ListToolsResult(tools=[tool_of(one) for one in _outcome_of(answered)])

    async def call_tool(self, context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        """Return what a tool answers; what it raises is a result too, which the model of the client can read."""

        def call(reach: Reach, given_up: GivenUp) -> types.CallToolResult:
            tool = tool_named(reach, params.name)
            return result_of(reach, tool.call(reach, params.arguments or {}, given_up))

        answered = await self.for_caller(context, call)
        return error_result(answered.error) if answered.outcome is None else answered.outcome

    async def list_resources(self, context: Any, _params: Any) -> types.ListResourcesResult:
        """Return the newest documents."""
        return types.ListResourcesResult(resources=_outcome_of(await self.for_caller(context, newest)))

    async def list_templates(self, _context: Any, _params: Any) -> types.ListResourceTemplatesResult:
        """Return how the addresses of documents are made."""
        return types.ListResourceTemplatesResult(resource_templates=[TEMPLATE])

    async def read_resource(self, context: Any, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        """Return a page of a document."""
        answered = await self.for_caller(context, lambda reach, given_up: contents_at(reach, params.uri, given_up))
        return types.ReadResourceResult(contents=[*_outcome_of(answered)])

    async def for_caller(self, context: Any, act: Callable[[Reach, GivenUp], Outcome]) -> RequestOutcome[Outcome]:
        """Act for the caller of a request, in a thread; what takes too long is an error.

        Once nobody waits any more, the thread is told so. It then goes on to its end, and no other takes its place
        meanwhile: a client that asks and cancels again and again has no more threads than others.
        """
        no_more = threading.Event()
        work = partial(copy_context().run, self._acted, context, act, no_more.is_set)
        try:
            async with asyncio.timeout(self._seconds):
                answered: RequestOutcome[Outcome] = await asyncio.get_running_loop().run_in_executor(
                    self._threads, work
                )
                return answered
        except TimeoutError:  # of the wait: the work itself raises nothing
            return RequestOutcome(None, error_value(None, _took_too_long(self._seconds)))
        finally:
            no_more.set()

    def _acted(
        self, context: Any, act: Callable[[Reach, GivenUp], Outcome], given_up: GivenUp
    ) -> RequestOutcome[Outcome]:
        reach = None
        try:
            reach = self._reach_of(context)
            with acting_for(reach.acts_as, through=_TRIGGER):
                return RequestOutcome(act(reach, given_up), {})
        except Exception as error:  # noqa: BLE001 - whatever happens, a client gets an answer that says what to do
            known = known_error(error)
            if known.reason == "unexpected":
                _log.error("unexpected %s while answering", type(error).__name__, exc_info=error)
            return RequestOutcome(None, error_value(reach, known))


def _took_too_long(seconds: float) -> IngestError:
    return IngestError(
        f"there was no answer within {seconds:.0f} s; what was asked for may still be done",
        hint="ask for less, or again in a moment; look at what it changes before it is called again",
        code="service_timeout",
    )


def _outcome_of(answered: RequestOutcome[Outcome]) -> Outcome:
    """Return what came of a request that has no results for errors; raises `MCPError` where it failed."""
    if answered.outcome is not None:
        return answered.outcome
    error = answered.error
    code = types.INVALID_PARAMS if error["code"] in {"not_found", "usage", "invalid"} else types.INTERNAL_ERROR
    raise MCPError(code=code, message=error["message"], data={"code": error["code"], "hint": error["hint"]})
