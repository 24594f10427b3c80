"""A job that is resumed after other things have happened: what it planned is not what is true any more."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ingest_tui.connectors.local.connector import LocalConnector
from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage
from ingest_tui.model.job import DISK_FULL, JobState
from ingest_tui.pipeline.job.context import JobContext
from ingest_tui.pipeline.plan import source_listing
from ingest_tui.services.jobs.jobs import cancel_job, get_job, pause_job, resume_job
from ingest_tui.store.catalogue.listing_scratch import ListingScratch
from ingest_tui.store.catalogue.queries import find_documents
from ingest_tui.store.documents import DocumentStore
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.workspace import Workspace, open_workspace_at
from ingest_tui.worker.engine import Engine
from tests.faults.crash_lab import DIED, Trial, new_workspace, queue_sync, quicken, run_and_die, run_queue, sync
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    quicken(monkeypatch)


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    """Two documents, synced; one of them gone and a third one new, queued."""
    source = tmp_path / "source"
    workspace = new_workspace(tmp_path / "prepared", source)
    for name in ("stays", "gone"):
        (source / f"{name}.md").write_text(f"# {name}\n\nThe weather.\n")
    sync(workspace)
    (source / "gone.md").rename(tmp_path / "aside.md")
    (source / "new.md").write_text("# new\n\nThe weather.\n")
    queue_sync(workspace)
    workspace.close()
    trial = Trial(tmp_path / "prepared", tmp_path, ("weather",))
    trial.run_undisturbed()
    return trial


@pytest.fixture
def interrupted(trial: Trial) -> Iterator[Workspace]:
    """The workspace after its worker died with the plan made."""
    root = trial.fresh("interrupted")
    assert run_and_die(root, trial.steps.index("StagingArea.receive"))
    workspace = open_workspace_at(root)
    yield workspace
    workspace.close()


def keys_of(workspace: Workspace) -> list[str]:
    return sorted(document.key for document in find_documents(workspace.catalogue))


def test_old_plan_retires_nothing_that_a_newer_listing_has_seen(interrupted: Workspace, tmp_path: Path) -> None:
    """A job paused before it retires goes on after a newer one that found the document again: it stays."""
    [old_id] = interrupted.jobs.queued_ids()
    assert pause_job(interrupted, old_id).state is JobState.PAUSED
    (tmp_path / "aside.md").rename(tmp_path / "source" / "gone.md")
    assert sync(interrupted).state is JobState.SUCCEEDED
    resume_job(interrupted, old_id)
    run_queue(interrupted)
    old = get_job(interrupted, old_id)
    assert (old.state, old.counters.items_retired) == (JobState.SUCCEEDED, 0)
    assert keys_of(interrupted) == ["gone.md", "new.md", "stays.md"]


def test_plan_without_a_newer_listing_retires_as_it_says(interrupted: Workspace) -> None:
    """A job that nobody overtook does all of its plan, and says in its phases that the listing is done."""
    run_queue(interrupted)
    job = get_job(interrupted, "last")
    assert (job.state, job.counters.items_retired) == (JobState.SUCCEEDED, 1)
    assert keys_of(interrupted) == ["new.md", "stays.md"]
    assert (job.phases["list"].state, job.phases["list"].done) == ("done", 2)


def test_person_pauses_a_job_that_waits_for_room_without_a_worker(interrupted: Workspace) -> None:
    """A job that waited for room when its worker died is paused by a person: room alone resumes it no more."""
    job = get_job(interrupted, "last")
    interrupted_job = interrupted.jobs.load(job.job_id)
    if interrupted_job.state is JobState.RUNNING:
        interrupted_job.move_to(JobState.INTERRUPTED, at=job.updated_at, by="test", reason="its worker died")
    interrupted_job.move_to(JobState.RUNNING, at=job.updated_at, by="test")
    interrupted_job.move_to(JobState.PAUSED, at=job.updated_at, by="test", reason=DISK_FULL)
    interrupted.jobs.save(interrupted_job)
    assert not pause_job(interrupted, job.job_id).waits_for_space
    run_queue(interrupted)
    assert get_job(interrupted, job.job_id).state is JobState.PAUSED


def test_resumed_job_still_says_why_it_is_partial(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gaps of a listing are told by the job that continues from its plan as by the one that made it."""

    def with_a_gap(job: JobContext) -> ListingEnd:
        return listing(job)._replace(complete=False, gaps=(("locked", "Permission denied"),))

    listing = source_listing.list_source
    monkeypatch.setattr("ingest_tui.pipeline.job.run.list_source", with_a_gap)
    root = trial.fresh("gaps")
    assert run_and_die(root, trial.steps.index("StagingArea.receive"))
    monkeypatch.setattr("ingest_tui.pipeline.job.run.list_source", listing)
    workspace = open_workspace_at(root)
    run_queue(workspace)
    job = get_job(workspace, "last")
    workspace.close()
    assert job.state is JobState.PARTIAL
    assert [error.code for error in job.errors] == ["listing_incomplete"]
    assert [warning for warning in job.warnings if "locked" in warning]


