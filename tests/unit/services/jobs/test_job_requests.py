"""Cancelling, pausing, resuming, reordering jobs: done at once where nobody owns them, else asked of the owner."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest_tui.cli.job import held_line
from ingest_tui.model.errors import UsageError
from ingest_tui.model.job import HeldDeletions, JobState, Manifest
from ingest_tui.model.look import Look
from ingest_tui.model.source import Source
from ingest_tui.services.jobs import job_status, jobs
from ingest_tui.services.jobs.holds import refuse_job
from ingest_tui.store.jobs import JobStore
from ingest_tui.store.workspace import Workspace, init_workspace
from ingest_tui.tui.client.feed import Feed
from ingest_tui.tui.views.jobs.job_words import issue_line
from ingest_tui.tui.views.jobs.jobs_model import JobRow
from ingest_tui.worker.submit import submit_sync

REQUESTS: dict[str, Callable[[Workspace, str], Manifest]] = {
    "cancel": jobs.cancel_job,
    "pause": jobs.pause_job,
    "resume": jobs.resume_job,
    "priority": lambda workspace, job_id: jobs.set_priority(workspace, job_id, 7),
}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with one queued job."""
    workspace, _ = init_workspace(tmp_path / "workspace")
    source = Source(source_id="docs", name="Docs", source_type="local", source_config={"path": str(tmp_path)})
    workspace.sources.save(source)
    submit_sync(workspace, source, trigger="manual", by="test")
    yield workspace
    workspace.close()


def requests_for(workspace: Workspace) -> list[str]:
    return sorted(path.stem for path in workspace.jobs.paths(workspace.jobs.ids()[0]).requests.iterdir())


def test_job_without_owner_is_changed_at_once(workspace: Workspace) -> None:
    """What nobody works on is reordered, paused, resumed and cancelled by the caller, and no request is left."""
    assert jobs.set_priority(workspace, "last", 7).priority == 7
    assert jobs.pause_job(workspace, "last").state is JobState.PAUSED
    assert jobs.pause_job(workspace, "last").state is JobState.PAUSED
    assert jobs.resume_job(workspace, "last").state is JobState.INTERRUPTED
    assert jobs.cancel_job(workspace, "last").state is JobState.CANCELLED
    assert requests_for(workspace) == []
    assert workspace.jobs.queued_ids() == []


@pytest.mark.parametrize("request_kind", REQUESTS)
def test_owner_of_a_job_is_asked(workspace: Workspace, request_kind: str) -> None:
    """What somebody works on is left alone but for the request, and the job is given back as it is."""
    before = jobs.get_job(workspace, "last")
    lock = workspace.jobs.lock(before.job_id)
    lock.acquire(1.0, what="it")
    with lock:
        assert REQUESTS[request_kind](workspace, "last") == before
        assert requests_for(workspace) == [request_kind]


@pytest.mark.parametrize("request_kind", REQUESTS)
def test_ended_job_is_refused(workspace: Workspace, request_kind: str) -> None:
    """A job that has ended says so and names the way on."""
    jobs.cancel_job(workspace, "last")
    with pytest.raises(UsageError, match="has ended") as caught:
        REQUESTS[request_kind](workspace, "last")
    assert "retry" in caught.value.hint


