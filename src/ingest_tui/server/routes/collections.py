"""Collections: what people chose for them, and the files that are uploaded to them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from ingest_tui.model.access_token import ADMIN, WRITE
from ingest_tui.model.collection import Collection, CollectionPreferences
from ingest_tui.model.errors import ConflictError
from ingest_tui.server.endpoint import (
    LONG_SECONDS,
    Answer,
    AnyEndpoint,
    Body,
    Call,
    HttpEndpoint,
    NoBody,
    Params,
    Reply,
)
from ingest_tui.server.etags import check_match, etag_of
from ingest_tui.server.routes.jobs import QueuedJob, queued_job
from ingest_tui.server.routes.sources import warn_of_missing_ocr
from ingest_tui.server.values import Identifier

_TAG = "collections"


class CollectionParams(Params):
    """Which collection."""

    collection_id: Identifier


class GenerationAnswer(Answer):
    """Vectors of a collection that were made with one embedder."""

    number: int
    state: str
    embedder: str


class EmbeddingOfCollection(Answer):
    """How far the vectors are; ``to_embed``: how many documents wait for some, null where nothing is embedded."""

    to_embed: int | None
    generations: list[GenerationAnswer]


class SourceInCollection(Answer):
    """A source, how many documents the collection has of it, and how far their vectors are, and the next ones."""

    source_id: str
    documents: int
    embedding: str
    next_embedding: str


class CollectionState(Answer):
    """A collection and what is in it."""

    collection_id: str
    name: str
    description: str
    documents: int
    chunks: int
    documents_in_trash: int
    sources: list[str]
    unfinished_jobs: list[str]
    preferences: CollectionPreferences
    created_at: str
    updated_at: str
    revision: int
    in_use: bool
    embedding: EmbeddingOfCollection
    source_states: list[SourceInCollection]


class CollectionRow(Answer):
    """A collection in a list."""

    collection_id: str
    name: str
    description: str
    documents: int
    preferences: CollectionPreferences
    created_at: str
    updated_at: str
    revision: int
    in_use: bool


class CollectionRows(Answer):
    """All collections, by identifier; ``unreadable``: those whose record is damaged."""

    items: list[CollectionRow]
    unreadable: list[str]


class NewCollection(Body):
    """A collection to add."""

    name: str = Field(min_length=1, max_length=200)
    description: str = Field(default="", max_length=2000)


class EditedCollection(Body):
    """What changes of a collection; its identifier stays."""

    name: str | None = Field(default=None, min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=2000)


class RemovedCollectionReport(Answer):
    """What went with a collection."""

    collection_id: str
    documents: int
    source_ids: list[str]


class ChangedPreferences(Body):
    """What changes of the preferences of a collection."""

    values: dict[str, Any] = Field(default_factory=dict, description="by key: chunk_size, embedder, languages, …")
    unset: list[str] = Field(default_factory=list, description="keys that are as usual again")


class PreferencesState(Answer):
    """The preferences of a collection. ``job``: what cuts its documents by them now."""

    collection_id: str
    preferences: CollectionPreferences
    job: QueuedJob | None = None


class ReembedBody(Body):
    """What is embedded again; the whole collection where nothing is named."""

    document_ids: list[str] = Field(default_factory=list, max_length=200)
    source_ids: list[Identifier] = Field(default_factory=list, max_length=200)
    embedder: Identifier | None = Field(default=None, description="another one than that of the collection")
    switch: bool = Field(default=True, description="let the new vectors answer when they are complete")


class EmbeddedDocument(Answer):
    """How far the vectors of a document are; empty where none are to be made."""

    document_id: str
    embedding: str


class Reembedding(Answer):
    """The jobs that embed again, and the documents that were named."""

    jobs: list[QueuedJob]
    documents: list[EmbeddedDocument]


def collection_for(call: Call[Any, Any], collection_id: str) -> Collection:
    """Return a collection that the caller sees; raises `NotFoundError`."""
    call.caller.check_sees(collection_id, f"collection {collection_id!r}")
    found: Collection = call.client.collections.get(collection_id)
    return found


def list_collections(call: Call[Params, NoBody]) -> CollectionRows:
    """List the collections."""
    in_use = call.client.collections.in_use()
    rows = [
        CollectionRow.model_validate(one.model_dump() | {"documents": documents, "in_use": one.collection_id == in_use})
        for one, documents in call.client.collections.list()
        if call.caller.sees(one.collection_id)
    ]
    unreadable = call.client.collections.unreadable() if call.caller.collection_id is None else []
    return CollectionRows(items=rows, unreadable=unreadable)


def get_collection(call: Call[CollectionParams, NoBody]) -> Reply:
    """Return a collection with what is in it."""
    return _answer(call, collection_for(call, call.params.collection_id))


def add_collection(call: Call[Params, NewCollection]) -> Reply:
    """Add a collection."""
    made = call.client.collections.add(call.body.name, description=call.body.description)
    answer = _answer(call, made)
    return Reply(answer.value, 201, {**answer.headers, "Location": f"/collections/{made.collection_id}"})


def edit_collection(call: Call[CollectionParams, EditedCollection]) -> Reply:
    """Change what a collection is called and what it is for."""
    seen = collection_for(call, call.params.collection_id)
    check_match(call.headers, seen, f"collection {seen.collection_id!r}")
    body = call.body
    return _answer(call, call.client.collections.edit(seen.collection_id, name=body.name, description=body.description))


def remove_collection(call: Call[CollectionParams, NoBody]) -> RemovedCollectionReport:
    """Remove a collection with its sources, and retire its documents to the trash."""
    seen = collection_for(call, call.params.collection_id)
    check_match(call.headers, seen, f"collection {seen.collection_id!r}")
    report = call.client.collections.remove(seen.collection_id, based_on=seen)
    return RemovedCollectionReport(
        collection_id=report.collection_id, documents=report.documents, source_ids=list(report.source_ids)
    )


def get_preferences(call: Call[CollectionParams, NoBody]) -> Reply:
    """Return what people chose for a collection."""
    found = collection_for(call, call.params.collection_id)
    state = PreferencesState(collection_id=found.collection_id, preferences=found.preferences)
    return Reply(state, headers={"ETag": etag_of(found.preferences)})


def set_preferences(call: Call[CollectionParams, ChangedPreferences]) -> Reply:
    """Change preferences of a collection; where its documents are cut otherwise then, a job does so."""
    seen = collection_for(call, call.params.collection_id)
    what = f"the preferences of collection {seen.collection_id!r}"
    is_matched = check_match(call.headers, seen.preferences, what)
    if "tokenizer" in call.body.values:  # names a file of the machine
        call.caller.require(ADMIN)
    change = call.client.collections.plan_preferences(seen.collection_id, call.body.values, call.body.unset)
    if is_matched and change.before.preferences != seen.preferences:
        raise ConflictError(f"{what} were changed meanwhile; nothing was changed", hint="read them again")
    saved = call.client.collections.save_preferences(change)
    if "ocr_languages" in change.changed:
        warn_of_missing_ocr(call.client.sources.missing_for_ocr_preferences(saved.collection.preferences))
    job = queued_job(call, saved.job.job_id) if saved.job is not None else None
    preferences = saved.collection.preferences
    state = PreferencesState(collection_id=seen.collection_id, preferences=preferences, job=job)
    return Reply(state, headers={"ETag": etag_of(preferences)})


def reembed_collection(call: Call[CollectionParams, ReembedBody]) -> Reply:
    """Make vectors of a collection again, or of documents and sources of it, next to those that answer."""
    seen = collection_for(call, call.params.collection_id)
    body = call.body
    targets = [*(f"source:{one}" for one in body.source_ids), *body.document_ids]
    scope = call.client.vectors.scope_of(targets or [f"collection:{seen.collection_id}"])
    call.caller.check_sees(scope.collection_id, "what is named")
    if scope.collection_id != seen.collection_id:
        raise ConflictError(
            f"what is named is in collection {scope.collection_id!r}", hint=f"POST /collections/{scope.collection_id}/…"
        )
    job = call.client.vectors.reembed(scope, embedder_id=body.embedder, switches=body.switch)
    states = [
        EmbeddedDocument(document_id=one, embedding=call.client.documents.embedding(one)) for one in scope.documents
    ]
    answer = Reembedding(jobs=[queued_job(call, job.job_id)], documents=states)
    return Reply(answer, 202, {"Location": f"/ingest/{job.job_id}"})


def _answer(call: Call[Any, Any], collection: Collection) -> Reply:
    page = call.client.collections.page(collection.collection_id)
    summary = page.summary
    shown = page.as_dict() | {"preferences": summary.collection.preferences}
    state = CollectionState.model_validate({name: shown[name] for name in CollectionState.model_fields})
    return Reply(state, headers={"ETag": etag_of(summary.collection)})


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    HttpEndpoint(
        method="GET", path="/collections", summary="The collections", tag=_TAG, handler=list_collections,
        params=Params, body=NoBody, answer=CollectionRows,
    ),
    HttpEndpoint(
        method="POST", path="/collections", summary="Add a collection", tag=_TAG, handler=add_collection,
        params=Params, body=NewCollection, answer=CollectionState, status=201, scope=WRITE, whole_workspace=True,
    ),
    HttpEndpoint(
        method="GET", path="/collections/{collection_id}", summary="A collection", tag=_TAG,
        handler=get_collection, params=CollectionParams, body=NoBody, answer=CollectionState,
    ),
    HttpEndpoint(
        method="PATCH", path="/collections/{collection_id}", summary="Change a collection", tag=_TAG,
        handler=edit_collection,
        takes_if_match=True, params=CollectionParams, body=EditedCollection, answer=CollectionState, scope=WRITE,
    ),
    HttpEndpoint(
        method="DELETE", path="/collections/{collection_id}", summary="Remove a collection", tag=_TAG,
        handler=remove_collection, seconds=LONG_SECONDS,
        takes_if_match=True, params=CollectionParams, body=NoBody, answer=RemovedCollectionReport, scope=WRITE,
        whole_workspace=True,
    ),
    HttpEndpoint(
        method="GET", path="/collections/{collection_id}/preferences", summary="The preferences of a collection",
        tag=_TAG, handler=get_preferences, params=CollectionParams, body=NoBody, answer=PreferencesState,
    ),
    HttpEndpoint(
        method="PATCH", path="/collections/{collection_id}/preferences", summary="Change preferences", tag=_TAG,
        handler=set_preferences, seconds=LONG_SECONDS,
        takes_if_match=True, params=CollectionParams, body=ChangedPreferences, answer=PreferencesState,
        scope=WRITE, problems=(503,),
    ),
    HttpEndpoint(
        method="POST", path="/collections/{collection_id}/reembed", summary="Make vectors again", tag=_TAG,
        handler=reembed_collection, seconds=LONG_SECONDS,
        params=CollectionParams, body=ReembedBody, answer=Reembedding, status=202,
        scope=WRITE, problems=(424, 503),
    ),
)  # fmt: skip
