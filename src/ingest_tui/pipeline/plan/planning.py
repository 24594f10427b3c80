"""List the source and write the plan, before a byte moves."""

from __future__ import annotations

import os
import time
from datetime import UTC, date, datetime
from typing import Any

import apsw

from ingest_tui.connectors.base import BaseConnector, Listing
from ingest_tui.extraction.backends import versions
from ingest_tui.extraction.intake.admission import NOT_ALLOWED, TypeFilter
from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage
from ingest_tui.model.errors import IngestError, SourceAccessError, StoreError
from ingest_tui.model.gap_remedies import gap_remedy
from ingest_tui.model.hashing import short_digest
from ingest_tui.model.holding import HoldRules
from ingest_tui.model.job import HeldDeletions
from ingest_tui.model.naming import file_name_of, safe_display
from ingest_tui.model.outcome import Outcome, OutcomeName
from ingest_tui.model.plan import HELD, RULES_VERSION, PlanRules
from ingest_tui.model.plan_line import NewLook, PlanEnd, PlanLine
from ingest_tui.model.source import Source
from ingest_tui.model.volumes import gap_name
from ingest_tui.pipeline.job.context import JobContext
from ingest_tui.pipeline.job.parse_limits import limits_of
from ingest_tui.pipeline.job.workload import Workload
from ingest_tui.pipeline.plan.absences import settle_listing
from ingest_tui.pipeline.plan.deletions import chosen_by, hold_rules_of, look_after
from ingest_tui.pipeline.plan.fingerprints import OlderFingerprints
from ingest_tui.pipeline.plan.known_types import refuse_known_types
from ingest_tui.store.catalogue.listing_scratch import ListingScratch
from ingest_tui.store.catalogue.rows import LocationRow
from ingest_tui.store.change import StoreChange
from ingest_tui.store.fs.atomic import sync_folder
from ingest_tui.store.records.journal import Journal, encode_line
from ingest_tui.store.records.listing_cache import StoredMemory
from ingest_tui.store.records.plan_file import plan_end, work_lines
from ingest_tui.store.workspace import Settings

TOO_OLD = "too_old"
_LINES_AT_ONCE = 1000
_GAPS_TOLD = 20
_SETTLED_WHILE_PLANNING: dict[str, OutcomeName] = {"skip": "unchanged", "reject": "rejected", "quarantine": "failed"}
_EARLY_END_HINT = "sync again; 'ingest-tui source test SOURCE' shows whether the source can be listed to its end"
QUARANTINE_HINT = (
    "'ingest-tui job retry last --failed-only' tries it again, as does a sync once it, a backend or a limit has changed"
)


def list_source(job: JobContext) -> ListingEnd:
    """List the source into the scratch database, going on from the last kept page where the connector can."""
    connector = job.connector
    if connector is None:
        raise IngestError("this kind of job has no source to list", hint="report this as a bug")
    job.meter.start("list")
    job.keeper.save_state()
    scratch = ListingScratch(job.paths.listing, resume=connector.capabilities.resumes_listing)
    scratch.begin(chosen_by(job.source, connector))  # a listing is not resumed under another choice
    memory = None
    if connector.capabilities.remembers_listing:
        memory = connector.memory = StoredMemory(job.workspace.layout.listing_memory(job.source.source_id))
    try:
        pages = connector.list(scratch.cursor)
        while True:
            job.controls.checkpoint()
            page = job.interruptibly(lambda: _following(pages))
            if isinstance(page, ListingEnd):
                end = page
                break
            if page.restarts:
                job.log.event("info", "listing_restarted", dropped=scratch.count())
            scratch.add(admit(page, job.source))
            job.meter.advance("list", len(page.descriptors))
        job.manifest.counters.descriptors_listed = scratch.count()
    finally:
        scratch.close()
        if memory is not None:
            memory.close()
    job.meter.done("list")
    return end


def _following(pages: Listing) -> ListingPage | ListingEnd:
    try:
        return next(pages)
    except StopIteration as stop:
        return stop.value if isinstance(stop.value, ListingEnd) else ListingEnd(complete=False)


