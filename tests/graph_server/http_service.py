"""What the three services have in common: keep-alive HTTP, a record of requests, faults played on order."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import urlsplit

from tests.graph_server.state import Asked, State

REASONS = {302: "Found", 410: "Gone", 416: "Range Not Satisfiable", 423: "Locked", 429: "Too Many Requests"}


def error_body(code: str, message: str, inner_code: str | None = None) -> dict[str, Any]:
    """Return an error as Graph words it."""
    inner: dict[str, Any] = {
        "date": "2026-11-21T10:00:00",
        "request-id": str(uuid.uuid4()),
        "client-request-id": str(uuid.uuid4()),
    }
    if inner_code:
        inner["code"] = inner_code
    return {"error": {"code": code, "message": message, "innerError": inner}}


class RefusalError(Exception):
    """An answer other than success."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        inner_code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = error_body(code, message, inner_code)
        self.headers = dict(headers or {})


class Handler(BaseHTTPRequestHandler):
    """One connection. Subclasses answer with a status, headers and a body."""

    protocol_version = "HTTP/1.1"
    service: ClassVar[str]
    state: ClassVar[State]
    cut_after: int | None = None

    def answer(self, method: str, path: str, query: str, body: bytes) -> None:
        raise NotImplementedError

    def do_GET(self) -> None:
        self._handle("GET")

    def do_POST(self) -> None:
        self._handle("POST")

    def _handle(self, method: str) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if parts.path != "/control":
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.service, method, parts.path, parts.query, headers, time.time())
            self.state.asked.append(asked)
            fault = self.state.fault_for(self.service, f"{method} {asked.target}")
            self.cut_after = fault.after if fault is not None and fault.action == "cut" else None
            if fault is not None and fault.action != "cut":
                self._play(fault)
                return
        try:
            self.answer(method, parts.path, parts.query, body)
        except RefusalError as refusal:
            self.send(refusal.status, refusal.body, refusal.headers)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True

    def _play(self, fault: Any) -> None:
        if fault.action == "close":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif fault.action == "silence":
            time.sleep(fault.after)
            self.close_connection = True
        elif fault.action == "bare":
            link = f"{self.state.graph_url}/v1.0{self.path.partition('/v1.0')[2]}"
            self.send(200, {"@odata.deltaLink": link})
        elif fault.action == "html":
            self.send(200, b"<html>Please sign in to the proxy</html>", {"Content-Type": "text/html"})
        else:
            headers = self.state.retry_after(fault.retry_after)
            self.send(fault.status, error_body(fault.code, fault.message, fault.inner_code), headers)

    def send(self, status: int, body: dict[str, Any] | bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        """Send a whole answer in one piece."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = {"Content-Type": "application/json", **(headers or {}), "Content-Length": str(len(content))}
        head = f"HTTP/1.1 {status} {REASONS.get(status, 'Answer')}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n"
        if self.cut_after is not None and self.cut_after < len(content):
            content = content[: self.cut_after]
            self.close_connection = True
        try:
            self.wfile.write(head.encode() + content)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


class Service(ThreadingHTTPServer):
    """One listening service on loopback, with a thread for each connection."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, kind: type[Handler], state: State, *, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        bound = type(kind.__name__, (kind,), {"state": state})
        super().__init__(("127.0.0.1", port), bound)
        self._tls = tls
        self._connections: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def port(self) -> int:
        """The port that was given by the system."""
        return int(self.server_address[1])

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""

    def start(self) -> None:
        """Serve in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and hang up on everybody who keeps a connection."""
        self.shutdown()
        self.server_close()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.close()
