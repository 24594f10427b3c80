"""Temporary files of killed writers are removed, and nothing that somebody may still be writing."""

from __future__ import annotations

import os
import time
from pathlib import Path

from ingest_tui.store.fs.leftovers import (
    LEFT_AFTER_SECONDS,
    scratch_folder,
    sweep_ended_jobs,
    sweep_rebuild,
    sweep_scratch_folders,
    sweep_small_files,
)
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.layout import Layout
from ingest_tui.store.workspace import init_workspace


def test_only_old_temporary_files_are_removed(tmp_path: Path) -> None:
    """What a write of milliseconds cannot explain goes; fresh ones, folders, links and records stay."""
    workspace, _ = init_workspace(tmp_path / "ws")
    layout = workspace.layout
    old = time.time() - LEFT_AFTER_SECONDS - 60
    left = [layout.root / ".tmp.a", layout.sources / ".tmp.b", layout.collections / ".tmp.c", layout.trash / ".tmp.d"]
    for folder in (layout.embedders, layout.rerankers, layout.generations):
        folder.mkdir(exist_ok=True)
        left.append(folder / ".tmp.e")
    victim = tmp_path / "victim"
    kept = [layout.root / ".tmp.fresh", layout.root / "mine.tmp.x", victim]
    for path in (*left, *kept):
        path.write_text("x")
    folder = layout.root / ".tmp.folder"
    folder.mkdir()
    for path in (*left, kept[1], victim, folder):
        os.utime(path, (old, old))
    (layout.root / ".tmp.link").symlink_to(victim)
    records = set(layout.root.rglob("*.json"))
    assert sweep_small_files(layout) == len(left)
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in (*kept, folder, *records))
    assert sweep_small_files(layout) == 0


def test_scratch_is_in_the_workspace_and_swept_when_its_process_is_gone(tmp_path: Path) -> None:
    """What is needed for a while does not need /tmp; only the lock says whether somebody still uses it."""
    workspace, _ = init_workspace(tmp_path / "ws")
    old = time.time() - LEFT_AFTER_SECONDS - 60
    with scratch_folder(workspace) as used:
        assert used.parent == workspace.root
        os.utime(used, (old, old))
        killed = workspace.root / ".tmp.plan-killed"
        killed.mkdir()
        (killed / "listing.db").write_text("x")
        assert sweep_scratch_folders(workspace.layout) == 0  # it may be about to be locked
        os.utime(killed, (old, old))
        assert sweep_scratch_folders(workspace.layout) == 1
        assert used.is_dir()
    assert not used.exists()
    workspace.is_read_only = True
    with scratch_folder(workspace) as elsewhere:
        assert not elsewhere.is_relative_to(workspace.root)


def test_what_a_killed_rebuild_left_goes_unless_one_is_under_way(tmp_path: Path) -> None:
    """Its lock is free then; the file with its side files is removed."""
    layout = Layout(tmp_path)
    layout.locks.mkdir()
    left = [tmp_path / f"catalogue.rebuild.db{suffix}" for suffix in ("", "-wal", "-shm")]
    for path in left:
        path.touch()
    lock = FileLock(layout.lock("rebuild"))
    lock.acquire(1.0, what="the rebuild")
    with lock:
        sweep_rebuild(layout)
        assert all(path.exists() for path in left)
    sweep_rebuild(layout)
    assert not any(path.exists() for path in left)


def test_torn_writes_of_ended_jobs_go(tmp_path: Path) -> None:
    """A job that is still queued is its owner's; a write of a moment ago may be under way."""
    layout = Layout(tmp_path)
    layout.queue.mkdir()
    old = time.time() - LEFT_AFTER_SECONDS - 60
    for job_id in ("ended", "queued"):
        (layout.jobs / job_id).mkdir(parents=True)
        torn = layout.jobs / job_id / ".tmp.manifest.json"
        torn.touch()
        os.utime(torn, (old, old))
        (layout.jobs / job_id / ".tmp.new").touch()
    layout.queue_entry("queued").touch()
    assert sweep_ended_jobs(layout) == 1
    assert sorted(path.name for path in (layout.jobs / "ended").iterdir()) == [".tmp.new"]
    assert len(list((layout.jobs / "queued").iterdir())) == 2
