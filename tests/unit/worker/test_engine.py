"""What becomes of jobs that the engine cannot even begin, and of those that a Ctrl-C meets."""

from __future__ import annotations

import gc
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from ingest_tui.model.job import JobState
from ingest_tui.model.source import Source
from ingest_tui.store.workspace import Workspace, init_workspace
from ingest_tui.worker.engine import Engine, _RunningJob
from ingest_tui.worker.submit import submit_sync
from tests.waiting import wait_until


def run(workspace: Workspace) -> None:
    with Engine(workspace) as engine:
        engine.start_ready_jobs()
        while engine.running:
            engine.wait(5.0)


@pytest.mark.parametrize("failure", [RuntimeError("a bug"), OSError(5, "Input/output error"), ValueError("no type")])
def test_job_that_cannot_begin_fails_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    """Whatever keeps a job from beginning, foreseen or not, ends it with words, and it is not claimed again."""
    workspace, _ = init_workspace(tmp_path / "workspace")
    source = Source(source_id="docs", name="Docs", source_type="local", source_config={"path": str(tmp_path)})
    workspace.sources.save(source)
    submit_sync(workspace, source, trigger="manual", by="test")

    def broken(*_arguments: object, **_options: object) -> None:
        raise failure

    monkeypatch.setattr("ingest_tui.worker.engine.connect", broken)
    run(workspace)
    [job_id] = workspace.jobs.ids()
    manifest = workspace.jobs.load(job_id)
    assert manifest.state is JobState.FAILED
    assert "cannot begin" in manifest.errors[0].message
    assert workspace.jobs.queued_ids() == []
    workspace.close()


@pytest.fixture
def waiting_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WaitingJob]:
    """A workspace with one queued job, which waits where it would go through its source."""
    workspace, _ = init_workspace(tmp_path / "workspace")
    source = Source(source_id="docs", name="Docs", source_type="local", source_config={"path": str(tmp_path)})
    workspace.sources.save(source)
    submit_sync(workspace, source, trigger="manual", by="test")
    job = WaitingJob(workspace)
    monkeypatch.setattr("ingest_tui.worker.engine.run_job", job.run)
    yield job
    job.may_end.set()
    workspace.close()


