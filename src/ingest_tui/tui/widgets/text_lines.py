"""Lines of text as a screen shows them: wrapped to a width, with what is set off in them. Pure, without Textual."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise, zip_longest
from typing import NamedTuple

from rich.cells import cell_len, chop_cells

from ingest_tui.model.safe_text import safe_display

TAB = 4
BETWEEN = " │ "
"""What is between two columns."""


class Span(NamedTuple):
    """The characters from ``start`` to before ``end`` of a line, and their tone."""

    start: int
    end: int
    tone: str


class TonedLine(NamedTuple):
    """A line, its tone, and the parts of it that have another one: the component classes without ``text--``.

    ``spans`` count the characters of ``text`` as it is shown, see `shown_text`. ``second``: where in it the text of a
    second column begins, after a line feed that ends the first; 0: there is none. See `beside`.
    """

    text: str
    tone: str = ""
    spans: tuple[Span, ...] = ()
    second: int = 0


class Row(NamedTuple):
    """A line of the screen: which line it is of, where it begins in that, and its text; and what is next to it."""

    line: int
    start: int
    text: str
    beside: Row | None = None


TonedLines = list[str | tuple[str, str] | TonedLine]
"""Lines to show, each a text, a text and its tone, or a `TonedLine`."""


def shown_text(text: str) -> str:
    """Return a line as it is shown: without tabs and what would act on a terminal."""
    return safe_display(text.expandtabs(TAB))


def line_of(line: str | tuple[str, str] | TonedLine) -> TonedLine:
    """Return a line as it is shown."""
    made = TonedLine(line) if isinstance(line, str) else TonedLine(*line)
    if made.second:
        return made._replace(text=f"{shown_text(made.text[: made.second - 1])}\n{shown_text(made.text[made.second :])}")
    return made._replace(text=shown_text(made.text))


def beside(one: TonedLine, other: TonedLine) -> TonedLine:
    """Return a line of two columns, each of them a line as it is shown, with its own tones."""
    second = len(one.text) + 1
    spans = [Span(0, len(one.text), one.tone), *one.spans, Span(second, second + len(other.text), other.tone)]
    spans += [Span(second + span.start, second + span.end, span.tone) for span in other.spans]
    return TonedLine(f"{one.text}\n{other.text}", "", tuple(span for span in spans if span.tone), second)


def column_widths(width: int) -> tuple[int, int]:
    """Return the cells of two columns in ``width``, without the line between them."""
    left = max(1, (width - len(BETWEEN)) // 2)
    return left, max(1, width - len(BETWEEN) - left)


def wrap_words(text: str, width: int) -> list[str]:
    """Return ``text`` in pieces of at most ``width`` cells, broken after a space where one is near enough."""
    pieces: list[str] = []
    at = 0
    while at < len(text):
        window = text[at : at + 2 * width]  # no longer than that: a line may have a million characters
        piece = window
        if at + len(window) < len(text) or cell_len(window) > width:
            piece = chop_cells(window, width)[0] or window[:1]
            space = piece.rfind(" ") + 1
            if space > len(piece) // 2:
                piece = piece[:space]
        pieces.append(piece)
        at += len(piece)
    return pieces


def rows_of(number: int, line: TonedLine, width: int) -> list[Row]:
    """Return the rows of a line; ``width`` 0: one, however long it is."""
    if not line.second:
        return _rows_from(number, 0, line.text, width)
    widths = column_widths(width) if width > 0 else (0, 0)
    left = _rows_from(number, 0, line.text[: line.second - 1], widths[0])
    right = _rows_from(number, line.second, line.text[line.second :], widths[1])
    nothing = Row(number, line.second - 1, ""), Row(number, len(line.text), "")
    pairs = zip_longest(left, right)
    return [(one or nothing[0])._replace(beside=other or nothing[1]) for one, other in pairs]


def _rows_from(number: int, start: int, text: str, width: int) -> list[Row]:
    if width <= 0 or cell_len(text) <= width:
        return [Row(number, start, text)]
    rows = []
    for piece in wrap_words(text, width):
        rows.append(Row(number, start, piece))
        start += len(piece)
    return rows


def pattern_of(needles: Iterable[str]) -> re.Pattern[str] | None:
    """Return what finds any of the texts, in whatever case; None where there is none to be found."""
    wanted = sorted({needle for needle in needles if needle.strip()}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, wanted)), re.IGNORECASE) if wanted else None


def found_in(text: str, pattern: re.Pattern[str] | None, tone: str) -> list[Span]:
    """Return where a pattern is found in a line."""
    return [] if pattern is None else [Span(*match.span(), tone) for match in pattern.finditer(text)]


def toned_parts(row: Row, shown: str, spans: Sequence[Span]) -> Iterator[tuple[str, list[str]]]:
    """Yield what is ``shown`` of a row in parts, each with the tones that it has, in the order of the spans."""
    length = min(len(row.text), len(shown))  # what pads a row is no part of what comes after it in its line
    near = [Span(span.start - row.start, min(length, span.end - row.start), span.tone) for span in spans]
    inside = [span for span in near if span.start < length and span.end > 0]
    cuts = sorted({0, len(shown), *(cut for span in inside for cut in span[:2] if 0 < cut < len(shown))})
    for start, end in pairwise(cuts):
        yield shown[start:end], [span.tone for span in inside if span.start <= start and span.end >= end]


def best_line(lines: Sequence[TonedLine], words: Sequence[str], *, near: Sequence[str] = ()) -> int | None:
    """Return the number of the line of a passage: one of ``near`` (its own lines) that has a word, else the first.

    Where no line has a word, the passage was found by its title or headings: then its first line.
    """
    passage = {shown_text(line).strip() for line in near} - {""}
    pattern = pattern_of(words)
    own = [number for number, line in enumerate(lines) if line.text.strip() in passage]
    hits = [number for number, line in enumerate(lines) if pattern is not None and pattern.search(line.text)]
    if not hits:
        return next(iter(own), None)
    return next((number for number in own if pattern is not None and pattern.search(lines[number].text)), hits[0])
