"""The measures of answers, by hand, and what a file of judged queries may hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_tui.model.errors import UsageError
from ingest_tui.model.relevance import QueryAnswer, evaluation_of, ndcg, quantile, read_judged, recall, reciprocal_rank


def test_the_measures_are_those_of_the_textbooks() -> None:
    """Two right ones at ranks 1 and 3 of three that there are."""
    found, right = ["a", "x", "b", "y"], {"a", "b", "c"}
    assert ndcg(found, right) == pytest.approx((1 + 1 / 2) / (1 + 1 / 1.58496250 + 1 / 2))
    assert recall(found, right) == pytest.approx(2 / 3)
    assert reciprocal_rank(["x", "y", "b"], right) == pytest.approx(1 / 3)
    assert recall([str(n) for n in range(30)], {str(n) for n in range(20)}) == 1.0  # ten of the ten that could be


def test_what_is_found_beyond_the_cut_counts_for_the_rank_only() -> None:
    """The first ten documents count for gain and recall."""
    found = [str(number) for number in range(12)]
    assert ndcg(found, {"11"}) == recall(found, {"11"}) == 0
    assert reciprocal_rank(found, {"11"}) == pytest.approx(1 / 12)


@given(
    found=st.lists(st.sampled_from("abcdefghijklmnop"), unique=True),
    right=st.sets(st.sampled_from("abcdefxyz"), min_size=1),
)
def test_measures_are_shares(found: list[str], right: set[str]) -> None:
    """Each is between 0 and 1, and 1 when all that is right comes first."""
    for measure in (ndcg, recall, reciprocal_rank):
        assert 0 <= measure(found, right) <= 1
        assert measure(list(dict.fromkeys(sorted(right) + found)), right) == pytest.approx(1)


def test_the_means_are_over_all_queries() -> None:
    """A query without a hit counts as one that found nothing right."""
    right = frozenset({"a"})
    answers = [QueryAnswer("one", ("a",), right, 0.001), QueryAnswer("two", (), right, 0.003)]
    found = evaluation_of(answers)
    assert (found.queries, found.ndcg, found.recall, found.mrr, found.no_hit) == (2, 0.5, 0.5, 0.5, 0.5)
    assert (found.p50_ms, found.p95_ms) == (1.0, 3.0)
    assert evaluation_of([]).as_dict()["ndcg@10"] == 0


def test_quantiles_are_values_that_were_measured() -> None:
    """By nearest rank, whatever the order."""
    assert [quantile([5, 1, 4, 2, 3], share) for share in (0, 0.5, 0.95, 1)] == [1, 3, 5, 5]


@pytest.mark.parametrize(
    "line",
    [
        "not JSON", "[]", "3", "{}", '{"query": "x"}', '{"query": "", "relevant": ["a"]}',
        '{"query": 3, "relevant": ["a"]}',
        '{"query": "x", "relevant": []}', '{"query": "x", "relevant": "a"}', '{"query": "x", "relevant": [""]}',
        '{"query": "x", "relevant": [3]}', '{"query": "\\ud800", "relevant": ["a"]}',
    ],
)  # fmt: skip
def test_a_wrong_line_is_named_by_its_number(line: str) -> None:
    """The number counts blank lines too, as editors do."""
    with pytest.raises(UsageError, match=r"\Aline 3 ") as refused:
        read_judged(['{"query": "x", "relevant": ["a"]}', "", line])
    assert refused.value.reason == "bad_query_line"


def test_further_keys_are_left_alone() -> None:
    """A file may hold notes of its own."""
    (query,) = read_judged(["", '{"query": "x", "relevant": ["a", "b"], "half": "tune"}'])
    assert query == (2, "x", ("a", "b"))
    with pytest.raises(UsageError, match="no query"):
        read_judged(["", " "])
