"""XLSX beyond plain values: errors, numbers as shown, notes, text boxes, charts; and its cells where the XML is broken.

One pass over the XML of a sheet with patterns, and only where it has something to show: they go on after broken tags.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

from ingest_tui.extraction.office.ooxml import (
    BROKEN_PART,
    attribute,
    child,
    descendants,
    local,
    open_package,
)
from ingest_tui.extraction.workbooks.annotations import read_surroundings
from ingest_tui.extraction.workbooks.header_codes import words_of_header
from ingest_tui.extraction.workbooks.number_formats import BUILT_IN_FORMATS, NumberFormat, compile_format
from ingest_tui.extraction.workbooks.sheets import CellAddress, Sheet, SheetDescription, column_index
from ingest_tui.model.errors import ItemRejectedError

_BROKEN = (*BROKEN_PART, ItemRejectedError)
_REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})")
_ATTRIBUTE = re.compile(rb"""\b([a-z]+)\s*=\s*["']([^"'<>]*)["']""")
_PREFIX = re.compile(rb"<((?:\w{1,20}:)?)worksheet\b")
_ROW_TAG = re.compile(rb"<(?:\w{1,20}:)?row\b")
_TEXTS = re.compile(rb"<(?:\w{1,20}:)?t(?:\s[^<>]*)?>([^<]*)<")
_VALUE = re.compile(rb"<(?:\w{1,20}:)?v(?:\s[^<>]*)?>([^<]*)<")
_MERGED = re.compile(rb"""<(?:\w{1,20}:)?mergeCell\b[^<>]*\bref\s*=\s*["']([^"'<>]*)["']""")
_HEADER_PART = re.compile(rb"<(?:\w{1,20}:)?(?:odd|even|first)(?:Header|Footer)\b[^<>]*>([^<]*)<")
_MAX_MERGED = 10_000


class XlsxReader:
    """Reads what a workbook shows beyond its plain values; a part that is missing or broken has none."""

    damage = ""

    def __init__(self, content: bytes) -> None:
        self._package = open_package(content)
        workbook = self._package.main_part("xl/workbook.xml")
        related = {one.id: one.target for one in self._package.relationships(workbook)}
        root = self._package.xml(workbook)
        self._parts: dict[str, str] = {}
        self.sheets: list[SheetDescription] = []
        for one in descendants(root, "sheet"):
            name, part = one.get("name", ""), related.get(attribute(one, "id"), "")
            self._parts[name] = part
            kind = "MacroSheet" if "macrosheet" in part.lower() else "WorkSheet"
            self.sheets.append(SheetDescription(name, kind, one.get("state", "visible").title()))
        properties = child(root, "workbookPr")
        self._is_1904 = properties is not None and properties.get("date1904", "") in ("1", "true")
        self._formats = self._read_formats(workbook)
        self._strings: list[str] | None = None
        self._workbook = workbook

    def read(self, name: str, *, everything: bool = False) -> Sheet:
        """Return what a sheet shows; with ``everything`` all of its cells, as far as they can be read."""
        sheet = Sheet(name)
        part = self._parts.get(name, "")
        try:
            xml = self._package.read(part)
        except _BROKEN:
            return sheet
        if xml.startswith((b"\xff\xfe", b"\xfe\xff")):
            xml = xml.decode("utf-16", "replace").encode()
        prefix = _PREFIX.search(xml[:4096])
        tag = re.escape(prefix[1]) + b"c" if prefix else b"c"
        sheet.cells = dict(self._all_cells(xml, tag, everything=True) if everything else self._shown_cells(xml, tag))
        tail = xml[max(xml.rfind(b"sheetData>"), 0) :]
        sheet.merged = [found for match in _MERGED.finditer(tail) if (found := _range_of(match[1].decode("latin-1")))][
            :_MAX_MERGED
        ]
        sheet.texts += _headers(tail)
        read_surroundings(self._package, part, sheet)
        return sheet

    def _shown_cells(self, xml: bytes, tag: bytes) -> Iterator[tuple[CellAddress, Any]]:
        """Yield errors, and numbers that their format changes."""
        styles = b"|".join(b"%d" % at for at, one in enumerate(self._formats) if one is not None)
        if not styles and xml.rfind(b't="e"') < 0 and xml.rfind(b"t='e'") < 0:  # `in` is five times as slow
            return
        first = re.search(rb"<%s\b[^<>]*>" % tag, xml)
        if first and not re.search(rb"""\br=["']""", first[0]):  # nothing says where a cell is but those before it
            yield from self._all_cells(xml, tag, everything=False)
            return
        style = rb"""|s=["'](?:%s)["']""" % styles if styles else b""
        pattern = (
            rb"""<%s\b(?=[^<>]*?\b(?:t=["']e["']%s))(?=[^<>]*?\br=["']([A-Za-z]{1,3})([0-9]{1,7})["'])"""
            rb"""(?=[^<>]*?\bs=["']([0-9]{1,5})["']|)(?=[^<>]*?\bt=["']([A-Za-z]+)["']|)[^<>]*>\s*"""
            rb"(?:<(?:\w{1,20}:)?f\b[^<>]*(?:/>|>[^<]*</(?:\w{1,20}:)?f>)\s*)?"
            rb"<(?:\w{1,20}:)?v(?:\s[^<>]*)?>([^<]*)<"
        ) % (tag, style)
        for column, row, at, kind, raw in re.findall(pattern, xml):
            shown = self._show(kind or b"n", at or b"0", raw)
            if shown is not None:
                yield (int(row) - 1, column_index(column.decode("ascii"))), shown

    def _show(self, kind: bytes, style: bytes, raw: bytes) -> str | None:
        if kind == b"e":
            return unescape(raw.decode("utf-8", "replace")).strip()
        at = int(style) if style.isdigit() else 0
        shown_as = self._formats[at] if at < len(self._formats) else None
        if kind != b"n" or shown_as is None:
            return None
        try:
            return shown_as.show(float(raw), is_1904=self._is_1904)
        except ValueError:
            return None

    def _all_cells(self, xml: bytes, tag: bytes, *, everything: bool) -> Iterator[tuple[CellAddress, Any]]:
        """Yield every cell whose start is intact, or those only that are shown otherwise than their plain value.

        Cells that do not say where they are follow one another.
        """
        row = column = -1
        for piece in re.split(rb"<(?=%s\b|(?:\w{1,20}:)?row\b)" % tag, xml)[1:]:
            start, _end, body = piece.partition(b">")
            attributes = dict(_ATTRIBUTE.findall(start))
            if _ROW_TAG.match(b"<" + piece):
                stated = attributes.get(b"r", b"")
                row, column = (int(stated) - 1 if stated.isdigit() else row + 1), -1
                continue
            place = _place_of(attributes.get(b"r", b"").decode("latin-1")) or (max(row, 0), column + 1)
            row, column = place
            read = self._value if everything else self._shown_value
            value = None if start.endswith(b"/") else read(attributes, body)
            if value not in (None, ""):
                yield place, value

    def _shown_value(self, attributes: dict[bytes, bytes], body: bytes) -> str | None:
        raw = _VALUE.search(body)
        return self._show(attributes.get(b"t", b"n"), attributes.get(b"s", b"0"), raw[1]) if raw else None

    def _value(self, attributes: dict[bytes, bytes], body: bytes) -> Any:
        kind = attributes.get(b"t", b"n")
        if kind == b"inlineStr":
            return _text(_TEXTS.findall(body))
        raw = _VALUE.search(body)
        text = unescape(raw[1].decode("utf-8", "replace")) if raw else ""
        if raw is None or kind == b"s":
            strings = self._shared_strings() if text.strip().isdigit() else []
            return strings[int(text)] if strings and int(text) < len(strings) else None
        if kind == b"b":
            return text.strip() == "1"
        try:
            return (
                (self._show(kind, attributes.get(b"s", b"0"), raw[1]) or float(f"{float(text):.15g}"))
                if kind == b"n"
                else text
            )
        except ValueError:
            return text

    def _shared_strings(self) -> list[str]:
        if self._strings is None:
            target = next(
                (one.target for one in self._package.relationships(self._workbook) if one.kind == "sharedStrings"),
                "xl/sharedStrings.xml",
            )
            try:
                xml = self._package.read(target)
            except _BROKEN:
                xml = b""
            self._strings = [_string(item) for item in re.split(rb"<(?:\w{1,20}:)?si\b", xml)[1:]]
        return self._strings

    def _read_formats(self, workbook: str) -> list[NumberFormat | None]:
        """Return the format of each cell style; None where it shows a number as it is, or as a date."""
        target = next((one.target for one in self._package.relationships(workbook) if one.kind == "styles"), "")
        try:
            root = self._package.xml(target)
        except _BROKEN:
            return []
        codes = dict(BUILT_IN_FORMATS)
        for one in descendants(root, "numFmt"):
            if one.get("numFmtId", "").isdigit():
                codes[int(one.get("numFmtId", ""))] = one.get("formatCode", "")
        styles = child(root, "cellXfs")
        numbers = [one.get("numFmtId", "0") for one in styles if local(one) == "xf"] if styles is not None else []
        formats = [compile_format(codes.get(int(one), "") if one.isdigit() else "") for one in numbers]
        return [one if one.changes_numbers else None for one in formats]


def _headers(tail: bytes) -> list[str]:
    """Return the words of page headers and footers without their codes."""
    texts: list[str] = []
    for match in _HEADER_PART.finditer(tail):
        text = words_of_header(unescape(match[1].decode("utf-8", "replace")))
        if text and text not in texts:
            texts.append(text)
    return texts


def _string(item: bytes) -> str:
    """Return a shared string without its phonetic guides."""
    first, *others = re.split(rb"<(?:\w{1,20}:)?rPh\b", item)
    return _text(_TEXTS.findall(first + b"".join(other.partition(b"rPh>")[2] for other in others)))


def _text(parts: list[bytes]) -> str:
    return unescape(b"".join(parts).decode("utf-8", "replace"))


def _place_of(reference: str) -> CellAddress | None:
    match = _REFERENCE.fullmatch(reference)
    return (int(match[2]) - 1, column_index(match[1])) if match else None


def _range_of(reference: str) -> tuple[CellAddress, CellAddress] | None:
    first, _colon, last = reference.partition(":")
    begin, end = _place_of(first), _place_of(last)
    return (begin, end) if begin and end else None