class WaitingJob:
    """Stands in for a job that takes its time to stop."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.begun, self.may_end, self.ended = threading.Event(), threading.Event(), threading.Event()

    def run(self, _job: object) -> None:
        """Wait until the test lets the job end."""
        self.begun.set()
        self.may_end.wait(30)
        self.ended.set()


def in_a_moment(do: Callable[..., object], *arguments: object) -> None:
    """Do something in another thread while this one waits."""
    threading.Timer(0.2, do, arguments).start()


def test_a_job_has_ended_before_its_parsers_are_closed_after_a_ctrl_c(waiting_job: WaitingJob) -> None:
    """A Ctrl-C that interrupts the waiting for a job leaves it known as running, and the end waits for it."""

    def wait_for_the_job() -> None:
        with Engine(waiting_job.workspace) as engine:
            engine.start_ready_jobs()
            waiting_job.begun.wait(30)
            in_a_moment(signal.pthread_kill, threading.main_thread().ident, signal.SIGINT)
            try:
                engine.wait(30)
            finally:
                assert engine.running == 1
                in_a_moment(waiting_job.may_end.set)

    with pytest.raises(KeyboardInterrupt):
        wait_for_the_job()
    assert waiting_job.ended.is_set()


def test_a_ctrl_c_while_a_thread_starts_does_not_forget_its_job(
    waiting_job: WaitingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Ctrl-C right after the thread of a job began leaves the job claimed, and the end waits for it."""

    class Interrupted(threading.Thread):
        def start(self) -> None:
            super().start()
            if self.name.startswith("job-"):
                waiting_job.begun.wait(30)
                raise KeyboardInterrupt

    def start_the_job() -> None:
        with Engine(waiting_job.workspace) as engine:
            try:
                engine.start_ready_jobs()
            finally:
                assert engine.running == 1
                assert engine.start_ready_jobs() == 0
                in_a_moment(waiting_job.may_end.set)

    monkeypatch.setattr("ingest_tui.worker.engine.threading.Thread", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        start_the_job()
    assert waiting_job.ended.is_set()


def test_a_ctrl_c_before_a_thread_starts_frees_its_job(
    waiting_job: WaitingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Ctrl-C before the thread of a job begins leaves the job for the next worker, and nobody waits for it."""

    class Interrupted(threading.Thread):
        def start(self) -> None:
            if self.name.startswith("job-"):
                raise KeyboardInterrupt
            super().start()

    with monkeypatch.context() as patched, Engine(waiting_job.workspace) as engine:
        patched.setattr("ingest_tui.worker.engine.threading.Thread", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            engine.start_ready_jobs()
    with Engine(waiting_job.workspace) as engine:
        assert engine.start_ready_jobs() == 1
        waiting_job.may_end.set()  # not before: what has ended at once would be started again
    assert waiting_job.ended.is_set()


@pytest.mark.parametrize("place", ["ingest_tui.pipeline.job.run.list_source", "ingest_tui.worker.engine.connect"])
def test_a_job_that_fails_while_its_worker_ends_is_left_for_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """A second Ctrl-C closes the workspace under a job that is about to stop: it is resumed, and has not failed."""
    workspace, _ = init_workspace(tmp_path / "workspace")
    (tmp_path / "docs").mkdir()
    source = Source(source_id="docs", name="Docs", source_type="local", source_config={"path": str(tmp_path / "docs")})
    workspace.sources.save(source)
    job_id = submit_sync(workspace, source, trigger="manual", by="test").job_id
    with monkeypatch.context() as patched, Engine(workspace) as engine:
        begun = threading.Event()

        def closed_under_it(*_arguments: object, **_options: object) -> None:
            begun.set()
            wait_until(engine._stopping.is_set)
            raise apsw.ConnectionClosedError

        patched.setattr(place, closed_under_it)
        engine.start_ready_jobs()
        assert begun.wait(30)
    assert workspace.jobs.load(job_id).state in {JobState.QUEUED, JobState.RUNNING}
    assert workspace.jobs.queued_ids() == [job_id]
    run(workspace)
    assert workspace.jobs.load(job_id).state is JobState.SUCCEEDED
    workspace.close()


class IdleParsers:
    """Parsers that parse nothing and count how often they were closed."""

    failure = None

    def __init__(self) -> None:
        self.closed = 0

    def close(self, *, cancel: bool = False) -> None:
        assert not cancel
        self.closed += 1


def test_parsers_of_former_settings_end_with_their_last_job(tmp_path: Path) -> None:
    """After a change of settings parsers go that nobody uses; those of a running job stay until it has ended."""
    workspace, _is_new = init_workspace(tmp_path / "workspace")
    with Engine(workspace) as engine:
        used, unused = IdleParsers(), IdleParsers()
        engine._extractors = {(False, False): used, (True, False): unused}  # type: ignore[dict-item]
        job = _RunningJob(extractor=used)  # type: ignore[arg-type]
        engine._running["job"] = job
        engine.settings_changed()
        engine.start_ready_jobs()
        assert (used.closed, unused.closed) == (0, 1)
        job.ended.set()
        engine.start_ready_jobs()
        assert (used.closed, unused.closed) == (1, 1)


def test_a_program_that_goes_on_collects_its_garbage_as_before(tmp_path: Path) -> None:
    """What an engine does to the collector ends with it: what is in cycles by then can go, with its open files."""
    before = gc.get_threshold()
    workspace, _is_new = init_workspace(tmp_path / "workspace")
    with Engine(workspace):
        assert gc.get_threshold() != before
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)
