"""Which job runs next."""

from __future__ import annotations

import errno
import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_tui.model.job import JobState, Manifest
from ingest_tui.model.source import Source
from ingest_tui.services.workspaces import init
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.queue import claim_next, in_running_order
from ingest_tui.worker.submit import submit_sync

manifests = st.lists(
    st.builds(
        Manifest,
        job_id=st.uuids().map(str),
        source_id=st.sampled_from(["a", "b"]),
        collection_id=st.just("default"),
        state=st.sampled_from(JobState),
        priority=st.integers(0, 3),
        created_at=st.integers(0, 9).map(lambda second: f"2026-11-21T00:00:0{second}.000Z"),
        updated_at=st.just(""),
    ),
    max_size=12,
)


@given(manifests)
def test_order_is_priority_then_age(jobs: list[Manifest]) -> None:
    """A job never stands before one of lower priority number, nor before an older queued one of the same priority."""
    ordered = in_running_order(jobs)
    assert {job.job_id for job in ordered} == {
        job.job_id for job in jobs if job.state in {JobState.QUEUED, JobState.INTERRUPTED, JobState.RUNNING}
    }
    for earlier, later in pairwise(ordered):
        assert earlier.priority <= later.priority
        if earlier.priority == later.priority and earlier.state is later.state is JobState.QUEUED:
            assert earlier.created_at <= later.created_at


def _workspace(root: Path, sources: int) -> Workspace:
    workspace, _ = init(root / "ws")
    for number in range(sources):
        source = Source(source_id=f"s{number}", name="S", source_type="local", source_config={"path": "/"})
        workspace.sources.save(source)
        submit_sync(workspace, source, trigger="manual", by="test")
        submit_sync(workspace, source, trigger="manual", by="test")
    return workspace


def test_claims_respect_the_limit_and_the_sources(tmp_path: Path) -> None:
    """At most three jobs are claimed, never two of one source, and a released one can be claimed again."""
    workspace = _workspace(tmp_path, 5)
    claims = [claim_next(workspace) for _ in range(4)]
    assert claims[3] is None
    taken = [claim for claim in claims if claim is not None]
    assert len({claim.manifest.source_id for claim in taken}) == 3
    taken[0].release()
    again = claim_next(workspace)
    assert again is not None
    assert again.manifest.job_id == taken[0].manifest.job_id
    for claim in (*taken[1:], again):
        claim.release()
    workspace.close()


def test_a_source_runs_one_job_at_a_time(tmp_path: Path) -> None:
    """The second job of a source is not claimed while the first one is, and slots are not lost by trying."""
    workspace = _workspace(tmp_path, 1)
    first = claim_next(workspace)
    assert first is not None
    for _ in range(5):
        assert claim_next(workspace) is None
    other = Source(source_id="other", name="O", source_type="local", source_config={"path": "/"})
    workspace.sources.save(other)
    submit_sync(workspace, other, trigger="manual", by="test")
    second = claim_next(workspace)
    assert second is not None
    assert second.manifest.source_id == "other"
    first.release()
    second.release()
    workspace.close()


def test_an_unreadable_manifest_does_not_stop_the_queue(tmp_path: Path) -> None:
    """A job whose manifest is torn or missing is passed over; the others run."""
    workspace = _workspace(tmp_path, 2)
    ids = workspace.jobs.queued_ids()
    workspace.jobs.paths(ids[0]).manifest.write_text("{")
    workspace.jobs.paths(ids[1]).manifest.unlink()
    claim = claim_next(workspace)
    assert claim is not None
    assert claim.manifest.job_id in ids[2:]
    claim.release()
    workspace.close()


def test_an_ended_job_leaves_the_queue_by_whoever_finds_it(tmp_path: Path) -> None:
    """A job whose worker died right after its end is taken out of the queue, but not while that worker is at it."""
    workspace = _workspace(tmp_path, 1)
    claim = claim_next(workspace)
    assert claim is not None
    manifest = claim.manifest
    manifest.move_to(JobState.RUNNING, at="1", by="test")
    manifest.move_to(JobState.SUCCEEDED, at="2", by="test")
    workspace.jobs.save(manifest)
    claim_next(workspace)
    assert manifest.job_id in workspace.jobs.queued_ids()
    claim.release()
    claim_next(workspace)
    assert manifest.job_id not in workspace.jobs.queued_ids()
    workspace.close()


def test_job_whose_maker_died_leaves_the_queue(tmp_path: Path) -> None:
    """Looking for work sweeps what a crash left of a job that was being made, and finds the next one."""
    workspace = _workspace(tmp_path, 1)
    half_made = "20200101-000000-s0-2222"
    (workspace.layout.queue / half_made).touch()
    (workspace.layout.jobs / half_made / "staging").mkdir(parents=True)
    claim = claim_next(workspace)
    assert claim is not None
    claim.release()
    assert half_made not in workspace.jobs.queued_ids()
    assert half_made not in workspace.jobs.ids()
    workspace.close()


def test_claim_that_meets_an_error_keeps_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that refuses the lock of a source costs that one attempt: neither job nor slot stay locked."""
    workspace = _workspace(tmp_path, 1)
    try_acquire = FileLock.try_acquire

    def failing(lock: FileLock) -> bool:
        if lock.path.parent.name == "source":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return try_acquire(lock)

    monkeypatch.setattr(FileLock, "try_acquire", failing)
    for _ in range(4):
        with pytest.raises(OSError, match="Input/output"):
            claim_next(workspace)
    monkeypatch.undo()
    claim = claim_next(workspace)
    assert claim is not None
    claim.release()
    workspace.close()
