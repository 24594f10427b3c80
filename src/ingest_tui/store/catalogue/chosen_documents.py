"""Which documents may be found, whatever ranks them: asked of some of them, or of all."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property

import orjson

from ingest_tui.index.query_filters import AT_A_PLACE, THIS_AT_A_PLACE
from ingest_tui.model.search_query import SearchQuery
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.queries import DocumentChoice, chosen_ids, documents_to_search, documents_with_words


class ChosenDocuments:
    """The active documents of a choice that meet the filters of a query, with what it requires and nothing it excludes.

    `among` costs by the documents it is given, and by the chunks with the words; `all` by those of the catalogue.
    """

    def __init__(self, catalogue: Catalogue, choice: DocumentChoice, query: SearchQuery | None = None) -> None:
        self._catalogue = catalogue
        self._choice: DocumentChoice = {**choice, "state": "active"}
        self._query = query or SearchQuery()
        self._requires_words = any(clause.required for clause in self._query.clauses)

    def among(self, document_ids: Collection[str]) -> set[str]:
        """Return which of some documents may be found."""
        if self._words_may_be_missing:
            return self.all.intersection(document_ids)
        documents = documents_to_search(self._choice, self._query.filters)
        # With IS TRUE, so that SQLite looks these documents up rather than following an index by collection.
        sql = (
            f"SELECT document_id FROM documents WHERE ({documents.sql.replace(AT_A_PLACE, THIS_AT_A_PLACE)}) IS TRUE"
            " AND document_id IN (SELECT value FROM json_each(?))"
        )
        ids = orjson.dumps(list(document_ids)).decode()
        return self._with_words({row[0] for row in self._catalogue.execute(sql, (*documents.values, ids))})

    @cached_property
    def all(self) -> set[str]:
        """All documents that may be found."""
        if self._requires_words:
            return documents_with_words(self._catalogue, self._query, **self._choice)
        return self._with_words(chosen_ids(self._catalogue, self._choice, self._query.filters))

    @property
    def _words_may_be_missing(self) -> bool:
        """Whether what is quoted is only required where some document has it: that takes a look at all of them."""
        return self._query.without_quotes() is not None

    def _with_words(self, document_ids: set[str]) -> set[str]:
        if not self._requires_words and not self._query.excluded:
            return document_ids
        return self._catalogue.full_text.having(self._query, document_ids)
