"""What changed between two texts, in bounded time: a unified diff of what lies between their common ends."""

from __future__ import annotations

import difflib

from ingest_tui.model.counted import counted

MOST_LINES = 3_000
_CONTEXT = 3
_MOST_CHARACTERS = 2_000_000


def diff_texts(old: str, new: str, *, names: tuple[str, str] = ("old", "new")) -> list[str]:
    """Return the lines of a unified diff without line feeds; empty when the texts are the same.

    Only what lies between the common beginning and end is compared, and of that at most `MOST_LINES` lines of each
    text: comparing takes quadratic time. What was left out is in a last line that begins with ``…``.
    """
    if old == new:
        return []
    olds, news = old[:_MOST_CHARACTERS].split("\n"), new[:_MOST_CHARACTERS].split("\n")
    start = _common(olds, news)
    end = _common(olds[start:][::-1], news[start:][::-1])
    first = max(0, start - _CONTEXT)
    olds, news = (lines[first : len(lines) - max(0, end - _CONTEXT)] for lines in (olds, news))
    left_out = max(len(olds), len(news)) - MOST_LINES
    diff = list(difflib.unified_diff(olds[:MOST_LINES], news[:MOST_LINES], *names, lineterm="", n=_CONTEXT))
    diff = [_shifted(line, first) if line.startswith("@@") else line for line in diff]
    cut = len(old) > _MOST_CHARACTERS or len(new) > _MOST_CHARACTERS
    if left_out > 0 or cut:
        diff.append(
            "… the texts differ in too much to compare all of it: "
            f"{counted(max(left_out, 0), 'line is', 'lines are')} left out"
        )
    return diff


def _common(one: list[str], other: list[str]) -> int:
    """Return how many lines two lists begin with in common."""
    for number, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return number
    return min(len(one), len(other))


def _shifted(header: str, lines: int) -> str:
    """Return the ``@@ -a,b +c,d @@`` of a part of a text with the numbers of the whole text."""
    marks = []
    for mark in header.strip("@ ").split(" "):
        number, comma, length = mark[1:].partition(",")
        marks.append(f"{mark[0]}{int(number) + lines}{comma}{length}")
    return f"@@ {' '.join(marks)} @@"
