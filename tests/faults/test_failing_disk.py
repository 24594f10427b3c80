"""A disk that refuses a write: the job fails with the reason or stays for the next worker, and nothing half done stays.

Each of these was found by `test_syscall_crash_points`, which hits every system call; here is the cause in small.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest

from ingest_tui.model.errors import StoreError
from ingest_tui.model.job import JobState, Manifest
from ingest_tui.pipeline.job import run as run_job_module
from ingest_tui.pipeline.job.context import JobContext
from ingest_tui.pipeline.plan.source_listing import list_source
from ingest_tui.services.workers import follow_job
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.listing_scratch import ListingScratch
from ingest_tui.store.jobs import JobStore
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker import engine as engine_module
from tests.faults.crash_lab import (
    folders_of,
    leftovers_of,
    new_workspace,
    queue_sync,
    quicken,
    rebuilt_state_of,
    run_queue,
    sync,
)

WORDS = ("weather",)

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with one document at its source."""
    quicken(monkeypatch)
    monkeypatch.setattr(engine_module, "_WITHOUT_ROOM_SECONDS", 0.1)
    workspace = new_workspace(tmp_path / "ws", tmp_path / "docs")
    (tmp_path / "docs" / "only.md").write_text("# only\n\nThe weather.\n")
    return workspace


def broken_disk(*_arguments: Any, **_options: Any) -> Any:
    """Be refused by a disk that is broken."""
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def refuse_once(
    monkeypatch: pytest.MonkeyPatch, owner: Any, attribute: str, when: Callable[..., bool] = lambda *_a, **_o: True
) -> None:
    """Let a call fail the first time that it is as ``when`` says."""
    original = getattr(owner, attribute)
    times_refused = 0

    def call(*arguments: Any, **options: Any) -> Any:
        nonlocal times_refused
        if not times_refused and when(*arguments, **options):
            times_refused += 1
            broken_disk()
        return original(*arguments, **options)

    monkeypatch.setattr(owner, attribute, call)


def has_ended(_jobs: JobStore, manifest: Manifest, **_options: Any) -> bool:
    """Whether it is the last manifest of a job that is to be saved."""
    return manifest.ended


def follow(workspace: Workspace, job_id: str) -> Manifest:
    """Run a job here and follow it, as ``sync`` does."""
    return follow_job(workspace, job_id, lambda _manifest: None, run_here=True)


def test_job_whose_commits_cannot_begin_fails(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that commits cannot open the catalogue: the job says so, instead of waiting for ever."""
    open_catalogue = Workspace.open_catalogue

    def opening(self: Workspace, *heard: Any) -> Catalogue:
        return broken_disk() if threading.current_thread().name.startswith("commit") else open_catalogue(self, *heard)

    monkeypatch.setattr(Workspace, "open_catalogue", opening)
    job_id = queue_sync(workspace).job_id
    worker = threading.Thread(target=run_queue, args=(workspace,), daemon=True)
    worker.start()
    worker.join(10.0)
    assert not worker.is_alive()
    job = workspace.jobs.load(job_id)
    assert (job.state, job.errors[-1].message) == ("failed", "the workspace cannot be written: Input/output error")


def test_end_that_cannot_be_written_is_reported_and_resumed(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the last manifest cannot be written the person is told, and the next sync brings the job to its end."""
    refuse_once(monkeypatch, JobStore, "save", has_ended)
    job_id = queue_sync(workspace).job_id
    with pytest.raises(StoreError, match=f"the end of job {job_id} cannot be written: Input/output error"):
        follow(workspace, job_id)
    assert workspace.jobs.load(job_id).state is JobState.RUNNING
    assert sync(workspace).counters.items_skipped_incremental == 1
    job = workspace.jobs.load(job_id)
    assert (job.state, job.counters.items_ingested) == (JobState.SUCCEEDED, 1)
    assert leftovers_of(workspace.root) == []


def test_disk_that_stays_broken_does_not_keep_anybody_waiting(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where not even the failure of a job can be written, following it ends with that error."""
    job_id = queue_sync(workspace).job_id
    monkeypatch.setattr(JobStore, "save", broken_disk)
    with pytest.raises(StoreError, match="cannot be written"):
        follow(workspace, job_id)


def test_job_that_cannot_be_cleared_up_has_ended_all_the_same(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an ended job leaves in the queue and in staging is cleared up by the next worker."""
    refuse_once(monkeypatch, JobStore, "leave_queue")
    job = sync(workspace)
    assert job.state is JobState.SUCCEEDED
    assert sync(workspace).state is JobState.SUCCEEDED
    assert leftovers_of(workspace.root) == []


def test_failed_job_leaves_no_version_that_was_never_committed(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version was placed but the catalogue could not commit it: a rebuild does not take it for a document."""
    execute = Catalogue.execute

    def executing(self: Catalogue, sql: str, *values: Any) -> list[Any]:
        if sql == "COMMIT" and threading.current_thread().name.startswith("commit"):
            raise apsw.IOError
        return execute(self, sql, *values)

    monkeypatch.setattr(Catalogue, "execute", executing)
    job = sync(workspace)
    assert (job.state, job.errors[-1].message) == ("failed", "the workspace cannot be written: SQLite IOError")
    assert [name for name in folders_of(workspace.root) if "v0001" in name] == []
    workspace.close()
    assert rebuilt_state_of(workspace.root, WORDS).documents == []


def test_failed_job_leaves_no_plan_in_part(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan that could not be finished goes with its job."""
    monkeypatch.setattr(ListingScratch, "plan", broken_disk)
    assert sync(workspace).state is JobState.FAILED
    assert leftovers_of(workspace.root) == []


def test_listing_that_lost_its_items_retires_nothing(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing that is gone when it is to become a plan is an error, not a source that has become empty."""
    (Path(workspace.sources.get("docs").source_config["path"]) / "second.md").write_text("# second\n\nThe weather.\n")
    sync(workspace)

    def losing(job: JobContext) -> Any:
        end = list_source(job)
        ListingScratch.discard(job.paths.listing)
        return end

    monkeypatch.setattr(run_job_module, "list_source", losing)
    job = sync(workspace)
    assert (job.state, job.held) == ("failed", None)
    assert "the listing was damaged" in job.errors[-1].message
    assert workspace.catalogue.value("SELECT count(*) FROM documents WHERE state = 'active'") == 2


def test_temporary_of_a_killed_worker_is_swept(workspace: Workspace) -> None:
    """A manifest that a worker was writing when it died is gone once the next one has the job."""
    job_id = queue_sync(workspace).job_id
    (workspace.jobs.paths(job_id).folder / ".tmp.0123").write_text("{")
    run_queue(workspace)
    assert leftovers_of(workspace.root) == []
