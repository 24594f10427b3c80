"""The full text: words of chunks and of the headings above them, in tables of FTS5 within the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import apsw

from ingest_tui.index.base import Chunk, Condition, Database, Index
from ingest_tui.model.document import DocumentChunk, SearchHit, chunk_id
from ingest_tui.model.errors import UsageError

TABLES: Final = """
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY, document_id TEXT NOT NULL, ordinal INTEGER NOT NULL, heading TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX chunks_by_document ON chunks (document_id, ordinal);
CREATE VIRTUAL TABLE chunks_fts USING fts5(
    heading, text, content='chunks', content_rowid='id', tokenize="unicode61 remove_diacritics 2"
);
"""

_WORD = re.compile(r"[\w]+", re.UNICODE)
_MATCH_START, _MATCH_END = "\x02", "\x03"
_SNIPPET_TOKENS = 24
_HEADING_WEIGHT = 3.0


class FullText(Index):
    """The full text of a catalogue. Made for each use, as it keeps nothing but the connection."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # What is written; all within a transaction of the caller

    def replace(self, document_ids: Iterable[str], chunks: Iterable[Chunk]) -> None:
        """Take documents out and add ``chunks``: theirs, and those of documents that are new."""
        self.remove(document_ids)
        first = (self._database.value("SELECT max(id) FROM chunks") or 0) + 1
        numbered = [(number, *chunk) for number, chunk in enumerate(chunks, first)]
        connection = self._database.connection
        connection.executemany("INSERT INTO chunks VALUES (?, ?, ?, ?, ?)", numbered)
        connection.executemany(
            "INSERT INTO chunks_fts (rowid, heading, text) VALUES (?, ?, ?)",
            ((row[0], row[3], row[4]) for row in numbered),
        )

    def remove(self, document_ids: Iterable[str]) -> None:
        """Take documents out; one that is not in it is none the worse."""
        connection = self._database.connection
        for document_id in document_ids:
            sql = "SELECT id, heading, text FROM chunks WHERE document_id = ?"
            old = self._database.execute(sql, (document_id,))
            if old:
                connection.executemany(
                    "INSERT INTO chunks_fts (chunks_fts, rowid, heading, text) VALUES ('delete', ?, ?, ?)", old
                )
                connection.execute("DELETE FROM chunks WHERE document_id = ?", (document_id,))

    # What is asked

    def search(self, query: str, documents: Condition, *, limit: int) -> list[SearchHit]:
        """Return the best chunks: all words must occur, headings weigh three times the text (BM25).

        Words in double quotes must follow each other; a word ending in ``*`` matches beginnings; ``OR`` and ``NOT``
        work between words. Anything else a person types is searched for literally. Raises `UsageError` for an empty
        query.
        """
        sql = (
            "SELECT d.document_id, c.ordinal, d.title, d.uri, d.collection_id, d.version, c.heading,"
            f" snippet(chunks_fts, 1, '{_MATCH_START}', '{_MATCH_END}', '…', {_SNIPPET_TOKENS}), c.text,"
            f" -bm25(chunks_fts, {_HEADING_WEIGHT}, 1.0) AS score"
            " FROM chunks_fts JOIN chunks c ON c.id = chunks_fts.rowid"
            " JOIN documents d ON d.document_id = c.document_id"
            f" WHERE chunks_fts MATCH ? AND d.document_id IN (SELECT document_id FROM documents WHERE {documents.sql})"
            " ORDER BY score DESC, d.uri, c.ordinal LIMIT ?"
        )
        try:
            rows = self._database.execute(sql, (fts_query(query), *documents.values, limit))
        except apsw.SQLError:
            rows = self._database.execute(sql, (_literally(query), *documents.values, limit))
        return [
            SearchHit(
                document_id=row[0],
                chunk_id=chunk_id(row[0], row[5], row[1]),
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

    def chunks_of(self, document_id: str) -> list[DocumentChunk]:
        """Return the chunks of a document in order; one in the trash has none."""
        sql = (
            "SELECT d.version, c.ordinal, c.heading, c.text FROM chunks c JOIN documents d USING (document_id)"
            " WHERE document_id = ? ORDER BY c.ordinal"
        )
        rows = self._database.execute(sql, (document_id,))
        return [DocumentChunk(chunk_id(document_id, row[0], row[1]), *row[1:]) for row in rows]

    def numbers_of_chunks(self) -> dict[str, tuple[int, int]]:
        """Return of each document that can be found how many chunks it has, and how many different numbers these."""
        sql = "SELECT document_id, count(*), count(DISTINCT ordinal) FROM chunks GROUP BY 1"
        return {row[0]: (row[1], row[2]) for row in self._database.stream(sql)}

    def differences(self) -> list[str]:
        """Return in which ways the chunks and their words differ, with numbers."""
        found = []
        for one, other, message in (
            ("chunks", "chunks_fts_docsize", "chunks cannot be searched"),
            ("chunks_fts_docsize", "chunks", "entries of the full text have no chunk"),
        ):
            missing = self._database.value(f"SELECT count(*) FROM {one} WHERE id NOT IN (SELECT id FROM {other})")
            if missing:
                found.append(f"{missing} {message}")
        return found


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
