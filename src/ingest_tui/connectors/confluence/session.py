"""Asking Confluence: signed requests, answers as JSON, downloads in pieces.

Imports urllib3: load it only when a source is really reached.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import orjson
import urllib3

from ingest_tui.connectors.confluence.confluence_errors import AnswerError, not_confluence, unreachable
from ingest_tui.connectors.confluence.signing import Signature
from ingest_tui.transport.connections import READ_SECONDS, connections_to
from ingest_tui.transport.retry_after import seconds_to_wait

CONNECTIONS = 8
_PIECE = 1 << 18
_LARGEST_ANSWER = 64 * 2**20
_ANSWER_WAITS = 4
"""An answer must be whole in so many times the longest wait for its next part."""
_OK, _REDIRECTED, _REFUSED = 200, 300, 400
_MOST_REDIRECTS = 5
_HEADERS = {"Accept": "application/json", "User-Agent": "ingest-tui", "X-Atlassian-Token": "no-check"}


class ConfluenceSession:
    """Connections to one Confluence, used by several threads.

    Raises `AnswerError` for what is no success, `TransientSourceError` for what does not answer, and what the
    credential raises.
    """

    def __init__(self, base: str, signature: Signature) -> None:
        self.base = base
        self._signature = signature
        self._lock = threading.Lock()
        self._pools: dict[str, tuple[urllib3.HTTPConnectionPool, str]] = {}

    def close(self) -> None:
        """Close the connections; others are made if it is asked again."""
        with self._lock:
            pools, self._pools = self._pools, {}
        for pool, _prefix in pools.values():
            pool.close()

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the JSON object at a path below the base, which may have a query of its own."""
        target = f"{self.base}{path}" + (f"?{urlencode(query, doseq=True)}" if query else "")
        with self._answer(target, signed=True) as answer:
            content = _read(answer)
            if answer.status != _OK:
                raise _failure(answer, content)
        try:
            found = orjson.loads(content)
        except orjson.JSONDecodeError:
            raise not_confluence() from None
        if not isinstance(found, dict):
            raise not_confluence()
        return found

    @contextmanager
    def download(self, path: str) -> Iterator[Iterator[bytes]]:
        """Open what is at a path below the base. The secret goes to this Confluence alone, redirects are followed."""
        target, signed = f"{self.base}{path}", True
        for _ in range(_MOST_REDIRECTS):
            with self._answer(target, signed=signed) as answer:
                place = answer.headers.get("Location")
                if _REDIRECTED <= answer.status < _REFUSED and place:
                    target = _redirected(target, place)
                    signed = signed and _host_of(target) == _host_of(self.base)
                    continue
                if answer.status != _OK:
                    raise _failure(answer, _read(answer))
                yield _pieces(answer)
                return
        raise AnswerError(0, "it leads round in circles")

    @contextmanager
    def _answer(self, target: str, *, signed: bool) -> Iterator[urllib3.BaseHTTPResponse]:
        headers = _HEADERS | (self._signature.headers() if signed else {})
        pool, prefix = self._connections(target)
        parts = urlsplit(target)
        try:
            answer = pool.urlopen(
                "GET",
                f"{prefix}{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}",
                headers=headers,
                redirect=False,
                retries=False,
                preload_content=False,
            )
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise unreachable(error) from None
        is_read = False
        try:
            yield answer
            is_read = True
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise unreachable(error) from None
        finally:
            if is_read and answer.status == _OK:
                answer.release_conn()
            else:  # the rest of it would be taken for the next answer
                answer.close()

    def _connections(self, target: str) -> tuple[urllib3.HTTPConnectionPool, str]:
        host = _host_of(target)
        if not host.startswith(("http://", "https://")):
            raise AnswerError(0, "it leads to what is no address of a page")
        with self._lock:
            if host not in self._pools:
                self._pools[host] = connections_to(host, CONNECTIONS)
            return self._pools[host]


def _redirected(target: str, place: str) -> str:
    """Return where a redirect leads; never from TLS to what others can read and change on the way."""
    try:
        to = urljoin(target, place)
    except ValueError:
        raise AnswerError(0, "it leads to what is no address of a page") from None
    if target.startswith("https://") and not to.startswith("https://"):
        raise AnswerError(0, "it leads away from https")
    return to


def _host_of(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _read(answer: urllib3.BaseHTTPResponse) -> bytes:
    """Return a whole answer, for which there is only so much time: a byte now and then is never late by itself."""
    content, deadline = bytearray(), time.monotonic() + _ANSWER_WAITS * READ_SECONDS
    for piece in _pieces(answer):
        content += piece
        if len(content) > _LARGEST_ANSWER or time.monotonic() > deadline:
            raise not_confluence()
    return bytes(content)


def _pieces(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    while piece := answer.read(_PIECE, decode_content=True):
        yield piece


def _failure(answer: urllib3.BaseHTTPResponse, content: bytes) -> AnswerError:
    return AnswerError(answer.status, _words_in(content), seconds_to_wait(answer.headers.get("Retry-After")))


def _words_in(content: bytes) -> str:
    """Return what an error of Confluence says, as far as it says it in JSON: a page of a proxy is not quoted."""
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        return ""
    if not isinstance(found, dict):
        return ""
    errors = found.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    words = found.get("message") or first.get("title") or ""
    return words if isinstance(words, str) else ""
