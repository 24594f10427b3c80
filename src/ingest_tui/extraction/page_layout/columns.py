"""Tables without drawn cells: lines of text that follow one another and have gaps at the same places. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from ingest_tui.extraction.page_layout.model import PageLine, PageTable, Word

_WIDE_GAP = 1.0
"""Of the size of the letters: a gap that no space between words is."""
_CELL_GAP = 0.75
_SEPARATOR = 0.3
_MAX_COLUMNS = 30
_FEWEST_ROWS = 3
_FEWEST_ROWS_OF_TWO = 4
_ROWS_FOR_EXCEPTIONS = 5
_LONGEST_BREAK = 2
"""Lines within a table that have one piece of text only: a cell of more than one line, or the name of a group."""
_MOST_OF_WIDTH = 0.6
_PITCH = 2.6
_LEAST_FILLED = 0.5
_PROSE_WORDS = 4.5
_LONGEST_CELL = 300
_TWO = 2
"""What has two columns is a list more often than not."""
LEADERS = ".…·_"
"""Signs that lead the eye from one cell to the next."""
_LEADER = re.compile(rf"[{LEADERS}]+\Z")
_MARKER = re.compile(r"(?:[•◦▪‣·*\-–—○●■□▶➢\uf0b7]|\(?[0-9ivxIVX]{1,4}[.)\]]|\(?[a-zA-Z][.)]|\[\w{1,8}\])\Z")
_WITH_DIGIT = re.compile(r".*\d")
_PAGE_NUMBER = re.compile(r"(?:\d{1,4}|[ivxlc]{1,6})\Z")

WordsOf = Callable[[PageLine], list[Word]]


def find_tables(lines: Sequence[PageLine], words_of: WordsOf, text: str) -> list[tuple[range, PageTable]]:
    """Return the tables among ``lines`` (in the order of the text), each with the numbers of its lines.

    ``text`` is that of the page; ``words_of`` is asked for lines within a possible table only.
    """
    found: list[tuple[range, PageTable]] = []
    at = 0
    while at < len(lines):
        if lines[at].gap < _WIDE_GAP:
            at += 1
            continue
        end = _end_of_run(lines, at)
        if end - at >= _FEWEST_ROWS:
            table = _table(lines[at:end], words_of, text)
            if table is not None:
                found.append((range(at, end), table))
        at = end
    return found


def _end_of_run(lines: Sequence[PageLine], start: int) -> int:
    """Return the number after the last line with gaps, of those that follow one another down the page."""
    end = start + 1
    left, right = lines[start].left, lines[start].right
    for number in range(start + 1, len(lines)):
        line, above = lines[number], lines[number - 1]
        size = line.style.size
        falls = 0 < above.middle - line.middle <= max(size, above.style.size) * _PITCH
        if not size or not falls or number - end >= _LONGEST_BREAK + 1:
            break
        if line.gap >= _WIDE_GAP:
            end = number + 1
            left, right = min(left, line.left), max(right, line.right)
        elif not left - size <= line.left < right or line.right - line.left > (right - left) * _MOST_OF_WIDTH:
            break
    return end


def _table(lines: Sequence[PageLine], words_of: WordsOf, text: str) -> PageTable | None:
    size = sorted(line.style.size for line in lines)[len(lines) // 2]
    pieces = [_pieces(_without_leaders(words_of(line), text), size * _CELL_GAP) for line in lines]
    separators = _separators(pieces, size)
    if not 0 < len(separators) < _MAX_COLUMNS:
        return None
    rows = _continued([_cut(line, separators) for line in pieces])
    return PageTable(rows) if _is_table(rows, lines, text) else None


def _without_leaders(words: list[Word], text: str) -> list[Word]:
    """Leave out the dots that lead the eye from a name to its value; those that end a word stay with it."""
    kept = [word for word in words if not _LEADER.match(text, word.start, word.end)]
    return kept if len(words) - len(kept) > 2 or any(_is_long_leader(word, text) for word in words) else words  # noqa: PLR2004 "..." is one


def _is_long_leader(word: Word, text: str) -> bool:
    return word.end - word.start > 4 and bool(_LEADER.match(text, word.start, word.end))  # noqa: PLR2004 longer than an ellipsis


def _pieces(words: list[Word], gap: float) -> list[list[Word]]:
    """Put the words of a line together that are no more than a space apart."""
    pieces: list[list[Word]] = []
    for word in sorted(words, key=lambda one: (one.left, one.start)):
        if pieces and word.left - max(one.right for one in pieces[-1][-3:]) < gap:
            pieces[-1].append(word)
        else:
            pieces.append([word])
    return pieces


def _separators(rows: Sequence[list[list[Word]]], size: float) -> list[float]:
    """Return where no row has text, or hardly one: the x of the gaps between the columns."""
    full = [row for row in rows if len(row) > 1]
    allowed = len(full) // _ROWS_FOR_EXCEPTIONS
    events: list[tuple[float, int]] = []
    for row in full:
        for piece in row:
            events += [(piece[0].left, 1), (max(word.right for word in piece), -1)]
    separators: list[float] = []
    depth, gap_start = 0, None
    for x, step in sorted(events):
        before, depth = depth, depth + step
        if before > allowed >= depth:
            gap_start = x
        elif before <= allowed < depth and gap_start is not None:
            if x - gap_start >= size * _SEPARATOR:
                separators.append((gap_start + x) / 2)
            gap_start = None
    return separators


def _cut(pieces: list[list[Word]], separators: Sequence[float]) -> list[list[Word]]:
    """Return the cells of a row. A piece over several columns is in the first, unless a space of it is at a gap."""
    cells: list[list[Word]] = [[] for _ in range(len(separators) + 1)]
    for piece in pieces:
        column = sum(separator <= piece[0].left + 1 for separator in separators)
        cells[column].append(piece[0])
        for before, word in pairwise(piece):
            if any(before.right <= separator <= word.left for separator in separators):
                column = sum(separator <= word.left for separator in separators)
            cells[column].append(word)
    return cells


def _continued(rows: list[list[list[Word]]]) -> list[list[list[Word]]]:
    """Put a row that has text in one column only, and not in the first, to the row above: its cell has two lines."""
    joined: list[list[list[Word]]] = []
    for row in rows:
        filled = [column for column, cell in enumerate(row) if cell]
        if joined and len(filled) == 1 and filled[0] > 0 and len(row) > 2:  # noqa: PLR2004 of two columns it may be a row
            joined[-1][filled[0]] += row[filled[0]]
        elif filled:
            joined.append(row)
    return joined


def _is_table(rows: list[list[list[Word]]], lines: Sequence[PageLine], text: str) -> bool:
    columns = len(rows[0]) if rows else 0
    if len(rows) < (_FEWEST_ROWS_OF_TWO if columns == _TWO else _FEWEST_ROWS):
        return False
    filled = sum(bool(cell) for row in rows for cell in row)
    if filled < _LEAST_FILLED * len(rows) * columns or sum(sum(map(bool, row)) > 1 for row in rows) < len(rows) / 2:
        return False
    names = [[_joined(row[column], text) for row in rows if row[column]] for column in range(columns)]
    if not all(names) or (columns == _TWO and _is_list(names, lines)):
        return False
    return _fits_cells(names)


def _fits_cells(columns: Sequence[Sequence[str]]) -> bool:
    """Say whether the texts are those of cells, and not of columns of text: one column may explain the others."""
    wordy = [column for column in columns if _words_a_cell(column) > _PROSE_WORDS]
    if not wordy:
        return True
    if len(wordy) > 1 or max(map(len, wordy[0])) > _LONGEST_CELL:
        return False
    return len(columns) > _TWO or all(column is wordy[0] or _most(_WITH_DIGIT, column) for column in columns)


def _is_list(names: Sequence[Sequence[str]], lines: Sequence[PageLine]) -> bool:
    """Say whether two columns are a list with its bullets or numbers, a table of contents, or printed by a program."""
    printed = sum(line.style.fixed_pitch for line in lines) * 2 > len(lines)
    return printed or _most(_MARKER, names[0]) or _most(_PAGE_NUMBER, names[1])


def _joined(cell: list[Word], text: str) -> str:
    return " ".join(text[word.start : word.end] for word in cell)


def _most(pattern: re.Pattern[str], cells: Sequence[str]) -> bool:
    return sum(bool(pattern.match(cell)) for cell in cells) * 10 >= len(cells) * 7


def _words_a_cell(cells: Sequence[str]) -> float:
    return sum(len(cell.split()) for cell in cells) / len(cells)
