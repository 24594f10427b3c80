"""Rankings that become one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_tui.model.fusion import Ranking, fused, shares_of

SCORES = st.dictionaries(st.integers(0, 20), st.floats(-1, 50), max_size=12).map(
    lambda scores: dict(sorted(scores.items(), key=lambda pair: -pair[1]))
)
RANKINGS = st.lists(
    st.builds(
        lambda scores, weight, is_cut: Ranking(scores, weight, min(scores.values(), default=0.0) if is_cut else -1.0),
        SCORES,
        st.floats(0.01, 10),
        st.booleans(),
    ),
    max_size=4,
)


def test_what_is_found_twice_goes_first() -> None:
    """An item that both rankings have well is before those that one has; the best of all has a score of 1."""
    words, meaning = Ranking({"a": 9, "b": 6, "c": 5}, 1.0), Ranking({"b": 0.8, "d": 0.7, "a": 0.1}, 1.0, 0.1)
    assert list(fused([words, meaning])) == ["b", "a", "d", "c"]
    assert fused([Ranking({"a": 3.0}, 2.0), Ranking({"a": 0.2, "b": 0.1}, 0.5)])["a"] == pytest.approx(1.0)
    assert fused([]) == {}


def test_how_much_better_the_first_is_counts() -> None:
    """A best hit far before the next one stays first where the other way to search finds all about the same."""
    words, even = {"a": 20.0, "b": 2.0}, {"b": 0.51, "a": 0.5}
    assert next(iter(fused([Ranking(words, 1.0), Ranking(even, 1.0)]))) == "a"


def test_what_is_at_the_floor_adds_nothing() -> None:
    """The last of a ranking that is cut is as good as what follows it; where all score the same, all are the best."""
    assert shares_of([Ranking({"a": 4.0, "b": 2.0}, 1.0, 2.0)]) == [{"a": 1.0, "b": 0.0}]
    assert shares_of([Ranking({"a": 2.0, "b": 2.0}, 1.0, 2.0)]) == [{"a": 1.0, "b": 1.0}]


def test_a_weight_of_nothing_leaves_the_other_ranking_as_it_is() -> None:
    """Only what the other one does not have comes after it."""
    words, meaning = Ranking({"a": 3, "b": 2, "c": 1}, 1.0), Ranking({"z": 9, "c": 8, "b": 7}, 0.0)
    assert list(fused([words, meaning])) == ["a", "b", "c", "z"]


@given(RANKINGS)
def test_every_item_is_there_once_and_scores_go_down(rankings: list[Ranking]) -> None:
    """Nothing is lost, nothing doubled, and no score is above 1."""
    found = fused(rankings)
    assert set(found) == {item for ranking in rankings for item in ranking.scores}
    scores = list(found.values())
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 + 1e-9 for score in scores)


@given(RANKINGS, st.floats(0.1, 10))
def test_only_the_relation_of_the_weights_counts(rankings: list[Ranking], factor: float) -> None:
    """All weights times the same number give the same order."""
    scaled = [ranking._replace(weight=ranking.weight * factor) for ranking in rankings]
    before, after = fused(rankings), fused(scaled)
    assert before == pytest.approx(after)
