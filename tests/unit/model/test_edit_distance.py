"""The distance of words."""

from __future__ import annotations

import pytest

from ingest_tui.model.edit_distance import edit_distance


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        ("rain", "rain", 0),
        ("rain", "rian", 1),
        ("rain", "rains", 1),
        ("rain", "ran", 1),
        ("rain", "snow", 3),
        ("", "a", 1),
    ],
)
def test_counts_letters_that_differ(one: str, other: str, distance: int) -> None:
    """Letters added, left out, replaced or exchanged count, up to the most that is asked for."""
    assert edit_distance(one, other, 2) == edit_distance(other, one, 2) == distance
