"""The full text of a catalogue that an older program made: it answers until its chunks are in the new one.

Every writer brings some of them over after what it writes, in a transaction each, so that ending it anywhere loses
nothing. What is written meanwhile goes into both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Final

from ingest_tui.index.base import NUMBERED_CHUNKS, Database
from ingest_tui.model.analysis import stemming_language
from ingest_tui.model.document import Chunk
from ingest_tui.model.language import detect_language
from ingest_tui.model.search_query import QueryWord, SearchQuery

_POSITION: Final = "full_text_made_to"
_PIECE_OF_TEXT = 2000


class OldFullText:
    """Tables of FTS5 over the texts themselves: ``chunks_fts``."""

    table: Final = "chunks_fts"
    row_table: Final = "chunks_fts_docsize"

    def __init__(self, database: Database) -> None:
        self._database = database

    @cached_property
    def is_in_use(self) -> bool:
        """Whether the new full text is not whole yet; asked for once, as this object is made for each use."""
        return bool(self._database.value("SELECT 1 FROM sqlite_schema WHERE name = 'chunks_fts'"))

    def insert(self, numbered: Iterable[tuple[int, Chunk]]) -> None:
        """Add chunks by their numbers."""
        self._database.connection.executemany(
            "INSERT INTO chunks_fts (rowid, heading, text) VALUES (?, ?, ?)",
            ((number, chunk.heading, chunk.text) for number, chunk in numbered),
        )

    def remove(self, document_id: str) -> None:
        """Take the chunks of a document out, which are still in their table."""
        old = self._database.execute("SELECT id, heading, text FROM chunks WHERE document_id = ?", (document_id,))
        self._database.connection.executemany(
            "INSERT INTO chunks_fts (chunks_fts, rowid, heading, text) VALUES ('delete', ?, ?, ?)", old
        )

    def next_chunks(self, limit: int) -> list[tuple[int, Chunk]]:
        """Return the next chunks that are not in the new full text, with their languages."""
        position = int(self._database.value("SELECT value FROM meta WHERE name = ?", (_POSITION,)) or 0)
        sql = f"{NUMBERED_CHUNKS} WHERE c.id > ? AND c.id NOT IN (SELECT id FROM words_docsize) ORDER BY c.id LIMIT ?"
        rows = self._database.execute(sql, (position, limit))
        numbered = [(number, Chunk(*columns)) for number, *columns in rows]
        return [(number, self._in_its_language(chunk)) for number, chunk in numbered]

    def _in_its_language(self, chunk: Chunk) -> Chunk:
        """Return a chunk with the language of its document, which the other chunks of that have already or now."""
        if chunk.language:
            return chunk
        sql = "SELECT text FROM chunks WHERE document_id = ? ORDER BY ordinal LIMIT 4"
        texts = self._database.execute(sql, (chunk.document_id,))
        beginning = "\n".join(row[0] for row in texts)[:_PIECE_OF_TEXT]
        return chunk._replace(language=stemming_language(detect_language(beginning)))

    def note_progress(self, numbered: Sequence[tuple[int, Chunk]]) -> None:
        """Note the languages that were detected, and up to where all chunks are in the new full text."""
        self._database.connection.executemany(
            "UPDATE chunks SET language = ? WHERE id = ?", ((chunk.language, number) for number, chunk in numbered)
        )
        self._database.execute("REPLACE INTO meta VALUES (?, ?)", (_POSITION, str(numbered[-1][0])))

    def drop(self) -> None:
        """Have the new full text answer from now on."""
        self._database.execute("DROP TABLE chunks_fts")
        self._database.execute("DELETE FROM meta WHERE name = ?", (_POSITION,))


def old_expression(query: SearchQuery) -> str:
    """Return what the old full text is asked for: words as they are written; empty where there is none."""
    wanted = " OR ".join(_quoted(word) for clause in query.clauses for word in clause.words)
    needed = [
        "(" + " OR ".join(_quoted(word) for word in clause.words) + ")" for clause in query.clauses if clause.required
    ]
    expression = " AND ".join([*needed, f"({wanted})"]) if wanted else ""
    unwanted = " OR ".join(_quoted(word) for word in query.excluded)
    return f"({expression}) NOT ({unwanted})" if expression and unwanted else expression


def _quoted(word: QueryWord) -> str:
    text = word.text.replace('"', " ").replace("\0", " ")
    return f'"{text}"' + (" *" if word.kind == "beginning" else "")
