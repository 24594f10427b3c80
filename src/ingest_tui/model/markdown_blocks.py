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
_LIST_MARKS = r"(?:(?:[-*+]|\d{1,9}[.)])[ \t]{1,4}){0,9}"
_FENCE = re.compile(rf"([ \t]*)({_LIST_MARKS})(`{{3,}}(?=[^`]*\Z)|~{{3,}})")
_MAY_OPEN_FENCE = frozenset("`~-*+0123456789")
_RAW_HTML = re.compile(r" {0,3}<(?:(!--)|(pre|script|style|textarea)(?=[\s>]|\Z))", re.IGNORECASE)
_DELIMITER_ROW = re.compile(r"[ \t]*(?:>[ \t]?)*\|?(?:[ \t]*:?-+:?[ \t]*\|)+(?:[ \t]*:?-+:?[ \t]*)?\Z")
_NO_PARAGRAPH = re.compile(r"[ \t]{4}|\t|[ \t]*(?:[>|]|[-*+][ \t]|\d{1,9}[.)][ \t])")
_INDENT_OF_CODE = 4
_WHITE = " \t\n\v\f\r\x1c\x1d\x1e\x1f\x85\xa0\u2007\u2028\u2029\u202f\u3000"

_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_LINK = re.compile(r"!?\[([^\]]*)\]\((?:[^()]|\([^()]*\))*\)")
_TAG = re.compile(
    r"</?(?:a|abbr|b|big|br|cite|code|del|dfn|em|font|i|img|ins|kbd|mark|p|q|s|samp|small|span|strike|strong|sub|sup"
    r"|svg|time|tt|u|var|wbr|div|center|picture|source)\b[^<>]*>"
)
_CODE = re.compile(r"(`+)(.+?)(?<!`)\1(?!`)")
_STRONG = re.compile(r"(\*\*|~~)(?=\S)(.+?)(?<=\S)\1")
_EMPHASIS = re.compile(r"(?<!\w)(__|[*_])(?=\S)(.+?)(?<=\S)\1(?!\w)")
_MARKED = re.compile(r"[\\`*_~\[<&¶]")
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
    raw_html_of = _RawHtml(markdown)
    rest = iter(markdown[offset:].split("\n") if offset else markdown.split("\n"))
    for line in rest:
        here, offset = offset, offset + len(line) + 1
        first = line[:1]
        if first in _WHITE:
            first = line.strip()[:1]
        if not first:
            yield from _paragraphs(lines, start)
            lines = []
            continue
        is_fence = first in _MAY_OPEN_FENCE
        finder = fence_of if is_fence else raw_html_of if first == "<" else None
        if finder is not None and (length := finder.lines_from(line, here)):
            yield from _paragraphs(lines, start)
            lines = []
            text = "\n".join((line, *(next(rest) for _ in range(length - 1))))
            yield Block("fence" if is_fence else "text", text, here)
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
    """Return the offset after the metadata that some programs put on top between two lines of dashes; else 0."""
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

        A fence that is never closed reaches to the end, but for one that is indented as code is, or that begins an
        item of a list: that is text.
        """
        opening = _FENCE.match(line)
        if opening is None:
            return 0
        mark = opening[3]
        kind = (mark[0], len(mark))
        if kind not in self._never_closed:
            closing = re.compile(rf"^[ \t]*{re.escape(mark[0])}{{{len(mark)},}}[ \t]*$", re.MULTILINE)
            end = closing.search(self._markdown, start + len(line))
            if end is not None:
                return self._markdown.count("\n", start, end.end()) + 1
            self._never_closed.add(kind)
        if opening[2] or len(opening[1].expandtabs(_INDENT_OF_CODE)) >= _INDENT_OF_CODE:
            return 0
        return self._markdown.count("\n", start) + 1


class _RawHtml:
    """Finds the end of comments and of HTML in which no line is markdown (CommonMark 4.6, conditions 1 and 2)."""

    def __init__(self, markdown: str) -> None:
        self._markdown = markdown
        self._never_closed: set[str] = set()

    def lines_from(self, line: str, start: int) -> int:
        """Return how many lines the block has that ``line`` opens; 0 when it opens none, or one that never ends."""
        opening = _RAW_HTML.match(line)
        if opening is None:
            return 0
        closing = "-->" if opening[1] else f"</{opening[2].lower()}>"
        if closing in self._never_closed:
            return 0
        end = re.compile(closing, re.IGNORECASE).search(self._markdown, start + opening.end())
        if end is None:
            self._never_closed.add(closing)
            return 0
        return self._markdown.count("\n", start, end.start()) + 1


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
    if not _MARKED.search(heading):
        return " ".join(heading.split()) or heading
    text = _CODE.sub(lambda match: "".join(map(_protected, match[2])), heading)
    text = _ESCAPE.sub(lambda match: _protected(match[1]), text)
    text = _TAG.sub("", _LINK.sub(r"\1", text)).replace("¶", "")
    text = _EMPHASIS.sub(r"\2", _EMPHASIS.sub(r"\2", _STRONG.sub(r"\2", text)))
    text = "".join(chr(ord(c) - _PROTECTED) if _PROTECTED < ord(c) < _PROTECTED + 128 else c for c in text)
    return " ".join(html.unescape(text).split()) or heading


def _protected(character: str) -> str:
    return chr(_PROTECTED + ord(character)) if character < "\x80" and not character.isalnum() else character
