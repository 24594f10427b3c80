"""What a sync would do, and why, without fetching a byte."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ingest_tui.connectors.registry import get_connector
from ingest_tui.model.plan import Action
from ingest_tui.pipeline.planning import rules_of
from ingest_tui.store.listing import ListingScratch
from ingest_tui.store.workspace import Workspace


def plan_source(workspace: Workspace, source_id: str, *, force: bool = False) -> Iterator[Action]:
    """Yield the actions that a sync of a source would take now; nothing is fetched, nothing is written.

    When the listing is not complete nothing is planned to be retired. Raises `SourceAccessError` when the source
    cannot be listed.
    """
    source = workspace.sources.get(source_id)
    connector = get_connector(source.source_type, source.source_config, max_size=int(source.max_size))
    asyncio.run(connector.authenticate())
    options = {"force": True} if force else {}
    rules = rules_of(source, options, workspace.settings)
    workspace.catalogue.value("PRAGMA user_version")  # the catalogue exists before it is joined
    with tempfile.TemporaryDirectory(prefix="ingest-tui-plan-") as folder:
        scratch = ListingScratch(Path(folder) / "listing.db", resume=False)
        try:
            pages = connector.list()
            while True:
                try:
                    scratch.add(next(pages))
                except StopIteration as stop:
                    complete = bool(stop.value and stop.value.complete)
                    break
            yield from scratch.plan(workspace.layout.catalogue, source_id, complete=complete, rules=rules)
        finally:
            scratch.close()
