"""Several rankings made one: a convex combination of their scores (Bruch, Gai and Ingber, TOIS 2023). Pure.

Reciprocal ranks, which forget by how much a hit is better than the next one, found less on all judged sets
(docs/benchmarks.md).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple


class Ranking(NamedTuple):
    """What one way to search found: scores by item, the best first, and how much they count.

    ``floor`` is the score of what the ranking does not have: scores are scaled so that it is 0 and the best one is 1.
    """

    scores: Mapping[Any, float]
    weight: float
    floor: float = 0.0


def fused(rankings: Sequence[Ranking]) -> dict[Hashable, float]:
    """Return what any of the rankings has with its score, the best first: 1 is what is the best in all of them.

    Equal scores are in the order of the first ranking that has them, so that the same rankings give the same order.

    >>> fused([Ranking({"a": 8.0, "b": 4.0}, 1.0), Ranking({"b": 0.9, "c": 0.3}, 1.0)])
    {'b': 0.75, 'a': 0.5, 'c': 0.16666666666666666}
    """
    scores: dict[Hashable, float] = {}
    for shares in shares_of(rankings):
        for item, share in shares.items():
            scores[item] = scores.get(item, 0.0) + share
    return dict(sorted(scores.items(), key=lambda pair: -pair[1]))


def shares_of(rankings: Sequence[Ranking]) -> list[dict[Hashable, float]]:
    """Return for each ranking what its items add to the score."""
    total = sum(ranking.weight for ranking in rankings)
    return [_shares(ranking, ranking.weight / total if total else 0.0) for ranking in rankings]


def _shares(ranking: Ranking, most: float) -> dict[Hashable, float]:
    best, floor = max(ranking.scores.values(), default=0.0), ranking.floor
    if best <= floor:  # all the same, as far as the ranking knows
        return dict.fromkeys(ranking.scores, most)
    return {item: most * max(0.0, score - floor) / (best - floor) for item, score in ranking.scores.items()}
