"""What people ask of the catalogue: documents by filter, versions, places, and full text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import apsw

from ingest_tui.model.document import Document, SearchHit
from ingest_tui.model.errors import UsageError
from ingest_tui.model.unicode import as_unicode
from ingest_tui.store.catalogue import Catalogue, LocationRow, VersionRow, chunk_id

_WORD = re.compile(r"[\w]+", re.UNICODE)
_MATCH_START, _MATCH_END = "\x02", "\x03"
_SNIPPET_TOKENS = 24
_HEADING_WEIGHT = 3.0


def find_documents(
    catalogue: Catalogue,
    *,
    collection_id: str | None = None,
    source_id: str | None = None,
    state: str | None = "active",
    contains: str = "",
    limit: int = 200,
    offset: int = 0,
) -> list[Document]:
    """Return documents by collection, source, state and a part of their address or title, ordered by address."""
    where, values = _document_filter(collection_id, source_id, state, contains)
    sql = f"SELECT * FROM documents WHERE {where} ORDER BY uri, document_id LIMIT ? OFFSET ?"
    return [Document(*row) for row in catalogue.execute(sql, (*values, limit, offset))]


def stream_documents(
    catalogue: Catalogue, *, collection_id: str | None = None, source_id: str | None = None
) -> Iterator[Document]:
    """Yield the active documents of a choice, ordered by address, as they were when the first was asked for.

    However many there are, they are not all in memory.
    """
    where, values = _document_filter(collection_id, source_id, "active", "")
    sql = f"SELECT * FROM documents WHERE {where} ORDER BY uri, document_id"
    return (Document(*row) for row in catalogue.stream(sql, values))


def count_documents(
    catalogue: Catalogue,
    *,
    collection_id: str | None = None,
    source_id: str | None = None,
    state: str | None = "active",
    contains: str = "",
) -> int:
    """Return how many documents `find_documents` would find."""
    where, values = _document_filter(collection_id, source_id, state, contains)
    return int(catalogue.value(f"SELECT count(*) FROM documents WHERE {where}", values))


def _document_filter(
    collection_id: str | None, source_id: str | None, state: str | None, contains: str
) -> tuple[str, list[Any]]:
    conditions, values = ["1"], []
    for column, value in (("collection_id", collection_id), ("state", state)):
        if value is not None:
            conditions.append(f"{column} = ?")
            values.append(value)
    if source_id is not None:
        conditions.append("document_id IN (SELECT document_id FROM locations WHERE source_id = ?)")
        values.append(source_id)
    if contains:
        pattern = "%" + as_unicode(contains).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        conditions.append("(uri LIKE ? ESCAPE '\\' OR key LIKE ? ESCAPE '\\' OR title LIKE ? ESCAPE '\\')")
        values += [pattern, pattern, pattern]
    return " AND ".join(conditions), values


def document_by_id(catalogue: Catalogue, document_id: str) -> Document | None:
    """Return a document by its id or a unique beginning of it."""
    rows = catalogue.execute("SELECT * FROM documents WHERE document_id = ?", (document_id,))
    if not rows and len(document_id) >= 4 and document_id.isalnum():  # noqa: PLR2004 - shorter is a typing error
        sql = "SELECT * FROM documents WHERE document_id >= ? AND document_id < ? LIMIT 2"
        rows = catalogue.execute(sql, (document_id, document_id + "~"))
    return Document(*rows[0]) if len(rows) == 1 else None


def documents_at(catalogue: Catalogue, address: str) -> list[Document]:
    """Return the documents whose uri or key is ``address``, here or retired."""
    sql = (
        "SELECT * FROM documents WHERE uri = ?1 OR key = ?1 OR document_id IN"
        " (SELECT document_id FROM locations WHERE uri = ?1 OR key = ?1) ORDER BY state, uri"
    )
    return [Document(*row) for row in catalogue.execute(sql, (address,))]


def locations_at(catalogue: Catalogue, address: str) -> list[LocationRow]:
    """Return what is known of a uri or a key, places that have a document first."""
    sql = "SELECT * FROM locations WHERE uri = ?1 OR key = ?1 ORDER BY document_id IS NULL, source_id"
    rows = catalogue.execute(sql, (address,))
    return [LocationRow(*row) for row in rows]


def versions_of(catalogue: Catalogue, document_id: str) -> list[VersionRow]:
    """Return the versions of a document, newest first."""
    sql = "SELECT * FROM versions WHERE document_id = ? ORDER BY version DESC"
    return [VersionRow(*row) for row in catalogue.execute(sql, (document_id,))]


def search_text(
    catalogue: Catalogue, query: str, *, collection_id: str | None = None, limit: int = 20
) -> list[SearchHit]:
    """Return the best chunks for a query: all words must occur, headings weigh three times the text (BM25).

    Words in double quotes must follow each other; a word ending in ``*`` matches beginnings; ``OR`` and ``NOT`` work
    between words. Anything else a person types is searched for literally. Raises `UsageError` for an empty query.
    """
    sql = (
        "SELECT d.document_id, c.ordinal, d.title, d.uri, d.collection_id, d.version, c.heading,"
        f" snippet(chunks_fts, 1, '{_MATCH_START}', '{_MATCH_END}', '…', {_SNIPPET_TOKENS}), c.text,"
        f" -bm25(chunks_fts, {_HEADING_WEIGHT}, 1.0) AS score"
        " FROM chunks_fts JOIN chunks c ON c.id = chunks_fts.rowid JOIN documents d ON d.document_id = c.document_id"
        " WHERE chunks_fts MATCH ? AND (?2 IS NULL OR d.collection_id = ?2) AND d.state = 'active'"
        " ORDER BY score DESC, d.uri, c.ordinal LIMIT ?3"
    ).replace("MATCH ?", "MATCH ?1")
    try:
        rows = catalogue.execute(sql, (fts_query(query), collection_id, limit))
    except apsw.SQLError:
        rows = catalogue.execute(sql, (_literally(query), collection_id, limit))
    return [
        SearchHit(
            document_id=row[0],
            chunk_id=chunk_id(row[0], row[1]),
            title=row[2],
            uri=row[3],
            collection_id=row[4],
            version=row[5],
            heading_path=row[6],
            snippet=row[7],
            text=row[8],
            score=round(row[9], 4),
        )
        for row in rows
    ]


def fts_query(query: str) -> str:
    """Return the FTS5 expression for what a person typed; raises `UsageError` when there is no word in it."""
    parts: list[str] = []
    for quoted, bare in re.findall(r'"([^"]*)"|(\S+)', query):
        if bare in {"OR", "NOT", "AND"} and parts and parts[-1] not in {"OR", "NOT", "AND"}:
            parts.append(bare)
            continue
        words = _WORD.findall(quoted or bare)
        if not words:
            continue
        parts.append('"' + " ".join(words) + '"' + ("*" if bare.endswith("*") else ""))
    while parts and parts[-1] in {"OR", "NOT", "AND"}:
        parts.pop()
    if not parts:
        raise UsageError("the query has no word to search for", hint="e.g. ingest-tui search 'rain gauge'")
    return " ".join(parts)


def _literally(query: str) -> str:
    return " ".join(f'"{word}"' for word in _WORD.findall(query))
