"""What a person may have meant by a word that is in no document: the nearest word that is in one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ingest_tui.index.base import Database
from ingest_tui.index.candidates import expression_of
from ingest_tui.model.analysis import occurrences
from ingest_tui.model.edit_distance import edit_distance
from ingest_tui.model.search_query import SearchQuery
from ingest_tui.model.search_terms import search_terms
from ingest_tui.model.tokens import fold

_SHORTEST: Final = 3
_LOOKED_AT: Final = 20_000
_READ_FOR_ITS_FORMS: Final = 10
"""So many chunks are read for the forms in which a term is written: one may have only 'conflicted'."""
_SHORT: Final = 5
"""Words below that length may differ in one letter, others in two."""


def suggestions(database: Database, query: SearchQuery) -> dict[str, str]:
    """Return the words of a query that are in no document, each with the nearest one that is."""
    languages = [row[0] for row in database.execute("SELECT language FROM word_languages")]
    found = {}
    for term in search_terms(query, languages):
        if term.part or term.is_phrase or term.is_beginning or not term.label.isalpha():
            continue
        if not database.execute("SELECT 1 FROM words WHERE words MATCH ? LIMIT 1", (expression_of(term),)):
            nearest = _nearest(database, fold(term.label))
            if nearest:
                found[term.label] = nearest
    return found


def _nearest(database: Database, word: str) -> str:
    allowed = 1 if len(word) < _SHORT else 2
    if len(word) < _SHORTEST:
        return ""
    best: tuple[int, int, str] | None = None
    for term, chunks in _similar_terms(database, word):
        if abs(len(term) - len(word)) <= allowed and term.isalpha():
            distance = edit_distance(word, term, allowed)
            if distance <= allowed and (best is None or (distance, -chunks, term) < best):
                best = distance, -chunks, term
    return _as_written(database, best[2], word) if best else ""


def _similar_terms(database: Database, word: str) -> Iterable[tuple[str, int]]:
    """Yield the terms that begin like the word, also with its first letters exchanged or the first one missing."""
    for beginning in dict.fromkeys((word[:2], word[1] + word[0], word[1:3], word[0])):
        sql = "SELECT term, doc FROM vocabulary WHERE term >= ? AND term < ? LIMIT ?"
        yield from database.execute(sql, (beginning, beginning + "\U0010ffff", _LOOKED_AT))


def _as_written(database: Database, term: str, word: str) -> str:
    """Return a word of a text that has this term: a term itself may be a stem."""
    sql = "SELECT text, language FROM chunks WHERE id IN (SELECT rowid FROM words WHERE words MATCH ? LIMIT ?)"
    written = {
        text[one.start : one.end].lower()
        for text, language in database.execute(sql, (f'"{term}"', _READ_FOR_ITS_FORMS))
        for one in occurrences(text, language)
        if term in (one.term, *one.forms)
    }
    return min(written, key=lambda form: (edit_distance(word, fold(form), len(word)), form), default=term)
