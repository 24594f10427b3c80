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
    _taking: asyncio.TimerHandle | None = None
    _is_ended_by_system = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        """Wait for the first request, but not for ever."""
        super().connection_made(transport)
        self._is_ended_by_system = _is_ended_by_system(transport.get_extra_info("socket"))
        self._wait_for_request()

    def handle_events(self) -> None:
        """Do what has come; a request that is being answered has the limits of its endpoint."""
        super().handle_events()
        if self._is_answering():
            self._stop_waiting()
            if not self.flow.write_paused:
                self._stop_watching()

    def pause_writing(self) -> None:
        """Write no more until something is taken, but do not wait for that for ever."""
        super().pause_writing()
        self._watch_taking()

    def resume_writing(self) -> None:
        """Write on: enough was taken."""
        super().resume_writing()
        self._stop_watching()

    def on_response_complete(self) -> None:
        """Wait for the next request, unless it is there already."""
        super().on_response_complete()
        if not self._is_answering():
            self._wait_for_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._stop_waiting()
        self._stop_watching()
        super().connection_lost(exc)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait_for_request(self) -> None:
        self._stop_waiting()
        self._timer = self.loop.call_later(HEAD_SECONDS, self._end_unless_taking)

    def _end_unless_taking(self) -> None:
        """End the connection; where the answer before is still being taken, wait: TAKING_SECONDS is for that."""
        if _untaken_bytes(self.transport.get_extra_info("socket")):
            self._wait_for_request()
            self._watch_taking()
        else:
            self.transport.abort()

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _watch_taking(self) -> None:
        """From now on, while nothing is written, look whether something is taken; once is enough at a time."""
        if self._taking is None and not self._is_ended_by_system:
            self._taking = self.loop.call_later(TAKING_SECONDS, self._end_unless_taken, self._untaken())

    def _end_unless_taken(self, before: int) -> None:
        """End the connection where as much waits as ``before``, for nothing was written since."""
        self._taking = None
        now = self._untaken()
        if now and now >= before:
            self.transport.abort()
        elif now:
            self._watch_taking()

    def _stop_watching(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None

    def _untaken(self) -> int:
        return self.transport.get_write_buffer_size() + _untaken_bytes(self.transport.get_extra_info("socket"))


def _is_ended_by_system(connection: socket.socket | None) -> bool:
    """Have the system send at once, and end a connection whose other side acknowledges nothing, or has no room.

    Returns whether it does: at a Unix socket it cannot. asyncio has it send at once only at sockets that name their
    protocol, which those of `socket.create_server` do not.
    """
    if connection is None or connection.family not in {socket.AF_INET, socket.AF_INET6}:
        return False
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(TAKING_SECONDS * 1000))
    return True


def _untaken_bytes(connection: socket.socket | None) -> int:
    """Return how much of what was sent the other side has not yet got.

    The transport knows less: of TLS it tells nothing. What waits in this process waits for room in the system, which
    then holds something, too.
    """
    if connection is None:
        return 0
    return int.from_bytes(fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4)), sys.byteorder)
