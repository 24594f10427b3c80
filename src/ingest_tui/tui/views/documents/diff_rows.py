"""What changed between two texts as rows of one line of each, with the words that differ. Pure, in bounded time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import groupby
from typing import NamedTuple

from ingest_tui.tui.widgets.text_lines import Span, TonedLine, TonedLines, beside, shown_text

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_PLACE = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_LEAST_ALIKE = 0.4
"""Lines that have less in common are not the same line changed: next to each other their words would all be marked."""
_MOST_PAIRED = 4_000
_MOST_COMPARED = 4_000_000
"""Comparing takes the product of the numbers of words. What is beyond it is shown without marks in the lines."""
_HEADS = ("--- ", "+++ ")


class DiffRow(NamedTuple):
    """A line of each text, as they are shown; None where one has none. The spans are the words that differ.

    ``note``: what is said about the texts instead of lines of them, and its tone. ``older_number``, ``newer_number``:
    which lines of their texts they are, from 1; 0: it is not known.
    """

    older: str | None = None
    newer: str | None = None
    older_words: tuple[Span, ...] = ()
    newer_words: tuple[Span, ...] = ()
    note: tuple[str, str] | None = None
    older_number: int = 0
    newer_number: int = 0

    @property
    def is_changed(self) -> bool:
        """Whether the texts differ here."""
        return self.note is None and self.older != self.newer


def diff_rows(diff: Sequence[str]) -> list[DiffRow]:
    """Return the rows of a unified diff as `model.textdiff` makes it."""
    rows: list[DiffRow] = []
    budget = _Budget(_MOST_COMPARED)
    for kind, lines in groupby(_numbered(diff), key=lambda line: line[0]):
        texts = [text for _kind, text in lines]
        if kind == "changed":
            removed = [shown_text(text[1:]) for text in texts if text.startswith("-")]
            added = [shown_text(text[1:]) for text in texts if text.startswith("+")]
            rows += _changed(removed, added, budget)
        elif kind == "same":
            rows += [DiffRow(shown_text(text[1:]), shown_text(text[1:])) for text in texts]
        elif kind == "head":
            older, newer = (shown_text(text[len(_HEADS[0]) :]) for text in texts)
            rows.append(DiffRow(older, newer, note=("", "quiet")))
        else:
            rows += [DiffRow(note=(text, "head" if kind == "place" else "warn")) for text in texts]
    return list(_with_numbers(rows))


def _with_numbers(rows: Iterable[DiffRow]) -> Iterator[DiffRow]:
    """Yield the rows with the numbers of their lines, which are counted on from what is said of each place."""
    older = newer = 0
    for row in rows:
        if row.note is not None:
            if place := _PLACE.match(row.note[0]):
                older, newer = int(place[1]), int(place[2])
            yield row
            continue
        yield row._replace(older_number=older, newer_number=newer)
        older += bool(older) and row.older is not None
        newer += bool(newer) and row.newer is not None


def _numbered(diff: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each line with its kind; a removed line may begin as a head does, which are the first two alone."""
    kinds = {"+": "changed", "-": "changed", "@": "place", "…": "left out"}
    for number, line in enumerate(diff):
        is_head = number < len(_HEADS) and line.startswith(_HEADS[number])
        yield "head" if is_head else kinds.get(line[:1], "same"), line


class _Budget:
    """How much may still be compared."""

    def __init__(self, left: int) -> None:
        self._left = left

    def takes(self, amount: int) -> bool:
        self._left -= amount
        return self._left >= 0


def _changed(older: list[str], newer: list[str], budget: _Budget) -> Iterator[DiffRow]:
    at_older = at_newer = 0
    for one, other in [*_pairs(older, newer), (len(older), len(newer))]:
        yield from (DiffRow(older=text) for text in older[at_older:one])
        yield from (DiffRow(newer=text) for text in newer[at_newer:other])
        if one < len(older):
            yield DiffRow(older[one], newer[other], *_differing_words(older[one], newer[other], budget))
        at_older, at_newer = one + 1, other + 1


