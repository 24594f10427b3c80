"""The tools that find and read documents: search, similar, fetch."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ingest_tui.model.errors import UsageError
from ingest_tui.server.mcp.answers import FetchAnswer, FetchMetadata, HitAnswer, HitFreshness, HitsAnswer
from ingest_tui.server.mcp.arguments import FetchArguments, SearchArguments, SimilarArguments
from ingest_tui.server.mcp.paging import begins_at, page_of
from ingest_tui.server.mcp.reach import Reach
from ingest_tui.server.mcp.safe_values import excerpt, shown_address, shown_name

if TYPE_CHECKING:
    from ingest_tui.model.document import SearchHit

GivenUp = Callable[[], bool]
"""Says yes once nobody waits for the answer any more."""
DEEPEST_HIT = 500
"""No page of hits begins after this one: who has read so many needs another query."""
LONGEST_EXCERPT = 600
_MARKS = re.compile("[\x02\x03]")


def search(reach: Reach, given: SearchArguments, given_up: GivenUp) -> HitsAnswer:
    """Find documents by a query."""
    begin = begins_at(given.cursor, most=DEEPEST_HIT)
    hits = reach.client.documents.search(
        given.query,
        limit=begin + given.limit + 1,
        mode=given.mode,
        given_up=given_up,
        collection_id=reach.collection_id,
    )
    missing = reach.client.documents.vectors_missing(given.mode, query=given.query, collection_id=reach.collection_id)
    hints = [*map(str, missing), *_hints_for(reach, given)]
    return _answer(reach, hits, begin, given.limit, hints)


def _hints_for(reach: Reach, given: SearchArguments) -> list[str]:
    """Return what is odd about a query. Words that are only in other collections are not given away."""
    hints = []
    if reach.collection_id is None:
        documents = reach.client.documents
        hints += [
            f"no document has '{shown_name(word)}'; did you mean '{shown_name(meant)}'?"
            for word, meant in documents.suggestions(given.query).items()
        ]
        hints += map(str, documents.unknown_filters(given.query))
    return hints


def similar(reach: Reach, given: SimilarArguments, given_up: GivenUp) -> HitsAnswer:
    """Find documents that are similar to one, or to a text."""
    del given_up
    begin = begins_at(given.cursor, most=DEEPEST_HIT)
    how_many = begin + given.limit + 1
    documents = reach.client.documents
    if given.id is not None and given.text is None:
        document = reach.document(given.id)
        hits = documents.similar_to(document.document_id, limit=how_many, collection_id=document.collection_id)
    elif given.text is not None and given.id is None:
        hits = documents.similar_to_text(given.text, limit=how_many, collection_id=reach.collection_id)
    else:
        raise UsageError("similar to what? Give either id or text", hint="the tool search returns ids")
    hint = "" if hits else documents.hint_without_hits(target=given.id, collection_id=reach.collection_id)
    return _answer(reach, hits, begin, given.limit, [hint] if hint else [])


def _answer(reach: Reach, hits: Sequence[SearchHit], begin: int, limit: int, hints: list[str]) -> HitsAnswer:
    """Return a page of hits with what is known of their documents; one that is gone meanwhile is left out."""
    page = page_of(hits, begin, limit, most=DEEPEST_HIT)
    ids = [hit.document_id for hit in page.items]
    documents = {one.document_id: one for one in reach.client.documents.list(document_ids=ids, state=None)}
    details = reach.client.documents.details(ids)
    looks = reach.client.sources.last_complete_looks({one.source_id for one in documents.values()})
    results = []
    for hit in page.items:
        if hit.document_id not in documents or hit.document_id not in details:
            continue
        document = documents[hit.document_id]
        look = looks[document.source_id]
        freshness = HitFreshness(
            updated_at=document.updated_at,
            source_last_complete_at=look,
            status=details[hit.document_id].status,
        )
        results.append(_hit(hit, document.source_id, document.media_type, freshness))
    return HitsAnswer(results=results, next_cursor=page.next_cursor, hints=hints)


def _hit(hit: SearchHit, source_id: str, media_type: str, freshness: HitFreshness) -> HitAnswer:
    return HitAnswer(
        id=hit.document_id,
        title=shown_name(hit.title),
        url=shown_address(hit.uri),
        text=excerpt(_MARKS.sub("", hit.snippet), LONGEST_EXCERPT),
        heading=shown_name(hit.heading_path),
        page=hit.page,
        offset=hit.start,
        score=hit.ranked_score,
        version=hit.version,
        collection_id=hit.collection_id,
        source_id=source_id,
        media_type=shown_name(media_type),
        freshness=freshness,
    )


def fetch(reach: Reach, given: FetchArguments, given_up: GivenUp) -> FetchAnswer:
    """Return a part of the text of a document."""
    del given_up
    document = reach.document(given.id)
    version = given.version or document.version
    page = reach.client.documents.text_page(document.document_id, version, offset=given.offset, limit=given.limit)
    metadata = FetchMetadata(
        media_type=shown_name(document.media_type),
        file_name=shown_name(document.file_name),
        collection_id=document.collection_id,
        source_id=document.source_id,
        updated_at=document.updated_at,
        current_version=document.version,
    )
    return FetchAnswer(
        id=document.document_id,
        title=shown_name(document.title),
        url=shown_address(document.uri),
        version=version,
        offset=page.offset,
        next_offset=page.next_offset,
        total_characters=page.total,
        metadata=metadata,
        text=page.text,
    )
