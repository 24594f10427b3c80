"""Requests to one site: at its pace, to where it may lead, and never for longer or more than was agreed."""

from __future__ import annotations

import logging
import os
import socket
import ssl
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from ingest_tui.connectors.web.decoding import CAN_UNPACK, unpacked
from ingest_tui.connectors.web.guard import Deadline, PrivateAddressError, deadline, watch
from ingest_tui.connectors.web.politeness import pace_of
from ingest_tui.connectors.web.web_errors import RequestFailedError, refusal
from ingest_tui.model.safe_text import safe_display
from ingest_tui.transport.connections import CONNECT_SECONDS, proxy_headers
from ingest_tui.transport.public_addresses import is_public
from ingest_tui.transport.retry_after import seconds_to_wait
from ingest_tui.version import __version__

AGENT = "ingest-tui"
"""By what name robots.txt knows us."""
READ_SECONDS = 30.0
PAGE_SECONDS = 120.0
"""How long a page may take from the request to its last byte."""
FILE_SECONDS = 3600.0
_CONNECTIONS = 4
_PIECE = 1 << 16
_OK, _REDIRECTS, _UNCHANGED = 200, frozenset({301, 302, 303, 307, 308}), 304

# At DEBUG, urllib3 logs the path and query of each request, which may hold a token.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


class SiteAnswer:
    """What a site answered with success: a page, the word that it is unchanged, or where it is to be found."""

    def __init__(self, address: str, response: urllib3.BaseHTTPResponse, until: Deadline) -> None:
        self.headers = response.headers
        self.is_unchanged = response.status == _UNCHANGED
        location = response.headers.get("Location", "")
        self.leads_to = urljoin(address, location.strip()) if response.status in _REDIRECTS else None
        self._response = response
        self._until = until

    @property
    def media_type(self) -> str:
        """What the site calls it, in lower case."""
        return str(self.headers.get("Content-Type", "")).partition(";")[0].strip().lower()

    @property
    def size(self) -> int | None:
        """How many bytes it has, where the site says so and packs them in nothing."""
        length = str(self.headers.get("Content-Length", ""))
        is_plain = self.headers.get("Content-Encoding", "identity").strip().lower() in {"", "identity"}
        return int(length) if length.isascii() and length.isdigit() and len(length) < 19 and is_plain else None  # noqa: PLR2004

    def pieces(self) -> Iterator[bytes]:
        """Yield the body as it is read."""
        return unpacked(self._received(), str(self.headers.get("Content-Encoding", "")))

    def read(self, most: int) -> bytes:
        """Return the body, or its first ``most`` bytes and one more where it is longer."""
        received = bytearray()
        for piece in self.pieces():
            received += piece
            if len(received) > most:
                break
        return bytes(received[: most + 1])

    def _received(self) -> Iterator[bytes]:
        with failing_as_requests():
            is_empty = True
            while piece := self._response.read1(_PIECE, decode_content=False):
                is_empty = False
                yield piece
            # Without a length the end of the connection is that of the body, and perhaps that of the headers.
            says_its_end = "Content-Length" in self.headers or "Transfer-Encoding" in self.headers
            if self._until.is_over or (is_empty and not says_its_end):
                raise ConnectionError


