"""Markdown to chunks: pure, deterministic, with the path of headings above each."""

from __future__ import annotations

import re
from typing import NamedTuple

TARGET_CHARACTERS = 1000
MAX_CHARACTERS = 1500

_HEADING = re.compile(r"(#{1,6})[ \t]+(\S.{0,299}?)(?:[ \t]+#+)?[ \t]*\Z")
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|\s+")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKS = re.compile(r"\*\*|`|¶")
_FENCE = re.compile(r"(```|~~~)")


HEADING_SEPARATOR = " › "
"""Between the headings of a path, where it is one text."""


class TextChunk(NamedTuple):
    """A piece of a document: the headings above it and its text (at most `MAX_CHARACTERS`)."""

    heading_path: tuple[str, ...]
    text: str


def split_into_chunks(markdown: str) -> list[TextChunk]:
    """Return the chunks of ``markdown`` in order: paragraphs of one section gathered up to about 1,000 characters.

    A heading starts a new chunk and is part of its path, not of its text, unless nothing follows it. Every word of
    the text is in exactly one chunk. The same text always gives the same chunks.
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

    for block in _blocks(markdown):
        heading = _HEADING.match(block) if block.startswith("#") and "\n" not in block else None
        if heading:
            flush()
            level = len(heading[1])
            while path and path[-1][0] >= level:
                path.pop()
            path.append((level, _plain(heading[2])))
            heading_is_bare = True
            continue
        for piece in _pieces(block):
            if pending and pending_size + len(piece) > TARGET_CHARACTERS:
                flush()
            pending.append(piece)
            pending_size += len(piece) + 2
    flush()
    return chunks


def _plain(heading: str) -> str:
    """Return a heading as people read it: link targets, permalink signs and emphasis marks are left out."""
    return _MARKS.sub("", _LINK.sub(r"\1", heading)).strip() or heading


def _blocks(markdown: str) -> list[str]:
    """Split at blank lines and around heading lines; a fenced block stays whole."""
    blocks: list[str] = []
    lines: list[str] = []
    fence = ""

    def close() -> None:
        if lines:
            blocks.append("\n".join(lines))
            lines.clear()

    for line in markdown.split("\n"):
        mark = _FENCE.match(line)
        if fence:
            lines.append(line)
            if mark and mark[1] == fence:
                fence = ""
        elif mark:
            fence = mark[1]
            lines.append(line)
        elif not line.strip():
            close()
        elif line.startswith("#") and _HEADING.match(line):
            close()
            blocks.append(line)
        else:
            lines.append(line)
    close()
    return blocks


def _pieces(block: str) -> list[str]:
    """Cut a block that is too long: at lines if it has them, else at sentences and words, else at the limit."""
    if len(block) <= MAX_CHARACTERS:
        return [block]
    if "\n" in block:
        return _gather(block.split("\n"), "\n")
    words = _SENTENCE_END.split(block)
    if len(words) > 1:
        return _gather(words, " ")
    return [block[start : start + TARGET_CHARACTERS] for start in range(0, len(block), TARGET_CHARACTERS)]


def _gather(units: list[str], separator: str) -> list[str]:
    """Join neighbours up to about the target; a unit that is too long by itself is cut further."""
    pieces: list[str] = []
    current: list[str] = []
    size = 0
    for unit in units:
        if current and size + len(unit) > TARGET_CHARACTERS:
            pieces.append(separator.join(current))
            current, size = [], 0
        if len(unit) > MAX_CHARACTERS:
            pieces += _pieces(unit)
            continue
        current.append(unit)
        size += len(unit) + 1
    pieces.append(separator.join(current))
    return [piece for piece in pieces if piece.strip()]
