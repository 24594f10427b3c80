"""Files as such: who may read them, links in their place, and what writers that were killed have left."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ingest_tui.model.clock import posix_seconds
from ingest_tui.model.inconsistency import Inconsistency
from ingest_tui.store.fs.atomic import TEMPORARY_PREFIX
from ingest_tui.store.fs.leftovers import LEFT_AFTER_SECONDS
from ingest_tui.store.fs.locks import is_locked
from ingest_tui.store.layout import Layout

_OF_OTHERS = 0o077


def check_files(layout: Layout) -> Iterator[Inconsistency]:
    """Yield what others may read or write, links, and temporary files that are older than an hour."""
    long_ago = posix_seconds() - LEFT_AFTER_SECONDS
    left_alone = {str(layout.parsers), str(layout.quarantine)}
    if stat.S_IMODE(layout.root.stat().st_mode) & _OF_OTHERS:
        yield Inconsistency("too_open", ".", "others may look into the workspace")
    waiting = [layout.root]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                found = list(entries)
        except OSError:
            continue  # it has been removed, or is reported by whoever needs it
        for entry in found:
            if entry.path in left_alone:
                continue
            for code, message in _of_entry(entry, long_ago):
                yield Inconsistency(code, str(Path(entry.path).relative_to(layout.root)), message)
            if entry.is_dir(follow_symlinks=False) and not _is_job_at_work(layout, path := Path(entry.path)):
                waiting.append(path)
    rebuilt = sorted(layout.root.glob(f"{layout.rebuilt_catalogue.name}*"))
    if rebuilt and not is_locked(layout.lock("rebuild")):
        for path in rebuilt:
            yield Inconsistency("leftover", path.name, "a rebuild that was not ended")


def _of_entry(entry: os.DirEntry[str], long_ago: float) -> Iterator[tuple[str, str]]:
    """Yield a code and a message for what is wrong with a file or a folder."""
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return
    if stat.S_ISLNK(status.st_mode):
        yield "planted_link", "a link, where this program writes none"
        return
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        yield "planted_link", "neither a file nor a folder"
        return
    if stat.S_IMODE(status.st_mode) & _OF_OTHERS:
        yield "too_open", f"its mode is {stat.S_IMODE(status.st_mode):04o}"
    if (
        entry.name.startswith(TEMPORARY_PREFIX)
        and status.st_mtime < long_ago
        and not is_locked(Path(entry.path, "lock"))
    ):
        yield "leftover", "a write that was not ended"


def _is_job_at_work(layout: Layout, folder: Path) -> bool:
    return folder.parent == layout.jobs and is_locked(folder / "lock")
