"""One job from beginning to end: list, plan, stage, extract, commit."""

from __future__ import annotations

import asyncio
import traceback

from ingest_tui.model.errors import IngestError, StoreError
from ingest_tui.model.job import JobState, Manifest
from ingest_tui.pipeline.commit import Committer
from ingest_tui.pipeline.extract import extract_item
from ingest_tui.pipeline.job_run import JobCancelled, JobRun
from ingest_tui.pipeline.planning import list_source, make_plan, totals_of_plan
from ingest_tui.pipeline.recovery import drop_half_done
from ingest_tui.pipeline.retire import carry_out_moves, retire_vanished
from ingest_tui.pipeline.stage import stage_items


def run_job(job: JobRun) -> Manifest:
    """Run a job whose lock the caller holds, from wherever an earlier attempt left it; returns its manifest.

    Failures of single items are outcomes. A failure of the job is recorded in the manifest, not raised.
    """
    try:
        job.begin()
        finished_keys = drop_half_done(job)
        if not job.paths.plan.exists():
            if job.connector is not None:
                asyncio.run(job.connector.authenticate())
            make_plan(job, list_source(job))
        totals_of_plan(job, finished_keys)
        carry_out_moves(job, finished_keys)
        with Committer(job) as committer:
            for item in stage_items(job, finished_keys, expect=committer.expect, settle=committer.add):
                extract_item(job, item, committer.add)
        retire_vanished(job, finished_keys)
        job.end()
    except JobCancelled:
        if job.cancelled.is_set():
            job.end(JobState.CANCELLED)
    except IngestError as error:
        job.end(JobState.FAILED, error)
    except OSError as error:
        failure = StoreError(
            f"the workspace cannot be written: {error.strerror}", hint="free some space or mend the disk, then retry"
        )
        job.end(JobState.FAILED, failure)
    except Exception as error:  # noqa: BLE001 - a bug must not leave the job to be claimed for ever
        job.log.event("error", "unexpected error", kind=type(error).__name__, places=_places(error))
        job.end(
            JobState.FAILED,
            IngestError(
                f"unexpected {type(error).__name__}", hint=f"report it with 'ingest-tui job logs {job.manifest.job_id}'"
            ),
        )
    finally:
        job.close()
    return job.manifest


def _places(error: Exception) -> list[str]:
    """Return where an error came from, without the data that tracebacks quote."""
    return [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
