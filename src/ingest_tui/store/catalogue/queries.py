"""What people ask of the catalogue: documents by filter, versions, places, and full text."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, TypedDict, Unpack

import orjson

from ingest_tui.index.base import Condition
from ingest_tui.index.document_names import narrowed_by_names
from ingest_tui.index.query_filters import AT_A_PLACE, narrowed
from ingest_tui.model.document import Document, SearchHit
from ingest_tui.model.errors import UsageError
from ingest_tui.model.folder import SEPARATOR, Folder
from ingest_tui.model.issue import SAMPLED_TYPES, THIN_BYTES_A_CHUNK, THIN_CHUNKS, THIN_FROM_BYTES, is_thin
from ingest_tui.model.members import keys_below
from ingest_tui.model.place import KnownPlace
from ingest_tui.model.plan import KILLS_BEFORE_QUARANTINE
from ingest_tui.model.search_query import QueryFilter, SearchQuery, parse_query
from ingest_tui.model.unicode import as_unicode
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.rows import VersionRow

_TYPE_CONDITION = "(media_type LIKE ? ESCAPE '\\' OR media_type LIKE ? ESCAPE '\\' OR file_name LIKE ? ESCAPE '\\')"


class DocumentChoice(TypedDict, total=False):
    """Which documents: what is not given, or None, chooses all. Times are RFC 3339, and begin with a date.

    ``outcome``: what the last look at one of their places came to; ``failed`` means that the last good version is kept.
    ``media_type`` may be a beginning of one, ``text/``, or an ending, ``pdf``. ``document_ids``: only these.
    ``folder``: those in it, however far below.
    """

    collection_id: str | None
    source_id: str | None
    state: str | None
    contains: str
    media_type: str | None
    outcome: str | None
    since: str | None
    until: str | None
    document_ids: Collection[str] | None
    folder: Folder | None


# What is ordered by, and whether the highest comes first.
DOCUMENT_ORDERS = {
    "address": ("uri", False),
    "newest": ("updated_at", True),
    "title": ("title COLLATE NOCASE", False),
    "largest": ("bytes", True),
}


def find_documents(
    catalogue: Catalogue,
    *,
    limit: int = 200,
    offset: int = 0,
    order: str = "address",
    backwards: bool = False,
    **choice: Unpack[DocumentChoice],
) -> list[Document]:
    """Return the active documents of a choice, in one of the `DOCUMENT_ORDERS`."""
    where, values = document_filter(choice)
    column, is_descending = DOCUMENT_ORDERS[order]
    direction = "DESC" if is_descending != backwards else "ASC"
    by = f"{column} {direction}, document_id {direction}"
    # Which ones they are is found in the index of lists alone; only then are these few looked up. With words SQLite is
    # not to follow the order (+): where few names have them, it would look up nearly all.
    order_of_ids = f"+{by}" if choice.get("contains") else by
    ids = f"SELECT document_id FROM documents WHERE {where} ORDER BY {order_of_ids} LIMIT ? OFFSET ?"
    return catalogue.select_documents(f"WHERE document_id IN ({ids}) ORDER BY {by}", (*values, limit, offset))


def stream_documents(catalogue: Catalogue, **choice: Unpack[DocumentChoice]) -> Iterator[Document]:
    """Yield the active documents of a choice, ordered by address, as they were when the first was asked for.

    However many there are, they are not all in memory.
    """
    where, values = document_filter(choice)
    return catalogue.stream_documents(f"WHERE {where} ORDER BY uri, document_id", values)


def count_documents(catalogue: Catalogue, **choice: Unpack[DocumentChoice]) -> int:
    """Return how many documents `find_documents` would find."""
    where, values = document_filter(choice)
    return int(catalogue.value(f"SELECT count(*) FROM documents WHERE {where}", values))


# What is in the trash has no place any more, but it knows the source it came from.
_OF_SOURCE = f"(state = 'retired' AND source_id = ? OR {AT_A_PLACE})"

_OF_STATE = "state = ?"
_AFTER_SEPARATOR = chr(ord(SEPARATOR) + 1)


def document_filter(choice: DocumentChoice) -> tuple[str, list[Any]]:
    """Return the SQL condition on ``documents`` that a choice is, and the values in it."""
    conditions, values = ["1"], []
    ids = choice.get("document_ids")
    wanted: list[tuple[str, Any]] = [
        ("collection_id = ?", choice.get("collection_id")),
        (_OF_STATE, choice.get("state", "active")),
        (_OF_SOURCE, choice.get("source_id")),
        ("document_id IN (SELECT document_id FROM locations WHERE outcome = ?)", choice.get("outcome")),
        ("updated_at >= ?", choice.get("since")),
        # A day is meant whole: every time of it begins with its date.
        ("substr(updated_at, 1, length(?)) <= ?", choice.get("until")),
        ("document_id IN (SELECT value FROM json_each(?))", None if ids is None else orjson.dumps(list(ids)).decode()),
    ]
    for condition, value in wanted:
        if value is not None:
            conditions.append(condition)
            values += [value] * condition.count("?")
    if folder := choice.get("folder"):
        conditions += _in_folder(folder, values)
    media_type = choice.get("media_type")
    if media_type:
        kind = _like(media_type.lstrip("."))
        conditions.append(_TYPE_CONDITION)
        values += [f"{kind}%", f"%/{kind}", f"%.{kind}"]  # as ``type:`` of a query
    contains = choice.get("contains")
    if contains:
        conditions.append("(uri LIKE ? ESCAPE '\\' OR key LIKE ? ESCAPE '\\' OR title LIKE ? ESCAPE '\\')")
        values += [f"%{_like(contains)}%"] * 3
    return " AND ".join(conditions), values


def _in_folder(folder: Folder, values: list[Any]) -> list[str]:
    """Return which documents are in a folder, however far below: a range of an index. Adds its values."""
    if not folder.source_id:
        return []
    values.append(folder.source_id)
    if not folder.path:
        return ["source_id = ?"]
    path = as_unicode(folder.path)
    values += [path, path[:-1] + _AFTER_SEPARATOR]
    return ["source_id = ?", "key >= ?", "key < ?"]


def _like(text: str) -> str:
    return as_unicode(text).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def media_types(catalogue: Catalogue) -> list[tuple[str, int]]:
    """Return the media types of the active documents, the most frequent first."""
    sql = "SELECT media_type, count(*) FROM documents WHERE state = 'active' GROUP BY 1 ORDER BY 2 DESC, 1"
    return [(row[0], row[1]) for row in catalogue.execute(sql)]


def source_has_documents(catalogue: Catalogue, source_id: str) -> bool:
    """Whether there are documents of a source, in the trash too."""
    if not source_id.isascii():
        return False  # no identifier, and perhaps no text either: an argument of bytes that are none
    return bool(catalogue.execute("SELECT 1 FROM documents WHERE source_id = ? LIMIT 1", (source_id,)))


def keys_of_source(catalogue: Catalogue, source_id: str) -> list[str]:
    """Return all keys of a source of which anything is known."""
    return [row[0] for row in catalogue.execute("SELECT key FROM locations WHERE source_id = ?", (source_id,))]


def keys_in_collection(catalogue: Catalogue, collection_id: str) -> dict[str, list[str]]:
    """Return all keys of which anything is known in a collection, by source."""
    keys: dict[str, list[str]] = {}
    sql = "SELECT source_id, key FROM locations WHERE collection_id = ? ORDER BY source_id"
    for source_id, key in catalogue.stream(sql, (collection_id,)):
        keys.setdefault(source_id, []).append(key)
    return keys


def documents_by_source(catalogue: Catalogue, collection_id: str | None = None) -> dict[str, int]:
    """Return how many documents are at the places of each source: one of two sources counts for both.

    That is the number of documents of a source everywhere. ``collection_id``: of those of a collection.
    """
    sql = (
        "SELECT source_id, count(DISTINCT document_id) FROM locations"
        " WHERE document_id IS NOT NULL AND (?1 IS NULL OR collection_id = ?1) GROUP BY source_id"
    )
    return dict(catalogue.execute(sql, (collection_id,)))


def count_documents_only_at(catalogue: Catalogue, source_ids: Collection[str]) -> int:
    """Return how many documents have places in these sources and in no other one."""
    listed = "(SELECT value FROM json_each(?1))"
    sql = f"""
        SELECT count(DISTINCT document_id) FROM locations l WHERE source_id IN {listed} AND document_id IS NOT NULL
        AND NOT EXISTS (
            SELECT 1 FROM locations o WHERE o.document_id = l.document_id AND o.source_id NOT IN {listed}
        )
    """
    return int(catalogue.value(sql, (orjson.dumps(list(source_ids)).decode(),)))


def outcomes_of_source(catalogue: Catalogue, source_id: str) -> list[tuple[str, str, int]]:
    """Return outcome and reason of the last look at the places of a source, and how many have them, most first."""
    sql = "SELECT outcome, reason, count(*) FROM locations WHERE source_id = ? GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"
    return [(str(row[0]), str(row[1]), int(row[2])) for row in catalogue.execute(sql, (source_id,))]


def documents_by_origin(catalogue: Catalogue) -> list[tuple[str, str, int]]:
    """Return the id and the type of each source that active documents are of, and how many."""
    sql = "SELECT source_id, source_type, count(*) FROM documents WHERE state = 'active' GROUP BY 1, 2"
    return catalogue.execute(sql)


def documents_by_collection(catalogue: Catalogue) -> dict[str, int]:
    """Return how many active documents each collection has."""
    sql = "SELECT collection_id, count(*) FROM documents WHERE state = 'active' GROUP BY collection_id"
    return dict(catalogue.execute(sql))


def totals_by_collection(catalogue: Catalogue) -> dict[str, tuple[int, int]]:
    """Return how many active documents each collection has, and how many chunks they have."""
    sql = (
        "SELECT collection_id, count(*), coalesce(sum(chunks), 0) FROM documents WHERE state = 'active'"
        " GROUP BY collection_id"
    )
    return {str(row[0]): (int(row[1]), int(row[2])) for row in catalogue.execute(sql)}


def primary_documents(catalogue: Catalogue, collection_id: str) -> dict[str, int]:
    """Return how many active documents of a collection are primarily of each source."""
    sql = "SELECT source_id, count(*) FROM documents WHERE state = 'active' AND collection_id = ? GROUP BY source_id"
    return dict(catalogue.execute(sql, (collection_id,)))


def damage_seen_by_sqlite(catalogue: Catalogue) -> str:
    """Return what SQLite finds wrong with the file and its tables, empty when it finds nothing."""
    verdict = str(catalogue.value("PRAGMA quick_check"))
    return "" if verdict == "ok" else verdict


def places_with_issues(catalogue: Catalogue) -> Iterator[KnownPlace]:
    """Yield the places whose last look failed, was refused, or found no text, newest first."""
    sql = "SELECT * FROM locations WHERE outcome IN ('failed', 'rejected', 'empty') ORDER BY at DESC, source_id, key"
    return (KnownPlace(*row) for row in catalogue.stream(sql))


def places_of_thin_documents(catalogue: Catalogue) -> Iterator[tuple[KnownPlace, int]]:
    """Yield the first place of each active document that `is_thin`, with the number of its characters."""
    sql = (
        "SELECT d.document_id, d.bytes, d.chunks, (SELECT coalesce(sum(length(c.text)), 0) FROM chunks c"
        " WHERE c.document_id = d.document_id) FROM documents d"
        " WHERE d.state = 'active' AND d.bytes >= ?1 AND d.chunks <= ?2 + d.bytes / ?3"
        " AND d.media_type NOT IN (SELECT value FROM json_each(?4)) ORDER BY d.updated_at DESC, d.document_id"
    )
    sampled = orjson.dumps(SAMPLED_TYPES).decode()
    for row in catalogue.execute(sql, (THIN_FROM_BYTES, THIN_CHUNKS, THIN_BYTES_A_CHUNK, sampled)):
        if is_thin(row[1], row[2], row[3]):
            places = catalogue.locations_of(row[0])
            if places:
                yield places[0], int(row[3])


def quarantined_by_source(catalogue: Catalogue) -> list[tuple[str, int]]:
    """Return how many places of each source killed their parsers so often that they are left out; sources in order."""
    sql = "SELECT source_id, count(*) FROM kills WHERE kills >= ? GROUP BY source_id ORDER BY source_id"
    return [(str(row[0]), int(row[1])) for row in catalogue.execute(sql, (KILLS_BEFORE_QUARANTINE,))]


def quarantined_keys(catalogue: Catalogue, source_id: str) -> set[str]:
    """Return the keys of a source that are left out for killing their parsers."""
    sql = "SELECT key FROM kills WHERE source_id = ? AND kills >= ?"
    return {str(row[0]) for row in catalogue.execute(sql, (source_id, KILLS_BEFORE_QUARANTINE))}


def failed_by_source(catalogue: Catalogue) -> list[tuple[str, int]]:
    """Return how many places of each source failed in their last look, without quarantined ones; sources in order."""
    sql = (
        "SELECT source_id, count(*) FROM locations l WHERE outcome = 'failed' AND NOT EXISTS (SELECT 1 FROM kills k"
        " WHERE k.source_id = l.source_id AND k.key = l.key AND k.kills >= ?) GROUP BY source_id ORDER BY source_id"
    )
    return [(str(row[0]), int(row[1])) for row in catalogue.execute(sql, (KILLS_BEFORE_QUARANTINE,))]


def document_by_id(catalogue: Catalogue, document_id: str) -> Document | None:
    """Return a document by its id or a unique beginning of it."""
    found = catalogue.select_documents("WHERE document_id = ?", (document_id,))
    if not found and len(document_id) >= 4 and document_id.isalnum():  # noqa: PLR2004 - shorter is a typing error
        beginning = "WHERE document_id >= ? AND document_id < ? LIMIT 2"
        found = catalogue.select_documents(beginning, (document_id, document_id + "~"))
    return found[0] if len(found) == 1 else None


def documents_at(catalogue: Catalogue, address: str) -> list[Document]:
    """Return the documents whose uri or key is ``address``, here or retired."""
    return catalogue.select_documents(
        "WHERE uri = ?1 OR key = ?1 OR document_id IN"
        " (SELECT document_id FROM locations WHERE uri = ?1 OR key = ?1) ORDER BY state, uri",
        (address,),
    )


def retired_with(catalogue: Catalogue, collection_id: str, raw_sha256: str) -> list[Document]:
    """Return the documents in the trash whose newest version has these bytes."""
    where = "WHERE collection_id = ? AND raw_sha256 = ? AND state = 'retired'"
    return catalogue.select_documents(where, (collection_id, raw_sha256))


def locations_at(catalogue: Catalogue, address: str) -> list[KnownPlace]:
    """Return what is known of a uri or a key, places that have a document first."""
    sql = "SELECT * FROM locations WHERE uri = ?1 OR key = ?1 ORDER BY document_id IS NULL, source_id"
    rows = catalogue.execute(sql, (address,))
    return [KnownPlace(*row) for row in rows]


def versions_from(catalogue: Catalogue, uri: str) -> list[tuple[str, int]]:
    """Return the documents and versions that came from an address, the newest first."""
    sql = "SELECT document_id, version FROM versions WHERE uri = ? ORDER BY ingested_at DESC, version DESC"
    return [(row[0], row[1]) for row in catalogue.execute(sql, (uri,))]


def below(
    catalogue: Catalogue, folders: Collection[str], *, not_of: Collection[str] = ()
) -> tuple[int, int, dict[str, int]]:
    """Return what is known below addresses or keys that end in ``/``; nothing of the sources ``not_of``.

    The number of active documents there, of retired ones, and of items that became no document, by outcome.
    """
    spans = "SELECT value AS first, substr(value, 1, length(value) - 1) || '0' AS after FROM json_each(?1)"
    within = "({0}.uri >= s.first AND {0}.uri < s.after OR {0}.key >= s.first AND {0}.key < s.after)"
    given = (orjson.dumps(list(folders)).decode(), orjson.dumps(list(not_of)).decode())
    within += " AND {0}.source_id NOT IN (SELECT value FROM json_each(?2))"
    places = f"FROM locations l, ({spans}) s WHERE {within.format('l')}"
    documents = catalogue.value(f"SELECT count(DISTINCT l.document_id) {places}", given)
    retired = f"SELECT count(DISTINCT d.document_id) FROM documents d, ({spans}) s WHERE d.state = 'retired' AND "
    others = (
        f"SELECT l.outcome, count(DISTINCT l.source_id || ' ' || l.key) {places} AND l.document_id IS NULL GROUP BY 1"
    )
    outcomes = {str(row[0]): int(row[1]) for row in catalogue.execute(others, given)}
    return int(documents), int(catalogue.value(retired + within.format("d"), given)), outcomes


def count_documents_within(catalogue: Catalogue, containers: Collection[str]) -> int:
    """Return how many documents are in the containers at given addresses, whichever source they are of."""
    sql = (
        "SELECT count(DISTINCT l.document_id) FROM locations l, json_each(?) c"
        " WHERE l.document_id IS NOT NULL AND l.uri >= c.value ->> 0 AND l.uri < c.value ->> 1"
    )
    spans = orjson.dumps([keys_below(container) for container in containers]).decode()
    return int(catalogue.value(sql, (spans,)))


def addresses_ending_in(catalogue: Catalogue, ending: str, *, limit: int = 100) -> list[str]:
    """Return the addresses of items whose key, after a ``/``, or address ends so; those that are here first."""
    sql = (
        "SELECT uri FROM (SELECT uri, key, document_id IS NULL AS absent FROM locations"
        " UNION SELECT uri, key, 2 FROM documents WHERE state = 'retired')"
        " WHERE substr('/' || key, -length(?1)) = ?1 OR substr(uri, -length(?1)) = ?1"
        " GROUP BY uri ORDER BY min(absent), uri LIMIT ?2"
    )
    return [row[0] for row in catalogue.execute(sql, (ending, limit))]


def addresses_of_documents(catalogue: Catalogue, collection_id: str | None) -> Iterator[tuple[str, str, str]]:
    """Yield document id, address and key of each place of the searchable documents; None for all collections."""
    sql = (
        "SELECT d.document_id, l.uri, l.key FROM documents d JOIN locations l ON l.document_id = d.document_id"
        " WHERE d.state = 'active' AND (?1 IS NULL OR d.collection_id = ?1)"
    )
    yield from catalogue.stream(sql, (collection_id,))


def known_places(catalogue: Catalogue, *, last: str) -> Iterator[tuple[str, str, str | None, str]]:
    """Yield address, key, document and, where that is None, why, of all places; those of one collection at the end."""
    sql = (
        "SELECT uri, key, document_id, iif(document_id IS NULL, outcome || ': ' || reason, '') FROM locations"
        " ORDER BY collection_id = ?"
    )
    yield from catalogue.stream(sql, (last,))


def former_addresses(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Yield addresses that versions of searchable documents were read from, other than their present one."""
    sql = (
        "SELECT DISTINCT v.uri, v.document_id FROM versions v JOIN documents d USING (document_id)"
        " WHERE d.state = 'active' AND v.uri <> d.uri"
    )
    yield from catalogue.stream(sql)


