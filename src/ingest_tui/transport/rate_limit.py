"""How many calls a minute: a token bucket, so that short bursts pass and the average holds."""

from __future__ import annotations

import time
from collections.abc import Callable

_BURST_SECONDS = 10.0


class TokenBucket:
    """Lets ``per_minute`` calls a minute through; what was not used in the last ten seconds may be used at once."""

    def __init__(
        self, per_minute: float, *, sleep: Callable[[float], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second = per_minute / 60.0
        self._most = max(1.0, self._per_second * _BURST_SECONDS)
        self._sleep = sleep
        self._clock = clock
        self._tokens = self._most
        self._filled_at = clock()

    def take(self) -> None:
        """Wait until a call may be made."""
        while True:
            now = self._clock()
            self._tokens = min(self._most, self._tokens + (now - self._filled_at) * self._per_second)
            self._filled_at = now
            if self._tokens >= 1.0:
                self._tokens -= 1.0
                return
            self._sleep((1.0 - self._tokens) / self._per_second)
