"""Headings: lines that the outline names, and lines whose letters are larger or bolder than those of the text. Pure.

A heading that is none is worse than one that is missed: it would be above the text of others in search.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import islice, pairwise
from statistics import median
from typing import NamedTuple

from ingest_tui.extraction.page_layout.blocks import HYPHENS, PageBlock, TextLine
from ingest_tui.extraction.page_layout.model import UNKNOWN_STYLE, PageLine, Style
from ingest_tui.extraction.page_layout.running import Repeated

MAX_LEVEL = 6
_LARGER = 1.12
_NOT_SMALLER = 0.96
_SAME_SIZE = 1.03
_MOST_LINES = 3
_LONGEST = 180
_LONGEST_LINE_OF_TEXT_SIZE = 100
_FEWEST_LINES_OF_TEXT = 3
_FEWEST_LETTERS = 2
_LARGEST_SHARE = 0.2
"""Of the characters of a document: styles that have more together are a text of their own, or many."""
_MOST_IN_A_ROW = 2
_FEWEST_REFRAINS = 3
_SHARE_OF_REFRAIN = 0.3
_ENOUGH_LINES = 2_000
_ROOM_ABOVE = 1.25
_NEXT_LINE = 1.9
_WIDE_GAP = 1.6
_NUMBERED = re.compile(r"(?:(?:\d{1,3}|[A-Z]|[IVX]{1,5})(?:\.\d{1,3}){0,5}\.?|\d{1,3}\))\s+(?=\S)")
_BULLET = re.compile(r"[•◦▪‣·*–—○●■□▶➢\uf0b7\-][\s\w]")
_LEADERS = re.compile(r"(?:[.…_·] ?){4}")
_NO_END = (".", ",", ";", ":", "…")

Outline = Mapping[int, Sequence[tuple[int, str]]]
"""Page from 0 → the titles that lead there, each with its level from 1."""


class Heading(NamedTuple):
    """A heading: its level, its first block on its page and how many blocks it has, and its text."""

    level: int
    block: int
    blocks: int
    text: str
    style: Style


class Headings(NamedTuple):
    """The headings of a document by page; and the titles of its outline that are no line of their page."""

    on_lines: dict[int, list[Heading]]
    on_top: dict[int, list[tuple[int, str]]]


def find_headings(pages: Sequence[Sequence[PageBlock]], repeated: Repeated, outline: Outline) -> Headings:
    """Return the headings of a document. What is repeated is none of them."""
    lines = [_lines_of(blocks, repeated.on(page)) for page, blocks in enumerate(pages)]
    headings = Headings(defaultdict(list), {})
    for page, titles in outline.items():
        _match(page, titles, lines[page], headings)
    written = _written(lines)
    body = _text_of(lines, written)
    if body is not None:
        most = sum(written.values()) * _LARGEST_SHARE
        standing_out = _little_written(
            {style: written[style] for style in written if _differs_from_body(style, body)}, most
        )
        found = [_without_lists(_by_font(one, body, standing_out)) for one in lines]
        _add(headings, _without_refrains(found))
    return headings


def _add(headings: Headings, found: Sequence[Sequence[Heading]]) -> None:
    """Add what letters say to what the outline names."""
    levels = _levels({heading.style for page in found for heading in page}, headings.on_lines)
    for page, candidates in enumerate(found):
        named = {
            number for one in headings.on_lines.get(page, ()) for number in range(one.block, one.block + one.blocks)
        }
        for heading in candidates:
            if not named.intersection(range(heading.block, heading.block + heading.blocks)):
                headings.on_lines[page].append(heading._replace(level=levels[heading.style]))


_Numbered = list[tuple[int, TextLine]]


def _lines_of(blocks: Sequence[PageBlock], left_out: Container[int]) -> _Numbered:
    return [
        (number, block)
        for number, block in enumerate(blocks)
        if isinstance(block, TextLine) and not block.is_typed and number not in left_out and block.text.strip()
    ]


# --- What the outline names -------------------------------------------------------------------------------------------


def _match(page: int, titles: Sequence[tuple[int, str]], lines: _Numbered, headings: Headings) -> None:
    folded = [_folded(block.text) for _, block in lines]
    used: set[int] = set()
    for level, title in titles:
        place = _place_of(_folded(title), lines, folded, used)
        if place is None:
            headings.on_top.setdefault(page, []).append((level, title))
            continue
        used.update(place)
        first, count = lines[place[0]][0], lines[place[-1]][0] - lines[place[0]][0] + 1
        text = joined([lines[at][1].text for at in place])
        headings.on_lines[page].append(Heading(level, first, count, text, lines[place[0]][1].line.style))


def _place_of(title: str, lines: _Numbered, folded: Sequence[str], used: set[int]) -> range | None:
    """Return the lines that are a title, with or without the number before it."""
    bare = _without_number(title)
    for at, line in enumerate(folded):
        together = ""
        for end in range(at, min(at + _MOST_LINES, len(folded))):
            if end in used or (end > at and not _is_next(lines[end - 1][1].line, lines[end][1].line)):
                break
            together = f"{together} {folded[end]}".strip()
            if len(together) > len(title) + 20:
                break
            if line and (together == title or _without_number(together) == bare):
                return range(at, end + 1)
    return None


def _is_next(above: PageLine, below: PageLine) -> bool:
    return abs(above.middle - below.middle) <= _NEXT_LINE * max(above.style.size, below.style.size)


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _without_number(title: str) -> str:
    return re.sub(r"\A(?:\d{1,3}|[a-z]|[ivx]{1,5})(?:\.\d{1,3}){0,5}[.)]?\s+(?=\S)", "", title)


# --- What letters say -------------------------------------------------------------------------------------------------


class _BodyText(NamedTuple):
    size: float
    bold: bool
    pitch: float


def _written(lines: Sequence[_Numbered]) -> Counter[Style]:
    """Count the characters in each style."""
    written: Counter[Style] = Counter()
    for page in lines:
        for _, block in page:
            written[block.line.style] += len(block.text)
    del written[UNKNOWN_STYLE]
    return written


def _text_of(lines: Sequence[_Numbered], written: Counter[Style]) -> _BodyText | None:
    """Return how most of the text is written; None where there is too little to compare with."""
    sizes: Counter[float] = Counter()
    for style, count in written.items():
        sizes[style.size] += count
    if not sizes:
        return None
    size = max(sizes, key=lambda one: (sizes[one], -one))
    drops = list(islice(_drops(lines, size), _ENOUGH_LINES))
    if len(drops) < _FEWEST_LINES_OF_TEXT - 1:
        return None
    bold = sum(count for style, count in written.items() if style.bold and style.size == size)
    return _BodyText(size, bold * 2 > sizes[size], median(drops))


def _drops(lines: Sequence[_Numbered], size: float) -> Iterator[float]:
    """Yield how far one line of this size is below another."""
    for page in lines:
        for (_, above), (_, below) in pairwise(page):
            drop = above.line.middle - below.line.middle
            if above.line.style.size == size == below.line.style.size and 0 < drop < size * _NEXT_LINE * 2:
                yield drop


def _by_font(lines: _Numbered, body: _BodyText, standing_out: set[Style]) -> Iterator[Heading]:
    """Yield the lines of a page that may be headings, those of one heading together. Their level is not known yet."""
    at = 0
    while at < len(lines):
        style = lines[at][1].line.style
        end = at + 1
        if style not in standing_out:
            at = end
            continue
        while end < len(lines) and _continues(lines[end - 1], lines[end], style):
            end += 1
        heading = _heading(lines, at, end, style, body)
        if heading is not None:
            yield heading
        at = end


def _without_lists(headings: Iterable[Heading]) -> list[Heading]:
    """Leave out what follows one another with nothing between, again and again: it is a list, not its headings."""
    kept: list[Heading] = []
    run: list[Heading] = []
    for heading in headings:
        if run and (heading.style != run[-1].style or heading.block > run[-1].block + run[-1].blocks):
            kept += run if len(run) <= _MOST_IN_A_ROW else []
            run = []
        run.append(heading)
    return kept + (run if len(run) <= _MOST_IN_A_ROW else [])


def _without_refrains(pages: Sequence[list[Heading]]) -> list[list[Heading]]:
    """Leave out what is on most pages: it belongs to the layout."""
    count = Counter(text for page in pages for text in {heading.text for heading in page})
    most = max(_FEWEST_REFRAINS, len(pages) * _SHARE_OF_REFRAIN)
    return [[heading for heading in page if count[heading.text] < most] for page in pages]


def _little_written(written: Mapping[Style, int], most: float) -> set[Style]:
    """Return the largest styles, as many as have at most so many characters together."""
    kept: set[Style] = set()
    for style in sorted(written, key=lambda one: (-one.size, not one.bold)):
        if written[style] <= most:
            most -= written[style]
            kept.add(style)
    return kept


def _differs_from_body(style: Style, body: _BodyText) -> bool:
    return style.size >= body.size * _LARGER or (
        style.bold and not body.bold and style.size >= body.size * _NOT_SMALLER
    )


def _continues(above: tuple[int, TextLine], below: tuple[int, TextLine], style: Style) -> bool:
    drop = above[1].line.middle - below[1].line.middle
    return (
        below[0] == above[0] + 1
        and below[1].line.style == style
        and -1 < drop <= style.size * _NEXT_LINE
        and below[1].line.left < above[1].line.right
    )


def _heading(lines: _Numbered, start: int, end: int, style: Style, body: _BodyText) -> Heading | None:
    text = joined([block.text for _, block in lines[start:end]])
    numbered = _NUMBERED.match(text)
    if end - start > _MOST_LINES or len(text) > _LONGEST or not _reads_as_heading(text, lines[start][1].line, numbered):
        return None
    if style.size < body.size * _LARGER:
        if len(text) > _LONGEST_LINE_OF_TEXT_SIZE or end == len(lines) or text.endswith(_NO_END):
            return None
        if not numbered and not _has_room_above(lines, start, body):
            return None
    first, last = lines[start][0], lines[end - 1][0]
    return Heading(0, first, last - first + 1, text, style)


def _reads_as_heading(text: str, line: PageLine, numbered: re.Match[str] | None) -> bool:
    letters = sum(character.isalpha() for character in text)
    dense = len(text) - text.count(" ")
    first = text[numbered.end() if numbered else 0]
    return (
        letters >= _FEWEST_LETTERS
        and letters * 2 >= dense
        and not first.islower()
        and not text.endswith((",", ";"))
        and not (text.endswith(".") and len(text) > _LONGEST_LINE_OF_TEXT_SIZE // 2 and not numbered)
        and not _LEADERS.search(text)
        and not _BULLET.match(text)
        and (line.later_gap if numbered else line.gap) < _WIDE_GAP
    )


def _has_room_above(lines: _Numbered, at: int, body: _BodyText) -> bool:
    number, block = lines[at]
    if at == 0 or lines[at - 1][0] != number - 1:
        return True
    drop = lines[at - 1][1].line.middle - block.line.middle
    return drop < 0 or drop >= body.pitch * _ROOM_ABOVE


def joined(texts: Sequence[str]) -> str:
    """Put the lines of a heading together."""
    text = " ".join(one.strip() for one in texts)
    for hyphen in HYPHENS:
        text = text.replace(f"{hyphen} ", "").replace(hyphen, "")
    return " ".join(text.split())


def _levels(accepted: set[Style], named: Mapping[int, Sequence[Heading]]) -> dict[Style, int]:
    """Return the level of each style: as the outline has it, else by size, bold ones first."""
    by_outline: dict[Style, Counter[int]] = defaultdict(Counter)
    for page in named.values():
        for heading in page:
            by_outline[heading.style][heading.level] += 1
    levels: dict[Style, int] = {}
    level, size, bold = 0, float("inf"), False
    for style in sorted(accepted | set(by_outline), key=lambda one: (-one.size, not one.bold)):
        if style.size * _SAME_SIZE < size or style.bold != bold:
            level += 1
        if style in by_outline:
            level = max(by_outline[style].items(), key=lambda one: one[1])[0]
        levels[style] = max(1, min(level, MAX_LEVEL))
        size, bold = style.size, style.bold
    return {style: level for style, level in levels.items() if style in accepted}
