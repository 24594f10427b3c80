"""What a finished plan says of its job: how the listing went, how much is to be done, what is held."""

from __future__ import annotations

from ingest_tui.model.counted import counted
from ingest_tui.model.errors import SourceAccessError
from ingest_tui.model.gap_remedies import gap_remedy
from ingest_tui.model.job import HeldDeletions
from ingest_tui.model.plan_line import PlanEnd
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.volumes import gap_name
from ingest_tui.pipeline.job.context import JobContext
from ingest_tui.pipeline.job.workload import Workload
from ingest_tui.store.records.plan_file import plan_end, work_lines

_EARLY_END_HINT = "sync again; 'ingest-tui source test SOURCE' shows whether the source can be listed to its end"


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
        job.manifest.held = HeldDeletions(documents=held, known=known, reason=reason, is_remote=remote)
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
    more = f" (and {counted(total - 1, 'more place')})" if total > 1 else ""
    return SourceAccessError(
        f"the listing is not complete: {place}{safe_display(message)}{more}; nothing was retired",
        hint=gap_remedy(message, source_id, is_whole=not key) if gaps else _EARLY_END_HINT,
        code="listing_incomplete",
    )
