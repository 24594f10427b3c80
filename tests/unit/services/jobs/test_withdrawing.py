"""An approval is taken back while nobody has begun to carry it out; afterwards it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ingest_tui.model.errors import UsageError
from ingest_tui.model.job import JobState
from ingest_tui.services.api import WorkspaceHandle, open_workspace
from ingest_tui.services.jobs.holds import approve_job, withdraw_approval

DOCUMENTS = 12


def with_held_deletions(home: Path) -> str:
    """Make a workspace in which a job holds the deletion of twelve documents; returns its id."""
    folder = home / "many"
    folder.mkdir()
    for number in range(DOCUMENTS):
        (folder / f"{number}.txt").write_text(f"document {number}")
    with open_workspace(home / "workspace") as handle:
        handle.add_source("many", path=str(folder))
        handle.sync("many")
        for path in folder.iterdir():
            path.unlink()
        (folder / "one.txt").write_text("one more")
        job = handle.sync("many")
        assert job.held is not None
        assert job.held.documents == DOCUMENTS
        return job.job_id


@pytest.fixture
def held(tmp_path: Path) -> Iterator[tuple[WorkspaceHandle, str]]:
    """A workspace whose last job holds deletions, and the id of that job."""
    job_id = with_held_deletions(tmp_path)
    with closing(open_workspace(tmp_path / "workspace")) as handle:
        yield handle, job_id


def test_a_withdrawn_approval_retires_nothing(held: tuple[WorkspaceHandle, str]) -> None:
    """The sync that waits runs as any other: it holds the deletions again, which can be approved again."""
    handle, job_id = held
    queued = approve_job(handle.workspace, job_id)
    again = withdraw_approval(handle.workspace, job_id)
    assert again.held is not None
    assert again.held.waits
    last = handle.sync("many")
    assert last.job_id == queued.job_id
    assert last.counters.items_retired == 0
    assert last.held is not None
    assert last.held.documents == DOCUMENTS
    approved = approve_job(handle.workspace, last.job_id)
    assert handle.sync("many").job_id == approved.job_id
    actions = [line["action"] for line in handle.workspace.audit.entries()]
    answers = [one for one in actions if one in {"job.approve", "job.withdraw"}]
    assert answers == ["job.approve", "job.withdraw", "job.approve"]


def test_a_withdrawal_that_was_killed_halfway_is_ended_by_the_next_one(held: tuple[WorkspaceHandle, str]) -> None:
    """The sync that waits approves nothing any more, and the job that held the deletions does not know it yet."""
    handle, job_id = held
    queued = approve_job(handle.workspace, job_id)
    killed = withdraw_approval(handle.workspace, job_id)
    assert killed.held is not None
    killed.held.answered_by_job = queued.job_id
    handle.workspace.jobs.save(killed)
    assert handle.workspace.jobs.load(queued.job_id).options == {}
    again = withdraw_approval(handle.workspace, job_id)
    assert again.held is not None
    assert again.held.waits


def test_what_has_begun_or_was_not_approved_is_not_withdrawn(held: tuple[WorkspaceHandle, str]) -> None:
    """Each with what can be done instead."""
    handle, job_id = held
    with pytest.raises(UsageError, match="no approval of job"):
        withdraw_approval(handle.workspace, job_id)
    queued = approve_job(handle.workspace, job_id)
    lock = handle.workspace.jobs.lock(queued.job_id)
    assert lock.try_acquire()
    with lock, pytest.raises(UsageError, match="has begun"):
        withdraw_approval(handle.workspace, job_id)
    assert handle.sync("many").state is JobState.SUCCEEDED
    with pytest.raises(UsageError, match="has begun"):
        withdraw_approval(handle.workspace, job_id)
