"""A server that webhooks call, which keeps what it is sent, hangs and refuses as a test wants."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any


class Receiver(http.server.ThreadingHTTPServer):
    """Keeps what it is sent; answers with each of ``answers`` once, then with 204, while ``is_open`` is set."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[int] = []
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.taken: list[bytes] = []  # of the calls, what was not refused
        self.is_open = threading.Event()
        self.is_open.set()

    @property
    def url(self) -> str:
        """Where it is called."""
        return f"http://127.0.0.1:{self.server_port}/hook"

    @contextlib.contextmanager
    def serving(self) -> Iterator[Receiver]:
        """Answer in a thread until the end of the block."""
        thread = threading.Thread(target=self.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            self.is_open.set()
            self.shutdown()
            thread.join()
            self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.is_open.wait(60)
        answer = self.server.answers.pop(0) if self.server.answers else HTTPStatus.NO_CONTENT
        self.server.calls.append(({name.lower(): value for name, value in self.headers.items()}, body))
        if answer == HTTPStatus.NO_CONTENT:
            self.server.taken.append(body)
        self.send_response(answer)
        self.send_header("Location", f"{self.server.url}/elsewhere")
        self.end_headers()

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""
