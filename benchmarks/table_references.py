"""What other readers find in the cells of a table, and whether a text is what they found. Used by table_cells.py."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

NUMBER = re.compile(r"[-+]?[0-9][0-9,]*(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|[-+]?\.[0-9]+")
PLAIN = ("", "General", "@", "General ")


@dataclass(frozen=True, slots=True)
class Cell:
    """A value as a reference has it; ``format`` is how the file says that it is shown."""

    value: Any
    format: str = ""
    is_exact: bool = False
    """Whether the file keeps more of a number than the 15 digits of spreadsheets."""

    @property
    def text(self) -> str:
        return "" if self.value is None else str(self.value)


Sheets = dict[str, list[list[Cell]]]


def reference_sheets(content: bytes, form: str) -> Sheets:
    """Return the cells of each sheet; a format with one table has it under no name."""
    return READERS[form](content)


# --- Is it the same? --------------------------------------------------------------------------------------------------


def difference(cell: Cell, text: str) -> str:
    """Return the kind of difference between a value and a text; nothing where they are the same."""
    value = cell.value
    if value is None or (isinstance(value, str) and not value.strip()):
        return "" if not text else "not blank"
    if isinstance(value, bool):
        return "" if text.lower() == str(value).lower() else "boolean"
    if isinstance(value, (int, float, Decimal)):
        return _number(cell, text)
    if isinstance(value, (dt.datetime, dt.date, dt.time, dt.timedelta)):
        return _time(value, text)
    return "" if _one_line(str(value)) == _one_line(text) else "text"


def _one_line(text: str) -> str:
    return " ".join(text.replace("\0", "").split())


def _number(cell: Cell, text: str) -> str:
    value = cell.value
    if cell.format.startswith("shown "):
        return "" if text == _one_line(cell.format[6:]) and _is_shown_as(value, "0", text) else "number"
    if cell.format not in PLAIN:
        return "" if _is_shown_as(value, cell.format, text) else "formatted number"
    try:
        found = Decimal(text)
    except InvalidOperation:
        return "" if str(value).lower() in ("nan", "inf", "-inf") and text == str(value) else "number"
    if isinstance(value, int) or cell.is_exact:
        same = found == value if isinstance(value, (int, Decimal)) else float(found) == value
    else:
        same = float(found) == value or f"{found:.15g}" == f"{value:.15g}" or float(found) == float(f"{value:.15g}")
    return "" if same and not text.endswith(".0") else "number"


def _is_shown_as(value: float, code: str, text: str) -> bool:
    """Whether a text shows a number to its last place: of a percentage, with thousands, in parentheses."""
    match = NUMBER.search(text)
    if match is None:
        return not NUMBER.search(code) and "#" not in code  # a format without places shows words
    shown = match[0].replace(",", "")
    mantissa = shown.lower().partition("e")
    places = len(mantissa[0].partition(".")[2]) - int(mantissa[2] or 0)
    scaled = abs(value) * (100 if "%" in text else 1)
    tolerance = 0.5 * 10.0**-places * (1 + 1e-9) + abs(scaled) * 1e-14
    if "/" in text:
        return True
    return abs(abs(float(shown)) - scaled) <= tolerance and (
        value >= 0 or "-" in text or "(" in text or float(shown) == 0
    )


def _time(value: Any, text: str) -> str:
    """Compare times to the second; the text has the form of ISO 8601, and no clock at midnight."""
    if isinstance(value, dt.timedelta):
        return "" if text in _spans(round(value.total_seconds())) else "duration"
    kind: Any = dt.datetime if isinstance(value, dt.datetime) else type(value)
    try:
        found = kind.fromisoformat(text)
    except ValueError:
        return kind.__name__
    if kind is dt.datetime:
        is_as_short = value.time() != dt.time() or len(text) == 10
        same = is_as_short and abs((found.replace(tzinfo=None) - value.replace(tzinfo=None)).total_seconds()) < 0.51
    elif kind is dt.time:
        same = abs(_seconds(found) - _seconds(value)) <= 1
    else:
        same = found == value
    return "" if same else kind.__name__


def _seconds(clock: dt.time) -> int:
    return clock.hour * 3600 + clock.minute * 60 + clock.second


def _spans(seconds: int) -> set[str]:
    hours, rest = divmod(abs(seconds), 3600)
    sign, clock = "-" if seconds < 0 else "", f"{rest // 60:02d}:{rest % 60:02d}"
    return {f"{sign}{hours}:{clock}", f"{sign}{hours:02d}:{clock}"}


# --- The readers ------------------------------------------------------------------------------------------------------


def _csv_cells(content: bytes) -> Sheets:
    from ingest_tui.extraction.intake.decoding import decode_text
    from ingest_tui.extraction.tables.delimited import find_delimiter, find_quote

    text, _encoding, _findings = decode_text(content)
    delimiter = find_delimiter(text)
    quote = find_quote(text, delimiter)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote)
    return {"": [[Cell(cell) for cell in row] for row in rows]}


def _tsv_cells(content: bytes) -> Sheets:
    rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter="\t")
    return {"": [[Cell(cell) for cell in row] for row in rows]}


def _xlsx_cells(content: bytes) -> Sheets:
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    return {
        sheet.title: [[Cell(cell.value, _code(cell)) for cell in row] for row in sheet.iter_rows()]
        for sheet in book.worksheets
    }


def _code(cell: Any) -> str:
    return cell.number_format or ""


def _xls_cells(content: bytes) -> Sheets:
    import xlrd

    book = xlrd.open_workbook(file_contents=content, formatting_info=True, logfile=io.StringIO())
    return {
        sheet.name: [[_xls_cell(book, cell) for cell in sheet.row(row)] for row in range(sheet.nrows)]
        for sheet in book.sheets()
    }


def _xls_cell(book: Any, cell: Any) -> Cell:
    import xlrd

    code = book.format_map[book.xf_list[cell.xf_index].format_key].format_str if cell.xf_index is not None else ""
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return Cell(xlrd.error_text_from_code[cell.value])
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return Cell(bool(cell.value))
    if cell.ctype == xlrd.XL_CELL_DATE:
        if "[h" in code.lower():
            return Cell(dt.timedelta(days=cell.value))
        moment = xlrd.xldate_as_datetime(cell.value, book.datemode)
        return Cell(moment.time() if cell.value < 1 else moment)
    if cell.ctype == xlrd.XL_CELL_NUMBER:
        return Cell(int(cell.value) if abs(cell.value) < 2**53 and cell.value.is_integer() else cell.value, code)
    return Cell(cell.value or None)


def _xlsb_cells(content: bytes) -> Sheets:
    import pyxlsb2

    sheets: Sheets = {}
    with pyxlsb2.open_workbook(io.BytesIO(content)) as book:
        for found in book.sheets:
            with book.get_sheet_by_name(found.name) as sheet:
                sheets[found.name] = [[_xlsb_cell(cell) for cell in row] for row in sheet]
    return sheets


def _xlsb_cell(cell: Any) -> Cell:
    value = cell.value
    if not isinstance(value, float):
        return Cell(value)
    shown_as = cell.row.sheet.workbook.styles._get_format(cell.style_id)  # noqa: SLF001 it has no public name
    if shown_as.code and shown_as.is_date_format:
        return Cell(cell.date_value)
    return Cell(int(value) if value.is_integer() and abs(value) < 2**53 else value, shown_as.code or "")


def _ods_cells(content: bytes) -> Sheets:
    from odf import opendocument, table

    document = opendocument.load(io.BytesIO(content))
    sheets: Sheets = {}
    for sheet in document.spreadsheet.getElementsByType(table.Table):
        rows: list[list[Cell]] = []
        for row in sheet.getElementsByType(table.TableRow):
            cells: list[Cell] = []
            for node in row.childNodes:
                if getattr(node, "qname", ("", ""))[1] in ("table-cell", "covered-table-cell"):
                    cell = _ods_cell(node)
                    repeats = int(node.getAttribute("numbercolumnsrepeated") or 1)
                    cells += [cell] * (repeats if cell.value is not None or repeats < 1000 else 1)
            repeats = int(row.getAttribute("numberrowsrepeated") or 1)
            rows += [cells] * (repeats if any(one.value is not None for one in cells) else 1)
        sheets[sheet.getAttribute("name")] = rows
    return sheets


def _ods_cell(node: Any) -> Cell:
    kind = node.getAttribute("valuetype")
    text = "\n".join(str(child) for child in node.childNodes if getattr(child, "qname", ("", ""))[1] == "p")
    if kind in ("float", "percentage", "currency"):
        value = float(node.getAttribute("value"))
        return Cell(int(value) if abs(value) < 2**53 and value.is_integer() else value, f"shown {text}" if text else "")
    if kind == "date":
        stamp = str(node.getAttribute("datevalue"))
        return Cell(dt.datetime.fromisoformat(stamp) if "T" in stamp else dt.date.fromisoformat(stamp))
    if kind == "boolean":
        return Cell(str(node.getAttribute("booleanvalue")).lower() == "true")
    return Cell(text or None)


def _parquet_cells(content: bytes) -> Sheets:
    from pyarrow import parquet

    return _arrow_cells(parquet.read_table(io.BytesIO(content)))


def _feather_cells(content: bytes) -> Sheets:
    from pyarrow import feather

    return _arrow_cells(feather.read_table(io.BytesIO(content)))


def _arrow_cells(table: Any) -> Sheets:
    import pyarrow as pa

    columns = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        kind = column.type
        if pa.types.is_float32(kind) or pa.types.is_float16(kind):
            numbers = column.to_numpy(zero_copy_only=False)
            texts = [str(one) for one in numbers.astype("float32" if pa.types.is_float32(kind) else "float16")]
            cells = [Cell(None if text == "nan" else float(text), is_exact=True) for text in texts]
        elif "[ns" in str(kind) or (pa.types.is_timestamp(kind) and kind.unit == "ns"):
            cells = [
                Cell(None if one is None else one.replace(" 00:00:00.000000000", ""))
                for one in column.cast(pa.string()).to_pylist()
            ]
        elif pa.types.is_binary(kind):
            cells = [Cell(None if one is None else f"({len(one)} bytes)") for one in column.to_pylist()]
        else:
            cells = [Cell(one, is_exact=True) for one in column.to_pylist()]
        columns.append([Cell(str(name)), *cells])
    return {"": [list(row) for row in zip(*columns, strict=True)]}


READERS: dict[str, Callable[[bytes], Sheets]] = {
    "csv": _csv_cells,
    "tsv": _tsv_cells,
    "xlsx": _xlsx_cells,
    "xls": _xls_cells,
    "xlsb": _xlsb_cells,
    "ods": _ods_cells,
    "parquet": _parquet_cells,
    "feather": _feather_cells,
}
