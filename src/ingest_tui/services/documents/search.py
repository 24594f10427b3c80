"""Finding text again."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Unpack

from ingest_tui.model.document import SearchHit
from ingest_tui.model.errors import IngestError, UsageError
from ingest_tui.model.generation import Generation
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.search_query import QueryFilter, SearchQuery, parse_query
from ingest_tui.model.unknown_filter import UnknownFilter
from ingest_tui.services.documents.documents import check_choice, media_types
from ingest_tui.services.documents.reranking import chosen_reranker, reranked
from ingest_tui.services.documents.search_modes import MODES, SearchMode, collections_by_meaning, search_in_mode
from ingest_tui.services.name_lookup import collection_id_of, source_id_of
from ingest_tui.store.catalogue import queries
from ingest_tui.store.catalogue.queries import DocumentChoice
from ingest_tui.store.workspace import Workspace

if TYPE_CHECKING:
    from ingest_tui.services.embedding_states import MissingVectors

_LARGEST_LIMIT = 2**63 - 1


def search(
    workspace: Workspace,
    query: str,
    *,
    limit: int = 20,
    all_chunks: bool = False,
    filters: Sequence[QueryFilter] = (),
    mode: SearchMode | None = None,
    generation: Generation | None = None,
    rerank: bool | str | None = None,
    given_up: Callable[[], bool] | None = None,
    **choice: Unpack[DocumentChoice],
) -> list[SearchHit]:
    """Return the best hits of a query, best first; raises `UsageError` when it has no word.

    One hit for each document, with its other chunks that match; with ``all_chunks`` one for each chunk.
    ``filters`` are added to those that the query has.
    ``mode``: by words (text), by meaning (vector), or by both (hybrid), which is usual where there are vectors.
    ``generation``: whose vectors are asked, those that answer without it.
    ``rerank``: whether the reranker of the collection ranks the best hits again; None: where it has one; a name: that
    one does, or the search fails. What a ``generation`` finds is ranked again by a named one only.
    ``given_up`` is asked now and then: once it says yes, the search ends with `GivenUpError`.
    """
    _check_asked(query, limit, mode)
    check_choice(workspace, choice)
    with workspace.reading.giving_up_when(given_up):
        parsed = parse_query(query)
        asked = _with_identifiers(workspace, replace(parsed, filters=(*parsed.filters, *filters)))

        def find(most: int) -> list[SearchHit]:
            return search_in_mode(
                workspace, asked, mode, limit=most, all_chunks=all_chunks, choice=choice, generation=generation
            )

        words = " ".join(word.text for clause in asked.clauses for word in clause.words)
        if rerank is False or not words or limit == 0:
            return find(limit)
        if isinstance(rerank, str):
            from ingest_tui.services.rerankers import reranker_id_of

            return reranked(workspace, reranker_id_of(workspace, rerank), words, limit, find, is_needed=True)
        if generation is not None:
            return find(limit)
        reranker = chosen_reranker(workspace, choice.get("collection_id"), is_asked_for=rerank is True)
        return reranked(workspace, reranker, words, limit, find) if reranker else find(limit)


def _check_asked(query: str, limit: int, mode: SearchMode | None) -> None:
    """Raise `UsageError` for what a script or a request gives that is no search."""
    if not isinstance(query, str):
        raise UsageError(f"a query is text, not {type(query).__name__}", hint="give the words to look for")
    if not isinstance(limit, int) or not -1 <= limit <= _LARGEST_LIMIT:
        raise UsageError(
            f"limit must be a whole number from -1 (no limit) to {_LARGEST_LIMIT}", hint="20 is what is usual"
        )
    if mode is not None and mode not in MODES:
        raise UsageError(f"there is no mode '{safe_display(mode)}'", hint=f"modes: {', '.join(MODES)}")


def suggestions(workspace: Workspace, query: str) -> dict[str, str]:
    """Return the words of a query that are in no document, each with the nearest one that is."""
    return workspace.reading.full_text.suggestions(parse_query(query))


def vectors_missing(
    workspace: Workspace, mode: SearchMode | None = None, *, query: str | None = None, collection_id: str | None = None
) -> list[MissingVectors]:
    """Return what a search in a mode lacks: vectors that are not made yet, or again, in the collections it asks.

    A ``query`` of filters alone asks for none.
    """
    if query is not None and not parse_query(query).clauses:
        return []
    asked = collections_by_meaning(workspace, mode, collection_id)
    if not asked:
        return []
    from ingest_tui.services.embedding_states import missing_vectors

    return [missing for one in asked if (missing := missing_vectors(workspace, one)) is not None]


def unknown_filters(workspace: Workspace, query: str) -> list[UnknownFilter]:
    """Return the filters of a query that name a source, a collection or a type that is not there: they find nothing."""
    asked = _with_identifiers(workspace, parse_query(query)).filters
    return [UnknownFilter(one.field, one.value, _known(workspace, one)) for one in asked if _is_unknown(workspace, one)]


def _is_unknown(workspace: Workspace, one: QueryFilter) -> bool:
    try:
        if one.field == "source":
            check_choice(workspace, {"source_id": one.value})
        elif one.field == "collection":
            check_choice(workspace, {"collection_id": one.value})
        elif one.field == "type":
            return not queries.is_met(workspace.reading, one)
    except IngestError:
        return True
    return False


def _known(workspace: Workspace, one: QueryFilter) -> tuple[str, ...]:
    if one.field == "type":
        return tuple(media_type for media_type, _ in media_types(workspace))
    return tuple(workspace.sources.names() if one.field == "source" else workspace.collections.names())


def _with_identifiers(workspace: Workspace, query: SearchQuery) -> SearchQuery:
    """Return a query whose filters name sources and collections by identifier; what is not known matches nothing."""
    find = {"source": source_id_of, "collection": collection_id_of}
    filters = []
    for one in query.filters:
        value = one.value
        if one.field in find:
            with contextlib.suppress(IngestError):
                value = find[one.field](workspace, value)
        filters.append(one._replace(value=value))
    return replace(query, filters=tuple(filters))
