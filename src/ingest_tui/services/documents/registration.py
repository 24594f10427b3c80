"""Registering one document that a connector or a script has parsed already."""

from __future__ import annotations

from typing import Any

from ingest_tui.extraction.markup.markdown import find_links
from ingest_tui.model.chunk_limits import ChunkRules
from ingest_tui.model.chunking import chunks_of_version, split_into_chunks
from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.document import Document, IngestedDocument
from ingest_tui.model.errors import UsageError, ValidationError
from ingest_tui.model.hashing import check_content_hash, compute_content_hash
from ingest_tui.model.keys import file_name_of
from ingest_tui.model.language import detect_language
from ingest_tui.model.place import KnownPlace
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.source import UPLOAD_SOURCE
from ingest_tui.model.version_label import usual_label
from ingest_tui.pipeline.commit.known_content import FetchedItem, KnownContent, as_place_of
from ingest_tui.store.catalogue.rows import VersionRow
from ingest_tui.store.change import PlacedVersion, StoreChange, StoreWriter
from ingest_tui.store.document_preferences import DocumentLimits
from ingest_tui.store.fs.atomic import make_inner_folder, remove_tree, write_new
from ingest_tui.store.layout import NORMALIZED
from ingest_tui.store.users import requester
from ingest_tui.store.workspace import Workspace


def register_document(
    workspace: Workspace, collection_id: str, ingested: IngestedDocument, *, source_id: str | None, at: str
) -> dict[str, Any]:
    """Commit a document under the lock that all commits take, so that no race can double it.

    What it is to the collection is decided as for any fetched item; registering asks for what a person had removed.
    """
    limits = DocumentLimits(workspace.layout).of(collection_id, source_id or UPLOAD_SOURCE, {})
    _check_hash(ingested)
    _refuse_source_elsewhere(workspace, collection_id, source_id)
    data = _as_bytes(ingested)
    source = source_id or UPLOAD_SOURCE
    key = ingested.unique_id if source_id else f"{collection_id}/{ingested.unique_id}"
    item = FetchedItem(key, ingested.unique_id, compute_content_hash(data), ingested.content_hash)
    with workspace.committing() as writer:
        known = KnownContent(writer.catalogue, collection_id=collection_id, source_id=source)
        known.look_up([item])
        _refuse_other_collection(known.locations.get(key), collection_id, ingested)
        decision = known.decide(item, asked=True)
        change = StoreChange(at=at, by="api")
        kind, document_id = decision.classification.kind, decision.classification.document_id
        is_new = kind in {"new", "changed", "detached", "returned"}
        if is_new:
            previous = known.previous(decision, key)
            document = _row(ingested, item, known, collection_id, source, previous, at)
            chunks = split_into_chunks(ingested.content, limits=limits)
            document = document._replace(chunks=len(chunks))
            language = detect_language(ingested.content)
            change.chunks[document.document_id] = list(
                chunks_of_version(document.document_id, document.version, chunks, language, limits.rules)
            )
            if previous is not None and previous.state == "retired":
                change.returned.add(previous.document_id)
        else:
            document = known.documents[document_id or ""]
        own = known.locations.get(key)
        if is_new or own is None or own.document_id != document.document_id:
            change.put_location(_location(source, item, document, change.at))
            change.noted.add(document.document_id)
        placing = known.put_places(item, decision, document.document_id)
        for row in placing.moved:
            change.put_location(as_place_of(row, document.document_id, document.version))
        change.left |= placing.losers
        if is_new:
            _commit(workspace, writer, change, document, ingested, data, limits.rules)
        elif change.locations:
            writer.carry_out(change)
    return {"is_new": is_new, "document_id": document.document_id, "file_size": document.bytes}


def register_and_note(
    workspace: Workspace, collection_id: str, ingested: IngestedDocument, *, source_id: str | None = None
) -> dict[str, Any]:
    """Register a document as `register_document` does now; what is new is in the audit."""
    at = rfc3339_now()
    made = register_document(workspace, collection_id, ingested, source_id=source_id, at=at)
    if made["is_new"]:
        details = {"collection": collection_id, "unique_id": ingested.unique_id}
        workspace.audit.add(at=at, by=requester(), action="document.register", target=made["document_id"], **details)
    return made


