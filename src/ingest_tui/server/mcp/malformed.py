"""Messages that are none: each gets an answer, since whoever sent it may wait for one. Pure."""

from __future__ import annotations

import json
from typing import Any

import pydantic
from mcp import types

_NOT_JSON = "this is not JSON"
_NO_REQUEST = "this is no JSON-RPC 2.0 message, or has text that is not Unicode"
_NO_ID = "the id of a request is a whole number or a text"


def refusal_of(message: str) -> types.JSONRPCError | None:
    """Return what answers a message that cannot be taken; None for one that can."""
    try:
        taken = types.jsonrpc_message_adapter.validate_json(message, by_name=False)
    except pydantic.ValidationError:
        return _refusal_of_malformed(message)
    if isinstance(taken, types.JSONRPCNotification) and "id" in json.loads(message):
        return _error(types.INVALID_REQUEST, _NO_ID)  # else it would be taken for a notification, and not answered
    return None


def _refusal_of_malformed(message: str) -> types.JSONRPCError:
    try:
        value = json.loads(message)  # takes halves of surrogates: who sent them is to be told by the id
    except (ValueError, RecursionError):
        return _error(types.PARSE_ERROR, _NOT_JSON)
    return _error(types.INVALID_REQUEST, _NO_REQUEST, _id_in(value))


def _id_in(value: Any) -> int | str | None:
    found = value.get("id") if isinstance(value, dict) else None
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    return found if isinstance(found, str) and found.isprintable() else None


def _error(code: int, words: str, request_id: int | str | None = None) -> types.JSONRPCError:
    return types.JSONRPCError(jsonrpc="2.0", id=request_id, error=types.ErrorData(code=code, message=words))
