"""Serves the repositories of a folder over HTTP, by git's own ``http-backend``."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from pathlib import Path
from types import TracebackType
from typing import Self

NAME = "robot"
PASSWORD = "canary of the git server"


class GitServer:
    """Listens on a free port of this machine, as a context manager; asks for a password while ``asks``."""

    def __init__(self, folder: Path, *, asks: bool = False) -> None:
        self.folder = folder
        self.asks = asks
        self.name, self.password = NAME, PASSWORD
        self.heard: list[str | None] = []
        """What requests had as ``Authorization``."""
        self.holds_after: int | None = None
        """After so many bytes an answer goes on only once `release` is called."""
        self._released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.release()
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()

    def lets_in(self, authorization: str | None) -> bool:
        """Whether a request may be answered."""
        self.heard.append(authorization)
        right = base64.b64encode(f"{self.name}:{self.password}".encode()).decode()
        return not self.asks or authorization == f"Basic {right}"

    def release(self) -> None:
        """Let answers that are held go on."""
        self._released.set()

    def write(self, body: bytes, stream: BufferedIOBase) -> None:
        """Send the body of an answer."""
        if self.holds_after is not None and len(body) > self.holds_after:
            stream.write(body[: self.holds_after])
            stream.flush()
            self._released.wait()
            body = body[self.holds_after :]
        with suppress(ConnectionError):
            stream.write(body)


def _handler_of(site: GitServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if site.lets_in(self.headers["Authorization"]):
                self._answer(*_backend(site.folder, self))
            else:
                self._answer(401, [("WWW-Authenticate", 'Basic realm="git"')], b"")

        do_POST = do_GET  # noqa: N815 - the name that http.server looks for

        def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            site.write(body, self.wfile)

        def log_message(self, *_about: object) -> None:
            """Keep quiet."""

    return Handler


def _backend(folder: Path, request: BaseHTTPRequestHandler) -> tuple[int, list[tuple[str, str]], bytes]:
    """Answer a request as a CGI program does (RFC 3875)."""
    path, _, query = request.path.partition("?")
    length = int(request.headers["Content-Length"] or 0)
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_PROJECT_ROOT": str(folder),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        "REQUEST_METHOD": request.command,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_TYPE": request.headers["Content-Type"] or "",
        "CONTENT_LENGTH": str(length),
        "HTTP_CONTENT_ENCODING": request.headers["Content-Encoding"] or "",
        "GIT_PROTOCOL": request.headers["Git-Protocol"] or "",
    }
    done = subprocess.run(
        ["git", "http-backend"], input=request.rfile.read(length), capture_output=True, check=False, env=environment
    )
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in head.decode().splitlines())]
    status = next((int(value.split()[0]) for name, value in headers if name == "Status"), 200)
    return status, [one for one in headers if one[0] != "Status"], body
