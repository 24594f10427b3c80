"""Answers in JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import BaseModel
from starlette.responses import Response

from ingest_tui.model.safe_text import safe_json

JSON_TYPE = "application/json"


def json_bytes(value: Any) -> bytes:
    """Return JSON in which nothing acts on a terminal, and lone surrogates are escaped."""
    try:
        text = orjson.dumps(value).decode()
    except TypeError:
        text = json.dumps(value)
    return safe_json(text).encode()


def plain(model: BaseModel) -> Any:
    """Return the JSON value of an answer."""
    return model.model_dump(mode="json", by_alias=True)


def json_response(
    value: Any, status: int = 200, headers: Mapping[str, str] | None = None, media_type: str = JSON_TYPE
) -> Response:
    """Return a JSON value as an answer that no cache keeps, since it is of this moment and for this caller."""
    fields = {"Cache-Control": "no-store", **(headers or {})}
    return Response(json_bytes(value), status, fields, media_type)