def _refuse_source_elsewhere(workspace: Workspace, collection_id: str, source_id: str | None) -> None:
    """Refuse a source of another collection: its next sync would retire what it does not list."""
    if source_id is None or source_id not in workspace.sources.names():
        return
    source = workspace.sources.get(source_id)
    if source.collection_id != collection_id:
        raise UsageError(
            f"source {source_id!r} is in collection {source.collection_id!r}",
            hint="a source has one collection: give another source_id, or none",
            collection_id=source.collection_id,
        )


def _refuse_other_collection(place: KnownPlace | None, collection_id: str, ingested: IngestedDocument) -> None:
    """Refuse what its source has in another collection: it would be taken from there, with all of its versions."""
    if place is not None and place.collection_id != collection_id:
        raise UsageError(
            f"'{safe_display(ingested.unique_id, limit=200)}' of source {place.source_id!r} is in collection"
            f" {place.collection_id!r}",
            hint="a source has one collection: give another source_id, or none",
            collection_id=place.collection_id,
        )


def _check_hash(ingested: IngestedDocument) -> None:
    """Refuse a hash that is not that of the content: it decides which documents are the same."""
    if check_content_hash(ingested.content_hash) != compute_content_hash(ingested.content):
        raise ValidationError(
            f"content_hash is not the hash of the content of '{safe_display(ingested.unique_id, limit=200)}'",
            hint="leave content_hash out, or use compute_content_hash()",
        )


def _as_bytes(ingested: IngestedDocument) -> bytes:
    try:
        return ingested.content.encode()
    except UnicodeEncodeError:
        raise ValidationError(
            "the content holds lone surrogates and is not text", hint="decode it with errors='replace' first"
        ) from None


def _row(
    ingested: IngestedDocument,
    item: FetchedItem,
    known: KnownContent,
    collection_id: str,
    source: str,
    previous: Document | None,
    at: str,
) -> Document:
    name = str(ingested.metadata.get("file_name") or file_name_of(ingested.unique_id))
    return Document(
        document_id=previous.document_id if previous else known.new_document_id(item.key),
        collection_id=collection_id,
        source_id=source,
        source_type=ingested.source_type,
        uri=item.uri,
        key=item.key,
        title=str(ingested.metadata.get("title") or name),
        file_name=name,
        media_type=str(ingested.metadata.get("media_type") or "text/markdown"),
        version=previous.version + 1 if previous else 1,
        raw_sha256=item.raw_sha256,
        content_hash=item.content_hash,
        bytes=len(ingested.content.encode()),
        chunks=0,
        backend="api",
        state="active",
        created_at=previous.created_at if previous else at,
        updated_at=at,
        job_id="api",
    )


def _commit(
    workspace: Workspace,
    writer: StoreWriter,
    change: StoreChange,
    document: Document,
    ingested: IngestedDocument,
    data: bytes,
    chunking: ChunkRules,
) -> None:
    folder = workspace.layout.registering
    change.placed.append(PlacedVersion(folder, document))
    change.rechunked.add(document.document_id)
    change.documents[document.document_id] = document
    change.versions.append(VersionRow.of_current(document))
    try:
        remove_tree(folder)
        make_inner_folder(folder)
        write_new(folder / "raw.md", data)
        write_new(folder / NORMALIZED, data)
        workspace.document_store.write_ingestion(folder, _record(document, ingested, chunking))
        writer.carry_out(change)
    finally:
        remove_tree(folder)


def _record(document: Document, ingested: IngestedDocument, chunking: ChunkRules) -> dict[str, Any]:
    metadata = {str(name): str(value) for name, value in ingested.metadata.items()}
    origin = {"fingerprint": document.raw_sha256, "size": document.bytes, "modified": None, "modified_ns": None}
    return {
        **document._asdict(),
        "version_label": usual_label(document.file_name, document.version),
        "origin": {**origin, "etag": None, "metadata": metadata},
        "file_size": document.bytes,
        "mime_type": document.media_type,
        "language": detect_language(ingested.content),
        "backend_version": "",
        "pages": None,
        "page_starts": [],
        "chunking": chunking.as_dict(),
        "columns": [],
        "links": [link.as_dict() for link in find_links(ingested.content)],
        "warnings": [],
        "validation": [],
        "ingested_at": document.updated_at,
    }


def _location(source: str, item: FetchedItem, document: Document, at: str) -> KnownPlace:
    is_own = (document.source_id, document.key) == (source, item.key)
    return KnownPlace(
        source,
        item.key,
        item.uri,
        document.collection_id,
        document.document_id,
        item.raw_sha256,
        document.bytes,
        None,
        "ingested" if is_own else "duplicate",
        "registered",
        "",
        "",
        "api",
        at,
        document.version,
    )
