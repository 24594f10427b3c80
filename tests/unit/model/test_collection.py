"""Preferences of a collection."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from ingest_tui.model.collection import CollectionPreferences


def test_columns_are_named_once_and_without_white_space_around_them() -> None:
    """Names of columns are compared as people see them, whatever line ends a header has in it."""
    preferences = CollectionPreferences.model_validate({"text_columns": [" title ", "net\nprice", "title"]})

    assert preferences.text_columns == ("title", "net price")
    assert preferences.context_columns == ()


def test_a_column_has_a_name() -> None:
    """An empty name chooses nothing."""
    with pytest.raises(ValidationError, match="must not be empty"):
        CollectionPreferences.model_validate({"context_columns": ["id", " "]})


def test_descriptions_of_preferences_fit_the_form_at_80_columns() -> None:
    """The form of the TUI shows each in one line, of which 56 cells are left at 80 columns."""
    too_long = [key for key, field in CollectionPreferences.model_fields.items() if len(field.description or "") > 56]
    assert too_long == []
