"""Retiring documents on a person's word, and bringing them back."""

from __future__ import annotations

from collections.abc import Iterable

from ingest_tui.model.batching import batches
from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.document import Document
from ingest_tui.store.change import StoreChange
from ingest_tui.store.kept_places import keep_places
from ingest_tui.store.users import requester
from ingest_tui.store.workspace import Workspace

_BATCH = 200


def retire_locations(workspace: Workspace, source_id: str, keys: Iterable[str], *, reason: str) -> list[str]:
    """Forget places of a source and retire the documents that have no other; returns their ids.

    Places from which a person removed a document become kept ones: the removal holds whatever becomes of the source.
    In batches: what an error or Ctrl-C cuts off leaves each document either here or in the trash.
    """
    retired: list[str] = []
    for batch in batches(list(keys), _BATCH):
        with workspace.committing() as writer:
            known = writer.catalogue.locations(source_id, batch)
            change = StoreChange(at=rfc3339_now(), by=requester(), reason=reason)
            change.forgotten = {(source_id, key) for key in known}
            change.left = {row.document_id for row in known.values() if row.document_id}
            keep_places(change, writer.catalogue, source_id, (row.key for row in known.values() if not row.document_id))
            retired += [document.document_id for document in writer.carry_out(change).retired]
    return retired


def retire_documents(workspace: Workspace, document_ids: list[str], *, reason: str) -> list[Document]:
    """Retire documents whatever places they have; returns those that were not retired already.

    Their places stay known as removed by a person, so that the next sync does not bring them back unless they change.
    """
    retired: list[Document] = []
    for batch in batches(document_ids, _BATCH):
        with workspace.committing() as writer:
            at, by = rfc3339_now(), requester()
            change = StoreChange(at=at, by=by, reason=reason)
            # As they are now: scripts register new versions without asking for the source.
            known = writer.catalogue.documents(batch)
            active = [known[name] for name in batch if name in known and known[name].state == "active"]
            for document in active:
                change.documents[document.document_id] = document._replace(state="retired", updated_at=at)
                removed = [
                    place._replace(
                        document_id=None,
                        outcome="retired",
                        reason=reason,
                        detail=f"removed by {by}",
                        at=at,
                        removed_sha256=document.raw_sha256,
                        removed_content_hash=document.content_hash,
                    )
                    for place in writer.catalogue.locations_of(document.document_id)
                ]
                change.remembered[document.document_id] = removed
                for place in removed:
                    change.put_location(place)
            writer.carry_out(change)
        retired += active
    return retired


def keep_locations(workspace: Workspace, source_id: str, keys: Iterable[str]) -> None:
    """Make the places of a source kept ones: their documents stay, whatever becomes of the source."""
    for batch in batches(list(keys), _BATCH):
        with workspace.committing() as writer:
            change = StoreChange(at=rfc3339_now(), by=requester())
            keep_places(change, writer.catalogue, source_id, batch)
            writer.carry_out(change)