def admit(page: ListingPage, source: Source) -> ListingPage:
    """Refuse what the source does not take by name or age; what only the bytes can tell is told by the parser."""
    types = TypeFilter(source.allow_types, source.deny_types)
    if not types and source.since is None:
        return page
    return page._replace(descriptors=[_admit_one(descriptor, types, source.since) for descriptor in page.descriptors])


def _admit_one(descriptor: Descriptor, types: TypeFilter, since: date | None) -> Descriptor:
    if descriptor.refusal:
        return descriptor
    if since is not None and descriptor.modified_ns is not None:
        start = datetime(since.year, since.month, since.day, tzinfo=UTC)
        if descriptor.modified_ns < int(start.timestamp()) * 1_000_000_000:
            return descriptor._replace(refusal=(TOO_OLD, f"last changed before {since}, which this source begins with"))
    refusal = types.refusal_of_name(file_name_of(descriptor.key))
    return descriptor._replace(refusal=(NOT_ALLOWED, refusal)) if refusal else descriptor


def rules_of(
    source: Source, options: dict[str, Any], settings: Settings, hold: HoldRules, *, watched: bool = False
) -> PlanRules:
    """Return the planner's rules for a source, from its settings and the job's options.

    A sync that a watch started leaves alone what changed within the stability wait: it may be half written.
    """
    moment = time.time_ns()
    unsettled = (moment - int(settings.stable_seconds * 1e9), moment) if watched else None
    return PlanRules(ruleset_of(source), bool(options.get("force")), hold, unsettled_ns=unsettled)


def may_be_half_written(connector: BaseConnector | None) -> bool:
    """Whether the items of a source can be seen while they are still being written; elsewhere they appear whole."""
    return connector is not None and connector.capabilities.watches_paths


def ruleset_of(source: Source) -> str:
    """Return a short digest of everything that decides what is let in and how it is read."""
    extraction = source.extraction
    parts = [str(int(source.max_size)), str(extraction.backend), repr(sorted(extraction.by_type.items()))]
    if source.allow_types or source.deny_types:
        parts.append(repr((sorted(source.allow_types), sorted(source.deny_types))))
    if source.since is not None:
        parts.append(str(source.since))
    return short_digest(RULES_VERSION, *parts, length=12)


def parsers_of(source: Source, settings: Settings) -> str:
    """Return what stands for the parsers as they are now: their versions, and the limits they work under."""
    limits = limits_of(settings, source.extraction)
    by_type = repr(sorted(settings.parser_limits_by_type.items()))
    return short_digest(versions(), repr(limits), by_type, str(source.extraction.backend), length=12)


def make_plan(job: JobContext, end: ListingEnd) -> None:
    """Write plan.jsonl durably, whole or not at all, and the outcomes of what needs no further work."""
    look = job.workspace.looks.get(job.source.source_id)
    hold = hold_rules_of(job.workspace, job.source, job.connector, approves=job.manifest.options.get("approves"))
    watched = job.manifest.trigger == "watch" and may_be_half_written(job.connector)
    rules = rules_of(job.source, job.manifest.options, job.workspace.settings, hold, watched=watched)
    scratch = ListingScratch(job.paths.listing, resume=True)
    if scratch.count() != job.manifest.counters.descriptors_listed:
        # A listing that lost items would retire their documents.
        scratch.close()
        raise StoreError("the listing was damaged before it became a plan", hint="retry the job")
    if job.connector is not None:
        end = settle_listing(job.workspace, job.source, job.connector, scratch, end)
    refuse_known_types(job.workspace, job.source, scratch, hold)
    temporary = job.paths.plan_in_part
    temporary.unlink(missing_ok=True)
    writer = _PlanWriter(job, rules.ruleset)
    older = OlderFingerprints(job.workspace, job.source, job.connector, committing=job.committing)
    scratch.give_up_when(job.controls.is_to_end)
    try:
        with Journal(temporary) as journal:
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
            work = sum(number for name, number in writer.numbers.items() if name not in _SETTLED_WHILE_PLANNING)
            new_look = NewLook(
                sequence=look.sequence + 1,
                after=look.job_id,
                chosen_by=chosen_by(job.source, job.connector),
                volumes=dict(end.volumes),
                documents=scratch.known_documents,
                held=writer.numbers.get("hold", 0),
            )
            last = PlanEnd(
                listed=scratch.count(),
                complete=end.complete,
                lines=sum(writer.numbers.values()),
                work=work,
                gaps=end.gaps[:_GAPS_TOLD],
                gaps_total=len(end.gaps),
                look=new_look,
            )
            journal.append([last.as_dict()])
    except apsw.InterruptError:
        job.controls.checkpoint()  # raises: that is why the statement was ended
        raise
    finally:
        scratch.close()
        older.close()
    writer.remember_rejections()
    temporary.rename(job.paths.plan)
    sync_folder(job.paths.folder)
    job.workspace.looks.save(look_after(look, new_look, complete=end.complete, job_id=job.manifest.job_id))
    ListingScratch.discard(job.paths.listing)
    job.log.event("info", "planned", complete=end.complete, **writer.numbers)


