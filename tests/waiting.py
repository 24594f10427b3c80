"""Waiting for what another thread or process does: for a condition, never for a time that should be long enough."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


def wait_until(condition: Callable[[], Value], *, seconds: float = 20, what: str = "") -> Value:
    """Return the first true value of ``condition``; fails after ``seconds``, which only a failing test waits for."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"did not happen within {seconds} s: {what or condition}")
        time.sleep(0.01)
    return value
