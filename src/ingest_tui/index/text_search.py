"""One search in the full text: candidates from FTS5, ranked by their texts, one hit for each document."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Final, NamedTuple

import orjson

from ingest_tui.index.base import Condition, Database
from ingest_tui.index.candidates import RANKED, CandidateQuery, candidate_queries, expression_of, weigh
from ingest_tui.index.document_names import narrowed_by_names
from ingest_tui.index.old_full_text import OldFullText, old_expression
from ingest_tui.index.ranked_chunks import RankedChunks
from ingest_tui.index.short_beginnings import from_a_sample
from ingest_tui.index.term_counts import IndexSize, index_size
from ingest_tui.model.batching import batches
from ingest_tui.model.document import OtherHit, SearchHit, chunk_id
from ingest_tui.model.ranking import ChunkScorer, Score, TermWeight
from ingest_tui.model.search_query import QueryFilter, SearchQuery
from ingest_tui.model.search_terms import SearchTerm, excluded_terms, search_terms
from ingest_tui.model.snippet import make_snippet

_LOOKED_AT: Final = 30
_BEYOND_HITS: Final = 10
"""So many chunks are ranked by their texts, at least, and so many more than the hits that are asked for.

More find nothing better: nDCG@10 on CISI is .375 with 24, .372 with 36 and with 60.
"""
_LOOKED_UP: Final = 200
_MOST_LOOKED_UP: Final = 2_000
"""So many chunks are looked up at once, and in all, to see whether they are of the documents to choose from."""
_HOPELESS: Final = 10
"""Where so few of the first that are looked up may be found that ten times as many would not do, no more are."""
_MOST_HITS: Final = 10**9
_OTHER_HITS: Final = 10
_COLUMNS: Final = (
    "c.id, c.document_id, c.ordinal, c.heading, c.text, c.page, c.start, c.end, c.language,"
    " d.title, d.uri, d.collection_id, d.version, d.file_name"
)


class _Row(NamedTuple):
    id: int
    document_id: str
    ordinal: int
    heading: str
    text: str
    page: int | None
    start: int | None
    end: int | None
    language: str
    title: str
    uri: str
    collection_id: str
    version: int
    file_name: str


class _Ranked(NamedTuple):
    row: _Row
    score: Score


class TextSearch:
    """Searches among the documents that meet a condition."""

    def __init__(self, database: Database, documents: Condition, old: OldFullText) -> None:
        self._database = database
        self._documents = documents
        self._old = old
        self._table = OldFullText.table if old.is_in_use else "words"
        self._filters: Sequence[QueryFilter] = ()

    def search(self, query: SearchQuery, *, limit: int, all_chunks: bool) -> list[SearchHit]:
        """Return the best hits for a query; without words, the beginnings of the documents that it chooses."""
        if limit == 0:
            return []
        self._filters = query.filters
        languages = self._languages()
        unwanted = self._unwanted(query, languages)
        if not query.clauses:
            return [_hit(_Ranked(row, Score(0.0, (), ())), ()) for row in self._newest(unwanted, limit)]
        best = self._best(query, languages, unwanted, limit, all_chunks=all_chunks)
        if not best and (relaxed := query.without_quotes()) is not None:
            best = self._best(relaxed, languages, unwanted, limit, all_chunks=all_chunks)
        groups = [[one] for one in best] if all_chunks else _by_document(best)
        return [_hit(first, others) for first, *others in (groups if limit < 0 else groups[:limit])]

    def having(self, query: SearchQuery, document_ids: Collection[str]) -> set[str]:
        """Return which of some documents have all that is required, quoted or not, and nothing that is excluded."""
        languages = self._languages()
        found = set(document_ids)
        required = tuple(clause for clause in query.clauses if clause.required)
        if required:
            only_required = replace(query, clauses=required)
            size = index_size(self._database)
            weights = weigh(self._database, self._terms(only_required, languages, size), size, languages)
            asked = self._asked(only_required, weights, "")
            found = self._with_expression(self._table, asked[0].expression, found) if asked else set()
        unwanted = self._unwanted(query, languages)
        return found - self._with_expression("words", unwanted, found) if unwanted else found

    def _with_expression(self, table: str, expression: str, document_ids: Collection[str]) -> set[str]:
        """Return which of some documents an expression finds in a full text.

        With a plus, so that what matches is gone through once: FTS5 takes 50 µs to look one chunk up.
        """
        sql = (
            f"SELECT DISTINCT document_id FROM chunks WHERE id IN (SELECT rowid FROM {table}"
            f" WHERE {table} MATCH ? AND +rowid IN (SELECT id FROM chunks"
            " WHERE document_id IN (SELECT value FROM json_each(?))))"
        )
        ids = orjson.dumps(list(document_ids)).decode()
        return {row[0] for row in self._database.execute(sql, (expression, ids))}

    def documents_with(self, query: SearchQuery) -> set[str]:
        """Return all documents that a search without a limit finds; no text is ranked."""
        excluded = self.documents_with_unwanted(query)
        found = self._documents_with(query) - excluded
        if not found and (relaxed := query.without_quotes()) is not None:
            found = self._documents_with(relaxed) - excluded
        return found

    def _documents_with(self, query: SearchQuery) -> set[str]:
        """Return the documents to choose from that have what is asked for, with unwanted words elsewhere in them."""
        languages = self._languages()
        unwanted = self._unwanted(query, languages)
        size = index_size(self._database)
        weights = weigh(self._database, self._terms(query, languages, size), size, languages)
        having = f"{self._table} w CROSS JOIN chunks c ON c.id = w.rowid WHERE w.{self._table} MATCH ?"
        sql = (
            f"SELECT document_id FROM documents WHERE document_id IN (SELECT c.document_id FROM {having})"
            f" AND ({self._documents.sql})"
        )
        return {
            row[0]
            for asked in self._asked(query, weights, unwanted)
            for row in self._database.execute(sql, (asked.expression, *self._documents.values))
        }

    def documents_with_unwanted(self, query: SearchQuery) -> set[str]:
        """Return all documents that have a word which a query excludes."""
        unwanted = self._unwanted(query, self._languages())
        if not unwanted:
            return set()
        sql = "SELECT DISTINCT c.document_id FROM words w CROSS JOIN chunks c ON c.id = w.rowid WHERE w.words MATCH ?"
        return {row[0] for row in self._database.execute(sql, (unwanted,))}

    def _languages(self) -> list[str]:
        return [row[0] for row in self._database.execute("SELECT language FROM word_languages")]

    def _unwanted(self, query: SearchQuery, languages: Sequence[str]) -> str:
        """Return the expression of what must not occur; empty where there is nothing."""
        return " OR ".join(map(expression_of, excluded_terms(query, languages)))

    def _terms(self, query: SearchQuery, languages: Sequence[str], size: IndexSize) -> list[SearchTerm]:
        return [from_a_sample(self._database, term, size) for term in search_terms(query, languages)]

    def _best(
        self, query: SearchQuery, languages: Sequence[str], unwanted: str, limit: int, *, all_chunks: bool
    ) -> list[_Ranked]:
        """Return the chunks that answer a query, the best first."""
        size = index_size(self._database)
        weights = weigh(self._database, self._terms(query, languages, size), size, languages)
        wanted = -1 if limit < 0 else max(_LOOKED_AT, _BEYOND_HITS + min(limit, _MOST_HITS))
        scorer = ChunkScorer(weights, size.average_length)
        ranked: dict[int, _Ranked] = {}
        documents = 0 if all_chunks else limit
        chunks = RankedChunks(self._database, self._table, size)
        for asked in self._asked(query, weights, unwanted):
            for row in self._without(unwanted, self._candidates(chunks, asked, wanted, documents)):
                if row.id not in ranked:
                    ranked[row.id] = _Ranked(row, scorer.score(_fields(row), row.language))
            if len({one.row.document_id for one in ranked.values()}) >= limit >= 0:
                break
        return sorted(ranked.values(), key=lambda one: (-one.score.value, one.row.uri, one.row.ordinal))

    def _asked(self, query: SearchQuery, weights: Sequence[TermWeight], unwanted: str) -> list[CandidateQuery]:
        if self._old.is_in_use:
            expression = old_expression(query)
            return [CandidateQuery(expression, (), 0, has_sequences=False)] if expression else []
        required = {number for number, clause in enumerate(query.clauses) if clause.required}
        return candidate_queries(weights, required, unwanted)

    def _candidates(self, chunks: RankedChunks, asked: CandidateQuery, wanted: int, documents: int) -> list[_Row]:
        """Return the best chunks that match and are of the documents to choose from; all where -1 are wanted.

        If these are of fewer than so many ``documents``, more follow, one for each further document. The best are
        chosen before anything is read of them. Only where too few of these are of the documents to choose from, and
        these were not all that match, the chunks of the documents to choose from are looked up first.
        """
        most = -1 if wanted < 0 else max(RANKED, wanted)
        numbers, are_all = chunks.newest(asked, most)
        looked_up = numbers if wanted < 0 else numbers[: max(wanted, _MOST_LOOKED_UP)]
        nothing_else = are_all and len(looked_up) == len(numbers)
        rows = self._chosen(looked_up, wanted, documents, gives_up=not nothing_else)
        if len(rows) < wanted and not nothing_else:
            among = chunks.among(asked, most, wanted, self._chunks_to_choose_from)
            rows = self._chosen(among, wanted, documents)
        return rows

    @cached_property
    def _all_documents(self) -> Condition:
        """The condition for going through all documents to choose from, which may need to look at few of them."""
        return narrowed_by_names(self._database, self._documents, self._filters)

    @cached_property
    def _chunks_to_choose_from(self) -> list[int]:
        """The numbers of all chunks of the documents to choose from."""
        documents = self._all_documents
        sql = (
            "SELECT json_group_array(c.id) FROM chunks c WHERE c.document_id IN"
            f" (SELECT document_id FROM documents WHERE {documents.sql})"
        )
        numbers: list[int] = orjson.loads(self._database.value(sql, documents.values))
        return numbers

    def _chosen(self, numbers: Sequence[int], wanted: int, documents: int, *, gives_up: bool = False) -> list[_Row]:
        """Return what is known of the first ``wanted`` chunks, and of one for each further document up to a number.

        With ``gives_up`` only of some where the first of them show that there will not be enough.
        """
        rows: list[_Row] = []
        seen: set[str] = set()
        for some in batches(numbers, max(wanted, _LOOKED_UP)):
            for row in self._rows(some):
                if wanted < 0 or len(rows) < wanted or (len(seen) < documents and row.document_id not in seen):
                    rows.append(row)
                    seen.add(row.document_id)
            if len(rows) >= wanted >= 0 and len(seen) >= documents:
                break
            if gives_up and len(rows) * _HOPELESS < wanted:
                break
        return rows

    def _rows(self, numbers: Sequence[int]) -> list[_Row]:
        """Return what is known of those chunks that are of the documents to choose from."""
        sql = (
            f"SELECT {_COLUMNS} FROM json_each(?) n CROSS JOIN chunks c ON c.id = n.value"
            f" JOIN (SELECT * FROM documents WHERE {self._documents.sql}) d ON d.document_id = c.document_id"
        )
        values = (orjson.dumps(list(numbers)).decode(), *self._documents.values)
        return [_Row(*row) for row in self._database.execute(sql, values)]

    def _without(self, unwanted: str, rows: list[_Row]) -> list[_Row]:
        """Return the chunks of documents without an unwanted word, wherever in the document that may be.

        The chunks of a document have numbers that follow each other: FTS5 is asked once for each of the documents.
        """
        if not unwanted or not rows:
            return rows
        sql = (
            "WITH ranges AS MATERIALIZED (SELECT min(id) AS first, max(id) AS last FROM chunks"
            " WHERE document_id IN (SELECT value FROM json_each(?)) GROUP BY document_id)"
            " SELECT DISTINCT c.document_id FROM ranges CROSS JOIN words w ON w.rowid BETWEEN first AND last"
            " CROSS JOIN chunks c ON c.id = w.rowid WHERE w.words MATCH ?"
        )
        candidates = orjson.dumps(list({row.document_id for row in rows})).decode()
        having = {row[0] for row in self._database.execute(sql, (candidates, unwanted))}
        return [row for row in rows if row.document_id not in having]

    def _newest(self, unwanted: str, limit: int) -> list[_Row]:
        """Return the first chunks of the documents to choose from, the last changed first."""
        having = "SELECT document_id FROM chunks WHERE id IN (SELECT rowid FROM words WHERE words MATCH ?)"
        documents = self._all_documents
        sql = (
            f"SELECT {_COLUMNS} FROM (SELECT * FROM documents WHERE {documents.sql}) d"
            " JOIN chunks c ON c.document_id = d.document_id AND c.ordinal = 0"
            + (f" WHERE d.document_id NOT IN ({having})" if unwanted else "")
            + " ORDER BY d.updated_at DESC, d.document_id LIMIT ?"
        )
        values = (*documents.values, *([unwanted] if unwanted else []), limit)
        return [_Row(*row) for row in self._database.execute(sql, values)]


def _fields(row: _Row) -> dict[str, str]:
    """Return the texts of a chunk that are searched; the first one of a document is found by its names, too."""
    fields = {"text": row.text, "heading": row.heading}
    if row.ordinal == 0:
        fields["name"] = f"{row.title}\n{row.file_name}"
    return fields


def _by_document(best: Sequence[_Ranked]) -> list[list[_Ranked]]:
    by_document: dict[str, list[_Ranked]] = {}
    for one in best:
        by_document.setdefault(one.row.document_id, []).append(one)
    return list(by_document.values())


def _hit(ranked: _Ranked, others: Sequence[_Ranked]) -> SearchHit:
    row, score = ranked
    matches = tuple((match.start, match.end) for match in score.matches)
    return SearchHit(
        document_id=row.document_id,
        chunk_id=chunk_id(row.document_id, row.version, row.ordinal),
        title=row.title,
        uri=row.uri,
        collection_id=row.collection_id,
        version=row.version,
        heading_path=row.heading,
        snippet=make_snippet(row.text, matches),
        text=row.text,
        score=round(score.value, 4),
        page=row.page,
        start=row.start,
        end=row.end,
        matches=matches,
        why=score.contributions,
        others=tuple(
            OtherHit(
                chunk_id(row.document_id, row.version, one.row.ordinal),
                one.row.heading,
                one.row.page,
                one.row.start,
                one.row.end,
                round(one.score.value, 4),
            )
            for one in others[:_OTHER_HITS]
        ),
    )
