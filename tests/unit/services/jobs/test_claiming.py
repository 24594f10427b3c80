"""Taking a source to oneself: refused, waited for, and with nobody else inside meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from ingest_tui.model.errors import BusyError
from ingest_tui.model.job import JobState, Manifest
from ingest_tui.model.source import Source
from ingest_tui.services.jobs.source_claims import WaitPolicy, sources_to_oneself
from ingest_tui.store.workspace import Workspace, init_workspace
from ingest_tui.worker.queue import claim_next
from ingest_tui.worker.submit import submit_sync


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with two sources, ``docs`` and ``mail``."""
    workspace, _ = init_workspace(tmp_path / "workspace")
    for name in ("docs", "mail"):
        config = {"path": str(tmp_path)}
        workspace.sources.save(Source(source_id=name, name=name, source_type="local", source_config=config))
    yield workspace
    workspace.close()


def held(
    workspace: Workspace, *sources: str, wait_policy: WaitPolicy | None = None, queued_too: bool = True
) -> AbstractContextManager[None]:
    return sources_to_oneself(workspace, sources, wait_policy=wait_policy, queued_too=queued_too)


def queue(workspace: Workspace, source: str = "docs") -> Manifest:
    return submit_sync(workspace, workspace.sources.get(source), trigger="manual", by="test")


def end(workspace: Workspace, job: Manifest) -> None:
    job.move_to(JobState.CANCELLED, at="1", by="test")
    workspace.jobs.save(job)
    workspace.jobs.leave_queue(job.job_id)


def test_no_job_starts_while_a_source_is_held(workspace: Workspace) -> None:
    """A job that is queued between the check and the deletion is not run before the end; other sources' jobs are."""
    with held(workspace, "docs"):
        queue(workspace)
        assert claim_next(workspace) is None
        other = queue(workspace, "mail")
        claim = claim_next(workspace)
        assert claim is not None
        assert claim.manifest.job_id == other.job_id
        claim.release()
    claim = claim_next(workspace)
    assert claim is not None
    claim.release()


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING, JobState.PAUSED, JobState.INTERRUPTED])
def test_unfinished_job_is_in_the_way(workspace: Workspace, state: JobState) -> None:
    """What has not ended is named with both ways out; what only waits is in the way of a source, not of a document."""
    job = queue(workspace)
    if state is JobState.INTERRUPTED:
        job.move_to(JobState.RUNNING, at="1", by="test")
    if state is not JobState.QUEUED:
        job.move_to(state, at="1", by="test")
    workspace.jobs.save(job)
    with pytest.raises(BusyError, match=job.job_id) as caught, held(workspace, "docs", "mail"):
        pytest.fail("it is in the way")
    assert "--wait" in caught.value.hint
    assert f"job cancel {job.job_id}" in caught.value.hint
    if state is JobState.QUEUED:
        with held(workspace, "docs", queued_too=False):
            pass
    with held(workspace, "mail"):
        pass


def test_job_that_a_worker_has_just_taken_is_in_the_way(workspace: Workspace) -> None:
    """Between its claim and its start a job still says that it is queued; that is no gap."""
    queue(workspace)
    claim = claim_next(workspace)
    assert claim is not None
    with pytest.raises(BusyError, match=claim.manifest.job_id), held(workspace, "docs", queued_too=False):
        pytest.fail("it is in the way")
    claim.release()


def test_waiting_ends_with_the_job(workspace: Workspace) -> None:
    """Who waits is told once of each job, and goes on as soon as the last of them has ended."""
    first, second = queue(workspace), queue(workspace)
    told: list[str] = []
    wait_policy = WaitPolicy(None, lambda job: told.append(job.job_id))
    started = time.monotonic()
    threading.Timer(0.3, end, (workspace, first)).start()
    threading.Timer(0.6, end, (workspace, second)).start()
    with held(workspace, "docs", wait_policy=wait_policy):
        assert time.monotonic() - started >= 0.6
    assert told == [first.job_id, second.job_id]


def test_the_wait_ends_with_its_time(workspace: Workspace) -> None:
    """When the time is over the job is named, and the source is free for it."""
    job = queue(workspace)
    started = time.monotonic()
    wait_policy = WaitPolicy(0.3, lambda _job: None)
    with pytest.raises(BusyError, match=job.job_id) as caught, held(workspace, "docs", wait_policy=wait_policy):
        pytest.fail("it is in the way")
    assert 0.3 <= time.monotonic() - started < 3
    assert "--wait" not in caught.value.hint
    claim = claim_next(workspace)
    assert claim is not None
    claim.release()


def test_two_removals_do_not_meet(workspace: Workspace) -> None:
    """The second of two that want the same sources waits a moment, then says that somebody else is at it."""
    with held(workspace, "docs", "mail"), pytest.raises(BusyError, match="another process"), held(workspace, "mail"):
        pytest.fail("it is taken")
    with held(workspace, "mail"):
        pass
