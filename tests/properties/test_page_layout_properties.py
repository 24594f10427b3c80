"""Whatever the layout of a page is said to be, none of its words is lost."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_tui.extraction.page_layout.blocks import PageBlock, find_blocks
from ingest_tui.extraction.page_layout.document import pages_as_markdown
from ingest_tui.extraction.page_layout.model import DrawnRule, PageLine, Rules, Style, Word

PLACES = st.sampled_from([0.0, 50, 50.5, 100, 120, 200, 300.25, 420, 600]) | st.floats(-20_000, 20_000)
WORDS = st.sampled_from(["Bolt", "5", "1.2", "a|b", "\\", "#", "1.", "•", "ex\ufffe", "ample", "名前", "Nut", "x" * 40])
RULES = st.lists(st.builds(DrawnRule, PLACES, PLACES, PLACES), max_size=12)


class Sheet:
    """A page with words at places."""

    def __init__(self, rows: list[list[tuple[str, float]]], pitch: float, sizes: list[float]) -> None:
        self.words: dict[int, list[Word]] = {}
        self.lines: list[PageLine] = []
        self.text = ""
        for number, row in enumerate(rows):
            start, y = len(self.text), 700 - number * pitch
            words = []
            for word, x in row:
                at = len(self.text)
                words.append(Word(at, at + len(word), x, y, x + len(word) * 5, y + 10))
                self.text += word + " "
            self.text = self.text.rstrip(" ") + "\r\n"
            gap = max((b.left - a.right for a, b in pairwise(words)), default=0) / 10
            style = Style(sizes[number % len(sizes)], bold=number % 3 == 0, fixed_pitch=False)
            left, right = min(word.left for word in words), max(word.right for word in words)
            self.lines.append(PageLine(start, len(self.text) - 2, style, left, right, y + 5, gap, gap))
            self.words[start] = words

    def blocks(self, rules: Rules) -> list[PageBlock]:
        return find_blocks(self.lines, self.text, lambda line: self.words[line.start], lambda: rules)


SHEETS = st.builds(
    Sheet,
    st.lists(st.lists(st.tuples(WORDS, PLACES), min_size=1, max_size=6), min_size=1, max_size=12),
    st.sampled_from([12.0, 14, 0, -14, 40]),
    st.lists(st.sampled_from([0.0, 8, 10, 14, 20]), min_size=1, max_size=3),
)


def letters(text: str) -> Counter[str]:
    counts = Counter(text)
    for sign in " \r\n|\\#-.\ufffe":
        del counts[sign]
    return counts


@pytest.mark.slow
@given(SHEETS, RULES, RULES)
def test_no_letter_is_lost_or_doubled(sheet: Sheet, level: list[DrawnRule], upright: list[DrawnRule]) -> None:
    """Tables and headings hold each letter of the page once."""
    markdown = pages_as_markdown([sheet.blocks(Rules(level, upright))], {})
    assert letters(markdown[0]) == letters(sheet.text)


@pytest.mark.slow
@given(st.lists(SHEETS, min_size=1, max_size=5), st.lists(st.tuples(st.integers(1, 6), WORDS), max_size=3))
def test_each_word_of_a_document_is_on_one_page_at_least(sheets: list[Sheet], titles: list[tuple[int, str]]) -> None:
    """Running headers are left out after their first page; numbers may be page numbers."""
    markdown = pages_as_markdown([sheet.blocks(Rules([], [])) for sheet in sheets], {0: titles})
    expected = {sign for sheet in sheets for sign in letters(sheet.text) if not sign.isdigit()}
    assert expected <= set(letters("".join(markdown)))
