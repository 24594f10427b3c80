"""Values of tables with types are kept to the last digit."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest

from ingest_tui.extraction.parse import extract
from ingest_tui.extraction.tables.table import format_cell


def cells(arrays: dict[str, Any], form: str) -> list[list[str]]:
    """Return the cells of a table that pyarrow wrote in a form, as they are read, without the names."""
    import pyarrow as pa
    from pyarrow import feather, orc, parquet

    write = {"parquet": parquet.write_table, "feather": feather.write_feather, "orc": orc.write_table}[form]
    file = BytesIO()
    write(pa.table(arrays), file)
    lines = extract(file.getvalue(), file_name=f"a.{form}").markdown.strip().split("\n")[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize("form", ["parquet", "feather", "orc"])
def test_nanoseconds_are_kept(form: str) -> None:
    """A time with nanoseconds, which no type of Python holds, does not cost the file, and keeps its digits."""
    import pyarrow as pa

    arrays = {"at": pa.array([1_700_000_000_123_456_789, None, 1], pa.timestamp("ns"))}
    read = ["2023-11-14 22:13:20.123456789", "1970-01-01 00:00:00.000000001"]
    assert cells({**arrays, "n": pa.array([1, 2, 3])}, form) == [[read[0], "1"], ["", "2"], [read[1], "3"]]


@pytest.mark.parametrize("form", ["parquet", "feather", "orc"])
def test_numbers_keep_their_digits(form: str) -> None:
    """Large integers and decimals have all of their digits, small floats none that they do not have."""
    import pyarrow as pa

    arrays = {
        "big": pa.array([2**63 - 1, 9_007_199_254_740_993]),
        "small": pa.array([0.1, 2], pa.float32()),
        "sum": pa.array([Decimal("1E-10"), Decimal("12345678901234567890.5")], pa.decimal128(38, 10)),
    }
    assert cells(arrays, form) == [
        ["9223372036854775807", "0.1", "0.0000000001"],
        ["9007199254740993", "2", "12345678901234567890.5000000000"],
    ]


@pytest.mark.parametrize("form", ["parquet", "feather"])
def test_days_beyond_the_calendar_cost_nothing_else(form: str) -> None:
    """A date that no calendar of Python has is shown as what it is, and the other cells are read."""
    import pyarrow as pa

    arrays = {"day": pa.array([2**30], pa.date32()), "span": pa.array([90_000_000_001], pa.duration("ns"))}
    assert cells({**arrays, "n": pa.array([1])}, form) == [["<value out of range: 1073741824>", "90000000001 ns", "1"]]


@pytest.mark.parametrize(("value", "shown"), [("1E+3", "1000"), ("-0.00", "-0.00"), ("1E+9999", "1E+9999")])
def test_decimals_are_written_out(value: str, shown: str) -> None:
    """A decimal has no exponent, but where that would be thousands of zeros."""
    assert format_cell(Decimal(value)) == shown


@pytest.mark.parametrize(
    ("span", "shown"),
    [
        (timedelta(hours=26, seconds=5), "26:00:05"),
        (timedelta(minutes=90), "1:30:00"),
        (timedelta(seconds=-1), "-0:00:01"),
        (timedelta(days=-1, microseconds=1500), "-23:59:59.9985"),
        (timedelta(days=10), "240:00:00"),
        (timedelta(), "0:00:00"),
    ],
)
def test_spans_of_time_are_shown_in_hours(span: timedelta, shown: str) -> None:
    """As a spreadsheet shows elapsed time, however long; one below zero has its sign in front."""
    assert format_cell(span) == shown


def test_whole_numbers_have_no_point() -> None:
    """Numbers of a spreadsheet that are whole are shown so, also where not each of them can be told from the next."""
    assert [format_cell(value) for value in (9_007_199_254_740_992.0, -1e15, 1e22)] == [
        "9007199254740992", "-1000000000000000", "1e+22"
    ]  # fmt: skip


def test_files_that_differ_in_rows_that_are_not_kept_are_different(monkeypatch: pytest.MonkeyPatch) -> None:
    """The text says how many rows are missing in it, with the hash of the file: two files stay two documents."""
    import pyarrow as pa
    from pyarrow import parquet

    monkeypatch.setattr("ingest_tui.extraction.backends.columnar._MAX_ROWS", 100)
    texts = []
    for last in (1, 2):
        file = BytesIO()
        parquet.write_table(pa.table({"a": [0] * 4999 + [last]}), file)
        texts.append(extract(file.getvalue(), file_name="a.parquet").markdown)
    assert "(3,000 more rows are not in this text; SHA-256 " in texts[0]
    assert texts[0] != texts[1]
