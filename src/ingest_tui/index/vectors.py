"""The nearest vectors: exact up to some thousand rows, by an HNSW graph (usearch) beyond, over memory-mapped files.

With a filter the graph is asked for more until enough of those it gives may be found, each of which is looked at alone:
who filters is asked of all rows only where few of them may be. These are compared exactly.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EXACT_BELOW = 10_000
"""Rows up to which all are compared: 10,000 × 384 take 15 ms."""
_PIECE = 65_536
_FIRST_MORE, _FIRST_LEAST = 4, 256
"""So many times the rows that are wanted the graph is asked for first, so many at least: of fewer it misses more."""
_MOST_ASKED = 4_000
_MOST_ASKED_OF = 32
"""So many rows the graph is asked for with a filter, and one of so many, before all are looked at that may be found."""
_CONNECTIVITY, _EXPANSION_ADD, _EXPANSION_SEARCH = 16, 128, 128


class Nearest(NamedTuple):
    """Rows by how near they are, the nearest first, and their cosines."""

    rows: NDArray[np.int64]
    scores: NDArray[np.float32]


class RowFilter(Protocol):
    """Which rows may be found."""

    def among(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return for each of some rows whether it may be found."""

    def of_all(self) -> NDArray[np.bool_]:
        """Return for each row whether it may be found."""


def nearest(
    vectors: NDArray[np.float16],
    query: NDArray[np.float32],
    *,
    limit: int,
    allowed: RowFilter | None = None,
    graph: Graph | None = None,
) -> Nearest:
    """Return the ``limit`` rows that are nearest to a unit vector, of those that are ``allowed`` (None: all)."""
    if graph is None or len(vectors) <= EXACT_BELOW:
        return _exact(vectors, query, limit=limit, allowed=None if allowed is None else allowed.of_all())
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
    allowed: RowFilter | None,
) -> Nearest:
    """Ask the graph for more until enough of what it gives is allowed; rows after it are compared exactly.

    Where it would have to be asked for too many, few or only distant ones are allowed: these are all compared.
    """
    import numpy as np

    wanted = max(limit * _FIRST_MORE, _FIRST_LEAST)
    mask = None
    while True:
        if allowed is not None and wanted > min(_MOST_ASKED, len(vectors) // _MOST_ASKED_OF):
            mask = allowed.of_all() if mask is None else mask
            if int(np.count_nonzero(mask)) <= max(EXACT_BELOW, 2 * wanted):
                return _exact(vectors, query, limit=limit, allowed=mask)
        elif allowed is None and wanted >= len(vectors):  # the graph never gives rows that no other one leads to
            return _exact(vectors, query, limit=limit, allowed=None)
        found = _best_of_all(vectors, query, graph, wanted)
        if allowed is not None:
            may_be = allowed.among(found.rows) if mask is None else mask[found.rows]
            found = Nearest(found.rows[may_be], found.scores[may_be])
        if len(found.rows) >= limit:
            return Nearest(found.rows[:limit], found.scores[:limit])
        needed = limit * wanted // max(len(found.rows), 1)
        wanted = max(2 * wanted, needed + needed // 2)


def _best_of_all(vectors: NDArray[np.float16], query: NDArray[np.float32], graph: Graph, limit: int) -> Nearest:
    """Return the nearest rows whatever they are: those of the graph and those after it."""
    import numpy as np

    unindexed = _exact(vectors, query, limit=limit, allowed=None, start=graph.rows)
    rows = graph.search(query, min(limit, graph.rows))
    rows = rows[rows < len(vectors)]
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
        self._lock = threading.Lock()
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

        with self._lock:  # two searches at once would share the notes that the library keeps of one
            return np.asarray(self._index.search(query, limit, threads=1).keys, dtype=np.int64)


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
