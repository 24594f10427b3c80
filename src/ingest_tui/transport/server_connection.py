"""A server of ours at one address: TLS that is checked, a token that goes nowhere else, answers that are bounded."""

from __future__ import annotations

import os
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import (
    HTTPConnection,
    HTTPException,
    HTTPMessage,
    HTTPResponse,
    HTTPSConnection,
    IncompleteRead,
    LineTooLong,
)
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ingest_tui.model.errors import IngestError, UsageError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.transport.addresses import is_safe_for_secrets, is_this_machine
from ingest_tui.transport.connections import CONNECT_SECONDS

ANSWER_SECONDS = 300.0
"""How long a server may work on a request before it answers."""
WHOLE_SECONDS = 600.0
"""How long an answer may take from its first byte to its last one."""
LARGEST_ANSWER = 128 << 20
"""Bytes of an answer that is read into memory."""
LONGEST_LINE = 4 << 20
_PIECE = 1 << 16
_SOCKET_SCHEMES = frozenset({"unix", "http+unix"})
"""The second one is how a server names its own socket."""
_LONGEST_SOCKET_PATH = 100
_HTTP_FORMS = "write https://HOST, http://127.0.0.1:8765 or unix:///PATH"

_CUT_OFF = "ended its answer in the middle"

_FAILURES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str, str], ...] = (
    (ssl.SSLError, "does not speak TLS as this program does", "is it http:// rather than https://?"),
    (TimeoutError, "does not answer in time", "is it there, and not behind a firewall? Try again later"),
    (
        (ConnectionRefusedError, FileNotFoundError),
        "is not there: nothing listens",
        "does 'ingest-tui serve' run, at this address?",
    ),
    (socket.gaierror, "cannot be found: no host has this name", "is the name right?"),
    (ConnectionError, "ended the connection before it answered", "is it an 'ingest-tui serve'? Try again"),
    (IncompleteRead, _CUT_OFF, "try again"),
    (LineTooLong, "sends a header that is too long", "is it an 'ingest-tui serve'?"),
    (
        (HTTPException, ValueError),
        "does not answer in HTTP",
        "is it an 'ingest-tui serve', and are port and http:// or https:// right?",
    ),
)
"""What went wrong with a connection, and what to do; the first that fits counts."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a server is: ``base`` begins each address, ``socket`` is the path of a Unix socket, or None."""

    base: str
    socket: str | None = None

    @property
    def shown(self) -> str:
        """What a person calls it, safe to show."""
        return safe_display(self.base if self.socket is None else f"unix://{self.socket}", limit=200)

    @property
    def is_safe_for_secrets(self) -> bool:
        """Whether a token may be sent there."""
        return self.socket is not None or is_safe_for_secrets(self.base)

    @property
    def is_here(self) -> bool:
        """Whether it is this machine, which no proxy is asked for."""
        return self.socket is not None or is_this_machine(self.base)


