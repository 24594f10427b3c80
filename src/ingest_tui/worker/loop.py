"""The worker process: claims and runs what is queued, watches folders, ends when it is asked to."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import NamedTuple

from ingest_tui.model.counted import counted
from ingest_tui.model.errors import IngestError, NotFoundError
from ingest_tui.model.job import Manifest
from ingest_tui.model.source import Source
from ingest_tui.pipeline.embed.discarding import discard_overdue
from ingest_tui.pipeline.plan.preview import look_for_work
from ingest_tui.pipeline.purge import purge_overdue
from ingest_tui.pipeline.reindex import continue_reindex
from ingest_tui.store.catalogue.rebuild_progress import ProgressListener, RebuildProgress
from ingest_tui.store.fs.leftovers import sweep_ended_jobs, sweep_leftovers
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.daily_prune import DailyPrune
from ingest_tui.worker.engine import Engine
from ingest_tui.worker.job_end_hooks import JobEndHooks
from ingest_tui.worker.living_workers import WorkerRegistration
from ingest_tui.worker.reload import read_settings_again
from ingest_tui.worker.schedules import Schedules
from ingest_tui.worker.service_manager import ServiceManager
from ingest_tui.worker.signals import WorkerSignals
from ingest_tui.worker.submit import queue_due_embeddings, request_sync
from ingest_tui.worker.supervision import EventReport, Supervisor, WorkerIssue
from ingest_tui.worker.watch import SourceWatch

_POLL_SECONDS = 0.25
_REFRESH_SECONDS = 2.0
_TRASH_SECONDS = 3600.0
_JOBS = "end of a job"
_NEEDED_LATER = (
    "tenacity",
    "ingest_tui.extraction.intake.validation",
    "ingest_tui.index.text_search",
    "ingest_tui.pipeline.rechunk",
)
"""What jobs come to need: a worker lives for months, and loads it at once so that its memory is flat."""


def run_worker(
    workspace: Workspace,
    report: EventReport,
    *,
    watch: bool,
    signals: WorkerSignals | None = None,
    manager: ServiceManager | None = None,
) -> tuple[WorkerIssue, ...]:
    """Run until SIGTERM or SIGINT, or until the workspace is gone; returns what failed when it ended.

    ``report(message, fields)`` is called for each event, from several threads. The fields name a ``level`` where it is
    not ``info``, and the ``job`` and ``source`` that it is about. Whatever fails meanwhile is tried again, and is to be
    seen in the worker's mark. With ``watch`` it stands by while another worker watches, and takes over when that ends.
    """
    for module in _NEEDED_LATER:
        import_module(module)
    signals, manager = signals or WorkerSignals(), manager or ServiceManager.of()
    signals.listen()
    workspace.on_rebuild = _reporting_rebuilds(report)
    supervisor = Supervisor(report)
    with contextlib.ExitStack() as until_ended:
        until_ended.callback(manager.close)
        turn, mode = FileLock(workspace.layout.lock("watch")), "queue"
        until_ended.callback(turn.release)
        if watch:
            mode = "watch" if workspace.reserve_file.makes_room_for(turn.try_acquire) else "standby"
        registration = workspace.reserve_file.makes_room_for(lambda: WorkerRegistration(workspace, mode))
        until_ended.callback(lambda: report("worker ended", {"worker": registration.worker_id}))
        until_ended.callback(registration.close)
        report("worker started", {"worker": registration.worker_id, "watch": watch, "workspace": str(workspace.root)})
        process = _Process(workspace, registration, supervisor, report, signals, manager)
        if mode != "standby" or _wait_for_turn(process, turn):
            _serve(process, watch=watch)
    return supervisor.issues


class _Process(NamedTuple):
    """A worker process: whom it tells what, and who asks it for something."""

    workspace: Workspace
    registration: WorkerRegistration
    supervisor: Supervisor
    report: EventReport
    signals: WorkerSignals
    manager: ServiceManager

    def workspace_is_gone(self) -> bool:
        """Whether there is nothing left to work on, which is then reported."""
        if self.workspace.layout.settings.exists():
            return False
        self.supervisor.failed("workspace", f"the workspace is gone: {self.workspace.root}")
        return True


def _wait_for_turn(process: _Process, turn: FileLock) -> bool:
    """Wait until the worker that watches has ended, however it did; returns False when this one ends before."""
    process.report("standing by: another worker watches", {"worker": process.registration.worker_id})
    process.manager.ready("standing by: another worker watches")
    while not process.signals.stop.is_set():
        if process.workspace_is_gone():
            return False
        if turn.try_acquire():
            process.signals.reload.set()  # what was read at the start may be months old
            process.registration.become("watch")
            process.report("taking over: no other worker watches", {"worker": process.registration.worker_id})
            return True
        process.manager.turn()
        process.signals.stop.wait(_POLL_SECONDS)
    process.manager.stopping()
    return False


def _serve(process: _Process, *, watch: bool) -> None:
    """Run jobs and watch until asked to end."""
    workspace, report, supervisor = process.workspace, process.report, process.supervisor
    for job_id in workspace.jobs.requeue_lost():
        report("a job that has not ended was not in the queue; it is again", {"level": "warning", "job": job_id})
    with (
        contextlib.closing(JobEndHooks(workspace, report)) as hooks,
        Engine(workspace, on_start=_starting(report), on_end=_ending(report, supervisor, hooks)) as engine,
    ):
        watcher = None
        if watch:
            watcher = SourceWatch(
                workspace, lambda source: _submit_if_due(workspace, source, report), report, supervisor
            )
        tasks = _Tasks(process, engine, watcher, hooks)
        process.manager.ready(tasks.status())
        _work(tasks)
        process.manager.stopping()
        if watcher is not None:
            watcher.close()


class _Tasks(NamedTuple):
    """What the main loop of a worker sees to."""

    process: _Process
    engine: Engine
    watcher: SourceWatch | None
    hooks: JobEndHooks

    @property
    def workspace(self) -> Workspace:
        """The workspace that is worked on."""
        return self.process.workspace

    def look_at_trash(self) -> None:
        """Delete the documents whose grace is over, and the vectors that nobody has gone back to for as long."""
        discard_overdue(self.workspace)
        purged = purge_overdue(self.workspace)
        if purged:
            message = (
                f"{counted(purged, 'document was', 'documents were')} longer in the trash than trash_days and "
                "are deleted"
            )
            self.process.report(message, {"documents": purged})

    def is_busy(self) -> bool:
        """Whether a job runs here or waits to."""
        return bool(self.engine.running or self.workspace.jobs.waiting())

    def queue_embeddings(self) -> None:
        """Queue jobs that embed where nobody else has."""
        for manifest in queue_due_embeddings(self.workspace):
            fields = {"job": manifest.job_id, "collection": manifest.collection_id}
            self.process.report("embedding queued", fields)

    def status(self) -> str:
        """Return in a line what is going on, for the service manager."""
        issues = len(self.process.supervisor.issues)
        failing = f", {counted(issues, 'task')} failing" if issues else ""
        waiting = max(0, len(self.workspace.jobs.queued_ids()) - self.engine.running)
        return f"{counted(self.engine.running, 'job')} running, {waiting} waiting{failing}"

    def reload(self) -> None:
        """Read settings, sources and credentials again; what cannot be read is reported, and the old is kept."""
        manager, report = self.process.manager, self.process.report
        manager.reloading()
        problems = read_settings_again(self.workspace)
        for problem in problems:
            report("reload: not read", {"level": "error", "error": problem})
        self.engine.settings_changed()
        if self.watcher is not None:
            self.watcher.restart()
        report("settings, sources and credentials read again", {"problems": len(problems)})
        manager.ready(self.status())


class _Reindexing:
    """Brings the chunks of an old catalogue into the new full text, a part at a time."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.is_done = False

    def step(self) -> None:
        self.is_done = not continue_reindex(self._workspace, seconds=_POLL_SECONDS)


