"""Which sources a command is for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ingest_tui.model.errors import UsageError
from ingest_tui.store.workspace import Workspace


def sources_to_sync(workspace: Workspace, sources: Sequence[str], *, all_sources: bool) -> list[str]:
    """Return the sources that a sync is for: those that are named, or all, or the only one.

    Raises `UsageError` where that is not clear, and `NotFoundError` for a name of no source.
    """
    enabled = [source.source_id for source in workspace.sources.all() if source.enabled]
    damaged = workspace.sources.unreadable()
    return chosen_sources(sources, enabled, damaged, all_sources=all_sources, check=workspace.sources.get)


def chosen_sources(
    sources: Sequence[str],
    enabled: Sequence[str],
    damaged: Sequence[str],
    *,
    all_sources: bool,
    check: Callable[[str], object],
) -> list[str]:
    """Decide `sources_to_sync` by what there is; ``check`` raises `NotFoundError` for a name of no source."""
    if sources and all_sources:
        raise UsageError("name sources or give --all, not both", hint="'ingest-tui sync --all'")
    if sources:
        for name in sources:
            check(name)
        return list(dict.fromkeys(sources))
    if all_sources and (enabled or damaged):
        return sorted([*enabled, *damaged])
    if all_sources or (len(enabled) == 1 and not damaged):
        if enabled:
            return list(enabled)
        raise UsageError("there is no enabled source", hint="'ingest-tui source add local NAME --path FOLDER' adds one")
    hint = (
        f"there are: {', '.join(enabled)}" if enabled else "'ingest-tui source add local NAME --path FOLDER' adds one"
    )
    raise UsageError("which source? Name one, or give --all", hint=hint)
