"""What was run last: commands of the ``:`` line, actions of the palette. Without Textual."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST_REMEMBERED = 50


def remember(lines: list[str], line: str) -> None:
    """Put a line at the end, the newest; each is there once, and the oldest go."""
    lines[:] = [*(known for known in lines if known != line), line][-MOST_REMEMBERED:]


def lines_of(state: Mapping[str, Any]) -> list[str]:
    """Return the lines of what was remembered as ``{"lines": […]}``; what makes no sense is passed over."""
    lines = state.get("lines")
    return [line for line in lines if isinstance(line, str)][-MOST_REMEMBERED:] if isinstance(lines, list) else []
