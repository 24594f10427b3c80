"""A row of small bars for a history of numbers: one cell for each, the newest on the right. Pure."""

from __future__ import annotations

from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], cells: int, bars: str = BARS, *, full_from: float = 0.0) -> str:
    """Return the last ``cells`` values as ``bars``, lowest first, between nothing and the highest of them.

    A bar is full from ``full_from`` on at the earliest, so that next to nothing does not look like a lot.
    """
    shown = list(values)[-cells:] if cells > 0 else []
    highest = max(shown, default=0.0)
    highest = max(highest, full_from) if highest > 0 else 0.0
    if highest <= 0:
        return bars[0] * len(shown)
    steps = len(bars) - 1
    return "".join(bars[max(0, min(steps, round(steps * value / highest)))] for value in shown)