@pytest.mark.parametrize("request_kind", REQUESTS)
def test_request_is_not_left_for_nobody(
    workspace: Workspace, request_kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that only looks at a job, or ends in that moment, will not answer: the caller does it after all."""
    looking = workspace.jobs.lock(workspace.jobs.ids()[0])
    looking.acquire(1.0, what="it")
    leave = JobStore.leave_request

    def leave_while_it_looks_away(self: JobStore, *arguments: object, **values: object) -> None:
        leave(self, *arguments, **values)  # type: ignore[arg-type]
        looking.release()

    monkeypatch.setattr(JobStore, "leave_request", leave_while_it_looks_away)
    job = REQUESTS[request_kind](workspace, "last")
    assert requests_for(workspace) == []
    expected = {"cancel": JobState.CANCELLED, "pause": JobState.PAUSED}.get(request_kind, JobState.QUEUED)
    assert job.state is expected
    assert job.priority == (7 if request_kind == "priority" else 100)
    assert not workspace.jobs.has_owner(job.job_id)


def test_answered_request_does_not_come_back(workspace: Workspace) -> None:
    """A worker that dies right after it paused a job leaves its request; resuming the job takes that away too."""
    job_id = jobs.pause_job(workspace, "last").job_id
    workspace.jobs.leave_request(job_id, "pause", by="ann")
    jobs.resume_job(workspace, "last")
    assert requests_for(workspace) == []


def test_job_that_ends_meanwhile_is_not_changed(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the owner ends the job in the moment it is asked, its end stands."""
    manifest = jobs.get_job(workspace, "last")
    owner = workspace.jobs.lock(manifest.job_id)
    owner.acquire(1.0, what="it")

    def end_instead(*_arguments: object, **_values: object) -> None:
        manifest.move_to(JobState.RUNNING, at="1", by="worker")
        manifest.move_to(JobState.SUCCEEDED, at="2", by="worker")
        workspace.jobs.save(manifest)
        owner.release()

    monkeypatch.setattr(JobStore, "leave_request", end_instead)
    assert jobs.cancel_job(workspace, "last").state is JobState.SUCCEEDED


def test_each_request_is_in_the_audit(workspace: Workspace) -> None:
    """Who asked for what is written down with its values."""
    jobs.set_priority(workspace, "last", 7)
    jobs.pause_job(workspace, "last")
    jobs.resume_job(workspace, "last")
    jobs.cancel_job(workspace, "last")
    entries = list(workspace.audit.entries())
    assert [entry["action"] for entry in entries] == ["job.priority", "job.pause", "job.resume", "job.cancel"]
    assert entries[0]["details"] == {"priority": 7}


def test_only_the_last_look_has_an_open_hold(tmp_path: Path) -> None:
    """Deletions that a job held wait until a later look at the source, an answer or its removal: for all who ask."""
    workspace, _ = init_workspace(tmp_path / "holding")
    source = Source(source_id="docs", name="docs", source_type="local", source_config={"path": "/"})
    workspace.sources.save(source)
    held = HeldDeletions(documents=3, known=9, reason="mass_deletion")
    made = {"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "state": JobState.PARTIAL}
    first = Manifest(job_id="first", kind="sync", source_id="docs", collection_id="default", held=held, **made)
    for manifest in (first, first.model_copy(update={"job_id": "second"})):
        with workspace.jobs.being_made(manifest):
            pass
    faces = Faces(workspace)
    assert faces.waiting() == {"first", "second"}
    workspace.looks.save(Look(source_id="docs", sequence=2, job_id="second", chosen_by="x"))
    assert faces.waiting() == {"second"}
    assert "job second has looked at the source since" in held_line(jobs.get_job(workspace, "first"))
    assert "wait: ingest-tui job approve second" in held_line(jobs.get_job(workspace, "second"))
    with pytest.raises(UsageError, match="wait for no answer any more: job second has looked"):
        refuse_job(workspace, "first")
    assert not workspace.jobs.load("first").held.closed  # type: ignore[union-attr]
    workspace.looks.remove("docs")  # a record that is lost closes nothing any more
    assert faces.waiting() == {"first", "second"}
    refuse_job(workspace, "first")
    refuse_job(workspace, "second")
    assert faces.waiting() == set()


def test_a_removed_source_asks_nobody(tmp_path: Path) -> None:
    """What a job held needs no answer once its source is removed."""
    workspace, _ = init_workspace(tmp_path / "holding")
    held = HeldDeletions(documents=3, known=9, reason="mass_deletion")
    made = {"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "state": JobState.PARTIAL}
    with workspace.jobs.being_made(
        Manifest(job_id="one", kind="sync", source_id="docs", collection_id="default", held=held, **made)
    ):
        pass
    assert Faces(workspace).waiting() == set()
    assert "there is no source docs any more" in held_line(jobs.get_job(workspace, "one"))


class Faces:
    """All who say which held deletions wait for an answer; one feed of the TUI follows the workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._feed = Feed(workspace.root, lambda _update: None)
        self._rows: dict[str, JobRow] = {}

    def waiting(self) -> set[str]:
        """Return the jobs whose held deletions wait: lists, details, status and the TUI have to agree."""
        listed = jobs.list_jobs(self.workspace)
        details = [jobs.get_job(self.workspace, one.job_id) for one in listed]
        states = [job_status.status(self.workspace, one.job_id) for one in listed]
        self._feed.look_now()  # at ended jobs too, as it does each minute
        for update in self._feed.updates():
            self._rows |= {row.job_id: row for row in update.changed}
        found = {one.job_id for one in listed if one.held and one.held.waits}
        assert found == {one.job_id for one in details if one.held and one.held.waits}
        assert found == {one.job_id for one in states if one.held and one.held.waits}
        assert found == {one.job_id for one in details if "wait for a person" in issue_line(one)}
        assert found == {row.job_id for row in self._rows.values() if row.held}
        return found
