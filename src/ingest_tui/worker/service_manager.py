"""What a worker tells the service manager that started it, by the protocol of sd_notify(3): a datagram a message.

No library for it is kept: the protocol is a socket and lines of ``NAME=value``, and is promised to stay as it is.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Mapping, MutableMapping

_SOCKET = "NOTIFY_SOCKET"
_WATCHDOG_USEC, _WATCHDOG_PID = "WATCHDOG_USEC", "WATCHDOG_PID"
_LONGEST_TURN_SECONDS = 1800.0
"""For how long one turn of the main loop may take: a prune of a large workspace takes minutes."""
_SEND_SECONDS = 2.0


class ServiceManager:
    """The service manager of this process, where it has one: without one every method does nothing. For all threads.

    A message that cannot be sent is lost: a manager that is restarting must not disturb the work.
    """

    def __init__(self, address: str = "", watchdog_seconds: float = 0.0) -> None:
        self._address = _as_socket_address(address)
        self._interval = watchdog_seconds / 2
        self._status = ""
        self._last_turn = time.monotonic()
        self._closed = threading.Event()
        if self._address and self._interval > 0:
            threading.Thread(target=self._beat, name="watchdog", daemon=True).start()

    @classmethod
    def of(cls, environment: MutableMapping[str, str] | None = None, pid: int | None = None) -> ServiceManager:
        """Return the manager that the environment names, by default that of this process.

        Its variables are taken out, so that no child reports in the name of the worker.
        """
        variables = os.environ if environment is None else environment
        seconds = watchdog_seconds(variables, os.getpid() if pid is None else pid)
        address = variables.pop(_SOCKET, "")
        for name in (_WATCHDOG_USEC, _WATCHDOG_PID):
            variables.pop(name, None)
        return cls(address, seconds)

    def ready(self, status: str) -> None:
        """Report that the worker does its work, or does it again after `reloading`."""
        self._status = status
        self._send("READY=1", f"STATUS={status}")

    def show(self, status: str) -> None:
        """Report in a line what the worker does; sent when it is another than before."""
        if status != self._status:
            self._status = status
            self._send(f"STATUS={status}")

    def reloading(self) -> None:
        """Report that settings are being read again; `ready` ends it."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def turn(self) -> None:
        """Note that the main loop goes on. Without that the watchdog is not answered, and the manager restarts us."""
        self._last_turn = time.monotonic()

    def stopping(self) -> None:
        """Report that the worker ends, which takes as long as its jobs need to reach a place to stop at."""
        self._send("STOPPING=1", "STATUS=ending; jobs stop where the next worker can resume them")

    def close(self) -> None:
        """Answer the watchdog no more."""
        self._closed.set()

    def _beat(self) -> None:
        while not self._closed.wait(self._interval):
            if time.monotonic() - self._last_turn < _LONGEST_TURN_SECONDS:
                self._send("WATCHDOG=1")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        message = "\n".join(line.replace("\n", " ") for line in lines)
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to:
            to.settimeout(_SEND_SECONDS)
            to.sendto(message.encode("utf-8", "replace"), self._address)


def _as_socket_address(address: str) -> str:
    """Return the address as the kernel takes it: ``@`` stands for the abstract namespace; empty for other families."""
    if address.startswith("@"):
        return f"\0{address[1:]}"
    return address if address.startswith("/") else ""


def watchdog_seconds(environment: Mapping[str, str], pid: int) -> float:
    """Return how often the manager wants to hear from process ``pid``, sd_watchdog_enabled(3); 0: not at all."""
    if environment.get(_WATCHDOG_PID, str(pid)) != str(pid):
        return 0.0
    value = environment.get(_WATCHDOG_USEC, "")
    return int(value) / 1_000_000 if value.isascii() and value.isdecimal() else 0.0