class _PlanWriter:
    """Gathers plan lines and the outcomes that follow from the plan alone, and writes them in blocks."""

    def __init__(self, job: JobContext, ruleset: str) -> None:
        self._job = job
        self._ruleset = ruleset
        self._lines: list[bytes] = []
        self._settled: list[bytes] = []
        self._rejected: list[LocationRow] = []
        self._at = rfc3339_now()
        self._counts: dict[OutcomeName, int] = {}
        self._skipped = 0
        self._unchanged = Outcome("", "", "unchanged", "same_fingerprint", self._at, phase="list").as_dict()
        self.numbers: dict[str, int] = {}

    def add(self, action: PlanLine, journal: Journal) -> None:
        if action.action == "skip" and not action.detail:
            self._add_unchanged(action)
        else:
            self._add_other(action)
        if len(self._lines) >= _LINES_AT_ONCE:
            self.flush(journal)

    def _add_unchanged(self, action: PlanLine) -> None:
        """The same two lines as `_add_other` writes, spelled out: nearly all items of most syncs come this way."""
        outcome = self._unchanged | {
            "uri": action.uri,
            "key": action.key,
            "document_id": action.document_id,
            "bytes": action.size,
        }
        self._lines.append(encode_line(action.as_short_dict()))
        self._settled.append(encode_line(outcome))
        self._skipped += 1

    def _add_other(self, action: PlanLine) -> None:
        self._lines.append(encode_line(action.as_dict()))
        self.numbers[action.action] = self.numbers.get(action.action, 0) + 1
        name = settled_as(action.action, action.refusal)
        if name is not None:
            outcome = Outcome(
                action.uri,
                action.key,
                name,
                action.refusal or action.reason,
                self._at,
                action.detail,
                QUARANTINE_HINT if action.action == "quarantine" else "",
                document_id=action.document_id,
                bytes=action.size,
                phase="list",
            )
            self._settled.append(encode_line(outcome.as_dict()))
            if name == "failed":
                self._job.outcomes.count([outcome])
            else:
                self._counts[name] = self._counts.get(name, 0) + 1
            if name == "rejected":
                ruleset = HELD if action.action == "hold" else self._ruleset
                self._rejected.append(_rejection(self._job, action, ruleset, self._at))

    def flush(self, journal: Journal) -> None:
        self._job.controls.checkpoint()
        journal.append_lines(b"".join(self._lines), durable=False)
        self._job.outcomes.append_lines(b"".join(self._settled), durable=False)
        self._lines.clear()
        self._settled.clear()
        self._job.manifest.counters.count("unchanged", self._skipped)
        self.numbers["skip"] = self.numbers.get("skip", 0) + self._skipped
        self._skipped = 0
        for name, number in self._counts.items():
            self._job.manifest.counters.count(name, number)
        self._counts.clear()

    def remember_rejections(self) -> None:
        """Let the catalogue know what the listing alone ruled out, so that `doc explain` can tell."""
        self._job.outcomes.sync()
        if not self._rejected:
            return
        catalogue = self._job.workspace.open_catalogue()
        try:
            with self._job.committing(catalogue) as writer:
                known = catalogue.locations(self._job.source.source_id, (row.key for row in self._rejected))
                change = StoreChange(at=rfc3339_now(), by=self._job.manifest.job_id)
                for row in self._rejected:
                    change.put_location(_as_known(row, known.get(row.key)))
                writer.carry_out(change)
        finally:
            catalogue.close()


