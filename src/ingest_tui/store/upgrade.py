"""What brings a workspace of an older program to what this one writes, once something is to be written.

Schema 2 of workspace.json keeps older programs out: they know neither the change feed of the catalogue nor the journal
of intents, and would not finish what a crash has left. What upgrades the catalogue itself is with the catalogue.
"""

from __future__ import annotations

import itertools
import os
import shutil
from pathlib import Path

from ingest_tui.model.errors import BusyError
from ingest_tui.store.fs.atomic import (
    FILE_MODE,
    TEMPORARY_PREFIX,
    make_folder,
    remove_tree,
    sync_filesystem,
    sync_folder,
)
from ingest_tui.store.fs.locks import is_locked
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.json_files import read_json, settings_lock, write_json

SCHEMA_VERSION = 2


def upgrade_workspace(layout: Layout) -> bool:
    """Bring a workspace of an older program to the present schema; returns whether it was one of an older program.

    Called by whoever is about to write, again and again; costs the reading of workspace.json. A copy of the settings,
    sources and collections is kept in ``backup-schema-1/`` first. Interrupted anywhere, the next call does it all.
    Raises `BusyError` while a worker of the older program lives.
    """
    if not _is_older(layout):
        return False
    with settings_lock(layout):
        if not _is_older(layout):
            return False
        _refuse_while_in_use(layout)
        settings = read_json(layout.settings, newest=SCHEMA_VERSION, what="the workspace")
        _keep_backup(layout, settings["schema_version"])
        revised = {"schema_version": SCHEMA_VERSION, "revision": int(settings.get("revision", 0)) + 1}
        write_json(layout.settings, settings | revised)
    return True


def _is_older(layout: Layout) -> bool:
    """Whether workspace.json is of an older schema. One that is being made for the first time is of none."""
    if not layout.settings.exists():
        return False
    version: int = read_json(layout.settings, newest=SCHEMA_VERSION, what="the workspace")["schema_version"]
    return version < SCHEMA_VERSION


def _refuse_while_in_use(layout: Layout) -> None:
    """Raise `BusyError` for a living worker: it is of the older program, as one of this program upgrades first."""
    if any(map(is_locked, layout.workers.glob("*.lock"))):
        raise BusyError(
            "a worker of an older ingest-tui uses the workspace, which cannot be upgraded meanwhile",
            hint="stop it with 'ingest-tui worker stop', then try again",
        )


def _keep_backup(layout: Layout, version: int) -> None:
    """Copy settings, sources and collections next to them, whole or not at all; a copy that is there stays."""
    for number in itertools.count(1):
        backup = layout.root / f"backup-schema-{version}{'' if number == 1 else f'-{number}'}"
        if not backup.exists():
            break
        if _is_copy(layout, backup):
            return  # of an upgrade that was interrupted
    folder = layout.root / f"{TEMPORARY_PREFIX}backup"
    remove_tree(folder)  # of an upgrade that was killed
    make_folder(folder)
    try:
        for path in _kept(layout):
            target = folder / path.relative_to(layout.root)
            make_folder(target.parent)
            shutil.copyfile(path, target)
            target.chmod(FILE_MODE)
        sync_filesystem(folder)
        os.rename(folder, backup)  # noqa: PTH104 - the system call is the point
    except BaseException:
        remove_tree(folder)
        raise
    sync_folder(layout.root)


def _kept(layout: Layout) -> list[Path]:
    return [layout.settings, *sorted(layout.sources.glob("*.json")), *sorted(layout.collections.glob("*.json"))]


def _is_copy(layout: Layout, backup: Path) -> bool:
    import filecmp

    copies = {path: backup / path.relative_to(layout.root) for path in _kept(layout)}
    return all(copy.is_file() and filecmp.cmp(path, copy, shallow=False) for path, copy in copies.items())
