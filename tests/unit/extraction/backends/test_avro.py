"""Files of Avro are tables."""

from __future__ import annotations

from typing import Any

import pytest

from ingest_tui.extraction.parse import extract, extract_text
from ingest_tui.model.errors import ProcessingError
from tests.made_books import avro_of

FRUIT = {
    "type": "record",
    "name": "Fruit",
    "fields": [
        {"name": "name", "type": "string"},
        {"name": "amount", "type": ["null", "long"]},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
    ],
}


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "xz", "snappy", "zstandard", "lz4"])
def test_avro_is_a_table_in_each_compression(codec: str) -> None:
    """Names, numbers, days and what is null are cells, however the blocks are compressed."""
    from datetime import date

    rows = [
        {"name": "apples", "amount": 12, "day": date(2026, 1, 31)},
        {"name": "x", "amount": None, "day": date(2026, 2, 1)},
    ]
    read = extract(avro_of(FRUIT, rows, codec), file_name="a.avro")
    assert read.markdown.splitlines()[2:] == ["| apples | 12 | 2026-01-31 |", "| x |  | 2026-02-01 |"]
    assert (read.columns[0]["columns"], read.columns[0]["rows"]) == (["name", "amount", "day"], 2)


@pytest.mark.parametrize(
    ("schema", "records"), [("string", ["apples", "pears"]), ({"type": "array", "items": "int"}, [[1]])]
)
def test_avro_of_plain_values_is_a_table_of_one_column(schema: Any, records: list[Any]) -> None:
    """A file of values that are no records has one column."""
    assert extract_text(avro_of(schema, records), ".avro").startswith("| value |")


def test_a_damaged_avro_file_keeps_its_beginning() -> None:
    """Records before the damage are kept with a finding; a file without any is an error."""
    rows = [{"name": f"fruit{number}", "amount": number, "day": 0} for number in range(5000)]
    content = avro_of(FRUIT, rows)
    read = extract(content[: len(content) * 2 // 3], file_name="a.avro")
    assert read.validation[0].code == "records_missing"
    with pytest.raises(ProcessingError, match="the Avro file cannot be read"):
        extract(content[:100], file_name="a.avro")
