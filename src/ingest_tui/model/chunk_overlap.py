"""What a chunk repeats of the text before it. Pure."""

from __future__ import annotations

import re

from ingest_tui.model.chunk_limits import ChunkLimits
from ingest_tui.model.chunk_pieces import SENTENCE_END, Piece

_LEAST_GAP = 2
"""Room that is kept for what is between the repeated text and the rest; a tokenizer may count more than is there."""
_WORD_START = re.compile(r"(?<=\s)\S")


def overlapping(before: Piece, piece: Piece, gap: str, limits: ChunkLimits) -> Piece:
    """Return ``piece`` with the end of the text ``before`` it in front: as many whole lines and sentences as fit.

    ``gap`` is what is between both, and stays as it is. Where not even one fits, these are whole words. Only what is
    text is repeated, within a section and a page: never a part of a table or of code.
    """
    room = limits.rules.overlap - max(limits.measure.size(gap), _LEAST_GAP)
    start = _overlap_start(before.text, limits.measure.tail(before.text, room)) if room > 0 else len(before.text)
    repeated = before.text[start:]
    if not repeated:
        return piece
    return Piece(f"{repeated}{gap}{piece.text}", before.end - len(repeated), piece.end)


def _overlap_start(text: str, earliest: int) -> int:
    """Return where the first line or sentence begins from ``earliest`` on, else the first word."""
    if earliest == 0:
        return 0
    ends = [match.end() for match in SENTENCE_END.finditer(text)]
    ends += [match.end() for match in re.finditer("\n", text)]
    starts = [_first_letter(text, end) for end in ends]
    whole = [start for start in starts if earliest <= start < len(text)]
    if whole:
        return min(whole)
    word = _WORD_START.search(text, earliest)
    return word.start() if word else len(text)


def _first_letter(text: str, start: int) -> int:
    return start + len(text[start:]) - len(text[start:].lstrip())
