"""Runs the program git on an address that nobody vouches for: it may ask one server, and no other program is started.

Settings of the user and the system do not count here either. What differs from reading: one protocol is allowed, ssh
finds the keys and known hosts of the user who runs this, and git writes how the server answers (never what it sends),
from which the status and Retry-After are read.
"""

from __future__ import annotations

import fcntl
import math
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

from ingest_tui.connectors.git.address import RepositoryAddress
from ingest_tui.connectors.git.git_errors import GitFailedError, said_of
from ingest_tui.connectors.git.git_process import Processes, Said, end_process, printed, started
from ingest_tui.connectors.watched_program import LOWEST_DESCRIPTOR
from ingest_tui.transport.retry_after import seconds_to_wait

PREPARING_SECONDS = 600.0
"""So long a server may talk of what it does without sending anything else."""
ASKING_SECONDS = 300.0
"""So long a server may take to say what its branches and tags name."""
ASKING_MEMORY = 256 << 20
FETCHING_MEMORY = 2 << 30
_BLOCK = 512
_LONGEST_SECRET = 32_768
_LIMITED = [
    "/bin/sh",
    "-c",
    """trap '' XFSZ; ulimit -f "$1" 2>/dev/null; ulimit -v "$2" 2>/dev/null; shift 2; exec "$@\"""",
    "sh",
]
"""Runs a program that may write files of so many blocks (POSIX: of 512 bytes) and have so many kilobytes of memory.

A limit that cannot be set is lower already.
"""
_NO_MEMORY = (b"Out of memory", b"out of memory", b"Cannot allocate memory")
_FULL = (b"No space left on device", b"File too large", b"Disk quota exceeded")
_SETTINGS = {
    "safe.directory": "*",
    "core.askPass": "",
    "core.hooksPath": os.devnull,
    "credential.helper": "",
    "http.followRedirects": "initial",
    "http.lowSpeedLimit": "1",
    "http.lowSpeedTime": "120",
    "transfer.bundleURI": "false",
    # All that comes goes into one pack, which is there as a whole or not at all.
    "transfer.unpackLimit": "1",
    "fetch.unpackLimit": "1",
    # Ids are checked in any case, and paths by the listing; more of it refuses honest old repositories.
    "transfer.fsckObjects": "false",
    "fetch.fsckObjects": "false",
    # What needs address space without need is kept small, so that the limit is for what comes.
    "pack.threads": "2",
    "core.packedGitWindowSize": "32m",
    "core.packedGitLimit": "256m",
    "core.bigFileThreshold": "64m",
    "gc.auto": "0",
    "maintenance.auto": "false",
}
_ENVIRONMENT = {
    "LC_ALL": "C",
    "HOME": "/nonexistent",  # ssh asks the system for that of the user; curl would find passwords there
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CEILING_DIRECTORIES": "/",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PROTOCOL_FROM_USER": "0",
    "GIT_SSH_VARIANT": "ssh",
    "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=30"
    " -o ServerAliveInterval=15 -o ServerAliveCountMax=4 -o ForwardAgent=no -o ForwardX11=no -o ClearAllForwardings=yes"
    " -o PermitLocalCommand=no -o ControlMaster=no",
    "GIT_TRACE_CURL": "2",
    "GIT_TRACE_CURL_NO_DATA": "1",
    "GIT_TRACE_REDACT": "1",
}
_PROXIES = ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY")
_TRACE = re.compile(rb"\d\d:\d\d:\d\d\.\d+ \S+ +(?:<=|=>|==) ?(.*)")
_STATUS = re.compile(rb"Recv header: HTTP/[\d.]+ (\d{3})")
_SMART = re.compile(rb"Recv header: content-type: *application/x-git-upload-pack-", re.IGNORECASE)
_RETRY_AFTER = re.compile(rb"Recv header: retry-after: *(.{1,100})", re.IGNORECASE)
_REMOTE = b"remote: "
_CUT = (b"RPC failed", b"transfer closed", b"early EOF", b"unexpected disconnect", b"hung up")
_LONGEST_LINE = 1 << 16
_NOT_READ = "Could not read from remote repository"


