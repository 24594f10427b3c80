"""Searching: by words, by meaning, by both; and what is similar."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ingest_tui.model.document import SearchHit
from ingest_tui.server.endpoint import Answer, AnyEndpoint, Body, Call, HttpEndpoint, NoBody, Params
from ingest_tui.server.routes.collections import collection_for
from ingest_tui.server.routes.document_models import DocumentParams
from ingest_tui.server.routes.documents import document_for
from ingest_tui.server.routes.sources import Identifier

_TAG = "search"
LARGEST_LIMIT = 200
Mode = Literal["text", "vector", "hybrid"]


class SearchParams(Params):
    """A query in the address."""

    q: str = Field(max_length=2000, description="words, phrases, filters: docs/search.md")
    mode: Mode | None = Field(default=None, description="usual: hybrid where there are vectors")
    limit: int = Field(default=20, ge=1, le=LARGEST_LIMIT)
    collection_id: Identifier | None = None
    source_id: Identifier | None = None
    media_type: str = Field(default="", max_length=200)
    all_chunks: bool = Field(default=False, description="one hit for each chunk, not for each document")
    rerank: bool | None = Field(default=None, description="usual: where the collection has a reranker")


class SearchBody(Body):
    """A query."""

    query: str = Field(max_length=10_000)
    mode: Mode | None = None
    limit: int = Field(default=20, ge=1, le=LARGEST_LIMIT)
    collection_id: Identifier | None = None
    source_id: Identifier | None = None
    media_type: str = Field(default="", max_length=200)
    all_chunks: bool = False
    rerank: bool | None = None


class SimilarBody(Body):
    """A text that others are similar to."""

    text: str = Field(min_length=1, max_length=100_000)
    limit: int = Field(default=20, ge=1, le=LARGEST_LIMIT)
    collection_id: Identifier | None = None


class SimilarParams(DocumentParams):
    """A document that others are similar to."""

    limit: int = Field(default=20, ge=1, le=LARGEST_LIMIT)


class ScorePart(Answer):
    """What one term adds to a score."""

    term: str
    chunks: int
    found: dict[str, int]
    weight: float


class OtherChunk(Answer):
    """A further chunk of the same document."""

    chunk_id: str
    heading_path: str
    page: int | None
    start: int | None
    end: int | None
    score: float


class Hit(Answer):
    """A chunk that answers a query. ``snippet`` has what was found between ``**``."""

    document_id: str
    chunk_id: str
    title: str
    uri: str
    collection_id: str
    version: int
    heading_path: str
    snippet: str
    text: str
    score: float
    page: int | None
    start: int | None
    end: int | None
    matches: list[tuple[int, int]]
    why: list[ScorePart]
    others: list[OtherChunk]


class Hits(Answer):
    """The best hits, best first.

    ``suggestions``: words that are in no document, each with one that is. ``hint``: what the search could not look at.
    """

    items: list[Hit]
    suggestions: dict[str, str] = Field(default_factory=dict)
    hint: str = ""


def search(call: Call[SearchParams, NoBody]) -> Hits:
    """Search by words, by meaning or by both."""
    asked = call.params.model_dump(exclude={"q"})
    return _found(call, call.params.q, asked)


def search_by_body(call: Call[Params, SearchBody]) -> Hits:
    """Search, with the query in the body: it is in no log of addresses."""
    asked = call.body.model_dump(exclude={"query"})
    return _found(call, call.body.query, asked)


def _found(call: Call[Any, Any], query: str, asked: dict[str, Any]) -> Hits:
    asked["collection_id"] = _collection(call, asked["collection_id"])
    hits: list[SearchHit] = call.client.documents.search(query, **asked)
    # Words of documents that the caller does not see are none to suggest.
    known = call.client.documents.suggestions(query) if not hits and call.caller.collection_id is None else {}
    missing = call.client.documents.vectors_missing(asked.get("mode"), collection_id=asked["collection_id"])
    items = [Hit.model_validate(one.as_dict()) for one in hits]
    return Hits(items=items, suggestions=known, hint="; ".join(map(str, missing)))


def similar_documents(call: Call[SimilarParams, NoBody]) -> Hits:
    """Return the documents of its collection that are nearest to one by meaning."""
    found = document_for(call, call.params.document_id)
    hits = call.client.documents.similar_to(found.document_id, limit=call.params.limit)
    hint = "" if hits else call.client.documents.hint_without_hits(target=found.document_id)
    return Hits(items=[Hit.model_validate(one.as_dict()) for one in hits], hint=hint)


def similar_to_text(call: Call[Params, SimilarBody]) -> Hits:
    """Return the documents that are nearest to a text by meaning."""
    collection_id = _collection(call, call.body.collection_id)
    hits = call.client.documents.similar_to_text(call.body.text, limit=call.body.limit, collection_id=collection_id)
    hint = "" if hits else call.client.documents.hint_without_hits(collection_id=collection_id)
    return Hits(items=[Hit.model_validate(one.as_dict()) for one in hits], hint=hint)


def _collection(call: Call[Any, Any], named: str | None) -> str | None:
    if named is not None:
        collection_for(call, named)
    return named or call.caller.collection_id


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    HttpEndpoint(
        method="GET", path="/search", summary="Search", tag=_TAG, handler=search,
        params=SearchParams, body=NoBody, answer=Hits, problems=(424, 503),
    ),
    HttpEndpoint(
        method="POST", path="/search", summary="Search", tag=_TAG, handler=search_by_body,
        params=Params, body=SearchBody, answer=Hits, problems=(424, 503),
    ),
    HttpEndpoint(
        method="GET", path="/documents/{document_id}/similar", summary="What is similar to a document", tag=_TAG,
        handler=similar_documents, params=SimilarParams, body=NoBody, answer=Hits, problems=(424, 503),
    ),
    HttpEndpoint(
        method="POST", path="/similar", summary="What is similar to a text", tag=_TAG, handler=similar_to_text,
        params=Params, body=SimilarBody, answer=Hits, problems=(424, 503),
    ),
)  # fmt: skip
