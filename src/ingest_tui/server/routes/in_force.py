"""What is in force for sources and documents, what came of a source, and the documents that somebody means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from pydantic import Field

from ingest_tui.model.preference_values import PreferenceInForce
from ingest_tui.model.selector import Selector
from ingest_tui.server.endpoint import Answer, AnyEndpoint, Body, Call, HttpEndpoint, NoBody, Params
from ingest_tui.server.routes.collections import collection_for
from ingest_tui.server.routes.document_models import DocumentLink, DocumentLinks, DocumentParams, DocumentState
from ingest_tui.server.routes.documents import document_for, states_of
from ingest_tui.server.routes.sources import SourceParams, source_for
from ingest_tui.server.values import Identifier


class PreferenceAnswer(Answer):
    """A preference, its value as text, and whose choice that is: usual, collection, source or upload."""

    key: str
    value: str
    origin: str


class PreferenceAnswers(Answer):
    """The preferences in force; ``items`` is null where the record of the collection cannot be read."""

    items: list[PreferenceAnswer] | None


class OutcomeCountAnswer(Answer):
    """How many items of a source came to an outcome for a reason, and what to do about them."""

    outcome: str
    reason: str
    number: int
    hint: str


class OutcomeCounts(Answer):
    """What the last look at each item of a source came to, the most frequent first."""

    items: list[OutcomeCountAnswer]


class SelectBody(Body):
    """Documents by what people call them, or all that the other values select; one of both."""

    documents: list[str] = Field(default_factory=list, max_length=1000)
    collection_id: Identifier | None = None
    source_id: Identifier | None = None
    media_type: str | None = Field(default=None, max_length=200)
    path: str | None = Field(default=None, max_length=4096, description="of key or address; * stands for anything")
    older_than_seconds: float | None = Field(default=None, ge=0, le=10**11)
    state: str | None = Field(default="active", max_length=20, description="active, retired, or null for both")


class SelectedDocuments(Answer):
    """The documents that are meant."""

    items: list[DocumentState]


class BrokenLinksParams(Params):
    """Of which collection."""

    collection_id: Identifier | None = None


def get_source_preferences(call: Call[SourceParams, NoBody]) -> PreferenceAnswers:
    """Return what is in force for the documents of a source, and whose choice each value is."""
    return _rows(call.client.sources.preferences(source_for(call, call.params.source_id)))


def get_source_outcomes(call: Call[SourceParams, NoBody]) -> OutcomeCounts:
    """Return what the last look at each item of a source came to."""
    found = call.client.sources.outcomes(source_for(call, call.params.source_id).source_id)
    return OutcomeCounts(items=[OutcomeCountAnswer.model_validate(one.as_dict()) for one in found])


def get_document_preferences(call: Call[DocumentParams, NoBody]) -> PreferenceAnswers:
    """Return what is in force for a document, and whose choice each value is."""
    found = document_for(call, call.params.document_id)
    return _rows(call.client.documents.preferences(found, call.client.documents.record(found.document_id)))


def _rows(rows: Sequence[PreferenceInForce] | None) -> PreferenceAnswers:
    if rows is None:
        return PreferenceAnswers(items=None)
    return PreferenceAnswers(items=[PreferenceAnswer.model_validate(one._asdict()) for one in rows])


def select_documents(call: Call[Params, SelectBody]) -> SelectedDocuments:
    """Return the documents that somebody names as on the command line, or selects; 404 where there is none.

    A token of one collection names them by their identifiers, and selects among those of its collection.
    """
    body, caller = call.body, call.caller
    selector = Selector(
        collection_id=body.collection_id,
        source_id=body.source_id,
        media_type=body.media_type,
        path=body.path,
        older_than=None if body.older_than_seconds is None else timedelta(seconds=body.older_than_seconds),
    )
    names = body.documents
    if caller.collection_id is not None:
        caller.check_sees(body.collection_id or caller.collection_id, "the collection")
        names = [document_for(call, one).document_id for one in names]
        if not selector.is_empty:
            selector = replace(selector, collection_id=caller.collection_id)
    return SelectedDocuments(items=states_of(call, call.client.documents.select(names, selector, state=body.state)))


def list_broken_links(call: Call[BrokenLinksParams, NoBody]) -> DocumentLinks:
    """List the links of all documents that lead into a source, to where nothing is known."""
    named = call.params.collection_id
    if named is not None:
        collection_for(call, named)
    found = call.client.documents.broken_links(collection_id=named or call.caller.collection_id)
    return DocumentLinks(
        items=[DocumentLink.model_validate(one.as_dict()) for one in found.links], unreadable=found.unreadable
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    HttpEndpoint(
        method="GET", path="/sources/{source_id}/preferences", summary="What is in force for a source", tag="sources",
        handler=get_source_preferences, params=SourceParams, body=NoBody, answer=PreferenceAnswers,
    ),
    HttpEndpoint(
        method="GET", path="/sources/{source_id}/outcomes", summary="What came of a source", tag="sources",
        handler=get_source_outcomes, params=SourceParams, body=NoBody, answer=OutcomeCounts,
    ),
    HttpEndpoint(
        method="GET", path="/documents/{document_id}/preferences", summary="What is in force for a document",
        tag="documents", handler=get_document_preferences, params=DocumentParams, body=NoBody, answer=PreferenceAnswers,
    ),
    HttpEndpoint(
        method="POST", path="/select", summary="The documents that are meant", tag="documents",
        handler=select_documents, params=Params, body=SelectBody, answer=SelectedDocuments,
    ),
    HttpEndpoint(
        method="GET", path="/links/broken", summary="Links that lead nowhere", tag="documents",
        handler=list_broken_links, params=BrokenLinksParams, body=NoBody, answer=DocumentLinks,
    ),
)  # fmt: skip
