"""One job from beginning to end: list, plan, stage, extract, commit."""

from __future__ import annotations

import asyncio
import traceback
from functools import partial
from typing import NamedTuple

import apsw

from ingest_tui.model.errors import DiskFullError, IngestError, StaleWriterError, StoreError
from ingest_tui.model.foreign_errors import as_ingest_error
from ingest_tui.model.job import JobState, Manifest, end_state
from ingest_tui.pipeline.commit.committer import Committer
from ingest_tui.pipeline.commit.retire import carry_out_moves, retire_vanished
from ingest_tui.pipeline.extract import compares_bytes, extract_item
from ingest_tui.pipeline.job.context import JobContext
from ingest_tui.pipeline.job.controls import JobCancelled
from ingest_tui.pipeline.job.recovery import (
    drop_half_done,
    free_what_is_half_done,
    make_contradicting_catalogue_again,
    refuse_damaged_plan,
    repair_store,
)
from ingest_tui.pipeline.plan.adoption import adopt_kept_documents
from ingest_tui.pipeline.plan.deletions import check_superseded
from ingest_tui.pipeline.plan.planning import make_plan
from ingest_tui.pipeline.plan.source_listing import list_source
from ingest_tui.pipeline.plan.totals import totals_of_plan
from ingest_tui.pipeline.stage import stage_items
from ingest_tui.store.access import refuse_linked_folders
from ingest_tui.store.catalogue.contradictions import contradiction_behind
from ingest_tui.store.fs.disk import means_disk_full


def run_job(job: JobContext) -> Manifest:
    """Run a job whose lock the caller holds, from wherever an earlier attempt left it; returns its manifest.

    Failures of single items are outcomes. A failure of the job is recorded in the manifest, not raised. Raises
    `StoreError` when not even that can be written: the job stays as it is on disk, for the next worker to resume.
    """
    try:
        ending = _run_to_its_end(job)
        if ending is not None:
            _record(job, ending)
    finally:
        job.close()
    return job.manifest


class _Ending(NamedTuple):
    """How a job ended. ``is_cut_short``: it has not gone through its plan."""

    state: JobState
    error: IngestError | None = None
    is_cut_short: bool = True


def _run_to_its_end(job: JobContext) -> _Ending | None:
    """Go through the job; returns how it ended, None when it is left for the next worker."""
    try:
        _begin(job)
        return _Ending(_run_waiting_for_room(job), is_cut_short=False)
    except JobCancelled:
        if job.controls.cancelled.is_set():
            return _Ending(JobState.CANCELLED)
        job.keeper.yield_to_next_worker()
        return None
    except IngestError as error:
        return _Ending(JobState.FAILED, _contradiction(job, error) or error)
    except (OSError, apsw.Error) as error:
        failure = StoreError(
            f"the workspace cannot be written: {_cause(error)}",
            hint="check the disk ('dmesg' may say more), then retry the job",
        )
        return _Ending(JobState.FAILED, _contradiction(job, error) or failure)
    except BaseException as error:  # noqa: BLE001 - a bug must not leave the job to be claimed for ever; no Ctrl-C gets here
        job.log.event("error", "unexpected error", kind=type(error).__name__, places=_places(error))
        bug = (
            _contradiction(job, error)
            or as_ingest_error(error)
            or IngestError(
                f"unexpected {type(error).__name__}", hint=f"report it with 'ingest-tui job logs {job.manifest.job_id}'"
            )
        )
        return _Ending(JobState.FAILED, bug)


def _begin(job: JobContext) -> None:
    """Mark the job as running and start to answer requests."""
    job.keeper.begin()
    job.disk.allocate_reserve()
    job.log.event("info", "job started", attempt=job.manifest.attempt, kind=job.manifest.kind)
    job.controls.start()


def _end(job: JobContext, ending: _Ending) -> None:
    """Record how the job ended and take it out of the queue; raises `OSError` when that cannot be recorded."""
    job.controls.stop()
    job.keeper.end(ending.state, ending.error, gives_up=lambda: job.controls.is_stopping)
    try:
        job.workspace.jobs.leave_queue(job.manifest.job_id)
    except OSError as error:
        job.log.event("warning", f"the next worker clears up: {error.strerror}")
    counters = job.manifest.counters.model_dump()
    job.log.event("info", f"job {ending.state}", counters=counters, errors=job.manifest.errors_total)


def _contradiction(job: JobContext, error: BaseException) -> StoreError | None:
    return contradiction_behind(error, job.workspace.layout)


def _record(job: JobContext, ending: _Ending) -> None:
    if ending.is_cut_short and not isinstance(ending.error, StaleWriterError):
        job.workspace.repair_if_free()  # else the next who commits does it
    try:
        _end(job, ending)
    except OSError as error:
        raise StoreError(
            f"the end of job {job.manifest.job_id} cannot be written: {_cause(error)}",
            hint="check the disk ('dmesg' may say more), then sync again: the job goes on from where it is",
        ) from error


def _cause(error: OSError | apsw.Error) -> str:
    return str(error.strerror) if isinstance(error, OSError) else f"SQLite {type(error).__name__}"


def _run_waiting_for_room(job: JobContext) -> JobState:
    """Go through the plan; when the disk is full, wait until it is not and go on from what is done.

    Returns the state that the outcomes give the job.
    """
    is_first = True
    while True:
        try:
            return _run_steps(job, counts_as_attempt=is_first)
        except (OSError, apsw.Error, DiskFullError) as error:
            if not isinstance(error, DiskFullError) and not means_disk_full(error, job.workspace.root):
                raise
        free_what_is_half_done(job)
        job.disk.pause_until_there_is_room()
        job.disk.expect_more()
        is_first = False


def _run_steps(job: JobContext, *, counts_as_attempt: bool) -> JobState:
    refuse_linked_folders(job.workspace.layout)
    job.disk.await_room(0)
    repair_store(job)
    refuse_damaged_plan(job)
    make_contradicting_catalogue_again(job)
    finished_keys = drop_half_done(job, counts_as_attempt=counts_as_attempt)
    superseded = False
    if job.paths.plan.exists():
        superseded = check_superseded(job)
    else:
        _make_plan(job)
    plan = totals_of_plan(job, finished_keys, superseded=superseded)
    carry_out_moves(job, finished_keys, superseded=superseded)
    with Committer(job) as committer:
        extract = partial(extract_item, job, settle=committer.add, compares=compares_bytes(job))
        source_failure = stage_items(job, finished_keys, committer, extract)
    if source_failure is not None:
        raise source_failure
    retire_vanished(job, finished_keys, superseded=superseded)
    return end_state(job.manifest, listing_complete=plan.complete)


def _make_plan(job: JobContext) -> None:
    connector = job.connector
    if connector is not None:
        job.interruptibly(lambda: asyncio.run(connector.authenticate()))
    end = list_source(job)
    adopt_kept_documents(job)
    make_plan(job, end)


def _places(error: BaseException) -> list[str]:
    """Return where an error came from, without the data that tracebacks quote."""
    return [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
