"""From a request to the values that an endpoint declares: path and query, headers, and a body of bounded size."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any, get_origin

import orjson
import pydantic
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from ingest_tui.model.counted import counted
from ingest_tui.model.safe_text import safe_display
from ingest_tui.server.endpoint import AnyEndpoint, NoBody, Params, SentFile
from ingest_tui.server.problems import RequestError, invalid_request

LARGEST_BODY = 16 * 2**20
"""Bytes of a request's JSON."""
LARGEST_UPLOAD = 2 * 2**30
"""Bytes of a form; each of its files has the limit of the workspace, too."""
_FILES = "files"
_NOTHING = b"{}"
LARGEST_NUMBER = 100
"""Files of a form."""
_MOST_FIELDS = 20
_SEND_AGAIN = "send the whole form again, up to its last boundary"
UPLOAD_SECONDS = 3600.0
BODY_SECONDS = 60.0
"""How long a client may take to send it."""


def params_of(endpoint: AnyEndpoint, request: Request) -> Params:
    """Return the values of the path and of the query; raises `RequestError` naming each that is wrong."""
    values: dict[str, Any] = {}
    fields = endpoint.params.model_fields
    for name, value in request.query_params.multi_items():
        if name in endpoint.path_names:
            raise RequestError(f"{name} is in the path, and not in the query", status=422, code="invalid")
        if name in fields and get_origin(fields[name].annotation) is tuple:
            values.setdefault(name, []).append(value)
        elif name in values:
            shown = safe_display(name, limit=80)
            raise RequestError(
                f"{shown} is given twice", status=422, code="invalid", errors=[(shown, "is given twice")]
            )
        else:
            values[name] = value
    values |= request.path_params
    try:
        return endpoint.params.model_validate(values)  # type: ignore[no-any-return] # a generic of any parameters
    except pydantic.ValidationError as error:
        raise invalid_request(error) from None


Sent = tuple[pydantic.BaseModel, list[SentFile]]
"""The body of a request, and its files."""


@asynccontextmanager
async def sent_body(endpoint: AnyEndpoint, request: Request) -> AsyncIterator[Sent]:
    """Give what a request sends, as its endpoint declares it, with its files, which are there within the context."""
    if endpoint.takes_files:
        async with sent_form(request) as (fields, files):
            yield _checked(lambda: endpoint.body.model_validate(fields)), files
        return
    yield (await _json_body(endpoint, request) if endpoint.has_body else NoBody()), []


@asynccontextmanager
async def sent_form(request: Request) -> AsyncIterator[tuple[dict[str, str], list[SentFile]]]:
    """Give the fields and the files of a form. Files that are not small are temporary ones on disk meanwhile."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "multipart/form-data":
        raise RequestError(
            "the body is not multipart/form-data",
            status=415,
            code="media_type",
            hint="curl -F files=@report.pdf sends one",
        )
    refuse_large(request.headers, LARGEST_UPLOAD)
    limited = Request(request.scope, _limited(request.receive, LARGEST_UPLOAD))
    async with AsyncExitStack() as stack:
        try:
            async with asyncio.timeout(UPLOAD_SECONDS):
                stream = await stack.enter_async_context(aclosing(limited.stream()))
                form = await WholeForm(
                    limited.headers, stream, max_files=LARGEST_NUMBER, max_fields=_MOST_FIELDS
                ).parse()
                stack.push_async_callback(form.close)
        except TimeoutError:
            raise _too_slow(UPLOAD_SECONDS) from None
        except MultiPartException as error:
            raise RequestError(f"the form cannot be read: {error.message}", status=400, code="malformed") from None
        except ClientDisconnect:
            raise _went_away() from None
        fields: dict[str, str] = {}
        files: list[SentFile] = []
        for name, part in form.multi_items():
            is_file = not isinstance(part, str)
            if is_file != (name == _FILES):
                raise _misplaced(name, is_file=is_file)
            if isinstance(part, str):
                fields[name] = part
            else:
                files.append(SentFile(part.filename or "", part.file))
        yield fields, files


class WholeForm(MultiPartParser):
    """Reads a form that came to its end. One that was cut off would otherwise lose its last part without a word."""

    _is_whole = False

    def on_end(self) -> None:
        """Note that the last boundary was there."""
        self._is_whole = True

    async def parse(self) -> FormData:
        """Return the form; raises `RequestError` that names the file in which it was cut off."""
        form = await super().parse()
        if self._is_whole:
            return form
        await form.close()
        part = self._current_part.file
        if part is None or any(part is one for _name, one in form.multi_items()):
            raise RequestError("the form was cut off", status=400, code="malformed", hint=_SEND_AGAIN)
        await part.close()
        complete = sum(not isinstance(one, str) for _name, one in form.multi_items())
        name = safe_display(part.filename or "", limit=200)
        raise RequestError(
            f"the form was cut off in file '{name}'; nothing was stored",
            status=400,
            code="malformed",
            hint=_SEND_AGAIN,
            errors=[(f"{_FILES}.{complete}", f"'{name}' was cut off")],
        )


def _misplaced(name: str, *, is_file: bool) -> RequestError:
    shown = safe_display(name, limit=80)
    problem = (shown, f"takes no file; send parts named {_FILES!r}" if is_file else "is no file: it has no filename")
    return RequestError(" ".join(problem), status=422, code="invalid", errors=[problem])


def _limited(receive: Receive, largest: int) -> Receive:
    """Return what gives the body of a request until it is too large."""
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > largest:
            raise too_large(largest)
        return message

    return counted


async def _json_body(endpoint: AnyEndpoint, request: Request) -> pydantic.BaseModel:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    data = await read_body(request, LARGEST_BODY)
    if kind != "application/json" and (data or kind):
        raise RequestError(
            "the body is not application/json",
            status=415,
            code="media_type",
            hint="send JSON, and say so in Content-Type",
        )
    try:
        orjson.loads(data or _NOTHING)
    except orjson.JSONDecodeError as error:
        raise RequestError(f"the body is not JSON: {error}", status=400, code="malformed") from None
    return _checked(lambda: endpoint.body.model_validate_json(data or _NOTHING, strict=True))


def _checked(validate: Callable[[], pydantic.BaseModel]) -> pydantic.BaseModel:
    try:
        return validate()
    except pydantic.ValidationError as error:
        raise invalid_request(error, "body", noun="field") from None


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
        raise _too_slow(BODY_SECONDS) from None
    except ClientDisconnect:
        raise _went_away() from None
    return b"".join(pieces)


def _too_slow(seconds: float) -> RequestError:
    return RequestError(f"the body took longer than {seconds:.0f} s", status=408, code="timeout")


def _went_away() -> RequestError:
    return RequestError("the client went away", status=400, code="disconnected")


def refuse_large(headers: Mapping[str, str], largest: int) -> None:
    """Raise `RequestError` for a body that says that it is too large, before a byte of it is read."""
    length = headers.get("content-length", "")
    if length.isdigit() and int(length) > largest:
        raise too_large(largest)


def too_large(largest: int) -> RequestError:
    """Return the error of a body that is too large."""
    return RequestError(
        f"a body has at most {counted(largest, 'byte')}", status=413, code="too_large", headers={"Connection": "close"}
    )
