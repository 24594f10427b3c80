"""The blocks of a markdown text: headings, fenced code, tables and paragraphs, with where each is. Pure and linear.

The rules are those of CommonMark 0.31 and, for tables, of GFM, as far as they decide where a block begins and ends.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

MAX_HEADING_CHARACTERS = 200
"""A longer line is no heading: it is text that happens to be marked as one."""
_FRONT_MATTER_CHARACTERS = 20_000

_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(\S.*?))?(?:[ \t]+#+)?[ \t]*\Z")
_SETEXT = re.compile(r" {0,3}(?:=+|-+)[ \t]*\Z")
_FENCE = re.compile(r"([ \t]*)(`{3,}(?=[^`]*\Z)|~{3,})")
_DELIMITER_ROW = re.compile(r"[ \t]*\|?(?:[ \t]*:?-+:?[ \t]*\|)+(?:[ \t]*:?-+:?[ \t]*)?\Z")
_NO_PARAGRAPH = re.compile(r"[ \t]{4}|\t|[ \t]*(?:[>|]|[-*+][ \t]|\d{1,9}[.)][ \t])")
_INDENT_OF_CODE = 4

_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_CODE = re.compile(r"(`+)(.+?)(?<!`)\1(?!`)")
_STRONG = re.compile(r"(\*\*|~~)(?=\S)(.+?)(?<=\S)\1")
_EMPHASIS = re.compile(r"(?<!\w)(__|[*_])(?=\S)(.+?)(?<=\S)\1(?!\w)")
_PROTECTED = 0xE000  # the start of a private area: an escaped character waits there while marks are taken out


class Block(NamedTuple):
    """A block: its text as it is written, the offset of its first character, and for a heading its level and name."""

    kind: Literal["heading", "fence", "table", "text"]
    text: str
    start: int
    level: int = 0
    name: str = ""


def split_blocks(markdown: str) -> Iterator[Block]:
    """Yield the blocks of a text in order; together they hold every line that is not blank."""
    lines: list[str] = []
    start = 0
    offset = _front_matter_end(markdown)
    if offset:
        yield Block("text", markdown[:offset].rstrip("\n"), 0)
    fence_of = _Fences(markdown)
    rest = iter(markdown[offset:].split("\n") if offset else markdown.split("\n"))
    for line in rest:
        here, offset = offset, offset + len(line) + 1
        first = line.lstrip(" \t")[:1]
        if not first or line.isspace():
            yield from _paragraphs(lines, start)
            lines = []
            continue
        if first in "`~" and (length := fence_of.lines_from(line, here)):
            yield from _paragraphs(lines, start)
            lines = []
            fenced = [line, *(next(rest) for _ in range(length - 1))]
            text = "\n".join(fenced)
            yield Block("fence", text, here)
            offset = here + len(text) + 1
            continue
        if first == "#" and (heading := _ATX.match(line)) and _is_heading(heading[2]):
            yield from _paragraphs(lines, start)
            lines = []
            yield Block("heading", line, here, len(heading[1]), plain_heading(heading[2]))
            continue
        if first in "=-" and lines and _SETEXT.match(line) and _is_paragraph(lines):
            text = "\n".join((*lines, line))
            yield Block("heading", text, start, 1 if first == "=" else 2, plain_heading(" ".join(lines)))
            lines = []
            continue
        if not lines:
            start = here
        lines.append(line)
    yield from _paragraphs(lines, start)


def _front_matter_end(markdown: str) -> int:
    """Return the offset behind the metadata that some programs put on top between two lines of dashes; else 0."""
    if not markdown.startswith("---\n"):
        return 0
    end = markdown.find("\n---\n", 3, _FRONT_MATTER_CHARACTERS)
    return end + 5 if end >= 0 and "\n\n" not in markdown[:end] else 0


class _Fences:
    """Finds the end of fenced blocks, and remembers which kind of fence is not closed any more."""

    def __init__(self, markdown: str) -> None:
        self._markdown = markdown
        self._never_closed: set[tuple[str, int]] = set()

    def lines_from(self, line: str, start: int) -> int:
        """Return how many lines the block has that ``line`` opens; 0 when it opens none.

        A fence that is never closed reaches to the end, but for one that is indented as code is: that is text.
        """
        opening = _FENCE.match(line)
        if opening is None:
            return 0
        mark = opening[2]
        kind = (mark[0], len(mark))
        if kind not in self._never_closed:
            closing = re.compile(rf"^[ \t]*{re.escape(mark[0])}{{{len(mark)},}}[ \t]*$", re.MULTILINE)
            end = closing.search(self._markdown, start + len(line))
            if end is not None:
                return self._markdown.count("\n", start, end.end()) + 1
            self._never_closed.add(kind)
        if len(opening[1].expandtabs(_INDENT_OF_CODE)) >= _INDENT_OF_CODE:
            return 0
        return self._markdown.count("\n", start) + 1


def _is_heading(name: str | None) -> bool:
    return name is not None and len(name) <= MAX_HEADING_CHARACTERS


def _is_paragraph(lines: list[str]) -> bool:
    """Say whether these lines are a paragraph that a line of dashes below them makes a heading."""
    return sum(map(len, lines)) <= MAX_HEADING_CHARACTERS and not _NO_PARAGRAPH.match(lines[0])


def _paragraphs(lines: list[str], start: int) -> Iterator[Block]:
    """Yield lines without a blank one between them: a paragraph, a table, or a paragraph right above a table."""
    if not lines:
        return
    for index in range(1, len(lines)):
        line = lines[index]
        if "|" in line and "|" in lines[index - 1] and "-" in line and _DELIMITER_ROW.match(line):
            above = "\n".join(lines[: index - 1])
            if above:
                yield Block("text", above, start)
                start += len(above) + 1
            yield Block("table", "\n".join(lines[index - 1 :]), start)
            return
        if index == 1 and lines[0].startswith("|") and "|" not in line:
            break
    yield Block("text", "\n".join(lines), start)


def plain_heading(heading: str) -> str:
    """Return a heading as people read it: without escapes, link targets, tags, permalink signs and emphasis marks."""
    text = _CODE.sub(lambda match: "".join(map(_protected, match[2])), heading)
    text = _ESCAPE.sub(lambda match: _protected(match[1]), text)
    text = _TAG.sub("", _LINK.sub(r"\1", text)).replace("¶", "")
    text = _EMPHASIS.sub(r"\2", _EMPHASIS.sub(r"\2", _STRONG.sub(r"\2", text)))
    text = "".join(chr(ord(c) - _PROTECTED) if _PROTECTED < ord(c) < _PROTECTED + 128 else c for c in text)
    return " ".join(html.unescape(text).split()) or heading


def _protected(character: str) -> str:
    return chr(_PROTECTED + ord(character)) if character < "\x80" and not character.isalnum() else character
