"""The nearest vectors: exact up to some thousand rows, by an HNSW graph (usearch) beyond, over memory-mapped files.

Which rows may be found is known before the search: few of them are compared exactly, among many the graph is asked for
more until enough of those it gives are allowed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EXACT_BELOW = 10_000
"""Rows up to which all are compared: 10,000 × 384 take 15 ms."""
_PIECE = 65_536
_FIRST_MORE = 4
_CONNECTIVITY, _EXPANSION_ADD, _EXPANSION_SEARCH = 16, 128, 128


class Nearest(NamedTuple):
    """Rows by how near they are, the nearest first, and their cosines."""

    rows: NDArray[np.int64]
    scores: NDArray[np.float32]


def nearest(
    vectors: NDArray[np.float16],
    query: NDArray[np.float32],
    *,
    limit: int,
    allowed: NDArray[np.bool_] | None = None,
    graph: Graph | None = None,
) -> Nearest:
    """Return the ``limit`` rows that are nearest to a unit vector, of those that are ``allowed`` (None: all)."""
    import numpy as np

    candidates = len(vectors) if allowed is None else int(np.count_nonzero(allowed))
    if graph is None or candidates <= EXACT_BELOW:
        return _exact(vectors, query, limit=limit, allowed=allowed)
    return _by_graph(vectors, query, graph, limit=limit, allowed=allowed)


def _exact(
    vectors: NDArray[np.float16],
    query: NDArray[np.float32],
    *,
    limit: int,
    allowed: NDArray[np.bool_] | None,
    start: int = 0,
) -> Nearest:
    """Compare every allowed row from ``start`` on, a piece at a time: 16-bit rows are widened to multiply them."""
    import numpy as np

    best = Nearest(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))
    for first in range(start, len(vectors), _PIECE):
        rows = np.arange(first, min(first + _PIECE, len(vectors)), dtype=np.int64)
        if allowed is not None:
            rows = rows[allowed[rows]]
        if len(rows):
            part = vectors[first : first + _PIECE] if len(rows) == _PIECE else vectors[rows]
            scores = np.asarray(part[: len(rows)], dtype=np.float32) @ query
            best = _best(np.concatenate([best.rows, rows]), np.concatenate([best.scores, scores]), limit)
    return best


def _by_graph(
    vectors: NDArray[np.float16],
    query: NDArray[np.float32],
    graph: Graph,
    *,
    limit: int,
    allowed: NDArray[np.bool_] | None,
) -> Nearest:
    """Ask the graph for more until enough of what it gives is allowed; rows after it are compared exactly."""
    import numpy as np

    unindexed = _exact(vectors, query, limit=limit, allowed=allowed, start=graph.rows)
    wanted = limit * _FIRST_MORE
    while True:
        found = graph.search(query, min(wanted, graph.rows))
        rows = found[found < len(vectors)]
        if allowed is not None:
            rows = rows[allowed[rows]]
        if len(rows) >= limit or wanted >= graph.rows:
            break
        wanted *= _FIRST_MORE
    scores = np.asarray(vectors[rows], dtype=np.float32) @ query
    return _best(np.concatenate([unindexed.rows, rows]), np.concatenate([unindexed.scores, scores]), limit)


def _best(rows: NDArray[np.int64], scores: NDArray[np.float32], limit: int) -> Nearest:
    """Return the best rows in order; equal scores by row, so that the same question has the same answer."""
    import numpy as np

    if len(rows) > limit:
        kept = np.argpartition(-scores, limit - 1)[:limit]
        # Others with the score of the last one would be chosen by chance.
        kept = np.flatnonzero(scores >= scores[kept].min())
        rows, scores = rows[kept], scores[kept]
    order = np.lexsort((rows, -scores))[:limit]
    return Nearest(rows[order], scores[order])


class Graph:
    """An HNSW graph over the first rows of a log, in a file of its own that is mapped into memory."""

    def __init__(self, index: Any, rows: int) -> None:
        self._index = index
        self.rows = rows

    @classmethod
    def open(cls, path: Path, rows: int, dimensions: int) -> Graph | None:
        """Return the graph in a file; None where it cannot be used: the search is exact then."""
        try:
            from usearch.index import Index
        except ImportError:
            return None
        try:
            index = Index.restore(str(path), view=True)
        except Exception:  # noqa: BLE001 - whatever the library raises for a damaged file
            return None
        if index is None or index.ndim != dimensions or len(index) != rows:
            return None
        return cls(index, rows)

    def search(self, query: NDArray[np.float32], limit: int) -> NDArray[np.int64]:
        """Return the rows that the graph finds near a vector."""
        import numpy as np

        return np.asarray(self._index.search(query, limit).keys, dtype=np.int64)


def build_graph(vectors: NDArray[np.float16], path: Path, older: tuple[Path, int] | None = None) -> bool:
    """Write a graph over all rows to ``path``, made from an ``older`` one over the first rows where there is one.

    Returns whether there is one: not without usearch. Not durable by itself.
    """
    import numpy as np

    try:
        from usearch.index import Index
    except ImportError:
        return False
    index, start = None, 0
    if older is not None:
        try:
            index, start = Index.restore(str(older[0])), older[1]
        except Exception:  # noqa: BLE001 - a damaged one is made again
            index = None
        if index is not None and (len(index) != start or index.ndim != vectors.shape[1]):
            index = None
    if index is None:
        start = 0
        index = Index(
            ndim=vectors.shape[1],
            metric="cos",
            dtype="f16",
            connectivity=_CONNECTIVITY,
            expansion_add=_EXPANSION_ADD,
            expansion_search=_EXPANSION_SEARCH,
        )
    for first in range(start, len(vectors), _PIECE):
        keys = np.arange(first, min(first + _PIECE, len(vectors)), dtype=np.uint64)
        index.add(keys, np.asarray(vectors[first : first + _PIECE]))
    index.save(str(path))
    return True
