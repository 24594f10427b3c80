"""At most one sync of a source waits, whoever asks for another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.cli.main import run
from ingest_tui.model.job import KNOWN_PLAN, JobState
from ingest_tui.model.sync_options import merged_options
from ingest_tui.services.jobs.jobs import enqueue_sync, retry_job
from ingest_tui.store.workspace import Workspace, open_workspace_at
from ingest_tui.worker.submit import request_sync
from tests.faults.crash_lab import new_workspace, quicken, sync


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A workspace whose jobs run in this process when they are asked to."""
    quicken(monkeypatch)
    opened = new_workspace(tmp_path / "ws", tmp_path / "docs")
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("waiting", "wanted", "merged"),
    [
        ({}, {}, {}),
        ({}, {"force": True}, {"force": True}),
        ({"force": True}, {}, {"force": True}),
        ({"retry_of": "a"}, {"retry_of": "b"}, {"retry_of": "a"}),
        ({"force": True}, {"approves": "a"}, {"force": True, "approves": "a"}),
        ({"approves": "a"}, {"approves": "a"}, {"approves": "a"}),
        ({"approves": "a"}, {"approves": "b"}, None),
        ({KNOWN_PLAN: True}, {}, None),
        ({}, {KNOWN_PLAN: True}, None),
    ],
)
def test_the_stronger_option_counts(
    waiting: dict[str, Any], wanted: dict[str, Any], merged: dict[str, Any] | None
) -> None:
    """One job does what both were asked for; what no job can do at once stays two."""
    assert merged_options(waiting, wanted) == merged


def test_repeated_syncs_are_one_job(workspace: Workspace) -> None:
    """A second sync joins the one that waits, with what it asks for; while one runs, one more waits."""
    first = enqueue_sync(workspace, "docs")
    assert enqueue_sync(workspace, "docs").job_id == first.job_id
    assert enqueue_sync(workspace, "docs", force=True).job_id == first.job_id
    assert enqueue_sync(workspace, "docs").options == {"force": True}
    assert workspace.jobs.load(first.job_id).options == {"force": True}
    running = workspace.jobs.load(first.job_id)
    running.move_to(JobState.RUNNING, at=running.created_at, by="test")
    workspace.jobs.save(running)
    second = enqueue_sync(workspace, "docs")
    assert second.job_id != first.job_id
    assert enqueue_sync(workspace, "docs").job_id == second.job_id
    assert len(workspace.jobs.queued_ids()) == 2


def test_a_waiting_job_that_somebody_takes_is_not_changed(workspace: Workspace) -> None:
    """Where a worker takes the waiting job in this moment, the option goes to a job of its own."""
    first = enqueue_sync(workspace, "docs")
    lock = workspace.jobs.lock(first.job_id)
    assert lock.try_acquire()
    with lock:
        assert enqueue_sync(workspace, "docs").job_id == first.job_id
        assert enqueue_sync(workspace, "docs", force=True).job_id != first.job_id
    assert workspace.jobs.load(first.job_id).options == {}


def test_a_retry_joins_a_waiting_sync(workspace: Workspace) -> None:
    """A job that is done again is the sync that waits already."""
    done = sync(workspace)
    waiting = enqueue_sync(workspace, "docs")
    assert retry_job(workspace, done.job_id).job_id == waiting.job_id


def test_many_at_the_same_time_are_one_job(workspace: Workspace) -> None:
    """Eight who ask at once get the same job."""
    found: list[str] = []

    def ask() -> None:
        own = open_workspace_at(workspace.root)
        found.append(request_sync(own, own.sources.get("docs"), trigger="manual", by="test").manifest.job_id)
        own.close()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(found), len(set(found)), len(workspace.jobs.queued_ids())) == (8, 1, 1)


def test_the_command_names_the_job_that_waits(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """The second call says which job does both, and prints its id like the first."""
    for expected in ("", "waits already"):
        assert run(["--workspace", str(workspace.root), "sync", "docs", "--detach"]) == 0
        shown = capsys.readouterr()
        assert workspace.jobs.queued_ids()[0] in shown.out
        assert expected in shown.err
    assert len(workspace.jobs.queued_ids()) == 1
