"""The full text: the words of chunks, of the headings above them and of the names of documents, in FTS5.

What is indexed was analysed before (`model.analysis`): FTS5 only splits at spaces, keeps no text of its own, and is
written in the transaction of the catalogue.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Final

import orjson

from ingest_tui.index import document_names
from ingest_tui.index.base import NUMBERED_CHUNKS, Condition, Database, Index
from ingest_tui.index.earlier_words import EarlierWords
from ingest_tui.index.old_full_text import OldFullText
from ingest_tui.model.analysis import FORM_SIGNS, analyse
from ingest_tui.model.batching import batches
from ingest_tui.model.chunk_words import analyse_chunk
from ingest_tui.model.counted import counted
from ingest_tui.model.document import CHUNK_COLUMNS, Chunk, SearchHit
from ingest_tui.model.search_query import SearchQuery

if TYPE_CHECKING:
    from ingest_tui.index.text_search import TextSearch

# The weights by which the best chunks are chosen; those that rank them are in model.ranking.
_WORDS: Final = f"""
CREATE VIRTUAL TABLE words USING fts5(
    name, heading, text, forms, content='', contentless_delete=1, tokenize="ascii tokenchars '{FORM_SIGNS}'"
);
INSERT INTO words (words, rank) VALUES ('rank', 'bm25(2.0, 3.0, 1.0, 0.3)');
CREATE VIRTUAL TABLE vocabulary USING fts5vocab('words', 'row');
CREATE TABLE word_languages (language TEXT PRIMARY KEY) WITHOUT ROWID;
"""
TABLES: Final = f"""
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY, document_id TEXT NOT NULL, ordinal INTEGER NOT NULL, heading TEXT NOT NULL,
    text TEXT NOT NULL, page INTEGER, start INTEGER, end INTEGER, language TEXT NOT NULL DEFAULT ''
);
CREATE INDEX chunks_by_document ON chunks (document_id, ordinal);
{_WORDS}
{document_names.TABLES}
"""

UPGRADE_TO_OFFSETS: Final = """
ALTER TABLE chunks ADD COLUMN page INTEGER;
ALTER TABLE chunks ADD COLUMN start INTEGER;
ALTER TABLE chunks ADD COLUMN end INTEGER;
"""
"""Chunks that are there have no offsets until they are made again."""

UPGRADE_TO_WORDS: Final = f"""
ALTER TABLE chunks ADD COLUMN language TEXT NOT NULL DEFAULT '';
{_WORDS}
"""
"""The old full text answers until all chunks are in the new one, see `OldFullText`."""

_INSERT_CHUNK = f"INSERT INTO chunks VALUES (?{', ?' * len(CHUNK_COLUMNS)})"
_CHUNKS_AT_ONCE: Final = 500
_INSERT_WORDS = "INSERT INTO words (rowid, name, heading, text, forms) VALUES (?, ?, ?, ?, ?)"


class FullText(Index):
    """The full text of a catalogue. Made for each use, as it keeps nothing but the connection."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._old = OldFullText(database)
        self._earlier = EarlierWords(database)

    # What is written; all within a transaction of the caller

    def replace(self, document_ids: Iterable[str], chunks: Iterable[Chunk]) -> None:
        """Take documents out and add ``chunks``: theirs, and those of documents that are new.

        The names of documents are searched too: their rows are written before.
        """
        self.remove(document_ids)
        first = (self._database.value("SELECT max(id) FROM chunks") or 0) + 1
        connection = self._database.connection
        for numbered in batches(enumerate(chunks, first), _CHUNKS_AT_ONCE):
            connection.executemany(
                _INSERT_CHUNK, ((number, chunk.document_id, *chunk[2:-1]) for number, chunk in numbered)
            )
            self._insert_words(numbered)
            document_names.insert(self._database, _first(numbered))
            if self._old.is_in_use:
                self._old.insert(numbered)

    def _insert_words(self, numbered: list[tuple[int, Chunk]]) -> None:
        connection = self._database.connection
        names = self._names({chunk.document_id for _, chunk in numbered if chunk.ordinal == 0})
        rows = []
        for number, chunk in numbered:
            words = chunk.words or analyse_chunk(chunk.heading, chunk.text, chunk.language)
            name, forms = "", words.forms
            if chunk.ordinal == 0 and chunk.document_id in names:
                title, file_name = names[chunk.document_id]
                # A title that is a heading above the chunk is found there, and weighs more.
                named = file_name if title == file_name or chunk.heading.startswith(title) else f"{title}\n{file_name}"
                analysed = analyse(named, chunk.language)
                name, forms = analysed.terms, f"{forms} {analysed.forms}"
            rows.append((number, name, words.heading, words.text, forms))
        connection.executemany(_INSERT_WORDS, rows)
        languages = {(chunk.language,) for _, chunk in numbered}
        connection.executemany("INSERT OR IGNORE INTO word_languages VALUES (?)", languages)

    def _names(self, document_ids: set[str]) -> dict[str, tuple[str, str]]:
        """Return the title and the file name of documents."""
        sql = (
            "SELECT document_id, title, file_name FROM documents WHERE document_id IN (SELECT value FROM json_each(?))"
        )
        rows = self._database.execute(sql, (orjson.dumps(list(document_ids)).decode(),))
        return {row[0]: (row[1], row[2]) for row in rows}

    def remove(self, document_ids: Iterable[str]) -> None:
        """Take documents out; one that is not in it is none the worse."""
        connection = self._database.connection
        for document_id in document_ids:
            sql = "SELECT id FROM chunks WHERE document_id = ? ORDER BY ordinal"
            ids = self._database.execute(sql, (document_id,))
            if not ids:
                continue
            if self._old.is_in_use:
                self._old.remove(document_id)
            connection.executemany("DELETE FROM words WHERE rowid = ?", ids)
            document_names.remove(self._database, [ids[0][0]])
            connection.execute("DELETE FROM chunks WHERE document_id = ?", (document_id,))

    def rename(self, document_ids: Iterable[str]) -> None:
        """Have documents found by the title, the file name and the address that they have now."""
        for document_id in document_ids:
            sql = f"{NUMBERED_CHUNKS} WHERE document_id = ? AND c.ordinal = 0"
            for number, *columns in self._database.execute(sql, (document_id,)):
                self._database.execute("DELETE FROM words WHERE rowid = ?", (number,))
                self._insert_words([(number, Chunk(*columns))])
                document_names.remove(self._database, [number])
                document_names.insert(self._database, [number])

    def restore_words(self) -> None:
        """Make chunks, their words and the names of their documents agree again: what `differences` finds."""
        document_names.restore(self._database)
        entries = self._database.execute("SELECT id FROM words_docsize WHERE id NOT IN (SELECT id FROM chunks)")
        self._database.connection.executemany("DELETE FROM words WHERE rowid = ?", entries)
        sql = f"{NUMBERED_CHUNKS} WHERE c.id NOT IN (SELECT id FROM words_docsize)"
        if not self._old.is_in_use:
            self._insert_words([(number, Chunk(*columns)) for number, *columns in self._database.execute(sql)])

    @property
    def is_incomplete(self) -> bool:
        """Whether an old full text still answers, or words are those of an earlier analyser."""
        return self._old.is_in_use or self._earlier.are_there

    def continue_reindex(self, chunks: int) -> bool:
        """Bring the next ``chunks`` of an old catalogue into the new full text; False when there is nothing to do."""
        if not self._old.is_in_use:
            return self._earlier.are_there and self._make_words_again(chunks)
        numbered = self._old.next_chunks(chunks)
        if numbered:
            self._insert_words(numbered)
            self._old.note_progress(numbered)
        else:
            self._old.drop()
        return True

    def _make_words_again(self, chunks: int) -> bool:
        numbered = self._earlier.next_chunks(chunks)
        self._database.connection.executemany(
            "DELETE FROM words WHERE rowid = ?", [(number,) for number, _ in numbered]
        )
        self._insert_words(numbered)
        self._earlier.note_progress(numbered)
        return True

    # What is asked

    def search(
        self, query: SearchQuery, documents: Condition, *, limit: int, all_chunks: bool = False
    ) -> list[SearchHit]:
        """Return the best hits, the best first: one for each document, or with ``all_chunks`` one for each chunk."""
        return self._reading(documents).search(query, limit=limit, all_chunks=all_chunks)

    def documents_with(self, query: SearchQuery, documents: Condition) -> set[str]:
        """Return all documents that `search` finds without a limit, without ranking them."""
        return self._reading(documents).documents_with(query)

    def having(self, query: SearchQuery, document_ids: Collection[str]) -> set[str]:
        """Return which of some documents have all that a query requires, quoted or not, and nothing it excludes."""
        return self._reading(Condition("1")).having(query, document_ids)

    def _reading(self, documents: Condition) -> TextSearch:
        from ingest_tui.index.text_search import TextSearch  # who only writes need not load it

        return TextSearch(self._database, documents, self._old)

    def suggestions(self, query: SearchQuery) -> dict[str, str]:
        """Return the words of a query that are in no document, each with the nearest one that is."""
        from ingest_tui.index.suggestions import suggestions

        return {} if self._old.is_in_use else suggestions(self._database, query)

    def chunks_of(self, document_id: str) -> list[Chunk]:
        """Return the chunks of a document in order; one in the trash has none."""
        return list(self.stream_chunks_of(document_id))

    def stream_chunks_of(self, document_id: str) -> Iterator[Chunk]:
        """Yield the chunks of a document in order, one after the other."""
        sql = f"{NUMBERED_CHUNKS} WHERE document_id = ? ORDER BY c.ordinal"
        for _, *columns in self._database.stream(sql, (document_id,)):
            yield Chunk(*columns)

    def chunks_at(self, places: Iterable[tuple[str, int]]) -> list[Chunk]:
        """Return the chunks at some places, in no order: a document, and the number of the chunk in it."""
        numbers = (
            "SELECT one.id FROM json_each(?) place CROSS JOIN chunks one"
            " ON one.document_id = place.value ->> 0 AND one.ordinal = place.value ->> 1"
        )
        sql = f"{NUMBERED_CHUNKS} WHERE c.id IN ({numbers})"
        return [Chunk(*row[1:]) for row in self._database.execute(sql, (orjson.dumps(list(places)).decode(),))]

    def differences(self) -> list[str]:
        """Return in which ways the chunks, their words and the names of their documents differ, with numbers."""
        found = []
        words = self._old.row_table if self._old.is_in_use else "words_docsize"
        for one, other, thing, things in (
            ("chunks", words, "chunk cannot be searched", "chunks cannot be searched"),
            (words, "chunks", "entry of the full text has no chunk", "entries of the full text have no chunk"),
        ):
            missing = self._database.value(f"SELECT count(*) FROM {one} WHERE id NOT IN (SELECT id FROM {other})")
            if missing:
                found.append(counted(missing, thing, things))
        return found + document_names.differences(self._database)


def _first(numbered: Iterable[tuple[int, Chunk]]) -> list[int]:
    """Return the numbers of those chunks that are the first of their documents."""
    return [number for number, chunk in numbered if chunk.ordinal == 0]
