"""Hangul documents in their binary form (HWP 5.0): paragraphs in order, outline styles as headings.

The form is the one that its maker has published (HWP Document File Formats 5.0); tables are read cell by cell.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.intake.ole import CompoundFile, OleEntry
from ingest_tui.extraction.markup.literal_text import heading
from ingest_tui.extraction.markup.markdown import find_title
from ingest_tui.model.errors import ItemRejectedError, ProcessingError
from ingest_tui.model.extraction import Finding

MAX_SECTION_BYTES = 256 * 1024**2
_FLAGS_AT = 36
_COMPRESSED, _ENCRYPTED, _DISTRIBUTED = 1, 2, 4
_STYLE, _PARAGRAPH, _TEXT = 26, 66, 67
_STYLE_AT = 10
_LONG_RECORD = 0xFFF
_SECTION = re.compile(r"section(\d{1,5})", re.IGNORECASE)
_OUTLINE = re.compile(r"(?:outline|개요)\s*(\d)", re.IGNORECASE)
_MAX_LEVEL = 6
_ALONE = {0: "", 10: "\n", 13: "", 24: "-", 30: " ", 31: " "}
"""Control characters that take one place; the others take eight, with what belongs to them."""
_ONE_PLACE = frozenset((*_ALONE, 25, 26, 27, 28, 29))
_PLACES = 8
_TAB = 9


def parse(parse_input: ParseInput) -> Parsed:
    """Return the text of a document; a section that is damaged is a finding.

    Raises `ItemRejectedError` (``encrypted``, ``archive_bomb``) and `ProcessingError` (``malformed``).
    """
    try:
        document = CompoundFile(parse_input.content)
        (flags,) = struct.unpack_from("<I", document.read("fileheader", 64), _FLAGS_AT)
        sections = _sections(document)
        levels = _heading_levels(document, flags)
    except (ValueError, LookupError, struct.error) as error:
        raise _broken(f"the document cannot be read: {error}") from error
    if flags & (_ENCRYPTED | _DISTRIBUTED):
        why = "is protected by a password" if flags & _ENCRYPTED else "is a copy for distribution, which is encrypted"
        raise ItemRejectedError(f"the document {why}", code="encrypted", hint="save it without protection")
    blocks: list[str] = []
    findings: list[Finding] = []
    for number, entry in enumerate(sections, 1):
        try:
            blocks += _paragraphs(_unpacked(document.read_entry(entry), flags), levels)
        except (ValueError, zlib.error, struct.error) as error:
            findings.append(Finding("error", "section_unreadable", f"section {number} cannot be read: {error}"[:300]))
        parse_input.tick()
    if len(findings) == len(sections):
        raise _broken("no section of the document can be read")
    markdown = "\n\n".join(blocks) + "\n"
    return Parsed(markdown, title=find_title(markdown), findings=findings)


def _broken(message: str) -> ProcessingError:
    return ProcessingError(message[:300], code="malformed", hint="the file may be cut short")


def _sections(document: CompoundFile) -> list[OleEntry]:
    body = document.read_storage("bodytext")
    found = ((match, entry) for entry in body if (match := _SECTION.fullmatch(entry.name)))
    return [
        entry for _number, entry in sorted(((int(match[1]), entry) for match, entry in found), key=lambda one: one[0])
    ]


def _unpacked(content: bytes, flags: int) -> bytes:
    if not flags & _COMPRESSED:
        return content
    unpacker = zlib.decompressobj(-15)
    unpacked = unpacker.decompress(content, MAX_SECTION_BYTES)
    if unpacker.unconsumed_tail:
        raise ItemRejectedError("a section would unpack to more than 256 MiB", code="archive_bomb")
    return unpacked


def _records(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the tag and the bytes of each record; one that is cut off ends them."""
    at = 0
    while at + 4 <= len(content):
        (head,) = struct.unpack_from("<I", content, at)
        at += 4
        size = head >> 20
        if size == _LONG_RECORD:
            (size,) = struct.unpack_from("<I", content, at)
            at += 4
        yield head & 0x3FF, content[at : at + size]
        at += size


def _heading_levels(document: CompoundFile, flags: int) -> dict[int, int]:
    """Return the levels of the styles that are headings, by their numbers; none where they cannot be read."""
    levels: dict[int, int] = {}
    try:
        styles = [body for tag, body in _records(_unpacked(document.read("docinfo"), flags)) if tag == _STYLE]
        for number, body in enumerate(styles):
            for name in _names_of_style(body):
                if match := _OUTLINE.fullmatch(name.strip()):
                    levels[number] = min(max(int(match[1]), 1), _MAX_LEVEL)
    except (LookupError, zlib.error, struct.error):
        return {}
    return levels


def _names_of_style(body: bytes) -> Iterator[str]:
    at = 0
    for _name in range(2):  # of its language, and in English
        (length,) = struct.unpack_from("<H", body, at)
        at += 2 + 2 * length
        yield body[at - 2 * length : at].decode("utf-16-le", "replace")


def _paragraphs(content: bytes, levels: dict[int, int]) -> Iterator[str]:
    level = 0
    for tag, body in _records(content):
        if tag == _PARAGRAPH:
            level = levels.get(body[_STYLE_AT], 0) if len(body) > _STYLE_AT else 0
        elif tag == _TEXT and (text := _shown(body)):
            yield heading(level, text)


def _shown(body: bytes) -> str:
    """Return the text of a paragraph without its controls."""
    places = struct.unpack(f"<{len(body) // 2}H", body[: len(body) // 2 * 2])
    kept: list[int] = []
    at = 0
    while at < len(places):
        place = places[at]
        if place >= ord(" "):
            kept.append(place)
        elif place in _ONE_PLACE:
            kept += map(ord, _ALONE.get(place, ""))
        else:
            kept += [_TAB] if place == _TAB else []
            at += _PLACES - 1
        at += 1
    return struct.pack(f"<{len(kept)}H", *kept).decode("utf-16-le", "replace").strip()
