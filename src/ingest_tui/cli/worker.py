"""worker start, stop, status; and the headless worker."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click
import humanize

from ingest_tui.cli import diagnostics, output
from ingest_tui.cli.groups import CommandGroup
from ingest_tui.cli.served_worker import serving
from ingest_tui.cli.session import Session, json_option, pass_session
from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.counted import counted
from ingest_tui.model.errors import BusyError
from ingest_tui.model.redaction import redact_values
from ingest_tui.model.safe_text import safe_display

if TYPE_CHECKING:
    from ingest_tui.services.workers import WorkerInfo
    from ingest_tui.store.records.own_log import OwnLog

_MOST_RUNS = 20
EventReporter = Callable[[str, dict[str, Any]], None]


@click.group(cls=CommandGroup)
def worker() -> None:
    """Start, stop and see workers."""


@worker.command()
@json_option
@pass_session
def start(session: Session, as_json: bool) -> None:
    """Start a worker that outlives this terminal: it works off the queue and watches folders."""
    from ingest_tui.services.workers import start_worker, worker_log

    pid = start_worker(session.workspace, log_format=session.log_format or "json")
    if as_json:
        output.data({"pid": pid})
    else:
        output.line(f"worker started, pid {pid}; its log is {worker_log(session.workspace)}")


@worker.command()
@json_option
@pass_session
def stop(session: Session, as_json: bool) -> None:
    """End all workers; their jobs stay for the next one."""
    from ingest_tui.services.workers import stop_workers

    report = stop_workers(session.workspace)
    if as_json:
        remaining = [{"worker_id": info.worker_id, "pid": info.pid, "reason": why} for info, why in report.remaining]
        output.data({"stopped": len(report.stopped), "remaining": remaining})
    elif report.stopped:
        output.line(f"stopped {counted(len(report.stopped), 'worker')}")
    elif not report.remaining:
        output.line("no worker was running")
    if report.remaining:
        info, why = report.remaining[0]
        raise BusyError(
            f"{len(report.remaining)} of {counted(len(report.remaining) + len(report.stopped), 'worker')} "
            "did not stop; "
            f"worker {safe_display(info.worker_id)} on {safe_display(info.host)}: {why}",
            hint="'ingest-tui worker status' shows what still runs",
        )


@worker.command()
@json_option
@pass_session
def status(session: Session, as_json: bool) -> None:
    """Show the workers that live."""
    from ingest_tui.services.workers import scheduled_runs, worker_status
    from ingest_tui.services.workspace_prune import last_prune

    workers, pruned = worker_status(session.workspace), last_prune(session.workspace)
    if as_json:
        last = None if pruned is None else pruned.as_dict()
        more = {"last_prune": last, "next_runs": [run.as_dict() for run in scheduled_runs(session.workspace)]}
        output.data([item.as_dict() | more for item in workers])
        return
    rows = [(item.pid, item.host, item.mode, item.started_at, state_of(item)) for item in workers]
    empty = "no worker is running; 'ingest-tui worker start' starts one"
    output.table(("PID", "HOST", "MODE", "SINCE", "STATE"), rows, empty=empty)
    for run in scheduled_runs(session.workspace)[:_MOST_RUNS] if workers else []:
        output.line(f"next by schedule: {run.source_id}, {run.as_dict()['at']}")
    if workers and pruned is not None:
        what = f"{counted(pruned.items, 'item')}, {humanize.naturalsize(pruned.bytes)}"
        output.line(f"pruned last {pruned.as_dict()['pruned_at']}: {what}")
    say_issues(workers)


def state_of(worker: WorkerInfo) -> str:
    """Return in a word or two how a worker is doing."""
    failing = sum(issue.level == "error" for issue in worker.issues)
    if failing:
        return f"{counted(failing, 'task')} failing"
    return "ok, with warnings" if worker.issues else "ok"


def say_issues(workers: Iterable[WorkerInfo]) -> None:
    """Write to stderr what fails right now among the tasks of workers."""
    for worker in workers:
        for issue in worker.issues:
            times = f", {counted(issue.failures, 'time')}" if issue.failures > 1 else ""
            what = f"worker {worker.pid}: {issue.task} fails since {issue.since}{times}"
            diagnostics.say(f"warning: {what}: {issue.message}")


def run_headless(session: Session, metrics: str | None = None, serve: str | None = None) -> int:
    """Be the worker: run the queue, watch folders, log each event as one line on stderr; returns the exit code.

    ``serve``: where it serves over HTTP meanwhile, if anywhere.

    It is 1 when something failed, again and again, until the end.
    """
    from ingest_tui.services.workers import own_log, run_watch

    report = reporter(session.log_format or usual_format(), own_log(session.workspace))
    threading.excepthook = lambda failure: _report_failure(report, failure)
    with serving(session, serve, report):
        issues = run_watch(session.workspace, report, metrics=metrics)
    return diagnostics.EXIT_FAILED if any(issue.level == "error" for issue in issues) else 0


def _report_failure(report: EventReporter, failure: threading.ExceptHookArgs) -> None:
    """Report an error that nobody foresaw in one line like all others: tracebacks quote data."""
    places = [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(failure.exc_traceback)]
    thread = failure.thread.name if failure.thread else ""
    fields = {"level": "error", "kind": failure.exc_type.__name__, "thread": thread, "places": places}
    report("unexpected error", fields)


def usual_format() -> str:
    """Return how a worker writes its lines when nobody says: for the journal where systemd connected stderr to it."""
    with contextlib.suppress(OSError):
        status = os.fstat(sys.stderr.fileno())
        if os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}":
            return "journal"
    return "text"


def reporter(log_format: str, own_log: OwnLog | None = None) -> EventReporter:
    """Return what writes the worker's events to stderr, a line each, without secrets: ``text``, ``json``, ``journal``.

    Each has its time, a level (``info`` unless the fields name another), a message, and the job and source it is about.
    The journal has a time of its own, and reads the level from the beginning of the line (sd-daemon(3)).
    """
    lock = threading.Lock()

    def report(message: str, fields: dict[str, Any]) -> None:
        at = rfc3339_now()
        record = {"at": at, "level": "info", "message": message, **fields}
        shown = redact_values(record)
        line = f"{_FORMS[log_format](shown)}\n"
        # A log that cannot be written, on a full disk or behind a closed pipe, must not end what is reported.
        with lock, contextlib.suppress(OSError, ValueError):
            sys.stderr.write(line)
            sys.stderr.flush()
            if own_log is not None:
                own_log.put_aside_when_large()

    return report


def _for_the_journal(record: dict[str, Any]) -> str:
    words = output.log_line(record | {"at": "", "level": ""}).strip()
    return f"<{_PRIORITIES.get(str(record['level']), _PRIORITIES['info'])}>{words}"


_PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3}
_FORMS: dict[str, Callable[[dict[str, Any]], str]] = {
    "text": output.log_line,
    "json": output.as_json,
    "journal": _for_the_journal,
}
