"""Files and folders that another owner of the workspace could have planted are never written through."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest_tui.model.errors import RefusedError
from ingest_tui.services.jobs.jobs import enqueue_sync
from ingest_tui.services.sources.sources import add_source
from ingest_tui.services.workers import follow_job, start_worker
from ingest_tui.store.fs.atomic import open_to_append
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.records.job_log import JobLog
from ingest_tui.store.records.journal import Journal
from ingest_tui.store.workspace import Workspace, init_workspace, open_workspace_at

WRITERS: dict[str, Callable[[Path], object]] = {"journal": Journal, "job log": JobLog, "plain": open_to_append}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace, _ = init_workspace(tmp_path / "workspace")
    return workspace


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    path = tmp_path / "victim"
    path.write_text("left alone\n")
    return path


def plant(kind: str, path: Path, victim: Path) -> None:
    if kind == "symbolic link":
        path.symlink_to(victim)
    elif kind == "second name":
        os.link(victim, path)
    else:
        os.mkfifo(path)


@pytest.mark.parametrize("kind", ["symbolic link", "second name", "named pipe"])
@pytest.mark.parametrize("writer", WRITERS)
def test_nothing_is_appended_through_a_planted_file(writer: str, kind: str, tmp_path: Path, victim: Path) -> None:
    """Journals and logs refuse links, second names of other files, and pipes."""
    plant(kind, tmp_path / "file", victim)
    with pytest.raises(RefusedError):
        WRITERS[writer](tmp_path / "file")
    assert victim.read_text() == "left alone\n"


def test_worker_does_not_follow_a_planted_log(workspace: Workspace, victim: Path) -> None:
    """Starting a worker in a workspace whose worker.log is a link writes nothing where that leads."""
    workspace.layout.worker_log.symlink_to(victim)
    with pytest.raises(RefusedError):
        start_worker(workspace)
    assert victim.read_text() == "left alone\n"


@pytest.mark.parametrize("name", ["sources", "jobs", "queue", "documents", "trash", "workers", "locks", "collections"])
def test_workspace_whose_folder_is_a_link_is_refused(workspace: Workspace, tmp_path: Path, name: str) -> None:
    """A folder of the workspace that is a symbolic link is refused before anything is written through it."""
    folder = workspace.root / name
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RefusedError):
        open_workspace_at(workspace.root)


@pytest.mark.parametrize("name", ["looks", "listings", "parsers", "locks/source", "documents/default", "trash/default"])
@pytest.mark.parametrize("when", ["opened", "running"])
def test_linked_folder_that_is_made_when_needed_is_refused(
    workspace: Workspace, tmp_path: Path, name: str, when: str
) -> None:
    """What is made when it is needed is refused as a link as well: by commands, and by a job of a running worker."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "a.txt").write_text("words")
    add_source(workspace, source_type="local", name="s", config={"path": str(docs)})
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder = workspace.root / name
    folder.parent.mkdir(exist_ok=True)
    folder.symlink_to(elsewhere)
    if when == "opened":
        with pytest.raises(RefusedError):
            open_workspace_at(workspace.root)
    else:
        with contextlib.suppress(RefusedError):
            manifest = enqueue_sync(workspace, "s", trigger="manual")
            manifest = follow_job(workspace, manifest.job_id, lambda _manifest: None, run_here=True)
            assert manifest.state == "failed"
            assert manifest.errors[-1].code == "planted_file"
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("depth", [1, 2])
def test_document_is_not_placed_through_a_link(workspace: Workspace, tmp_path: Path, depth: int) -> None:
    """A link in the place of a document's folder, or of the folder that holds it, takes no version."""
    target = workspace.layout.document("default", "abcdef0123")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = target if depth == 1 else target.parent
    link.parent.mkdir(parents=True)
    link.symlink_to(elsewhere)
    (tmp_path / "version").mkdir()
    with pytest.raises(RefusedError):
        workspace.document_store.place(tmp_path / "version", "default", "abcdef0123", 1)
    assert list(elsewhere.iterdir()) == []


def test_lock_in_a_planted_folder_is_refused(tmp_path: Path) -> None:
    """A job folder that is a symbolic link is not locked, and so no job of it runs."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "job").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RefusedError):
        FileLock(tmp_path / "job" / "lock").try_acquire()
    assert list((tmp_path / "elsewhere").iterdir()) == []
