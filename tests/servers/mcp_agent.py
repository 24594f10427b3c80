"""A client of the Model Context Protocol, as an agent has one: the client of the official SDK."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio
from mcp.client.client import Client as McpClient
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, TextContent, TextResourceContents

Found = TypeVar("Found")
Ask = Callable[[McpClient], Awaitable[Found]]
ERAS = ("legacy", "2026-07-28")
"""How clients connect: with a handshake, and with the versions that have none."""


class Agent:
    """Asks a server, with a connection for each question. ``connect`` returns what the client of the SDK takes."""

    def __init__(self, connect: Callable[[], Any], *, mode: str = "legacy") -> None:
        self._connect, self._mode = connect, mode

    def ask(self, question: Ask[Found]) -> Found:
        """Connect, ask, and disconnect."""

        async def asked() -> Found:
            with anyio.fail_after(60):
                async with McpClient(self._connect(), mode=self._mode, raise_exceptions=False) as client:
                    return await question(client)

        return anyio.run(asked)

    def call(self, tool: str, **arguments: Any) -> CallToolResult:
        """Call a tool."""

        async def called(client: McpClient) -> CallToolResult:
            return await client.call_tool(tool, arguments)

        return self.ask(called)

    def get(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Return what a tool answers, which says the same as text and as a value."""
        result = self.call(tool, **arguments)
        assert not result.is_error, result.content
        assert json.loads(text_of(result)) == result.structured_content
        return dict(result.structured_content)

    def error(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Return the error of a call: it has words for who reads it, a code and a hint, and no traceback."""
        result = self.call(tool, **arguments)
        assert result.is_error, result.structured_content
        error = dict(result.structured_content["error"])
        assert set(error) == {"code", "message", "hint", "details"}
        assert error["message"] in text_of(result)
        assert error["hint"] in text_of(result)
        assert "Traceback" not in text_of(result)
        return error

    def read(self, uri: str) -> list[TextResourceContents]:
        """Read a resource."""

        async def answered(client: McpClient) -> list[TextResourceContents]:
            return [one for one in (await client.read_resource(uri)).contents if isinstance(one, TextResourceContents)]

        return self.ask(answered)

    def failure(self, uri: str) -> MCPError:
        """Return why a resource cannot be read."""

        async def answered(client: McpClient) -> MCPError:
            try:
                await client.read_resource(uri)
            except MCPError as error:
                return error
            raise AssertionError(uri)

        return self.ask(answered)

    def tools(self) -> dict[str, dict[str, Any]]:
        """Return the tools by name, as they are sent."""

        async def answered(client: McpClient) -> dict[str, dict[str, Any]]:
            listed = (await client.list_tools()).tools
            return {one.name: one.model_dump(mode="json", by_alias=True, exclude_none=True) for one in listed}

        return self.ask(answered)


def text_of(result: CallToolResult) -> str:
    """Return the text of a result."""
    return "\n".join(one.text for one in result.content if isinstance(one, TextContent))
