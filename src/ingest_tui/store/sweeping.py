"""Removing what writers left that were killed in the middle of replacing a small file.

What a job leaves is swept under the lock of the job, what a change of documents leaves under the commit lock. Small
files of the workspace have no lock of their own: there the age decides, since a write of one takes milliseconds.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from ingest_tui.store.atomic import TEMPORARY_PREFIX
from ingest_tui.store.layout import Layout

LEFT_AFTER_SECONDS = 3600.0


def sweep_small_files(layout: Layout) -> int:
    """Remove temporary files that are older than an hour next to the records of a workspace; returns how many.

    Raises `OSError` where they cannot be removed. Folders, and what lies deeper, are left alone.
    """
    long_ago = time.time() - LEFT_AFTER_SECONDS
    looks = layout.look("any").parent
    folders = (layout.root, layout.sources, layout.collections, layout.workers, layout.trash, looks)
    return sum(_sweep(folder, long_ago) for folder in folders)


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
