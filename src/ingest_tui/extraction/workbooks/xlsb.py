"""XLSB ([MS-XLSB]) beyond plain values, and its cells where the library cannot read them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from ingest_tui.extraction.office.ooxml import open_package
from ingest_tui.extraction.workbooks.annotations import BROKEN, Notes, read_surroundings
from ingest_tui.extraction.workbooks.number_formats import BUILT_IN_FORMATS, NumberFormat, compile_format
from ingest_tui.extraction.workbooks.sheets import ERRORS, CellAddress, Sheet, SheetDescription, place_name
from ingest_tui.extraction.workbooks.xls import unpack_rk

_ROW, _RK, _ERROR, _BOOL, _REAL, _TEXT, _SHARED = 0, 2, 3, 4, 5, 6, 7
_FORMULA_TEXT, _FORMULA_NUMBER, _FORMULA_BOOL, _FORMULA_ERROR, _RICH_TEXT = 8, 9, 10, 11, 62
_STRING_ITEM, _FORMAT, _STYLE, _STYLES_BEGIN, _STYLES_END = 19, 44, 47, 617, 618
_PROPERTIES, _SHEET, _MERGED = 153, 156, 176
_COMMENT, _COMMENT_TEXT = 635, 637
_NUMBERS = frozenset((_RK, _REAL, _FORMULA_NUMBER))
_TRUTHS = frozenset((_BOOL, _FORMULA_BOOL))
_FAILURES = frozenset((_ERROR, _FORMULA_ERROR))
_CELLS = _NUMBERS | _TRUTHS | _FAILURES | {_TEXT, _SHARED, _FORMULA_TEXT, _RICH_TEXT}
_VISIBILITY = ("Visible", "Hidden", "VeryHidden")


class XlsbReader:
    """Reads what a workbook shows beyond its plain values. Raises `struct.error` or one of `BROKEN_PART`."""

    damage = ""

    def __init__(self, content: bytes) -> None:
        self._package = open_package(content)
        self._workbook = self._package.main_part("xl/workbook.bin")
        related = {one.id: one for one in self._package.relationships(self._workbook)}
        self._parts: dict[str, str] = {}
        self._is_1904 = False
        self._shared: list[str] | None = None
        self.sheets: list[SheetDescription] = []
        for kind, body in _records(self._package.read(self._workbook)):
            if kind == _PROPERTIES:
                self._is_1904 = bool(body[0] & 1)
            elif kind == _SHEET:
                # Betas of Excel 2007 wrote four bytes more.
                start = next((at for at in (8, 12) if _text(body, at)[0] in related), 8)
                relation, at = _text(body, start)
                name, _at = _text(body, at)
                found = related.get(relation)
                self._parts[name] = found.target if found else ""
                is_macro = found is not None and "macrosheet" in found.kind.lower()
                visibility = _VISIBILITY[min(int.from_bytes(body[:4], "little"), 2)]
                self.sheets.append(SheetDescription(name, "MacroSheet" if is_macro else "WorkSheet", visibility))
        self._formats = self._read_formats()

    def read(self, name: str, *, everything: bool = False) -> Sheet:
        """Return what a sheet shows; with ``everything`` all of its cells, as far as they can be read."""
        sheet = Sheet(name)
        part = self._parts.get(name, "")
        row = 0
        try:
            for kind, body in _records(self._package.read(part)):
                if kind == _ROW:
                    row = int.from_bytes(body[:4], "little")
                elif kind in _CELLS:
                    place: CellAddress = (row, int.from_bytes(body[:4], "little"))
                    value = self._value(kind, body, everything=everything)
                    if value not in (None, ""):
                        sheet.cells[place] = value
                elif kind == _MERGED:
                    first, last, left, right = struct.unpack_from("<IIII", body)
                    sheet.merged.append(((first, left), (last, right)))
        except (*BROKEN, struct.error):
            pass  # what comes before the damage is kept; the library reports it
        read_surroundings(self._package, part, sheet, _notes)
        return sheet

    def _value(self, kind: int, body: bytes, *, everything: bool) -> Any:
        if kind in _FAILURES:
            return ERRORS.get(body[8], "#N/A")
        if kind in _NUMBERS:
            if kind == _RK:
                number = unpack_rk(struct.unpack_from("<I", body, 8)[0])
            else:
                number = struct.unpack_from("<d", body, 8)[0]
            style = int.from_bytes(body[4:7], "little")
            shown_as = self._formats[style] if style < len(self._formats) else None
            shown = shown_as.show(number, is_1904=self._is_1904) if shown_as else None
            return shown if shown is not None or not everything else float(f"{number:.15g}")
        if not everything:
            return None
        if kind in _TRUTHS:
            return bool(body[8])
        if kind != _SHARED:
            return _text(body, 9 if kind == _RICH_TEXT else 8)[0]
        at = int.from_bytes(body[8:12], "little")
        strings = self._shared_strings()
        return strings[at] if at < len(strings) else None

    def _shared_strings(self) -> list[str]:
        if self._shared is None:
            records = self._related_records("sharedStrings")
            self._shared = [_text(body, 1)[0] for kind, body in records if kind == _STRING_ITEM]
        return self._shared

    def _read_formats(self) -> list[NumberFormat | None]:
        codes = dict(BUILT_IN_FORMATS)
        styles: list[int] = []
        within = False
        for kind, body in self._related_records("styles"):
            if kind == _FORMAT:
                codes[int.from_bytes(body[:2], "little")] = _text(body, 2)[0]
            elif kind in (_STYLES_BEGIN, _STYLES_END):
                within = kind == _STYLES_BEGIN
            elif kind == _STYLE and within:
                styles.append(int.from_bytes(body[2:4], "little"))
        formats = [compile_format(codes.get(one, "")) for one in styles]
        return [one if one.changes_numbers else None for one in formats]

    def _related_records(self, kind: str) -> Iterator[tuple[int, bytes]]:
        target = next((one.target for one in self._package.relationships(self._workbook) if one.kind == kind), "")
        try:
            yield from _records(self._package.read(target))
        except BROKEN:
            return


def _notes(content: bytes) -> Notes:
    found: Notes = []
    place: CellAddress = (0, 0)
    for kind, body in _records(content):
        if kind == _COMMENT:
            row, _last_row, column, _last_column = struct.unpack_from("<IIII", body, 4)
            place = (row, column)
        elif kind == _COMMENT_TEXT:
            found.append((place_name(place), _text(body, 1)[0]))
    return found


def _records(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the records of a part: kind and length are numbers of seven bits a byte, the lowest first."""
    at = 0
    while at < len(content):
        kind, at = _number(content, at, 2)
        length, at = _number(content, at, 4)
        yield kind, content[at : at + length]
        at += length


def _number(content: bytes, at: int, longest: int) -> tuple[int, int]:
    """Return a number and where it ends."""
    value = 0
    for shift in range(longest):
        byte = content[at] if at < len(content) else 0
        at += 1
        value |= (byte & 0x7F) << (7 * shift)
        if not byte & 0x80:
            break
    return value, at


def _text(body: bytes, at: int) -> tuple[str, int]:
    """Return a text that begins with its length in characters, and where it ends."""
    count = int.from_bytes(body[at : at + 4], "little")
    end = at + 4 + count * 2
    return body[at + 4 : end].decode("utf-16-le", "replace"), end
