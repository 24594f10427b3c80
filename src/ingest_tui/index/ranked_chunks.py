"""The numbers of the chunks that match an expression, the best first, for a bounded price."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any, Final

import orjson

from ingest_tui.index import weighted_rank
from ingest_tui.index.base import Database
from ingest_tui.index.candidates import RANKED, CandidateQuery
from ingest_tui.index.term_counts import IndexSize

LARGE: Final = 50_000
"""Up to so many chunks nothing is expensive, and FTS5 itself ranks."""
_MOST_CALLS: Final = 12_000
_MOST_WEIGHTED: Final = 2_000
"""So many chunks with common words are ranked, fewer for many words: one takes 1.5 µs, and 0.5 µs for each word."""
_MOST_WITH_SEQUENCES: Final = 500
_MOST_WEIGHTS: Final = 100
_ASKED_ONE_BY_ONE: Final = 300
"""So many chunks are asked for one by one, at 50 µs each, rather than all that match: these may be a million."""


class RankedChunks:
    """Ranks chunks of one full text: ``table``, of the given size."""

    def __init__(self, database: Database, table: str, size: IndexSize) -> None:
        self._database = database
        self._table = table
        self._size = size

    def newest(self, asked: CandidateQuery, most: int) -> tuple[list[int], bool]:
        """Return the best of the chunks that match, and whether these are all of them.

        They are of the ``most`` newest ones, or of fewer where the words are common; all of them where -1 is the most.
        """
        limit = self._limit(asked, most)
        found = self._ranked(asked, limit, "", ())
        return found, limit < 0 or len(found) < limit

    def among(self, asked: CandidateQuery, most: int, wanted: int, numbers: Sequence[int]) -> list[int]:
        """Return the best of the chunks with these numbers; once as many as ``wanted`` are found, of the newest."""
        if self._is_costly(asked) or len(numbers) <= _ASKED_ONE_BY_ONE:
            newest = heapq.nlargest(_ASKED_ONE_BY_ONE, numbers)
            found = self._one_by_one(asked, newest)
            if len(newest) == len(numbers) or len(found) >= wanted >= 0:
                return found
        # With a plus, so that what matches is gone through once, and not asked for by each number.
        limit = self._limit(asked, most)
        return self._ranked(asked, limit, "AND +rowid IN (SELECT value FROM json_each(?))", (_as_json(numbers),))

    def _ranked(self, asked: CandidateQuery, limit: int, which: str, values: Sequence[Any]) -> list[int]:
        score, weights = self._score(asked)
        matching = (
            f"SELECT rowid AS number, {score} AS score FROM {self._table} WHERE {self._table} MATCH ? {which}"
            " ORDER BY rowid DESC LIMIT ?"
        )
        sql = f"SELECT number FROM ({matching}) ORDER BY score"
        return [row[0] for row in self._database.execute(sql, (*weights, asked.expression, *values, limit))]

    def _one_by_one(self, asked: CandidateQuery, numbers: Sequence[int]) -> list[int]:
        score, weights = self._score(asked)
        matching = (
            f"SELECT w.rowid AS number, {score} AS score FROM json_each(?) n CROSS JOIN {self._table} w"
            f" ON w.rowid = n.value WHERE w.{self._table} MATCH ?"
        )
        sql = f"SELECT number FROM ({matching}) ORDER BY score, number DESC"
        return [row[0] for row in self._database.execute(sql, (*weights, _as_json(numbers), asked.expression))]

    def _score(self, asked: CandidateQuery) -> tuple[str, tuple[float, ...]]:
        """Return the expression of a score, and the values that it asks for."""
        if not self._is_costly(asked):
            return "rank", ()
        weighted_rank.register(self._database.connection)
        values = (max(self._size.average_length, 1.0), *asked.weights)
        return f"{weighted_rank.FUNCTION}({self._table}{', ?' * len(values)})", values

    def _limit(self, asked: CandidateQuery, most: int) -> int:
        if most < 0 or not self._is_costly(asked):
            return most
        if asked.has_sequences:
            return min(most, _MOST_WITH_SEQUENCES)
        return min(most, max(_ASKED_ONE_BY_ONE, min(_MOST_WEIGHTED, _MOST_CALLS // len(asked.weights))))

    def _is_costly(self, asked: CandidateQuery) -> bool:
        """Whether FTS5 would have to read many rows to weigh the words."""
        if not 0 < len(asked.weights) <= _MOST_WEIGHTS or self._size.chunks <= LARGE:
            return False
        return asked.has_sequences or asked.rows > RANKED


def _as_json(numbers: Sequence[int]) -> str:
    return orjson.dumps(numbers).decode()
