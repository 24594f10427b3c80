"""Files as answers, whole or a part of them (RFC 9110, section 14)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from ingest_tui.model.counted import counted
from ingest_tui.model.errors import NotFoundError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.server.problems import RequestError

_PIECE = 256 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_PARTIAL = 206


def range_of(header: str, size: int) -> tuple[int, int] | None:
    """Return the first byte and the byte after the last of a Range; None for the whole, as for what is no range of one.

    Raises `RequestError` (416) for a part that is not there.
    """
    found = _RANGE.fullmatch(header.replace(" ", ""))
    if found is None or not (found[1] or found[2]):
        return None
    if found[1]:
        first, end = int(found[1]), min(size, int(found[2]) + 1 if found[2] else size)
        if found[2] and int(found[2]) < first:
            return None
    else:
        first, end = max(0, size - int(found[2])), size
    if first >= end:
        headers = {"Content-Range": f"bytes */{size}"}
        raise RequestError(
            f"there are {counted(size, 'byte')}, and none of these", status=416, code="range", headers=headers
        )
    return first, end


def file_response(path: Path, headers: Mapping[str, str], *, name: str, mark: str) -> Response:
    """Return a file as an attachment called ``name``; ``mark`` names its content, which never changes.

    It is opened here: a version that is pruned meanwhile is sent to its end. Raises `NotFoundError`.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise NotFoundError("the version was deleted meanwhile", hint="read the document again") from None
    try:
        size = os.fstat(descriptor).st_size
        etag = f'"{mark}"'
        wanted = headers.get("range", "")
        part = range_of(wanted, size) if headers.get("if-range", etag) == etag else None
    except BaseException:
        os.close(descriptor)
        raise
    first, end = part or (0, size)
    fields = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-store",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(safe_display(name), safe='')}",
        "Content-Length": str(end - first),
        "Content-Security-Policy": "sandbox",
        "Content-Encoding": "identity",
        "ETag": etag,
        "X-Content-Type-Options": "nosniff",
    }
    if part is not None:
        fields["Content-Range"] = f"bytes {first}-{end - 1}/{size}"
    status = 200 if part is None else _PARTIAL
    return _FileResponse(descriptor, (first, end), status, fields)


class _FileResponse(StreamingResponse):
    """Sends a part of an open file and closes it, also when the client leaves before the first byte is read."""

    def __init__(self, descriptor: int, part: tuple[int, int], status: int, fields: Mapping[str, str]) -> None:
        super().__init__(_pieces(descriptor, *part), status, fields, "application/octet-stream")
        self._descriptor = descriptor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        try:
            await super().__call__(scope, receive, send)
        finally:  # not in the generator: one that was never begun has nothing to end
            os.close(self._descriptor)


def _pieces(descriptor: int, first: int, end: int) -> Iterator[bytes]:
    while first < end:
        piece = os.pread(descriptor, min(_PIECE, end - first), first)
        if not piece:
            return
        first += len(piece)
        yield piece
