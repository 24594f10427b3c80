"""What a sync would do, and why, without fetching a byte or leaving a trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from ingest_tui.connectors.resilience import ResilientConnector
from ingest_tui.extraction.schemas.schema_file import schema_of
from ingest_tui.model.descriptor import ListingEnd
from ingest_tui.model.plan import NOT_LOOKED_INTO
from ingest_tui.model.plan_line import PlanLine
from ingest_tui.model.source import Source
from ingest_tui.pipeline.connecting import connection, with_preferences
from ingest_tui.pipeline.plan.absences import keep_what_is_not_gone, settle_listing
from ingest_tui.pipeline.plan.deletions import hold_rules_of
from ingest_tui.pipeline.plan.fingerprints import OlderFingerprints
from ingest_tui.pipeline.plan.known_types import refuse_known_types
from ingest_tui.pipeline.plan.rules import may_be_half_written, parsers_of, rules_of
from ingest_tui.pipeline.plan.source_listing import admit
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.listing_scratch import ListingScratch
from ingest_tui.store.fs.leftovers import scratch_folder
from ingest_tui.store.records.listing_cache import StoredMemory
from ingest_tui.store.workspace import Workspace


def preview_plan(
    workspace: Workspace, source: Source, *, force: bool = False, watched: bool = False
) -> Iterator[PlanLine]:
    """Yield the actions that a sync of the source would take now.

    When the listing is not complete nothing is planned to be retired, and each place that it could not look into is a
    ``gap``; these come first. Raises `SourceAccessError` when the source
    cannot be listed.
    """
    source = with_preferences(workspace, source)
    with connection(workspace, source) as connector:
        yield from _planned(workspace, source, ResilientConnector(connector), force=force, watched=watched)


def _planned(
    workspace: Workspace, source: Source, connector: ResilientConnector, *, force: bool, watched: bool
) -> Iterator[PlanLine]:
    connector.authenticate_now()
    unsettled = watched and may_be_half_written(connector)
    options = {"force": True} if force else {}
    hold = hold_rules_of(workspace, source, connector)
    rules = rules_of(source, schema_of(source), options, workspace.settings, hold, watched=unsettled)
    older = OlderFingerprints(workspace, source, connector)
    with scratch_folder(workspace) as folder:
        scratch = ListingScratch(folder / "listing.db", resume=False)
        memory = _copied_memory(workspace, source, folder) if connector.capabilities.remembers_listing else None
        connector.memory = memory
        scratch.give_up_when(lambda: False)  # so that Ctrl-C is heard while a statement runs
        try:
            with closing(workspace.open_to_read()) as catalogue:
                scratch.join(catalogue.file_to_join(folder / "catalogue.db"))
            pages = connector.list()
            while True:
                try:
                    scratch.add(admit(next(pages), source))
                except StopIteration as stop:
                    end = stop.value if isinstance(stop.value, ListingEnd) else ListingEnd(complete=False)
                    break
            end = keep_what_is_not_gone(workspace, source, connector, scratch, end)
            end = settle_listing(workspace, source, connector, scratch, end)
            refuse_known_types(workspace, source, scratch, hold)
            for key, message in end.gaps:
                yield PlanLine("gap", NOT_LOOKED_INTO, key, "", message)
            yield from scratch.plan(
                workspace.layout.catalogue,
                source.source_id,
                complete=end.complete,
                rules=rules,
                parsers=lambda: parsers_of(source, workspace.settings),
                is_same=older.is_same,
            )
        finally:
            scratch.close()
            older.close()
            if memory is not None:
                memory.close()


def _copied_memory(workspace: Workspace, source: Source, folder: Path) -> StoredMemory:
    """Return a copy of what the connector remembers: the look must leave no trace."""
    path = workspace.layout.listing_memory(source.source_id)
    if path.exists():
        memory = StoredMemory(path)
        memory.copy_to(folder / "memory.db")
        memory.close()
    return StoredMemory(folder / "memory.db")


def look_for_work(workspace: Workspace, source: Source) -> tuple[bool, int]:
    """Return whether a watched source has changed since its last sync, and how many deletions would be held.

    What was tried without success and has not changed, what was ruled out before, and what is held for a person is no
    work: a sync that a person starts looks at it again. The look ends with the first thing to do.
    """
    held = 0
    catalogue = workspace.open_to_read()
    try:
        for action in preview_plan(workspace, source, watched=True):
            if _is_work(catalogue, source, action):
                return True, held
            held += action.action == "hold"
    finally:
        catalogue.close()
    return False, held


def _is_work(catalogue: Catalogue, source: Source, action: PlanLine) -> bool:
    if action.action in {"skip", "hold", "quarantine", "gap"}:
        return False
    if action.action == "reject" or action.reason == "retry":
        known = catalogue.locations(source.source_id, [action.key]).get(action.key)
        return known is None or (known.size, known.modified_ns) != (action.size, action.modified_ns)
    return True
