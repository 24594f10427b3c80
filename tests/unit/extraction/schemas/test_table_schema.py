"""Table Schema: columns, types and constraints."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingest_tui.extraction.parse import extract
from ingest_tui.extraction.schemas.json_schema import UnusableSchemaError
from ingest_tui.extraction.schemas.schema_check import SchemaCheck
from ingest_tui.extraction.schemas.schema_file import load_schema
from tests.made_tables import sqlite_of


def violations(text: str, *fields: dict[str, Any], name: str = "a.csv", **schema: Any) -> list[str]:
    """Return what in a table does not follow the schema of these fields."""
    check = SchemaCheck(json.dumps({"fields": fields, **schema}), rejects=False)
    found = extract(text.encode(), file_name=name, schema=check).validation
    return [one.message for one in found if one.code == "schema_violation"]


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ({"type": "integer"}, ["1", "-20", "007"], ["1.5", "x", "1,000", "٣"]),
        ({"type": "integer", "groupChar": ","}, ["1,000"], ["1;000"]),
        ({"type": "integer", "bareNumber": False}, ["$12", "12%"], ["twelve"]),
        ({"type": "number"}, ["1", "-2.5", "1e3", ".5", "NaN", "-INF"], ["1,5", "1.2.3", """ 1 2 """, "0x10"]),
        ({"type": "number", "decimalChar": ",", "groupChar": "."}, ["1.234,5"], ["1,2,3"]),
        ({"type": "boolean"}, ["true", "False", "1"], ["yes", "tRUE"]),
        ({"type": "boolean", "trueValues": ["ja"], "falseValues": ["nein"]}, ["ja", "nein"], ["true"]),
        ({"type": "date"}, ["2026-02-28"], ["2026-02-30", "28.02.2026", "2026-02-28T10:00:00"]),
        ({"type": "date", "format": "%d.%m.%Y"}, ["28.02.2026"], ["2026-02-28"]),
        ({"type": "time"}, ["10:30:00"], ["25:00:00"]),
        ({"type": "datetime"}, ["2026-02-28T10:00:00Z", "2026-02-28 10:00:00"], ["2026-02-28", "now"]),
        ({"type": "year"}, ["2026"], ["26"]),
        ({"type": "yearmonth"}, ["2026-02"], ["2026-13"]),
        ({"type": "duration"}, ["P1Y2M", "PT3H"], ["P", "1h"]),
        ({"type": "object"}, ['{"a": 1}'], ["[1]", "a"]),
        ({"type": "array"}, ["[1]"], ['{"a": 1}']),
        ({"type": "list", "delimiter": ";", "itemType": "integer"}, ["1;2"], ["1;x"]),
        ({"type": "geopoint"}, ["7.5, 47.6"], ["200, 0", "7.5"]),
        ({"type": "string", "format": "email"}, ["a@example.org"], ["a"]),
        ({"type": "string", "format": "uri"}, ["https://example.org"], ["example"]),
        ({"type": "string", "format": "uuid"}, ["6ba7b810-9dad-11d1-80b4-00c04fd430c8"], ["6ba7"]),
        ({"type": "string", "format": "binary"}, ["YQ=="], ["a"]),
        ({"type": "any"}, ["x"], []),
        ({"constraints": {"minLength": 2, "maxLength": 3}}, ["ab"], ["a", "abcd"]),
        ({"constraints": {"pattern": "[a-c]+"}}, ["abc"], ["abcd"]),
        ({"constraints": {"enum": ["red", "blue"]}}, ["red"], ["green"]),
        ({"type": "integer", "constraints": {"enum": [1, "2"]}}, ["01", "2"], ["3"]),
        ({"type": "number", "constraints": {"minimum": 1, "maximum": "2"}}, ["1.0", "2"], ["0.9", "2.1", "NaN"]),
        ({"type": "integer", "constraints": {"exclusiveMinimum": 1, "exclusiveMaximum": 3}}, ["2"], ["1", "3"]),
        ({"type": "date", "constraints": {"minimum": "2026-01-01"}}, ["2026-01-01"], ["2025-12-31"]),
        ({"type": "integer", "missingValues": ["-"]}, ["-", "1"], ["n/a"]),
    ],
)
def test_each_type_takes_its_values_and_no_others(field: dict[str, Any], good: list[str], bad: list[str]) -> None:
    """What a type or a constraint allows passes; what it does not is named with its row and column."""
    rows = "\n".join('"' + value.replace('"', '""') + '",x' for value in [*good, *bad])
    found = violations(f"value,more\n{rows}\n", {"name": "value", **field}, {"name": "more"})
    assert [one.partition(":")[0] for one in found if "NaN" not in one] == [
        f"row {row}, column 'value'" for row, value in enumerate(bad, len(good) + 1) if value != "NaN"
    ]


def test_a_violation_says_what_is_wrong() -> None:
    """A message has the row, the column, the value and the rule."""
    fields: list[dict[str, Any]] = [
        {"name": "id", "type": "integer", "constraints": {"unique": True}},
        {"name": "age", "type": "integer", "constraints": {"maximum": 120}},
        {"name": "mail", "format": "email", "constraints": {"required": True}},
    ]
    assert violations("id,age,mail\n1,30,a@b.c\n1,old,me\n2,200,\n", *fields) == [
        "row 2, column 'id': '1' is not unique",
        "row 2, column 'age': 'old' is not an integer",
        "row 2, column 'mail': 'me' is not an email",
        "row 3, column 'age': '200' is more than 120",
        "row 3, column 'mail': a value is required",
    ]


@pytest.mark.parametrize(
    ("match", "header", "expected"),
    [
        ("exact", "a,b", []),
        ("exact", "b,a", ["header: the columns are in another order than 'a', 'b'"]),
        ("exact", "a,c", ["header: no column 'b'", "header: the schema has no column 'c'"]),
        ("equal", "b,a", []),
        ("subset", "c,b,a", []),
        ("subset", "c,a", ["header: no column 'b'"]),
        ("superset", "b,b", []),
        ("superset", "a,c", ["header: the schema has no column 'c'"]),
        ("partial", "c,a", []),
        ("partial", "c,d", ["header: none of the columns 'a', 'b'"]),
        (["equal"], "b,a", []),
    ],
)
def test_columns_are_matched_as_the_schema_says(match: Any, header: str, expected: list[str]) -> None:
    """``fieldsMatch`` decides which columns may be missing or more, and whether their order counts."""
    assert violations(f"{header}\n1,1,1\n"[: len(header) + 5] + "\n", {"name": "a"}, {"name": "b"}, fieldsMatch=match) \
        == expected  # fmt: skip


def test_a_primary_key_is_there_once() -> None:
    """The columns of a primary key hold a value in each row, together no other row has."""
    fields = {"name": "a"}, {"name": "b"}
    assert violations("a,b\n1,1\n1,2\n1,1\n2,\n", *fields, primaryKey=["a", "b"]) == [
        "row 3: the primary key '1, 1' is not unique",
        "row 4: the primary key '2, ' is missing",
    ]


def test_typed_cells_are_checked_by_their_values() -> None:
    """Numbers and days of databases and workbooks pass in the form in which they are shown."""
    content = sqlite_of(
        "CREATE TABLE things (amount REAL, day TEXT)", "INSERT INTO things VALUES (2.0, '2026-01-31')",
        "INSERT INTO things VALUES ('many', '2026-01-31')",
    )  # fmt: skip
    schema = {"fields": [{"name": "amount", "type": "number"}, {"name": "day", "type": "datetime"}]}
    found = extract(content, file_name="a.db", schema=SchemaCheck(json.dumps(schema), rejects=False)).validation
    assert [one.message for one in found] == ["things, row 2, column 'amount': 'many' is not a number"]


def test_shown_numbers_may_have_groups_and_units() -> None:
    """A cell of a workbook that shows 1,234.50 € is a number, one of a CSV file is not."""
    check = SchemaCheck('{"fields": [{"name": "n", "type": "number"}]}', rejects=False)
    check.table("", {0: "n"}, [["1,234.50 €"], ["12%"], ["-3"], ["some"]], as_shown=True)
    assert [one.message for one in check.findings()] == ["row 4, column 'n': 'some' is not a number"]
    assert violations("n,m\n1 €,\n", {"name": "n", "type": "number"}, fieldsMatch="subset")


def test_findings_are_bounded() -> None:
    """A table that is all wrong has twenty violations in words, and the number of the others."""
    found = violations("n,m\n" + "x,y\n" * 300, {"name": "n", "type": "integer"}, {"name": "m"})
    assert len(found) == 21
    assert found[-1] == "280 more violations of the schema"


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"fields": []}, "it has no fields"),
        ({"fields": ["a"]}, "field 1 has no name"),
        ({"fields": [{"name": "a", "type": "long"}]}, "field 'a': no type is called 'long'; known: string,"),
        ({"fields": [{"name": "a"}, {"name": "a"}]}, "two of its fields have the same name"),
        ({"fields": [{"name": "a"}], "primaryKey": "b"}, "its primaryKey names no field"),
        ({"fields": [{"name": "a"}], "fieldsMatch": "most"}, "fieldsMatch is one of exact,"),
        ({"fields": [{"name": "a", "constraints": {"pattern": "["}}]}, "field 'a': unterminated character set"),
        ({"fields": [{"name": "a", "constraints": {"minimum": 1}}]}, "field 'a': minimum is for date,"),
        ({"fields": [{"name": "a", "constraints": []}]}, "field 'a' is damaged"),
        (
            {"fields": [{"name": "a", "type": "integer", "constraints": {"maximum": "x"}}]},
            "field 'a': maximum 'x' is no",
        ),
    ],
)
def test_an_unusable_schema_says_why(schema: dict[str, Any], why: str) -> None:
    """A schema that cannot check a table is refused with its reason."""
    with pytest.raises(UnusableSchemaError, match="^" + why.replace("[", r"\[")):
        load_schema(json.dumps(schema))
