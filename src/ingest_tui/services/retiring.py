"""Retiring documents on a person's word, and bringing them back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TypeVar

from ingest_tui.model.chunking import HEADING_SEPARATOR, split_into_chunks
from ingest_tui.model.clock import rfc3339
from ingest_tui.model.errors import UsageError
from ingest_tui.store.catalogue import DocumentRow, LocationRow
from ingest_tui.store.change import StoreChange
from ingest_tui.store.workspace import Workspace, requester

_BATCH = 200
_Item = TypeVar("_Item")


def retire_locations(workspace: Workspace, source_id: str, keys: Iterable[str], *, reason: str) -> list[str]:
    """Forget places of a source and retire the documents that have no other; returns their ids.

    In batches: what an error or Ctrl-C cuts off leaves each document either here or in the trash.
    """
    retired: list[str] = []
    for batch in _batches(list(keys)):
        with workspace.committing() as writer:
            known = writer.catalogue.locations(source_id, batch)
            change = StoreChange(at=_now(), by=requester(), reason=reason)
            change.forgotten = {(source_id, key) for key in known}
            change.left = {row.document_id for row in known.values() if row.document_id}
            retired += [document.document_id for document in writer.carry_out(change).retired]
    return retired


def retire_documents(workspace: Workspace, documents: list[DocumentRow], *, reason: str) -> list[str]:
    """Retire documents whatever places they have; returns their ids.

    Their places stay known as removed by a person, so that the next sync does not bring them back unless they change.
    """
    for batch in _batches(documents):
        with workspace.committing() as writer:
            at, by = _now(), requester()
            change = StoreChange(at=at, by=by, reason=reason)
            for document in batch:
                change.documents[document.document_id] = document._replace(state="retired", updated_at=at)
                removed = [
                    place._replace(
                        document_id=None,
                        outcome="retired",
                        reason=reason,
                        detail=f"removed by {by}",
                        at=at,
                        removed_sha256=document.raw_sha256,
                    )
                    for place in writer.catalogue.locations_of(document.document_id)
                ]
                change.remembered[document.document_id] = removed
                for place in removed:
                    change.put_location(place)
            writer.carry_out(change)
    return [document.document_id for document in documents]


def restore_retired(workspace: Workspace, document: DocumentRow) -> DocumentRow:
    """Bring a retired document back from the trash, searchable as it was; raises `UsageError` when it cannot."""
    at, store = _now(), workspace.document_store
    if document.state != "retired":
        raise UsageError(f"document {document.document_id} is not in the trash", hint="'doc list --retired' shows it")
    with workspace.committing() as writer:
        folder = store.folder(document.collection_id, document.document_id, document.version, retired=True)
        if not folder.exists():
            raise UsageError(
                f"document {document.document_id} is no longer in the trash", hint="its grace is over; sync its source"
            )
        restored = document._replace(state="active", updated_at=at)
        here = writer.catalogue.locations(document.source_id, [document.key]).get(document.key)
        change = StoreChange(at=at, by=requester())
        change.documents[document.document_id] = restored
        change.returned.add(document.document_id)
        if here is None or here.document_id is None:
            change.put_location(_restored_place(document, here, at))
        change.chunks += [
            (document.document_id, ordinal, HEADING_SEPARATOR.join(chunk.heading_path), chunk.text)
            for ordinal, chunk in enumerate(split_into_chunks(store.normalized(folder)))
        ]
        writer.carry_out(change)
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


def _batches(items: list[_Item]) -> Iterator[list[_Item]]:
    return (items[start : start + _BATCH] for start in range(0, len(items), _BATCH))


def _now() -> str:
    return rfc3339(datetime.now(UTC))
