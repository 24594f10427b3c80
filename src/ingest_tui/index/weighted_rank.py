"""BM25 with weights that are known already, as a function of FTS5, for words that many chunks have.

To weigh a word, `bm25` of FTS5 reads each row that has it: 50 ms for a word in half of a million chunks, and the same
again for each time that it is in the expression. What is ranked here was weighed by a sample (`term_counts`).
"""

from __future__ import annotations

import weakref
from typing import Any, Final

import apsw

FUNCTION: Final = "weighted_rank"
_FIELDS: Final = (2.0, 3.0, 1.0, 0.3)
"""What a place in the columns of ``words`` counts, as for the rank of FTS5."""
_TEXT: Final = 2
_K1, _B = 1.2, 0.75
_known: weakref.WeakSet[apsw.Connection] = weakref.WeakSet()


def register(connection: apsw.Connection) -> None:
    """Make the function known to a connection, once: FTS5 would keep each further one next to the first."""
    if connection not in _known:
        connection.register_fts5_function(FUNCTION, _score)
        _known.add(connection)


def _score(row: apsw.FTS5ExtensionApi, *values: Any) -> float:
    """Return the negative score of a row, so that the best is the least.

    ``values``: the average length of texts, and a weight for each phrase in their order.
    """
    average_length, *weights = values
    dampening = _K1 * (1 - _B + _B * row.column_size(_TEXT) / average_length)
    score = 0.0
    for phrase, weight in enumerate(weights):
        name, heading, text, forms = map(len, row.phrase_locations(phrase))
        if name or heading or text or forms:
            frequency = name * _FIELDS[0] + heading * _FIELDS[1] + text * _FIELDS[2] + forms * _FIELDS[3]
            score += weight * frequency / (frequency + dampening)
    return -score
