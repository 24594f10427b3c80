"""Names that this program does not write: in the folder of a workspace, among its records, in folders of jobs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from ingest_tui.model.inconsistency import Inconsistency
from ingest_tui.store.fs.atomic import TEMPORARY_PREFIX
from ingest_tui.store.fs.entries import entries_of
from ingest_tui.store.layout import JobLayout
from ingest_tui.store.workspace import Workspace

_TEMPORARY = f"{TEMPORARY_PREFIX}*"
_RECORDS = ("*.json", _TEMPORARY)
_WHY = "this program writes no file of that name: move it elsewhere, nothing here reads it"


def check_names(workspace: Workspace) -> Iterator[Inconsistency]:
    """Yield what this program has not written, but for documents/ and trash/, which are looked into by themselves.

    It stays where it is: nobody here can say whose it is.
    """
    layout = workspace.layout
    records = (layout.sources, layout.collections, layout.embedders, layout.rerankers, layout.generations)
    known = _names_of_workspace(workspace)
    yield from _unknown(layout.root, layout.root, known)
    for folder in records:
        yield from _unknown(layout.root, folder, _RECORDS)
    for entry in entries_of(layout.jobs):
        if entry.is_dir(follow_symlinks=False):
            yield from _unknown(layout.root, Path(entry.path), _names_of_job(JobLayout(Path(entry.path))))
        elif not entry.is_symlink() and not fnmatchcase(entry.name, _TEMPORARY):
            yield _of(layout.root, entry)


def _names_of_workspace(workspace: Workspace) -> tuple[str, ...]:
    """Return patterns of the names in the folder of a workspace; what upgrades keep is among them."""
    layout = workspace.layout
    folders = (*layout.folders, *layout.folders_made_when_needed, layout.quarantine)
    files = (
        layout.settings, layout.audit, layout.ignored, layout.removals, layout.intents, layout.reserve_file,
        layout.access_tokens, layout.view_state, layout.trash_clock, layout.prune_note,
    )  # fmt: skip
    families = (layout.worker_log, layout.catalogue, layout.rebuilt_catalogue)
    credentials = [workspace.credentials_path] if workspace.credentials_path.parent == layout.root else []
    return (
        *(path.relative_to(layout.root).parts[0] for path in (*folders, *files, *credentials)),
        *(f"{path.name}*" for path in families),
        *(f"{layout.catalogue.stem}.mark", f"{layout.catalogue.stem}.schema-*", "backup-schema-*"),
        *("lost+found", _TEMPORARY),
    )


def _names_of_job(paths: JobLayout) -> tuple[str, ...]:
    files = (
        paths.manifest, paths.plan, paths.plan_in_part, paths.damaged_plan, paths.outcomes, paths.commits,
        paths.requests, paths.staging, paths.lock, paths.being_made,
    )  # fmt: skip
    return (*(path.name for path in files), f"{paths.listing.name}*", f"{paths.log.stem}.*", _TEMPORARY)


def _unknown(root: Path, folder: Path, known: tuple[str, ...]) -> Iterator[Inconsistency]:
    for entry in entries_of(folder):
        if not entry.is_symlink() and not any(fnmatchcase(entry.name, pattern) for pattern in known):
            yield _of(root, entry)


def _of(root: Path, entry: os.DirEntry[str]) -> Inconsistency:
    return Inconsistency("stray_file", str(Path(entry.path).relative_to(root)), _WHY)
