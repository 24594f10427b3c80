"""Uploading to a server: the files of this machine in one form, read while they are sent."""

from __future__ import annotations

import re
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import orjson

from ingest_tui.model.errors import UsageError
from ingest_tui.model.job import EMBED, Manifest
from ingest_tui.services.documents.upload_check import UploadProgress
from ingest_tui.services.documents.upload_files import (
    UploadFile,
    as_one_error,
    check_files,
    checked_label,
    file_at,
)
from ingest_tui.services.remote.job_calls import get_job
from ingest_tui.services.remote.server import Server, path_of

_LARGEST_FILE = 2 << 30
_IN_MEMORY = 1 << 20
_PIECE = 1 << 18
_UNSENDABLE = re.compile(r'[\x00-\x1f\x7f"\\]')
"""What the head of a part cannot hold; the field ``names`` has the whole names."""


class _Part(NamedTuple):
    """A part of a form: its head, and the file that it has, with its size and what a person calls it."""

    head: bytes
    shown: str = ""
    file: BinaryIO | None = None
    size: int = 0


def upload_files(
    server: Server,
    files: Sequence[Path | UploadFile],
    *,
    collection_id: str = "default",
    label: str = "",
    replace: bool = False,
    overrides: Mapping[str, Any] | None = None,
    progress: UploadProgress | None = None,
) -> Manifest:
    """Send files, and return the job that takes them in. The server reads all of them before it stores one."""
    chosen = [file_at(one) if isinstance(one, Path) else one for one in files]
    problems = check_files(chosen, largest=_LARGEST_FILE).problems
    if problems:
        raise as_one_error(problems, len(chosen))
    values = {"label": checked_label(label), "replace": "true" if replace else ""}
    values["names"] = orjson.dumps([one.name for one in chosen]).decode()
    values["preferences"] = orjson.dumps(dict(overrides)).decode() if overrides else ""
    mark = f"ingest-tui-{secrets.token_hex(16)}"
    path = ("collections", collection_id, "files")
    with ExitStack() as until_sent:
        parts = [_field(mark, name, value) for name, value in values.items() if value]
        parts += [_opened(until_sent, mark, one) for one in chosen]
        end = f"--{mark}--\r\n".encode()
        size = sum(len(part.head) + part.size + 2 for part in parts) + len(end)
        headers = {"Content-Type": f"multipart/form-data; boundary={mark}", "Content-Length": str(size)}
        answer = server.send("POST", path_of(*path), _sent(parts, end, progress), headers)
    with server.reading(path):
        return get_job(server, str(server.value(answer, path)["job_id"]))


def _field(mark: str, name: str, value: str) -> _Part:
    return _Part(f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode())


def _opened(until_sent: ExitStack, mark: str, file: UploadFile) -> _Part:
    """Return the part of a file, which is closed once all are sent; a stream is read first, to know its size."""
    if file.path is not None:
        opened: BinaryIO = until_sent.enter_context(file.path.open("rb"))
    else:
        kept = until_sent.enter_context(tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))  # noqa: SIM115 - entered
        while file.stream is not None and (piece := file.stream.read(_PIECE)):
            kept.write(piece)
        opened = kept  # type: ignore[assignment] # it is one, but for its type
    size = opened.seek(0, 2)
    opened.seek(0)
    disposition = f'Content-Disposition: form-data; name="files"; filename="{_UNSENDABLE.sub("_", file.name)}"'
    head = f"--{mark}\r\n{disposition}\r\nContent-Type: application/octet-stream\r\n\r\n"
    return _Part(head.encode(), file.shown, opened, size)


def _sent(parts: Sequence[_Part], end: bytes, progress: UploadProgress | None) -> Iterator[bytes]:
    total = sum(part.file is not None for part in parts)
    done = 0
    for part in parts:
        yield part.head
        if part.file is not None:
            yield from _exactly(part)
            done += 1
            if progress is not None:
                progress("sending", done, total)
        yield b"\r\n"
    yield end


def _exactly(part: _Part) -> Iterator[bytes]:
    """Yield as many bytes as a file had when its size was told."""
    left = part.size
    while left and part.file is not None:
        piece = part.file.read(min(_PIECE, left))
        if not piece:
            raise UsageError(f"{part.shown} has become smaller while it was sent", hint="try again")
        left -= len(piece)
        yield piece


def waiting_embedding(server: Server, collection_id: str) -> Manifest | None:
    """Return the job that waits to embed a collection, if there is one."""
    found = server.get("jobs", kind=EMBED, state="queued", limit=500)
    with server.reading(("jobs",)):
        waiting = [one for one in found["items"] if one["collection_id"] == collection_id]
    return server.read(Manifest, waiting[0], "jobs") if waiting else None


CALLS: dict[str, Callable[..., Any]] = {
    "documents.upload": upload_files,
    "vectors.waiting": waiting_embedding,
}
