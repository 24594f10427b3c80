"""What rows of the catalogue must be to each other, asked by `store.verify`; each answer names a document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import orjson

from ingest_tui.model.document import Document
from ingest_tui.model.place import KnownPlace, PlaceKey
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.rows import VersionRow

_ROWS = {
    "place_without_document": """
        SELECT l.document_id, 'a place of it is ' || min(l.key) || ', but it is '
            || coalesce(d.state, 'not in the catalogue')
        FROM locations l LEFT JOIN documents d USING (document_id)
        WHERE l.document_id IS NOT NULL AND d.state IS NOT 'active' GROUP BY l.document_id
    """,
    "place_in_other_collection": """
        SELECT DISTINCT d.document_id, 'a place of it is in another collection' FROM locations l
        JOIN documents d USING (document_id) WHERE l.collection_id <> d.collection_id
    """,
    "document_without_place": """
        SELECT document_id, 'it is searchable, but has no place' FROM documents d WHERE state = 'active'
        AND NOT EXISTS (SELECT 1 FROM locations l WHERE l.document_id = d.document_id)
    """,
    "primary_place_unknown": """
        SELECT document_id, key || ' is no place of it' FROM documents d WHERE state = 'active'
        AND EXISTS (SELECT 1 FROM locations l WHERE l.document_id = d.document_id)
        AND NOT EXISTS (SELECT 1 FROM locations l WHERE (l.document_id, l.source_id, l.key, l.uri)
            = (d.document_id, d.source_id, d.key, d.uri))
    """,
    "chunks_differ": """
        SELECT document_id, 'has ' || (SELECT count(*) FROM chunks c WHERE c.document_id = d.document_id)
            || ' chunks instead of ' || iif(state = 'active', chunks, 0) FROM documents d
        WHERE (SELECT (count(*), count(DISTINCT ordinal)) = (iif(d.state = 'active', d.chunks, 0),
            iif(d.state = 'active', d.chunks, 0)) FROM chunks c WHERE c.document_id = d.document_id) = 0
    """,
    "chunks_without_document": """
        SELECT DISTINCT document_id, 'it has chunks, but is not in the catalogue' FROM chunks c
        WHERE NOT EXISTS (SELECT 1 FROM documents d WHERE d.document_id = c.document_id)
    """,
    "version_without_document": """
        SELECT DISTINCT document_id, 'it has versions, but is not in the catalogue' FROM versions v
        WHERE NOT EXISTS (SELECT 1 FROM documents d WHERE d.document_id = v.document_id)
    """,
}
# A document that waits for its source has no hashes: that says nothing of what it is the same as.
_TWINS = """
    SELECT d.document_id, 'the same {column} as document ' || twin.first FROM documents d JOIN (
        SELECT collection_id, {column}, min(document_id) AS first FROM documents
        WHERE state = 'active' AND {column} <> '' GROUP BY 1, 2 HAVING count(*) > 1
    ) twin USING (collection_id, {column}) WHERE state = 'active' AND document_id <> twin.first
"""
_SHARED_ADDRESSES = """
    SELECT l.document_id, l.uri, shared.first FROM locations l JOIN documents d USING (document_id) JOIN (
        SELECT p.collection_id, p.uri, min(p.document_id) AS first FROM locations p JOIN documents o USING (document_id)
        WHERE o.state = 'active' GROUP BY 1, 2 HAVING count(DISTINCT p.document_id) > 1
    ) shared ON shared.collection_id = l.collection_id AND shared.uri = l.uri
    WHERE d.state = 'active' AND l.document_id <> shared.first
"""
_TRIGGERS = {"document_added", "document_changed", "document_purged"}
_FEED = """
    SELECT c.document_id, 'the feed ends with ' || c.kind || ' of version ' || c.version FROM changes c
    LEFT JOIN documents d USING (document_id)
    WHERE c.sequence IN (SELECT max(sequence) FROM changes GROUP BY document_id)
    AND CASE WHEN d.document_id IS NULL THEN c.kind <> 'purged'
        ELSE c.kind = 'purged' OR (c.kind = 'retired') <> (d.state = 'retired') OR c.version <> d.version END
"""
# The last number that was given is kept apart from the rows: so one that is missing at the end is counted too.
_GAPS = """
    SELECT coalesce(max((SELECT seq FROM sqlite_sequence WHERE name = 'changes'), max(sequence)) - min(sequence) + 1
        - count(*), 0) FROM changes
