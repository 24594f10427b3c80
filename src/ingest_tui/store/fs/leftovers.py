"""Removing what writers left that were killed in the middle of replacing a small file.

What a job leaves is swept under the lock of the job, what a change of documents leaves under the commit lock. Small
files of the workspace have no lock of their own: there the age decides, since a write of one takes milliseconds.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest_tui.model.clock import posix_seconds
from ingest_tui.store.catalogue.sqlite_access import has_room_for_scratch
from ingest_tui.store.fs.atomic import TEMPORARY_PREFIX, remove_tree
from ingest_tui.store.fs.locks import FileLock, is_locked
from ingest_tui.store.layout import Layout
from ingest_tui.store.workspace import Workspace

_SCRATCH = f"{TEMPORARY_PREFIX}plan-"
_LOCK = "lock"
LEFT_AFTER_SECONDS = 3600.0
_MADE_IN_SECONDS = 60.0
"""A scratch folder is locked a moment after it is made: one that is older and not locked is of a process that died."""


def sweep_leftovers(layout: Layout) -> None:
    """Remove what killed processes left in a workspace, in folders of jobs excepted; raises `OSError` as they do."""
    sweep_small_files(layout)
    sweep_scratch_folders(layout)
    sweep_rebuild(layout)


def sweep_small_files(layout: Layout) -> int:
    """Remove temporary files that are older than an hour next to the records of a workspace; returns how many.

    Raises `OSError` where they cannot be removed. Folders, and what lies deeper, are left alone.
    """
    long_ago = posix_seconds() - LEFT_AFTER_SECONDS
    looks = layout.look("any").parent
    records = (layout.sources, layout.collections, layout.embedders, layout.rerankers, layout.generations)
    folders = (layout.root, *records, layout.workers, layout.trash, layout.notices, looks)
    return sum(_sweep(folder, long_ago) for folder in folders)


@contextmanager
def scratch_folder(workspace: Workspace) -> Iterator[Path]:
    """Give a folder for what is needed only for a while: in the workspace if it can be written and has room.

    So a full /tmp does not matter to a worker. What a killed process leaves of it is swept when its lock is free.
    """
    parent = None if workspace.is_read_only or not has_room_for_scratch(workspace.root) else workspace.root
    with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=parent) as name:
        lock = FileLock(Path(name) / _LOCK)
        lock.acquire(1.0, what="a scratch folder")
        with lock:
            yield Path(name)


def sweep_scratch_folders(layout: Layout) -> int:
    """Remove the scratch folders of processes that were killed; returns how many."""
    long_ago = posix_seconds() - _MADE_IN_SECONDS
    left = [
        path
        for path in layout.root.glob(f"{_SCRATCH}*")
        if path.is_dir() and not path.is_symlink() and not is_locked(path / _LOCK) and path.stat().st_mtime < long_ago
    ]
    for path in left:
        remove_tree(path)
    return len(left)


def sweep_rebuild(layout: Layout) -> None:
    """Remove what a killed rebuild of the catalogue left, unless one is under way."""
    lock = FileLock(layout.lock("rebuild"))
    left = list(layout.root.glob(f"{layout.rebuilt_catalogue.name}*"))
    if left and lock.try_acquire():
        with lock:
            for path in left:
                path.unlink(missing_ok=True)


def sweep_ended_jobs(layout: Layout) -> int:
    """Remove torn writes from the folders of jobs that are not queued; returns how many. Looks into each folder."""
    long_ago = posix_seconds() - LEFT_AFTER_SECONDS
    with os.scandir(layout.jobs) as entries:
        ended = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    return sum(_sweep(folder, long_ago) for folder in ended if not layout.queue_entry(folder.name).exists())


def _sweep(folder: Path, long_ago: float) -> int:
    try:
        with os.scandir(folder) as entries:
            leftovers = [
                Path(entry.path)
                for entry in entries
                if entry.name.startswith(TEMPORARY_PREFIX)
                and entry.is_file(follow_symlinks=False)
                and entry.stat(follow_symlinks=False).st_mtime < long_ago
            ]
    except FileNotFoundError:
        return 0
    for path in leftovers:
        path.unlink(missing_ok=True)
    return len(leftovers)
