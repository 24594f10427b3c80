"""List the source into a scratch database, before anything is decided."""

from __future__ import annotations

from datetime import UTC, date, datetime

from ingest_tui.connectors.base import Listing
from ingest_tui.extraction.intake.admission import NOT_ALLOWED, TypeFilter
from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage
from ingest_tui.model.errors import IngestError
from ingest_tui.model.keys import file_name_of
from ingest_tui.model.source import Source
from ingest_tui.pipeline.job.context import JobContext
from ingest_tui.pipeline.plan.deletions import chosen_by
from ingest_tui.store.catalogue.listing_scratch import ListingScratch
from ingest_tui.store.records.listing_cache import StoredMemory

TOO_OLD = "too_old"


def list_source(job: JobContext) -> ListingEnd:
    """List the source into the scratch database, continuing from the last kept page where the connector can."""
    connector = job.connector
    if connector is None:
        raise IngestError("this kind of job has no source to list", hint="report this as a bug")
    job.meter.start("list")
    job.keeper.save_state()
    scratch = ListingScratch(job.paths.listing, resume=connector.capabilities.resumes_listing)
    # A listing is not resumed under another choice.
    scratch.begin(chosen_by(job.source, connector, job.workspace.settings))
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
    """Refuse what the source does not take by name or age; what only the bytes show is for the parser."""
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
