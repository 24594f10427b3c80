"""What a tool returned, or what was wrong, as the result of its call. Pure."""

from __future__ import annotations

import json
from typing import Any

from mcp import types
from pydantic import BaseModel

from ingest_tui.model.errors import IngestError
from ingest_tui.model.foreign_errors import as_ingest_error
from ingest_tui.model.redaction import redact_values
from ingest_tui.server.mcp.reach import Reach
from ingest_tui.server.mcp.safe_values import safe_values
from ingest_tui.server.mcp.tools import ToolEntry


def tool_of(entry: ToolEntry[Any]) -> types.Tool:
    """Return a tool as clients see it."""
    return types.Tool(
        name=entry.name,
        title=entry.title,
        description=entry.description,
        input_schema=entry.input_schema,
        output_schema=entry.output_schema,
        annotations=types.ToolAnnotations(
            read_only_hint=not entry.changes,
            destructive_hint=entry.destroys,
            idempotent_hint=entry.repeats,
            open_world_hint=entry.asks_outside,
        ),
    )


def result_of(reach: Reach, answer: BaseModel) -> types.CallToolResult:
    """Return an answer as structured content, and the same as JSON for clients that only read text."""
    value = reach.hidden(safe_values(answer.model_dump(mode="json")))
    return types.CallToolResult(content=[_text(json.dumps(value, ensure_ascii=False))], structured_content=value)


def error_value(reach: Reach | None, error: IngestError) -> Any:
    """Return what clients are told of an error: code, message, hint, details; no secrets, nothing that acts."""
    value = safe_values(redact_values(error.as_dict()))
    return value if reach is None else reach.hidden(value)


def error_result(value: dict[str, Any]) -> types.CallToolResult:
    """Return an error as the result of a call, in words for who reads it and with its code for scripts."""
    words = f"error ({value['code']}): {value['message']}" + (f"\nhint: {value['hint']}" if value["hint"] else "")
    return types.CallToolResult(content=[_text(words)], structured_content={"error": value}, is_error=True)


def known_error(error: Exception) -> IngestError:
    """Return an error as one of ours; what nobody expected says so, without what it quotes."""
    known = as_ingest_error(error)
    if known is not None:
        return known
    hint = "run the server with --debug, and report what it writes to stderr"
    return IngestError(f"unexpected {type(error).__name__}", hint=hint, code="unexpected")


def _text(text: str) -> types.TextContent:
    return types.TextContent(type="text", text=text)
