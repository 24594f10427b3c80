"""What a person can do with the trash: look into it, and empty it. `documents.restore_document` takes out of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ingest_tui.model.clock import rfc3339, shifted, utc_now
from ingest_tui.model.document import Document
from ingest_tui.pipeline.purge import purge_documents, retired_until
from ingest_tui.services.documents.documents import check_choice
from ingest_tui.store.retention_policies import RetentionPolicies
from ingest_tui.store.retirements import retirement_of, time_in
from ingest_tui.store.workspace import Workspace


@dataclass(frozen=True, slots=True)
class TrashEntry:
    """A document in the trash. ``retired_at`` None: its note cannot be read, so that it stays until it is emptied out.

    ``deleted_after``: when its grace ends; None without ``retired_at``, or where its collection cannot be read.
    """

    document: Document
    retired_at: datetime | None
    reason: str
    by: str
    deleted_after: datetime | None

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        times = {"retired_at": self.retired_at, "deleted_after": self.deleted_after}
        moments = {name: None if moment is None else rfc3339(moment) for name, moment in times.items()}
        return {**self.document.as_dict(), **moments, "reason": self.reason, "by": self.by}


def list_trash(workspace: Workspace, *, source_id: str | None = None) -> Iterator[TrashEntry]:
    """Yield what is in the trash, retired first comes first. Raises `NotFoundError` for a source that is not there."""
    check_choice(workspace, {"source_id": source_id})
    policies = RetentionPolicies(workspace)
    for document in retired_until(workspace):
        if source_id in {None, document.source_id}:
            grace = policies.grace_of(document.collection_id, document.source_id)
            yield _entry(workspace, document, grace)


def _entry(workspace: Workspace, document: Document, grace: timedelta | None) -> TrashEntry:
    note = retirement_of(workspace.layout, document.collection_id, document.document_id) or {}
    retired_at = time_in(note, "retired_at")
    deleted_after = None if retired_at is None or grace is None else shifted(retired_at, grace)
    return TrashEntry(document, retired_at, str(note.get("reason", "")), str(note.get("by", "")), deleted_after)


def chosen_to_empty(
    workspace: Workspace, *, older_than: timedelta | None = None, source_id: str | None = None
) -> list[TrashEntry]:
    """Return what `empty_trash` would delete. With ``older_than`` only what was retired at least so long ago."""
    now = utc_now()

    def is_chosen(entry: TrashEntry) -> bool:
        return older_than is None or (entry.retired_at is not None and now - entry.retired_at >= older_than)

    return [entry for entry in list_trash(workspace, source_id=source_id) if is_chosen(entry)]


def empty_trash(workspace: Workspace, entries: list[TrashEntry]) -> int:
    """Delete documents of the trash for good; returns how many. What was brought back meanwhile stays."""
    return purge_documents(workspace, (entry.document for entry in entries), reason="emptied")
