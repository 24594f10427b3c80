"""Spreadsheets: values with python-calamine, what is shown beyond them and what it cannot read with plain readers."""

from __future__ import annotations

import struct
from collections.abc import Callable
from io import BytesIO
from typing import Any, Protocol

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.office.ooxml import BROKEN_PART
from ingest_tui.extraction.tables.table import Table, build_table
from ingest_tui.extraction.validators.workbook import check_formulas, check_sheets, holds_cells
from ingest_tui.extraction.workbooks.opendocument import OpenDocumentReader
from ingest_tui.extraction.workbooks.sheets import (
    CellAddress,
    Sheet,
    SheetDescription,
    check_size,
    describe_surroundings,
    overlay,
    repeat_merged_headers,
)
from ingest_tui.extraction.workbooks.spreadsheetml import SpreadsheetmlReader
from ingest_tui.extraction.workbooks.xls import XlsReader
from ingest_tui.extraction.workbooks.xlsb import XlsbReader
from ingest_tui.extraction.workbooks.xlsx import XlsxReader
from ingest_tui.model.errors import ItemRejectedError, ProcessingError
from ingest_tui.model.extraction import MAX_FINDING_CHARACTERS, Element, Finding
from ingest_tui.model.foreign_errors import described, is_library_failure

_BROKEN = (*BROKEN_PART, struct.error)
_ALL_DIGITS = 16  # 15 and a point
_MALFORMED_HINT = "open it with its program and save it again"


class SheetReader(Protocol):
    """Reads what calamine leaves out. Made from the bytes of a workbook; raises `BROKEN_PART` or an `ItemError`."""

    sheets: list[SheetDescription]
    damage: str
    """Where it breaks off; empty where it does not, or where `read` finds out."""

    def read(self, name: str, *, everything: bool = False) -> Sheet:
        """Return what a sheet shows beyond its plain values; with ``everything`` all of its cells."""
        ...


_READERS: dict[str, Callable[[bytes], SheetReader]] = {"xlsx": XlsxReader, "xls": XlsReader, "xlsb": XlsbReader}
_WHOLE_READERS: dict[str, Callable[[bytes], SheetReader]] = {
    "ods": OpenDocumentReader,
    "fods": OpenDocumentReader,
    "spreadsheetml": SpreadsheetmlReader,
}
"""Of formats whose files say how a cell is shown: these need nothing of calamine."""


def parse(parse_input: ParseInput) -> Parsed:
    """Return every sheet that holds something under a heading ``## name``.

    Raises `ItemRejectedError` (``encrypted``, ``too_large``) and `ProcessingError` (``malformed``).
    """
    workbook = _Workbook(parse_input)
    parsed = Parsed("", pages=len(workbook.sheets), findings=check_sheets(workbook.sheets))
    parts: list[str] = []
    for described_sheet in workbook.sheets:
        rows, sheet = workbook.read(described_sheet)
        parse_input.tick()
        table = build_table(sheet.name, rows, parse_input.schema)
        around = describe_surroundings(sheet)
        if table is None and not around:
            continue
        parts.append(f"## {' '.join(sheet.name.split())}\n")
        if table is not None:
            parts.append(f"{table.markdown}\n")
            _add_table(parsed, table)
        if around:
            parts.append(f"{around}\n")
            parsed.elements.append(Element(around, {"category": "NarrativeText", "sheet": sheet.name}))
    workbook.close()
    if workbook.lost and not parts:
        raise ProcessingError(
            f"no sheet can be read: {workbook.lost[0].message}"[:300], code="malformed", hint=_MALFORMED_HINT
        )
    parsed.findings += [*workbook.lost, *check_formulas(parse_input.content, parse_input.format)]
    parsed.markdown = "\n".join(parts)
    return parsed


def _add_table(parsed: Parsed, table: Table) -> None:
    parsed.findings += [Finding(one.severity, one.code, f"{table.name}: {one.message}") for one in table.findings]
    parsed.columns.append(table.describe())
    parsed.elements.append(
        Element(
            table.markdown, {"category": "Table", "sheet": table.name, "columns": table.columns, "rows": table.rows}
        )
    )


