"""Rankings that become one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_tui.model.fusion import Ranking, fused

RANKINGS = st.lists(
    st.tuples(st.lists(st.integers(0, 20), unique=True, max_size=12), st.floats(0.01, 10)).map(
        lambda one: Ranking(*one)
    ),
    max_size=4,
)


def test_what_is_found_twice_goes_first() -> None:
    """An item that both rankings have is before those that one has; the first of all has a score of 1."""
    assert list(fused([Ranking("abc", 1.0), Ranking("cde", 1.0)])) == ["c", "a", "b", "d", "e"]
    assert fused([Ranking("ab", 2.0), Ranking("ab", 0.5)])["a"] == pytest.approx(1.0)
    assert fused([]) == {}


def test_a_weight_of_nothing_leaves_the_other_ranking_as_it_is() -> None:
    """Only what the other one does not have comes after it."""
    assert list(fused([Ranking("abc", 1.0), Ranking("zcb", 0.0)]))[:3] == ["a", "b", "c"]


@given(RANKINGS)
def test_every_item_is_there_once_and_scores_go_down(rankings: list[Ranking]) -> None:
    """Nothing is lost, nothing doubled, and no score is above 1."""
    found = fused(rankings)
    assert set(found) == {item for ranking in rankings for item in ranking.items}
    scores = list(found.values())
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 + 1e-9 for score in scores)


@given(RANKINGS, st.floats(0.1, 10))
def test_only_the_relation_of_the_weights_counts(rankings: list[Ranking], factor: float) -> None:
    """All weights times the same number give the same order."""
    scaled = [Ranking(ranking.items, ranking.weight * factor) for ranking in rankings]
    before, after = fused(rankings), fused(scaled)
    assert before == pytest.approx(after)
