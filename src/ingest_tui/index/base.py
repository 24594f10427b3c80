"""The contract of an index: it is written within the transaction of the catalogue, and is never ahead of it or late.

Rooms above hand over a connection, so that an index needs to know nothing of workspaces, folders and locks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple, Protocol

import apsw

from ingest_tui.model.document import Chunk, SearchHit
from ingest_tui.model.search_query import SearchQuery

NUMBERED_CHUNKS: Final = (
    f"SELECT c.id, {', '.join('d.version' if name == 'version' else f'c.{name}' for name in Chunk._fields[:-1])}"
    " FROM chunks c JOIN documents d USING (document_id)"
)
"""Selects chunks: their number, then the values of `Chunk` but for its words."""


class Database(Protocol):
    """The connection that an index shares with the catalogue."""

    connection: apsw.Connection

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """Run one statement and return its rows."""

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[Any]:
        """Run one statement and yield its rows as they come."""

    def value(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Return the first column of the first row, or None."""


class Condition(NamedTuple):
    """Which documents may be found: a condition on the table ``documents``, and the values it asks for."""

    sql: str
    values: Sequence[Any] = ()


class Index(Protocol):
    """Finds chunks. What writes is called within a transaction of the caller.

    It is rebuilt by handing all chunks to a new one, which takes its place together with the catalogue.
    """

    def replace(self, document_ids: Iterable[str], chunks: Iterable[Chunk]) -> None:
        """Take documents out and add ``chunks``: theirs, and those of documents that are new."""

    def remove(self, document_ids: Iterable[str]) -> None:
        """Take documents out; one that is not in it is none the worse."""

    def search(
        self, query: SearchQuery, documents: Condition, *, limit: int, all_chunks: bool = False
    ) -> list[SearchHit]:
        """Return the best hits among the given documents: one for each, or one for each chunk."""
