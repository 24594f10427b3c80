"""A worker's tasks are tried again after every kind of failure, and people see what fails."""

from __future__ import annotations

import errno
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from ingest_tui import open_workspace
from ingest_tui.cli.main import run
from ingest_tui.model.errors import StoreError
from ingest_tui.services.sources.health import list_sources
from ingest_tui.services.sources.sources import edit_source
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker import loop, supervision
from ingest_tui.worker.engine import Engine
from ingest_tui.worker.living_workers import WorkerInfo, WorkerRegistration, living_workers
from ingest_tui.worker.loop import run_worker
from ingest_tui.worker.signals import WorkerSignals
from ingest_tui.worker.submit import submit_sync
from ingest_tui.worker.supervision import Supervisor, WorkerIssue, in_few_words
from ingest_tui.worker.watch import SourceWatch
from tests.waiting import wait_until


class PanicError(BaseException):
    """As a library written in Rust raises it."""


FAILURES = [
    apsw.FullError("database or disk is full"),
    apsw.IOError("disk I/O error"),
    OSError(errno.EIO, "Input/output error"),
    OSError(errno.ENOSPC, "No space left on device"),
    RuntimeError("can't start new thread"),
    MemoryError(),
    StoreError("the catalogue is damaged"),
    KeyError("a bug"),
    PanicError("a panic"),
]


@pytest.fixture
def _soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "FIRST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(loop, "_POLL_SECONDS", 0.02)
    monkeypatch.setattr(loop, "_REFRESH_SECONDS", 0.04)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "docs").mkdir()
    with open_workspace(tmp_path / "workspace") as handle:
        handle.add_source("docs", path=str(tmp_path / "docs"))
        edit_source(handle.workspace, "docs", watch=True)
        handle.workspace.settings.stable_seconds = 0.05
        yield handle.workspace


class RunningWorker:
    """A worker in a thread of this process, and what it reports."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.reports: list[tuple[str, dict[str, Any]]] = []
        self.ended_with: tuple[Any, ...] | None = None
        self.signals = WorkerSignals()
        self.stop = self.signals.stop
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        self.ended_with = run_worker(
            self.workspace, lambda *told: self.reports.append(told), watch=True, signals=self.signals
        )

    def mark(self) -> WorkerInfo:
        """Return what everybody sees of the worker."""
        [worker] = living_workers(self.workspace)
        return worker

    def told(self, message: str) -> list[dict[str, Any]]:
        return [fields for text, fields in list(self.reports) if text == message]


@pytest.fixture
def worker(workspace: Workspace, _soon_again: None) -> Iterator[RunningWorker]:
    running = RunningWorker(workspace)
    yield running
    running.stop.set()
    running.thread.join(20)
    assert not running.thread.is_alive()


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: f"{type(failure).__name__}-{failure}"[:30])
def test_watch_survives_every_failure_of_a_look(
    worker: RunningWorker, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    """A look that fails is tried again ever less often, is seen in the worker's mark, and is over when it succeeds."""
    looks: list[float] = []
    is_broken = threading.Event()
    is_broken.set()

    def look(*_arguments: object) -> None:
        looks.append(time.monotonic())
        if is_broken.is_set():
            raise failure

    monkeypatch.setattr(loop, "_submit_if_due", look)
    worker.thread.start()
    wait_until(lambda: len(looks) >= 3 and living_workers(worker.workspace)[0].issues)
    [issue] = worker.mark().issues
    assert (issue.task, issue.level, issue.source_id) == ("watch of docs", "error", "docs")
    assert issue.message == in_few_words(failure)
    [summary] = list_sources(worker.workspace)
    assert (summary.level, summary.health) == ("problem", f"watch fails: {issue.message}")
    is_broken.clear()
    wait_until(lambda: not worker.mark().issues)
    assert worker.told("watch of docs failed")[0]["error"] == issue.message
    assert worker.told("watch of docs works again")


