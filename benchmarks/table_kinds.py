"""Tables of what is easily read wrongly: numbers of many digits, dates, durations, formats. Used by table_cells.py."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

# ruff: noqa: DTZ001 - the times of tables have no zone
TEXTS = (
    "007", "1e5", "NA", "a|b", "a\\|b", "two\nlines", "  spaces  ", "Zürich 東京 🦉", "=no formula", "TRUE", "1/2", "-",
)  # fmt: skip
NUMBERS = (
    0, -1, 1.5, 0.1 + 0.2, 123456789012345, 999999999999999, 1e15, 1e16, 1e20, 1.23456789012345e-7, 1e-300, -2.5e300,
    0.07, 1 / 3, 2**53,
)  # fmt: skip
SHOWN = (
    ("0%", 0.155), ("0.00%", 1 / 3), ("#,##0.00", 1234567.891), ('"$"#,##0.00', -12.5), ("#,##0 [$€-407]", 1234),
    ("0.00E+00", 12345.678), ("0.0", 2.25), ("00000", 42), ("(#,##0)", 5), ("# ?/?", 0.5), ("#,##0;(#,##0)", -5),
)  # fmt: skip
MOMENTS = (
    ("yyyy-mm-dd", dt.datetime(2024, 2, 29)), ("dd.mm.yyyy hh:mm", dt.datetime(1999, 12, 31, 23, 59)),
    ("mmm yy", dt.datetime(2000, 1, 1)), ("h:mm AM/PM", dt.time(13, 5)), ("hh:mm:ss", dt.time(0, 0, 1)),
    ("m/d/yy", dt.datetime(1900, 3, 1)), ("yyyy-mm-dd hh:mm:ss", dt.datetime(2024, 1, 1, 12, 30, 45)),
)  # fmt: skip
SPANS = (dt.timedelta(minutes=90), dt.timedelta(hours=26, seconds=5), dt.timedelta(days=10))


def write_kinds(folder: Path) -> Iterator[Path]:
    """Yield one file of each format."""
    for write, name in (
        (_openpyxl, "a.xlsx"),
        (_xlsxwriter, "b.xlsx"),
        (_xlwt, "a.xls"),
        (_odf, "a.ods"),
        (_arrow, "a.parquet"),
    ):
        write(folder / f"kinds-{name}")
        yield folder / f"kinds-{name}"
    yield folder / "kinds-a.feather"


def _rows() -> Iterator[tuple[str, Any, str]]:
    """Yield what each row holds: a name, a value, its format."""
    yield from (("text", text, "") for text in TEXTS)
    yield from (("number", number, "") for number in NUMBERS)
    yield from (("shown", number, code) for code, number in SHOWN)
    yield from (("moment", moment, code) for code, moment in MOMENTS)
    yield from (("span", span, "[h]:mm:ss") for span in SPANS)
    yield from (("truth", truth, "") for truth in (True, False))


def _openpyxl(path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["kind", "value", "more"])
    for row, (kind, value, code) in enumerate(_rows(), 2):
        sheet.cell(row, 1, kind)
        cell = sheet.cell(row, 2)
        if isinstance(value, str):
            cell.value, cell.data_type = value, "s"
        else:
            cell.value = value
        if code:
            cell.number_format = code
        sheet.cell(row, 3, f"x{row}")
    merged = book.create_sheet("Merged")
    for values in (
        ["Region", "2023", None, "2024", None],
        [None, "in", "out", "in", "out"],
        ["North", 1, 2, 3, 4],
        [None, 5, 6, 7, 8],
        ["South", 9, 1, 2, 3],
    ):
        merged.append(values)
    for reference in ("A1:A2", "B1:C1", "D1:E1", "A3:A4"):
        merged.merge_cells(reference)
    book.save(path)


def _xlsxwriter(path: Path) -> None:
    import xlsxwriter

    book = xlsxwriter.Workbook(path)
    for epoch, sheet in enumerate((book.add_worksheet("Values"), book.add_worksheet("Formulas"))):
        sheet.write_row(0, 0, ["kind", "value"])
        for row, (kind, value, code) in enumerate(_rows(), 1):
            style = book.add_format({"num_format": code}) if code else None
            sheet.write_string(row, 0, kind)
            if epoch and not isinstance(value, (str, bool, dt.date, dt.time, dt.timedelta)):
                sheet.write_formula(row, 1, "=1+1", style, value)
            elif isinstance(value, str):
                sheet.write_string(row, 1, value)
            else:
                sheet.write(row, 1, value, style)
    book.close()


def _xlwt(path: Path) -> None:
    import xlwt

    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("Values")
    sheet.write(0, 0, "kind")
    sheet.write(0, 1, "value")
    for row, (kind, value, code) in enumerate(_rows(), 1):
        sheet.write(row, 0, kind)
        days = value.total_seconds() / 86_400 if isinstance(value, dt.timedelta) else value
        sheet.write(row, 1, days, xlwt.easyxf(num_format_str=code) if code else xlwt.Style.default_style)
    book.save(str(path))


def _odf(path: Path) -> None:
    from odf import opendocument, table, text

    document = opendocument.OpenDocumentSpreadsheet()
    sheet = table.Table(name="Values")
    head = table.TableRow()
    for name in ("kind", "value"):
        cell = table.TableCell(valuetype="string")
        cell.addElement(text.P(text=name))
        head.addElement(cell)
    sheet.addElement(head)
    for kind, value, shown in _odf_rows():
        row = table.TableRow()
        first = table.TableCell(valuetype="string", numbercolumnsrepeated=1)
        first.addElement(text.P(text=kind))
        cell = table.TableCell(**value)
        for line in shown.split("\n") if shown else ():
            cell.addElement(text.P(text=line))
        row.addElement(first)
        row.addElement(cell)
        sheet.addElement(row)
    document.spreadsheet.addElement(sheet)
    document.save(str(path))


def _odf_rows() -> Iterator[tuple[str, dict[str, Any], str]]:
    for text in TEXTS:
        yield "text", {"valuetype": "string"}, text.strip()
    for number in NUMBERS:
        yield "number", {"valuetype": "float", "value": repr(number)}, ""
    yield "percent", {"valuetype": "percentage", "value": "0.155"}, "16%"
    yield "currency", {"valuetype": "currency", "value": "-12.5", "currency": "EUR"}, "-12.50 €"
    yield "date", {"valuetype": "date", "datevalue": "2024-02-29"}, "29.02.24"
    yield "moment", {"valuetype": "date", "datevalue": "2024-02-29T13:05:00"}, "29.02.24 13:05"
    yield "span", {"valuetype": "time", "timevalue": "PT26H00M05S"}, "26:00:05"
    yield "truth", {"valuetype": "boolean", "booleanvalue": "true"}, "TRUE"
    yield "truth", {"valuetype": "boolean", "booleanvalue": "false"}, ""


def _arrow(path: Path) -> None:
    import pyarrow as pa
    from pyarrow import feather, parquet

    moment = dt.datetime(2024, 2, 29, 13, 5, 7, 123456)
    columns = {
        "int8": pa.array([-128, None, 127], pa.int8()),
        "uint64": pa.array([2**64 - 1, None, 0], pa.uint64()),
        "int64": pa.array([-(2**63), None, 2**53 + 1], pa.int64()),
        "float32": pa.array([0.1, None, 16777216], pa.float32()),
        "float64": pa.array([0.1 + 0.2, None, 5e-324], pa.float64()),
        "decimal": pa.array([Decimal("12345678901234567890.123"), None, Decimal("-0.001")], pa.decimal128(38, 3)),
        "large decimal": pa.array([Decimal(10**60), None, Decimal(1)], pa.decimal256(70, 0)),
        "day": pa.array([dt.date(1, 1, 1), None, dt.date(9999, 12, 31)], pa.date32()),
        "seconds": pa.array([moment.replace(microsecond=0), None, dt.datetime(1900, 1, 1)], pa.timestamp("s")),
        "micros": pa.array([moment, None, dt.datetime(1600, 1, 1)], pa.timestamp("us")),
        "zoned": pa.array([moment, None, dt.datetime(2024, 7, 1)], pa.timestamp("us", tz="Europe/Berlin")),
        "clock": pa.array([dt.time(13, 5), None, dt.time(0, 0, 1)], pa.time32("s")),
        "span": pa.array([dt.timedelta(hours=26), None, dt.timedelta(seconds=-1)], pa.duration("s")),
        "truth": pa.array([True, None, False]),
        "text": pa.array(["a|b", None, "007"]),
        "large text": pa.array(["x" * 99, None, "NA"], pa.large_string()),
        "choice": pa.array(["red", None, "red"]).dictionary_encode(),
        "bytes": pa.array([b"\0\1", None, b""], pa.binary()),
        "list": pa.array([[1, 2], None, []], pa.list_(pa.int64())),
        "struct": pa.array([{"a": 1, "b": "x"}, None, {"a": 2, "b": None}]),
        "none": pa.nulls(3),
    }
    table = pa.table(columns)
    parquet.write_table(table, path)
    feather.write_feather(table, str(path.with_suffix(".feather")))