def _work(tasks: _Tasks) -> None:
    process, supervisor, signals = tasks.process, tasks.process.supervisor, tasks.process.signals
    since_refresh = _REFRESH_SECONDS
    looked_at_trash = float("-inf")
    reindexing = _Reindexing(tasks.workspace)
    schedules = Schedules(tasks.workspace, process.report)
    daily_prune = DailyPrune(tasks.workspace, process.report, tasks.is_busy)
    supervisor.attempt("sweep of ended jobs", partial(sweep_ended_jobs, tasks.workspace.layout))
    while not signals.stop.is_set():
        process.manager.turn()
        if signals.reload.is_set():
            signals.reload.clear()
            supervisor.attempt("reload", tasks.reload)
        if since_refresh >= _REFRESH_SECONDS:
            since_refresh = 0.0
            if tasks.watcher is not None:
                supervisor.attempt("list of sources", tasks.watcher.refresh)
                supervisor.attempt("schedules", schedules.step)
            if process.workspace_is_gone():
                return
            process.registration.show(supervisor.issues)
            supervisor.attempt("notices of ended jobs", tasks.hooks.take_up_waiting)
            supervisor.attempt("status", lambda: process.manager.show(tasks.status()))
        supervisor.attempt("queue", tasks.engine.start_ready_jobs)
        if not reindexing.is_done:
            supervisor.attempt("full text", reindexing.step)
        supervisor.attempt("prune", daily_prune.step)
        signals.stop.wait(_POLL_SECONDS)
        since_refresh += _POLL_SECONDS
        failure = tasks.engine.take_failure()
        if failure is not None:
            supervisor.failed(_JOBS, failure)
        if tasks.engine.has_ended_jobs() or time.monotonic() - looked_at_trash > _TRASH_SECONDS:
            looked_at_trash = time.monotonic()
            supervisor.attempt("trash", tasks.look_at_trash)
            supervisor.attempt("embedding", tasks.queue_embeddings)
            supervisor.attempt("sweep of temporary files", partial(sweep_leftovers, tasks.workspace.layout))


