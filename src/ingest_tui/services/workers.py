"""What a person can do with workers: see, start, stop them, and run one here."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

from ingest_tui.model.errors import BusyError, IngestError
from ingest_tui.model.job import Manifest
from ingest_tui.store.fs.atomic import open_to_append
from ingest_tui.store.records.own_log import OwnLog
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.living_workers import WorkerInfo, WorkerRegistration, living_workers, stop_worker
from ingest_tui.worker.schedules import ScheduledRun, next_runs
from ingest_tui.worker.supervision import WorkerIssue

_START_SECONDS = 10.0
_REINDEXED_SECONDS = 3.0

__all__ = [
    "StopReport",
    "WorkerInfo",
    "ensure_worker",
    "follow_job",
    "is_worked_on",
    "own_log",
    "run_watch",
    "scheduled_runs",
    "start_worker",
    "stop_workers",
    "worker_log",
    "worker_status",
]


def worker_status(workspace: Workspace) -> list[WorkerInfo]:
    """Return the living workers."""
    return living_workers(workspace)


def scheduled_runs(workspace: Workspace) -> list[ScheduledRun]:
    """Return the next run of each source that has a schedule, the soonest first; a worker that watches starts them."""
    return sorted(next_runs(workspace), key=lambda run: (run.at, run.source_id))


def worker_log(workspace: Workspace) -> Path:
    """Return the file that a worker writes to which was started by `start_worker`."""
    return workspace.layout.worker_log


def own_log(workspace: Workspace) -> OwnLog:
    """Return what puts worker.log aside when it has grown, for the process that writes it."""
    return OwnLog(workspace.layout.worker_log, workspace.settings.log_limit)


def is_worked_on(workspace: Workspace, job_id: str) -> bool:
    """Whether a process has the job in hand right now."""
    return workspace.jobs.has_owner(job_id)


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
    asked.sort(key=lambda worker: worker.mode != "standby")  # first, or they would take over
    reasons = [(worker, stop_worker(workspace, worker)) for worker in asked]
    return StopReport(
        tuple(worker for worker, reason in reasons if not reason),
        tuple((worker, reason) for worker, reason in reasons if reason),
    )


def run_watch(
    workspace: Workspace, report: Callable[[str, dict[str, Any]], None], *, metrics: str | None = None
) -> tuple[WorkerIssue, ...]:
    """Be the headless worker until SIGTERM; returns what failed when it ended.

    ``metrics``: where figures are given meanwhile, a port of the loopback address, ``HOST:PORT`` or a file. Raises
    `UsageError` when it is none of these.
    """
    from ingest_tui.worker.loop import run_worker

    with contextlib.ExitStack() as until_ended:
        if metrics is not None:
            from ingest_tui.services.metrics import MetricsExporter, MetricsTarget  # only who asks for it needs it

            exporter = MetricsExporter(workspace, MetricsTarget.parse(metrics), report)
            until_ended.callback(exporter.close)
        return run_worker(workspace, report, watch=True)


def wait_for_job(
    workspace: Workspace,
    job_id: str,
    on_progress: Callable[[Manifest], None],
    *,
    timeout: float | None = None,
    poll: float = 0.1,
) -> Manifest:
    """Wait until others have ended a job, calling ``on_progress`` with each state seen; returns the last.

    ``job_id`` as for `JobStore.resolve`. Raises `BusyError` after ``timeout`` seconds.
    """
    full_id = workspace.jobs.resolve(job_id)
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        manifest = workspace.jobs.load(full_id)
        on_progress(manifest)
        if manifest.ended:
            return manifest
        if deadline is not None and time.monotonic() >= deadline:
            raise still_running(manifest, timeout or 0)
        time.sleep(poll)


def still_running(manifest: Manifest, timeout: float) -> BusyError:
    """Return the error of a job that has not ended within the seconds that somebody waited for it."""
    job_id = manifest.job_id
    hint = f"'ingest-tui job show {job_id}' shows how far it is; 'ingest-tui worker status' whether a worker runs"
    return BusyError(f"job {job_id} is {manifest.state} after {timeout:g} s", hint=hint)


def follow_job(
    workspace: Workspace, job_id: str, on_progress: Callable[[Manifest], None], *, run_here: bool, poll: float = 0.1
) -> Manifest:
    """Follow a job to its end, calling ``on_progress`` with each new state; returns the last.

    With ``run_here`` this process runs the job itself, after earlier ones of its lane, whenever no worker is there
    to do it. A KeyboardInterrupt leaves a job that runs here interrupted, for the next worker to resume; so does a
    disk on which its end cannot be written, which raises `StoreError` or `OSError`.
    """
    from ingest_tui.worker.engine import Engine  # who asks which workers there are needs no pipeline
    from ingest_tui.worker.job_end_hooks import JobEndHooks

    lane = workspace.jobs.load(job_id).lane
    registration = WorkerRegistration(workspace, "foreground") if run_here else None
    try:
        with closing(JobEndHooks(workspace, _warn)) as hooks, Engine(workspace, on_end=hooks.job_ended) as engine:
            while True:
                manifest = workspace.jobs.load(job_id)
                on_progress(manifest)
                if manifest.ended:
                    while engine.running:  # the manifest of a job that ran here is written before its thread has ended
                        engine.wait(poll)
                    if engine.has_ended_jobs():
                        _tidy_up(workspace)
                        with contextlib.suppress(IngestError, OSError):  # the job is what was asked for
                            hooks.take_up_waiting()
                    return manifest
                if run_here and not engine.running and not _somebody_serves_the_queue(workspace):
                    engine.start_ready_jobs(only_lane=lane)
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


def _warn(message: str, fields: dict[str, Any]) -> None:
    """Let whoever waits for a job know what went wrong next to it."""
    if fields.get("level") == "warning":
        warnings.warn(f"{message}: {fields.get('hook')}: {fields.get('error')}", stacklevel=2)


def _tidy_up(workspace: Workspace) -> None:
    """Delete the documents whose grace is over, and continue a full text that is being made, at the end of a job."""
    from ingest_tui.pipeline.embed.discarding import discard_overdue
    from ingest_tui.pipeline.purge import purge_overdue
    from ingest_tui.pipeline.reindex import continue_reindex

    try:
        discard_overdue(workspace)
        purge_overdue(workspace)
    except (IngestError, OSError, apsw.Error) as error:
        why = error.message if isinstance(error, IngestError) else type(error).__name__
        warnings.warn(f"the trash keeps what is older than trash_days for now: {why}", stacklevel=2)
    with contextlib.suppress(IngestError, OSError, apsw.Error):  # the old full text answers as before
        continue_reindex(workspace, seconds=_REINDEXED_SECONDS)


def _somebody_serves_the_queue(workspace: Workspace) -> bool:
    return any(worker.mode in {"watch", "queue"} for worker in living_workers(workspace))
