"""Books for Mobipocket and Kindle (mobi, azw, azw3, prc), and texts of PalmDOC (pdb)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.backends.html import html_to_markdown_text
from ingest_tui.extraction.books.palm import (
    MAX_TEXT_BYTES,
    HuffmanReader,
    decompress,
    records_of,
    without_trailing_entries,
)
from ingest_tui.extraction.intake.decoding import decode_declared, decode_text
from ingest_tui.extraction.markup.markdown import find_title
from ingest_tui.model.counted import counted
from ingest_tui.model.errors import ItemRejectedError, ProcessingError
from ingest_tui.model.extraction import Finding

_PLAIN, _PALMDOC, _HUFF = 1, 2, 17480
_MOBI_AT = 16
_LABELS = {1252: "windows-1252", 65001: "utf-8"}
_KINDLE_FORMAT_8 = 8
_FIRST_WITH_FLAGS = 5
_NOTHING = 0xFFFFFFFF
_TITLE, _AUTHOR, _LANGUAGE = 503, 100, 524
_EXTENDED = 0x40
_TICK_RECORDS = 64


def parse(parse_input: ParseInput) -> Parsed:
    """Return a book as markdown.

    Raises `ItemRejectedError` (``encrypted``, ``archive_bomb``) and `ProcessingError` (``malformed``).
    """
    try:
        book = _open(records_of(parse_input.content))
        raw, lost = _text(book, parse_input.tick)
    except (ValueError, LookupError, struct.error) as error:
        raise ProcessingError(
            f"the book cannot be read: {error}"[:300], code="malformed", hint="the file may be cut short"
        ) from error
    findings = [Finding("error", "records_missing", f"the text breaks off: {lost}"[:300])] if lost else []
    if not book.is_html:
        text, _encoding, doubts = decode_text(raw)
        return Parsed(text, findings=[*findings, *doubts])
    text, _encoding, doubts = decode_declared(raw, book.label)
    markdown = html_to_markdown_text(text.replace("<mbp:pagebreak", "<hr"))
    title = book.value(_TITLE) or book.name or find_title(markdown)
    author = book.value(_AUTHOR)
    markdown = f"{author}\n\n{markdown}" if author and author not in markdown[:2_000] else markdown
    return Parsed(markdown, title=title or None, language=book.value(_LANGUAGE) or None, findings=[*findings, *doubts])


@dataclass(frozen=True, slots=True)
class _Book:
    """The first record of a book, with all of them."""

    records: list[bytes]
    head: bytes
    version: int
    label: str
    name: str
    values: dict[int, bytes]

    @property
    def is_html(self) -> bool:
        return self.head[_MOBI_AT : _MOBI_AT + 4] == b"MOBI"

    def number(self, offset: int, form: str = ">I", otherwise: int = 0) -> int:
        """Return a number of the header, where it reaches so far."""
        end = _MOBI_AT + (struct.unpack_from(">I", self.head, 20)[0] if self.is_html else 0)
        is_there = offset < _MOBI_AT or offset + struct.calcsize(form) <= min(end, len(self.head))
        return int(struct.unpack_from(form, self.head, offset)[0]) if is_there else otherwise

    def value(self, kind: int) -> str:
        """Return a text of its description; empty where there is none."""
        return " ".join(self.values.get(kind, b"").decode(self.label, "replace").split())[:300]


def _open(records: list[bytes]) -> _Book:
    """Return the book of a database: of a file with the older and the newer form of one book, the older."""
    head = records[0]
    if head[_MOBI_AT : _MOBI_AT + 4] != b"MOBI":
        return _Book(records, head, 0, "", "", {})
    if struct.unpack_from(">H", head, 12)[0]:
        raise ItemRejectedError("the book is protected (DRM)", code="encrypted", hint="get a copy without protection")
    _length, _kind, encoding, _unique, version = struct.unpack_from(">5I", head, 20)
    label = _LABELS.get(encoding, "utf-8")
    start, size = struct.unpack_from(">II", head, 84)
    name = head[start : start + min(size, 600)].decode(label, "replace")
    return _Book(records, head, version, label, " ".join(name.split())[:300], _description(head))


def _description(head: bytes) -> dict[int, bytes]:
    """Return the first value of each kind in the description (EXTH) that follows the header."""
    if not struct.unpack_from(">I", head, 128)[0] & _EXTENDED:
        return {}
    at = _MOBI_AT + struct.unpack_from(">I", head, 20)[0]
    if head[at : at + 4] != b"EXTH":
        return {}
    (count,) = struct.unpack_from(">I", head, at + 8)
    found: dict[int, bytes] = {}
    at += 12
    for _one in range(min(count, 10_000)):
        if at + 8 > len(head):
            break
        kind, size = struct.unpack_from(">II", head, at)
        found.setdefault(kind, head[at + 8 : at + size])
        at += max(size, 8)
    return found


def _text(book: _Book, tick: Callable[[], None]) -> tuple[bytes, str]:
    """Return the bytes of the text, and where it breaks off; nothing where it does not."""
    compression, _unused, _length, count = struct.unpack_from(">HHIH", book.head, 0)
    read = _reader(book, compression)
    flags = book.number(242, ">H") if book.version >= _FIRST_WITH_FLAGS else 0
    parts: list[bytes] = []
    total = 0
    lost = (
        ""
        if count < len(book.records)
        else (f"{counted(count, 'record is', 'records are')} announced, {len(book.records) - 1} are there")
    )
    for number, record in enumerate(book.records[1 : count + 1], 1):
        try:
            parts.append(read(without_trailing_entries(record, flags)))
        except (ValueError, LookupError) as error:
            if not parts:
                raise
            lost = f"record {number} of {count}: {error}"
            break
        total += len(parts[-1])
        if total > MAX_TEXT_BYTES:
            raise ItemRejectedError("the text of the book is larger than 256 MiB", code="archive_bomb")
        if number % _TICK_RECORDS == 0:
            tick()
    return b"".join(parts)[: _end_of_text(book)], lost


def _reader(book: _Book, compression: int) -> Callable[[bytes], bytes]:
    if compression == _PLAIN:
        return bytes
    if compression == _PALMDOC:
        return decompress
    if compression != _HUFF:
        raise ValueError(f"its compression {compression} is not known")
    first, count = book.number(112), book.number(116)
    return HuffmanReader(book.records[first : first + count]).decompress


def _end_of_text(book: _Book) -> int | None:
    """Return where the text of the newer form ends: style sheets and drawings follow it, as a list of parts says."""
    if book.version != _KINDLE_FORMAT_8:
        return None
    at = book.number(192, otherwise=_NOTHING)
    if at >= len(book.records) or not book.records[at].startswith(b"FDST"):
        return None
    parts = book.records[at]
    return int(struct.unpack_from(">I", parts, 16)[0]) if len(parts) >= 20 else None  # noqa: PLR2004 its first entry
