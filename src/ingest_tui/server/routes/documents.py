"""Documents: lists, texts, versions, links, and why something is here or not."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from ingest_tui.model.access_token import WRITE
from ingest_tui.model.document import Document, IngestedDocument
from ingest_tui.model.errors import NotFoundError
from ingest_tui.model.folder import Folder, folder_written
from ingest_tui.server.endpoint import AnyEndpoint, Call, HttpEndpoint, NoBody, Params, Reply
from ingest_tui.server.pages import number_cursor, page_at
from ingest_tui.server.ranges import file_response
from ingest_tui.server.routes.collections import collection_for
from ingest_tui.server.routes.document_models import (
    DiffParams,
    DocumentChunk,
    DocumentChunks,
    DocumentDiff,
    DocumentLink,
    DocumentLinks,
    DocumentPageAnswer,
    DocumentParams,
    DocumentRecord,
    DocumentsParams,
    DocumentState,
    DocumentText,
    DocumentVersion,
    DocumentVersions,
    ExplainParams,
    ExplanationAnswer,
    LinksParams,
    RegisterBody,
    Registered,
    RemovedDocument,
    TextParams,
    VersionParams,
)
from ingest_tui.server.routes.sources import source_for

_TAG = "documents"


def document_for(call: Call[Any, Any], document_id: str) -> Document:
    """Return a document that the caller sees, by its whole identifier; raises `NotFoundError`."""
    # Not by what else a person may call it: who sees one collection would learn what others have of that name.
    collection_id = call.caller.collection_id
    found = call.client.documents.list(document_ids=[document_id], collection_id=collection_id, state=None)
    if not found:
        raise NotFoundError(f"there is no document {document_id!r}", hint="GET /documents lists them")
    return found[0]


def folder_of(written: str) -> Folder | None:
    """Return the folder that a request names; one without documents is empty, as for who does not see them."""
    return folder_written(written) if written else None


def states_of(call: Call[Any, Any], documents: list[Document]) -> list[DocumentState]:
    """Return documents with how they are doing; one that is gone meanwhile is left out."""
    details = call.client.documents.details([one.document_id for one in documents])
    return [
        DocumentState.model_validate(one.as_dict() | details[one.document_id]._asdict() | {"version": one.version})
        for one in documents
        if one.document_id in details
    ]


def list_documents(call: Call[DocumentsParams, NoBody]) -> DocumentPageAnswer:
    """List documents."""
    params = call.params
    if params.collection_id is not None:
        collection_for(call, params.collection_id)
    offset = number_cursor(params.cursor)
    choice = params.model_dump(include={"source_id", "state", "contains", "media_type", "since", "until", "outcome"})
    choice |= {"collection_id": params.collection_id or call.caller.collection_id, "folder": folder_of(params.folder)}
    page = call.client.documents.page(limit=params.limit + 1, offset=offset, order=params.sort, **choice)
    rows, more = page_at(page.rows, params.limit, offset)
    return DocumentPageAnswer(items=states_of(call, rows), next_cursor=more, total=page.total)


def register_document(call: Call[Params, RegisterBody]) -> Reply:
    """Register a document with its text. The same content again gives the same document, and `is_new` false.

    A token of one collection names a source of that one, or none.
    """
    body = call.body
    collection_for(call, body.collection_id)
    if body.source_id is not None and call.caller.collection_id is not None:
        # What no source of theirs has may be of others, who are not told of either.
        source_for(call, body.source_id)
    ingested = IngestedDocument(body.content, body.unique_id, body.source_type, body.metadata, body.content_hash)
    made = call.client.documents.register(body.collection_id, ingested, source_id=body.source_id)
    answer = Registered.model_validate(made)
    return Reply(answer, 201 if answer.is_new else 200, {"Location": f"/documents/{answer.document_id}"})


def get_document(call: Call[VersionParams, NoBody]) -> DocumentRecord:
    """Return a document and the record of a version."""
    found = document_for(call, call.params.document_id)
    record = call.client.documents.record(found.document_id, call.params.version)
    (state,) = states_of(call, [found]) or [_gone(found.document_id)]
    return DocumentRecord(document=state, ingestion=record)


def _gone(document_id: str) -> Any:
    raise NotFoundError(f"there is no document {document_id!r}", hint="somebody has removed it meanwhile")


def get_document_text(call: Call[TextParams, NoBody]) -> DocumentText:
    """Return the normalised text of a version, or a part of it."""
    params = call.params
    found = document_for(call, params.document_id)
    whole: str = call.client.documents.text(found.document_id, params.version)
    end = params.offset + params.limit
    return DocumentText(
        document_id=found.document_id,
        version=params.version or found.version,
        text=whole[params.offset : end],
        offset=params.offset,
        characters=len(whole),
        next_offset=end if end < len(whole) else None,
    )


def get_document_raw(call: Call[VersionParams, NoBody]) -> Response:
    """Return the original bytes of a version; takes Range.

    It comes as an attachment that no browser shows: nobody knows what it does.
    """
    found = document_for(call, call.params.document_id)
    path = call.client.documents.raw_file(found.document_id, call.params.version)
    version = call.params.version or found.version
    return file_response(path, call.headers, name=found.file_name, mark=f"{found.document_id}.{version}")


def list_document_versions(call: Call[DocumentParams, NoBody]) -> DocumentVersions:
    """List the versions of a document, newest first."""
    found = document_for(call, call.params.document_id)
    rows = call.client.documents.versions(found.document_id)
    return DocumentVersions(document_id=found.document_id, items=[DocumentVersion.model_validate(row) for row in rows])


def diff_document(call: Call[DiffParams, NoBody]) -> DocumentDiff:
    """Return what changed in the text between two versions."""
    params = call.params
    found = document_for(call, params.document_id)
    lines = call.client.documents.diff(found.document_id, params.older, params.newer)
    return DocumentDiff(document_id=found.document_id, older=params.older, newer=params.newer, lines=lines)


def list_document_chunks(call: Call[DocumentParams, NoBody]) -> DocumentChunks:
    """List the chunks by which a document is found."""
    found = document_for(call, call.params.document_id)
    items = [DocumentChunk.model_validate(one.as_dict()) for one in call.client.documents.chunks(found.document_id)]
    return DocumentChunks(document_id=found.document_id, items=items)


def list_document_links(call: Call[LinksParams, NoBody]) -> DocumentLinks:
    """List the links of a document and where they lead, or those that lead to it."""
    found = document_for(call, call.params.document_id)
    if not call.params.incoming:
        links = call.client.documents.links(found.document_id)
        mine = {"source_document_id": found.document_id, "source_uri": found.uri}
        return DocumentLinks(items=[DocumentLink.model_validate(mine | one.as_dict()) for one in links], unreadable=[])
    incoming = call.client.documents.incoming_links(found.document_id)
    items = [
        DocumentLink.model_validate(one.as_dict())
        for one in incoming.links
        if call.caller.sees(one.source.collection_id)
    ]
    return DocumentLinks(items=items, unreadable=incoming.unreadable if call.caller.collection_id is None else [])


def explain_document(call: Call[DocumentParams, NoBody]) -> ExplanationAnswer:
    """Explain why a document is here, or in the trash, with the evidence."""
    found = document_for(call, call.params.document_id)
    return _explained(call, found.document_id)


def explain_target(call: Call[ExplainParams, NoBody]) -> ExplanationAnswer:
    """Explain why something is here or not: a document, an address, a path or a file name."""
    return _explained(call, call.params.target)


def _explained(call: Call[Any, Any], target: str) -> ExplanationAnswer:
    found = call.client.documents.explain(target, collection_id=call.caller.collection_id)
    return ExplanationAnswer.model_validate(found.as_dict() | {"told": found.lines()})


def remove_document(call: Call[DocumentParams, NoBody]) -> RemovedDocument:
    """Retire a document to the trash; 409 while a job works on it, or embeds it."""
    found = document_for(call, call.params.document_id)
    retired = call.client.documents.remove([found.document_id])
    return RemovedDocument(document_id=found.document_id, retired=retired)


def restore_document(call: Call[DocumentParams, NoBody]) -> DocumentState:
    """Bring a document back from the trash."""
    found = document_for(call, call.params.document_id)
    restored = call.client.documents.restore(found.document_id)
    (state,) = states_of(call, [restored]) or [_gone(found.document_id)]
    return state


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    HttpEndpoint(
        method="GET", path="/documents", summary="Documents", tag=_TAG, handler=list_documents,
        params=DocumentsParams, body=NoBody, answer=DocumentPageAnswer,
    ),
    HttpEndpoint(
        method="POST", path="/documents", summary="Register a document", tag=_TAG, handler=register_document,
        params=Params, body=RegisterBody, answer=Registered, other_statuses=(201,), scope=WRITE,
    ),
    HttpEndpoint(
        method="GET", path="/documents/{document_id}", summary="A document", tag=_TAG, handler=get_document,
        params=VersionParams, body=NoBody, answer=DocumentRecord,
    ),
    HttpEndpoint(
        method="DELETE", path="/documents/{document_id}", summary="Remove a document", tag=_TAG,
        handler=remove_document, params=DocumentParams, body=NoBody, answer=RemovedDocument, scope=WRITE,
    ),
    HttpEndpoint(
        method="GET", path="/documents/{document_id}/text", summary="The text of a document", tag=_TAG,
        handler=get_document_text, params=TextParams, body=NoBody, answer=DocumentText,
    ),
    HttpEndpoint(
        method="GET", path="/documents/{document_id}/raw", summary="The original of a document", tag=_TAG,
        handler=get_document_raw, params=VersionParams, body=NoBody, media_types=("application/octet-stream",),
        other_statuses=(206,), problems=(416,),
    ),
    HttpEndpoint(
        method="GET", path="/documents/{document_id}/versions", summary="The versions of a document", tag=_TAG,
        handler=list_document_versions, params=DocumentParams, body=NoBody, answer=DocumentVersions,
    ),
    HttpEndpoint(
        method="GET", path="/documents/{document_id}/diff", summary="What changed in a document", tag=_TAG,
        handler=diff_document, params=DiffParams, body=NoBody, answer=DocumentDiff,
    ),
    HttpEndpoint(
        method="GET", path="/documents/{document_id}/chunks", summary="The chunks of a document", tag=_TAG,
        handler=list_document_chunks, params=DocumentParams, body=NoBody, answer=DocumentChunks,
    ),
    HttpEndpoint(
        method="GET", path="/documents/{document_id}/links", summary="The links of a document", tag=_TAG,
        handler=list_document_links, params=LinksParams, body=NoBody, answer=DocumentLinks,
    ),
    HttpEndpoint(
        method="GET", path="/documents/{document_id}/explain", summary="Why a document is here", tag=_TAG,
        handler=explain_document, params=DocumentParams, body=NoBody, answer=ExplanationAnswer,
    ),
    HttpEndpoint(
        method="GET", path="/explain", summary="Why something is here or not", tag=_TAG, handler=explain_target,
        params=ExplainParams, body=NoBody, answer=ExplanationAnswer,
    ),
    HttpEndpoint(
        method="POST", path="/documents/{document_id}/restore", summary="Restore a document", tag=_TAG,
        handler=restore_document, params=DocumentParams, body=NoBody, answer=DocumentState, scope=WRITE,
    ),
)  # fmt: skip
