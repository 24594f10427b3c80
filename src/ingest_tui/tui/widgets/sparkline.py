"""A row of small bars for a history of numbers: one cell for each, the newest on the right. Pure."""

from __future__ import annotations

from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], cells: int, bars: str = BARS) -> str:
    """Return the last ``cells`` values as ``bars``, lowest first, between nothing and the highest of them."""
    shown = list(values)[-cells:] if cells > 0 else []
    highest = max(shown, default=0.0)
    if highest <= 0:
        return bars[0] * len(shown)
    steps = len(bars) - 1
    return "".join(bars[max(0, min(steps, round(steps * value / highest)))] for value in shown)
