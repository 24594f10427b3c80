"""One job from beginning to end: list, plan, stage, extract, commit."""

from __future__ import annotations

from functools import partial

import apsw

from ingest_tui.model.errors import DiskFullError
from ingest_tui.model.job import EMBED, RECHUNK, JobState, Manifest, end_state
from ingest_tui.pipeline.commit.committer import Committer
from ingest_tui.pipeline.commit.retire import carry_out_moves, retire_vanished
from ingest_tui.pipeline.extract import compares_bytes, extract_item
from ingest_tui.pipeline.job.context import JobContext
from ingest_tui.pipeline.job.ending import Ending, ending_after, record_ending
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
from ingest_tui.pipeline.staged_item import StagedItem
from ingest_tui.pipeline.unpack import Unpacker
from ingest_tui.pipeline.version_prune import prune_earlier
from ingest_tui.store.access import refuse_linked_folders
from ingest_tui.store.fs.disk import means_disk_full


def run_job(job: JobContext) -> Manifest:
    """Run a job whose lock the caller holds, from wherever an earlier attempt left it; returns its manifest.

    Failures of single items are outcomes. A failure of the job is recorded in the manifest, not raised. Raises
    `StoreError` when not even that can be written: the job stays as it is on disk, for the next worker to resume.
    """
    try:
        ending = _run_to_its_end(job)
        if ending is not None:
            record_ending(job, ending)
    finally:
        job.close()
    return job.manifest


def _run_to_its_end(job: JobContext) -> Ending | None:
    """Go through the job; returns how it ended, None when it is left for the next worker."""
    try:
        _begin(job)
        return Ending(_run_waiting_for_room(job), is_cut_short=False)
    except BaseException as error:  # noqa: BLE001 - a bug must not leave the job to be claimed for ever; no Ctrl-C gets here
        return ending_after(job, error)


def _begin(job: JobContext) -> None:
    """Mark the job as running and start to answer requests."""
    job.keeper.begin()
    job.disk.allocate_reserve()
    job.log.event("info", "job started", attempt=job.manifest.attempt, kind=job.manifest.kind)
    job.controls.start()


def _run_waiting_for_room(job: JobContext) -> JobState:
    """Go through the plan; when the disk is full, wait until it is not and continue from what is done.

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
    if job.manifest.kind == EMBED:
        from ingest_tui.pipeline.embed.building import run_embedding

        return run_embedding(job)
    if job.manifest.kind == RECHUNK:
        from ingest_tui.pipeline.rechunk import run_rechunking

        return run_rechunking(job)
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
    with Committer(job, finished_keys) as committer:
        extract = partial(extract_item, job, settle=committer.add, compares=compares_bytes(job))
        unpacker = Unpacker(job, finished_keys, committer, extract)

        def take(item: StagedItem) -> None:
            extract(item)
            while (container := committer.next_container()) is not None:
                unpacker.unpack(container)

        source_failure = stage_items(job, finished_keys, committer, take)
        committer.finish(unpacker.unpack)
    if source_failure is not None:
        raise source_failure
    retire_vanished(job, finished_keys, superseded=superseded)
    prune_earlier(job)
    return end_state(job.manifest, listing_complete=plan.complete)


def _make_plan(job: JobContext) -> None:
    connector = job.connector
    if connector is not None:
        job.interruptibly(connector.authenticate_now)
    end = list_source(job)
    adopt_kept_documents(job)
    make_plan(job, end)
