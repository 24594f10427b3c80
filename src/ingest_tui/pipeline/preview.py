"""What a sync would do, and why, without fetching a byte or leaving a trace."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ingest_tui.connectors.registry import get_connector
from ingest_tui.model.plan import Action
from ingest_tui.model.source import Source
from ingest_tui.pipeline.planning import admit, rules_of
from ingest_tui.store.catalogue import Catalogue
from ingest_tui.store.listing import ListingScratch
from ingest_tui.store.workspace import Workspace


def preview_plan(
    workspace: Workspace, source: Source, *, force: bool = False, watched: bool = False
) -> Iterator[Action]:
    """Yield the actions that a sync of the source would take now.

    When the listing is not complete nothing is planned to be retired. Raises `SourceAccessError` when the source
    cannot be listed.
    """
    connector = get_connector(source.source_type, source.source_config, max_size=int(source.max_size))
    asyncio.run(connector.authenticate())
    rules = rules_of(source, {"force": True} if force else {}, workspace.settings, watched=watched)
    workspace.open_catalogue().close()  # it exists before it is joined
    with tempfile.TemporaryDirectory(prefix="ingest-tui-plan-") as folder:
        scratch = ListingScratch(Path(folder) / "listing.db", resume=False)
        try:
            pages = connector.list()
            while True:
                try:
                    scratch.add(admit(next(pages), source))
                except StopIteration as stop:
                    complete = bool(stop.value and stop.value.complete)
                    break
            yield from scratch.plan(workspace.layout.catalogue, source.source_id, complete=complete, rules=rules)
        finally:
            scratch.close()


def look_for_work(workspace: Workspace, source: Source) -> tuple[bool, int]:
    """Tell whether a watched source has changed since its last sync, and how many deletions would be held.

    What was tried without success and has not changed, what was ruled out before, and what is held for a person is no
    work: a sync that a person starts looks at it again. The look ends with the first thing to do.
    """
    held = 0
    catalogue = workspace.open_catalogue()
    try:
        for action in preview_plan(workspace, source, watched=True):
            if _is_work(catalogue, source, action):
                return True, held
            held += action.action == "hold"
    finally:
        catalogue.close()
    return False, held


def _is_work(catalogue: Catalogue, source: Source, action: Action) -> bool:
    if action.action in {"skip", "hold"}:
        return False
    if action.action == "reject" or action.reason == "retry":
        known = catalogue.locations(source.source_id, [action.key]).get(action.key)
        return known is None or (known.size, known.modified_ns) != (action.size, action.modified_ns)
    return True
