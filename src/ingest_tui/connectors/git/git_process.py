"""Runs the program git on a repository that nobody vouches for.

Nothing of the repository is executed, and nothing is fetched or written: settings of the user and the system do not
count, and no protocol is allowed whatever the repository's settings say, so that what is missing is missing.
"""

from __future__ import annotations

import errno
import math
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, cast

from ingest_tui.connectors.git.git_errors import GitFailedError, not_installed, said_of
from ingest_tui.connectors.watched_program import start_watched

SILENCE_SECONDS = 60.0
"""So long git may say nothing: its disk does not answer."""
_GIT: list[str | bytes] = ["git", "-c", "safe.directory=*", "--literal-pathspecs"]
_PIECE = 1 << 20
_ERRORS_KEPT = 1 << 16
_ENDED_BY_OTHERS = {-signal.SIGKILL, -signal.SIGTERM}
_FOR_NOW = {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE}
_ENVIRONMENT = {
    "LC_ALL": "C",
    # Not that of the user: some settings of a repository name files at home, which git asks for before it reads on.
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    # Above any setting of the repository, which `protocol.allow` is not; the other one is known to newer gits alone.
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}


class Processes:
    """Those that run for one connector, so that whoever is done with it can end them."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._guard = threading.Lock()

    @contextmanager
    def listed(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """Know of a process while it runs."""
        with self._guard:
            self._running.add(process)
        try:
            yield
        finally:
            with self._guard:
                self._running.discard(process)

    def end(self) -> None:
        """End all that run, from another thread than that which reads what they print."""
        with self._guard:
            left = list(self._running)
        for process in left:
            _kill(process)


@contextmanager
def running(git_dir: str, arguments: list[str | bytes]) -> Iterator[Iterator[bytes]]:
    """Run git and give what it prints, which raises `GitFailedError` unless it ends well; left early, it is ended."""
    command = [*_GIT, f"--git-dir={git_dir}", *arguments]
    process = started(command, _ENVIRONMENT | {"PATH": os.environ.get("PATH", os.defpath)}, folder="/")
    try:
        yield printed(process, Said())
    finally:
        end_process(process)


def started(
    command: list[str | bytes],
    environment: Mapping[str, str],
    *,
    folder: str,
    inherited: Iterable[int] = (),
    is_watched: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a process whose output and errors are read, with ``inherited`` descriptors; raises `GitFailedError`.

    ``is_watched``: it ends with this process, also a killed one. Others end once they print what nobody reads.
    """
    try:
        if is_watched:
            return start_watched(command, environment, folder=folder, inherited=inherited)
        return subprocess.Popen(  # noqa: S603 - ids are checked, and other words follow what ends the options
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=environment,
            pass_fds=tuple(inherited),
            start_new_session=True,  # Ctrl-C is for the job to answer
        )
    except FileNotFoundError:
        raise not_installed() from None
    except OSError as error:
        raise GitFailedError(f"it cannot be run: {error.strerror}", may_pass=error.errno in _FOR_NOW) from None
    except ValueError as error:  # a NUL among the arguments
        raise GitFailedError(f"it cannot be asked that: {error}") from None


class Said:
    """What a process writes to its error stream, as far as it is of use."""

    def __init__(self) -> None:
        self._written = b""

    def add(self, piece: bytes) -> None:
        """Take what came; raises `GitFailedError` where it goes on without end."""
        self._written = (self._written + piece)[-_ERRORS_KEPT:]

    def ended(self, code: int) -> None:
        """Raise `GitFailedError` unless the process ended well."""
        if code:
            raise self.failure(code)

    def failure(self, code: int) -> GitFailedError:
        """Return the error of a process that ended with a code other than 0."""
        return GitFailedError(said_of(self._written), may_pass=code in _ENDED_BY_OTHERS)


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def end_process(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started; one that the kernel does not let go is waited for by nobody."""
    _kill(process)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(1.0)


def printed(process: subprocess.Popen[bytes], said: Said, seconds: float = math.inf) -> Iterator[bytes]:
    """Yield what a process prints; raises unless it ends well, also when it falls silent or takes too many seconds."""
    for is_output, piece in _read(cast("IO[bytes]", process.stdout), cast("IO[bytes]", process.stderr), seconds):
        if is_output:
            yield piece
        else:
            said.add(piece)
    try:
        code = process.wait(SILENCE_SECONDS)
    except subprocess.TimeoutExpired:
        raise GitFailedError("it does not end", may_pass=True) from None
    said.ended(code)


def _read(output: IO[bytes], errors: IO[bytes], seconds: float) -> Iterator[tuple[bool, bytes]]:
    """Yield what comes through two pipes until both end, and whether it came through the first."""
    end = time.monotonic() + seconds
    with selectors.DefaultSelector() as ready:
        ready.register(output, selectors.EVENT_READ)
        ready.register(errors, selectors.EVENT_READ)
        while ready.get_map():
            left = end - time.monotonic()
            events = ready.select(max(0.0, min(SILENCE_SECONDS, left)))
            if time.monotonic() >= end:
                raise GitFailedError(f"it has not answered within {seconds:.0f} seconds", may_pass=True)
            if not events:
                raise GitFailedError(f"it has said nothing for {SILENCE_SECONDS:.0f} seconds", may_pass=True)
            for key, _ in events:
                piece = os.read(key.fd, _PIECE)
                if piece:
                    yield key.fileobj is output, piece
                else:
                    ready.unregister(key.fileobj)
