"""Reading files that hold secrets: only regular ones, only when nobody else could have read or changed them."""

from __future__ import annotations

import os
import shlex
import stat
from dataclasses import dataclass
from pathlib import Path

from ingest_tui.model.errors import RefusedError
from ingest_tui.model.safe_text import safe_display

OTHERS_MAY_READ = stat.S_IROTH
GROUP_MAY_READ = stat.S_IRGRP
OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
ANYBODY_ELSE = stat.S_IRWXG | stat.S_IRWXO
LARGEST_BYTES = 1_048_576

# O_NONBLOCK: opening a FIFO for reading would wait for a writer.
_READING = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


@dataclass(frozen=True, slots=True)
class Strictness:
    """What a file must not allow. ``forbidden`` are mode bits; ``root_may_own``: root could read it anyway."""

    forbidden: int
    root_may_own: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class PrivateFile:
    """The bytes of a file, and its status when they were read."""

    data: bytes
    status: os.stat_result


def read_private_file(path: Path, strictness: Strictness, *, what: str) -> PrivateFile:
    """Return the content of ``path``; links are followed, and what they lead to is what counts.

    Raises `RefusedError` with the command that fixes it, and OSError when the file cannot be opened.
    """
    descriptor = os.open(path, _READING)
    try:
        status = os.fstat(descriptor)
        _refuse_unless_private(status, strictness, path=path, what=what)
        data = _read_up_to(descriptor, LARGEST_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(data) > LARGEST_BYTES:
        raise RefusedError(f"{what} is larger than 1 MiB", hint="is it the right file?", code="credential_file")
    return PrivateFile(data, status)


def _refuse_unless_private(status: os.stat_result, strictness: Strictness, *, path: Path, what: str) -> None:
    place = safe_display(str(path))
    if not stat.S_ISREG(status.st_mode):
        raise RefusedError(f"{what} is not a regular file: {place}", hint="name a file", code="credential_file")
    owners = {os.geteuid(), 0} if strictness.root_may_own else {os.geteuid()}
    if status.st_uid not in owners:
        raise RefusedError(
            f"{what} belongs to another user: {place}",
            hint="make a file of your own; what others can change cannot be trusted",
            code="credential_file_owner",
        )
    if status.st_mode & strictness.forbidden:
        raise RefusedError(
            f"{what} can be read or changed by other users (mode {stat.S_IMODE(status.st_mode):04o}): {place}",
            hint=f"chmod 600 {safe_display(shlex.quote(str(path)))}   and replace secrets that others may have read",
            code="credential_file_mode",
        )


def _read_up_to(descriptor: int, limit: int) -> bytes:
    pieces = []
    left = limit
    while left and (piece := os.read(descriptor, left)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)