def versions_of(catalogue: Catalogue, document_id: str) -> list[VersionRow]:
    """Return the versions of a document, newest first."""
    sql = "SELECT * FROM versions WHERE document_id = ? ORDER BY version DESC"
    return [VersionRow(*row) for row in catalogue.execute(sql, (document_id,))]


def documents_of_job(catalogue: Catalogue, job_id: str) -> list[str]:
    """Return the documents that a job has made a version of, by id."""
    sql = "SELECT DISTINCT document_id FROM versions WHERE job_id = ? ORDER BY document_id"
    return [row[0] for row in catalogue.execute(sql, (job_id,))]


def chosen_ids(catalogue: Catalogue, choice: DocumentChoice, filters: Sequence[QueryFilter] = ()) -> set[str]:
    """Return the ids of a choice of documents, narrowed by the filters of a query."""
    documents = narrowed_by_names(catalogue, documents_to_search(choice, filters), filters)
    sql = f"SELECT document_id FROM documents WHERE {documents.sql}"
    return {row[0] for row in catalogue.stream(sql, documents.values)}


def documents_to_search(choice: DocumentChoice, filters: Sequence[QueryFilter]) -> Condition:
    """Return which documents may be found.

    With a plus, so that SQLite reads the table of documents rather than an index by state, and each document through
    that: nearly all have the same one, and it takes five times as long.
    """
    sql, values = document_filter(choice)
    return narrowed(Condition(sql.replace(_OF_STATE, f"+{_OF_STATE}"), values), filters)


