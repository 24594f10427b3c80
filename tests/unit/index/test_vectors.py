"""The nearest vectors: as brute force finds them, with and without a graph, with and without a filter."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest_tui.index import vectors as index
from ingest_tui.index.vectors import Graph, build_graph, nearest

ROWS, DIMENSIONS, QUESTIONS, LIMIT = 6_000, 32, 60, 10


@pytest.fixture(scope="module")
def rows() -> Any:
    """Vectors in groups, as those of texts are."""
    random = np.random.default_rng(3)
    centres = random.normal(size=(60, DIMENSIONS))
    found = centres[random.integers(0, 60, ROWS)] + 0.7 * random.normal(size=(ROWS, DIMENSIONS))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float16)


@pytest.fixture(scope="module")
def questions(rows: Any) -> Any:
    """Vectors near some of the rows."""
    random = np.random.default_rng(4)
    found = rows[random.integers(0, ROWS, QUESTIONS)].astype(np.float32)
    found += 0.1 * random.normal(size=found.shape).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def graph(rows: Any, tmp_path_factory: pytest.TempPathFactory) -> Graph:
    """A graph over all but the last rows, which were appended since."""
    path = tmp_path_factory.mktemp("graph") / "graph"
    assert build_graph(rows[:-100], path)
    found = Graph.open(path, ROWS - 100, DIMENSIONS)
    assert found is not None
    return found


@dataclass
class Mask:
    """A filter whose answer is known for each row; counts how often it is asked for all of them."""

    mask: Any
    asked_for_all: int = 0
    asked: list[int] = field(default_factory=list)

    def among(self, rows: Any) -> Any:
        """Return for each of some rows whether it may be found."""
        self.asked.append(len(rows))
        return self.mask[rows]

    def of_all(self) -> Any:
        """Return for each row whether it may be found."""
        self.asked_for_all += 1
        return self.mask


def brute_force(rows: Any, question: Any, allowed: Any = None) -> list[int]:
    """Return the nearest rows by comparing all."""
    scores = rows.astype(np.float32) @ question
    order = [int(row) for row in np.lexsort((np.arange(len(rows)), -scores))]
    return [row for row in order if allowed is None or allowed[row]][:LIMIT]


def recall(found: list[list[int]], wanted: list[list[int]]) -> float:
    """Return the share of the wanted rows that were found."""
    return float(
        np.mean([len(set(one) & set(other)) / max(1, len(other)) for one, other in zip(found, wanted, strict=True)])
    )


@pytest.mark.parametrize("piece", [64, 1000, 65_536])
@pytest.mark.parametrize("share", [1.0, 0.3, 0.001, 0.0])
def test_few_rows_are_compared_exactly(
    rows: Any, questions: Any, share: float, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In whatever pieces, and with whatever part of them allowed, the answer is that of brute force."""
    monkeypatch.setattr(index, "_PIECE", piece)
    allowed = np.random.default_rng(5).random(ROWS) < share if share < 1 else None
    chosen = None if allowed is None else Mask(allowed)
    for question in questions[:5]:
        found = nearest(rows, question, limit=LIMIT, allowed=chosen)
        assert found.rows.tolist() == brute_force(rows, question, allowed)
        assert found.scores == pytest.approx(rows[found.rows].astype(np.float32) @ question, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("share", "looks_at_all"), [(1.0, False), (0.5, False), (0.05, False), (0.002, True)])
