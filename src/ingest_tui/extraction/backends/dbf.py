"""dBase and FoxPro tables (dbf). Memos are in a file of their own and not read."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.backends.columnar import table_of
from ingest_tui.extraction.intake.decoding import decode_declared
from ingest_tui.model.counted import counted
from ingest_tui.model.errors import ProcessingError
from ingest_tui.model.extraction import Finding

_MAX_ROWS = 200_000
_TICK_ROWS = 5000
_FIELD_BYTES = 32
_HEADER_END = b"\x0d"
_DELETED = b"*"
_TRUTHS = {"t": True, "y": True, "f": False, "n": False}
_MEMOS = "MGPBW"
_JULIAN_DAY_BEFORE_YEAR_1 = 1_721_425
_ENCODINGS = {
    0x01: "cp437",
    0x02: "cp850",
    0x03: "cp1252",
    0x04: "mac_roman",
    0x08: "cp865",
    0x09: "cp437",
    0x0A: "cp850",
    0x0B: "cp437",
    0x0D: "cp437",
    0x0E: "cp850",
    0x0F: "cp437",
    0x10: "cp850",
    0x11: "cp437",
    0x12: "cp850",
    0x13: "cp932",
    0x14: "cp850",
    0x1B: "cp437",
    0x1C: "cp863",
    0x1F: "cp852",
    0x22: "cp852",
    0x23: "cp852",
    0x24: "cp860",
    0x25: "cp850",
    0x26: "cp866",
    0x37: "cp850",
    0x40: "cp852",
    0x4D: "cp936",
    0x4E: "cp949",
    0x4F: "cp950",
    0x50: "cp874",
    0x57: "cp1252",
    0x58: "cp1252",
    0x59: "cp1252",
    0x64: "cp852",
    0x65: "cp866",
    0x66: "cp865",
    0x67: "cp861",
    0x6A: "cp737",
    0x6B: "cp857",
    0x78: "cp950",
    0x79: "cp949",
    0x7A: "cp936",
    0x7B: "cp932",
    0x7C: "cp874",
    0x7D: "cp1255",
    0x7E: "cp1256",
    0xC8: "cp1250",
    0xC9: "cp1251",
    0xCA: "cp1254",
    0xCB: "cp1253",
    0xCC: "cp1257",
}
"""Code page by the language driver that a file names; 0 says nothing."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: bytes
    kind: str
    start: int
    length: int


def parse(parse_input: ParseInput) -> Parsed:
    """Return the records that are not deleted as one table. Raises `ProcessingError` (``malformed``)."""
    content = parse_input.content
    stated, header_bytes, record_bytes = struct.unpack_from("<IHH", content, 4)
    fields = _fields(content[:header_bytes], is_foxpro=content[0] in (0x30, 0x31, 0x32))
    if not fields or record_bytes < 2:  # noqa: PLR2004 a mark and a value
        raise ProcessingError("it describes no columns", code="malformed", hint="fetch or write it again")
    encoding, findings = _encoding(content, fields, header_bytes)
    rows: list[list[Any]] = [[_name(one.name, encoding) for one in fields]]
    whole = (len(content) - header_bytes) // record_bytes
    for at in range(min(stated, whole, _MAX_ROWS)):
        if at % _TICK_ROWS == 0:
            parse_input.tick()
        record = content[header_bytes + at * record_bytes : header_bytes + (at + 1) * record_bytes]
        if not record.startswith(_DELETED):
            rows.append([_value(record[one.start : one.start + one.length], one.kind, encoding) for one in fields])
    if whole < stated:
        message = f"cut short: {counted(stated, 'record is', 'records are')} announced, {whole:,} are there"
        findings.append(Finding("error", "records_missing", message))
    elif stated > _MAX_ROWS:
        findings.append(
            Finding("warning", "rows_cut", f"only the first {_MAX_ROWS:,} of {counted(stated, 'record')} are kept")
        )
    if any(one.kind in _MEMOS and one.length in (4, 10) for one in fields):
        findings.append(Finding("warning", "memos_missing", "memos are in a file next to it (.dbt, .fpt): not read"))
    return table_of(parse_input, rows, len(rows) - 1, findings)


def _fields(header: bytes, *, is_foxpro: bool) -> list[_Field]:
    fields: list[_Field] = []
    start = 1
    for at in range(_FIELD_BYTES, len(header) - _FIELD_BYTES + 1, _FIELD_BYTES):
        if header.startswith(_HEADER_END, at):
            break
        kind, length = chr(header[at + 11]).upper(), header[at + 16]
        if kind == "C" and not is_foxpro:
            length += header[at + 17] << 8  # long texts of Clipper
        if kind != "0":  # flags of FoxPro
            fields.append(_Field(header[at : at + 11].partition(b"\x00")[0], kind, start, length))
        start += length
    return fields


def _encoding(content: bytes, fields: list[_Field], header_bytes: int) -> tuple[str, list[Finding]]:
    """Return the encoding of the texts: the one that the file names unless they are UTF-8, or a guess."""
    texts = content[header_bytes:][: 1024**2] if any(one.kind == "C" for one in fields) else b""
    texts = bytes(byte for byte in texts if byte >= 0x20)  # noqa: PLR2004 binary numbers between the texts
    named = _ENCODINGS.get(content[29], "")
    if not texts or texts.isascii():
        return named or "cp1252", []
    _text, encoding, findings = decode_declared(texts, named)
    return encoding, findings


def _name(raw: bytes, encoding: str) -> str:
    return raw.decode(encoding, "replace").strip()


def _value(raw: bytes, kind: str, encoding: str) -> Any:
    try:
        return _number(raw, kind) if kind in "I+OYBT@" and len(raw) in (4, 8) else _shown(raw, kind, encoding)
    except (ValueError, OverflowError, struct.error):
        return raw.decode(encoding, "replace").strip()


def _number(raw: bytes, kind: str) -> Any:
    if kind in "T@":
        day, milliseconds = struct.unpack("<II", raw)
        if not day:
            return ""
        start = date.fromordinal(day - _JULIAN_DAY_BEFORE_YEAR_1)
        return f"{start.isoformat()} {str(timedelta(seconds=milliseconds // 1000)).rjust(8, '0')}"
    if kind == "Y":
        return float(struct.unpack("<q", raw)[0]) / 10_000
    if len(raw) == 4:  # noqa: PLR2004 bytes
        return struct.unpack("<i", raw)[0] if kind != "B" else ""
    return struct.unpack("<d" if kind == "B" else ">d", raw)[0]


def _shown(raw: bytes, kind: str, encoding: str) -> Any:
    text = raw.decode(encoding, "replace").replace("\x00", " ").strip()
    if kind in _MEMOS:
        return ""  # the place of a memo in the other file
    if kind == "D" and len(text) == 8 and text.isdecimal():  # noqa: PLR2004 YYYYMMDD
        return f"{text[:4]}-{text[4:6]}-{text[6:]}"
    if kind == "L":
        return _TRUTHS.get(text.lower(), "")
    return text