def test_polite_stops_are_no_failed_attempts(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often a worker is ended while it lists, the job fails only when workers die of it."""

    def stopped(job: JobContext) -> ListingEnd:
        job.controls._stopping.set()
        job.controls.checkpoint()
        raise AssertionError

    listing = source_listing.list_source
    workspace = open_workspace_at(trial.fresh("polite"))
    monkeypatch.setattr("ingest_tui.pipeline.job.run.list_source", stopped)
    for _ in range(8):
        with Engine(workspace) as engine:
            engine.start_ready_jobs()
    monkeypatch.setattr("ingest_tui.pipeline.job.run.list_source", listing)
    run_queue(workspace)
    job = get_job(workspace, "last")
    workspace.close()
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 9)


def test_listing_that_gets_further_is_progress(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that die while they list, each a page further, are no attempts without progress."""
    root = trial.fresh("further")

    def a_page_further(job: JobContext) -> ListingEnd:
        scratch = ListingScratch(job.paths.listing, resume=True)
        number = scratch.count()
        descriptor = Descriptor(f"{number}.md", f"file:///{number}.md", "1", 1, 1)
        scratch.add(ListingPage([descriptor], str(number)))
        scratch.close()
        os._exit(DIED)

    resumes = replace(LocalConnector.capabilities, resumes_listing=True)
    with monkeypatch.context() as patched:
        patched.setattr(LocalConnector, "capabilities", resumes)
        patched.setattr("ingest_tui.pipeline.job.run.list_source", a_page_further)
        for _ in range(8):
            assert run_and_die(root, 1000)
    workspace = open_workspace_at(root)
    run_queue(workspace)
    job = get_job(workspace, "last")
    workspace.close()
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 9)


def test_cancel_does_not_wait_for_the_catalogue(trial: Trial) -> None:
    """While another process holds the catalogue a job is cancelled all the same, and commits nothing more."""
    workspace = open_workspace_at(trial.fresh("held"))
    [job_id] = workspace.jobs.queued_ids()
    lock = FileLock(workspace.layout.lock("commit"))
    lock.acquire(1, what="the catalogue")
    with lock, Engine(workspace) as engine:
        engine.start_ready_jobs()
        wait_until(lambda: get_job(workspace, job_id).phases["stage"].done)
        cancel_job(workspace, job_id)
        wait_until(lambda: not engine.running)
    job = get_job(workspace, job_id)
    assert (job.state, job.counters.items_ingested) == (JobState.CANCELLED, 0)
    assert keys_of(workspace) == ["gone.md", "stays.md"]
    workspace.close()


def test_document_that_could_not_be_moved_to_the_trash_is_moved_by_the_next_job(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk error after the catalogue has retired a document fails the job; the next one puts its folder away."""

    def broken(_self: DocumentStore, *_place: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    workspace = open_workspace_at(trial.fresh("error"))
    [document_id] = [one.document_id for one in find_documents(workspace.catalogue) if one.key == "gone.md"]
    with monkeypatch.context() as patched:
        patched.setattr(DocumentStore, "move_to_trash", broken)
        run_queue(workspace)
    assert get_job(workspace, "last").state is JobState.FAILED
    assert workspace.layout.document("default", document_id).exists()
    assert sync(workspace).state is JobState.SUCCEEDED
    assert not workspace.layout.document("default", document_id).exists()
    assert workspace.layout.trashed("default", document_id).exists()
    workspace.close()
