"""The small files of a workspace: records, what is remembered, and journals that all jobs share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from ingest_tui.model.counted import counted
from ingest_tui.model.errors import IngestError, SchemaVersionError, StoreError
from ingest_tui.model.inconsistency import Inconsistency
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.queries import documents_by_collection
from ingest_tui.store.job_notices import NoticeStore
from ingest_tui.store.layout import REMOVED_COLLECTION
from ingest_tui.store.records.access_tokens import AccessTokenStore
from ingest_tui.store.records.journal import count_damaged_lines
from ingest_tui.store.records.json_files import record_names
from ingest_tui.store.removals import lost_removals
from ingest_tui.store.workspace import Workspace


def check_records(workspace: Workspace, catalogue: Catalogue | None) -> Iterator[Inconsistency]:
    """Yield folders that are missing, and records that cannot be read."""
    layout = workspace.layout
    for folder in layout.folders:
        if not folder.is_dir():
            yield Inconsistency("folder_of_workspace_missing", folder.name, "the folder is missing")
    yield from _settings_of_people(workspace)
    for path in _remembered(workspace):
        if not _is_json(path):
            yield Inconsistency("remembered_damaged", str(path.relative_to(layout.root)), "it is not JSON")
    notices = NoticeStore(layout)
    for job_id in notices.ids():
        if message := _fault_of(notices.get, job_id):
            yield Inconsistency("notice_damaged", job_id, message)
    if catalogue is not None:
        yield from _collections(workspace, catalogue)
        if lost := lost_removals(layout, catalogue):
            message = (
                f"{counted(len(lost), 'removal')} that the catalogue has is not in it: without the catalogue, what was "
                "removed would come back"
            )
            yield Inconsistency("removals_missing", layout.removals.name, message)


def _settings_of_people(workspace: Workspace) -> Iterator[Inconsistency]:
    layout = workspace.layout
    stores: tuple[tuple[Path, Callable[[str], Any]], ...] = (
        (layout.sources, workspace.sources.get),
        (layout.collections, workspace.collections.get),
        (layout.embedders, workspace.embedders.get),
        (layout.rerankers, workspace.rerankers.get),
        (layout.generations, workspace.generations.get),
    )
    for source_id in _lost_sources(workspace):
        message = _fault_of(workspace.sources.get, source_id)
        yield Inconsistency("record_damaged", f"{layout.sources.name}/{source_id}.json", message)
    for folder, get in stores:
        for path in sorted(folder.glob("*.json")):
            if not path.name.startswith(".") and (message := _fault_of(get, path.stem)):
                yield Inconsistency("record_damaged", f"{folder.name}/{path.name}", message)
    tokens = AccessTokenStore(layout)
    if message := _fault_of(lambda _name: tokens.all(), ""):
        yield Inconsistency("record_damaged", layout.access_tokens.name, message)
    if workspace.settings.server_tokens_made and not tokens.is_used:
        message = "it is missing, so no token is valid: restore it from a backup, or make tokens again"
        yield Inconsistency("record_damaged", layout.access_tokens.name, message)
    for path in sorted(layout.trash.glob(f"{REMOVED_COLLECTION}*.json")):
        if not _is_json(path):
            yield Inconsistency("record_damaged", f"{layout.trash.name}/{path.name}", "it is not JSON")


def _lost_sources(workspace: Workspace) -> list[str]:
    """Return the sources that were looked at, and whose records are missing though nobody removed them."""
    try:
        return sorted({*workspace.sources.unreadable()} - {*workspace.sources.names()})
    except StoreError:
        return []  # the folder is missing, which is reported as such


def _collections(workspace: Workspace, catalogue: Catalogue) -> Iterator[Inconsistency]:
    layout = workspace.layout
    if not layout.collections.is_dir():
        return
    known = {*record_names(layout.collections), *_removed_names(layout.trash)}
    for collection_id in documents_by_collection(catalogue):
        if collection_id not in known:
            message = f"there are documents of collection {collection_id}, but collections/ has no such record"
            yield Inconsistency("collection_unknown", collection_id, message)


def _removed_names(trash: Path) -> Iterable[str]:
    return (path.stem.removeprefix(REMOVED_COLLECTION) for path in trash.glob(f"{REMOVED_COLLECTION}*.json"))


def _fault_of(get: Callable[[str], Any], name: str) -> str:
    try:
        get(name)
    except SchemaVersionError:
        return ""  # a newer program knows what it is
    except IngestError as error:
        return error.message
    return ""


def _remembered(workspace: Workspace) -> Iterator[Path]:
    """Yield the files that may be removed at any time."""
    layout = workspace.layout
    files = (layout.view_state, layout.trash_clock, layout.prune_note)
    yield from (path for path in files if path.exists())
    for folder in (layout.root / "looks", layout.root / "schedules"):
        yield from sorted(folder.glob("*.json")) if folder.is_dir() else ()


def _is_json(path: Path) -> bool:
    try:
        return isinstance(orjson.loads(path.read_bytes()), dict)
    except FileNotFoundError:
        return True
    except (OSError, orjson.JSONDecodeError):
        return False


def check_journals(workspace: Workspace) -> Iterator[Inconsistency]:
    """Yield the journals of the workspace with lines that cannot be used."""
    layout = workspace.layout
    for path in (layout.ignored, layout.removals, layout.audit):
        try:  # a damaged line of the audit breaks its chain; one that a crash has torn does not
            damaged = count_damaged_lines(path)
        except OSError as error:
            yield Inconsistency("record_damaged", path.name, f"it cannot be read: {error.strerror}")
            continue
        if damaged and path != layout.audit:
            yield Inconsistency("journal_damaged", path.name, f"{counted(damaged, 'line')} cannot be read")
    for one in workspace.audit.breaks():
        where = f"line {one.line}" if one.line else "the end"
        yield Inconsistency("audit_chain_broken", f"{layout.audit.name}:{one.line}", f"{where}: {one.why}")
    if not workspace.audit.end_is_noted():
        message = "it is not known where the audit ended: lines that were taken from its end cannot be missed"
        yield Inconsistency("audit_head_damaged", str(layout.audit_head.relative_to(layout.root)), message)
