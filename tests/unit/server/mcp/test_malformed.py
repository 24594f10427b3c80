"""What answers messages that are none."""

from __future__ import annotations

import pytest
from mcp import types

from ingest_tui.server.mcp.malformed import refusal_of


@pytest.mark.parametrize(
    "message",
    [
        '{"jsonrpc": "2.0", "id": 1, "method": "ping"}',
        '{"jsonrpc": "2.0", "id": "a", "method": "nothing", "params": {"x": null}}',
        '{"jsonrpc": "2.0", "method": "notifications/initialized"}',
        '{"jsonrpc": "2.0", "id": 1, "result": {}}',
        '{"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": "no"}}',
    ],
)
def test_messages_are_taken(message: str) -> None:
    """Requests, notifications and answers, known or not: what they mean is decided by the protocol."""
    assert refusal_of(message) is None


@pytest.mark.parametrize(
    ("message", "code", "request_id"),
    [
        ("", types.PARSE_ERROR, None),
        ("{", types.PARSE_ERROR, None),
        ("[" * 100_000, types.PARSE_ERROR, None),
        ("7", types.INVALID_REQUEST, None),
        ('{"jsonrpc": "1.0", "id": 3, "method": "ping"}', types.INVALID_REQUEST, 3),
        ('{"jsonrpc": "2.0", "id": 3, "method": 7}', types.INVALID_REQUEST, 3),
        ('{"jsonrpc": "2.0", "id": "x", "method": "ping", "params": {"a": "\\udfff"}}', types.INVALID_REQUEST, "x"),
        ('{"jsonrpc": "2.0", "id": "\\udfff", "method": "ping"}', types.INVALID_REQUEST, None),
        ('{"jsonrpc": "2.0", "id": "a\\u001b", "method": 7}', types.INVALID_REQUEST, None),
        ('{"jsonrpc": "2.0", "id": null, "method": "ping"}', types.INVALID_REQUEST, None),
        ('{"jsonrpc": "2.0", "id": {}, "method": "ping"}', types.INVALID_REQUEST, None),
    ],
)
def test_each_other_one_is_answered(message: str, code: int, request_id: int | str | None) -> None:
    """By its id where that can be sent back, and without what it quotes."""
    refusal = refusal_of(message)
    assert refusal is not None
    assert (refusal.error.code, refusal.id) == (code, request_id)
    assert refusal.model_dump_json()
