"""One job from beginning to end: list, plan, stage, extract, commit."""

from __future__ import annotations

import asyncio
import traceback
from typing import NamedTuple

import apsw

from ingest_tui.model.errors import DiskFullError, IngestError, StaleWriterError, StoreError
from ingest_tui.model.foreign_errors import as_ingest_error
from ingest_tui.model.job import JobState, Manifest
from ingest_tui.pipeline.commit.committer import Committer
from ingest_tui.pipeline.commit.retire import carry_out_moves, retire_vanished
from ingest_tui.pipeline.extract import extract_item
from ingest_tui.pipeline.job.job_run import JobCancelled, JobRun
from ingest_tui.pipeline.job.recovery import (
    drop_half_done,
    free_what_is_half_done,
    make_contradicting_catalogue_again,
    refuse_damaged_plan,
    repair_store,
)
from ingest_tui.pipeline.plan.adoption import adopt_kept_documents
from ingest_tui.pipeline.plan.deletions import check_superseded
from ingest_tui.pipeline.plan.planning import list_source, make_plan, totals_of_plan
from ingest_tui.pipeline.stage import stage_items
from ingest_tui.store.catalogue.contradictions import contradiction_behind
from ingest_tui.store.fs.disk import means_disk_full
from ingest_tui.store.workspace import refuse_linked_folders


def run_job(job: JobRun) -> Manifest:
    """Run a job whose lock the caller holds, from wherever an earlier attempt left it; returns its manifest.

    Failures of single items are outcomes. A failure of the job is recorded in the manifest, not raised. Raises
    `StoreError` when not even that can be written: the job stays as it is on disk, for the next worker to go on with.
    """
    try:
        ending = _run_to_its_end(job)
        if ending is not None:
            _record(job, ending)
    finally:
        job.close()
    return job.manifest


class _Ending(NamedTuple):
    """How a job ended. ``state`` is None where its outcomes decide."""

    state: JobState | None = None
    error: IngestError | None = None


def _run_to_its_end(job: JobRun) -> _Ending | None:
    """Go through the job; returns how it ended, None when it is left for the next worker."""
    try:
        job.begin()
        _go_through_waiting_for_room(job)
    except JobCancelled:
        if job.cancelled.is_set():
            return _Ending(JobState.CANCELLED)
        job.stop_politely()
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
    return _Ending()


def _contradiction(job: JobRun, error: BaseException) -> StoreError | None:
    return contradiction_behind(error, job.workspace.layout)


def _record(job: JobRun, ending: _Ending) -> None:
    if ending.state is not None and not isinstance(ending.error, StaleWriterError):
        job.workspace.repair_if_free()  # else the next who commits does it
    try:
        job.end(ending.state, ending.error)
    except OSError as error:
        raise StoreError(
            f"the end of job {job.manifest.job_id} cannot be written: {_cause(error)}",
            hint="check the disk ('dmesg' may say more), then sync again: the job goes on from where it is",
        ) from error


def _cause(error: OSError | apsw.Error) -> str:
    return str(error.strerror) if isinstance(error, OSError) else f"SQLite {type(error).__name__}"


def _go_through_waiting_for_room(job: JobRun) -> None:
    """Go through the job; when the disk is full, wait until it is not and go on from what is done."""
    is_first = True
    while True:
        try:
            return _go_through(job, counts_as_attempt=is_first)
        except (OSError, apsw.Error, DiskFullError) as error:
            if not isinstance(error, DiskFullError) and not means_disk_full(error, job.workspace.root):
                raise
        free_what_is_half_done(job)
        job.pause_until_there_is_room()
        job.bytes_on_disk *= 2  # what was thought to fit did not
        is_first = False


def _go_through(job: JobRun, *, counts_as_attempt: bool) -> None:
    refuse_linked_folders(job.workspace.layout)
    job.await_room(0)
    repair_store(job)
    refuse_damaged_plan(job)
    make_contradicting_catalogue_again(job)
    finished_keys = drop_half_done(job, counts_as_attempt=counts_as_attempt)
    if job.paths.plan.exists():
        check_superseded(job)
    else:
        connector = job.connector
        if connector is not None:
            job.interruptibly(lambda: asyncio.run(connector.authenticate()))
        end = list_source(job)
        adopt_kept_documents(job)
        make_plan(job, end)
    totals_of_plan(job, finished_keys)
    carry_out_moves(job, finished_keys)
    with Committer(job) as committer:
        for item in stage_items(job, finished_keys, committer):
            extract_item(job, item, committer.add)
    if job.source_failure is not None:
        raise job.source_failure
    retire_vanished(job, finished_keys)


def _places(error: BaseException) -> list[str]:
    """Return where an error came from, without the data that tracebacks quote."""
    return [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
