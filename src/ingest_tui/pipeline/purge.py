"""Deleting retired documents for good: when their grace is over, or when a person asks for it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingest_tui.model.batching import batches
from ingest_tui.model.clock import rfc3339, rfc3339_now, shifted, utc_now
from ingest_tui.model.counted import counted
from ingest_tui.model.document import Document
from ingest_tui.model.trash_grace import ClockNote, is_overdue, look_at_clock
from ingest_tui.store.change import StoreChange
from ingest_tui.store.layout import REMOVED_COLLECTION
from ingest_tui.store.records.removed_collections import forget_removed, removal_times
from ingest_tui.store.retention_policies import RetentionPolicies
from ingest_tui.store.retirements import read_clock_note, retirement_of, time_in, write_clock_note
from ingest_tui.store.users import requester
from ingest_tui.store.workspace import Workspace

_BATCH = 200
_NOTED_EVERY = timedelta(hours=1)


def purge_overdue(workspace: Workspace, *, now: datetime | None = None) -> int:
    """Delete what has been in the trash for more than the ``trash_days`` of its collection; returns how many documents.

    Nothing is deleted while the clock is doubted (see `model.trash_grace`), nor a document whose note of its retirement
    is missing or says another time than the catalogue. With ``trash_days`` 0 nothing is kept, whatever the clock says.
    """
    if not _has_trash(workspace):
        return 0
    moment = now or utc_now()
    policies = RetentionPolicies(workspace)
    waits = policies.shortest_grace_to_wait
    is_doubted = bool(waits) and clock_is_doubted(workspace, moment, waits)
    if is_doubted and policies.shortest_grace:
        return 0

    def is_due(document: Document) -> bool:
        grace = policies.grace_of(document.collection_id, document.source_id)
        if grace is None or (grace and is_doubted) or document.updated_at > rfc3339(shifted(moment, -grace)):
            return False
        return _is_due(workspace, document, moment, grace)

    for collection_id, removed_at in list(removal_times(workspace.layout)):
        grace = policies.grace_of(collection_id)
        if grace is not None and not (grace and is_doubted) and is_overdue(removed_at, moment, grace):
            forget_removed(workspace.layout, collection_id)
    due = filter(is_due, retired_until(workspace, shifted(moment, -policies.shortest_grace)))
    return purge_documents(workspace, due, reason="trash_days")


def purge_documents(workspace: Workspace, documents: Iterator[Document], *, reason: str) -> int:
    """Delete documents that are in the trash, in batches, each whole or not at all; returns how many.

    One that somebody brings back meanwhile stays. The audit log names what was deleted.
    """
    purged = 0
    for batch in batches(documents, _BATCH):
        at, by = rfc3339_now(), requester()
        with workspace.committing() as writer:
            known = writer.catalogue.documents(row.document_id for row in batch)
            still_retired = [row for row in batch if known.get(row.document_id) == row]
            writer.carry_out(StoreChange(at=at, by=by, reason="purged", purged=still_retired))
        if still_retired:
            workspace.audit.add(
                at=at,
                by=by,
                action="trash.purge",
                target=counted(len(still_retired), "document"),
                reason=reason,
                documents=[row.document_id for row in still_retired],
            )
        purged += len(still_retired)
    return purged


def retired_until(workspace: Workspace, moment: datetime | None = None) -> Iterator[Document]:
    """Yield the retired documents, those until a moment where one is given, the oldest first."""
    latest = "9" if moment is None else rfc3339(moment)
    last = ("", "")
    while rows := workspace.reading.retired_after(last, until=latest, limit=_BATCH):
        yield from rows
        last = (rows[-1].updated_at, rows[-1].document_id)


def retired_at(workspace: Workspace, document: Document) -> datetime | None:
    """Return when a document was retired, as its note in the trash says; None where it says nothing."""
    note = retirement_of(workspace.layout, document.collection_id, document.document_id)
    return None if note is None else time_in(note, "retired_at")


def _is_due(workspace: Workspace, document: Document, now: datetime, grace: timedelta) -> bool:
    moment = retired_at(workspace, document)
    return not grace or (moment is not None and is_overdue(moment, now, grace))


def clock_is_doubted(workspace: Workspace, now: datetime, grace: timedelta) -> bool:
    """Look at the clock, note that, and return whether it jumped lately: nothing goes by its age until it is steady."""
    noted = read_clock_note(workspace.layout)
    before = noted or _made(workspace)
    note = look_at_clock(before, now, grace)
    if noted is None or note.doubted_at != noted.doubted_at or abs(now - noted.looked_at) >= _NOTED_EVERY:
        write_clock_note(workspace.layout, note)
    return note.doubted_at is not None


def _made(workspace: Workspace) -> ClockNote:
    """Where nobody has looked yet, a new workspace was looked at when it was made; an older one is doubted."""
    made = time_in({"at": workspace.settings.created_at}, "at")
    return ClockNote(made or datetime.min.replace(tzinfo=UTC))


def _has_trash(workspace: Workspace) -> bool:
    """Whether there is anything in the trash: asked at the end of each sync, so without the catalogue."""
    entries = _entries(workspace.layout.trash)
    return any(path.name.startswith(REMOVED_COLLECTION) or any(True for _entry in _entries(path)) for path in entries)


def _entries(folder: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            yield Path(entry.path)
