"""The blocks of a page, in the order of its text: its lines, and tables in the places of the lines that they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from ingest_tui.extraction.page_layout.columns import LEADERS, WordsOf, find_tables
from ingest_tui.extraction.page_layout.grids import Grid, find_grids, table_in
from ingest_tui.extraction.page_layout.model import PageLine, PageTable, Rules, Word

HYPHENS = ("\ufffe", "\x02")
"""What PDFium gives for a hyphen at the end of a line, U+0002 in older releases: the next line continues the word."""
_FEWEST_JUMPS = 2
_NEAR = 3
_GAP = 1.0
_MARKS = frozenset("|-#\\.…·_")


class TextLine(NamedTuple):
    """A line of text, as PDFium gives it. ``is_typed``: it is what somebody put into a field; that is no heading."""

    text: str
    line: PageLine
    is_typed: bool = False


class TableBlock(NamedTuple):
    """A table as markdown."""

    markdown: str


PageBlock = TextLine | TableBlock


def plain_blocks(lines: Sequence[PageLine], text: str) -> list[PageBlock]:
    """Return each line as it is."""
    return [TextLine(text[line.start : line.end].replace("\r\n", " "), line) for line in lines]


def find_blocks(lines: Sequence[PageLine], text: str, words_of: WordsOf, rules: Callable[[], Rules]) -> list[PageBlock]:
    """Return the blocks of a page. ``words_of`` and ``rules`` are asked where something says that there is a table.

    No character of the text is lost: where one would be, the lines are returned as they are.
    """
    plain = plain_blocks(lines, text)
    if not may_have_tables(lines):
        return plain
    tables = list(_tables(lines, text, words_of, rules()))
    if not tables:
        return plain
    blocks = _with_tables(lines, text, tables, words_of)
    return blocks if _characters(blocks) == _characters(plain) else plain


def may_have_tables(lines: Sequence[PageLine]) -> bool:
    """Say whether lines near one another have wide gaps, or lines go up the page again, as from cell to cell."""
    last_gap = -_NEAR - 1
    jumps = 0
    above = 0.0
    for number, line in enumerate(lines):
        if line.gap >= _GAP:
            if number - last_gap <= _NEAR:
                return True
            last_gap = number
        jumps += 0 < above <= line.middle
        above = line.middle
    return jumps >= _FEWEST_JUMPS


def _tables(
    lines: Sequence[PageLine], text: str, words_of: WordsOf, rules: Rules
) -> Iterator[tuple[set[int], PageTable]]:
    """Yield the tables, each with the numbers of the lines that have words in it. No line is looked at twice."""
    taken: set[int] = set()
    for grid in find_grids(rules):
        numbers = {number for number, line in enumerate(lines) if number not in taken and _touches(line, grid)}
        words = [word for number in sorted(numbers) for word in words_of(lines[number])]
        table = table_in(grid, words)
        if table is not None:
            taken |= numbers
            yield numbers, table
    start = 0
    for end in (*sorted(taken), len(lines)):
        for numbers_of_lines, table in find_tables(lines[start:end], words_of, text):
            yield {start + number for number in numbers_of_lines}, table
        start = end + 1


def _touches(line: PageLine, grid: Grid) -> bool:
    return grid.ys[-1] < line.middle < grid.ys[0] and line.right > grid.xs[0] and line.left < grid.xs[-1]


def _with_tables(
    lines: Sequence[PageLine], text: str, tables: Sequence[tuple[set[int], PageTable]], words_of: WordsOf
) -> list[PageBlock]:
    starts: dict[int, PageTable] = {}
    touched: set[int] = set()
    in_table: set[int] = set()
    for numbers, table in tables:
        words = table.words()
        touched |= numbers
        in_table.update(word.start for word in words)
        starts[words[0].start] = table
    blocks: list[PageBlock] = []
    for number, line in enumerate(lines):
        if number not in touched:
            blocks.append(TextLine(text[line.start : line.end].replace("\r\n", " "), line))
            continue
        outside: list[Word] = []
        for word in words_of(line):
            if word.start in starts:
                blocks += _rest(outside, line, text)
                outside = []
                blocks.append(TableBlock(markdown_of(starts[word.start], text)))
            elif word.start not in in_table:
                outside.append(word)
        blocks += _rest(outside, line, text)
    return blocks


def _rest(words: Sequence[Word], line: PageLine, text: str) -> list[PageBlock]:
    if not any(text[word.start : word.end].strip(LEADERS) for word in words):
        return []  # dots that lead from one cell to the next
    left, right = min(word.left for word in words), max(word.right for word in words)
    rest = line._replace(start=words[0].start, end=words[-1].end, left=left, right=right, gap=0, later_gap=0)
    return [TextLine(" ".join(text[word.start : word.end] for word in words), rest)]


def markdown_of(table: PageTable, text: str) -> str:
    """Return a table as markdown; its first row has the names of the columns."""
    rows = [[_cell(cell, text) for cell in row] for row in table.rows]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join((lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]))


def _cell(words: Sequence[Word], text: str) -> str:
    parts: list[str] = []
    for word in words:
        part = text[word.start : word.end]
        if parts and parts[-1].endswith(HYPHENS):
            parts[-1] = parts[-1][:-1] + part
        else:
            parts.append(part)
    joined = " ".join(parts)
    for hyphen in HYPHENS:
        joined = joined.replace(hyphen, "")
    return joined.replace("\\", "\\\\").replace("|", "\\|")


def _characters(blocks: Sequence[PageBlock]) -> Counter[str]:
    """Count the characters of some blocks, but for spaces, hyphens at line ends, leaders and marks of tables."""
    counts: Counter[str] = Counter()
    for block in blocks:
        counts.update(block.text if isinstance(block, TextLine) else block.markdown)
    for character in [one for one in counts if one.isspace() or one in _MARKS or one in HYPHENS]:
        del counts[character]
    return counts
