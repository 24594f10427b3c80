"""Retiring documents on a person's word, and bringing them back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from ingest_tui.model.chunking import HEADING_SEPARATOR, split_into_chunks
from ingest_tui.model.clock import rfc3339
from ingest_tui.model.errors import BusyError, UsageError
from ingest_tui.pipeline.retire import settle_documents_without_places
from ingest_tui.store.catalogue import DocumentRow, LocationRow
from ingest_tui.store.documents import DocumentStore
from ingest_tui.store.locks import FileLock
from ingest_tui.store.workspace import Workspace, requester

_LOCK_SECONDS = 60.0


def retire_locations(workspace: Workspace, source_id: str, keys: Iterable[str], *, reason: str) -> list[str]:
    """Forget places of a source and retire the documents that have no other; returns their ids."""
    catalogue, store = workspace.catalogue, DocumentStore(workspace.layout)
    at, by = rfc3339(datetime.now(UTC)), requester()
    keys = list(keys)
    with _commit_lock(workspace):
        known = catalogue.locations(source_id, keys)
        with catalogue.transaction():
            catalogue.forget_locations(source_id, keys)
            touched = {row.document_id for row in known.values() if row.document_id}
            retired, kept = settle_documents_without_places(catalogue, touched, at)
            store.note_locations((row, catalogue.locations_of(row.document_id)) for row in kept)
        for document in retired:
            store.retire(document.collection_id, document.document_id, reason=reason, at=at, by=by)
    return [document.document_id for document in retired]


def retire_documents(workspace: Workspace, documents: list[DocumentRow], *, reason: str) -> list[str]:
    """Retire documents whatever places they have; returns their ids.

    Their places stay known as removed by a person, so that the next sync does not bring them back unless they change.
    """
    catalogue, store = workspace.catalogue, DocumentStore(workspace.layout)
    at, by = rfc3339(datetime.now(UTC)), requester()
    with _commit_lock(workspace):
        with catalogue.transaction():
            for document in documents:
                places = catalogue.locations_of(document.document_id)
                catalogue.put_locations(
                    place._replace(
                        document_id=None,
                        outcome="retired",
                        reason=reason,
                        detail=f"removed by {by}",
                        at=at,
                        removed_sha256=document.raw_sha256,
                    )
                    for place in places
                )
            catalogue.put_documents(row._replace(state="retired", updated_at=at) for row in documents)
            catalogue.remove_chunks(row.document_id for row in documents)
        for document in documents:
            store.retire(document.collection_id, document.document_id, reason=reason, at=at, by=by)
    return [document.document_id for document in documents]


def restore_retired(workspace: Workspace, document: DocumentRow) -> DocumentRow:
    """Bring a retired document back from the trash, searchable as it was; raises `UsageError` when it cannot."""
    catalogue, store = workspace.catalogue, DocumentStore(workspace.layout)
    at = rfc3339(datetime.now(UTC))
    if document.state != "retired":
        raise UsageError(f"document {document.document_id} is not in the trash", hint="'doc list --retired' shows it")
    with _commit_lock(workspace):
        if not store.bring_back(document.collection_id, document.document_id):
            raise UsageError(
                f"document {document.document_id} is no longer in the trash", hint="its grace is over; sync its source"
            )
        folder = store.folder(document.collection_id, document.document_id, document.version)
        chunks = split_into_chunks(store.normalized(folder))
        restored = document._replace(state="active", updated_at=at)
        here = catalogue.locations(document.source_id, [document.key]).get(document.key)
        with catalogue.transaction():
            catalogue.put_documents([restored])
            if here is None or here.document_id is None:
                catalogue.put_locations([_restored_place(document, here, at)])
            catalogue.add_chunks(
                (document.document_id, ordinal, HEADING_SEPARATOR.join(chunk.heading_path), chunk.text)
                for ordinal, chunk in enumerate(chunks)
            )
    return restored


def _restored_place(document: DocumentRow, before: LocationRow | None, at: str) -> LocationRow:
    """A restored document is at its place again; without a fingerprint, so that the next sync looks at it."""
    fingerprint = before.fingerprint if before else ""
    return LocationRow(
        document.source_id,
        document.key,
        document.uri,
        document.collection_id,
        document.document_id,
        fingerprint,
        document.bytes,
        before.modified_ns if before else None,
        "ingested",
        "restored",
        "",
        before.ruleset if before else "",
        document.job_id,
        at,
        document.version,
    )


def _commit_lock(workspace: Workspace) -> FileLock:
    lock = FileLock(workspace.layout.lock("commit"))
    try:
        lock.acquire(_LOCK_SECONDS, what="the catalogue")
    except BusyError as error:
        raise BusyError(error.message, hint="a job is committing; try again in a moment") from None
    return lock
