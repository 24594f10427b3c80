"""worker start, stop, status; and the headless worker."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

from ingest_tui.cli import output
from ingest_tui.cli.session import Session, json_option, pass_session
from ingest_tui.model.clock import rfc3339
from ingest_tui.model.naming import safe_display


@click.group()
def worker() -> None:
    """Start, stop and see workers."""


@worker.command()
@json_option
@pass_session
def start(session: Session, as_json: bool) -> None:
    """Start a worker that outlives this terminal: it works off the queue and watches folders."""
    from ingest_tui.services.workers import start_worker

    pid = start_worker(session.workspace)
    if as_json:
        output.data({"pid": pid})
    else:
        output.line(f"worker started, pid {pid}; its log is {session.workspace.layout.worker_log}")


@worker.command()
@json_option
@pass_session
def stop(session: Session, as_json: bool) -> None:
    """End all workers politely; their jobs stay for the next one."""
    from ingest_tui.services.workers import stop_workers

    stopped = stop_workers(session.workspace)
    if as_json:
        output.data({"stopped": stopped})
    else:
        output.line(f"stopped {stopped} workers" if stopped else "no worker was running")


@worker.command()
@json_option
@pass_session
def status(session: Session, as_json: bool) -> None:
    """Show the workers that live."""
    from ingest_tui.services.workers import worker_status

    workers = worker_status(session.workspace)
    if as_json:
        output.data([item.as_dict() for item in workers])
        return
    rows = [(item.pid, item.host, item.mode, item.started_at) for item in workers]
    empty = "no worker is running; 'ingest-tui worker start' starts one"
    output.table(("PID", "HOST", "MODE", "SINCE"), rows, empty=empty)


def run_headless(session: Session, *, log_format: str) -> None:
    """Be the worker: run the queue, watch folders, log each event as one line on stderr."""
    from ingest_tui.services.workers import run_watch

    run_watch(session.workspace, _reporter(log_format))


def _reporter(log_format: str) -> Callable[[str, dict[str, Any]], None]:
    lock = threading.Lock()

    def report(message: str, fields: dict[str, Any]) -> None:
        at = rfc3339(datetime.now(UTC))
        if log_format == "json":
            text = output.as_json({"at": at, "message": message, **fields})
        else:
            details = " ".join(f"{name}={safe_display(str(value))}" for name, value in fields.items())
            text = f"{at} {safe_display(message)} {details}".rstrip()
        with lock:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

    return report
