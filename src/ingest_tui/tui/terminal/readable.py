"""Colours that can be read: how much contrast there is, and a colour moved until there is enough. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from textual.color import Color

LEAST = 4.5
"""WCAG 2.2, 1.4.3."""
_STEPS = 40
_WHITE, _BLACK = Color(255, 255, 255), Color(0, 0, 0)
_DARK = 0.03928


def contrast(one: Color, other: Color) -> float:
    """Return the contrast between two colours (WCAG 2.2), 1 to 21."""
    lower, higher = sorted((_luminance(one), _luminance(other)))
    return (higher + 0.05) / (lower + 0.05)


def _luminance(colour: Color) -> float:
    parts = [
        part / 12.92 if part <= _DARK else ((part + 0.055) / 1.055) ** 2.4
        for part in (channel / 255 for channel in colour.rgb)
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def readable(colour: Color, grounds: Sequence[Color], least: float = LEAST) -> Color:
    """Return a colour that is as near to ``colour`` as can be read on each of the ``grounds``.

    It goes towards white or black, whichever the grounds leave more room for; where neither is enough, all the way.
    """
    end = max((_WHITE, _BLACK), key=lambda one: min(contrast(one, ground) for ground in grounds))
    for step in range(_STEPS + 1):
        moved = colour.blend(end, step / _STEPS, alpha=1.0)
        if all(contrast(moved, ground) >= least for ground in grounds):
            return moved
    return end
