"""What becomes of a job that crashed and is not simply resumed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui.model.job import JobState
from ingest_tui.services.documents.uploads import upload_files
from ingest_tui.services.jobs.jobs import cancel_job, get_job
from ingest_tui.store.catalogue.queries import find_documents
from ingest_tui.store.workspace import Workspace, open_workspace_at
from tests.faults.crash_lab import (
    Trial,
    folders_of,
    new_workspace,
    queue_sync,
    quicken,
    rebuilt_state_of,
    run_and_die,
    run_queue,
    state_of,
    sync,
)

WORDS = ("weather",)


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        quicken(monkeypatch)
        yield


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    """One new document, queued."""
    workspace = new_workspace(tmp_path / "prepared", tmp_path / "source")
    (tmp_path / "source" / "only.md").write_text("# only\n\nThe weather.\n")
    queue_sync(workspace)
    workspace.close()
    trial = Trial(tmp_path / "prepared", tmp_path, WORDS)
    trial.run_undisturbed()
    return trial


def test_crashed_job_shows_as_interrupted_until_a_worker_takes_it(trial: Trial) -> None:
    """A manifest that says running while its owner is dead is shown as what it is, and runs as its second attempt."""
    root = trial.fresh("shown")
    assert run_and_die(root, trial.steps.index("DocumentStore.place"))
    workspace = open_workspace_at(root)
    job = get_job(workspace, "last")
    assert job.state is JobState.INTERRUPTED
    run_queue(workspace)
    job = get_job(workspace, "last")
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 2)
    states = [transition.to.value for transition in job.transitions]
    assert states == ["queued", "running", "interrupted", "running", "succeeded"]
    workspace.close()


def test_cancelling_a_crashed_job_leaves_no_half_done_version(trial: Trial) -> None:
    """A version that was placed but never committed goes with its cancelled job, and a rebuild does not find it."""
    root = trial.fresh("cancelled")
    place = trial.steps.index("DocumentStore.place")
    assert run_and_die(root, trial.steps.index("Catalogue COMMIT", place))
    workspace = open_workspace_at(root)
    cancel_job(workspace, "last")
    run_queue(workspace)
    workspace.close()
    assert rebuilt_state_of(root, WORDS).documents == []
    assert [name for name in folders_of(root) if "v0001" in name] == []


def test_cancel_is_not_forgotten_when_the_worker_dies_of_it(trial: Trial) -> None:
    """A worker that was asked to cancel and died before it could leaves a job that the next worker cancels."""
    root = trial.fresh("asked")
    assert run_and_die(root, trial.steps.index("StagingArea.receive"))
    workspace = open_workspace_at(root)
    [job_id] = workspace.jobs.ids()
    manifest = workspace.jobs.load(job_id)
    manifest.cancel_requested_by = "ann@host"
    workspace.jobs.save(manifest)
    run_queue(workspace)
    assert get_job(workspace, "last").state is JobState.CANCELLED
    assert folders_of(root) == []
    workspace.close()


def test_job_that_always_kills_its_worker_fails_in_the_end(trial: Trial) -> None:
    """After five attempts without progress a job is failed, so that it does not kill workers for ever."""
    root = trial.fresh("poison")
    for _ in range(8):
        run_and_die(root, trial.steps.index("StagingArea.receive"))
    workspace = open_workspace_at(root)
    job = get_job(workspace, "last")
    workspace.close()
    assert (job.attempt, job.state, [error.code for error in job.errors]) == (7, JobState.FAILED, ["no_progress"])


def test_queue_forgets_a_job_whose_worker_died_right_after_its_end(trial: Trial) -> None:
    """A job that ended but still is in the queue is taken out by the next worker, which then can be idle."""
    root = trial.fresh("ended")
    assert run_and_die(root, trial.steps.index("JobStore.leave_queue"))
    workspace = open_workspace_at(root)
    assert get_job(workspace, "last").state is JobState.SUCCEEDED
    run_queue(workspace)
    assert workspace.jobs.queued_ids() == []
    workspace.close()


def test_next_sync_after_an_interrupted_one_waits_for_it(trial: Trial) -> None:
    """A second sync of the same source runs after the interrupted one and then finds nothing to do."""
    root = trial.fresh("second")
    assert run_and_die(root, trial.steps.index("DocumentStore.place"))
    workspace = open_workspace_at(root)
    second = sync(workspace)
    workspace.close()
    state = state_of(root, WORDS)
    assert sorted(counts["items_ingested"] for _, counts in state.jobs.values()) == [0, 1]
    assert second.counters.items_skipped_incremental == 1


def test_counters_of_a_resumed_job_say_what_the_job_did(trial: Trial) -> None:
    """Fetched items and written chunks of the first attempt are not forgotten when the second one finishes the job."""
    root = trial.fresh("counters")
    last = len(trial.steps) - 1 - trial.steps[::-1].index("OutcomeJournal.record")
    assert run_and_die(root, last + 2)
    workspace = open_workspace_at(root)
    run_queue(workspace)
    counters = get_job(workspace, "last").counters
    workspace.close()
    assert counters.items_ingested == 1
    assert counters.items_fetched == 1
    assert counters.chunks_written == 1


def test_upload_that_dies_while_it_is_queued_is_whole_or_nothing(tmp_path: Path) -> None:
    """A job that somebody's upload left half queued never succeeds without having taken the file in."""
    workspace = new_workspace(tmp_path / "prepared", tmp_path / "source")
    workspace.close()
    trial = Trial(tmp_path / "prepared", tmp_path, WORDS)
    (tmp_path / "letter.md").write_text("# Letter\n\nThe weather.\n")
    for step in range(20):
        root = trial.fresh(f"upload-{step}")
        died = run_and_die(root, step, lambda workspace: upload_files(workspace, [tmp_path / "letter.md"]))
        workspace = open_workspace_at(root)
        run_queue(workspace)
        documents = len(find_documents(workspace.catalogue))
        states = [workspace.jobs.load(job_id).state for job_id in workspace.jobs.ids() if _is_queued(workspace, job_id)]
        workspace.close()
        assert (JobState.SUCCEEDED in states) == bool(documents), f"step {step}: {states}, {documents} documents"
        if not died:
            assert documents == 1
            return
    pytest.fail("the upload has more steps than were tried")


def _is_queued(workspace: Workspace, job_id: str) -> bool:
    return workspace.jobs.paths(job_id).manifest.exists()
