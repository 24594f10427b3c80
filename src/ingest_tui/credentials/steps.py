"""The steps of trying something: a credential, a model."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(slots=True)
class Step:
    """One step: what was tried, whether it worked, what was seen, what to do. Never a secret."""

    name: str
    ok: bool
    message: str
    hint: str = ""
    milliseconds: float = 0.0


def timed(steps: Iterable[Step]) -> Iterator[Step]:
    """Yield steps with the time that each took."""
    started = time.perf_counter()
    for step in steps:
        now = time.perf_counter()
        step.milliseconds = round((now - started) * 1000, 1)
        started = now
        yield step