def settled_as(action: str, refusal: str) -> OutcomeName | None:
    """Return the outcome that follows from the plan alone: what is held though it is listed is left out."""
    return "rejected" if action == "hold" and refusal else _SETTLED_WHILE_PLANNING.get(action)


def _as_known(row: LocationRow, known: LocationRow | None) -> LocationRow:
    """Return a rejection of an item that is known: its document stays with it, and under what it was refused first."""
    if known is None:
        return row
    was_refused_so = (known.outcome, known.reason) == (row.outcome, row.reason)
    return row._replace(
        document_id=known.document_id,
        version=known.version,
        removed_sha256=known.removed_sha256,
        removed_content_hash=known.removed_content_hash,
        ruleset=known.ruleset if was_refused_so and row.ruleset != HELD else row.ruleset,
    )


def _rejection(job: JobContext, action: PlanLine, ruleset: str, at: str) -> LocationRow:
    return LocationRow(
        job.source.source_id,
        action.key,
        action.uri,
        job.source.collection_id,
        None,
        action.fingerprint,
        action.size,
        action.modified_ns,
        "rejected",
        action.refusal or action.reason,
        action.detail,
        ruleset,
        job.manifest.job_id,
        at,
        None,
    )


def _report_listing(job: JobContext, end: PlanEnd) -> None:
    """Put into the manifest how the listing went, as the plan says; an earlier attempt may have made it."""
    job.manifest.counters.descriptors_listed = end.listed
    if job.manifest.phases["list"].state != "done":
        job.meter.start("list")
        job.meter.advance("list", end.listed)
        job.meter.done("list")
    for key, message in end.gaps:
        warning = f"{gap_name(key)}: {safe_display(message)}"
        if warning not in job.manifest.warnings:
            job.manifest.warnings.append(warning)
    if not end.complete:
        error = _incomplete(job.source.source_id, end.gaps, end.gaps_total)
        job.keeper.note_error(error, phase="list")


def _incomplete(source_id: str, gaps: tuple[tuple[str, str], ...], total: int) -> SourceAccessError:
    key, message = gaps[0] if gaps else ("", "the source stopped early")
    place = f"{gap_name(key)}: " if gaps else ""
    more = f" (and {total - 1} more places)" if total > 1 else ""
    return SourceAccessError(
        f"the listing is not complete: {place}{safe_display(message)}{more}; nothing was retired",
        hint=gap_remedy(message, source_id, is_whole=not key) if gaps else _EARLY_END_HINT,
        code="listing_incomplete",
    )


def totals_of_plan(job: JobContext, finished_keys: set[str], *, superseded: bool) -> PlanEnd:
    """Set the totals of the phases from the plan, count what an earlier attempt did, note what is held for a person.

    Returns the last line of the plan, which says how the listing went. Nothing is held by a plan that is superseded.
    """
    items = size = held = done = done_size = 0
    reason = ""
    remote = job.connector is not None and job.connector.capabilities.remote
    workload = job.meter.workload = Workload(job.source.extraction.backend, remote)
    for line in job.controls.between_checkpoints(work_lines(job.paths.plan)):
        if line.action == "ingest":
            items += 1
            size += line.size or 0
            if line.key in finished_keys:
                done += 1
                done_size += line.size or 0
            else:
                workload.add(line.key, line.size or 0)
        elif line.action == "hold" and not superseded:
            held += 1
            reason = line.reason
    end = plan_end(job.paths.plan)
    _report_listing(job, end)
    job.manifest.held = None
    if held:
        known = _known_documents(job)
        job.manifest.held = HeldDeletions(documents=held, known=known, reason=reason)
    for phase in ("stage", "extract", "commit"):
        job.meter.start(phase, total=items, bytes_total=size)
        job.meter.advance(phase, done, done_size)
    job.keeper.save_state()
    return end


def _known_documents(job: JobContext) -> int:
    catalogue = job.workspace.open_catalogue()
    try:
        return catalogue.count_places_with_documents(job.source.source_id)
    finally:
        catalogue.close()


def remove_leftover_plan(job: JobContext) -> None:
    """Start over when the plan never became whole: its outcomes go with it."""
    os.truncate(job.paths.outcomes, 0)
