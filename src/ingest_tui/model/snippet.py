"""The part of a text that shows why it was found. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

MATCH_START: Final = "\x02"
MATCH_END: Final = "\x03"
SNIPPET_CHARACTERS: Final = 200
_BEFORE = 40
"""Characters shown before the first match of a snippet, at most."""


def make_snippet(text: str, matches: Sequence[tuple[int, int]], size: int = SNIPPET_CHARACTERS) -> str:
    """Return about ``size`` characters of a text around as many matches as possible, each between two marks.

    ``matches`` are offsets in the text, in order. Without any it is the beginning. ``…`` shows where it was cut.
    """
    spans = _merged(matches)
    start, end = _window(text, spans, size)
    pieces = ["…"] if start else []
    at = start
    for first, last in spans:
        if first >= start and last <= end:
            pieces += [text[at:first], MATCH_START, text[first:last], MATCH_END]
            at = last
    pieces.append(text[at:end])
    return "".join([*pieces, *(["…"] if end < len(text) else [])])


def _merged(matches: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the spans with those that overlap made one."""
    spans: list[tuple[int, int]] = []
    for start, end in sorted(matches):
        if spans and start < spans[-1][1]:
            spans[-1] = spans[-1][0], max(end, spans[-1][1])
        else:
            spans.append((start, end))
    return spans


def _window(text: str, spans: Sequence[tuple[int, int]], size: int) -> tuple[int, int]:
    """Return the part to show, cut between words, with as many different matches as possible."""
    if len(text) <= size:
        return 0, len(text)
    start = 0
    if spans:
        starts = [first for first, _ in spans]
        room = size - _BEFORE

        def kinds(number: int) -> int:
            inside = spans[number : bisect_left(starts, starts[number] + room)]
            return len({text[first:last].casefold() for first, last in inside})

        start = max(0, starts[max(range(len(spans)), key=kinds)] - _BEFORE)
    end = min(len(text), start + size)
    start = max(0, min(start, len(text) - size))
    return _word_start(text, start, spans), _word_end(text, end, spans)


def _word_start(text: str, at: int, spans: Sequence[tuple[int, int]]) -> int:
    latest = min((first for first, last in spans if last > at), default=at + _BEFORE)
    while 0 < at < min(latest, len(text)) and not text[at - 1].isspace():
        at += 1
    return at


def _word_end(text: str, at: int, spans: Sequence[tuple[int, int]]) -> int:
    cut = next((last for first, last in spans if first < at < last), None)
    if cut is not None:
        return cut
    earliest = max((last for _, last in spans if last <= at), default=at - _BEFORE)
    end = at
    while end < len(text) and end > max(earliest, at - _BEFORE) and not text[end].isspace():
        end -= 1
    return end if end > max(earliest, at - _BEFORE) else at
