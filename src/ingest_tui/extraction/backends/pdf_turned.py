"""Text that is turned by a quarter: PDFium ends the line at each space of it; here its words come together again."""

from __future__ import annotations

import math
from typing import Any

_QUARTERS = (math.pi / 2, 3 * math.pi / 2)
_TOLERANCE = 0.1
_GAP_OF_WORDS = 0.4
"""Words of one line are less than this part of the height of their letters apart, boxes included."""
_MAX_LINES = 5_000


def join_turned_lines(text_page: Any, text: str) -> str:
    """Return the text of a page with the line ends within turned lines as spaces.

    ``text`` is what the page's `get_text_range` gives: one character for each that PDFium counts.
    """
    if "\r\n" not in text or text_page.count_chars() != len(text):
        return text
    joined: list[str] = []
    start = 0
    end = text.find("\r\n")
    for _ in range(_MAX_LINES):
        if end < 0:
            break
        if 0 < end < len(text) - 2 and _continues(text_page, end - 1, end + 2):
            joined.append(text[start:end])
            start = end + 2
        end = text.find("\r\n", end + 2)
    return " ".join((*joined, text[start:])) if joined else text


def _continues(text_page: Any, before: int, after: int) -> bool:
    """Say whether two characters are turned alike, on one line, and no farther apart than words are."""
    turn = _quarter(text_page, before)
    if turn is None or turn != _quarter(text_page, after):
        return False
    one, other = _box(text_page, before), _box(text_page, after)
    height = min(one.right - one.left, other.right - other.left)
    overlap = min(one.right, other.right) - max(one.left, other.left)
    gap = max(other.bottom - one.top, one.bottom - other.top)
    return bool(height > 0 and overlap > height / 2 and gap < height * _GAP_OF_WORDS)


def _quarter(text_page: Any, index: int) -> float | None:
    from pypdfium2 import raw

    angle = raw.FPDFText_GetCharAngle(text_page.raw, index)
    return next((quarter for quarter in _QUARTERS if abs(angle - quarter) < _TOLERANCE), None)


def _box(text_page: Any, index: int) -> Any:
    from pypdfium2 import raw

    box = raw.FS_RECTF()
    raw.FPDFText_GetLooseCharBox(text_page.raw, index, box)
    return box
