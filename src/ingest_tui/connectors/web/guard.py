"""Connections that end in time and lead to public addresses: the address that is checked is the one connected to.

A name is resolved once for each connection, here, so that a name which leads elsewhere a moment later gains nothing.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.connection import create_connection

from ingest_tui.transport.public_addresses import is_public

_of_this_thread = threading.local()


class PrivateAddressError(Exception):
    """A host has no address of the public internet."""


class Deadline:
    """Connections that are cut once they have taken too long: then ``is_over``, and what was read may be cut short."""

    def __init__(self) -> None:
        self.is_over = False
        self.sockets: list[socket.socket] = []

    def end(self) -> None:
        """Cut the connections."""
        self.is_over = True
        for one in self.sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@contextmanager
def deadline(seconds: float) -> Iterator[Deadline]:
    """Cut the connections that this thread asks over within the block once it has taken so long."""
    until = Deadline()
    timer = threading.Timer(seconds, until.end)
    timer.daemon = True
    _of_this_thread.deadline = until
    timer.start()
    try:
        yield until
    finally:
        timer.cancel()
        _of_this_thread.deadline = None


class _Watched(HTTPConnection):
    """Lets `deadline` know what it reads from."""

    def getresponse(self) -> Any:
        until: Deadline | None = getattr(_of_this_thread, "deadline", None)
        if until is not None and self.sock is not None:
            until.sockets.append(self.sock)
        return super().getresponse()


class _WatchedTls(_Watched, HTTPSConnection):
    """As `_Watched`, over TLS."""


class _Guarded(_Watched):
    """Connects to public addresses alone."""

    def _new_conn(self) -> socket.socket:
        refused: OSError | None = None
        for address in _public_addresses(self._dns_host, self.port):
            try:
                return create_connection(
                    (address, self.port),
                    self.timeout,
                    source_address=self.source_address,
                    socket_options=self.socket_options,
                )
            except OSError as error:
                refused = error
        raise refused or PrivateAddressError(self.host)


class _GuardedTls(_Guarded, HTTPSConnection):
    """As `_Guarded`, over TLS; the certificate is that of the name."""


def _public_addresses(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    return [address for address in dict.fromkeys(str(one[4][0]) for one in found) if is_public(address)]


class _WatchedPool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _WatchedTlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTls


class _GuardedPool(HTTPConnectionPool):
    ConnectionCls = _Guarded


class _GuardedTlsPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedTls


def watch(manager: urllib3.PoolManager, *, guarded: bool) -> urllib3.PoolManager:
    """Return a pool manager whose connections end in time, and lead to public addresses alone if ``guarded``."""
    http, https = (_GuardedPool, _GuardedTlsPool) if guarded else (_WatchedPool, _WatchedTlsPool)
    manager.pool_classes_by_scheme = {"http": http, "https": https}
    return manager
