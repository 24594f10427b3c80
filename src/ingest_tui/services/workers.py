"""What a person can do with workers: see, start, stop them, and run one here."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import apsw

from ingest_tui.model.errors import BusyError, IngestError
from ingest_tui.model.job import Manifest
from ingest_tui.pipeline.purge import purge_overdue
from ingest_tui.store.fs.atomic import open_to_append
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.engine import Engine
from ingest_tui.worker.living_workers import WorkerInfo, WorkerRegistration, living_workers, stop_worker
from ingest_tui.worker.supervision import WorkerIssue

_START_SECONDS = 10.0

__all__ = [
    "StopReport",
    "WorkerInfo",
    "ensure_worker",
    "follow_job",
    "run_watch",
    "start_worker",
    "stop_workers",
    "worker_status",
]


def worker_status(workspace: Workspace) -> list[WorkerInfo]:
    """Return the living workers."""
    return living_workers(workspace)


def start_worker(workspace: Workspace, *, log_format: str = "json") -> int:
    """Start a detached worker that runs the queue and watches folders; returns its process id.

    It outlives the terminal. Its events go to worker.log in the workspace, as lines of ``json`` or ``text``. Raises
    `BusyError` when one watches already.
    """
    watching = [worker for worker in living_workers(workspace) if worker.mode == "watch"]
    if watching:
        raise BusyError(f"a worker is running already (pid {watching[0].pid})", hint="'ingest-tui worker stop' ends it")
    log = open_to_append(workspace.layout.worker_log)
    try:
        process = subprocess.Popen(  # noqa: S603 - this program itself
            [sys.executable, "-m", "ingest_tui", *_places(workspace), "--log-format", log_format, "--watch"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            close_fds=True,
        )
    finally:
        os.close(log)
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if any(worker.pid == process.pid for worker in living_workers(workspace)):
            # Somebody has to take note of its end, or it stays a zombie while this process lives.
            threading.Thread(target=process.wait, name="reaper", daemon=True).start()
            return process.pid
        if process.poll() is not None:
            raise IngestError("the worker ended at once", hint=f"its last words are in {workspace.layout.worker_log}")
        time.sleep(0.02)
    raise IngestError("the worker does not answer", hint=f"see {workspace.layout.worker_log}")


def _places(workspace: Workspace) -> list[str]:
    return ["--workspace", str(workspace.root), "--credentials", str(workspace.credentials_path)]


def ensure_worker(workspace: Workspace) -> int | None:
    """Start a detached worker when nobody serves the queue; returns its process id, or None when one was there."""
    return None if _somebody_serves_the_queue(workspace) else start_worker(workspace)


@dataclass(frozen=True, slots=True)
class StopReport:
    """Which workers ended when asked, and which go on, each with the reason."""

    stopped: tuple[WorkerInfo, ...]
    remaining: tuple[tuple[WorkerInfo, str], ...]


def stop_workers(workspace: Workspace) -> StopReport:
    """Ask every worker of this host to end after what it is doing; their jobs stay for the next one."""
    asked = [worker for worker in living_workers(workspace) if worker.pid != os.getpid()]
    reasons = [(worker, stop_worker(workspace, worker)) for worker in asked]
    return StopReport(
        tuple(worker for worker, reason in reasons if not reason),
        tuple((worker, reason) for worker, reason in reasons if reason),
    )


def run_watch(workspace: Workspace, report: Callable[[str, dict[str, Any]], None]) -> tuple[WorkerIssue, ...]:
    """Be the headless worker until SIGTERM; returns what failed when it ended."""
    from ingest_tui.worker.loop import run_worker

    return run_worker(workspace, report, watch=True)


def follow_job(
    workspace: Workspace, job_id: str, on_progress: Callable[[Manifest], None], *, run_here: bool, poll: float = 0.1
) -> Manifest:
    """Follow a job to its end, calling ``on_progress`` with each new state; returns the last.

    With ``run_here`` this process runs the job itself, after earlier ones of its source, whenever no worker is there
    to do it. A KeyboardInterrupt leaves a job that runs here interrupted, for the next worker to resume; so does a
    disk on which its end cannot be written, which raises `StoreError` or `OSError`.
    """
    source_id = workspace.jobs.load(job_id).source_id
    registration = WorkerRegistration(workspace, "foreground") if run_here else None
    try:
        with Engine(workspace) as engine:
            while True:
                manifest = workspace.jobs.load(job_id)
                on_progress(manifest)
                if manifest.ended:
                    if engine.has_ended_jobs():
                        _look_at_trash(workspace)
                    return manifest
                if run_here and not engine.running and not _somebody_serves_the_queue(workspace):
                    engine.start_ready_jobs(only_source=source_id)
                if engine.running:
                    engine.wait(poll)
                else:
                    time.sleep(poll)
                failure = engine.take_failure()
                if failure is not None:
                    raise failure
    finally:
        if registration is not None:
            registration.close()


def _look_at_trash(workspace: Workspace) -> None:
    """Delete the documents whose grace is over, at the end of a job; what keeps that from being done is a warning."""
    try:
        purge_overdue(workspace)
    except (IngestError, OSError, apsw.Error) as error:
        why = error.message if isinstance(error, IngestError) else type(error).__name__
        warnings.warn(f"the trash keeps what is older than trash_days for now: {why}", stacklevel=2)


def _somebody_serves_the_queue(workspace: Workspace) -> bool:
    return any(worker.mode in {"watch", "queue"} for worker in living_workers(workspace))