class WebClient:
    """Asks one host. ``sign_in`` returns the headers that sign in, for each request again."""

    def __init__(
        self, origin: str, *, allow_private: bool, delay: float, sign_in: Callable[[], dict[str, str]]
    ) -> None:
        self._origin = origin
        self._host = urlsplit(origin).hostname or ""
        self._allows_private = allow_private
        self.delay = delay
        self._sign_in = sign_in
        self._manager: urllib3.PoolManager | None = None

    @contextmanager
    def get(
        self, address: str, known: dict[str, str] | None = None, *, seconds: float | None = None
    ) -> Iterator[SiteAnswer]:
        """Ask for an address of the site; ``known`` are the headers of a conditional request.

        Raises `RequestFailedError` unless there is a page, a redirect or the word that nothing changed.
        """
        manager = self._connections()
        pace_of(self._host).wait(self.delay)
        headers = {"User-Agent": f"{AGENT}/{__version__}", "Accept-Encoding": CAN_UNPACK, **(known or {})}
        with failing_as_requests(), deadline(seconds or PAGE_SECONDS) as until:
            response = manager.urlopen(
                "GET",
                address,
                headers={**headers, **self._sign_in()},
                preload_content=False,
                decode_content=False,
                redirect=False,
                retries=False,
            )
            is_read = False
            try:
                is_expected = (
                    response.status == _OK or response.status in _REDIRECTS or (known and response.status == _UNCHANGED)
                )
                if not is_expected:
                    raise refusal(response.status, seconds_to_wait(response.headers.get("Retry-After")))
                yield SiteAnswer(address, response, until)
                is_read = response.closed or response.length_remaining == 0
                if is_read:
                    response.drain_conn()  # of nothing, so that the connection is free
            finally:
                # What was not read to its end is not drained: it may have none.
                response.release_conn() if is_read else response.close()

    def _connections(self) -> urllib3.PoolManager:
        if self._manager is None:
            self._manager = self._made()
        return self._manager

    def _made(self) -> urllib3.PoolManager:
        scheme = urlsplit(self._origin).scheme
        tls = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None) if scheme == "https" else None
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        proxy = urllib.request.getproxies().get(scheme)
        if proxy and not urllib.request.proxy_bypass(self._host):
            self._check_for_proxy()
            proxy = proxy if "://" in proxy else f"http://{proxy}"
            by_proxy = urllib3.ProxyManager(
                proxy, 2, proxy_headers=proxy_headers(proxy), maxsize=_CONNECTIONS, timeout=timeout, ssl_context=tls
            )
            return watch(by_proxy, guarded=False)
        direct = urllib3.PoolManager(2, maxsize=_CONNECTIONS, timeout=timeout, ssl_context=tls)
        return watch(direct, guarded=not self._allows_private)

    def _check_for_proxy(self) -> None:
        """Raise `RequestFailedError` for a private address: other names are for the proxy to find, and to refuse."""
        host = self._host.strip("[]")
        is_literal = ":" in host or host.replace(".", "").isdigit()
        if not self._allows_private and (host == "localhost" or (is_literal and not is_public(host))):
            raise _private(host)

    def close(self) -> None:
        """Close what is connected."""
        if self._manager is not None:
            self._manager.clear()
            self._manager = None


@contextmanager
def failing_as_requests() -> Iterator[None]:
    """Raise `RequestFailedError` for what goes wrong with a connection."""
    try:
        yield
    except PrivateAddressError as error:
        raise _private(str(error)) from None
    except (HTTPError, OSError, ValueError) as error:
        raise _network_failure(error) from None


def _private(host: str) -> RequestFailedError:
    return RequestFailedError(
        f"{safe_display(host)} has no address of the public internet, which is not read unless that is allowed",
        reason="private_address",
    )


def _network_failure(error: Exception) -> RequestFailedError:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, (ssl.SSLCertVerificationError, socket.gaierror)):
        inner = cause.args[1] if len(cause.args) > 1 and isinstance(cause.args[1], BaseException) else None
        cause = inner or cause.__cause__ or getattr(cause, "reason", None)
        cause = cause if isinstance(cause, BaseException) else None
    if isinstance(cause, ssl.SSLCertVerificationError):
        why = safe_display(cause.verify_message or "it is not valid", limit=200)
        return RequestFailedError(f"the certificate of the site cannot be trusted: {why}", reason="certificate")
    if isinstance(cause, socket.gaierror):
        return RequestFailedError("no host of this name is found", reason="network", may_pass=True)
    return RequestFailedError("the site cannot be reached, or ended the connection", reason="network", may_pass=True)
