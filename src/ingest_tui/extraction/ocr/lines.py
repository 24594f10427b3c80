"""Lines as an OCR engine finds them, made into the text of a page. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

LEAST_CONFIDENCE = 0.3
"""Lines below it are what engines see in pictures and dirt: letters that nobody wrote."""
_PARAGRAPH_GAP = 0.8
"""Of the height of a line: more space than that between two lines divides paragraphs."""
_CUT_WORD = re.compile(r"[^\W\d_]{2}-$")


class OcrLine(NamedTuple):
    """A line of text, how sure the engine is of it (0 to 1), and where it is, in pixels from the top."""

    text: str
    confidence: float
    top: float
    height: float


class ReadPage(NamedTuple):
    """The text of a page and how sure the engine is of it, from 0 to 1; 0 where there is no text."""

    text: str
    confidence: float


def page_of(lines: Sequence[OcrLine]) -> ReadPage:
    """Return the text of lines in reading order, in paragraphs, with the words joined that a line end has cut."""
    kept = [line for line in lines if line.text.strip() and line.confidence >= LEAST_CONFIDENCE]
    if not kept:
        return ReadPage("", 0.0)
    from statistics import median

    usual = median(line.height for line in kept)
    text = " ".join(kept[0].text.split())
    for before, line in pairwise(kept):
        words = " ".join(line.text.split())
        gap = line.top - (before.top + before.height)
        if gap > usual * _PARAGRAPH_GAP or line.top + line.height < before.top:
            text += "\n\n" + words
        elif _CUT_WORD.search(text) and words[0].islower():
            text = text[:-1] + words
        else:
            text += "\n" + words
    letters = sum(len(line.text) for line in kept)
    return ReadPage(text, round(sum(line.confidence * len(line.text) for line in kept) / letters, 3))