def test_worker_that_ends_while_something_fails_says_so(worker: RunningWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails when the worker is stopped is what it returns, which makes its exit code 1."""

    def broken(*_arguments: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(loop, "_submit_if_due", broken)
    worker.thread.start()
    wait_until(lambda: worker.told("watch of docs failed"))
    worker.stop.set()
    worker.thread.join(20)
    assert worker.ended_with is not None
    assert [issue.task for issue in worker.ended_with] == ["watch of docs"]


@pytest.mark.parametrize("failure", [apsw.FullError("full"), RuntimeError("can't start new thread"), MemoryError()])
@pytest.mark.parametrize(("owner", "method", "task"), [
    (Engine, "start_ready_jobs", "queue"), (SourceWatch, "refresh", "list of sources"),
])  # fmt: skip
def test_main_loop_survives_what_its_tasks_raise(
    worker: RunningWorker,
    monkeypatch: pytest.MonkeyPatch,
    failure: Exception,
    owner: type[Any],
    method: str,
    task: str,
) -> None:
    """One task of the worker that fails neither ends it nor keeps it from the others."""

    def broken(*_arguments: object, **_options: object) -> None:
        raise failure

    with monkeypatch.context() as broken_for_a_while:
        broken_for_a_while.setattr(owner, method, broken)
        worker.thread.start()
        wait_until(lambda: len(worker.told(f"{task} failed")) >= 2)
        wait_until(lambda: [issue.task for issue in worker.mark().issues] == [task])
    wait_until(lambda: not worker.mark().issues)


def test_thread_that_ends_unasked_is_started_again(worker: RunningWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should even the supervision of a watch fail, the next refresh begins it again."""
    starts: list[int] = []
    repeat = Supervisor.repeat

    def dying_once(self: Supervisor, *arguments: Any, **options: Any) -> None:
        starts.append(1)
        if len(starts) > 1:
            repeat(self, *arguments, **options)

    monkeypatch.setattr(Supervisor, "repeat", dying_once)
    worker.thread.start()
    wait_until(lambda: len(starts) == 2)


@pytest.mark.parametrize("failure", [RuntimeError("a bug"), MemoryError(), PanicError("a panic")])
def test_job_thread_that_fails_is_reported_and_its_job_stays(
    worker: RunningWorker, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    """An error that no job foresaw is an issue of the worker, and the job is run by the next attempt."""
    workspace, attempts = worker.workspace, []
    run_job = Engine.__init__.__globals__["run_job"]

    def failing_once(job: Any) -> None:
        attempts.append(1)
        if len(attempts) == 1:
            job.close()
            raise failure
        run_job(job)

    monkeypatch.setattr("ingest_tui.worker.engine.run_job", failing_once)
    monkeypatch.setattr("ingest_tui.worker.engine._WITHOUT_ROOM_SECONDS", 0.05)
    job_id = submit_sync(workspace, workspace.sources.get("docs"), trigger="manual", by="test").job_id
    worker.thread.start()
    wait_until(lambda: worker.told("end of a job failed"))
    wait_until(lambda: workspace.jobs.load(job_id).state == "succeeded")
    wait_until(lambda: not worker.mark().issues)


def test_failing_report_ends_nothing() -> None:
    """A log that cannot be written, on a full disk, is no reason to stop a task."""

    def full(_message: str, _fields: dict[str, Any]) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    supervisor, stop, turns = Supervisor(full), threading.Event(), []

    def turn() -> None:
        turns.append(1)
        stop.set()
        raise RuntimeError

    supervisor.repeat("task", turn, stop)
    supervisor.succeeded("task")
    assert turns == [1]


def test_pauses_grow_and_are_bounded() -> None:
    """The second attempt comes after a second, later ones at most a minute apart, and a success starts over."""
    supervisor = Supervisor(lambda _message, _fields: None)
    pauses = [supervisor.failed("task", RuntimeError()) for _ in range(20)]
    assert pauses[:7] == [1, 2, 4, 8, 16, 32, 60]
    assert set(pauses[6:]) == {60}
    supervisor.succeeded("task")
    assert supervisor.failed("task", RuntimeError()) == 1


@pytest.mark.parametrize(("level", "code"), [("error", 1), ("warning", 0), (None, 0)])
def test_exit_code_of_a_headless_worker(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, level: str | None, code: int
) -> None:
    """A worker that ends while something fails ends with 1; what only costs speed is no failure."""
    issues = () if level is None else (WorkerIssue("watch of docs", "full", level, "2026-11-28T00:00:00.000Z"),)
    monkeypatch.setattr("ingest_tui.services.workers.run_watch", lambda *_arguments, **_options: issues)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    with open_workspace(tmp_path / "ws"):
        assert run(["--workspace", str(tmp_path / "ws"), "--watch"]) == code


def test_status_commands_show_what_fails(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """`worker status`, `status`, `source list` and `doctor` name the task that fails and why."""
    submit_sync(workspace, workspace.sources.get("docs"), trigger="manual", by="test")
    mark = WorkerRegistration(workspace, "watch")
    mark.show((WorkerIssue("watch of docs", "no room\x1b[2J", "error", "2026-11-28T00:00:00.000Z", 3, "docs"),))
    try:
        for command in (["worker", "status"], ["status", "last"], ["source", "list"], ["doctor"]):
            run(["--workspace", str(workspace.root), *command])
            told = capsys.readouterr()
            assert "no room" in told.out + told.err
            assert "\x1b" not in told.out + told.err
        run(["--workspace", str(workspace.root), "worker", "status", "--json"])
        [shown] = json.loads(capsys.readouterr().out)
        assert shown["issues"][0]["failures"] == 3
    finally:
        mark.close()
