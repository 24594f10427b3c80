"""The marks of workers: who lives, and what becomes of the marks of the dead."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest

from ingest_tui.store.workspace import Workspace, init_workspace
from ingest_tui.worker.living_workers import WorkerInfo, WorkerRegistration, living_workers, stop_worker


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


def test_marks_are_not_waited_for(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a power cut no worker lives, so its mark need not be on the disk: each `sync` makes one."""
    waits: list[int] = []
    monkeypatch.setattr(os, "fsync", waits.append)
    registration = WorkerRegistration(workspace, "queue")
    registration.become("watch")
    assert [worker.mode for worker in living_workers(workspace)] == ["watch"]
    registration.close()
    assert waits == []


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


def test_whoever_works_sweeps_torn_records_once_they_are_old(workspace: Workspace) -> None:
    """What a killed process left next to the records goes with the next one, also where no worker stays."""
    looks = workspace.root / "looks"
    looks.mkdir(exist_ok=True)
    old, young = looks / ".tmp.old", looks / ".tmp.young"
    for path in (old, young):
        path.write_text("")
    os.utime(old, (0, 0))
    WorkerRegistration(workspace, "foreground").close()
    assert (old.exists(), young.exists()) == (False, True)


def test_sweeping_takes_no_mark_from_a_living_worker(workspace: Workspace) -> None:
    """A worker that has lived for long keeps its mark when another one starts."""
    first = WorkerRegistration(workspace, "watch")
    for path in workspace.layout.workers.iterdir():
        os.utime(path, (1, 1))
    second = WorkerRegistration(workspace, "queue")
    assert len(living_workers(workspace)) == 2
    first.close()
    second.close()


def holding(path: Path) -> subprocess.Popen[bytes]:
    """Start a process that holds the lock on ``path`` and ends when it is asked to."""
    program = (
        "import fcntl,sys,time; f=open(sys.argv[1],'w'); fcntl.flock(f,2); print('held',flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def forged_mark(workspace: Workspace, *, pid: int) -> WorkerInfo:
    info = WorkerInfo("7-abcdef", pid, socket.gethostname(), "2026-01-01T00:00:00.000Z", "queue")
    (workspace.layout.workers / "7-abcdef.json").write_bytes(orjson.dumps(info.as_dict()))
    return info


def test_stopping_signals_the_holder_of_the_lock_and_nobody_else(workspace: Workspace) -> None:
    """A record that names an innocent process is not believed: the process that holds the lock gets the signal."""
    innocent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    holder = holding(workspace.layout.workers / "7-abcdef.lock")
    try:
        info = forged_mark(workspace, pid=innocent.pid)
        assert stop_worker(workspace, info) == ""
        assert holder.wait(10) == -signal.SIGTERM
        assert innocent.poll() is None
    finally:
        for process in (innocent, holder):
            process.kill()
            process.wait()


def test_stopping_a_forged_mark_without_holder_signals_nobody(workspace: Workspace) -> None:
    """A record next to a lock that nobody holds leads to no signal, whoever it names."""
    innocent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        assert stop_worker(workspace, forged_mark(workspace, pid=innocent.pid)) == ""
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


def test_suspended_worker_is_woken_up_to_end(workspace: Workspace) -> None:
    """A worker that somebody suspended with Ctrl-Z ends too when it is asked to."""
    holder = holding(workspace.layout.workers / "7-abcdef.lock")
    try:
        holder.send_signal(signal.SIGSTOP)
        assert stop_worker(workspace, forged_mark(workspace, pid=holder.pid)) == ""
    finally:
        holder.kill()
        holder.wait()


@pytest.mark.slow
def test_record_under_another_name_is_no_worker(workspace: Workspace) -> None:
    """A record that claims the name of another file leads nowhere outside the folder."""
    info = WorkerInfo("../../other", 1, socket.gethostname(), "2026-01-01T00:00:00.000Z", "queue")
    (workspace.layout.workers / "7-abcdef.json").write_bytes(orjson.dumps(info.as_dict()))
    holder = holding(workspace.layout.workers / "7-abcdef.lock")
    try:
        assert living_workers(workspace) == []
    finally:
        holder.kill()
        holder.wait()
