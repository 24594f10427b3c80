"""What an earlier attempt at the same job left behind: drop what is half done, keep what is done."""

from __future__ import annotations

import contextlib
import os
from contextlib import closing
from typing import Any

import apsw

from ingest_tui.model.batching import batches
from ingest_tui.model.errors import IngestError, PlanDamagedError, StoreError
from ingest_tui.model.job import KNOWN_PLAN, PHASES, Phase
from ingest_tui.model.job_counters import Counters
from ingest_tui.model.outcome import Outcome
from ingest_tui.pipeline.job.context import JobContext
from ingest_tui.pipeline.job.known_outcomes import outcomes_at
from ingest_tui.pipeline.job.settled_outcomes import restore_settled_outcomes
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.contradictions import refuse_lost_documents
from ingest_tui.store.catalogue.listing_scratch import ListingScratch
from ingest_tui.store.fs.atomic import sweep_temporaries
from ingest_tui.store.intents import placing
from ingest_tui.store.records.journal import read_journal
from ingest_tui.store.records.plan_file import is_whole, plan_end, read_plan, work_lines
from ingest_tui.store.workspace import Workspace

ATTEMPTS_WITHOUT_PROGRESS = 5
_BATCH = 500


def drop_half_done(job: JobContext, *, counts_as_attempt: bool = True) -> set[str]:
    """Bring disk, catalogue and journal to one state; returns the keys that already have their outcome.

    A version folder that was moved into place but is unknown to the catalogue goes back to staging: its item is done
    again. An item that the catalogue knows as done by this job but whose journal line was lost gets its line. Raises
    `IngestError` when five attempts in a row got no further; a pass that only waited for room is none of these.
    """
    deleted = job.manifest.counters.versions_deleted  # by an earlier attempt, and by nothing else to be counted again
    job.manifest.counters = Counters(versions_deleted=deleted)
    job.manifest.phases = {name: Phase() for name in PHASES}
    job.manifest.errors.clear()
    job.manifest.errors_total = 0
    if not job.paths.plan.exists():
        os.truncate(job.paths.outcomes, 0)  # of a plan that never became whole
        if counts_as_attempt:
            refuse_without_progress(job, _listed_so_far(job))
        return set()
    list(sweep_temporaries(job.paths.folder))
    ListingScratch.discard(job.paths.listing)
    catalogue = job.workspace.open_catalogue()
    try:
        finished = count_finished(job)
        _restore_lost_lines(job, catalogue, finished)
        _restore_lost_members(job, catalogue, finished)
        restore_settled_outcomes(job, finished)
        job.manifest.counters.chunks_written = catalogue.count_chunks_of_job(job.manifest.job_id)
    finally:
        catalogue.close()
    if counts_as_attempt:
        listed = plan_end(job.paths.plan).listed
        refuse_without_progress(job, 1 + listed + len(finished))
    return finished


def refuse_damaged_plan(job: JobContext) -> None:
    """Put away a plan that is not as it was written, so that the source is listed again; nothing was done for it.

    Raises `PlanDamagedError` for a job that cannot make its plan again: an upload, or a choice of items.
    """
    options = job.manifest.options
    exists = job.paths.plan.exists()
    if exists and is_whole(job.controls.between_checkpoints(read_plan(job.paths.plan))):
        return
    if exists:
        job.paths.plan.replace(job.paths.damaged_plan)
        job.log.event("warning", "the plan is damaged; the source is listed again")
    if options.get("staged") or options.get(KNOWN_PLAN):
        again = "upload the files again" if options.get("staged") else "retry the items again"
        raise PlanDamagedError("the plan of the job is missing or damaged, and it cannot be made again", hint=again)


def _listed_so_far(job: JobContext) -> int:
    """Return how many items of an unfinished listing are kept; none where it has to begin again."""
    if job.connector is None or not job.connector.capabilities.resumes_listing or not job.paths.listing.exists():
        return 0
    with closing(ListingScratch(job.paths.listing, resume=True)) as scratch:
        return scratch.count()


