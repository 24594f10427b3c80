"""How good answers are: the measures of information retrieval over judged queries. Pure.

Ranks count documents, not chunks: the first chunk of a document is its place. The cut is 10, as in BEIR and TREC.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from ingest_tui.model.errors import UsageError

CUT = 10
_FORM = '{"query": "…", "relevant": ["address or file name", …]}'


class JudgedQuery(NamedTuple):
    """A query, and what answers it: addresses, ids, or the ends of addresses. ``line`` is where it is, from 1."""

    line: int
    query: str
    relevant: tuple[str, ...]


class QueryAnswer(NamedTuple):
    """What came of one query: the documents in order, best first and each once, and those that answer it."""

    query: str
    found: tuple[str, ...]
    relevant: frozenset[str]
    seconds: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The means over all queries; ``no_hit`` is the share of queries that found nothing, times are milliseconds."""

    queries: int
    ndcg: float
    recall: float
    mrr: float
    no_hit: float
    p50_ms: float
    p95_ms: float

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "queries": self.queries,
            f"ndcg@{CUT}": self.ndcg,
            f"recall@{CUT}": self.recall,
            "mrr": self.mrr,
            "no_hit": self.no_hit,
            "p50_ms": self.p50_ms,
            "p95_ms": self.p95_ms,
        }


def read_judged(lines: Iterable[str]) -> list[JudgedQuery]:
    """Return the queries of JSON lines; blank lines are skipped, further keys are left alone.

    Raises `UsageError` with the number of the first line that is wrong, and for lines without any query.
    """
    queries = [_judged(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not queries:
        raise UsageError("there is no query in it", hint=f"a line is {_FORM}")
    return queries


def _judged(number: int, line: str) -> JudgedQuery:
    try:
        record = orjson.loads(line)
    except ValueError as error:
        raise _wrong(number, f"is not JSON: {error}") from None
    if not isinstance(record, dict):
        raise _wrong(number, "is no JSON object")
    query, relevant = record.get("query"), record.get("relevant")
    if not isinstance(query, str) or not query.strip():
        raise _wrong(number, "has no text under 'query'")
    if not isinstance(relevant, list) or not relevant or not all(isinstance(one, str) and one for one in relevant):
        raise _wrong(number, "has no list of addresses under 'relevant'")
    return JudgedQuery(number, query, tuple(relevant))


def _wrong(number: int, what: str) -> UsageError:
    return UsageError(f"line {number} {what}", hint=f"a line is {_FORM}", code="bad_query_line")


def ndcg(found: Sequence[str], relevant: Collection[str]) -> float:
    """Return the discounted gain of the first ten, as a share of the best there could be; each relevant one gains 1."""
    gain = sum(1 / math.log2(rank + 1) for rank, one in enumerate(found[:CUT], 1) if one in relevant)
    best = sum(1 / math.log2(rank + 1) for rank in range(1, min(CUT, len(relevant)) + 1))
    return gain / best if best else 0.0


def recall(found: Sequence[str], relevant: Collection[str]) -> float:
    """Return how many of the relevant ones are in the first ten, as a share of how many could be."""
    return len({*found[:CUT]} & {*relevant}) / min(CUT, len(relevant)) if relevant else 0.0


def reciprocal_rank(found: Sequence[str], relevant: Collection[str]) -> float:
    """Return one divided by the rank of the first relevant one; 0 where none is found."""
    return next((1 / rank for rank, one in enumerate(found, 1) if one in relevant), 0.0)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that is no less than that share of the values (nearest rank); 0 for none."""
    return sorted(values)[max(math.ceil(share * len(values)), 1) - 1] if values else 0.0


def evaluation_of(answers: Sequence[QueryAnswer]) -> Evaluation:
    """Return the means over the answers to all queries."""
    times = [answer.seconds * 1000 for answer in answers]
    return Evaluation(
        queries=len(answers),
        ndcg=_mean([ndcg(one.found, one.relevant) for one in answers]),
        recall=_mean([recall(one.found, one.relevant) for one in answers]),
        mrr=_mean([reciprocal_rank(one.found, one.relevant) for one in answers]),
        no_hit=_mean([float(not one.found) for one in answers]),
        p50_ms=round(quantile(times, 0.5), 3),
        p95_ms=round(quantile(times, 0.95), 3),
    )


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0
