"""Markdown to chunks: pure, deterministic, with the path of headings above each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ingest_tui.model.markdown_blocks import Block, split_blocks

TARGET_CHARACTERS = 1000
MAX_CHARACTERS = 1500

_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]*(?=\s)|[。！？]")
_CELL = re.compile(r"(?:[^|\\]|\\.)*", re.DOTALL)
_LONGEST_OPENING = 100
_FENCE_MARK = re.compile("`{3,}|~{3,}")

HEADING_SEPARATOR = " › "
"""Between the headings of a path, where it is one text."""


class TextChunk(NamedTuple):
    """A piece of a document: the headings above it and its text (at most `MAX_CHARACTERS`)."""

    heading_path: tuple[str, ...]
    text: str


def split_into_chunks(markdown: str) -> list[TextChunk]:
    """Return the chunks of ``markdown`` in order: paragraphs of one section gathered up to about 1,000 characters.

    A heading starts a new chunk and is part of its path, not of its text, unless nothing follows it. Every word of
    the text is in exactly one chunk, but for what makes a piece readable by itself: each piece of a long table begins
    with the row of its column names, each piece of a long code block has the fence around it. The same text always
    gives the same chunks.
    """
    chunks: list[TextChunk] = []
    path: list[tuple[int, str]] = []
    pending: list[str] = []
    pending_size = 0
    heading_is_bare = False

    def flush() -> None:
        nonlocal pending_size, heading_is_bare
        names = tuple(name for _, name in path)
        if pending:
            chunks.append(TextChunk(names, "\n\n".join(pending)))
        elif heading_is_bare and names:
            chunks.append(TextChunk(names, names[-1]))
        pending.clear()
        pending_size = 0
        heading_is_bare = False

    for block in split_blocks(markdown):
        if block.kind == "heading":
            flush()
            while path and path[-1][0] >= block.level:
                path.pop()
            path.append((block.level, block.name))
            heading_is_bare = True
            continue
        for piece in _pieces(block):
            if pending and pending_size + len(piece) > TARGET_CHARACTERS:
                flush()
            pending.append(piece)
            pending_size += len(piece) + 2
    flush()
    return chunks


def _pieces(block: Block) -> Iterator[str]:
    """Yield a block whole, or cut when it is too long."""
    if len(block.text) <= MAX_CHARACTERS:
        yield block.text
    elif block.kind == "table":
        yield from _table_pieces(block.text)
    elif block.kind == "fence":
        yield from _fence_pieces(block.text)
    else:
        yield from _text_pieces(block.text, TARGET_CHARACTERS)


def _text_pieces(text: str, target: int) -> Iterator[str]:
    """Yield pieces of at most about ``target`` characters, cut where a person would: see `_cut`."""
    start, end = 0, len(text)
    while end - start > target * MAX_CHARACTERS // TARGET_CHARACTERS:
        cut = _cut(text, start, start + target)
        if piece := text[start:cut].strip():
            yield piece
        start = cut
    if piece := text[start:].strip():
        yield piece


def _cut(text: str, start: int, latest: int) -> int:
    """Return where to cut at the latest: at the end of a line or a sentence in the second half, else between words."""
    middle = (start + latest) // 2
    line_end = text.rfind("\n", middle, latest + 1)
    if line_end >= 0:
        return line_end + 1
    ends = [match.end() for match in _SENTENCE_END.finditer(text, middle, latest)]
    if ends:
        return ends[-1]
    for position in range(latest, start, -1):
        if text[position - 1].isspace():
            return position
    return latest


def _fence_pieces(text: str) -> Iterator[str]:
    """Yield a code block cut between its lines, each piece with the fence around it."""
    opening, _, inner = text.partition("\n")
    body, _, closing = inner.rpartition("\n")
    mark = next(run[0] for run in _FENCE_MARK.finditer(opening))
    if closing.strip(" \t").strip(mark[0]) or len(closing.strip()) < len(mark):  # it is never closed
        body, closing = inner, mark
    if len(opening) + len(closing) > _LONGEST_OPENING:
        yield from _text_pieces(text, TARGET_CHARACTERS)
        return
    for piece in _text_pieces_of_code(body, TARGET_CHARACTERS - len(opening) - len(closing)):
        yield f"{opening}\n{piece}\n{closing}"


def _text_pieces_of_code(text: str, target: int) -> Iterator[str]:
    """Yield whole lines gathered up to the target; a line that is longer is cut as text is."""
    pending: list[str] = []
    size = 0
    for line in text.split("\n"):
        if pending and size + len(line) > target:
            yield "\n".join(pending)
            pending, size = [], 0
        if len(line) > target:
            yield from _text_pieces(line, target)
            continue
        pending.append(line)
        size += len(line) + 1
    if any(line.strip() for line in pending):
        yield "\n".join(pending)


def _table_pieces(text: str) -> Iterator[str]:
    """Yield a table cut between its rows; each piece begins with the names of the columns and the line below them."""
    names, marks, *rows = text.split("\n")
    head = len(names) + len(marks) + 2
    pending: list[str] = []
    size = head
    for row in rows:
        if pending and size + len(row) > max(TARGET_CHARACTERS, head + 1):
            yield "\n".join((names, marks, *pending))
            pending, size = [], head
        if head + len(row) > MAX_CHARACTERS:
            yield from _row_pieces(names, row)
            continue
        pending.append(row)
        size += len(row) + 1
    if pending or not rows:
        yield from (
            [whole]
            if len(whole := "\n".join((names, marks, *pending))) <= MAX_CHARACTERS
            else _text_pieces(whole, TARGET_CHARACTERS)
        )


def _row_pieces(names: str, row: str) -> Iterator[str]:
    """Yield a row that is too long beside its names as several small tables, each with some of the columns."""
    heads, cells = _cells(names), _cells(row)
    heads += [""] * (len(cells) - len(heads))
    pending: list[tuple[str, str]] = []
    size = 0
    for head, cell in zip(heads, cells, strict=False):
        if not cell:
            continue
        name = head if len(head) <= TARGET_CHARACTERS // 4 else head[: TARGET_CHARACTERS // 4] + "…"
        for part in _text_pieces(cell, TARGET_CHARACTERS // 2):
            cost = len(name) + len(part) + 12
            if pending and size + cost > TARGET_CHARACTERS:
                yield _small_table(pending)
                pending, size = [], 0
            pending.append((name, part))
            size += cost
    if pending:
        yield _small_table(pending)


def _cells(row: str) -> list[str]:
    r"""Return the cells of a row, as they are written; a ``\|`` is part of its cell."""
    inner = row.strip().lstrip("> ").removeprefix("|")
    cells: list[str] = []
    position = 0
    while position <= len(inner):
        cell = _CELL.match(inner, position)
        if cell is None:
            break
        cells.append(cell[0].strip())
        position = cell.end() + 1
    if cells and not cells[-1] and inner.endswith("|"):
        cells.pop()
    return cells


def _small_table(pairs: list[tuple[str, str]]) -> str:
    names, values = zip(*pairs, strict=True)
    return "\n".join(("| " + " | ".join(names) + " |", "|" + " --- |" * len(names), "| " + " | ".join(values) + " |"))
