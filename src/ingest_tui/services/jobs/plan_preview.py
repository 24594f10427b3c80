"""What a sync would do, and why, without fetching a byte."""

from __future__ import annotations

from collections.abc import Iterator

from ingest_tui.connectors.containment import of_one_source
from ingest_tui.model.plan_line import PlanLine
from ingest_tui.pipeline.plan.preview import preview_plan
from ingest_tui.store.workspace import Workspace


def plan_source(workspace: Workspace, source_id: str, *, force: bool = False) -> Iterator[PlanLine]:
    """Yield the actions that a sync of a source would take now; nothing is fetched, nothing is written.

    Raises `NotFoundError` for an unknown source and `SourceAccessError` when it cannot be listed.
    """
    source = workspace.sources.get(source_id)
    return _contained(source_id, preview_plan(workspace, source, force=force))


def _contained(source_id: str, actions: Iterator[PlanLine]) -> Iterator[PlanLine]:
    with of_one_source(source_id):
        yield from actions
