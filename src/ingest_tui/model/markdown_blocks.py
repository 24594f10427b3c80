"""The blocks of a markdown text: headings, fenced code, tables and paragraphs, with where each is. Pure and linear.

The rules are those of CommonMark 0.31 and, for tables, of GFM, as far as they decide where a block begins and ends.
"""

from __future__ import annotations

import html
import re
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Literal, NamedTuple

MAX_HEADING_CHARACTERS = 200
"""A longer line is no heading: it is text that happens to be marked as one."""
LONG_BLOCK_CHARACTERS = 1024**2
"""Of a longer table or text, what is beyond need not be in memory with the rest."""
_FRONT_MATTER = "---\n"
_FRONT_MATTER_CHARACTERS = 20_000

_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(\S.*?))?(?:[ \t]+#+)?[ \t]*\Z")
_SETEXT = re.compile(r" {0,3}(?:=+|-+)[ \t]*\Z")
_LIST_MARKS = r"(?:(?:[-*+]|\d{1,9}[.)])[ \t]{1,4}){0,9}"
_FENCE = re.compile(rf"([ \t]*)((?:>[ \t]?)*)([ \t]*{_LIST_MARKS})(`{{3,}}(?=[^`]*\Z)|~{{3,}})")
_MAY_OPEN_FENCE = frozenset("`~-*+0123456789>")
_RAW_HTML = re.compile(r" {0,3}<(?:(!--)|(pre|script|style|textarea)(?=[\s>]|\Z))", re.IGNORECASE)
_DELIMITER_ROW = re.compile(r"[ \t]*(?:>[ \t]?)*\|?(?:[ \t]*:?-+:?[ \t]*\|)+(?:[ \t]*:?-+:?[ \t]*)?\Z")
_NO_PARAGRAPH = re.compile(r"[ \t]{4}|\t|[ \t]*(?:[>|]|[-*+][ \t]|\d{1,9}[.)][ \t])")
_INDENT_OF_CODE = 4
_WHITE = " \t\n\v\f\r\x1c\x1d\x1e\x1f\x85\xa0\u2007\u2028\u2029\u202f\u3000"

_ESCAPE_OR_CODE = re.compile(r"\\([!-/:-@\[-`{-~])|(`++)(?:(.+?)(?<!`)\2(?!`))?")
_LINK = re.compile(r"!?\[([^\]]*)\]\((?:[^()]|\([^()]*\))*\)")
_TAG = re.compile(
    r"</?(?:a|abbr|b|big|br|cite|code|del|dfn|em|font|i|img|ins|kbd|mark|p|q|s|samp|small|span|strike|strong|sub|sup"
    r"|svg|time|tt|u|var|wbr|div|center|picture|source)\b[^<>]*>"
)
_STRONG = re.compile(r"(\*\*|~~)(?=\S)(.+?)(?<=\S)\1")
_EMPHASIS = re.compile(r"(?<!\w)(__|[*_])(?=\S)(.+?)(?<=\S)\1(?!\w)")
_MARKED = re.compile(r"[\\`*_~\[<&¶]")
_PROTECTED = 0xE000  # the start of a private area: an escaped character waits there while marks are taken out


class Block(NamedTuple):
    """A block: its text as it is written, the offset of its first character, and for a heading its level and name.

    A long table or text may come in part: ``rest`` yields its further lines, before the next block is asked for.
    ``gap`` is what is between it and the block before: line ends, and blank lines as they are.
    """

    kind: Literal["heading", "fence", "table", "text"]
    text: str
    start: int
    level: int = 0
    name: str = ""
    gap: str = "\n"
    rest: Iterable[str] = ()


def split_blocks(markdown: str) -> Iterator[Block]:
    """Yield the blocks of a text in order, each whole; together they hold every line that is not blank."""
    return _Splitter(markdown.split("\n"), sys.maxsize).blocks()


def blocks_of_lines(lines: Iterable[str], *, long_from: int = LONG_BLOCK_CHARACTERS) -> Iterator[Block]:
    """Yield the blocks of a text that comes in lines, without their ends: as `split_blocks` of the whole text.

    Of tables and texts of more than ``long_from`` characters what is beyond comes in ``rest``, so that no more of
    them is in memory. It is at least `MAX_HEADING_CHARACTERS`: a shorter run may turn out to be a heading.
    """
    return _Splitter(lines, max(long_from, MAX_HEADING_CHARACTERS)).blocks()


class _Splitter:
    """The place in a text, and the run of lines without a blank one that is not yet a block."""

    def __init__(self, lines: Iterable[str], long_from: int) -> None:
        self._lines = _Lines(lines)
        self._long_from = long_from
        self._fences = _Fences(self._lines)
        self._raw_html = _RawHtml(self._lines)
        self._offset = 0
        self._run: list[str] = []
        self._run_size = 0
        self._start = 0
        self._blank_lines: list[str] = []
        self._is_after_long_text = False
        """Whether the run goes on after a text without a blank line between."""

    def blocks(self) -> Iterator[Block]:
        if front_lines := self._lines_of_front_matter():
            text = "\n".join(self._lines.take(front_lines))
            yield Block("text", text, 0)
            self._offset = len(text) + 1
        for line in self._lines:
            here, self._offset = self._offset, self._offset + len(line) + 1
            first = _first_of(line)
            if not first:
                yield from self._end_run()
                self._blank_lines.append(line)
                continue
            if length := self._lines_opened_by(line, first):
                yield from self._end_run()
                text = "\n".join((line, *self._lines.take(length - 1)))
                yield self._next(Block("text" if first == "<" else "fence", text, here))
                self._offset = here + len(text) + 1
                continue
            if first == "#" and (heading := _heading_of(line)):
                yield from self._end_run()
                yield self._next(Block("heading", line, here, len(heading[1]), plain_heading(heading[2])))
                continue
            if first in "=-" and self._run and _SETEXT.match(line) and self._is_paragraph():
                text, level, name = "\n".join((*self._run, line)), 1 if first == "=" else 2, " ".join(self._run)
                self._run = []
                yield self._next(Block("heading", text, self._start, level, plain_heading(name)))
                continue
            if not self._run:
                self._start, self._run_size = here, 0
            self._run.append(line)
            self._run_size += len(line) + 1
            if self._run_size - len(line) > self._long_from:
                yield from self._long_run()
        yield from self._end_run()

    def _lines_of_front_matter(self) -> int:
        if not self._lines.peek(len(_FRONT_MATTER) + 1).startswith(
            _FRONT_MATTER
        ):  # most texts are looked into no further
            return 0
        return _front_matter_lines(self._lines.peek(_FRONT_MATTER_CHARACTERS + 1))

    def _next(self, block: Block) -> Block:
        """Return a block with the blank lines before it; the next one is right behind it."""
        if not self._blank_lines:
            return block
        kind, text, start, level, name, _, rest = block
        gap = "\n".join(("", *self._blank_lines, ""))
        self._blank_lines = []
        return Block(kind, text, start, level, name, gap, rest)

    def _lines_opened_by(self, line: str, first: str) -> int:
        """Return how many lines a block has that only its end closes; 0 where the line opens none."""
        if first in _MAY_OPEN_FENCE:
            return self._fences.lines_from(line)
        return self._raw_html.lines_from(line) if first == "<" else 0

    def _end_run(self) -> Iterator[Block]:
        lines, self._run, self._is_after_long_text = self._run, [], False
        if not lines:
            return
        start = self._start
        head = _table_head(lines)
        if head:
            above = "\n".join(lines[:head])
            yield self._next(Block("text", above, start))
            start += len(above) + 1
        kind: Literal["table", "text"] = "text" if head is None else "table"
        yield self._next(Block(kind, "\n".join(lines[head:]), start))

    def _long_run(self) -> Iterator[Block]:
        """Yield a run that is long without its last line, and leave its end to who takes the block."""
        head = _table_head(self._run)
        if head:  # what is above a table, which may be short yet
            above, self._run = "\n".join(self._run[:head]), self._run[head:]
            yield self._next(Block("text", above, self._start))
            self._start += len(above) + 1
            self._run_size -= len(above) + 1
            self._is_after_long_text = True
            return
        may_hold_table = head is None and not _never_holds_table(self._run)
        self._put_back(self._run.pop())  # it may be the head of a table
        rest = self._rest_of_text() if may_hold_table else self._rest_of_table()
        kind: Literal["table", "text"] = "text" if head is None else "table"
        lines, self._run, self._is_after_long_text = self._run, [], False
        yield self._next(Block(kind, "\n".join(lines), self._start, rest=rest))
        for _unread in rest:
            pass

    def _rest_of_table(self) -> Iterator[str]:
        for line in self._lines:
            first = _first_of(line)
            if not first or self._lines_opened_by(line, first) or (first == "#" and _heading_of(line)):
                self._lines.put_back(line)
                return
            self._offset += len(line) + 1
            yield line

    def _rest_of_text(self) -> Iterator[str]:
        before = None
        for line in self._rest_of_table():
            if before is not None:
                if _begins_table(before, line):
                    self._put_back(before, line)
                    self._is_after_long_text = True
                    return
                yield before
            before = line
        if before is not None:
            yield before

    def _is_paragraph(self) -> bool:
        """Whether the run is a paragraph that a line of dashes below it makes a heading."""
        is_short = sum(map(len, self._run)) <= MAX_HEADING_CHARACTERS and not self._is_after_long_text
        return is_short and not _NO_PARAGRAPH.match(self._run[0])

    def _put_back(self, *lines: str) -> None:
        self._lines.put_back(*lines)
        self._offset -= sum(len(line) + 1 for line in lines)


class _Lines:
    """Lines one after the other, some of which were looked at before."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._source = iter(lines)
        self._ahead: deque[str] = deque()

    def __iter__(self) -> Iterator[str]:
        while True:
            while self._ahead:
                yield self._ahead.popleft()
            for line in self._source:
                yield line
                if self._ahead:
                    break
            else:
                return

    def put_back(self, *lines: str) -> None:
        """Have lines come again, in this order."""
        self._ahead.extendleft(reversed(lines))

    def take(self, number: int) -> list[str]:
        """Return the next lines."""
        return list(islice(self, number))

    def peek(self, characters: int) -> str:
        """Return the next lines that have so many characters together; they come again."""
        size = sum(len(line) + 1 for line in self._ahead)
        while size < characters and (line := next(self._source, None)) is not None:
            self._ahead.append(line)
            size += len(line) + 1
        return "\n".join(self._ahead)

    def find(self, is_wanted: Callable[[str], object]) -> int:
        """Return the number of lines to the next one that is wanted, with that; 0 where none is."""
        for number, line in enumerate(self._ahead, 1):
            if is_wanted(line):
                return number
        for line in self._source:
            self._ahead.append(line)
            if is_wanted(line):
                return len(self._ahead)
        return 0

    def ahead(self, number: int) -> str:
        """Return the line that is so many lines ahead, which was looked at before."""
        return self._ahead[number - 1]

    def count_all(self) -> int:
        """Return how many lines are left."""
        self._ahead.extend(self._source)
        return len(self._ahead)


def _front_matter_lines(beginning: str) -> int:
    """Return the lines of the metadata that some programs put on top between two lines of dashes; else 0."""
    end = beginning.find("\n---\n", 3, _FRONT_MATTER_CHARACTERS)
    return beginning.count("\n", 0, end) + 2 if end >= 0 and "\n\n" not in beginning[:end] else 0


class _Fences:
    """Finds the end of fenced blocks, and remembers which kind of fence is not closed any more."""

    def __init__(self, lines: _Lines) -> None:
        self._lines = lines
        self._never_closed: set[tuple[str, int]] = set()

    def lines_from(self, line: str) -> int:
        """Return how many lines the block has that ``line`` opens, which was taken; 0 when it opens none.

        A fence that is never closed reaches to the end, but for one that is indented as code is, or that begins an
        item of a list: that is text. One in a quotation ends with that.
        """
        opening = _FENCE.match(line)
        if opening is None:
            return 0
        mark = opening[4]
        if quote := opening[2].count(">"):
            return self._lines_in_quote(quote, mark)
        kind = (mark[0], len(mark))
        if kind not in self._never_closed:
            closing = re.compile(rf"[ \t]*{re.escape(mark[0])}{{{len(mark)},}}[ \t]*\Z")
            if length := self._lines.find(closing.match):
                return length + 1
            self._never_closed.add(kind)
        if opening[3] or len(opening[1].expandtabs(_INDENT_OF_CODE)) >= _INDENT_OF_CODE:
            return 0
        return self._lines.count_all() + 1

    def _lines_in_quote(self, depth: int, mark: str) -> int:
        quote = re.compile(rf"[ \t]*(?:>[ \t]?){{{depth}}}")
        closing = re.compile(rf"{quote.pattern}[ \t]*{re.escape(mark)}{mark[0]}*[ \t]*\Z")
        length = self._lines.find(lambda line: closing.match(line) or not quote.match(line))
        if not length:
            return self._lines.count_all() + 1
        return length + (closing.match(self._lines.ahead(length)) is not None)


class _RawHtml:
    """Finds the end of comments and of HTML in which no line is markdown (CommonMark 4.6, conditions 1 and 2)."""

    def __init__(self, lines: _Lines) -> None:
        self._lines = lines
        self._never_closed: set[str] = set()

    def lines_from(self, line: str) -> int:
        """Return how many lines the block has that ``line`` opens, which was taken.

        0 when it opens none, or one that never ends.
        """
        opening = _RAW_HTML.match(line)
        if opening is None:
            return 0
        closing = "-->" if opening[1] else f"</{opening[2].lower()}>"
        if closing in self._never_closed:
            return 0
        end = re.compile(closing, re.IGNORECASE)
        if end.search(line, opening.end()):
            return 1
        if length := self._lines.find(end.search):
            return length + 1
        self._never_closed.add(closing)
        return 0


def _first_of(line: str) -> str:
    """Return the first character of a line that is not white; nothing of a blank line."""
    first = line[:1]
    return line.strip()[:1] if first in _WHITE else first


def _heading_of(line: str) -> re.Match[str] | None:
    found = _ATX.match(line)
    return found if found is not None and _is_heading(found[2]) else None


def _is_heading(name: str | None) -> bool:
    return name is not None and len(name) <= MAX_HEADING_CHARACTERS


def _table_head(lines: list[str]) -> int | None:
    """Return which of these lines has the names of a table; all after it are its rows. None: they are a paragraph."""
    for index in range(1, len(lines)):
        if _begins_table(lines[index - 1], lines[index]):
            return index - 1
        if index == 1 and _never_holds_table(lines):
            break
    return None


def _begins_table(names: str, marks: str) -> bool:
    return "|" in marks and "|" in names and "-" in marks and _DELIMITER_ROW.match(marks) is not None


def _never_holds_table(lines: list[str]) -> bool:
    """Whether lines begin as no table does, and as no text above one does."""
    return len(lines) > 1 and lines[0].startswith("|") and "|" not in lines[1]


def plain_heading(heading: str) -> str:
    """Return a heading as people read it: without escapes, link targets, tags, permalink signs and emphasis marks."""
    if not _MARKED.search(heading):
        return " ".join(heading.split()) or heading
    text = _ESCAPE_OR_CODE.sub(lambda match: "".join(map(_protected, match[1] or match[3] or match[0])), heading)
    text = _TAG.sub("", _LINK.sub(r"\1", text)).replace("¶", "")
    text = _EMPHASIS.sub(r"\2", _EMPHASIS.sub(r"\2", _STRONG.sub(r"\2", text)))
    text = "".join(chr(ord(c) - _PROTECTED) if _PROTECTED < ord(c) < _PROTECTED + 128 else c for c in text)
    return " ".join(html.unescape(text).split()) or heading


def _protected(character: str) -> str:
    return chr(_PROTECTED + ord(character)) if character < "\x80" and not character.isalnum() else character
