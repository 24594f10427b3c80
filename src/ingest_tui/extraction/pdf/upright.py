"""Pages whose text is turned, such as wide tables on their side: PDFium turns them, and they are read as any other."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

_SAMPLES = 24
_TOLERANCE = 0.1
_QUARTER = math.pi / 2


def turns_of(text_page: Any) -> int:
    """Return by how many quarters most of the text of a page is turned clockwise; 0 where most of it is upright."""
    from pypdfium2 import raw

    count = text_page.count_chars()
    angle_of, handle = raw.FPDFText_GetCharAngle, text_page.raw
    found: Counter[int] = Counter()
    for index in range(0, count, max(1, count // _SAMPLES)):
        turns = angle_of(handle, index) / _QUARTER
        if abs(turns - round(turns)) < _TOLERANCE and not raw.FPDFText_IsGenerated(handle, index):
            found[round(turns) % 4] += 1
    turns, letters = max(found.items(), key=lambda pair: pair[1], default=(0, 0))
    return turns if letters * 2 > found.total() else 0


def upright(document: Any, page: Any, index: int, turns: int) -> Any | None:
    """Return a page again, with its text upright and not turned when it is shown; None when that cannot be done.

    The file is unchanged.
    """
    from pypdfium2 import raw

    left, bottom, right, top = page.get_mediabox()
    if turns:
        matrix = {
            1: (0, 1, -1, 0, top, -left),
            2: (-1, 0, 0, -1, right, top),
            3: (0, -1, 1, 0, -bottom, right),
        }[turns]
        if not raw.FPDFPage_TransFormWithClip(page.raw, raw.FS_MATRIX(*matrix), None):
            return None
        is_upended = turns % 2 == 1
        size = (top - bottom, right - left) if is_upended else (right - left, top - bottom)
        page.set_mediabox(0, 0, *size)
        page.set_cropbox(0, 0, *size)
    page.set_rotation(0)
    return document[index]
