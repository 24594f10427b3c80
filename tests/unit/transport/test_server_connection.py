"""The way to a server: proxies that the environment names, but for this machine, and a token that they never see."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest

from ingest_tui.model.errors import IngestError
from ingest_tui.transport.server_connection import ServerConnection, server_address
from tests.servers.certificates import own_certificate
from tests.servers.false_server import answers, false_server

ELSEWHERE = "127.0.0.2"
"""An address that is not taken for this machine, and at which nobody listens."""
NOBODY = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test names its own."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.mark.parametrize(
    ("address", "is_here"),
    [("http://127.0.0.1:8765", True), ("https://localhost:1/x", True), ("https://[::1]", True), ("unix:///s", True),
     ("https://127.0.0.1.example.org", False), ("http://192.0.2.1", False), ("https://ingest.example.org", False)],
)  # fmt: skip
def test_this_machine_is_told_from_others(address: str, is_here: bool) -> None:
    """By the whole name, over TLS or not."""
    assert server_address(address).is_here == is_here


def test_a_proxy_is_asked_for_other_machines_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP_PROXY is; NO_PROXY takes an address out, and this machine is never asked for through one."""
    elsewhere = f"http://{ELSEWHERE}:9"
    with false_server(answers({"by": "the proxy"})) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.address)
        assert connected(elsewhere).ask("GET", "/health").body == b'{"by":"the proxy"}'
        assert [path for path, _headers in proxy.seen] == [f"{elsewhere}/health"]
        monkeypatch.setenv("NO_PROXY", ELSEWHERE)
        with pytest.raises(IngestError, match="nothing listens"):
            connected(elsewhere).ask("GET", "/health")
        assert len(proxy.seen) == 1
    with false_server(answers({"by": "itself"})) as server:
        monkeypatch.setenv("HTTP_PROXY", NOBODY)
        monkeypatch.delenv("NO_PROXY")
        assert connected(server.address).ask("GET", "/health").status == 200


def test_a_proxy_learns_neither_token_nor_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked to connect; what is said over TLS then is for the server, whose certificate is checked as ever."""
    context, certificate = own_certificate(tmp_path, ELSEWHERE)
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def connect_and_answer() -> None:
            asking, _ = listening.accept()
            with asking:
                heard.append(read_head(asking))
                asking.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                with context.wrap_socket(asking, server_side=True) as inside:
                    heard.append(read_head(inside))
                    inside.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

        thread = threading.Thread(target=connect_and_answer)
        thread.start()
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{listening.getsockname()[1]}")
        address = server_address(f"https://{ELSEWHERE}:9")
        answer = ServerConnection(address, token="itt_secret", ca_file=certificate).ask("GET", "/jobs")
        thread.join()
    assert answer.body == b"{}"
    assert heard[0].startswith(f"CONNECT {ELSEWHERE}:9 ".encode())
    assert b"itt_secret" not in heard[0]
    assert heard[1].startswith(b"GET /jobs ")
    assert b"Bearer itt_secret" in heard[1]


def read_head(connection: socket.socket | ssl.SSLSocket) -> bytes:
    """Return what comes up to the end of a head."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = connection.recv(4096)
        assert piece
        head += piece
    return head


def connected(address: str) -> ServerConnection:
    """Return a connection; what the environment names is read now."""
    return ServerConnection(server_address(address))
