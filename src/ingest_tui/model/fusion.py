"""Several rankings made one: reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009). Pure."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

_RANK_OFFSET = 60
"""The k of the paper: how little the first ranks differ from those after them."""


class Ranking(NamedTuple):
    """What one way to search found, the best first, and how much its ranks count."""

    items: Sequence[Hashable]
    weight: float


def fused(rankings: Sequence[Ranking]) -> dict[Hashable, float]:
    """Return what any of the rankings has with its score, the best first: 1 is what is first in all of them.

    Equal scores are in the order of the first ranking that has them, so that the same rankings give the same order.

    >>> list(fused([Ranking("ab", 1.0), Ranking("bc", 1.0)]))
    ['b', 'a', 'c']
    """
    scores: dict[Hashable, float] = {}
    for shares in shares_of(rankings):
        for item, (_rank, share) in shares.items():
            scores[item] = scores.get(item, 0.0) + share
    return dict(sorted(scores.items(), key=lambda pair: -pair[1]))


def shares_of(rankings: Sequence[Ranking]) -> list[dict[Hashable, tuple[int, float]]]:
    """Return for each ranking the rank of what it has, from 1, and what that adds to the score."""
    total = sum(ranking.weight for ranking in rankings)
    return [
        {
            item: (rank, ranking.weight * (_RANK_OFFSET + 1) / (_RANK_OFFSET + rank) / total if total else 0.0)
            for rank, item in enumerate(dict.fromkeys(ranking.items), 1)
        }
        for ranking in rankings
    ]
