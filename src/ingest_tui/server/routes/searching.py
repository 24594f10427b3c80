"""Searching: by words, by meaning, by both; and what is similar."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import BaseModel, Field

from ingest_tui.model.document import SearchHit
from ingest_tui.model.search_query import query_filters
from ingest_tui.server.endpoint import Answer, AnyEndpoint, Body, Call, HttpEndpoint, NoBody, Params
from ingest_tui.server.routes.collections import collection_for
from ingest_tui.server.routes.document_models import DocumentId, DocumentParams, PlaceOutcome
from ingest_tui.server.routes.documents import document_for, folder_of
from ingest_tui.server.values import FolderAddress, Identifier, MediaType, Moment

_TAG = "search"
LARGEST_LIMIT = 200
LARGEST_OF_BODY = 1000
Mode = Literal["text", "vector", "hybrid"]


class SearchParams(Params):
    """A query in the address."""

    q: str = Field(max_length=2000, description="words, phrases, filters: docs/search.md")
    mode: Mode | None = Field(default=None, description="usual: hybrid where there are vectors")
    limit: int = Field(default=20, ge=1, le=LARGEST_LIMIT)
    collection_id: Identifier | None = None
    source_id: Identifier | None = None
    folder: FolderAddress = ""
    media_type: MediaType = ""
    all_chunks: bool = Field(default=False, description="one hit for each chunk, not for each document")
    rerank: bool | None = Field(default=None, description="usual: where the collection has a reranker")


class _Choice(BaseModel):
    """Which documents may answer."""

    collection_id: Identifier | None = None
    source_id: Identifier | None = None
    folder: FolderAddress = ""
    media_type: MediaType = ""
    contains: str = Field(default="", max_length=500, description="words of the address or title")
    outcome: PlaceOutcome | None = Field(default=None, description="what the last look at them came to")
    since: Moment | None = Field(default=None, description="updated then or later: a day, or a time in UTC (RFC 3339)")
    until: Moment | None = Field(default=None, description="updated then or earlier; a day is meant whole")


class SearchBody(_Choice, Body):
    """A query. ``path`` and ``title``: with this in them, * for anything; ``after`` and ``before``: when changed."""

    query: str = Field(max_length=10_000)
    mode: Mode | None = None
    limit: int = Field(default=20, ge=1, le=LARGEST_OF_BODY)
    all_chunks: bool = False
    rerank: bool | None = None
    path: str | None = Field(default=None, max_length=500)
    title: str | None = Field(default=None, max_length=500)
    after: str | None = Field(default=None, max_length=10, description="2026, 2026-11 or 2026-11-29")
    before: str | None = Field(default=None, max_length=10)


class SimilarBody(_Choice, Body):
    """A text that others are similar to."""

    text: str = Field(min_length=1, max_length=100_000)
    limit: int = Field(default=20, ge=1, le=LARGEST_OF_BODY)


class SimilarParams(_Choice, DocumentParams):
    """A document that others are similar to."""

    limit: int = Field(default=20, ge=1, le=LARGEST_OF_BODY)


class HintParams(_Choice, Params):
    """A search by meaning that found nothing; ``document_id``: what the others were to be similar to."""

    document_id: DocumentId | None = None


class HintAnswer(Answer):
    """What to do where nothing was found by meaning; empty where nothing is to be done."""

    hint: str


class RemarksParams(Params):
    """A query."""

    q: str = Field(max_length=2000)


class UnknownFilterAnswer(Answer):
    """A filter that names a source, a collection or a type which is not there. ``known``: what there is of that."""

    field: str
    value: str
    known: list[str]
    message: str


class QueryRemarks(Answer):
    """What is odd about a query: words of no document, each with one that is in some, and filters that name nothing."""

    suggestions: dict[str, str]
    unknown_filters: list[UnknownFilterAnswer]


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
    score: float | None = Field(description="null where only filters were asked for: nothing was ranked")
    page: int | None
    start: int | None
    end: int | None
    matches: list[tuple[int, int]]
    why: list[ScorePart]
    others: list[OtherChunk]
    snippet_parts: list[str] = Field(description="the snippet in parts, of which every second was found")


class Hits(Answer):
    """The best hits, best first.

    ``suggestions``: words that are in no document, each with one that is. ``hint``: what the search could not look at.
    Neither these nor ``unknown_filters`` are for a token of one collection.
    """

    items: list[Hit]
    suggestions: dict[str, str] = Field(default_factory=dict)
    unknown_filters: list[UnknownFilterAnswer] = Field(default_factory=list)
    hint: str = ""
    notes: list[str] = Field(default_factory=list)


def search(call: Call[SearchParams, NoBody]) -> Hits:
    """Search by words, by meaning or by both."""
    asked = call.params.model_dump(exclude={"q"})
    return _found(call, call.params.q, asked)


def search_by_body(call: Call[Params, SearchBody]) -> Hits:
    """Search, with the query in the body: it is in no log of addresses."""
    body = call.body
    asked = body.model_dump(exclude={"query", *_FILTERS})
    asked["filters"] = query_filters(**{name: getattr(body, name) for name in _FILTERS})
    return _found(call, body.query, asked)


def _found(call: Call[Any, Any], query: str, asked: dict[str, Any]) -> Hits:
    asked |= _chosen(call, asked)
    hits: list[SearchHit] = call.client.documents.search(query, **asked)
    # Words of documents that the caller does not see are none to suggest.
    remarks = _remarks(call, query) if call.caller.collection_id is None else {}
    vectors_missing = call.client.documents.vectors_missing
    missing = list(map(str, vectors_missing(asked["mode"], query=query, collection_id=asked["collection_id"])))
    items = [_hit(one) for one in hits]
    return Hits(items=items, hint="; ".join(missing), notes=missing, **remarks)


def similar_documents(call: Call[SimilarParams, NoBody]) -> Hits:
    """Return the documents of its collection that are nearest to one by meaning."""
    found = document_for(call, call.params.document_id)
    choice = call.params.model_dump(exclude={"document_id", "limit"})
    choice |= _chosen(call, choice)
    hits = call.client.documents.similar_to(found.document_id, limit=call.params.limit, **choice)
    hint = "" if hits else call.client.documents.hint_without_hits(target=found.document_id)
    return Hits(items=[_hit(one) for one in hits], hint=hint)


def similar_to_text(call: Call[Params, SimilarBody]) -> Hits:
    """Return the documents that are nearest to a text by meaning."""
    choice = call.body.model_dump(exclude={"text", "limit"})
    choice |= _chosen(call, choice)
    hits = call.client.documents.similar_to_text(call.body.text, limit=call.body.limit, **choice)
    hint = "" if hits else call.client.documents.hint_without_hits(collection_id=choice["collection_id"])
    return Hits(items=[_hit(one) for one in hits], hint=hint)


def hint_without_hits(call: Call[HintParams, NoBody]) -> HintAnswer:
    """Return what to do where a search by meaning found nothing: embed what has changed since."""
    choice = call.params.model_dump(exclude={"document_id"})
    choice |= _chosen(call, choice)
    named = call.params.document_id
    target = None if named is None else document_for(call, named).document_id
    return HintAnswer(hint=call.client.documents.hint_without_hits(target=target, **choice))


def remarks_on_query(call: Call[RemarksParams, NoBody]) -> QueryRemarks:
    """Return what is odd about a query: words that no document has, filters that name what is not there."""
    return QueryRemarks(**_remarks(call, call.params.q))


def _remarks(call: Call[Any, Any], query: str) -> dict[str, Any]:
    unknown = call.client.documents.unknown_filters(query)
    return {
        "suggestions": call.client.documents.suggestions(query),
        "unknown_filters": [
            UnknownFilterAnswer(field=one.field, value=one.value, known=list(one.known), message=str(one))
            for one in unknown
        ],
    }


def _hit(found: SearchHit) -> Hit:
    return Hit.model_validate(found.as_dict() | {"snippet_parts": re.split("[\x02\x03]", found.snippet)})


def _chosen(call: Call[Any, Any], asked: dict[str, Any]) -> dict[str, Any]:
    """Return the collection and the folder of a request as the services take them."""
    named = asked["collection_id"]
    if named is not None:
        collection_for(call, named)
    return {"collection_id": named or call.caller.collection_id, "folder": folder_of(asked["folder"])}


_FILTERS = ("path", "title", "after", "before")
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
    HttpEndpoint(
        method="GET", path="/search/remarks", summary="What is odd about a query", tag=_TAG,
        handler=remarks_on_query, params=RemarksParams, body=NoBody, answer=QueryRemarks, whole_workspace=True,
    ),
    HttpEndpoint(
        method="GET", path="/search/hint", summary="What to do where nothing is similar", tag=_TAG,
        handler=hint_without_hits, params=HintParams, body=NoBody, answer=HintAnswer,
    ),
)  # fmt: skip