"""


class RowProblem(NamedTuple):
    """Rows that contradict each other: the code, the document, and in which way."""

    code: str
    document_id: str
    message: str


class KnownDocument(NamedTuple):
    """All that the catalogue has of one document, but for its chunks."""

    document: Document
    versions: list[VersionRow]
    places: list[KnownPlace]


def row_problems(catalogue: Catalogue) -> Iterator[RowProblem]:
    """Yield what contradicts itself in documents, places, versions and chunks."""
    for code, sql in _ROWS.items():
        yield from (RowProblem(code, *row) for row in catalogue.stream(sql))
    for column in ("raw_sha256", "content_hash"):
        sql = _TWINS.format(column=column)
        yield from (RowProblem("same_content", *row) for row in catalogue.stream(sql))


def shared_addresses(catalogue: Catalogue) -> Iterator[tuple[str, str, str]]:
    """Yield addresses that more than one active document of a collection has: the later one, the address, the first."""
    return catalogue.stream(_SHARED_ADDRESSES)


def feed_problems(catalogue: Catalogue) -> Iterator[RowProblem]:
    """Yield how the change feed does not say what became of documents."""
    found = {name for (name,) in catalogue.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")}
    if _TRIGGERS - found or not catalogue.value("SELECT count(*) FROM meta WHERE name = 'epoch'"):
        yield RowProblem("feed_not_written", "", "the triggers that write it, or its epoch, are missing")
    if missing := catalogue.value(_GAPS):
        yield RowProblem("feed_has_gaps", "", f"{missing} of its changes are missing")
    yield from (RowProblem("feed_differs", *row) for row in catalogue.stream(_FEED))


def known_documents_after(
    catalogue: Catalogue, last: str, *, limit: int, source_id: str = "", since: str = ""
) -> list[KnownDocument]:
    """Return the next documents by id, those after ``last``, retired ones too; of one source, or changed since."""
    clauses, values = ["document_id > ?"], [last]
    if source_id:
        clauses.append("(source_id = ? OR document_id IN (SELECT document_id FROM locations WHERE source_id = ?))")
        values += [source_id, source_id]
    if since:
        clauses.append("updated_at >= ?")
        values.append(since)
    where = f"WHERE {' AND '.join(clauses)} ORDER BY document_id LIMIT {int(limit)}"
    return _with_rows(catalogue, catalogue.select_documents(where, values))


def known_documents(catalogue: Catalogue, document_ids: Sequence[str]) -> list[KnownDocument]:
    """Return what is known of documents by id."""
    return _with_rows(catalogue, list(catalogue.documents(document_ids).values()))


def _with_rows(catalogue: Catalogue, documents: list[Document]) -> list[KnownDocument]:
    ids = orjson.dumps([document.document_id for document in documents]).decode()
    chosen = "WHERE document_id IN (SELECT value FROM json_each(?))"
    versions: dict[str, list[VersionRow]] = {}
    for row in catalogue.execute(f"SELECT * FROM versions {chosen} ORDER BY document_id, version", (ids,)):
        versions.setdefault(row[0], []).append(VersionRow(*row))
    places: dict[str, list[KnownPlace]] = {}
    for row in catalogue.execute(f"SELECT * FROM locations {chosen} ORDER BY source_id, key", (ids,)):
        place = KnownPlace(*row)
        places.setdefault(place.document_id or "", []).append(place)
    return [
        KnownDocument(document, versions.get(document.document_id, []), places.get(document.document_id, []))
        for document in documents
    ]


def is_in_scope(catalogue: Catalogue, document_id: str, *, source_id: str, since: str) -> bool:
    """Whether a document is of a source, and has changed since a time; empty: of any, at any time."""
    sql = (
        "SELECT 1 FROM documents WHERE document_id = ?1 AND (?2 = '' OR source_id = ?2 OR EXISTS (SELECT 1 FROM"
        " locations l WHERE l.document_id = ?1 AND l.source_id = ?2)) AND updated_at >= ?3"
    )
    return bool(catalogue.execute(sql, (document_id, source_id, since)))


def versions_with(catalogue: Catalogue, column: str, value: str) -> list[tuple[str, str, int, str]]:
    """Return the versions with a ``raw_sha256`` or a ``content_hash``: collection, document, number, and its state."""
    if column not in {"raw_sha256", "content_hash"}:
        raise ValueError(column)
    sql = (
        "SELECT d.collection_id, v.document_id, v.version, d.state FROM versions v JOIN documents d USING (document_id)"
        f" WHERE v.{column} = ? LIMIT 20"
    )
    return [(str(row[0]), str(row[1]), int(row[2]), str(row[3])) for row in catalogue.execute(sql, (value,))]


def places_naming(catalogue: Catalogue, document_id: str) -> list[PlaceKey]:
    """Return the places that name a document, whether it is there or not."""
    sql = "SELECT source_id, key FROM locations WHERE document_id = ?"
    return [(row[0], row[1]) for row in catalogue.execute(sql, (document_id,))]


def forget_document(catalogue: Catalogue, document_id: str, *, but_for: Iterable[int] = ()) -> None:
    """Within a transaction: delete the versions of a document that are not among ``but_for``."""
    kept = set(but_for)
    rows = catalogue.execute("SELECT version FROM versions WHERE document_id = ?", (document_id,))
    catalogue.forget_versions((document_id, version) for (version,) in rows if version not in kept)


def begin_epoch(catalogue: Catalogue) -> None:
    """Begin a new epoch of the change feed: who follows it compares what it has with what is here."""
    with catalogue.transaction():
        catalogue.execute("DELETE FROM changes")
        epoch = catalogue.value("SELECT value FROM meta WHERE name = 'epoch'") or ""
        catalogue.execute("REPLACE INTO meta VALUES ('previous_epoch', ?)", (epoch,))
        catalogue.execute("REPLACE INTO meta VALUES ('epoch', lower(hex(randomblob(16))))")
