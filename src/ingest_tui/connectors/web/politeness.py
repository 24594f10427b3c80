"""One pace for each host, whatever sources and threads of this process ask it."""

from __future__ import annotations

import threading
import time

LONGEST_DELAY = 20.0
"""Seconds; what robots.txt asks beyond this is not waited for, since a reader that is silent longer counts as hung."""


class HostPace:
    """When the next request to a host may be sent."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self, delay: float) -> None:
        """Wait for our turn; the one after us comes ``delay`` seconds later."""
        with self._lock:
            now = time.monotonic()
            mine = max(now, self._next)
            self._next = mine + delay
        if mine > now:
            time.sleep(mine - now)


_paces: dict[str, HostPace] = {}
_paces_lock = threading.Lock()


def pace_of(host: str) -> HostPace:
    """Return what all callers of this process share for a host."""
    with _paces_lock:
        return _paces.setdefault(host, HostPace())