def is_met(catalogue: Catalogue, one: QueryFilter) -> bool:
    """Whether some document that may be found meets a filter of a query, or is what it excludes."""
    documents = documents_to_search({}, [one._replace(excluded=False)])
    return bool(catalogue.execute(f"SELECT 1 FROM documents WHERE {documents.sql} LIMIT 1", documents.values))


def search_text(
    catalogue: Catalogue,
    query: str | SearchQuery,
    *,
    limit: int = 20,
    all_chunks: bool = False,
    **choice: Unpack[DocumentChoice],
) -> list[SearchHit]:
    """Return the best hits of a choice of documents, see `FullText.search`; `UsageError` for a query without a word."""
    asked = parse_query(query) if isinstance(query, str) else query
    if asked.is_empty:
        raise UsageError("the query has no word to search for", hint="e.g. ingest-tui search 'rain gauge'")
    documents = documents_to_search(choice, asked.filters)
    return catalogue.full_text.search(asked, documents, limit=limit, all_chunks=all_chunks)


def documents_with_words(catalogue: Catalogue, query: SearchQuery, **choice: Unpack[DocumentChoice]) -> set[str]:
    """Return the ids of all documents of a choice that have what a query requires, and not what it excludes."""
    documents = documents_to_search(choice, query.filters)
    return catalogue.full_text.documents_with(query, documents)
