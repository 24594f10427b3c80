"""Mails of Outlook (msg, [MS-OXMSG]): headers, the body in its richest form, and attachments, mails among them.

extract-msg reads them too, but brings eight packages and asks for LibreOffice; xberg takes every text for UTF-8.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.intake.decoding import decode_declared
from ingest_tui.extraction.intake.ole import CompoundFile, OleEntry
from ingest_tui.extraction.mail.mail_content import Attachment, Mail
from ingest_tui.extraction.markup.literal_text import literal
from ingest_tui.model.attachments import MAX_ATTACHMENTS
from ingest_tui.model.errors import IngestError, ProcessingError
from ingest_tui.model.extraction import Finding

_MAX_DEPTH = 5
_MAX_HEADER_CHARACTERS = 2_000
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_UNICODE, _STRING, _BINARY, _OBJECT = "001f", "001e", "0102", "000d"
# Numbers of properties ([MS-OXPROPS]).
_SUBJECT, _BODY, _HTML, _RTF = "0037", "1000", "1013", "1009"
_SENDER_NAMES, _SENDER_ADDRESSES = ("0c1a", "0042"), ("5d01", "5d02", "39fe", "0c1f", "0065")
_TO, _CC, _TRANSPORT_HEADERS = "0e04", "0e03", "007d"
_FILE_NAMES, _DATA, _MEDIA_TYPE = ("3707", "3704", "3001"), "3701", "370e"
_DATES = (0x0039, 0x0E06, 0x3007)
_CODE_PAGES = (0x3FFD, 0x3FDE)
_LOCALE = 0x3FF1
_LABELS = {
    65001: "utf-8",
    65000: "utf-7",
    20127: "us-ascii",
    20866: "koi8-r",
    21866: "koi8-u",
    54936: "gb18030",
    932: "shift_jis",
    936: "gbk",
    949: "euc-kr",
    950: "big5",
    874: "windows-874",
    10000: "macintosh",
    50220: "iso-2022-jp",
    50221: "iso-2022-jp",
    50222: "iso-2022-jp",
    51932: "euc-jp",
    51949: "euc-kr",
    **{28590 + part: f"iso-8859-{part}" for part in range(1, 16)},
    **{page: f"windows-{page}" for page in range(1250, 1259)},
}
# Primary languages of Windows ([MS-LCID]) whose ANSI code page is not windows-1252.
_PAGE_OF_LANGUAGE = {
    **dict.fromkeys((0x05, 0x0E, 0x15, 0x18, 0x1A, 0x1B, 0x1C, 0x24), 1250),
    **dict.fromkeys((0x02, 0x19, 0x22, 0x23, 0x2F, 0x3F, 0x40, 0x44, 0x50), 1251),
    0x08: 1253,
    0x1F: 1254,
    0x2C: 1254,
    0x0D: 1255,
    0x01: 1256,
    0x20: 1256,
    0x29: 1256,
    0x25: 1257,
    0x26: 1257,
    0x27: 1257,
    0x2A: 1258,
    0x1E: 874,
    0x11: 932,
    0x12: 949,
}
_TRADITIONAL_CHINESE = frozenset((0x0404, 0x0C04, 0x1404))


def parse(parse_input: ParseInput) -> Parsed:
    """Return a mail: its subject as heading, the main headers, its body, and its attachments with their text.

    Raises `ProcessingError` (``malformed``).
    """
    reader = _Reader(parse_input)
    try:
        compound = CompoundFile(parse_input.content)
        top = _Properties(compound, list(compound.streams.values()), header_bytes=32)
        mail = reader.mail(top, 0)
    except (ValueError, IndexError, struct.error) as error:
        raise ProcessingError(
            f"the mail cannot be read: {error}"[:300], code="malformed", hint="the file may be cut short"
        ) from error
    findings = list(dict.fromkeys(reader.findings))
    return Parsed(mail.markdown(level=1), mail.elements(), title=mail.subject[:300] or None, findings=findings)


@dataclass(slots=True)
class _Stored:
    """One property: how it is stored, and its bytes."""

    kind: str
    content: bytes


class _Properties:
    """The properties of a mail, an attachment or a mail within one."""

    def __init__(self, compound: CompoundFile, entries: list[OleEntry], header_bytes: int) -> None:
        self.compound = compound
        self.entries = {entry.name.lower(): entry for entry in entries}
        self._header_bytes = header_bytes

    def stored(self, number: str) -> _Stored | None:
        """Return a property of variable length; None where it is not there or empty."""
        for kind in (_UNICODE, _STRING, _BINARY):
            entry = self.entries.get(f"__substg1.0_{number}{kind}")
            if entry is not None and (content := self.compound.read_entry(entry)):
                return _Stored(kind, content)
        return None

    @cached_property
    def _fixed(self) -> dict[int, bytes]:
        entry = self.entries.get("__properties_version1.0")
        content = self.compound.read_entry(entry)[self._header_bytes :] if entry is not None else b""
        rows = (content[at : at + 16] for at in range(0, len(content) - 15, 16))
        return {int.from_bytes(row[2:4], "little"): row[8:] for row in rows}

    def number(self, name: int) -> int:
        """Return a property of 32 bits; 0 where it is not there."""
        return int.from_bytes(self._fixed.get(name, b"")[:4], "little")

    def date(self) -> str:
        """Return when the mail was sent, else delivered or made."""
        for name in _DATES:
            ticks = int.from_bytes(self._fixed.get(name, b""), "little")
            if ticks:
                try:
                    return f"{_EPOCH + timedelta(microseconds=ticks // 10):%Y-%m-%d %H:%M:%S} UTC"
                except (OverflowError, ValueError):
                    continue
        return ""

    def charset(self, *, of_html: bool = False) -> str:
        """Return the label of the encoding of texts without Unicode. That of the internet is the one of HTML bodies.

        Outlook writes other texts in the code page of the language where it names no page of its own.
        """
        if of_html:
            return _LABELS.get(self.number(_CODE_PAGES[1]), "")
        page, locale = self.number(_CODE_PAGES[0]), self.number(_LOCALE)
        if page in _LABELS:
            return _LABELS[page]
        if locale & 0x3FF == 0x04:  # noqa: PLR2004 Chinese, in either script
            return "big5" if locale in _TRADITIONAL_CHINESE else "gbk"
        if locale:
            return _LABELS[_PAGE_OF_LANGUAGE.get(locale & 0x3FF, 1252)]
        return _LABELS.get(self.number(_CODE_PAGES[1]), "")


class _Reader:
    def __init__(self, parse_input: ParseInput) -> None:
        self.findings: list[Finding] = []
        self._parse_input = parse_input
        self._attachments = 0

    def mail(self, properties: _Properties, depth: int) -> Mail:
        """Return what is shown of a mail."""
        charset = properties.charset()

        def text(*numbers: str) -> str:
            texts = (" ".join(self._text(properties.stored(number), charset).split()) for number in numbers)
            return next((one for one in texts if one), "")[:_MAX_HEADER_CHARACTERS]

        name, address = text(*_SENDER_NAMES), text(*_SENDER_ADDRESSES)
        address = address if "@" in address else ""
        sender = f"{name} <{address}>" if name and address and name != address else name or address
        headers = {
            "From": sender,
            "To": text(_TO),
            "Cc": text(_CC),
            "Date": properties.date(),
            "Subject": text(_SUBJECT),
        }
        mail = Mail({key: value for key, value in headers.items() if value}, [self._body(properties, charset)])
        for key in sorted(key for key in properties.entries if key.startswith("__attach_version1.0")):
            self._attachments += 1
            if self._attachments > MAX_ATTACHMENTS:
                message = f"more than {MAX_ATTACHMENTS:,} attachments: the rest is left out"
                self.findings.append(Finding("warning", "parts_cut", message))
                break
            inner = properties.compound.entries_of(properties.entries[key])
            self._attach(_Properties(properties.compound, inner, header_bytes=8), charset, mail, depth)
        return mail

    def _text(self, stored: _Stored | None, charset: str) -> str:
        if stored is None:
            return ""
        if stored.kind == _UNICODE:
            return _without_mark(stored.content.decode("utf-16-le", "replace").rstrip("\x00"))
        try:
            text, _encoding, findings = decode_declared(stored.content.rstrip(b"\x00"), charset)
        except IngestError:
            return ""
        self.findings += findings
        return _without_mark(text)

    def _body(self, properties: _Properties, charset: str) -> str:
        """Return the body: as HTML, else as plain text, else as RTF, which mostly comes with one of the others."""
        html = properties.stored(_HTML)
        if html is not None:
            label = properties.charset(of_html=True) or charset
            known = html.kind == _UNICODE
            content = self._text(html, charset).encode() if known else html.content
            if text := self._html(content, "utf-8" if known else label):
                return text
        plain = self._text(properties.stored(_BODY), charset)
        if plain.strip():
            return literal(plain, keeps_quotes=True)
        packed = properties.stored(_RTF)
        unpacked = _unpacked(packed.content) if packed is not None else b""
        return self._parse_input.read_part(unpacked, "body.rtf") if unpacked else ""

    def _html(self, content: bytes, label: str) -> str:
        from ingest_tui.extraction.backends.html import decode_html, html_to_markdown_text

        try:
            if b"charset" in content[:4096].lower() or not label:
                text = decode_html(content)[0]
            else:
                text = decode_declared(content, label)[0]
        except IngestError:
            return ""
        return html_to_markdown_text(text.rstrip("\x00")).strip()

    def _attach(self, properties: _Properties, charset: str, mail: Mail, depth: int) -> None:
        embedded = properties.entries.get(f"__substg1.0_{_DATA}{_OBJECT}")
        if embedded is not None and depth < _MAX_DEPTH:
            inner = _Properties(properties.compound, properties.compound.entries_of(embedded), header_bytes=24)
            if f"__substg1.0_{_SUBJECT}{_UNICODE}" in inner.entries or "__properties_version1.0" in inner.entries:
                mail.inner.append(self.mail(inner, depth + 1))
                return
        names = (" ".join(self._text(properties.stored(number), charset).split()) for number in _FILE_NAMES)
        name = next((one for one in names if one), "unnamed")[:255]
        media_type = self._text(properties.stored(_MEDIA_TYPE), charset) or "application/octet-stream"
        stored = properties.stored(_DATA)
        content = stored.content if stored is not None else b""
        text = self._parse_input.read_attachment(name, content) if content else ""
        self._parse_input.tick()
        mail.attachments.append(Attachment(name, media_type, len(content), text))


def _without_mark(text: str) -> str:
    """Cut what Outlook puts before some subjects: the length of their prefix ([MS-OXCMSG] 2.2.1.46)."""
    return text[2:] if text.startswith("\x01") else text


def _unpacked(content: bytes) -> bytes:
    """Return a compressed RTF body ([MS-OXRTFCP]); nothing where it is damaged."""
    import compressed_rtf

    try:
        return bytes(compressed_rtf.decompress(content))
    except Exception:  # noqa: BLE001 its library raises almost anything on damage, and then there is no body
        return b""
