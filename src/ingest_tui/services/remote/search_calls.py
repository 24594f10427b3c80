"""Searching on a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ingest_tui.model.document import SearchHit
from ingest_tui.model.errors import NotFoundError
from ingest_tui.model.search_query import QueryFilter
from ingest_tui.model.unknown_filter import UnknownFilter
from ingest_tui.services.remote.document_calls import choice_as_asked, get_document
from ingest_tui.services.remote.server import Server

_MARKS = ("\x02", "\x03")
"""Before and after what was found, in the snippet of a hit."""


def search(
    server: Server,
    query: str,
    *,
    limit: int = 20,
    all_chunks: bool = False,
    filters: Sequence[QueryFilter] = (),
    mode: str | None = None,
    rerank: bool | None = None,
    **choice: Any,
) -> list[SearchHit]:
    """Return the best hits of a query, best first."""
    named = {one.field: one.value for one in filters}
    asked = {"query": query, "limit": limit, "all_chunks": all_chunks, "mode": mode, "rerank": rerank}
    answer = server.post("search", body=_given(asked | named | choice_as_asked(choice)))
    with server.reading(("search",)):
        server.remembered["notes"] = [str(one) for one in answer.get("notes", [])]
    return _hits(server, answer)


def vectors_missing(
    server: Server, mode: str | None = None, *, query: str | None = None, collection_id: str | None = None
) -> list[str]:
    """Return what the last search said of vectors that are missing."""
    del mode, query, collection_id
    notes: list[str] = server.remembered.get("notes", [])
    return notes


def similar_to_document(server: Server, target: str, *, limit: int = 20, **choice: Any) -> list[SearchHit]:
    """Return the best chunk of each of the documents that are nearest to one, best first."""
    document = get_document(server, target)
    return _hits(
        server, server.get("documents", document.document_id, "similar", limit=limit, **choice_as_asked(choice))
    )


def similar_to_text(server: Server, text: str, *, limit: int = 20, **choice: Any) -> list[SearchHit]:
    """Return the best chunk of each of the documents that are nearest to a text, best first."""
    return _hits(server, server.post("similar", body=_given({"text": text, "limit": limit, **choice_as_asked(choice)})))


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _hits(server: Server, answer: Any) -> list[SearchHit]:
    with server.reading(("search",)):
        return [_hit(server, one) for one in answer["items"]]


def _hit(server: Server, record: dict[str, Any]) -> SearchHit:
    marked = "".join(
        f"{part}{_MARKS[number % 2]}" for number, part in enumerate(map(str, record["snippet_parts"][:-1]))
    )
    snippet = f"{marked}{record['snippet_parts'][-1]}"
    return server.read(SearchHit, record | {"snippet": snippet, "score": record["score"] or 0.0}, "search")


def hint_without_hits(server: Server, *, target: str | None = None, **choice: Any) -> str:
    """Return what to do where nothing was found by vectors."""
    named = None if target is None else get_document(server, target).document_id
    with server.reading(("search", "hint")):
        return str(server.get("search", "hint", document_id=named, **choice_as_asked(choice))["hint"])


def suggestions(server: Server, query: str) -> dict[str, str]:
    """Return the words of a query that are in no document, each with the nearest one that is."""
    found = _remarks(server, query)
    with server.reading(("search", "remarks")):
        return {str(word): str(nearest) for word, nearest in found.get("suggestions", {}).items()}


def unknown_filters(server: Server, query: str) -> list[UnknownFilter]:
    """Return the filters of a query that name a source, a collection or a type that is not there."""
    found = _remarks(server, query).get("unknown_filters", [])
    return server.read_all(UnknownFilter, found, "search", "remarks")


def _remarks(server: Server, query: str) -> dict[str, Any]:
    """Return what is odd about a query, asked once; nothing for a token that is not shown that."""
    known: dict[str, dict[str, Any]] = server.remembered.setdefault("remarks", {})
    if query not in known:
        try:
            known[query] = dict(server.get("search", "remarks", q=query))
        except NotFoundError:
            known[query] = {}
    return known[query]


CALLS: dict[str, Callable[..., Any]] = {
    "documents.search": search,
    "documents.similar_to": similar_to_document,
    "documents.similar_to_text": similar_to_text,
    "documents.hint_without_hits": hint_without_hits,
    "documents.vectors_missing": vectors_missing,
    "documents.suggestions": suggestions,
    "documents.unknown_filters": unknown_filters,
}
