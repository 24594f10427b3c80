"""What is drawn with characters: bars and histories, in Unicode where the terminal can, else in ASCII. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ingest_tui.tui.widgets.sparkline import BARS, sparkline

_ASCII_BARS = "_.:-=+*#"
_HEALTH = {"succeeded": 7, "partial": 4, "cancelled": 2, "failed": 0}


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters of one kind of terminal; each is one cell wide."""

    ascii_only: bool = False

    def sparkline(self, values: Sequence[float], cells: int, *, full_from: float = 0.0) -> str:
        """Return the last ``cells`` values as bars, the newest on the right; see `sparkline`."""
        return sparkline(values, cells, _ASCII_BARS if self.ascii_only else BARS, full_from=full_from)

    def bar(self, share: float, cells: int) -> str:
        """Return a bar of ``cells`` cells, filled to ``share`` (0 to 1)."""
        full, empty = ("#", "-") if self.ascii_only else ("━", "─")
        filled = max(0, min(cells, int(cells * share)))
        return full * filled + empty * (cells - filled)

    def span(self, first: float, last: float, cells: int) -> str:
        """Return a line of ``cells`` cells of which a part is filled, between two places (0 to 1)."""
        if last < 0:
            return ("<" if self.ascii_only else "‹") + " " * (cells - 1)
        start = max(0, min(cells - 1, int(first * cells)))
        length = max(1, min(cells, round(last * cells)) - start)
        return " " * start + ("#" if self.ascii_only else "━") * length + " " * (cells - start - length)

    def health(self, states: Sequence[str]) -> str:
        """Return how jobs ended, a bar each: high for what succeeded, low for what failed."""
        if self.ascii_only:
            return "".join({"succeeded": "+", "partial": "?", "cancelled": "x"}.get(state, "!") for state in states)
        return "".join(BARS[_HEALTH.get(state, 0)] for state in states)
