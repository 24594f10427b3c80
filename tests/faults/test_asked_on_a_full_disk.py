"""What people ask of jobs on a full disk is done, left for the next worker, or refused in words; no job is lost."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.model.errors import DiskFullError
from ingest_tui.model.foreign_errors import as_ingest_error
from ingest_tui.model.job import JobState, Manifest
from ingest_tui.services.jobs.holds import approve_job
from ingest_tui.services.jobs.jobs import cancel_job, enqueue_sync, pause_job, resume_job, retry_job, set_priority
from ingest_tui.store.catalogue.queries import find_documents
from ingest_tui.store.fs.disk import ReserveFile
from ingest_tui.store.jobs import JobStore
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.engine import Engine
from tests.faults.crash_lab import UNREADABLE, new_workspace, queue_sync, quicken, run_queue, sync
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


class FullDisk:
    """Refuses each record of a job while it is full; with ``has_reserve``, until the reserve file is released."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_full = False
        self.has_reserve = False
        for method in ("save", "create"):
            monkeypatch.setattr(JobStore, method, self._refusing(getattr(JobStore, method)))
        monkeypatch.setattr(ReserveFile, "release", lambda _reserve: self._release())

    def _refusing(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def refusing(*arguments: Any, **options: Any) -> Any:
            if self.is_full:
                raise OSError(errno.ENOSPC, "No space left on device")
            return write(*arguments, **options)

        return refusing

    def _release(self) -> None:
        self.is_full = self.is_full and not self.has_reserve


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> FullDisk:
    """A disk that is not full yet."""
    quicken(monkeypatch)
    return FullDisk(monkeypatch)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace whose source has one file."""
    workspace = new_workspace(tmp_path / "ws", tmp_path / "docs")
    (tmp_path / "docs" / "one.md").write_text("# one\n\nThe weather.\n")
    yield workspace
    workspace.close()


def loaded(workspace: Workspace, job: Manifest) -> Manifest:
    return workspace.jobs.load(job.job_id)


def _hurry(workspace: Workspace, job_id: str) -> Manifest:
    return set_priority(workspace, job_id, 5)


def test_a_paused_job_that_cannot_be_resumed_stays_paused(workspace: Workspace, disk: FullDisk) -> None:
    """It says why and what to do; with room again it is resumed, and runs to its end."""
    job = queue_sync(workspace)
    pause_job(workspace, job.job_id)
    disk.is_full = True
    for ask in (resume_job, _hurry):
        with pytest.raises(DiskFullError, match=r"stays as it is \(paused\)") as refused:
            ask(workspace, job.job_id)
        assert "free some space" in refused.value.hint
    disk.is_full = False
    run_queue(workspace)
    assert (loaded(workspace, job).state, loaded(workspace, job).priority) == (JobState.PAUSED, job.priority)
    resume_job(workspace, job.job_id)
    run_queue(workspace)
    assert loaded(workspace, job).state is JobState.SUCCEEDED


def test_the_room_that_is_kept_is_enough(workspace: Workspace, disk: FullDisk) -> None:
    """Where there is a reserve file, whatever is asked is done at once."""
    disk.has_reserve = True
    job = queue_sync(workspace)
    for ask, state in (
        (pause_job, JobState.PAUSED),
        (_hurry, JobState.PAUSED),
        (resume_job, JobState.INTERRUPTED),
        (cancel_job, JobState.CANCELLED),
    ):
        disk.is_full = True
        assert ask(workspace, job.job_id).state is state
    assert loaded(workspace, job).priority == 5


def test_a_pause_is_left_for_the_next_worker(workspace: Workspace, disk: FullDisk) -> None:
    """A job that waits in the queue is paused before it does anything; resumed, it ends."""
    job = queue_sync(workspace)
    disk.is_full = True
    assert pause_job(workspace, job.job_id).state is JobState.QUEUED
    disk.is_full = False
    with Engine(workspace) as engine:
        engine.start_ready_jobs()
        wait_until(lambda: loaded(workspace, job).state is JobState.PAUSED)
        assert loaded(workspace, job).counters.items_ingested == 0
        resume_job(workspace, job.job_id)
        wait_until(lambda: loaded(workspace, job).ended)
    assert loaded(workspace, job).state is JobState.SUCCEEDED


@pytest.mark.parametrize("is_paused", [False, True], ids=["queued", "paused"])
def test_a_cancellation_is_left_for_the_next_worker(workspace: Workspace, disk: FullDisk, *, is_paused: bool) -> None:
    """A paused job begins for it, and a sync that is asked for meanwhile does not join what is to end."""
    job = queue_sync(workspace)
    if is_paused:
        pause_job(workspace, job.job_id)
    disk.is_full = True
    cancel_job(workspace, job.job_id)
    disk.is_full = False
    again = enqueue_sync(workspace, "docs")
    assert again.job_id != job.job_id
    run_queue(workspace)
    assert loaded(workspace, job).state is JobState.CANCELLED
    assert loaded(workspace, again).state is JobState.SUCCEEDED


def test_what_needs_a_new_job_is_refused_in_words(workspace: Workspace, disk: FullDisk, tmp_path: Path) -> None:
    """A retry and an approval change nothing then, and can be asked for again."""
    docs = tmp_path / "docs"
    (docs / "broken.md").write_text(UNREADABLE)
    failed = sync(workspace)
    for path in docs.iterdir():
        path.unlink()
    held = sync(workspace)
    assert held.held is not None
    jobs = workspace.jobs.ids()
    disk.is_full = True
    for ask, job in ((retry_job, failed), (approve_job, held)):
        with pytest.raises(OSError, match="No space") as refused:
            ask(workspace, job.job_id)
        assert isinstance(as_ingest_error(refused.value), DiskFullError)
    assert workspace.jobs.ids() == jobs
    disk.is_full = False
    approve_job(workspace, held.job_id)
    run_queue(workspace)
    assert find_documents(workspace.catalogue) == []
