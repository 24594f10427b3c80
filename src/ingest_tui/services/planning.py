"""What a sync would do, and why, without fetching a byte."""

from __future__ import annotations

from collections.abc import Iterator

from ingest_tui.model.plan import Action
from ingest_tui.pipeline.preview import preview_plan
from ingest_tui.store.workspace import Workspace


def plan_source(workspace: Workspace, source_id: str, *, force: bool = False) -> Iterator[Action]:
    """Yield the actions that a sync of a source would take now; nothing is fetched, nothing is written.

    Raises `NotFoundError` for an unknown source and `SourceAccessError` when it cannot be listed.
    """
    return preview_plan(workspace, workspace.sources.get(source_id), force=force)
