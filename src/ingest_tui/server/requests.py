"""From a request to the values that an endpoint declares: path and query, headers, and a body of bounded size."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, get_origin

import orjson
import pydantic
from starlette.requests import ClientDisconnect, Request

from ingest_tui.model.safe_text import safe_display
from ingest_tui.server.endpoint import AnyEndpoint, NoBody, Params
from ingest_tui.server.problems import RequestError, invalid_request

LARGEST_BODY = 16 * 2**20
"""Bytes of a request's JSON."""
BODY_SECONDS = 60.0
"""How long a client may take to send it."""


def params_of(endpoint: AnyEndpoint, request: Request) -> Params:
    """Return the values of the path and of the query; raises `RequestError` naming each that is wrong."""
    values: dict[str, Any] = {}
    fields = endpoint.params.model_fields
    for name, value in request.query_params.multi_items():
        if name in endpoint.path_names:
            raise RequestError(422, f"{name} is in the path, and not in the query", code="invalid")
        if name in fields and get_origin(fields[name].annotation) is tuple:
            values.setdefault(name, []).append(value)
        elif name in values:
            shown = safe_display(name, limit=80)
            raise RequestError(422, f"{shown} is given twice", code="invalid", errors=[(shown, "is given twice")])
        else:
            values[name] = value
    values |= request.path_params
    try:
        return endpoint.params.model_validate(values)  # type: ignore[no-any-return] # a generic of any parameters
    except pydantic.ValidationError as error:
        raise invalid_request(error) from None


async def body_of(endpoint: AnyEndpoint, request: Request) -> pydantic.BaseModel:
    """Return the JSON of a request as its endpoint declares it; raises `RequestError`."""
    if not endpoint.has_body:
        return NoBody()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    data = await read_body(request, LARGEST_BODY)
    if kind != "application/json" and (data or kind):
        raise RequestError(
            415, "the body is not application/json", code="media_type", hint="send JSON, and say so in Content-Type"
        )
    try:
        value = orjson.loads(data) if data else {}
    except orjson.JSONDecodeError as error:
        raise RequestError(400, f"the body is not JSON: {error}", code="malformed") from None
    try:
        return endpoint.body.model_validate(value)  # type: ignore[no-any-return] # a generic of any body
    except pydantic.ValidationError as error:
        raise invalid_request(error, "body") from None


async def read_body(request: Request, largest: int) -> bytes:
    """Return the body of a request; raises `RequestError` where it is too large or takes too long."""
    pieces: list[bytes] = []
    size = 0
    refuse_large(request.headers, largest)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.stream():
                size += len(piece)
                if size > largest:
                    raise too_large(largest)
                pieces.append(piece)
    except TimeoutError:
        raise RequestError(408, f"the body took longer than {BODY_SECONDS:.0f} s", code="timeout") from None
    except ClientDisconnect:
        raise RequestError(400, "the client went away", code="disconnected") from None
    return b"".join(pieces)


def refuse_large(headers: Mapping[str, str], largest: int) -> None:
    """Raise `RequestError` for a body that says that it is too large, before a byte of it is read."""
    length = headers.get("content-length", "")
    if length.isdigit() and int(length) > largest:
        raise too_large(largest)


def too_large(largest: int) -> RequestError:
    """Return the error of a body that is too large."""
    return RequestError(413, f"a body has at most {largest:,} bytes", code="too_large", headers={"Connection": "close"})
