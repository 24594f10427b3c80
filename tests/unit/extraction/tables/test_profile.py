"""What is known of the columns of a table."""

from __future__ import annotations

from typing import Any

import pytest

from ingest_tui.extraction.tables.delimited import read_csv
from ingest_tui.extraction.tables.profile import MOST_DISTINCT, TableProfile
from ingest_tui.extraction.tables.table import build_table
from ingest_tui.extraction.tables.value_types import ColumnType, type_of, unusual


def column_of(*cells: str) -> dict[str, Any]:
    profile = TableProfile()
    profile.add([[cell, "x"] for cell in cells])
    return profile.describe(0, "a")


@pytest.mark.parametrize(
    ("kind", "odd"),
    [
        ("integer", ["1-", "01", "1 2", "12a"]),
        ("number", ["552..1", "1.2.3", "-3.-1", "1.", "7-"]),
        ("date", ["1211/1/2-", "2024-13-01", "2024-02-2929"]),
        ("boolean", ["truefalse", "falsetrue"]),
    ],
)
def test_what_no_value_of_a_type_looks_like_is_seen_among_many(kind: ColumnType, odd: list[str]) -> None:
    """Many values are compared at once, with blanks between them."""
    usual = {"integer": "12", "number": "-1.5", "date": "2024-02-29", "boolean": "true"}[kind]
    assert unusual([usual, "", usual], kind) == []
    for one in odd:
        assert unusual([usual, one, usual], kind) == [one]


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        ("0 -7 12345678901234567890123", "integer"),
        ("1.5 .5 -3e10 1,234.50 1.234,56 12% €5 0,5", "number"),
        ("007 1.2.3 a 12a 2024-13-01 31.02.24 +49 1-2 25:00", "string"),
        ("2024-02-29 29.02.2024 2/29/2024 2024/2/9", "date"),
        ("2024-02-29T12:00 2024-02-29T12:00:00.123456789Z 2024-02-29T12:00:00+01:00", "datetime"),
        ("12:30 9:05 23:59:59.5", "time"),
        ("true FALSE", "boolean"),
    ],
)
def test_types_by_the_form_of_a_text(texts: str, kind: str) -> None:
    """Numbers of any size and custom, days and times have their type; identifiers with zeros in front are texts."""
    assert {text: type_of(text) for text in texts.split() if text != "+49"} == dict.fromkeys(
        (text for text in texts.split() if text != "+49"), kind
    )


def test_a_column_is_described() -> None:
    """Type, share of empty cells, distinct values and examples are those of all rows."""
    assert column_of("1", "2.5", "", "2.5") == {
        "name": "a", "type": "number", "nulls": 1, "null_share": 0.25, "distinct": 2, "distinct_is_exact": True,
        "samples": ["1", "2.5"],
    }  # fmt: skip


def test_marks_of_absence_count_where_values_are_no_texts() -> None:
    """NA is no value among numbers, and a value among texts."""
    numbers, texts = column_of("1", "NA", "n/a", "NA", "2"), column_of("NA", "DE", "NA", "x")
    assert [numbers[name] for name in ("type", "nulls", "distinct")] == ["integer", 3, 2]
    assert [texts[name] for name in ("type", "nulls", "distinct")] == ["string", 0, 3]


def test_marks_of_absence_before_the_first_value_are_counted() -> None:
    """Marks above the first number are no values either, and no samples."""
    known = column_of("NA", "", "-", "1", "NA", "2.5")
    assert [known[name] for name in ("type", "nulls", "distinct", "samples")] == ["number", 4, 2, ["1", "2.5"]]


@pytest.mark.parametrize("odd", ["", "a|b", "a\\|b", "two\nlines", "two\rlines"])
@pytest.mark.parametrize("is_last_filled", [True, False])
def test_rows_are_the_same_lines_with_whatever_is_among_them(odd: str, *, is_last_filled: bool) -> None:
    """What one cell needs, or one that is missing, changes no other row of a table."""
    usual = [["x", "y", "z"]] * 3
    table = build_table("", [["a", "b", "c"], *usual, ["x", odd, "z" if is_last_filled else ""], *usual])
    assert table is not None
    shown = odd.replace("\\", r"\\").replace("|", r"\|").replace("\n", " ").replace("\r", " ")
    line = f"| x | {shown} | {'z' if is_last_filled else ''} |"
    assert table.markdown.split("\n")[2:] == ["| x | y | z |"] * 3 + [line] + ["| x | y | z |"] * 3


def test_many_distinct_values_are_not_all_kept() -> None:
    """Beyond a limit the number of distinct values is a lower bound, and says so."""
    profile = TableProfile()
    for start in range(0, MOST_DISTINCT * 2, 1000):
        profile.add([[str(number)] for number in range(start, start + 1000)])
    known = profile.describe(0, "a")
    assert (known["distinct"], known["distinct_is_exact"], profile.rows) == (MOST_DISTINCT, False, MOST_DISTINCT * 2)


def test_long_values_are_distinguished_and_shown_short() -> None:
    """Values that differ beyond what is kept of them are two, and a sample is a short text of one line."""
    known = column_of("x" * 5000 + "\ny", "x" * 5000 + "\nz")
    assert (known["distinct"], [len(one) for one in known["samples"]]) == (2, [80, 80])


def test_columns_that_come_late_are_empty_before() -> None:
    """A cell beyond the others makes a column that is empty in the rows above."""
    profile = TableProfile()
    profile.add([["1"]] * 3)
    profile.add([["1", "late"]])
    assert (profile.describe(1, "b")["nulls"], profile.width) == (3, 2)


def test_rows_beyond_the_limit_are_counted() -> None:
    """A table that is too long for its text says so there and in a finding; its types and counts are of all rows."""
    rows = [["n"], *([str(number)] for number in range(2500))]
    table, other = (build_table("t", [*rows, [last]], most_characters=100) for last in ("7", "8"))
    assert table is not None
    assert other is not None
    assert (table.rows, table.fields[0]["distinct"], table.markdown.count("\n")) == (2501, 2500, 1003)
    assert [one.code for one in table.findings] == ["rows_cut"]
    assert table.markdown != other.markdown, "what is left out differs, so these are different documents"


def test_tables_of_texts_have_their_fields() -> None:
    """A CSV has one entry for each named column."""
    table = read_csv("id;sum\n1;2,5\n2;3\n")
    assert table is not None
    assert [(one["name"], one["type"]) for one in table.describe()["fields"]] == [("id", "integer"), ("sum", "number")]


def test_columns_with_more_values_than_are_counted_keep_their_types() -> None:
    """Beyond the values that are counted, blanks and marks still count as absent, and a text still changes the type."""
    profile = TableProfile()
    numbers = [[str(number), str(number)] for number in range(MOST_DISTINCT + 1)]
    profile.add(numbers, longest=12)
    profile.add([["", ""], ["NA", "1.5"], ["", "7"]], longest=12)
    first, second = profile.describe(0, "a"), profile.describe(1, "b")
    assert (first["type"], first["nulls"], first["distinct_is_exact"]) == ("integer", 3, False)
    assert (second["type"], second["nulls"], second["distinct"]) == ("number", 1, MOST_DISTINCT)
    profile.add([["1\n2", "x"]], longest=12)
    assert [profile.describe(at, "")["type"] for at in (0, 1)] == ["string", "string"]
