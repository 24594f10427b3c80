"""Word 97 to 2003 ([MS-DOC]): the texts of a document and the properties of their paragraphs, from its two streams."""

from __future__ import annotations

import re
import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

FIRST_VERSION = 0x00C1
"""nFib of Word 97; older files are laid out otherwise."""
# Places in the file information block ([MS-DOC] 2.5); numbers of its pairs of offset and length.
_COUNTS_AT, _PAIRS_AT = 0x4C, 0x9A
_NOTE_MARKS, _NOTE_TEXTS, _COMMENT_MARKS, _COMMENT_TEXTS = 2, 3, 4, 5
_HEADERS, _PARAGRAPH_PAGES, _PIECES, _END_MARKS, _END_TEXTS = 11, 13, 33, 46, 47
_PAGE_BYTES = 512
_COMPRESSED = 0x40000000
_IN_TABLE, _ROW_END, _OUTLINE_LEVEL, _TABLE_DEFINITION, _TAB_CHANGES = 0x2416, 0x2417, 0x2640, 0xD608, 0xC615
_SIZES = (1, 1, 2, 4, 2, 2, 0, 3)
"""Bytes of what follows a property, by the highest three bits of its number; 0: its first byte says."""
_PARAGRAPH_MARKS = re.compile("[\r\x07\x0c]")
_HEADING_STYLES = range(1, 10)
_BODY_LEVEL = 9
_COMMENT_BYTES = 30
_HEADER_STORIES = (0, 1, 4)
_SEPARATOR_STORIES = 6


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph with its mark as the last letter. ``start`` is the position of its first letter."""

    start: int
    text: str
    level: int
    in_table: bool
    ends_row: bool


@dataclass(frozen=True, slots=True)
class _Piece:
    """Letters from ``start`` to ``end``, kept at ``place`` with so many bytes each."""

    start: int
    end: int
    place: int
    letter_bytes: int


@dataclass(slots=True)
class _Pages:
    """The properties of paragraphs by the place of their letters in the file."""

    starts: list[int] = field(default_factory=list)
    found: list[tuple[int, int, bytes]] = field(default_factory=list)

    def of(self, place: int) -> bytes:
        """Return the properties of the paragraph at a place; nothing where none are kept."""
        at = bisect_right(self.starts, place) - 1
        return self.found[at][2] if at >= 0 and place < self.found[at][1] else b""


class WordDocument:
    """The stories of a document. Raises `ValueError`, `IndexError` or `struct.error` for a damaged one."""

    def __init__(self, main: bytes, table: bytes) -> None:
        self._main = main
        self._table = table
        counts = struct.unpack_from("<8I", main, _COUNTS_AT)
        (
            self.body,
            self._footnotes,
            self._headers,
            _macros,
            self._comments,
            self._endnotes,
            self.boxes,
            self.more_boxes,
        ) = self._stories(counts)
        self._pieces = list(self._read_pieces())
        self._starts = [piece.start for piece in self._pieces]
        self._pages = self._read_pages()

    @staticmethod
    def _stories(counts: tuple[int, ...]) -> list[tuple[int, int]]:
        stories: list[tuple[int, int]] = []
        at = 0
        for count in counts:
            stories.append((at, at + count))
            at += count
        return stories

    def _pair(self, number: int) -> bytes:
        start, length = struct.unpack_from("<II", self._main, _PAIRS_AT + 8 * number)
        return self._table[start : start + length]

    def _read_pieces(self) -> Iterator[_Piece]:
        table = self._pair(_PIECES)
        at = 0
        while at < len(table) and table[at] == 1:
            at += 3 + int.from_bytes(table[at + 1 : at + 3], "little")
        if table[at : at + 1] != b"\x02":
            raise ValueError("its list of pieces is missing")
        listing = table[at + 5 :]
        count = (int.from_bytes(table[at + 1 : at + 5], "little") - 4) // 12
        starts = struct.unpack_from(f"<{count + 1}I", listing, 0)
        for number in range(count):
            (place,) = struct.unpack_from("<I", listing, 4 * (count + 1) + 8 * number + 2)
            if place & _COMPRESSED:
                yield _Piece(starts[number], starts[number + 1], (place & ~_COMPRESSED) // 2, 1)
            else:
                yield _Piece(starts[number], starts[number + 1], place, 2)

    def _read_pages(self) -> _Pages:
        listing = self._pair(_PARAGRAPH_PAGES)
        count = max((len(listing) - 4) // 8, 0)
        pages = _Pages()
        for number in range(count):
            (page,) = struct.unpack_from("<I", listing, 4 * (count + 1) + 4 * number)
            start = (page & 0x3FFFFF) * _PAGE_BYTES
            content = self._main[start : start + _PAGE_BYTES]
            if len(content) == _PAGE_BYTES:
                pages.found += _paragraphs_of_page(content)
        pages.found.sort(key=lambda one: one[0])
        pages.starts = [one[0] for one in pages.found]
        return pages

    def text(self, start: int, end: int) -> str:
        """Return the letters from one position to another."""
        parts: list[str] = []
        for piece in self._pieces[max(bisect_right(self._starts, start) - 1, 0) :]:
            if piece.start >= end:
                break
            first, last = max(start, piece.start), min(end, piece.end)
            if first < last:
                at = piece.place + (first - piece.start) * piece.letter_bytes
                content = self._main[at : at + (last - first) * piece.letter_bytes]
                text = content.decode("cp1252" if piece.letter_bytes == 1 else "utf-16-le", "replace")
                if len(text) * piece.letter_bytes != len(content):  # pairs stay two: no position may move
                    text = "".join(map(chr, struct.unpack(f"<{len(content) // 2}H", content[: len(content) & ~1])))
                parts.append(text)
        return "".join(parts)

    def paragraphs(self, start: int, end: int) -> Iterator[Paragraph]:
        """Yield the paragraphs between two positions, which count UTF-16 units, as letters do here."""
        text = self.text(start, end)
        begin = 0
        for mark in _PARAGRAPH_MARKS.finditer(text):
            yield self._paragraph(start + begin, text[begin : mark.end()])
            begin = mark.end()
        if begin < len(text):
            yield self._paragraph(start + begin, text[begin:])

    def _paragraph(self, start: int, text: str) -> Paragraph:
        mark = start + len(text) - 1
        piece = self._pieces[max(bisect_right(self._starts, mark) - 1, 0)]
        kept = self._pages.of(piece.place + (mark - piece.start) * piece.letter_bytes)
        style = int.from_bytes(kept[:2], "little")
        values = dict(_properties(kept[2:]))
        outline = values.get(_OUTLINE_LEVEL, _BODY_LEVEL)
        level = style if style in _HEADING_STYLES else outline + 1 if outline < _BODY_LEVEL else 0
        return Paragraph(start, text, level, bool(values.get(_IN_TABLE)), bool(values.get(_ROW_END)))

    # --- notes, comments, headers ---

    def _positions(self, number: int, row_bytes: int = 0) -> list[int]:
        listing = self._pair(number)
        count = (len(listing) - 4) // (4 + row_bytes) if len(listing) >= 4 else -1  # noqa: PLR2004 one number
        return list(struct.unpack_from(f"<{count + 1}I", listing, 0)) if count >= 0 else []

    def notes(self, *, at_end: bool = False) -> Iterator[tuple[int, tuple[int, int]]]:
        """Yield the position of the mark of each note, and from where to where its text goes."""
        marks = self._positions(_END_MARKS if at_end else _NOTE_MARKS, 2)
        texts = self._positions(_END_TEXTS if at_end else _NOTE_TEXTS)
        start, end = self._endnotes if at_end else self._footnotes
        for number, mark in enumerate(marks[:-1]):
            if number + 1 < len(texts):
                yield mark, (start + texts[number], min(start + texts[number + 1], end))

    def comments(self) -> Iterator[tuple[str, tuple[int, int]]]:
        """Yield the initials of who wrote each comment, and from where to where its text goes."""
        marks = self._positions(_COMMENT_MARKS, _COMMENT_BYTES)
        texts = self._positions(_COMMENT_TEXTS)
        listing = self._pair(_COMMENT_MARKS)
        start, end = self._comments
        for number in range(min(len(marks), len(texts)) - 1):
            at = 4 * len(marks) + _COMMENT_BYTES * number
            length = min(int.from_bytes(listing[at : at + 2], "little"), 9)
            initials = listing[at + 2 : at + 2 + 2 * length].decode("utf-16-le", "replace")
            yield initials, (start + texts[number], min(start + texts[number + 1], end))

    def headers(self, *, footers: bool) -> Iterator[tuple[int, int]]:
        """Yield from where to where the headers (or footers) of the sections go."""
        positions = self._positions(_HEADERS)
        start, end = self._headers
        for number in range(_SEPARATOR_STORIES, len(positions) - 1):
            is_header = (number - _SEPARATOR_STORIES) % 6 in _HEADER_STORIES
            if is_header is not footers and positions[number] < positions[number + 1]:
                yield start + positions[number], min(start + positions[number + 1], end)


def _paragraphs_of_page(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield the place of the first and after the last byte of each paragraph of a page, and its properties."""
    count = content[-1]
    if 4 * (count + 1) + 13 * count > _PAGE_BYTES:
        return
    places = struct.unpack_from(f"<{count + 1}I", content, 0)
    for number in range(count):
        at = content[4 * (count + 1) + 13 * number] * 2
        if at and at + 2 < _PAGE_BYTES:
            length = content[at] * 2 - 1 if content[at] else content[at + 1] * 2
            begin = at + (1 if content[at] else 2)
            yield places[number], places[number + 1], content[begin : begin + length]


def _properties(kept: bytes) -> Iterator[tuple[int, int]]:
    """Yield the numbers and the values of properties ([MS-DOC] 2.6)."""
    at = 0
    while at + 2 < len(kept):
        number = int.from_bytes(kept[at : at + 2], "little")
        at += 2
        size = _SIZES[number >> 13]
        if not size:
            wide = number == _TABLE_DEFINITION
            size = int.from_bytes(kept[at : at + 2], "little") + 1 if wide else kept[at] + 1
            if number == _TAB_CHANGES and kept[at] == 0xFF:  # noqa: PLR2004 then the size is to be counted: nothing wanted follows
                return
        yield number, int.from_bytes(kept[at : at + min(size, 4)], "little")
        at += size
