"""XLS ([MS-XLS], BIFF5 and BIFF8) beyond plain values: errors, numbers as shown, notes, text boxes, merged cells.

Goes through the records of a workbook once for each sheet; with ``everything`` it gives all cells, as far as they go.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from ingest_tui.extraction.intake.ole import WORKBOOK_STREAMS, CompoundFile
from ingest_tui.extraction.workbooks.biff_strings import read_shared_strings, read_text
from ingest_tui.extraction.workbooks.header_codes import words_of_header
from ingest_tui.extraction.workbooks.number_formats import BUILT_IN_FORMATS, NumberFormat, compile_format
from ingest_tui.extraction.workbooks.sheets import ERRORS, CellAddress, Sheet, SheetDescription

_BOF, _EOF, _CONTINUE = 0x809, 0x0A, 0x3C
_BOUNDSHEET, _FORMAT, _XF, _DATEMODE, _CODEPAGE, _SST = 0x85, 0x41E, 0xE0, 0x22, 0x42, 0xFC
_NUMBER, _RK, _MULRK, _FORMULA, _BOOLERR = 0x203, 0x27E, 0xBD, 0x06, 0x205
_LABEL, _LABELSST, _RSTRING, _STRING = 0x204, 0xFD, 0xD6, 0x207
_NOTE, _OBJ, _TXO, _MERGED, _HEADER, _FOOTER, _SERIES_TEXT = 0x1C, 0x5D, 0x1B6, 0xE5, 0x14, 0x15, 0x100D
_BIFF8 = 0x600
_ERROR_RESULT = 2
_NUMBERS = frozenset((_NUMBER, _RK, _MULRK, _FORMULA, _BOOLERR))
_TEXTS = frozenset((_LABEL, _LABELSST, _RSTRING))
_KINDS = {0: "WorkSheet", 1: "MacroSheet", 2: "ChartSheet", 6: "Vba"}
_VISIBILITY = {0: "Visible", 1: "Hidden", 2: "VeryHidden"}

BiffRecord = tuple[int, bytes]


class XlsReader:
    """Reads what a workbook shows beyond its plain values. Raises `ValueError`, `struct.error` or `LookupError`."""

    damage = ""

    def __init__(self, content: bytes) -> None:
        compound = CompoundFile(content)
        name = next(name for name in WORKBOOK_STREAMS if name in compound.streams)
        self._stream = compound.read(name)
        if len(self._stream) < compound.streams[name].size:
            raise ValueError("it is cut short")
        self._is_1904 = False
        self._encoding = "cp1252"
        self._strings: list[bytes] = []
        self._shared: list[str] | None = None
        self._starts: dict[str, int] = {}
        self.sheets: list[SheetDescription] = []
        self._version = int.from_bytes(self._stream[4:6], "little")
        codes: dict[int, str] = dict(BUILT_IN_FORMATS)
        styles: list[int] = []
        for kind, body in self._records(0):
            if kind == _CODEPAGE:
                self._encoding = _encoding_of(int.from_bytes(body[:2], "little"))
            elif kind == _DATEMODE:
                self._is_1904 = body[:2] == b"\x01\x00"
            elif kind == _FORMAT:
                codes[int.from_bytes(body[:2], "little")] = self._text(body, 2, 2)
            elif kind == _XF:
                styles.append(int.from_bytes(body[2:4], "little"))
            elif kind == _BOUNDSHEET:
                self._add_sheet(body)
            elif kind == _SST or (kind == _CONTINUE and self._strings):
                self._strings.append(body)
        formats = [compile_format(codes.get(one, "")) for one in styles]
        self._formats: list[NumberFormat | None] = [one if one.changes_numbers else None for one in formats]

    def read(self, name: str, *, everything: bool = False) -> Sheet:
        """Return what a sheet shows; with ``everything`` all of its cells, as far as they can be read."""
        sheet = Sheet(name)
        around = _Surroundings(sheet, self)
        start = self._starts.get(name)
        for kind, body in self._records(start) if start is not None else ():
            if kind in _NUMBERS or (kind in _TEXTS and everything):
                sheet.cells.update(self._cells(kind, body, everything=everything))
            elif kind not in _TEXTS:
                around.add(kind, body)
        around.finish()
        return sheet

    def text(self, body: bytes, at: int, count_bytes: int) -> str:
        """Return the text of a record that begins with its length in so many bytes (one in BIFF5, in any case)."""
        return self._text(body, at, count_bytes)

    @property
    def is_biff8(self) -> bool:
        """Say whether texts are Unicode."""
        return self._version >= _BIFF8

    def _add_sheet(self, body: bytes) -> None:
        start, visibility, kind = struct.unpack_from("<IBB", body)
        name = self._text(body, 6, 1)
        self._starts[name] = start
        self.sheets.append(
            SheetDescription(name, _KINDS.get(kind, "WorkSheet"), _VISIBILITY.get(visibility & 3, "Visible"))
        )

    def _records(self, at: int) -> Iterator[BiffRecord]:
        """Yield the records from a place to the end of that part of the stream, with those of charts within it."""
        stream = self._stream
        depth = 0
        while at + 4 <= len(stream):
            kind, length = struct.unpack_from("<HH", stream, at)
            if kind == _BOF:
                depth += 1
            elif kind == _EOF:
                depth -= 1
                if depth <= 0:
                    return
            yield kind, stream[at + 4 : at + 4 + length]
            at += 4 + length

    def _text(self, body: bytes, at: int, count_bytes: int) -> str:
        if self.is_biff8:
            return read_text(body, at, count_bytes)
        count = body[at] if at < len(body) else 0
        return body[at + 1 : at + 1 + count].decode(self._encoding, "replace")

    def _cells(self, kind: int, body: bytes, *, everything: bool) -> Iterator[tuple[CellAddress, Any]]:
        row, column = struct.unpack_from("<HH", body)
        if kind == _MULRK:
            for at in range(4, len(body) - 6 + 1, 6):
                style, packed = struct.unpack_from("<HI", body, at)
                shown = self._number(style, unpack_rk(packed), everything=everything)
                if shown is not None:
                    yield (row, column + (at - 4) // 6), shown
            return
        value = self._value(kind, body, everything=everything)
        if value not in (None, "") and (everything or not isinstance(value, bool)):
            yield (row, column), value

    def _value(self, kind: int, body: bytes, *, everything: bool) -> Any:
        style = int.from_bytes(body[4:6], "little")
        value: Any = None
        if kind == _BOOLERR:
            value = ERRORS.get(body[6], "#N/A") if body[7] else bool(body[6])
        elif kind == _FORMULA and body[12:14] == b"\xff\xff":
            value = ERRORS.get(body[8], "#N/A") if body[6] == _ERROR_RESULT else None
        elif kind in (_NUMBER, _FORMULA):
            value = self._number(style, struct.unpack_from("<d", body, 6)[0], everything=everything)
        elif kind == _RK:
            value = self._number(style, unpack_rk(struct.unpack_from("<I", body, 6)[0]), everything=everything)
        elif kind == _LABELSST:
            at = struct.unpack_from("<I", body, 6)[0]
            strings = self._shared_strings()
            value = strings[at] if at < len(strings) else None
        else:
            value = read_text(body, 6, 2) if self.is_biff8 else body[8:].decode(self._encoding, "replace")
        return value

    def _number(self, style: int, value: float, *, everything: bool) -> Any:
        shown_as = self._formats[style] if style < len(self._formats) else None
        shown = shown_as.show(value, is_1904=self._is_1904) if shown_as else None
        return shown if shown is not None or not everything else float(f"{value:.15g}")

    def _shared_strings(self) -> list[str]:
        if self._shared is None:
            self._shared = read_shared_strings(self._strings)
        return self._shared


class _Surroundings:
    """Gathers the notes, texts and merged cells of a sheet; a note names the object whose text it is."""

    def __init__(self, sheet: Sheet, reader: XlsReader) -> None:
        self._sheet = sheet
        self._reader = reader
        self._object = self._left = 0
        self._texts: dict[int, str] = {}
        self._notes: list[tuple[CellAddress, int]] = []

    def add(self, kind: int, body: bytes) -> None:
        """Take a record that is no cell."""
        if kind == _CONTINUE and self._left > 0:
            text = read_text(struct.pack("<H", self._left) + body, 0, 2)
            self._left -= len(text)
            self._texts[self._object] = self._texts.get(self._object, "") + text
        elif kind == _OBJ and len(body) >= 8:  # noqa: PLR2004 with its common part, [MS-XLS] 2.5.143
            self._object = int.from_bytes(body[6:8], "little")
        elif kind == _TXO:
            self._left = int.from_bytes(body[10:12], "little")
        elif kind == _NOTE:
            self._add_note(body)
        elif kind == _MERGED:
            for at in range(2, len(body) - 7, 8):
                first, last, left, right = struct.unpack_from("<HHHH", body, at)
                self._sheet.merged.append(((first, left), (last, right)))
        elif kind in (_HEADER, _FOOTER) and body:
            self._add_text(words_of_header(self._reader.text(body, 0, 2)))
        elif kind == _SERIES_TEXT:
            self._add_text(self._reader.text(body, 2, 1))

    def finish(self) -> None:
        """Give the texts of the notes to their cells; those of other objects are text boxes."""
        for place, number in self._notes:
            self._sheet.add_notes(place, [self._texts.pop(number, "")])
        for text in self._texts.values():
            self._add_text(text)

    def _add_note(self, body: bytes) -> None:
        row, column, _flags, number = struct.unpack_from("<HHHH", body.ljust(8, b"\x00"))
        if self._reader.is_biff8:
            self._notes.append(((row, column), number))
        elif row != 0xFFFF:  # noqa: PLR2004 the continuation of a long one
            self._sheet.add_notes((row, column), [body[6:].decode("cp1252", "replace")])

    def _add_text(self, text: str) -> None:
        if text.strip() and text not in self._sheet.texts:
            self._sheet.texts.append(text)


def unpack_rk(packed: int) -> float:
    """Return a number packed into 30 bits ([MS-XLS] 2.5.217): an integer, or a float of that length; perhaps by 100."""
    if packed & 2:
        number = float((packed >> 2) - (1 << 30 if packed & 0x80000000 else 0))
    else:
        number = struct.unpack("<d", struct.pack("<Q", (packed & 0xFFFFFFFC) << 32))[0]
    return number / 100 if packed & 1 else number


def _encoding_of(code_page: int) -> str:
    if code_page == 0x8000 or code_page == 10000:  # noqa: PLR2004, PLR1714 of the Macintosh
        return "mac_roman"
    if code_page in (0x8001, 1200):
        return "cp1252"
    try:
        "".encode(f"cp{code_page}")
    except LookupError:
        return "cp1252"
    return f"cp{code_page}"