def test_the_graph_finds_what_brute_force_finds(
    rows: Any, questions: Any, graph: Graph, share: float, looks_at_all: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recall is .98 at least, filters are applied while searching, and rows behind the graph are found too."""
    monkeypatch.setattr(index, "EXACT_BELOW", 100)
    monkeypatch.setattr(index, "_MOST_ASKED_OF", 6)
    allowed = np.random.default_rng(5).random(ROWS) < share if share < 1 else None
    chosen = None if allowed is None else Mask(allowed)
    found = [nearest(rows, one, limit=LIMIT, allowed=chosen, graph=graph).rows.tolist() for one in questions]
    assert all(len(one) == LIMIT for one in found)
    assert all(allowed is None or allowed[one].all() for one in found)
    assert recall(found, [brute_force(rows, one, allowed) for one in questions]) >= 0.98
    if chosen is not None:
        assert chosen.asked_for_all == (len(questions) if looks_at_all else 0)
        assert max(chosen.asked) <= 1_000
    newest = rows[-1].astype(np.float32)
    assert nearest(rows, newest, limit=1, graph=graph).rows.tolist() == [ROWS - 1]


@pytest.mark.slow
def test_what_may_be_found_is_found_although_it_is_far_away(
    rows: Any, questions: Any, graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that may be found are the half that is farther away: none of them is among the first that the graph gives."""
    monkeypatch.setattr(index, "EXACT_BELOW", 100)
    monkeypatch.setattr(index, "_MOST_ASKED", 100)
    for question in questions[:10]:
        scores = rows.astype(np.float32) @ question
        allowed = scores < np.median(scores)
        found = nearest(rows, question, limit=LIMIT, allowed=Mask(allowed), graph=graph).rows.tolist()
        assert recall([found], [brute_force(rows, question, allowed)]) >= 0.98


class Forgetful:
    """A graph with rows that it never gives, as graphs have where no other row leads to one."""

    rows = ROWS

    def __init__(self, never: set[int]) -> None:
        self.given = np.array([row for row in range(ROWS) if row not in never], dtype=np.int64)

    def search(self, query: Any, limit: int) -> Any:
        """Return the first rows that it gives: however near they are."""
        return self.given[:limit]


@pytest.mark.parametrize("limit", [10, 200, 2_000, ROWS, 5 * ROWS])
@pytest.mark.parametrize("share", [1.0, 0.5, 0.002])
def test_rows_that_the_graph_never_gives_are_found(
    rows: Any, questions: Any, limit: int, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large limit loses nothing, and a filter is asked for all rows at once where these have to be compared."""
    monkeypatch.setattr(index, "EXACT_BELOW", 100)
    never = {5, 77, 3_000}
    allowed = np.random.default_rng(5).random(ROWS) < share
    allowed[list(never)] = True
    forgetful: Any = Forgetful(never)
    chosen = None if share == 1.0 else Mask(allowed)
    found = nearest(rows, questions[0], limit=limit, allowed=chosen, graph=forgetful).rows.tolist()
    assert len(found) == min(limit, int(np.count_nonzero(allowed)))
    assert allowed[found].all()
    if limit >= np.count_nonzero(allowed):
        assert never <= set(found)
    if chosen is not None and limit >= 2_000:
        assert chosen.asked == [], "no row is looked at twice"


def test_equal_scores_are_in_a_fixed_order(rows: Any) -> None:
    """The same vector many times over: the first rows are found, however many there are."""
    same = np.repeat(rows[:1], 500, axis=0)
    assert nearest(same, rows[0].astype(np.float32), limit=5).rows.tolist() == [0, 1, 2, 3, 4]


def test_a_graph_grows_from_an_older_one(rows: Any, tmp_path: Path) -> None:
    """Adding to a graph gives one over all rows; a damaged older one is not used."""
    assert build_graph(rows[:500], tmp_path / "older")
    assert build_graph(rows[:800], tmp_path / "newer", (tmp_path / "older", 500))
    assert Graph.open(tmp_path / "newer", 800, DIMENSIONS) is not None
    (tmp_path / "older").write_bytes(b"torn")
    assert build_graph(rows[:800], tmp_path / "again", (tmp_path / "older", 500))
    assert Graph.open(tmp_path / "again", 800, DIMENSIONS) is not None


@pytest.mark.parametrize("content", [b"", b"torn", None])
def test_a_graph_that_cannot_be_used_is_none(tmp_path: Path, rows: Any, content: bytes | None) -> None:
    """Missing, empty, torn, of other dimensions or of other rows: then there is none, and the search is exact."""
    path = tmp_path / "graph"
    if content is not None:
        path.write_bytes(content)
    assert Graph.open(path, 10, DIMENSIONS) is None
    assert build_graph(rows[:50], path)
    assert Graph.open(path, 49, DIMENSIONS) is None
    assert Graph.open(path, 50, DIMENSIONS + 1) is None
    path.write_bytes(path.read_bytes()[:-200])
    assert Graph.open(path, 50, DIMENSIONS) is None
