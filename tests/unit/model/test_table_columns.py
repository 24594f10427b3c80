"""Names of the columns of a table."""

from __future__ import annotations

from ingest_tui.model.table_columns import name_columns


def test_columns_get_names_that_distinguish_them() -> None:
    """A repeated name gets a number, no number collides with a real name, and a blank one stays blank."""
    assert name_columns(["a", "", "a", " b\nc ", "a_2", "a"]) == ["a", "", "a_2", "b c", "a_2_2", "a_3"]


def test_columns_of_a_table_without_names_are_counted() -> None:
    """Where nothing is named everything gets a name, so that it can be chosen."""
    assert name_columns(["", " "]) == ["column_1", "column_2"]
