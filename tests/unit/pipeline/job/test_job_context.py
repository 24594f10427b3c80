"""What the steps of a job share: its files, its controls, and the room it waits for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from errno import ENOSPC
from pathlib import Path
from typing import cast

import pytest

from ingest_tui.execution.extractor import Extractor
from ingest_tui.model.errors import StoreError
from ingest_tui.model.job import DISK_FULL, JobState, Manifest
from ingest_tui.model.source import Source
from ingest_tui.pipeline.job.context import JobContext, open_job
from ingest_tui.pipeline.job.controls import JobCancelled
from ingest_tui.store.fs.disk import Room
from ingest_tui.store.jobs import JobStore
from ingest_tui.store.records.journal import Journal
from ingest_tui.store.workspace import Workspace, init_workspace
from tests.open_files import open_files

SOURCE = Source(source_id="docs", name="docs", source_type="local", collection_id="default")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace, _ = init_workspace(tmp_path / "workspace")
    return workspace


@pytest.fixture
def manifest(workspace: Workspace) -> Manifest:
    manifest = Manifest(
        job_id="20260101-000000-docs-aaaa",
        source_id="docs",
        collection_id="default",
        created_at="2026-01-01",
        updated_at="2026-01-01",
    )
    manifest.move_to(JobState.QUEUED, at="2026-01-01", by="test")
    workspace.jobs.create(manifest)
    return manifest


def opened(workspace: Workspace, manifest: Manifest) -> JobContext:
    return open_job(workspace, manifest, SOURCE, None, cast("Extractor", None))


@pytest.fixture
def job(workspace: Workspace, manifest: Manifest) -> Iterator[JobContext]:
    job = opened(workspace, manifest)
    job.keeper.begin()
    job.controls.start()
    yield job
    job.close()


def test_a_job_that_cannot_be_opened_leaves_no_file_open(
    workspace: Workspace, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that is tried again and again, without a catalogue or on a full disk, does not use up the file handles."""

    def refuse(*_arguments: object) -> None:
        raise StoreError("no catalogue")

    def full(_self: Journal) -> None:
        raise OSError(ENOSPC, "no room")

    before = open_files(workspace.root)
    with monkeypatch.context() as patched:
        patched.setattr(Workspace, "open_catalogue", refuse)
        with pytest.raises(StoreError):
            opened(workspace, manifest)
    with monkeypatch.context() as patched:
        patched.setattr(Journal, "_heal", full)
        with pytest.raises(OSError, match="no room"):
            opened(workspace, manifest)
    assert open_files(workspace.root) == before
    job = opened(workspace, manifest)
    assert open_files(workspace.root) != before
    job.close()
    assert open_files(workspace.root) == before


def test_no_step_writes_on_what_all_share(job: JobContext) -> None:
    """What a step found it returns: the context takes no new value."""
    with pytest.raises(FrozenInstanceError):
        job.forced = True  # type: ignore[misc]


def test_a_paused_job_holds_its_steps_until_it_is_resumed(workspace: Workspace, job: JobContext) -> None:
    """The next checkpoint after a pause does not return before the job is resumed, and says by whom."""
    passed = threading.Event()

    def step() -> None:
        job.controls.checkpoint()
        passed.set()

    wait_for_state(workspace.jobs, job, "pause", JobState.PAUSED)
    thread = threading.Thread(target=step, daemon=True)
    thread.start()
    assert not passed.is_set()
    wait_for_state(workspace.jobs, job, "resume", JobState.RUNNING)
    assert passed.wait(10.0)
    assert [change.by for change in job.manifest.transitions][-2:] == ["somebody", "somebody"]


def wait_for_state(jobs: JobStore, job: JobContext, request: str, state: JobState) -> None:
    jobs.leave_request(job.manifest.job_id, request, by="somebody")
    with job.keeper.lock:
        job.controls._answer_requests()
    assert job.manifest.state is state


def test_a_cancelled_job_ends_at_every_checkpoint(workspace: Workspace, job: JobContext) -> None:
    """Between items, while it sleeps, while it waits for a silent call and for room, a cancelled job ends at once."""
    silent = threading.Event()
    workspace.jobs.leave_request(job.manifest.job_id, "cancel", by="somebody")
    job.controls._answer_requests()
    for wait in (
        job.controls.checkpoint,
        lambda: job.controls.sleep(600),
        lambda: job.controls.in_a_thread(lambda: silent.wait(600)),
        lambda: list(job.controls.between_checkpoints([1])),
        job.disk.pause_until_there_is_room,
    ):
        with pytest.raises(JobCancelled):
            wait()
    silent.set()
    assert job.manifest.cancel_requested_by == "somebody"


def test_a_call_in_a_thread_gives_its_value_and_its_failure(job: JobContext) -> None:
    """What a call returns or raises in its thread reaches the step as if there was none."""

    def fail() -> None:
        raise KeyError("it")

    assert job.controls.in_a_thread(lambda: 7) == 7
    with pytest.raises(KeyError, match="it"):
        job.controls.in_a_thread(fail)


def test_a_job_waits_for_room_and_says_so(job: JobContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without room the job is paused with its reason, and running again once there is some."""
    seen: list[tuple[JobState, str]] = []
    rooms = iter([Room(0, 1), Room(0, 1), Room(0, 1)])

    def room(_self: Workspace) -> Room:
        seen.append((job.manifest.state, job.manifest.transitions[-1].reason))
        return next(rooms, Room(1 << 40, 0))

    monkeypatch.setattr(Workspace, "room", room)
    job.disk.await_room(100)
    assert (JobState.PAUSED, DISK_FULL) in seen
    assert (job.manifest.state, job.manifest.transitions[-1].reason) == (JobState.RUNNING, "there is room again")


def test_what_did_not_fit_is_expected_to_take_twice_as_much(job: JobContext) -> None:
    """After the disk was full against expectation, each item is thought to need twice the room."""
    before = job.disk.needed_for(100)
    job.disk.expect_more()
    assert job.disk.needed_for(100) == 2 * before > 200
