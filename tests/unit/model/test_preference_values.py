"""Preferences as people write them."""

from __future__ import annotations

import pytest

from ingest_tui.model.collection import CollectionPreferences
from ingest_tui.model.errors import UsageError, ValidationError
from ingest_tui.model.preference_values import (
    assignments,
    changed_preferences,
    differing_keys,
    preference_rows,
)

USUAL = CollectionPreferences()


def test_texts_become_values_of_the_type_of_their_key() -> None:
    """Numbers, lists with commas and quotes, and words are read as what their key holds; empty is as usual."""
    values = assignments(["chunk-size=1200", 'text_columns=title, "price, net"', "embed = manual", "vector_weight=0.5"])
    changed = changed_preferences(USUAL, values)

    assert (changed.chunk_size, changed.embed, changed.vector_weight) == (1200, "manual", 0.5)
    assert changed.text_columns == ("title", "price, net")
    assert changed_preferences(changed, {"chunk_size": "", "text_columns": ""}).chunk_size is None
    assert differing_keys(USUAL, changed) == ("chunk_size", "embed", "text_columns", "vector_weight")
    assert differing_keys(USUAL, changed_preferences(changed, {}, ("chunk-size", "text_columns", "embed"))) == (
        "vector_weight",
    )


def test_values_that_are_shown_can_be_given_again() -> None:
    """What a list of preferences prints is what `--set` takes."""
    chosen = changed_preferences(USUAL, {"context_columns": ("a, b", "c"), "chunk_overlap": 10})
    shown = {row.key: row.value for row in preference_rows(chosen) if row.is_chosen}

    assert shown == {"context_columns": '"a, b", c', "chunk_overlap": "10"}
    assert changed_preferences(USUAL, shown) == chosen


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"chunk_sise": "1"}, "there is no preference 'chunk_sise'"),
        ({"chunk_size": "large"}, "chunk_size: "),
        ({"chunk_size": "20"}, "chunk_size must be from 200"),
        ({"chunk_overlap": "900"}, "at most half"),
        ({"embed": "sometimes"}, "embed: "),
        ({"vector_weight": "nan"}, "vector_weight: "),
        ({"embedder": "../x"}, "not usable as a name"),
        ({"chunk_unit": "tokens"}, "needs tokenizer"),
    ],
)
def test_what_cannot_be_is_refused_by_its_key(given: dict[str, str], message: str) -> None:
    """The error names the key and what it may be; nothing else is changed."""
    with pytest.raises(ValidationError, match=message):
        changed_preferences(USUAL, given)


def test_an_assignment_has_a_key_and_a_value() -> None:
    """A word without an equals sign is no assignment."""
    for wrong in ("chunk_size", "=5"):
        with pytest.raises(UsageError, match="KEY=VALUE"):
            assignments([wrong])


def test_keys_of_another_version_are_kept_and_can_be_taken_out() -> None:
    """An unknown key stays as it is through a change, is shown, and can be unset but not set."""
    foreign = CollectionPreferences.model_validate({"colour": "blue"})
    changed = changed_preferences(foreign, {"chunk_size": 500})

    assert changed.model_dump()["colour"] == "blue"
    assert preference_rows(changed)[-1][:3] == ("colour", "blue", True)
    assert "colour" not in changed_preferences(changed, {}, ["colour"]).model_dump()
    with pytest.raises(ValidationError, match="no preference"):
        changed_preferences(changed, {"colour": "red"})


def test_a_key_is_given_once() -> None:
    """Set twice, or set and unset at once, it is refused with its name: nobody knows which is meant."""
    with pytest.raises(UsageError, match="chunk_size is set twice"):
        assignments(["chunk_size=1200", "chunk-size=900"])
    with pytest.raises(UsageError, match="chunk_size: set and unset at once"):
        changed_preferences(USUAL, {"chunk_size": "1200"}, ("chunk-size", "embed"))
