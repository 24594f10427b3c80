"""Listings of rclone, streamed, and whether they are whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from ingest_tui.connectors.rclone.entries import RemoteEntry, entry_of
from ingest_tui.connectors.rclone.failures import Fault, RcloneFailedError, kind_of
from ingest_tui.connectors.rclone.output import LineBuffer, Output
from ingest_tui.connectors.rclone.program import SOURCE, RcloneAccess

_OPENING, _CLOSING = b"[", b"]"
_PLAIN_FOLDER = re.compile(r"/?[\w.@+-]+(/[\w.@+-]+)*/")


def listed(access: RcloneAccess, options: Sequence[str] = (), folder: str = "") -> Iterator[RemoteEntry]:
    """Yield what is in the remote of a source, or in a folder of it; with the option ``-R`` in all below it, too.

    Ends only when everything was said: rclone ended with 0, logged no error and closed the list that it had opened.
    Raises `RcloneFailedError` otherwise.
    """
    output = Output(access, ["lsjson", *options, "--no-mimetype", "--", f"{SOURCE}:{folder}"])
    is_open = is_closed = False
    for line in _lines(output):
        if line == _OPENING and not is_open:
            is_open = True
        elif line == _CLOSING and is_open:
            is_closed = True
        elif line:
            yield entry_of(_parsed(line))
    if output.code or output.faults or not (is_open and is_closed):
        raise _failure(output.code, output.faults)


def options_of_filter(exclude: Sequence[str], *, hidden: bool) -> list[str]:
    """Return options with which rclone does not even look into folders that are left out.

    Only those of which it is plain what they are to rclone: everything that it lists passes our own filter, too.
    """
    left_out = [] if hidden else [".*/**"]
    if not any(pattern.startswith("!") for pattern in exclude):
        for pattern in filter(_PLAIN_FOLDER.fullmatch, exclude):
            inner = pattern.strip("/")
            left_out.append(f"/{inner}/**" if "/" in pattern[:-1] else f"{inner}/**")
    return [option for pattern in left_out for option in ("--exclude", pattern)]


def _lines(output: Output) -> Iterator[bytes]:
    buffer = LineBuffer()
    for piece in output:
        yield from (line.strip().rstrip(b",") for line in buffer.lines(piece))
    yield buffer.rest.strip()


def _failure(code: int, faults: Sequence[Fault]) -> RcloneFailedError:
    if code < 0:
        return RcloneFailedError("it was ended while it listed", kind="network")
    fault = next((fault for fault in faults if fault.place), None)
    if fault is not None:
        # A folder that went while its parent was listed: the next listing knows.
        kind = kind_of(fault.said)
        return RcloneFailedError(f"{fault.place}: {fault.said}", kind="network" if kind == "not_found" else kind)
    if faults:
        return RcloneFailedError(faults[0].said)
    return RcloneFailedError("its list is not whole", kind="network")


def _parsed(line: bytes) -> object:
    try:
        return json.loads(line)
    except ValueError:
        # Cut in the middle, or no list at all.
        raise RcloneFailedError("what it prints is no list of files", kind="network") from None
