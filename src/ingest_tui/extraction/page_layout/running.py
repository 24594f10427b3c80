"""Running headers and footers: lines at the edge of many pages that say what an earlier page says. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from ingest_tui.extraction.page_layout.blocks import PageBlock, TextLine

_LINES_AT_AN_EDGE = 3
_EDGE = 0.08
"""Of the height that the text of a document takes on its pages."""
_FEWEST_PAGES = 3
_MOST_REFERENCES = 50
_LEAST_SHARE = 0.4
"""Of the pages from the first to the last that have it: half of them for headers of left and right pages."""
_SAME_HEIGHT = 4.0
_LONGEST = 200
_NUMBER = re.compile(r"\d{1,9}")
_HERE = "\0"
"""Takes the place of a number; no text of a page has it where a number could be."""
_ONLY_NUMBER = re.compile(r"[\W_]*\0[\W_]*\Z")


class _Place(NamedTuple):
    page: int
    block: int
    height: float
    numbers: tuple[int, ...]


class Repeated(NamedTuple):
    """Running headers and footers: the numbers of their blocks on each page that has some, both from 0."""

    left_out: dict[int, set[int]]
    kept: dict[int, set[int]]

    def on(self, page: int) -> set[int]:
        """Return those of a page, left out or not."""
        return self.left_out.get(page, set()) | self.kept.get(page, set())


def find_repeated(pages: Sequence[Sequence[PageBlock]]) -> Repeated:
    """Return the running headers and footers, those to leave out and those that stay.

    A line is left out where it is at the same height as one at the edge of an earlier page and has the same words, each
    number in it being the same or counting the pages: what it says is known from that one and the number of the page.
    So each word stays, on its first page. Of lines that hold a page number alone none stays.
    """
    edges: dict[str, list[_Place]] = defaultdict(list)
    repeated = Repeated(defaultdict(set), defaultdict(set))
    if len(pages) < _FEWEST_PAGES:
        return repeated
    lines = (block.line for blocks in pages for block in blocks if isinstance(block, TextLine))
    heights = [line.middle for line in lines if line.middle]
    lowest, highest = min(heights, default=0), max(heights, default=0)
    edge = (highest - lowest) * _EDGE
    for page, blocks in enumerate(pages):
        for number, block in _edge_lines(blocks, lowest + edge, highest - edge):
            text = " ".join(block.text.replace(_HERE, " ").split()).casefold()
            numbers = tuple(map(int, _NUMBER.findall(text)))
            edges[_NUMBER.sub(_HERE, text)].append(_Place(page, number, block.line.middle, numbers))
    for template, places in edges.items():
        for group in _groups(places):
            if not _is_repeated(group):
                continue
            counts_pages = _ONLY_NUMBER.match(template) and group[0].numbers != group[1].numbers
            for number, place in enumerate(group):
                stays = number == 0 and not counts_pages
                (repeated.kept if stays else repeated.left_out)[place.page].add(place.block)
    return repeated


def _edge_lines(blocks: Sequence[PageBlock], low: float, high: float) -> list[tuple[int, TextLine]]:
    """Return the outermost lines of a page that are below ``low`` or above ``high``."""
    lines = [
        (number, block) for number, block in enumerate(blocks) if isinstance(block, TextLine) and block.line.middle
    ]
    lines = [one for one in lines if not low < one[1].line.middle < high]
    if len(lines) > 2 * _LINES_AT_AN_EDGE:
        lines.sort(key=lambda one: one[1].line.middle)
        lines = lines[-_LINES_AT_AN_EDGE:] + lines[:_LINES_AT_AN_EDGE]
    return [one for one in lines if len(one[1].text) <= _LONGEST and one[1].text.strip()]


def _groups(places: Sequence[_Place]) -> list[list[_Place]]:
    """Gather the places that say the same."""
    groups: list[list[_Place]] = []
    for place in places:
        group = next((one for one in reversed(groups[-_MOST_REFERENCES:]) if _has_same_text(one[0], place)), None)
        if group is None:
            groups.append([place])
        else:
            group.append(place)
    return groups


def _has_same_text(first: _Place, other: _Place) -> bool:
    turned = other.page - first.page
    return abs(first.height - other.height) <= _SAME_HEIGHT and all(
        number - before in (0, turned) for before, number in zip(first.numbers, other.numbers, strict=True)
    )


def _is_repeated(group: Sequence[_Place]) -> bool:
    on = {place.page for place in group}
    return len(on) >= _FEWEST_PAGES and len(on) >= _LEAST_SHARE * (max(on) - min(on) + 1)
