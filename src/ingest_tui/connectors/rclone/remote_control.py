"""One `rclone rcd` for one source and job: questions to it, and files through it, on a Unix socket of its own.

The socket is in a folder that only this user may enter, and asks for a password that nobody else has.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import secrets
import shutil
import socket
import stat
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, Any, Self, cast
from urllib.parse import quote

from ingest_tui.connectors.rclone import program
from ingest_tui.connectors.rclone.failures import FailureKind, Fault, RcloneFailedError, fault_in
from ingest_tui.connectors.rclone.program import SOURCE, RcloneAccess

ANSWER_SECONDS = 300.0
"""So long an answer may take: rclone repeats requests to a storage by itself."""
_START_SECONDS = 60.0
_LOOK_SECONDS = 0.02
_SOCKET = "control"
_OK = {200, 206}
_NOT_FOUND = 404
_USER = "ingest-tui"
_ARGUMENTS = ("rcd", "--rc-addr", f"unix://{_SOCKET}", "--rc-serve", "--rc-server-write-timeout", "240h")


class NotOpenedError(RcloneFailedError):
    """A file that is there, but was not given: rclone does not say why."""


class RemoteControl:
    """Starts when it is first asked, and again after it has died. Safe for threads. Raises `RcloneFailedError`."""

    def __init__(self, access: RcloneAccess) -> None:
        self._access = access
        self._starting = threading.Lock()
        self._daemon: _Daemon | None = None

    def ask(self, question: str, **details: Any) -> dict[str, Any]:
        """Return what rclone answers to a question of its remote control, e.g. ``operations/stat``."""
        body = json.dumps(details).encode()
        with self._answer("POST", f"/{question}", {"Content-Type": "application/json"}, body) as answer:
            return _parsed(_read_whole(answer))

    @contextmanager
    def file(self, path: str, offset: int = 0) -> Iterator[http.client.HTTPResponse]:
        """Open a file of the source, from ``offset`` on where rclone can: then the status is 206."""
        target = f"/{quote(f'[{SOURCE}:]')}/{quote(path)}"
        with self._answer("GET", target, {"Range": f"bytes={offset}-"} if offset else {}) as answer:
            yield answer

    def close(self) -> None:
        """End rclone. It is started again when something more is asked."""
        with self._starting:
            daemon, self._daemon = self._daemon, None
        if daemon is not None:
            daemon.end()

    @contextmanager
    def _answer(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Iterator[http.client.HTTPResponse]:
        connection = self._running().connection()
        try:
            try:
                connection.request(method, target, body, {**connection.signed, **headers})
                answer = connection.getresponse()
            except (OSError, http.client.HTTPException) as error:
                raise RcloneFailedError(f"it does not answer: {error}", kind="network") from None
            if answer.status not in _OK:
                raise _refused(answer.status, _read_whole(answer))
            yield answer
        finally:
            connection.close()

    def _running(self) -> _Daemon:
        with self._starting:
            if self._daemon is not None and not self._daemon.is_running():
                self._daemon.end()
                self._daemon = None
            if self._daemon is None:
                self._daemon = _Daemon(self._access)
            return self._daemon


def _refused(status: int, body: bytes) -> RcloneFailedError:
    said, kind = "", cast("FailureKind | None", None)
    with suppress(RcloneFailedError):
        said = str(_parsed(body).get("error") or "")
    if status == _NOT_FOUND:
        if not said:
            return NotOpenedError("the storage refused it", kind="other")
        kind = "not_found"
    return RcloneFailedError(said or f"it answers with status {status}", kind=kind)


def _read_whole(answer: http.client.HTTPResponse) -> bytes:
    try:
        return answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise RcloneFailedError(f"its answer was cut: {error}", kind="network") from None


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise RcloneFailedError("it answers with something that is no JSON")
    return found


class _Daemon:
    """A running rclone, once it is made: raises `RcloneFailedError` with what rclone said when it does not run."""

    def __init__(self, access: RcloneAccess) -> None:
        self._folder = tempfile.mkdtemp(prefix="ingest-tui-rclone-")
        self._said: deque[Fault] = deque(maxlen=10)
        self._password = secrets.token_urlsafe(32)
        self._process: subprocess.Popen[bytes] | None = None
        more = {
            "RCLONE_RC_USER": _USER,
            "RCLONE_RC_PASS": self._password,
            "RCLONE_CACHE_DIR": self._folder,
        }
        try:
            # Its group can only be entered by this user; the path of a socket may be short only, so it is relative.
            self._place = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                self._process = program.start(access, _ARGUMENTS, folder=self._folder, more=more)
                self._reader = threading.Thread(target=self._read_log, args=(self._process,), daemon=True)
                self._reader.start()
                self._wait_until_ready(self._process)
            except BaseException:
                self.end()
                raise
        except OSError as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise RcloneFailedError(f"it cannot be run: {error}") from None

    def _read_log(self, process: subprocess.Popen[bytes]) -> None:
        """Read what it logs to the end, so that it never waits for a reader."""
        with suppress(OSError, ValueError):  # closed at its end
            for line in cast("IO[bytes]", process.stderr):
                fault = fault_in(line.rstrip(b"\n"))
                if fault is not None:
                    self._said.append(fault)

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not self._is_listening():
            if process.poll() is not None:
                self._reader.join(1.0)
                raise RcloneFailedError(self._said[-1].said if self._said else "it ended at once")
            if time.monotonic() > deadline:
                raise RcloneFailedError("it does not start", kind="network")
            time.sleep(_LOOK_SECONDS)

    def _is_listening(self) -> bool:
        try:
            if not stat.S_ISSOCK(os.stat(_SOCKET, dir_fd=self._place).st_mode):
                return False
            with self.connection() as trial:
                trial.connect()
        except OSError:
            return False
        return True

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def connection(self) -> _Connection:
        return _Connection(f"/proc/self/fd/{self._place}/{_SOCKET}", self._password)

    def end(self) -> None:
        if self._process is not None:
            program.end(self._process)
        os.close(self._place)
        shutil.rmtree(self._folder, ignore_errors=True)


class _Connection(http.client.HTTPConnection):
    """To a Unix socket. ``signed``: the headers that say who asks."""

    def __init__(self, path: str, password: str) -> None:
        super().__init__("localhost", timeout=ANSWER_SECONDS)
        self._path = path
        self.signed = {"Authorization": f"Basic {base64.b64encode(f'{_USER}:{password}'.encode()).decode()}"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(ANSWER_SECONDS)
        self.sock.connect(self._path)
