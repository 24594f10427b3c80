"""Connections that ask for nothing, or take nothing: whoever has many of them must not keep others out."""

from __future__ import annotations

import asyncio
import fcntl
import socket
import sys
import termios

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 30.0
"""How long a connection may be open without a request whose head is whole: at first, and after each answer."""

TAKING_SECONDS = 300.0
"""How long a client may take nothing of an answer that waits for it."""


class GuardedConnection(H11Protocol):
    """The protocol of uvicorn, which waits for a head, and for the rest of a body that nobody reads, without end."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        """Wait for the first request, but not for ever."""
        super().connection_made(transport)
        _prepare(transport.get_extra_info("socket"))
        self._wait_for_request()

    def handle_events(self) -> None:
        """Do what has come; a request that is being answered has the limits of its endpoint."""
        super().handle_events()
        if self._is_answering():
            self._stop_waiting()

    def on_response_complete(self) -> None:
        """Wait for the next request, unless it is there already."""
        super().on_response_complete()
        if not self._is_answering():
            self._wait_for_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait_for_request(self) -> None:
        self._stop_waiting()
        self._timer = self.loop.call_later(HEAD_SECONDS, self._end_unless_taking)

    def _end_unless_taking(self) -> None:
        """End the connection; where the answer before is still being taken, wait: TAKING_SECONDS is for that."""
        if _has_something_to_take(self.transport.get_extra_info("socket")):
            self._wait_for_request()
        else:
            self.transport.abort()

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _prepare(connection: socket.socket | None) -> None:
    """Have the system send at once, and end a connection whose other side acknowledges nothing, or has no room.

    asyncio does the first for sockets that name their protocol: not for those of `socket.create_server`.
    """
    if connection is not None and connection.family in {socket.AF_INET, socket.AF_INET6}:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(TAKING_SECONDS * 1000))


def _has_something_to_take(connection: socket.socket | None) -> bool:
    """Whether the other side has not yet got all that was sent. The transport knows less: of TLS it tells nothing.

    What waits in this process waits for room in the system, which then holds something, too.
    """
    if connection is None:
        return False
    return int.from_bytes(fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4)), sys.byteorder) > 0
