"""Parquet: columns that are no plain columns."""

from __future__ import annotations

from typing import Any

from ingest_tui.model.extraction import Finding

_NAMES_NAMED = 5
_NAME_CHARACTERS = 60


def nested_columns(schema: Any) -> list[str]:
    """Return the names of the columns of an Arrow schema that hold lists, maps or structures."""
    from pyarrow import types

    return [str(field.name) for field in schema if types.is_nested(field.type)]


def check_schema(schema: Any) -> list[Finding]:
    """Return which columns are nested: their values are in the table as Python would write them."""
    nested = nested_columns(schema)
    if not nested:
        return []
    return [Finding("warning", "nested_columns", f"nested columns, kept as they print: {_listed(nested)}")]


def unreadable_columns(names: list[str]) -> Finding:
    """Return the finding for columns that the library cannot read."""
    return Finding("error", "columns_unreadable", f"columns that cannot be read are left out: {_listed(names)}")


def _listed(names: list[str]) -> str:
    some = ", ".join(repr(name[:_NAME_CHARACTERS]) for name in names[:_NAMES_NAMED])
    return f"{some} and {len(names) - _NAMES_NAMED} more" if len(names) > _NAMES_NAMED else some
