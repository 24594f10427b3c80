"""Titles and addresses of documents by their trigrams, so that a filter by a part of them reads only few documents.

A row has the number of the first chunk of its document. What it finds is a choice that a filter narrows further:
trigrams say nothing of their order, and fold more than LIKE does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Final

import orjson

from ingest_tui.index.base import Condition, Database
from ingest_tui.model.counted import counted
from ingest_tui.model.search_query import QueryFilter

TABLE_OF: Final = {"title": "document_titles", "path": "document_addresses"}
"""The table of each field. Without columns, since these would make it three times as large."""
TABLES: Final = "".join(
    f"CREATE VIRTUAL TABLE {table} USING fts5(name, content='', contentless_delete=1, tokenize='trigram',"
    " detail=none);\n"
    for table in TABLE_OF.values()
)
# Most titles are the name of the file, most keys the end of the address: these are written once.
_NAMES: Final = {
    "title": "iif(d.title = d.file_name, d.title, d.title || char(10) || d.file_name)",
    "path": "iif(substr(d.uri, -length(d.key)) = d.key, d.uri, d.uri || char(10) || d.key)",
}
_FILL: Final = {
    TABLE_OF[field]: f"INSERT INTO {TABLE_OF[field]} (rowid, name) SELECT c.id, {name}"
    " FROM chunks c JOIN documents d USING (document_id) WHERE c.ordinal = 0"
    for field, name in _NAMES.items()
}
UPGRADE: Final = TABLES + "".join(f"{fill};\n" for fill in _FILL.values())
_MISSING: Final = (
    "FROM chunks c JOIN documents d USING (document_id)"
    " WHERE c.ordinal = 0 AND c.id NOT IN (SELECT id FROM {0}_docsize)"
)
_LEFT: Final = "FROM {0}_docsize WHERE id NOT IN (SELECT id FROM chunks WHERE ordinal = 0)"

_LENGTH = 3
_MOST_DOCUMENTS: Final = 5_000
"""Where more have the trigrams, comparing all names costs no more than looking these documents up."""
_MOST_TRIGRAMS: Final = 100


def insert(database: Database, first_chunks: Iterable[int]) -> None:
    """Within a transaction: add the names of documents, by the numbers of their first chunks."""
    numbers = orjson.dumps(list(first_chunks)).decode()
    for fill in _FILL.values():
        database.execute(f"{fill} AND c.id IN (SELECT value FROM json_each(?))", (numbers,))


def remove(database: Database, first_chunks: Collection[int]) -> None:
    """Within a transaction: take names out, by the numbers of first chunks; one that is not there does no harm."""
    for table in TABLE_OF.values():
        database.connection.executemany(f"DELETE FROM {table} WHERE rowid = ?", [(one,) for one in first_chunks])


def differences(database: Database) -> list[str]:
    """Return in which ways the names differ from the first chunks of documents, with numbers."""
    found = []
    for field, table in TABLE_OF.items():
        missing = database.value(f"SELECT count(*) {_MISSING.format(table)}")
        if missing:
            found.append(
                counted(missing, f"document is not found by its {field}", f"documents are not found by their {field}s")
            )
        left = database.value(f"SELECT count(*) {_LEFT.format(table)}")
        if left:
            found.append(counted(left, f"{field} is of no document", f"{field}s are of no document"))
    return found


def restore(database: Database) -> None:
    """Within a transaction: make names and documents agree again."""
    for table, fill in _FILL.items():
        left = database.execute(f"SELECT id {_LEFT.format(table)}")
        database.connection.executemany(f"DELETE FROM {table} WHERE rowid = ?", left)
        database.execute(f"{fill} AND c.id NOT IN (SELECT id FROM {table}_docsize)")


def narrowed_by_names(database: Database, documents: Condition, filters: Sequence[QueryFilter]) -> Condition:
    """Return a condition for going through the documents that meet ``documents``, which has these filters already.

    It is the same where the filters have no names, or too many documents have the trigrams of these.
    """
    for table, expression in _expressions(filters):
        sql = f"SELECT rowid FROM {table} WHERE {table} MATCH ? LIMIT ?"
        found = [row[0] for row in database.execute(sql, (expression, _MOST_DOCUMENTS + 1))]
        if len(found) <= _MOST_DOCUMENTS:
            sql = "document_id IN (SELECT document_id FROM chunks WHERE id IN (SELECT value FROM json_each(?)))"
            # With IS TRUE, so that SQLite looks these documents up rather than following an index by collection.
            return Condition(f"({documents.sql}) IS TRUE AND {sql}", (*documents.values, orjson.dumps(found).decode()))
    return documents


def _expressions(filters: Sequence[QueryFilter]) -> list[tuple[str, str]]:
    """Return the table and the expression of FTS5 for each field whose values all have trigrams."""
    values: dict[str, list[str]] = defaultdict(list)
    for one in filters:
        if one.field in TABLE_OF and not one.excluded:
            values[one.field].append(one.value)
    expressions = []
    for field, those in values.items():
        trigrams = [_trigrams(value) for value in those]
        if all(trigrams) and sum(map(len, trigrams)) <= _MOST_TRIGRAMS:
            expressions.append(
                (TABLE_OF[field], " OR ".join(f"({' AND '.join(map(_quoted, one))})" for one in trigrams))
            )
    return expressions


def _trigrams(value: str) -> list[str]:
    """Return what of three characters a name must have to match a value in which ``*`` stands for anything.

    LIKE ignores what comes after a NUL.
    """
    pieces = value.partition("\0")[0].split("*")
    return list(dict.fromkeys(one[at : at + _LENGTH] for one in pieces for at in range(len(one) - _LENGTH + 1)))


def _quoted(trigram: str) -> str:
    return '"' + trigram.replace('"', '""') + '"'
