"""What is known at and below a key of a source, and how much of it a listing names."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import apsw

from ingest_tui.model.keys import bytes_from_key, opaque_key

IS_MISSING = "NOT EXISTS (SELECT 1 FROM listed v WHERE v.key = iif(l.container = '', l.key, l.container))"
"""Whether a listing does not name a place ``l``: it names containers, not what is in them."""


class _Span(NamedTuple):
    """A range of keys, as a condition on ``l.key``."""

    condition: str
    values: tuple[str, ...]


class StoredPresence:
    """A `Presence`: counts of the catalogue and the listing at and below one key."""

    def __init__(self, connection: apsw.Connection, source_id: str, key: str) -> None:
        self._connection = connection
        self._source_id = source_id
        self._spans = _spans_of(key)

    @cached_property
    def documents(self) -> int:
        """The number of known documents."""
        return self._count_known("")

    @cached_property
    def missing(self) -> int:
        """The number of known documents that are not listed."""
        return self._count_known(f"AND {IS_MISSING}")

    @cached_property
    def is_listed(self) -> bool:
        """Whether anything is listed there."""
        return any(
            list(self._connection.execute(f"SELECT 1 FROM listed l WHERE {span.condition} LIMIT 1", span.values))
            for span in self._spans
        )

    def _count_known(self, which: str) -> int:
        sql = "SELECT count(*) FROM catalogue.locations l WHERE l.source_id = ? AND l.document_id IS NOT NULL"
        return sum(
            int(
                next(self._connection.execute(f"{sql} AND {span.condition} {which}", (self._source_id, *span.values)))[
                    0
                ]
            )
            for span in self._spans
        )


def _spans_of(key: str) -> list[_Span]:
    """Return the keys at and below a key (``0`` follows ``/``); names that are not UTF-8 have a form of their own."""
    if key == "":
        return [_Span("TRUE", ())]
    path = bytes_from_key(key)
    forms = {key, opaque_key(path)}
    below = (_Span("l.key >= ? AND l.key < ?", (f"{form}/", f"{form}0")) for form in forms)
    return [_Span("l.key = ?", (key,)), *below]
