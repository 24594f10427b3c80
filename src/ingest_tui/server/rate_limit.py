"""How many requests a token may make: a bucket that fills again with time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ingest_tui.server.problems import RequestError

REQUESTS_PER_SECOND = 100.0
BURST = 500.0
"""Requests that a token may make at once after it was quiet: 200 clients that share one, each with two."""


class RateLimit:
    """A bucket for each name. For all threads."""

    def __init__(
        self,
        per_second: float = REQUESTS_PER_SECOND,
        burst: float = BURST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_second, self._burst, self._clock = per_second, burst, clock
        self._guard = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, name: str) -> None:
        """Count a request; raises `RequestError` (429) where there were too many."""
        with self._guard:
            now = self._clock()
            left, at = self._buckets.get(name, (self._burst, now))
            left = min(self._burst, left + (now - at) * self._per_second)
            allowed = left >= 1
            self._buckets[name] = (left - 1 if allowed else left, now)
        if not allowed:
            wait = max(1, round((1 - left) / self._per_second))
            raise RequestError(
                f"token {name!r} has made more than {self._per_second:.0f} requests a second",
                status=429,
                code="throttled",
                hint=f"try again in {wait} s",
                headers={"Retry-After": str(wait)},
            )