class _Workbook:
    """A workbook as calamine reads it, with the plain reader of its format for what that leaves out or cannot read.

    ``lost`` says what is damaged.
    """

    def __init__(self, parse_input: ParseInput) -> None:
        self.lost: list[Finding] = []
        self._workbook: Any = None
        self._reader: SheetReader | None
        if parse_input.format.name in _WHOLE_READERS:
            self._reader = self._read_whole(parse_input)
            self.sheets: list[Any] = list(self._reader.sheets)
            return
        self._reader, broken = _open_reader(parse_input)
        try:
            self._workbook = _open(parse_input.content)
            self.sheets = list(self._workbook.sheets_metadata)
        except ProcessingError as error:
            if self._reader is None or not self._reader.sheets:
                raise (_malformed(broken) if broken else error) from error
            self.sheets = list(self._reader.sheets)
            self.lost.append(Finding("warning", "workbook_damaged", f"read without its library: {error}"))

    def _read_whole(self, parse_input: ParseInput) -> SheetReader:
        try:
            reader = _WHOLE_READERS[parse_input.format.name](parse_input.content)
        except BROKEN_PART as error:
            raise _malformed(error) from error
        if reader.damage:
            message = f"the sheets are read up to where they are damaged: {reader.damage}"[:MAX_FINDING_CHARACTERS]
            self.lost.append(Finding("error", "sheet_unreadable", message))
        return reader

    def read(self, sheet: Any) -> tuple[list[list[Any]], Sheet]:
        """Return the rows of a sheet, and what is written around them. Raises `ItemRejectedError` (``too_large``)."""
        name = sheet.name
        values = self._values(sheet) if self._workbook else None
        extras = self._extras(name, everything=values is None)
        if values is not None:
            rows, start = values
            overlay(rows, start, extras)
        else:
            rows, start = extras.rows(), extras.start()
        repeat_merged_headers(rows, start, extras.merged)
        return rows, extras

    def close(self) -> None:
        """Give the memory of the workbook back."""
        if self._workbook:
            self._workbook.close()

    def _extras(self, name: str, *, everything: bool) -> Sheet:
        if self._reader is None:
            return Sheet(name)
        try:
            return self._reader.read(name, everything=everything)
        except _BROKEN:
            return Sheet(name)

    def _values(self, sheet: Any) -> tuple[list[list[Any]], CellAddress] | None:
        """Return the rows that calamine reads and the place of the first cell; None where it cannot."""
        name = sheet.name
        try:
            values = self._workbook.get_sheet_by_name(name)
        except BaseException as error:
            if not is_library_failure(error):
                raise
            if holds_cells(sheet):  # charts and macro sheets have none
                message = f"the sheet {name[:60]!r} cannot be read: {described(error)}"[:MAX_FINDING_CHARACTERS]
                self.lost.append(Finding("error", "sheet_unreadable", message))
            return None
        check_size(name, values.total_height, values.total_width)
        rows: list[list[Any]] = values.to_python(skip_empty_area=True)
        for row in rows:
            for at, cell in enumerate(row):
                if type(cell) is float and not cell.is_integer():
                    row[at] = _as_shown(cell)
        return rows, values.start or (0, 0)


def _open_reader(parse_input: ParseInput) -> tuple[SheetReader | None, Exception | None]:
    make = _READERS.get(parse_input.format.name)
    try:
        return (make(parse_input.content) if make else None), None
    except (*_BROKEN, ItemRejectedError) as error:
        return None, error


def _open(content: bytes) -> Any:
    import python_calamine

    try:
        return python_calamine.CalamineWorkbook.from_filelike(BytesIO(content))
    except BaseException as error:
        if not is_library_failure(error):
            raise
        if isinstance(error, python_calamine.PasswordError) or "password" in str(error).lower():
            raise ItemRejectedError(
                "the workbook is protected by a password",
                code="encrypted",
                hint="remove the password and put the file in place again",
            ) from error
        raise _malformed(error) from error


def _malformed(error: BaseException) -> ProcessingError:
    return ProcessingError(
        f"the workbook cannot be read: {described(error)}"[:300], code="malformed", hint=_MALFORMED_HINT
    )


def _as_shown(number: float) -> str:
    """Return a number with the 15 digits that spreadsheet programs keep; the rest is noise of its binary form."""
    text = repr(number)
    return text if len(text) <= _ALL_DIGITS else f"{number:.15g}"
