"""A block of markdown cut into pieces that are small enough for a chunk, each with where it comes from. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from ingest_tui.model.chunk_limits import ChunkLimits
from ingest_tui.model.markdown_blocks import Block

SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]*(?=\s)|[。！？]")
_CELL = re.compile(r"(?:[^|\\]|\\.)*", re.DOTALL)
_LONGEST_OPENING = 100
_LOOK_AHEAD = 1024**2
"""Characters of a long text that are there when a piece is cut: more than any piece has."""
_FENCE_OPENING = re.compile(r"(?P<quote>[ \t]*(?:>[ \t]?)*)[^`~]*(?P<mark>`{3,}|~{3,})[ \t]*(?P<language>[^\s{}]*)")
_SMALL_TABLE_COST = 12
"""What the marks of a small table add for each of its columns."""


class Piece(NamedTuple):
    """A text of a chunk, and the offsets in the whole text between which its own words are.

    Heads of tables and fences that it repeats are not its own. ``gap`` is what is between it and the piece before it;
    None for the first piece of a block: that is what is before the block.
    """

    text: str
    start: int
    end: int
    gap: str | None = "\n\n"


def pieces_of(block: Block, limits: ChunkLimits) -> Iterator[Piece]:
    """Yield a block whole, or cut when it is too large; what is in its ``rest`` is read on the way."""
    if not block.rest and limits.measure.reach(block.text, 0, limits.largest) >= len(block.text):
        yield Piece(block.text, block.start, block.start + len(block.text), None)
    elif block.kind == "table":
        yield from _TableCutter(limits).pieces(block)
    elif block.kind == "fence":
        yield from _fence_pieces(block.text, block.start, limits)
    else:
        yield from text_pieces(block.text, block.start, limits, limits.target, block.rest)


def text_pieces(text: str, offset: int, limits: ChunkLimits, target: int, rest: Iterable[str] = ()) -> Iterator[Piece]:
    """Yield pieces of at most about ``target``, cut where a person would: see `_cut`; half as much again at the end.

    ``rest`` are further lines of the text, of which a part is in memory at a time.
    """
    lines = iter(rest)
    start = before = 0  # where the next piece begins, and where the last one ended
    is_first = True
    while True:
        longest = limits.measure.reach(text, start, target * 3 // 2) if start < len(text) else start
        is_near_end = longest >= len(text) or len(text) - start < _LOOK_AHEAD
        if is_near_end and (further := "".join(f"\n{line}" for line in _some_of(lines))):
            text, offset, start, before = text[before:] + further, offset + before, start - before, 0
            continue
        cut = _cut(text, start, limits.measure.reach(text, start, target)) if longest < len(text) else len(text)
        for piece in _stripped(text, start, cut, offset):
            yield piece._replace(gap=None if is_first else text[before : piece.start - offset])
            before, is_first = piece.end - offset, False
        if cut == len(text):
            return
        start = cut


def _some_of(lines: Iterator[str]) -> Iterator[str]:
    """Yield as many lines as are kept at a time."""
    size = 0
    while size < _LOOK_AHEAD and (line := next(lines, None)) is not None:
        size += len(line) + 1
        yield line


def _stripped(text: str, start: int, end: int, offset: int) -> Iterator[Piece]:
    """Yield a part of a text without the white space around it; nothing where it is all white."""
    part = text[start:end]
    if piece := part.strip():
        first = offset + start + len(part) - len(part.lstrip())
        yield Piece(piece, first, first + len(piece))


def _cut(text: str, start: int, latest: int) -> int:
    """Return where to cut at the latest: at the end of a line or a sentence in the second half, else between words."""
    middle = (start + latest) // 2
    line_end = text.rfind("\n", middle, latest + 1)
    if line_end >= 0:
        return line_end + 1
    ends = [match.end() for match in SENTENCE_END.finditer(text, middle, latest)]
    if ends:
        return ends[-1]
    for position in range(latest, start, -1):
        if text[position - 1].isspace():
            return position
    return latest


# Code


def _fence_pieces(text: str, offset: int, limits: ChunkLimits) -> Iterator[Piece]:
    """Yield a code block cut between its lines, each piece with the fence around it.

    Of an opening that is too long for that the fence and the language are repeated; what it says is a text before.
    """
    opening, _, inner = text.partition("\n")
    body, _, closing = inner.rpartition("\n")
    parts = _FENCE_OPENING.match(opening)
    if parts is None:
        return
    end = offset + len(text)
    if not _closes(closing, parts["mark"]):
        body, closing, end = inner, f"{parts['quote']}{parts['mark']}", 0
    openings = (opening, opening[: parts.end("language")], opening[: parts.end("mark")])
    most = min(_LONGEST_OPENING, limits.target // 4)
    repeated = next((one for one in openings if limits.measure.size(f"{one}\n{closing}") <= most), None)
    if repeated is None:
        yield from text_pieces(text, offset, limits, limits.target)
        return
    said = parts.end("mark")
    if repeated != opening:
        yield from text_pieces(opening[said:], offset + said, limits, limits.target)
    room = limits.target - limits.measure.size(f"{repeated}\n{closing}")
    pieces = list(_line_pieces(body, offset + len(opening) + 1, limits, room))
    for at, piece in enumerate(pieces):
        is_first = not at and repeated == opening
        yield Piece(
            f"{repeated}\n{piece.text}\n{closing}",
            offset if is_first else piece.start,
            end if end and at == len(pieces) - 1 else piece.end,
            None if is_first else "\n\n",
        )


def _closes(line: str, mark: str) -> bool:
    """Whether the last line of a code block closes it."""
    run = line.strip("> \t")
    return len(run) >= len(mark) and not run.strip(mark[0])


def _line_pieces(text: str, offset: int, limits: ChunkLimits, target: int) -> Iterator[Piece]:
    """Yield whole lines gathered up to the target; a line that is longer is cut as text is."""
    pending: list[str] = []
    size, start, line_start = 0, offset, offset
    for line in text.split("\n"):
        line_size = limits.measure.size(line)
        if pending and size + line_size > target:
            yield from _lines(pending, start)
            pending, size, start = [], 0, line_start
        line_start += len(line) + 1
        if line_size > target:
            yield from text_pieces(line, start, limits, target)
            start = line_start
            continue
        pending.append(line)
        size += line_size + 1
    yield from _lines(pending, start)


def _lines(lines: Sequence[str], start: int) -> Iterator[Piece]:
    """Yield lines as a piece; none where all are blank."""
    text = "\n".join(lines)
    if text.strip():
        yield Piece(text, start, start + len(text))


# Tables


class _TableCutter:
    """Cuts tables between their rows; each piece begins with the names of the columns and the line below them."""

    def __init__(self, limits: ChunkLimits) -> None:
        self._limits = limits
        self._size = limits.measure.size

    def pieces(self, table: Block) -> Iterator[Piece]:
        """Yield the pieces of a table that is too large for one."""
        names, marks, *first_rows = table.text.split("\n")
        head = self._size(names) + self._size(marks) + 2
        target, largest = max(self._limits.target, head + 1), self._limits.largest
        pending: list[str] = []
        size = head
        start = offset = table.start  # the head is the first piece's own
        row_start = offset + len(names) + len(marks) + 2
        for row in chain(first_rows, table.rest):
            row_size = self._size(row)
            if pending and size + row_size > target:
                yield self._piece((names, marks, *pending), start, row_start - 1, is_first=start == offset)
                pending, size, start = [], head, row_start
            row_end = row_start + len(row)
            if head + row_size > largest:
                yield from self._row_pieces(names, row, row_start)
                start = row_end + 1
            else:
                pending.append(row)
                size += row_size + 1
            row_start = row_end + 1
        if pending:
            yield self._piece((names, marks, *pending), start, row_start - 1, is_first=start == offset)
        elif row_start == offset + len(names) + len(marks) + 2:  # it has no rows
            yield from text_pieces(table.text, offset, self._limits, self._limits.target)

    @staticmethod
    def _piece(lines: Sequence[str], start: int, end: int, *, is_first: bool) -> Piece:
        return Piece("\n".join(lines), start, end, None if is_first else "\n\n")

    def _row_pieces(self, names: str, row: str, offset: int) -> Iterator[Piece]:
        """Yield a row that is too large next to its names as several small tables, each with some of the columns."""
        heads, cells = cells_of_row(names, 0), cells_of_row(row, offset)
        heads += [Piece("", 0, 0)] * (len(cells) - len(heads))
        target = self._limits.target
        pending: list[tuple[str, Piece]] = []
        size = 0
        for head, cell in zip(heads, cells, strict=False):
            if not cell.text:
                continue
            name = self._shortened(head.text, target // 4)
            for part in text_pieces(cell.text, cell.start, self._limits, target // 2):
                cost = self._size(name) + self._size(part.text) + _SMALL_TABLE_COST
                if pending and size + cost > target:
                    yield _small_table(pending)
                    pending, size = [], 0
                pending.append((name, part))
                size += cost
        if pending:
            yield _small_table(pending)

    def _shortened(self, name: str, limit: int) -> str:
        end = self._limits.measure.reach(name, 0, limit)
        return name if end >= len(name) else name[:end] + "…"


def cells_of_row(row: str, offset: int) -> list[Piece]:
    r"""Return the cells of a row, as they are written; a ``\|`` is part of its cell."""
    inner = row.strip().lstrip("> ").removeprefix("|")
    offset += row.rfind(inner)
    cells: list[Piece] = []
    position = 0
    while position <= len(inner):
        cell = _CELL.match(inner, position)
        if cell is None:
            break
        cells += list(_stripped(inner, *cell.span(), offset)) or [Piece("", offset, offset)]
        position = cell.end() + 1
    if cells and not cells[-1].text and inner.endswith("|"):
        cells.pop()
    return cells


def _small_table(pairs: Sequence[tuple[str, Piece]]) -> Piece:
    names = [name for name, _ in pairs]
    values = [cell.text for _, cell in pairs]
    lines = ("| " + " | ".join(names) + " |", "|" + " --- |" * len(names), "| " + " | ".join(values) + " |")
    return Piece("\n".join(lines), pairs[0][1].start, pairs[-1][1].end)
