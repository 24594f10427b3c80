"""How a job ends: decided from what its steps raised, and recorded."""

from __future__ import annotations

import traceback
from typing import NamedTuple

import apsw

from ingest_tui.model.errors import IngestError, StaleWriterError, StoreError
from ingest_tui.model.foreign_errors import as_ingest_error
from ingest_tui.model.job import JobState
from ingest_tui.pipeline.job.context import JobContext
from ingest_tui.pipeline.job.controls import JobCancelled
from ingest_tui.pipeline.job.end_audit import audit_ending
from ingest_tui.store.catalogue.contradictions import contradiction_that_caused
from ingest_tui.store.job_notices import leave_queue


class Ending(NamedTuple):
    """How a job ended. ``is_cut_short``: it has not gone through its plan."""

    state: JobState
    error: IngestError | None = None
    is_cut_short: bool = True


def ending_after(job: JobContext, error: BaseException) -> Ending | None:
    """Return how a job ends whose step raised ``error``; None when it is left for the next worker.

    Whatever a step raises while the worker ends may come of that alone, such as a connection that was closed under it:
    the next worker finds out.
    """
    if isinstance(error, JobCancelled) and job.controls.cancelled.is_set():
        return Ending(JobState.CANCELLED)
    failure = None if isinstance(error, JobCancelled) else _failure(job, error)
    if failure is None or (job.controls.is_stopping and not isinstance(failure, StaleWriterError)):
        if failure is not None:
            job.log.event("warning", f"left for the next worker: {failure.message}", code=failure.reason)
        job.keeper.yield_to_next_worker()
        return None
    return Ending(JobState.FAILED, contradiction_that_caused(error, job.workspace.layout) or failure)


def _failure(job: JobContext, error: BaseException) -> IngestError:
    """Return an error for people; one that nobody foresaw is in the log with its places."""
    if isinstance(error, IngestError):
        return error
    if isinstance(error, (OSError, apsw.Error)):
        return StoreError(
            f"the workspace cannot be written: {_cause(error)}",
            hint="check the disk ('dmesg' may show more), then retry the job",
        )
    job.log.event("error", "unexpected error", kind=type(error).__name__, places=_places(error))
    return as_ingest_error(error) or IngestError(
        f"unexpected {type(error).__name__}", hint=f"report it with 'ingest-tui job logs {job.manifest.job_id}'"
    )


def record_ending(job: JobContext, ending: Ending) -> None:
    """Record how a job ended and take it out of the queue; raises `StoreError` when that cannot be written."""
    if ending.is_cut_short and not isinstance(ending.error, StaleWriterError):
        job.workspace.repair_if_free()  # else the next who commits does it
    try:
        _record(job, ending)
    except OSError as error:
        raise StoreError(
            f"the end of job {job.manifest.job_id} cannot be written: {_cause(error)}",
            hint="check the disk ('dmesg' may show more), then sync again: the job continues from where it is",
        ) from error


def _record(job: JobContext, ending: Ending) -> None:
    job.controls.stop()
    job.keeper.end(ending.state, ending.error, gives_up=lambda: job.controls.is_stopping)
    try:
        leave_queue(job.workspace, job.manifest)
    except OSError as error:
        job.log.event("warning", f"the next worker clears up: {error.strerror}")
    if missing := audit_ending(job.workspace, job.manifest):
        job.log.event("warning", f"the audit log cannot be written, so the end of the job is not in it: {missing}")
    counters = job.manifest.counters.as_flat_dict()
    job.log.event("info", f"job {ending.state}", counters=counters, errors=job.manifest.errors_total)


def _cause(error: OSError | apsw.Error) -> str:
    return str(error.strerror) if isinstance(error, OSError) else f"SQLite {type(error).__name__}"


def _places(error: BaseException) -> list[str]:
    """Return where an error came from, without the data that tracebacks quote."""
    return [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
