"""A job that embeds, from beginning to end: in the generation that answers, or in the next one, which it builds."""

from __future__ import annotations

from ingest_tui.model.counted import counted
from ingest_tui.model.generation import Generation, GenerationState
from ingest_tui.model.job import EMBED, JobState, Phase, end_state
from ingest_tui.model.job_counters import Counters
from ingest_tui.pipeline.embed.due import DueDocuments, due_since
from ingest_tui.pipeline.embed.embedding import embed_due
from ingest_tui.pipeline.embed.generations import generation_to_build, generation_to_follow, mark_ready, switch_to
from ingest_tui.pipeline.job.context import JobContext
from ingest_tui.pipeline.job.recovery import count_finished

_ROUNDS = 20
"""A collection that always changes is switched all the same: what is due then is due in the generation before too."""


def run_embedding(job: JobContext) -> JobState:
    """Embed what is due, from wherever an earlier attempt left it; returns the state that the outcomes give the job."""
    manifest = job.manifest
    manifest.counters = Counters()
    manifest.phases = {EMBED: Phase()}
    manifest.errors.clear()
    manifest.errors_total = 0
    generation = generation_to_build(job) if manifest.builds_generation else generation_to_follow(job)
    finished = count_finished(job)
    manifest.counters.descriptors_listed = len(finished)
    if generation is None:  # an earlier attempt has switched to it
        job.meter.start(EMBED, total=0)
    elif manifest.builds_generation:
        _build(job, generation, finished)
    else:
        embed_due(job, generation, finished, everything=bool(manifest.options.get("all")))
    job.meter.done(EMBED)
    return end_state(manifest, listing_complete=True)


def _build(job: JobContext, generation: Generation, finished: set[str]) -> None:
    """Embed everything that a generation lacks, and switch to it when it is complete, if that was asked for.

    Documents that change meanwhile are embedded in both: here in the next round, in the generation that answers by jobs
    of their own.
    """
    options = job.manifest.options
    everything = bool(options.get("all")) or generation.state is GenerationState.BUILDING
    for rounds_left in reversed(range(_ROUNDS)):
        due = embed_due(job, generation, finished, everything=everything)
        everything = False
        if rounds_left and due_since(job.reading, job.manifest.collection_id, due).has_any:
            continue
        is_complete = not job.manifest.counters.items_failed
        if is_complete:
            mark_ready(job, generation)
        if not options.get("switch"):
            return
        if not (is_complete or options.get("incomplete")):
            _keep_old_one(job, generation)
            return
        if _switched(job, generation, due, anyway=not rounds_left):
            return


def _switched(job: JobContext, generation: Generation, due: DueDocuments, *, anyway: bool) -> bool:
    """Switch to a generation unless something has changed since it was completed; returns whether it answers now."""
    collection_id = job.manifest.collection_id
    with job.committing(job.reading):
        if not anyway and due_since(job.reading, collection_id, due).has_any:
            return False
        switch_to(job.workspace, collection_id, generation.number, by=job.manifest.requested_by)
    job.log.event("info", "the generation answers from now on", generation=generation.number)
    return True


def _keep_old_one(job: JobContext, generation: Generation) -> None:
    failed, name = job.manifest.counters.items_failed, job.manifest.collection_id
    job.manifest.warnings.append(
        f"not switched to generation {generation.number}: "
        f"{counted(failed, 'document has', 'documents have')} chunks without vectors; "
        f"'ingest-tui reembed {name} --switch' switches all the same"
    )
