"""Requests to sites that mean harm: private addresses, bodies without end, and answers that never come."""

from __future__ import annotations

import gzip
import socket
import threading
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Self

import pytest

from ingest_tui.connectors.web import client as client_module
from ingest_tui.connectors.web import guard
from ingest_tui.connectors.web.client import WebClient
from ingest_tui.connectors.web.config import LARGEST_PAGE
from ingest_tui.connectors.web.connector import WebConnector
from ingest_tui.connectors.web.decoding import unpacked
from ingest_tui.connectors.web.web_errors import RequestFailedError
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.errors import ItemError, SourceAccessError, ValidationError
from tests.conformance.connectors.web_site import FakeRegistry
from tests.servers.web_site import Page, WebSiteServer
from tests.unit.connectors.web.conftest import Connect

Handler = Callable[[socket.socket, bytes], None]


class RawServer:
    """Answers each connection with what a function sends, until the end of the block."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._threads: list[threading.Thread] = []
        self.ended = threading.Event()

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_error: object) -> None:
        self.ended.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join()

    def _start(self, target: Callable[[], None]) -> None:
        self._threads.append(threading.Thread(target=target))
        self._threads[-1].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _address = self._socket.accept()
            except OSError:
                return
            self._start(partial(self._serve, connection))

    def _serve(self, connection: socket.socket) -> None:
        with closing(connection):
            try:
                request = connection.recv(65536)
                self._handler(connection, request)
            except OSError:
                pass


def client_of(url: str, *, allow_private: bool = True) -> WebClient:
    return WebClient(url, allow_private=allow_private, delay=0, sign_in=dict)


def endless(part: bytes) -> Iterator[bytes]:
    """Yield the same for ever."""
    while True:
        yield part


def test_private_addresses_are_refused_unless_allowed(server: WebSiteServer, connect: Connect) -> None:
    """Of this machine, by address and by name; nothing is sent there."""
    port = server.server_port
    for url in (f"http://127.0.0.1:{port}/", f"http://localhost:{port}/", f"http://2130706433:{port}/"):
        connector = connect(url=url, allow_private=False)
        with pytest.raises(SourceAccessError, match="public internet") as caught:
            next(connector.list())
        assert "--allow-private" in caught.value.hint
    assert not server.requests


def test_a_name_that_changes_its_address_leads_nowhere_else(
    server: WebSiteServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name is looked up once for a connection, and the address that was checked is the one connected to."""
    answers = iter(["8.8.8.8", "127.0.0.1"])
    looked_up: list[str] = []
    connected: list[str] = []

    def find(host: str, port: int, **_more: object) -> list[tuple[object, ...]]:
        looked_up.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    def connect(address: tuple[str, int], *_more: object, **_named: object) -> socket.socket:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", find)
    monkeypatch.setattr(guard, "create_connection", connect)
    client = client_of(f"http://site.example:{server.server_port}", allow_private=False)
    for _ in range(2):
        with pytest.raises(RequestFailedError) as caught, client.get("http://site.example/"):
            pass
    assert caught.value.reason == "private_address"
    assert (looked_up, connected) == (["site.example"] * 2, ["8.8.8.8"])


def test_a_proxy_is_not_asked_for_private_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a proxy would find there cannot be checked here, but an address that is written out can."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    for host in ("127.0.0.1", "localhost", "[::1]"):
        client = client_of(f"http://{host}", allow_private=False)
        with pytest.raises(RequestFailedError) as caught, client.get(f"http://{host}/"):
            pass
        assert caught.value.reason == "private_address"


