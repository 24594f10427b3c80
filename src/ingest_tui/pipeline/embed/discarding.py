"""Removing the vectors of generations that nobody can go back to any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from ingest_tui.model.clock import rfc3339, shifted, utc_now
from ingest_tui.model.errors import IngestError
from ingest_tui.model.generation import Generations
from ingest_tui.store.layout import vectors_name
from ingest_tui.store.retention_policies import RetentionPolicies
from ingest_tui.store.vector_log import forget_rows
from ingest_tui.store.workspace import Workspace


def discard_overdue(workspace: Workspace, *, now: datetime | None = None) -> None:
    """Remove generations that have not answered for the ``trash_days`` of their collection, and what others left."""
    policies, moment = RetentionPolicies(workspace), now or utc_now()
    for collection_id in workspace.generations.collection_ids():
        grace = policies.grace_of(collection_id)
        until = "" if grace is None else rfc3339(shifted(moment, -grace))

        def overdue(known: Generations, until: str = until) -> Generations:
            kept = known.kept
            return known.without(kept.number) if kept is not None and kept.answered_until < until else known

        with suppress(IngestError):  # one that cannot be read is reported by who needs it
            if overdue(known := workspace.generations.get(collection_id)) != known:
                workspace.generations.change(collection_id, overdue)
            remove_discarded(workspace, collection_id)


def remove_discarded(workspace: Workspace, collection_id: str) -> None:
    """Remove the files of generations that are discarded, then their entries: killed in between, it is done again."""
    for generation in workspace.generations.get(collection_id).discarded:
        forget_rows(workspace.layout.vector_log(collection_id, generation.key))
        for path in _files(workspace, collection_id, generation.key):
            path.unlink(missing_ok=True)
        number = generation.number
        workspace.generations.change(collection_id, lambda known, number=number: known.cleared(number))  # type: ignore[misc]


def _files(workspace: Workspace, collection_id: str, key: str) -> Iterator[Path]:
    """Yield the files with vectors of a generation, of all versions, in the trash too."""
    layout, name = workspace.layout, vectors_name(key)
    for folder, pattern in ((layout.documents, f"*/*/v*/{name}"), (layout.trash, f"*/v*/{name}")):
        yield from (folder / collection_id).glob(pattern)
