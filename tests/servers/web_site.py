"""A web site in a thread: pages and files by path, and what goes wrong with them as a test wants."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

OK, UNCHANGED, NOT_FOUND, THROTTLED = 200, 304, 404, 429


@dataclass
class Page:
    """What is at a path. ``has_tag``: it comes with an ETag, which follows from the content unless headers say so."""

    content: bytes = b""
    media_type: str = "text/html; charset=utf-8"
    status: int = OK
    headers: dict[str, str] = field(default_factory=dict)
    has_tag: bool = True

    @property
    def etag(self) -> str:
        """The ETag."""
        return self.headers.get("ETag", f'"{hashlib.sha256(self.content).hexdigest()[:16]}"')


@dataclass
class SiteFault:
    """What is done to ``times`` requests for paths that it is meant for, after ``skip`` of them."""

    meant_for: Callable[[str], bool]
    times: float
    skip: int = 0
    page: Page | None = None
    cut_after: int | None = None
    hangs: bool = False
    least: int = 0
    done: int = 0


class WebSiteServer(http.server.ThreadingHTTPServer):
    """Serves ``pages`` by target (path and query), or what ``generate`` makes of a target that is none of them."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages: dict[str, Page] = {}
        self.generate: Callable[[str], Page | None] = lambda _target: None
        self.faults: list[SiteFault] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.ended = threading.Event()
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self.server_port}"

    @contextlib.contextmanager
    def serving(self) -> Iterator[WebSiteServer]:
        """Answer in a thread until the end of the block."""
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            self.ended.set()
            self.shutdown()
            thread.join()
            self.server_close()

    def asked(self) -> list[str]:
        """The targets that were asked for, in order."""
        return [target for target, _headers in self.requests]

    def page(self, target: str) -> Page:
        """What is at a target now."""
        return self.pages.get(target) or self.generate(target) or Page(b"<p>none</p>", status=NOT_FOUND)

    def fault_at(self, target: str, size: int) -> SiteFault | None:
        """The fault that strikes a request, counted."""
        with self._lock:
            for fault in self.faults:
                if fault.times > 0 and size >= fault.least and fault.meant_for(target):
                    if fault.skip > 0:
                        fault.skip -= 1
                        continue
                    fault.times -= 1
                    fault.done += 1
                    return fault
        return None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: WebSiteServer
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self.server.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        page = self.server.page(self.path)
        fault = self.server.fault_at(self.path, len(page.content))
        if fault is not None and fault.hangs:
            self.server.ended.wait(60)
            self.close_connection = True
            return
        if fault is not None and fault.cut_after == 0:
            self._cut()
            return
        if fault is not None and fault.page is not None:
            page = fault.page
        self._answer(page, fault.cut_after if fault is not None else None)

    def _answer(self, page: Page, cut_after: int | None) -> None:
        is_known = page.status == OK and page.has_tag and self.headers.get("If-None-Match") == page.etag
        self.send_response(UNCHANGED if is_known else page.status)
        if page.has_tag and page.status == OK and "ETag" not in page.headers:
            self.send_header("ETag", page.etag)
        for name, value in page.headers.items():
            self.send_header(name, value)
        if is_known:
            self.end_headers()
            return
        self.send_header("Content-Type", page.media_type)
        self.send_header("Content-Length", str(len(page.content)))
        self.end_headers()
        self.wfile.write(page.content[:cut_after])
        if cut_after is not None:
            self._cut()

    def _cut(self) -> None:
        """End the connection without a word."""
        self.wfile.flush()
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""
