"""The marks of workers: who lives, and what becomes of the marks of the dead."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ingest_tui.store.workspace import Workspace, init_workspace
from ingest_tui.worker.registry import WorkerRegistration, living_workers


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace, _ = init_workspace(tmp_path / "workspace")
    return workspace


def marks(workspace: Workspace) -> list[str]:
    return sorted(path.name for path in workspace.layout.workers.iterdir())


def test_worker_is_seen_while_it_lives(workspace: Workspace) -> None:
    """A registered worker is listed with its process id and mode, and after its end nothing of it is left."""
    registration = WorkerRegistration(workspace, "queue")
    assert [(worker.pid, worker.mode) for worker in living_workers(workspace)] == [(os.getpid(), "queue")]
    registration.close()
    assert living_workers(workspace) == []
    assert marks(workspace) == []


def test_mark_of_a_dead_worker_is_removed_by_whoever_looks(workspace: Workspace) -> None:
    """A record whose lock nobody holds belongs to a killed worker, and looking at the workers takes it away."""
    (workspace.layout.workers / "1-aaaaaa.json").write_text("{}")
    (workspace.layout.workers / "1-aaaaaa.lock").touch()
    assert living_workers(workspace) == []
    assert marks(workspace) == []


def test_torn_marks_are_swept_once_they_are_old(workspace: Workspace) -> None:
    """What workers left that were killed while they registered goes; what another one is just making stays."""
    folder = workspace.layout.workers
    for name in ("1-aaaaaa.lock", ".tmp.0123", "2-bbbbbb.lock", ".tmp.4567"):
        (folder / name).touch()
    for name in ("1-aaaaaa.lock", ".tmp.0123"):
        os.utime(folder / name, (time.time() - 90, time.time() - 90))
    registration = WorkerRegistration(workspace, "queue")
    registration.close()
    assert marks(workspace) == [".tmp.4567", "2-bbbbbb.lock"]


def test_sweeping_takes_no_mark_from_a_living_worker(workspace: Workspace) -> None:
    """A worker that has lived for long keeps its mark when another one starts."""
    first = WorkerRegistration(workspace, "watch")
    for path in workspace.layout.workers.iterdir():
        os.utime(path, (1, 1))
    second = WorkerRegistration(workspace, "queue")
    assert len(living_workers(workspace)) == 2
    first.close()
    second.close()