def _pairs(older: list[str], newer: list[str]) -> list[tuple[int, int]]:
    """Return which lines are the same line changed, in their order: those that have most in common together."""
    if len(older) * len(newer) > _MOST_PAIRED:
        return [(at, at) for at in range(min(len(older), len(newer))) if _alike(older[at], newer[at]) >= _LEAST_ALIKE]
    best = [[0.0] * (len(newer) + 1) for _ in range(len(older) + 1)]
    gain = [[_alike(one, other) for other in newer] for one in older]
    for at in reversed(range(len(older))):
        for to in reversed(range(len(newer))):
            paired = best[at + 1][to + 1] + gain[at][to] if gain[at][to] >= _LEAST_ALIKE else 0.0
            best[at][to] = max(best[at + 1][to], best[at][to + 1], paired)
    pairs, at, to = [], 0, 0
    while at < len(older) and to < len(newer):
        if best[at][to] == best[at + 1][to]:
            at += 1
        elif best[at][to] == best[at][to + 1]:
            to += 1
        else:
            pairs.append((at, to))
            at, to = at + 1, to + 1
    return pairs


def _alike(one: str, other: str) -> float:
    """Return how much two lines have in common, from 0 to 1: of their words, in whatever order."""
    words, others = Counter(_words_alone(one)), Counter(_words_alone(other))
    number = words.total() + others.total()
    return 2 * (words & others).total() / number if number else 0.0


def _words_alone(text: str) -> list[str]:
    return [word for word in _WORDS.findall(text) if not word.isspace()]


def _differing_words(older: str, newer: str, budget: _Budget) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    words, others = _WORDS.findall(older), _WORDS.findall(newer)
    if not budget.takes(len(words) * len(others)):
        return (), ()
    steps = SequenceMatcher(None, words, others, autojunk=False).get_opcodes()
    differing = [step for step in steps if step[0] != "equal"]
    return (
        _spans(words, [(start, end) for _kind, start, end, _, _ in differing]),
        _spans(others, [(start, end) for _kind, _, _, start, end in differing]),
    )


def _spans(words: list[str], ranges: list[tuple[int, int]]) -> tuple[Span, ...]:
    starts = [0]
    for word in words:
        starts.append(starts[-1] + len(word))
    return tuple(Span(starts[start], starts[end], "changed") for start, end in ranges if start < end)


def unified_lines(rows: Sequence[DiffRow]) -> TonedLines:
    """Return the lines of a narrow screen: what was removed, then what came instead."""
    lines: TonedLines = []
    for is_changed, some in groupby(rows, key=lambda row: row.is_changed):
        group = list(some)
        if is_changed:
            lines += [_marked("-", row.older, row.older_words, "bad") for row in group if row.older is not None]
            lines += [_marked("+", row.newer, row.newer_words, "good") for row in group if row.newer is not None]
            continue
        for row in group:
            if row.note is None:
                lines.append(f" {row.older}")
            elif row.older is not None:
                lines += [(f"--- {row.older}", "bad"), (f"+++ {row.newer}", "good")]
            else:
                lines.append(row.note)
    return lines or [("the texts are the same", "quiet")]


def _marked(sign: str, text: str, words: tuple[Span, ...], tone: str) -> TonedLine:
    return TonedLine(f"{sign}{text}", tone, tuple(Span(one.start + 1, one.end + 1, one.tone) for one in words))


def paired_lines(rows: Sequence[DiffRow]) -> TonedLines:
    """Return the lines of a wide screen: the older text on the left, the newer one on the right, with their numbers."""
    lines: TonedLines = []
    digits = len(str(max((max(row.older_number, row.newer_number) for row in rows), default=0)))
    for row in rows:
        if row.note is not None and row.older is None:
            lines.append(row.note)
            continue
        quiet = row.note[1] if row.note is not None else ""
        older = _column(row.older, row.older_words, "-", "bad" if row.is_changed else quiet)
        newer = _column(row.newer, row.newer_words, "+", "good" if row.is_changed else quiet)
        numbers = row.older_number, row.newer_number
        lines.append(beside(*(_numbered_line(*one, digits) for one in zip((older, newer), numbers, strict=True))))
    return lines or [("the texts are the same", "quiet")]


def _numbered_line(line: TonedLine, number: int, digits: int) -> TonedLine:
    """Return a line of one of the columns after its number; a text has none where the other has one more line."""
    gutter = f"{number if number and line.text else '':>{digits}} "
    spans = (Span(span.start + len(gutter), span.end + len(gutter), span.tone) for span in line.spans)
    return TonedLine(gutter + line.text, line.tone, (Span(0, len(gutter), "quiet"), *spans))


def _column(text: str | None, words: tuple[Span, ...], sign: str, tone: str) -> TonedLine:
    """Return a line of one of the columns: its sign says without colour that it was removed or is new."""
    if text is None:
        return TonedLine("")
    return _marked(sign if tone in {"bad", "good"} else " ", text, words, tone)
