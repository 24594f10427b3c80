"""What a process of rclone prints, in pieces, and how it ended."""

from __future__ import annotations

import os
import selectors
import subprocess
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import IO, cast

from ingest_tui.connectors.rclone import program
from ingest_tui.connectors.rclone.failures import Fault, RcloneFailedError, fault_in
from ingest_tui.connectors.rclone.program import RcloneAccess

SILENCE_SECONDS = 900.0
"""So long rclone may say nothing: it repeats requests by itself, and is quiet meanwhile."""
MOST_FAULTS = 1000
_PIECE = 1 << 16
_LONGEST_LINE = 1 << 20


class Output:
    """Iterate over the pieces; then ``code`` is that of the process and ``faults`` are the errors that it logged.

    Left early, the process is ended. Raises `RcloneFailedError` when it cannot be run, or falls silent.
    """

    def __init__(self, access: RcloneAccess, arguments: Sequence[str]) -> None:
        self.code = 0
        self.faults: list[Fault] = []
        self._access = access
        self._arguments = arguments

    def __iter__(self) -> Iterator[bytes]:
        process = program.start(self._access, self._arguments)
        log = LineBuffer()
        try:
            for is_output, piece in _read(process):
                if is_output:
                    yield piece
                else:
                    self._note(log.lines(piece))
            self._note([log.rest])
            self.code = process.wait(SILENCE_SECONDS)
        except subprocess.TimeoutExpired:
            raise RcloneFailedError("it does not end", kind="network") from None
        finally:
            program.end(process)

    def _note(self, lines: Sequence[bytes]) -> None:
        found = [fault for line in lines if line and (fault := fault_in(line)) is not None]
        self.faults += found[: MOST_FAULTS - len(self.faults)]


@contextmanager
def printed(access: RcloneAccess, arguments: Sequence[str]) -> Iterator[Iterator[bytes]]:
    """Run rclone and give what it prints, which raises `RcloneFailedError` unless it ends well."""
    output = Output(access, arguments)
    with closing(_checked(output)) as pieces:
        yield pieces


def _checked(output: Output) -> Generator[bytes, None, None]:
    yield from output
    if output.code < 0:
        raise RcloneFailedError("it was ended", kind="network")
    if output.code > 0 or output.faults:
        raise RcloneFailedError(output.faults[0].said if output.faults else f"it ended with code {output.code}")


class LineBuffer:
    """Cuts pieces into lines; raises for one that is longer than any can be. ``rest`` is what has no end yet."""

    def __init__(self) -> None:
        self.rest = b""

    def lines(self, piece: bytes) -> list[bytes]:
        """Return the lines that end in a piece."""
        *lines, self.rest = (self.rest + piece).split(b"\n")
        if len(self.rest) > _LONGEST_LINE:
            raise RcloneFailedError("a line of what it prints is too long")
        return lines


def _read(process: subprocess.Popen[bytes]) -> Iterator[tuple[bool, bytes]]:
    """Yield what comes through two pipes until both end, and whether it came through the first."""
    output, errors = cast("IO[bytes]", process.stdout), cast("IO[bytes]", process.stderr)
    with selectors.DefaultSelector() as ready:
        ready.register(output, selectors.EVENT_READ)
        ready.register(errors, selectors.EVENT_READ)
        while ready.get_map():
            events = ready.select(SILENCE_SECONDS)
            if not events:
                raise RcloneFailedError(f"it has said nothing for {SILENCE_SECONDS:.0f} seconds", kind="network")
            for key, _ in events:
                piece = os.read(key.fd, _PIECE)
                if piece:
                    yield key.fileobj is output, piece
                else:
                    ready.unregister(key.fileobj)
