"""The host of pre-authenticated addresses: no token is wanted there, and an address does not last."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import parse_qs

from tests.graph_server.http_service import Handler, RefusalError
from tests.graph_server.items import Item
from tests.graph_server.state import Issued

_PIECE = 65_536
_RANGE = re.compile(r"bytes=(\d+)-\Z")


class DownloadHandler(Handler):
    """Answers under /download."""

    service = "downloads"

    def answer(self, method: str, path: str, query: str, body: bytes) -> None:
        knobs = self.state.knobs
        if self.headers.get("Authorization"):
            raise RefusalError(400, "invalidRequest", "A pre-authenticated address takes no Authorization header.")
        issued = self._issued(query)
        content = issued.item.read()
        found = _RANGE.match(self.headers.get("Range") or "")
        start = int(found[1]) if found and not knobs.ignore_range else 0
        if found and not knobs.ignore_range and start >= len(content):
            raise RefusalError(
                416, "invalidRange", "Out of range", headers={"Content-Range": f"bytes */{len(content)}"}
            )
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(len(content) - start)}
        if found and not knobs.ignore_range:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        status = 206 if "Content-Range" in headers else 200
        if knobs.chunked:
            del headers["Content-Length"]
            headers["Transfer-Encoding"] = "chunked"
        head = f"HTTP/1.1 {status} OK\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.wfile.write(f"{head}\r\n".encode())
        self._stream(issued.item, start, len(content))

    def _issued(self, query: str) -> Issued:
        with self.state.lock:
            ticket = (parse_qs(query).get("tempauth") or [""])[0]
            issued = self.state.downloads.get(ticket)
            if issued is None or issued.expires < time.monotonic():
                raise RefusalError(401, "unauthenticated", "The address has expired.")
            uses = self.state.knobs.download_uses
            if uses is not None and issued.uses >= uses:
                raise RefusalError(401, "unauthenticated", "The address was used up.")
            issued.uses += 1
            return issued

    def _stream(self, item: Item, start: int, end: int) -> None:
        """Send the bytes as they are at each moment: an item that changes meanwhile comes torn."""
        knobs = self.state.knobs
        revision = item.revision
        cut_at = start + knobs.cut_after if knobs.cut_after is not None and knobs.cut_times > 0 else None
        position = start
        while position < end:
            if cut_at is not None and position >= cut_at:
                knobs.cut_times -= 1
                self.close_connection = True
                return
            stop = min(position + _PIECE, end, cut_at if cut_at is not None else end)
            piece = item.read()[position:stop].ljust(stop - position, b"\0")
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" if knobs.chunked else piece)
            if knobs.slow_after is not None and position < knobs.slow_after <= stop:
                self._pause(item, revision)
            position = stop
        if knobs.chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _pause(self, item: Item, revision: int) -> None:
        until = time.monotonic() + self.state.knobs.slow_seconds
        while time.monotonic() < until and item.revision == revision:
            time.sleep(0.005)

    def do_HEAD(self) -> Any:  # noqa: N802
        self.send(405)
