"""What a person can do with the retention of a workspace: see what it lets go, and let it go now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from ingest_tui.pipeline.workspace_prune import PRUNE_KINDS, Prunable, PruneKind, PruneReport, find_prunable, prune
from ingest_tui.store.fs.leftovers import sweep_leftovers
from ingest_tui.store.records.prune_note import PruneNote, read_prune_note
from ingest_tui.store.workspace import Workspace

__all__ = ["PRUNE_KINDS", "Prunable", "PruneKind", "PruneReport", "last_prune", "prunable", "prune_workspace"]


def prunable(
    workspace: Workspace, kinds: Iterable[PruneKind] = (), *, collection_id: str | None = None
) -> list[Prunable]:
    """Return what the retention of a workspace lets go now; changes nothing.

    Of all kinds or of these, and with ``collection_id`` of one collection alone. Raises `NotFoundError`.
    """
    if collection_id is not None:
        workspace.collections.get(collection_id)
    found = find_prunable(workspace, kinds=tuple(kinds) or PRUNE_KINDS)
    return [one for one in found if collection_id is None or one.target.collection_id == collection_id]


def prune_workspace(workspace: Workspace, chosen: Sequence[Prunable]) -> PruneReport:
    """Delete what `prunable` has found, for good; returns what is gone. What has changed since then stays.

    What killed processes left goes too where it can be removed, and is not counted. Raises `BusyError` while another
    prune runs.
    """
    with suppress(OSError):  # no reason to keep what is due
        sweep_leftovers(workspace.layout)
    return prune(workspace, chosen)


def last_prune(workspace: Workspace) -> PruneNote | None:
    """Return when a worker pruned the workspace last; None where none has."""
    return read_prune_note(workspace.layout)
