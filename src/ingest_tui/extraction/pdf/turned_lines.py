"""Text that is turned by a quarter: PDFium ends the line at each space of it; here its words come together again."""

from __future__ import annotations

import math
from typing import Any

_QUARTERS = (math.pi / 2, 3 * math.pi / 2)
_TOLERANCE = 0.1
_GAP_OF_WORDS = 0.4
"""Words of one line are less than this part of the height of their letters apart, boxes included."""
_MAX_LINES = 5_000


def line_ranges(text_page: Any, text: str) -> list[tuple[int, int]]:
    """Return where the lines of a page begin and end in its text; a turned line has line ends in it."""
    from pypdfium2 import raw

    may_be_turned = text_page.count_chars() == len(text)
    angle_of, handle = raw.FPDFText_GetCharAngle, text_page.raw
    ranges: list[tuple[int, int]] = []
    start = 0
    end = text.find("\r\n")
    while end >= 0:
        if may_be_turned and 0 < end < len(text) - 2 and len(ranges) < _MAX_LINES:
            turn = _quarter(angle_of(handle, end - 1))
            if turn is None or turn != _quarter(angle_of(handle, end + 2)) or not _close(text_page, end - 1, end + 2):
                ranges.append((start, end))
                start = end + 2
        else:
            ranges.append((start, end))
            start = end + 2
        end = text.find("\r\n", end + 2)
    return [*ranges, (start, len(text))]


def _quarter(angle: float) -> float | None:
    """Return the quarter of a turn that an angle is, None for upright text; quickly, since that is nearly all."""
    for quarter in _QUARTERS:
        if -_TOLERANCE < angle - quarter < _TOLERANCE:
            return quarter
    return None


def _close(text_page: Any, before: int, after: int) -> bool:
    """Say whether two turned characters are on one line, and no farther apart than words are."""
    one, other = _box(text_page, before), _box(text_page, after)
    height = min(one.right - one.left, other.right - other.left)
    overlap = min(one.right, other.right) - max(one.left, other.left)
    gap = max(other.bottom - one.top, one.bottom - other.top)
    return bool(height > 0 and overlap > height / 2 and gap < height * _GAP_OF_WORDS)


def _box(text_page: Any, index: int) -> Any:
    from pypdfium2 import raw

    box = raw.FS_RECTF()
    raw.FPDFText_GetLooseCharBox(text_page.raw, index, box)
    return box