def _submit_if_due(workspace: Workspace, source: Source, report: EventReport) -> None:
    """Enqueue one sync for a burst; none while an earlier one still waits, since that will see everything."""
    waiting = [job for job in workspace.jobs.active_for_source(source.source_id) if job.state == "queued"]
    if waiting:
        return
    try:
        fresh = workspace.sources.get(source.source_id)  # it may have been edited since the watch began
    except NotFoundError:
        return  # or removed
    if not (fresh.enabled and fresh.watch) or not _is_due(workspace, fresh):
        return
    requested = request_sync(workspace, fresh, trigger="watch", by="watch")
    if requested.is_new:
        report("sync queued", {"source": source.source_id, "job": requested.manifest.job_id, "trigger": "watch"})


def _is_due(workspace: Workspace, source: Source) -> bool:
    """Whether there is something to do, or something to report: new held deletions, or a source that cannot be read."""
    newest = next(workspace.jobs.of_source(source.source_id), None)
    try:
        changed, held = look_for_work(workspace, source)
    except IngestError as error:
        # One failed job reports it; a job a minute would bury it.
        return newest is None or not (newest.errors and newest.errors[-1].code == error.reason)
    reported = _job_of_the_last_look(workspace, source.source_id) or newest
    return changed or (held > 0 and (reported is None or reported.held is None or reported.held.documents != held))


def _job_of_the_last_look(workspace: Workspace, source_id: str) -> Manifest | None:
    """Return the job whose look at the source is the last, whatever the clock says; None when it is not known."""
    job_id = workspace.looks.get(source_id).job_id
    try:
        return workspace.jobs.load(job_id) if job_id else None
    except IngestError:
        return None


def _reporting_rebuilds(report: EventReport) -> ProgressListener:
    def rebuilt(progress: RebuildProgress) -> None:
        if progress.ended or progress.documents == 0:
            report(progress.in_words(), {"level": "warning"})

    return rebuilt


def _starting(report: EventReport) -> Callable[[Manifest], None]:
    def started(manifest: Manifest) -> None:
        report("job started", {"job": manifest.job_id, "source": manifest.source_id, "attempt": manifest.attempt})

    return started


def _ending(report: EventReport, supervisor: Supervisor, hooks: JobEndHooks) -> Callable[[Manifest], None]:
    def ended(manifest: Manifest) -> None:
        if manifest.ended:
            supervisor.succeeded(_JOBS)
        counters = {name: value for name, value in manifest.counters.as_flat_dict().items() if value}
        what = f"job {manifest.state}" if manifest.ended else "job left for the next worker"
        report(what, {"job": manifest.job_id, "source": manifest.source_id, **counters})
        hooks.job_ended(manifest)

    return ended
