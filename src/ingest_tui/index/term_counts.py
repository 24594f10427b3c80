"""In how many chunks a term is, and how many chunks there are: what ranking needs to know of the whole index."""

from __future__ import annotations

from typing import Final, NamedTuple

from ingest_tui.index.base import Database

COUNTED: Final = 1000
"""Up to here terms are counted; beyond, from how far apart the first of them are."""
COUNTED_SEQUENCES: Final = 200
"""The same for words that follow each other: to find one such place, thousands of those of each word are read."""


class IndexSize(NamedTuple):
    """How many chunks the full text has, how many terms these have on average, and the highest number of a chunk."""

    chunks: int
    average_length: float
    last_number: int


def index_size(database: Database) -> IndexSize:
    """Return the size of the full text, from the record that FTS5 keeps of it."""
    record = database.value("SELECT block FROM words_data WHERE id = 1") or b"\0"
    chunks, *terms_by_column = _varints(record)
    _name, heading, text, _forms = (*terms_by_column, 0, 0, 0, 0)[:4]
    last_number = database.value("SELECT max(id) FROM chunks") or 0
    return IndexSize(chunks, (heading + text) / max(chunks, 1), last_number)


def count_chunks(database: Database, expression: str, size: IndexSize, counted_to: int) -> int:
    """Return in how many chunks an expression is found: estimated where there are more than are counted."""
    sql = "SELECT count(*), max(number) FROM (SELECT rowid AS number FROM words WHERE words MATCH ? LIMIT ?)"
    counted, last = database.execute(sql, (expression, counted_to))[0]
    if counted < counted_to:
        return int(counted)
    estimated: int = counted_to * size.last_number // max(last, 1)
    return min(size.chunks, max(counted_to, estimated))


def _varints(record: bytes) -> list[int]:
    """Return the numbers of a record of SQLite: seven bits a byte, the first ones first; the ninth byte is whole."""
    numbers, value, length = [], 0, 0
    for byte in record:
        length += 1
        if length == 9:  # noqa: PLR2004
            value = value << 8 | byte
        else:
            value = value << 7 | byte & 0x7F
            if byte & 0x80:
                continue
        numbers.append(value)
        value = length = 0
    return numbers
