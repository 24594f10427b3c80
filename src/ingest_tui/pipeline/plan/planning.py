"""Write the plan, before a byte moves."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import apsw

from ingest_tui.connectors.base import BaseConnector
from ingest_tui.model.descriptor import ListingEnd
from ingest_tui.model.errors import StoreError
from ingest_tui.model.look import Look
from ingest_tui.model.plan import PlanRules
from ingest_tui.model.plan_line import NewLook, PlanEnd
from ingest_tui.pipeline.job.context import JobContext
from ingest_tui.pipeline.plan.absences import keep_what_is_not_gone, settle_listing
from ingest_tui.pipeline.plan.deletions import chosen_by, hold_rules_of, look_with_plan
from ingest_tui.pipeline.plan.fingerprints import OlderFingerprints
from ingest_tui.pipeline.plan.known_types import refuse_known_types
from ingest_tui.pipeline.plan.plan_writer import PlanWriter
from ingest_tui.pipeline.plan.rules import may_be_half_written, parsers_of, rules_of
from ingest_tui.store.catalogue.listing_scratch import ListingScratch
from ingest_tui.store.fs.atomic import sync_folder
from ingest_tui.store.records.journal import Journal

_GAPS_KEPT = 20


def make_plan(job: JobContext, end: ListingEnd) -> None:
    """Write plan.jsonl durably, whole or not at all, and the outcomes of what needs no further work."""
    look = job.workspace.looks.get(job.source.source_id)
    rules = _rules(job)
    writer = PlanWriter(job, rules.ruleset)
    with closing(_whole_listing(job)) as scratch:
        if job.connector is not None:
            end = _settle_bounds(job, job.connector, scratch, end)
            end = settle_listing(job.workspace, job.source, job.connector, scratch, end)
        refuse_known_types(job.workspace, job.source, scratch, rules.hold)
        scratch.give_up_when(job.controls.is_to_end)
        try:
            new_look = _write_plan(job, scratch, rules, writer, look, end)
        except apsw.InterruptError:
            job.controls.checkpoint()  # raises: that is why the statement was ended
            raise
    writer.remember_rejections()
    job.paths.plan_in_part.rename(job.paths.plan)
    sync_folder(job.paths.folder)
    job.workspace.looks.save(look_with_plan(look, new_look, complete=end.complete, job_id=job.manifest.job_id))
    ListingScratch.discard(job.paths.listing)
    job.log.event("info", "planned", complete=end.complete, **writer.numbers)


def _rules(job: JobContext) -> PlanRules:
    hold = hold_rules_of(job.workspace, job.source, job.connector, approves=job.manifest.options.get("approves"))
    watched = job.manifest.trigger == "watch" and may_be_half_written(job.connector)
    return rules_of(job.source, job.schema, job.manifest.options, job.workspace.settings, hold, watched=watched)


def _settle_bounds(job: JobContext, connector: BaseConnector, scratch: ListingScratch, end: ListingEnd) -> ListingEnd:
    def ask(question: Callable[[], bool]) -> bool:
        job.controls.checkpoint()
        return job.interruptibly(question)

    end = keep_what_is_not_gone(job.workspace, job.source, connector, scratch, end, ask)
    job.manifest.counters.descriptors_listed = scratch.count()
    return end


def _whole_listing(job: JobContext) -> ListingScratch:
    """Return what was listed; raises `StoreError` when some of it was lost: that would retire documents."""
    scratch = ListingScratch(job.paths.listing, resume=True)
    if scratch.count() != job.manifest.counters.descriptors_listed:
        scratch.close()
        raise StoreError("the listing was damaged before it became a plan", hint="retry the job")
    return scratch


def _write_plan(
    job: JobContext, scratch: ListingScratch, rules: PlanRules, writer: PlanWriter, look: Look, end: ListingEnd
) -> NewLook:
    """Write the lines of the plan and its last one; returns what the next look at the source has to know."""
    job.paths.plan_in_part.unlink(missing_ok=True)
    older = OlderFingerprints(job.workspace, job.source, job.connector, committing=job.committing)
    with closing(older), Journal(job.paths.plan_in_part) as journal:
        actions = scratch.plan(
            job.workspace.layout.catalogue,
            job.source.source_id,
            complete=end.complete,
            rules=rules,
            parsers=lambda: parsers_of(job.source, job.workspace.settings),
            is_same=older.is_same,
        )
        for action in actions:
            writer.add(action, journal)
        writer.flush(journal)
        new_look = NewLook(
            sequence=look.sequence + 1,
            after=look.job_id,
            chosen_by=chosen_by(job.source, job.connector, job.workspace.settings),
            volumes=dict(end.volumes),
            documents=scratch.known_documents,
            held=writer.numbers.get("hold", 0),
        )
        last = PlanEnd(
            listed=scratch.count(),
            complete=end.complete,
            lines=sum(writer.numbers.values()),
            work=writer.work,
            gaps=end.gaps[:_GAPS_KEPT],
            gaps_total=len(end.gaps),
            look=new_look,
        )
        journal.append([last.as_dict()])
    return new_look