def test_an_answer_without_body_leaves_its_connection_in_order(server: WebSiteServer) -> None:
    """A redirect, or the word that nothing changed: the next request goes over the same connection."""
    server.pages |= {"/a": Page(status=301, headers={"Location": "/b"}), "/b": Page(b"<p>b")}
    client = client_of(server.url)
    for _ in range(2):
        with client.get(f"{server.url}/a") as answer:
            assert answer.leads_to == f"{server.url}/b"
        with client.get(f"{server.url}/b", {"If-None-Match": server.pages["/b"].etag}) as answer:
            assert answer.is_unchanged
    with client.get(f"{server.url}/b") as answer:
        assert answer.read(100) == b"<p>b"
    client.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_is_told_the_name_that_it_asks_for(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Name and password of its address."""
    heard: list[bytes] = []

    def answer(connection: socket.socket, request: bytes) -> None:
        heard.append(request)
        connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    with RawServer(answer) as proxy:
        monkeypatch.setenv(f"{scheme}_proxy", proxy.url.replace("://", "://reader:word@"))
        monkeypatch.setenv("no_proxy", "")
        client = client_of(f"{scheme}://example.org", allow_private=False)
        with pytest.raises(RequestFailedError), client.get(f"{scheme}://example.org/"):
            pass
    assert b": Basic " + b64encode(b"reader:word") in heard[0]


def test_a_body_without_end_is_read_to_a_limit() -> None:
    """No more of it than was asked for, whether its length is said or not."""

    def send(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
        for part in endless(b"<p>" * 20_000):
            connection.sendall(part)

    with RawServer(send) as server, client_of(server.url).get(f"{server.url}/") as answer:
        assert len(answer.read(100_000)) == 100_001


def test_a_packed_bomb_is_unpacked_to_a_limit() -> None:
    """A piece is never larger than it may be, and what is too much is not unpacked at all."""
    bomb = gzip.compress(bytes(20_000_000))
    pieces = unpacked(iter([bomb]), "gzip")
    assert all(len(next(pieces)) <= 1 << 16 for _ in range(10))
    page = b"<html>" + bytes(LARGEST_PAGE)
    assert b"".join(unpacked(iter([gzip.compress(page[:5]), gzip.compress(page[5:100])]), "gzip")) == page[:100]
    assert b"".join(unpacked(iter([zlib.compress(page[:100])]), "deflate")) == page[:100]


@pytest.mark.parametrize(
    ("sent", "encoding", "reason"),
    [
        (gzip.compress(b"x" * 1000)[:20], "gzip", "network"),
        (b"no gzip at all", "gzip", "malformed"),
        (b"x", "br", "malformed"),
    ],
)
def test_what_cannot_be_unpacked_is_a_failure(sent: bytes, encoding: str, reason: str) -> None:
    """Half of it, something else, or packed in a way that was not asked for."""
    with pytest.raises(RequestFailedError) as caught:
        list(unpacked(iter([sent]), encoding))
    assert caught.value.reason == reason


@pytest.mark.parametrize("slow", ["head", "body"])
def test_an_answer_that_trickles_is_given_up(slow: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then keeps nobody waiting beyond the time that a page may take."""
    monkeypatch.setattr(client_module, "PAGE_SECONDS", 1.0)
    ended = threading.Event()

    def send(connection: socket.socket, _request: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
        connection.sendall(head if slow == "head" else head + b"Content-Length: 100000\r\n\r\n")
        while not ended.wait(0.05):
            connection.sendall(b"X")

    with RawServer(send) as server:
        with pytest.raises(RequestFailedError) as caught, client_of(server.url).get(f"{server.url}/") as answer:
            answer.read(100_000)
        ended.set()
    assert (caught.value.reason, caught.value.may_pass) == ("network", True)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Type: te",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 500 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA:" + b"x" * 200_000,
    ],
)
def test_what_is_no_answer_is_a_failure_that_may_pass(said: bytes) -> None:
    """No word, nonsense, headers without end."""
    with RawServer(lambda connection, _request: connection.sendall(said)) as server:
        with pytest.raises(RequestFailedError) as caught, client_of(server.url).get(f"{server.url}/") as answer:
            answer.read(1000)
        assert caught.value.may_pass


def test_rules_of_any_size_are_read_to_a_limit(server: WebSiteServer, connect: Connect) -> None:
    """A robots.txt of ten megabytes counts as far as RFC 9309 has it."""
    rules = b"User-agent: *\nDisallow: /first\n" + b"Allow: /aaaaaaaaaaaa\n" * 500_000 + b"Disallow: /last\n"
    server.pages |= {"/": Page(b"<p>"), "/robots.txt": Page(rules, "text/plain")}
    robots = connect()._rules()
    assert not robots.allows(f"{server.url}/first")
    assert robots.allows(f"{server.url}/last")


def test_a_page_made_anew_for_each_reader_is_taken(server: WebSiteServer, connect: Connect) -> None:
    """It is never as it was listed; one that changed once, and then stays, is told."""
    counter = iter(range(1000))
    server.generate = lambda target: Page(f"<p>{next(counter)}".encode(), has_tag=False) if target == "/" else None
    connector = connect()
    ((descriptor,),) = [page.descriptors for page in connector.list()]
    with connector.fetch(descriptor) as pieces:
        assert b"".join(pieces) == b"<p>2"
    server.pages["/"] = Page(b"<p>another", has_tag=False)
    with pytest.raises(ItemError) as caught, connector.fetch(descriptor) as pieces:
        list(pieces)
    assert caught.value.reason == "changed_while_read"


def test_a_file_without_any_word_of_its_state_is_compared(server: WebSiteServer, connect: Connect) -> None:
    """By its bytes, when it is listed and when it is read; so is one that changed within the last minute."""
    server.pages |= {"/": Page(b'<a href="a.bin">'), "/a.bin": Page(b"one", "application/octet-stream", has_tag=False)}

    def found() -> Descriptor:
        (descriptor,) = [one for page in connect().list() for one in page.descriptors if one.key == "a.bin"]
        return descriptor

    before = found()
    assert before == found()
    server.pages["/a.bin"] = Page(b"two", "application/octet-stream", has_tag=False)
    assert found().fingerprint != before.fingerprint
    with pytest.raises(ItemError) as caught, connect().fetch(before) as pieces:
        list(pieces)
    assert caught.value.reason == "changed_while_read"


def test_a_page_that_leads_elsewhere_when_it_is_read_is_not_what_was_listed(
    server: WebSiteServer, connect: Connect
) -> None:
    """A redirect is not followed: it may lead to a page of errors."""
    server.pages["/"] = Page(b"<p>one")
    connector = connect()
    ((descriptor,),) = [page.descriptors for page in connector.list()]
    server.pages["/"] = Page(status=302, headers={"Location": "/sorry"})
    with pytest.raises(ItemError) as caught, connector.fetch(descriptor):
        pass
    assert caught.value.reason == "changed_while_read"


def test_a_secret_is_not_sent_in_the_clear() -> None:
    """A credential is for https alone, or for this machine."""
    connector = WebConnector({"url": "http://example.org/", "credential": "site"}, credentials=FakeRegistry())
    with pytest.raises(ValidationError, match="in the clear"):
        connector.check_credential()
    with pytest.raises(ValidationError, match="in the clear"):
        next(connector.list())
