"""A bucket that exists only as a rule: as many keys as a test wants, bodies of any size, and nothing stored.

It speaks just enough S3 for what a real server would take too long to be filled for, or does not offer: pages with
tokens, names to begin behind, folders, restored archives, and objects of gigabytes. It keeps count of its requests.
"""

from __future__ import annotations

import ssl
import threading
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, quote_from_bytes, unquote_to_bytes, urlsplit

ETAG = "0123456789abcdef0123456789abcdef-2"
_ZEROS = bytes(1 << 18)


@dataclass
class FakeBucket:
    """``keys`` in the order in which the store lists them. ``knows_start_after``: off, like stores that ignore it."""

    keys: Sequence[bytes] = ()
    size: int = 1
    storage_class: str = "STANDARD"
    restored: frozenset[bytes] = frozenset()
    knows_start_after: bool = True
    knows_if_match: bool = True
    knows_ranges: bool = True
    refuses_restore_status: bool = False
    etag: str = ETAG
    body: bytes | None = None
    tls: ssl.SSLContext | None = None
    answer_headers: dict[str, str] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    asked_with: list[dict[str, str]] = field(default_factory=list)
    modified: dict[bytes, str] = field(default_factory=dict)
    listed_with: list[dict[str, str]] = field(default_factory=list)
    refused_tokens: set[str] = field(default_factory=set)

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"served": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def settings(self) -> dict[str, Any]:
        """Settings of an S3 source that lead here."""
        scheme = "http" if self.tls is None else "https"
        url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"
        return {"bucket": "fake", "endpoint_url": url, "anonymous": True}

    @property
    def listings(self) -> int:
        """How many pages were asked for."""
        return sum("list-type" in request for request in self.requests)

    def page(self, query: dict[str, str]) -> str:
        """Return the XML of a page."""
        prefix, delimiter = unquote_to_bytes(query.get("prefix", "")), query.get("delimiter", "").encode()
        limit = int(query.get("max-keys", 1000))
        position = int(query["continuation-token"]) if "continuation-token" in query else self._start(query)
        contents: list[str] = []
        folders: list[bytes] = []
        while position < len(self.keys) and len(contents) + len(folders) < limit:
            key = self.keys[position]
            position += 1
            if not key.startswith(prefix):
                continue
            below = key[len(prefix) :]
            if delimiter and delimiter in below:
                folder = prefix + below.partition(delimiter)[0] + delimiter
                if not folders or folders[-1] != folder:
                    folders.append(folder)
                while position < len(self.keys) and self.keys[position].startswith(folder):
                    position += 1
            else:
                contents.append(self._entry(key))
        truncated = position < len(self.keys)
        token = f"<NextContinuationToken>{position}</NextContinuationToken>" if truncated else ""
        prefixes = "".join(
            f"<CommonPrefixes><Prefix>{quote_from_bytes(folder)}</Prefix></CommonPrefixes>" for folder in folders
        )
        return (
            '<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<EncodingType>url</EncodingType><IsTruncated>{str(truncated).lower()}</IsTruncated>{token}"
            f"{''.join(contents)}{prefixes}</ListBucketResult>"
        )

    def _start(self, query: dict[str, str]) -> int:
        after = unquote_to_bytes(query.get("start-after", ""))
        return bisect_right(self.keys, after) if after and self.knows_start_after else 0

    def _entry(self, key: bytes) -> str:
        status = "<RestoreExpiryDate>2027-01-01T00:00:00Z</RestoreExpiryDate>" if key in self.restored else ""
        return (
            f"<Contents><Key>{quote_from_bytes(key)}</Key>"
            f"<LastModified>{self.modified.get(key, '2026-11-21T06:31:05.000Z')}</LastModified>"
            f'<ETag>"{self.etag}"</ETag><Size>{self.size}</Size><StorageClass>{self.storage_class}</StorageClass>'
            f"<RestoreStatus>{status}</RestoreStatus></Contents>"
        )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served: FakeBucket

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is given
        pass

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = (
            {
                name: values[0]
                for name, values in parse_qs(parts.query, keep_blank_values=True, encoding="latin-1").items()
            }
            if parts.query
            else {}
        )
        self.served.requests.append(f"{self.command} {self.path}")
        self.served.asked_with.append({name.lower(): value for name, value in self.headers.items()})
        if "list-type" in query:
            self._list(query)
        else:
            self._get()

    do_HEAD = do_GET  # noqa: N815 - the name is given

    def _list(self, query: dict[str, str]) -> None:
        self.served.listed_with.append(dict(self.headers.items()))
        if self.served.refuses_restore_status and "x-amz-optional-object-attributes" in self.headers:
            self._answer(501, b"<Error><Code>NotImplemented</Code></Error>")
            return
        if query.get("continuation-token") in self.served.refused_tokens:
            self._answer(400, b"<Error><Code>InvalidArgument</Code></Error>")
            return
        query = {name: quote_from_bytes(value.encode("latin-1")) for name, value in query.items()}
        self._answer(200, self.served.page(query).encode())

    def _get(self) -> None:
        bucket = self.served
        if bucket.knows_if_match and self.headers.get("if-match", f'"{bucket.etag}"') != f'"{bucket.etag}"':
            self._answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
            return
        start = 0
        if bucket.knows_ranges and "range" in self.headers:
            start = int(self.headers["range"].removeprefix("bytes=").removesuffix("-"))
        size = bucket.size if bucket.body is None else len(bucket.body)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        for name, value in {"ETag": f'"{bucket.etag}"', **bucket.answer_headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(size - start))
        self.end_headers()
        if bucket.body is not None:
            self.wfile.write(bucket.body[start:])
            return
        left = size - start
        while left > 0:
            self.wfile.write(_ZEROS[: min(left, len(_ZEROS))])
            left -= len(_ZEROS)

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
