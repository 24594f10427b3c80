"""Removing a collection, with its sources and documents, and bringing it back while these are in the trash."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.collection import DEFAULT_COLLECTION, Collection
from ingest_tui.model.errors import BusyError, IngestError, NotFoundError, RefusedError
from ingest_tui.model.revision import changed_fields, conflict, differences
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.source import UPLOAD_SOURCE, Source
from ingest_tui.services.collections.collections import stop_using_collection
from ingest_tui.services.documents.restore import restore_retired
from ingest_tui.services.documents.retirement import retire_documents, retire_locations
from ingest_tui.services.jobs.source_claims import WaitPolicy, sources_to_oneself
from ingest_tui.store.catalogue import queries
from ingest_tui.store.fs.atomic import remove_tree
from ingest_tui.store.records.removed_collections import (
    RemovedCollection,
    forget_removed,
    read_removed,
    removed_called,
    removed_ids,
    write_removed,
)
from ingest_tui.store.retirements import retirement_of
from ingest_tui.store.users import requester
from ingest_tui.store.workspace import Workspace

COLLECTION_REMOVED = "collection_removed"


@dataclass(frozen=True, slots=True)
class RemovalReport:
    """What went with a collection, or came back with it."""

    collection_id: str
    documents: int
    source_ids: tuple[str, ...]


def what_would_go(workspace: Workspace, collection_id: str) -> RemovalReport:
    """Return what `remove_collection` would take away now; raises what it would raise for any time."""
    workspace.collections.get(collection_id)
    _refuse_default(collection_id)
    documents = queries.count_documents(workspace.reading, collection_id=collection_id)
    return RemovalReport(
        collection_id, documents, tuple(one.source_id for one in _sources_of(workspace, collection_id))
    )


def remove_collection(
    workspace: Workspace,
    collection_id: str,
    *,
    wait_policy: WaitPolicy | None = None,
    based_on: Collection | None = None,
) -> RemovalReport:
    """Forget a collection and its sources, and retire its documents to the trash; `restore_collection` undoes it.

    Refused with `BusyError` while a job of it waits or works; with ``wait_policy`` that is waited for. ``based_on``:
    the collection as somebody saw it; raises `ConflictError` when it has changed since. What a crash cuts off is a
    collection with fewer documents, whose removal can be repeated.
    """
    _refuse_default(collection_id)
    workspace.collections.get(collection_id)
    claimed = {UPLOAD_SOURCE, *(source.source_id for source in _sources_of(workspace, collection_id))}
    with sources_to_oneself(workspace, claimed, wait_policy=wait_policy, queued_too=True, collection_id=collection_id):
        collection = workspace.collections.get(collection_id)  # somebody else may have removed it meanwhile
        _refuse_when_changed(collection, based_on)
        sources = _sources_of(workspace, collection_id)
        if not {source.source_id for source in sources} <= claimed:
            raise BusyError(f"collection {collection_id!r} has got new sources meanwhile", hint="try again")
        at, by = rfc3339_now(), requester()
        removed = RemovedCollection(removed_at=at, by=by, collection=collection, sources=tuple(sources))
        write_removed(workspace.layout, removed)
        documents = _retire_all(workspace, collection_id)
        for source in sources:
            workspace.sources.remove(source.source_id)
        with workspace.committing() as writer:
            if queries.count_documents(writer.catalogue, collection_id=collection_id):
                raise BusyError(f"collection {collection_id!r} has got new documents meanwhile", hint="try again")
            workspace.collections.remove(collection_id)
        stop_using_collection(workspace, collection_id)
        remove_tree(workspace.layout.vector_logs(collection_id))
    report = RemovalReport(collection_id, documents, tuple(source.source_id for source in sources))
    _audit(workspace, "collection.remove", report, at=at)
    return report


def removed_collections(workspace: Workspace) -> list[RemovedCollection]:
    """Return the collections that `restore_collection` can bring back, the last removed first."""
    found = []
    for collection_id in removed_ids(workspace.layout):
        with suppress(IngestError):  # a damaged record can bring nothing back
            removed = read_removed(workspace.layout, collection_id)
            found += [removed] if removed is not None else []
    return sorted(found, key=lambda one: one.removed_at, reverse=True)


def restore_collection(workspace: Workspace, name: str) -> RemovalReport:
    """Bring a removed collection back, with its sources and what the trash still has of its documents.

    ``name``: its identifier, or what it was called.

    Raises `NotFoundError` where none was removed under that name, or its grace is over.
    """
    removed = removed_called(workspace.layout, name)
    if removed is None:
        raise NotFoundError(
            f"no collection '{safe_display(name)}' was removed",
            hint="'ingest-tui collection list' shows those that are here; what is in the trash too long is deleted",
        )
    collection_id = removed.collection.collection_id
    if not workspace.collections.exists(collection_id):
        workspace.collections.add(removed.collection)
    sources = [source for source in removed.sources if not workspace.sources.exists(source.source_id)]
    for source in sources:
        workspace.sources.add(source)
    documents = _restore_all(workspace, collection_id)
    forget_removed(workspace.layout, collection_id)
    report = RemovalReport(collection_id, documents, tuple(source.source_id for source in sources))
    _audit(workspace, "collection.restore", report, at=rfc3339_now())
    return report


def _retire_all(workspace: Workspace, collection_id: str) -> int:
    retired = 0
    for source_id, keys in queries.keys_in_collection(workspace.catalogue, collection_id).items():
        retired += len(retire_locations(workspace, source_id, keys, reason=COLLECTION_REMOVED))
    left = [one.document_id for one in queries.stream_documents(workspace.catalogue, collection_id=collection_id)]
    return retired + len(retire_documents(workspace, left, reason=COLLECTION_REMOVED))


def _restore_all(workspace: Workspace, collection_id: str) -> int:
    """Bring back what went with the collection; what a person had removed before stays in the trash."""
    restored = 0
    retired = queries.stream_documents(workspace.reading, collection_id=collection_id, state="retired")
    for document in list(retired):
        note = retirement_of(workspace.layout, collection_id, document.document_id) or {}
        if note.get("reason") != COLLECTION_REMOVED:
            continue
        try:
            restore_retired(workspace, document)
        except IngestError:  # its content, or its place, has another document meanwhile
            continue
        restored += 1
    return restored


def _sources_of(workspace: Workspace, collection_id: str) -> list[Source]:
    return [source for source in workspace.sources.all() if source.collection_id == collection_id]


def _refuse_default(collection_id: str) -> None:
    if collection_id == DEFAULT_COLLECTION:
        raise RefusedError(
            f"collection {DEFAULT_COLLECTION!r} is where documents go when no other is named: it stays",
            hint="'ingest-tui source remove SOURCE' and 'ingest-tui doc remove DOCUMENTS' take out what is in it",
        )


def _refuse_when_changed(collection: Collection, seen: Collection | None) -> None:
    now = collection.model_dump(mode="json")
    before = now if seen is None else seen.model_dump(mode="json")
    if changed_fields(before, now):
        raise conflict(f"collection {collection.collection_id!r}", differences(before, now), collection)


def _audit(workspace: Workspace, action: str, report: RemovalReport, *, at: str) -> None:
    workspace.audit.add(
        at=at,
        by=requester(),
        action=action,
        target=report.collection_id,
        documents=report.documents,
        sources=list(report.source_ids),
    )