@contextmanager
def asking(
    address: RepositoryAddress,
    arguments: list[str],
    processes: Processes,
    *,
    secret: Callable[[], tuple[str, str] | None],
    memory: int,
    seconds: float = math.inf,
    most_written: int | None = None,
) -> Iterator[Iterator[bytes]]:
    """Run git on an address and give what it prints, which raises `GitFailedError` unless it ends well.

    ``secret`` returns name and password to sign in with. ``memory``: bytes that each of its processes may have; what
    needs more is refused. ``seconds``: all that it may take. ``most_written``: bytes that a file of it may have.
    """
    with _readable(secret()) as descriptor:
        blocks = "unlimited" if most_written is None else str(max(0, most_written) // _BLOCK)
        command = [*_LIMITED, blocks, str(memory // 1024), "git", *_options(address, descriptor), *arguments]
        inherited = () if descriptor is None else (descriptor,)
        # No repository may be around it: its settings would count.
        process = started([*command], _environment(address), folder="/dev", inherited=inherited, is_watched=True)
    try:
        with processes.listed(process):
            yield printed(process, _SaidOfServer(memory), seconds)
    finally:
        end_process(process)


def _options(address: RepositoryAddress, descriptor: int | None) -> list[str]:
    settings = dict(_SETTINGS)
    if bundle := os.environ.get("SSL_CERT_FILE"):
        settings["http.sslCAInfo"] = bundle
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    if descriptor is None:
        return options
    # Asked for this origin alone, not for one that a redirect leads to; and once, as a pipe gives what it has once.
    program = f'!f() {{ test "$1" = get && cat /dev/fd/{descriptor}; }}; f'
    return [*options, "-c", f"credential.{address.origin}.helper={program}"]


def _environment(address: RepositoryAddress) -> dict[str, str]:
    passed = {"ssh": ("SSH_AUTH_SOCK",)}.get(address.scheme, _PROXIES)
    protocols = "http:https" if address.scheme == "http" else address.scheme
    own = {"GIT_ALLOW_PROTOCOL": protocols, "PATH": os.environ.get("PATH", os.defpath)}
    return _ENVIRONMENT | own | {name: os.environ[name] for name in passed if name in os.environ}


@contextmanager
def _readable(secret: tuple[str, str] | None) -> Iterator[int | None]:
    """Give a descriptor to read a secret from, as helpers of git write it: no argument, environment or file has it."""
    if secret is None:
        yield None
        return
    answer = "".join(f"{name}={value}\n" for name, value in zip(("username", "password"), secret, strict=True)).encode()
    if any(character in part for part in secret for character in "\n\r\0") or len(answer) > _LONGEST_SECRET:
        raise GitFailedError("the credential cannot be given to it: a line break, a NUL, or too long")
    low, writing = os.pipe()
    reading = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, LOWEST_DESCRIPTOR)
    os.close(low)
    try:
        with closing(os.fdopen(writing, "wb")) as pipe:
            pipe.write(answer)
        yield reading
    finally:
        os.close(reading)


class _SaidOfServer(Said):
    """What git writes while it asks a server, and what it writes of the server's answers."""

    def __init__(self, memory: int) -> None:
        super().__init__()
        self._memory = memory
        self._rest = b""
        self._status: int | None = None
        self._retry_after: float | None = None
        self._own_word = time.monotonic()
        self._lacks_room = False
        self._lacks_memory = False
        self._is_smart = False

    def add(self, piece: bytes) -> None:
        """Take what came; raises where for long nothing came but words of the server."""
        *lines, self._rest = re.split(rb"(?<=[\r\n])", self._rest + piece)
        self._rest = self._rest[-_LONGEST_LINE:]
        for line in lines:
            self._take(line)
        if time.monotonic() - self._own_word > PREPARING_SECONDS:
            raise GitFailedError(f"the server has sent nothing for {PREPARING_SECONDS:.0f} seconds", may_pass=True)

    def _take(self, line: bytes) -> None:
        trace = _TRACE.match(line)
        if trace is not None:
            self._take_header(trace[1])
        elif not line.startswith(_REMOTE):
            super().add(line)
            self._own_word = time.monotonic()
            if b"remote error" not in line:
                self._lacks_room |= any(words in line for words in _FULL)
                self._lacks_memory |= any(words in line for words in _NO_MEMORY)

    def _take_header(self, text: bytes) -> None:
        if status := _STATUS.match(text):
            self._status, self._retry_after = int(status[1]), None
        elif _SMART.match(text):
            self._is_smart = True
        elif wait := _RETRY_AFTER.match(text):
            with suppress(ValueError):
                self._retry_after = seconds_to_wait(wait[1].decode("latin-1").strip())

    def ended(self, code: int) -> None:
        """Raise `GitFailedError` unless it ended well, also for a web server whose page was taken for a repository."""
        super().ended(code)
        if self._status is not None and not self._is_smart:
            raise GitFailedError("dumb http transport", status=self._status)

    def failure(self, code: int) -> GitFailedError:
        """Return the error, with how the server answered last."""
        self._take(self._rest)
        if self._lacks_memory:
            return GitFailedError(
                f"its answer is larger than what fits into {self._memory >> 20} MiB", is_too_large=True
            )
        failure = super().failure(code)
        if failure.said.startswith(_NOT_READ):  # what ssh says comes before
            before = said_of(self._written.partition(b"fatal: " + _NOT_READ.encode())[0])
            failure = GitFailedError(before or failure.said, may_pass=failure.may_pass)
        return GitFailedError(
            failure.said,
            may_pass=failure.may_pass or any(words in self._written for words in _CUT),
            status=self._status,
            retry_after=self._retry_after,
            lacks_room=self._lacks_room,
        )