def refuse_without_progress(job: JobContext, reached: int) -> None:
    """Raise `IngestError` when five attempts in a row came no further than to ``reached``, and save what is known.

    A job that has just begun for the first time, and has reached nothing, is saved as it is.
    """
    manifest = job.manifest
    known = (manifest.reached, manifest.attempts_without_progress)
    if manifest.attempt == 1 or reached > manifest.reached:
        manifest.attempts_without_progress = 0
    else:
        manifest.attempts_without_progress += 1
    manifest.reached = reached
    if manifest.attempts_without_progress >= ATTEMPTS_WITHOUT_PROGRESS:
        raise IngestError(
            f"no progress in {ATTEMPTS_WITHOUT_PROGRESS} attempts: each time the worker died before an item was done",
            hint=f"'ingest-tui job logs {manifest.job_id}' and the system log may show why; then retry the job",
            code="no_progress",
        )
    if manifest.attempt > 1 or known != (manifest.reached, manifest.attempts_without_progress):
        job.keeper.save_state()


def free_what_is_half_done(job: JobContext) -> None:
    """Give a full disk back what is half done and can be done again, before waiting for room."""
    is_upload = bool(job.manifest.options.get("staged"))
    job.workspace.repair_if_free()
    with contextlib.suppress(OSError):
        if not is_upload:
            job.staging.clear()
    with contextlib.suppress(OSError, apsw.Error, IngestError):
        job.reading.empty_log()


def repair_store(job: JobContext) -> None:
    """Finish or undo what somebody who died or failed left of a change: the last worker of this job, or another."""
    old = intents_of_an_older_program(job.workspace, job.manifest.job_id)
    if old or job.workspace.has_unfinished_change():
        with job.committing(job.reading) as writer:  # which repairs
            writer.undo(old)
    job.paths.commits.unlink(missing_ok=True)


def make_contradicting_catalogue_again(job: JobContext) -> None:
    """Have the catalogue made again where its places name documents that it does not have: they would not be missed."""
    try:
        refuse_lost_documents(job.reading)
    except StoreError as error:
        job.log.event("warning", f"{error.message}; it is made again")
        job.workspace.open_catalogue().close()


def intents_of_an_older_program(workspace: Workspace, job_id: str) -> list[dict[str, Any]]:
    """Return what a job of workspace schema 1 had announced in ``commits.jsonl`` and has no journal line for.

    That journal was never emptied: what has its line is committed, whatever has become of the catalogue since.
    """
    paths = workspace.jobs.paths(job_id)
    if not paths.commits.exists():
        return []
    done = {(outcome.get("document_id"), outcome.get("version")) for outcome in read_journal(paths.outcomes)}
    staging = paths.staging.relative_to(workspace.root)
    return [
        placing(old["collection_id"], old["document_id"], old["version"], f"{staging}/{old['item_id']}")
        for old in read_journal(paths.commits)
        if (old["document_id"], old["version"]) not in done
    ]


def count_finished(job: JobContext) -> set[str]:
    """Count the outcomes that are in the journal; returns their keys."""
    finished: set[str] = set()
    for record in job.controls.between_checkpoints(read_journal(job.paths.outcomes)):
        if record["key"] in finished and record["outcome"] != "retired":
            continue
        finished.add(record["key"])
        outcome = Outcome.from_dict(record)
        job.outcomes.count([outcome])
        _count_fetched(job, outcome)
    return finished


def _count_fetched(job: JobContext, outcome: Outcome) -> None:
    if outcome.raw_sha256 and outcome.phase != "list" and outcome.parent is None:
        job.manifest.counters.items_fetched += 1
        job.manifest.counters.bytes_fetched += outcome.bytes or 0


def _restore_lost_lines(job: JobContext, catalogue: Catalogue, finished: set[str]) -> None:
    planned = job.controls.between_checkpoints(work_lines(job.paths.plan, frozenset({"ingest", "move"})))
    for lines in batches(planned, _BATCH):
        pending = [line for line in lines if line.key not in finished]
        known = catalogue.locations(job.source.source_id, (line.key for line in pending))
        done = [row for row in known.values() if row.job_id == job.manifest.job_id]
        restored = list(outcomes_at(catalogue, done))
        if restored:
            job.outcomes.record(restored)
            finished.update(outcome.key for outcome in restored)
            for outcome in restored:
                _count_fetched(job, outcome)


def _restore_lost_members(job: JobContext, catalogue: Catalogue, finished: set[str]) -> None:
    """Record the outcomes of members that this job has committed, where their lines were lost."""
    done = catalogue.members_of_job(job.source.source_id, job.manifest.job_id)
    for rows in batches((row for row in done if row.key not in finished), _BATCH):
        job.outcomes.record(outcomes_at(catalogue, rows))
        finished.update(row.key for row in rows)