def server_address(text: str) -> ServerAddress:
    """Return the address that a person gives; raises `UsageError` for what is none, without repeating a secret."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise UsageError("the address of the server is none", hint=_HTTP_FORMS) from None
    if "@" in parts.netloc:
        raise UsageError("the address of the server holds a name or a password", hint="--token-ref names a token")
    if parts.query or parts.fragment or any(ord(letter) <= ord(" ") for letter in text):
        raise UsageError(f"'{safe_display(text, limit=200)}' is no address of a server", hint=_HTTP_FORMS)
    if parts.scheme in _SOCKET_SCHEMES and not parts.netloc and parts.path.startswith("/"):
        return ServerAddress("http://localhost", parts.path)
    if parts.scheme not in {"http", "https"} or not host or port == 0:
        raise UsageError(f"'{safe_display(text, limit=200)}' is no address of a server", hint=_HTTP_FORMS)
    return ServerAddress(f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}")


class ReceivedAnswer(NamedTuple):
    """What a server answered: its status and headers, and the whole body."""

    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def media_type(self) -> str:
        """What the body is, as the server calls it."""
        return self.headers.get_content_type() if self.headers.get("Content-Type") else ""


class ServerConnection:
    """Asks a server, each time over a connection of its own. ``token`` is sent with each request, and nowhere else.

    Raises `UsageError` for a token that would be sent in the clear, and for a ``ca_file`` that is none.
    """

    def __init__(self, address: ServerAddress, *, token: str | None = None, ca_file: Path | None = None) -> None:
        if token is not None and not address.is_safe_for_secrets:
            raise UsageError(
                f"the token would be sent to {address.shown} in the clear", hint="serve with --tls-cert, use https://"
            )
        self.address = address
        self.answer_seconds, self.whole_seconds = ANSWER_SECONDS, WHOLE_SECONDS
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._opener = _opener_for(address, ca_file)

    def ask(
        self, method: str, target: str, body: bytes | Iterable[bytes] | None = None, headers: Mapping[str, str] = {}
    ) -> ReceivedAnswer:
        """Return the answer to a request, whatever its status; raises `IngestError` where there is none."""
        with self._opened(method, target, body, headers) as response:
            return ReceivedAnswer(response.status, response.headers, b"".join(self._pieces(response, LARGEST_ANSWER)))

    @contextmanager
    def stream(self, target: str, headers: Mapping[str, str] = {}) -> Iterator[tuple[HTTPResponse, Iterator[bytes]]]:
        """Give an answer whose body is read piece by piece, however large it is."""
        with self._opened("GET", target, None, headers) as response:
            yield response, self._pieces(response, None)

    def lines(self, response: HTTPResponse) -> Iterator[bytes]:
        """Yield the lines of an answer that goes on, without their ends."""
        with self._explained():
            while line := response.readline(LONGEST_LINE + 1):
                if len(line) > LONGEST_LINE:
                    raise self._too_large()
                yield line.rstrip(b"\r\n")

    @contextmanager
    def _opened(
        self, method: str, target: str, body: bytes | Iterable[bytes] | None, headers: Mapping[str, str]
    ) -> Iterator[HTTPResponse]:
        request = urllib.request.Request(  # noqa: S310 - http, https or a socket: see server_address
            f"{self.address.base}{target}", body, {**self._headers, **headers}, method=method
        )
        answer: HTTPResponse
        with self._explained():
            answer = self._opener.open(request, timeout=self.answer_seconds)
        with closing(answer):
            yield answer

    def _pieces(self, response: HTTPResponse, largest: int | None) -> Iterator[bytes]:
        """Yield what is in an answer; raises `IngestError` where it is larger, or takes too long, or is cut off."""
        expected = response.length
        read, until = 0, time.monotonic() + self.whole_seconds
        with self._explained():
            while piece := response.read1(_PIECE):
                read += len(piece)
                if largest is not None and (read > largest or time.monotonic() > until):
                    raise self._too_large()
                yield piece
        if expected is not None and read < expected:
            raise self._failure(_CUT_OFF, "try again")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except urllib.error.URLError as error:
            raise self._why(error.reason if isinstance(error.reason, OSError) else error) from None
        except (OSError, HTTPException, ValueError) as error:
            raise self._why(error) from None

    def _why(self, error: Exception) -> IngestError:
        if isinstance(error, ssl.SSLCertVerificationError):
            why = safe_display(error.verify_message or "it is not valid", limit=200)
            hint = "--ca-cert FILE names who signed it; the address must be one that it is for"
            return self._failure(f"has a certificate that cannot be trusted: {why}", hint, "server_certificate")
        for kind, what, hint in _FAILURES:
            if isinstance(error, kind):
                return self._failure(what, hint)
        why = safe_display(getattr(error, "strerror", None) or type(error).__name__, limit=200)
        return self._failure(
            f"cannot be reached: {why}", "is the address right, and does 'ingest-tui serve' run there?"
        )

    def _too_large(self) -> IngestError:
        return self._failure("sends more than an answer may be", "is it an 'ingest-tui serve'?", "server_answer")

    def _failure(self, what: str, hint: str, code: str = "server_unreachable") -> IngestError:
        return IngestError(f"the server {self.address.shown} {what}", hint=hint, code=code)


class _AnyStatus(urllib.request.HTTPErrorProcessor):
    """Gives each answer as it is. Where a redirect leads nobody has chosen, and the token is not for it."""

    def http_response(self, request: urllib.request.Request, response: HTTPResponse) -> HTTPResponse:
        del request
        return response

    https_response = http_response


class _Plain(HTTPConnection):
    """Connects within seconds, though the answer may take minutes."""

    def connect(self) -> None:
        answer_seconds, self.timeout = self.timeout, CONNECT_SECONDS
        super().connect()
        self.sock.settimeout(answer_seconds)


class _OverTls(HTTPSConnection):
    """Like `_Plain`, over TLS."""

    def connect(self) -> None:
        answer_seconds, self.timeout = self.timeout, CONNECT_SECONDS
        super().connect()
        self.sock.settimeout(answer_seconds)


class _PlainHandler(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_Plain, req)


class _TlsHandler(urllib.request.HTTPSHandler):
    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(context=context)
        self._tls = context

    def https_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_OverTls, req, context=self._tls)


class _SocketHandler(urllib.request.HTTPHandler):
    """Opens each address at a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def http_open(self, req: urllib.request.Request) -> Any:
        path = self._path

        class AtSocket(HTTPConnection):
            def connect(self) -> None:
                self.sock = socket.socket(socket.AF_UNIX)
                self.sock.settimeout(self.timeout)
                _connect(self.sock, path)

        return self.do_open(AtSocket, req)


def _connect(sock: socket.socket, path: str) -> None:
    """Connect to the socket at a path, whose address must be short: a long one is named from its open folder."""
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
        sock.connect(path)
        return
    folder = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY)  # noqa: PTH120 - of a text
    try:
        sock.connect(f"/proc/self/fd/{folder}/{os.path.basename(path)}")  # noqa: PTH119 - of a text
    finally:
        os.close(folder)


def _opener_for(address: ServerAddress, ca_file: Path | None) -> urllib.request.OpenerDirector:
    """Return what opens addresses: over TLS that is checked, by the proxy of the environment but on this machine."""
    handlers: list[Any] = [_AnyStatus, _PlainHandler if address.socket is None else _SocketHandler(address.socket)]
    if address.is_here:
        handlers.append(urllib.request.ProxyHandler({}))
    if address.base.startswith("https:"):
        try:
            handlers.append(_TlsHandler(ssl.create_default_context(cafile=ca_file)))
        except (OSError, ValueError):  # ssl.SSLError is an OSError
            raise UsageError(
                f"{safe_display(str(ca_file))} holds no certificate that can be read", hint="give a PEM file"
            ) from None
    return urllib.request.build_opener(*handlers)
