"""A server that answers what a test wants, at a port of this machine, and notes what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson

Act = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class FalseServer:
    """Where it is, and the requests that came: path and headers of each."""

    address: str
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def tokens(self) -> set[str]:
        """What came as a token."""
        return {headers["Authorization"] for _path, headers in self.seen if "Authorization" in headers}


@contextmanager
def false_server(act: Act) -> Iterator[FalseServer]:
    """Run a server that does this with each request."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.seen.append((self.path, dict(self.headers)))
            with suppress(OSError):  # whoever asked has had enough
                act(self)

        do_POST = do_GET  # noqa: N815 - the name that the base class looks for

        def log_message(self, *_what: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_which: Any) -> None:
            """Say nothing."""

    with Server(("127.0.0.1", 0), Handler) as server:
        made = FalseServer(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()


def answers(body: Any, status: int = 200, media_type: str = "application/json", **headers: str) -> Act:
    """Return what answers a body: bytes as they are, else as JSON."""
    sent = body if isinstance(body, bytes) else orjson.dumps(body)

    def act(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        own = {"Content-Type": media_type, "Content-Length": str(len(sent))}
        for name, value in (own | {name.replace("_", "-"): value for name, value in headers.items()}).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(sent)

    return act


def answers_forever(piece: bytes, media_type: str = "application/json") -> Act:
    """Return what never ends its answer."""

    def act(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", media_type)
        handler.end_headers()
        while True:
            handler.wfile.write(piece)

    return act
