"""Documents that a person kept, and whose address a source lists again, become documents of that source."""

from __future__ import annotations

from contextlib import closing

from ingest_tui.model.batching import batches
from ingest_tui.model.clock import rfc3339_now
from ingest_tui.pipeline.job.context import JobContext
from ingest_tui.store.catalogue.listing_scratch import ListingScratch
from ingest_tui.store.change import StoreChange
from ingest_tui.store.kept_places import adopt_places

_BATCH = 200


def adopt_kept_documents(job: JobContext) -> None:
    """Give the source the kept places at addresses that its listing names. Called before the plan is made from it.

    They are then known as if the source had always listed them: what did not change is not fetched.
    """
    source, adopted = job.source, 0
    scratch = ListingScratch(job.paths.listing, resume=True)
    with closing(scratch), closing(job.workspace.open_catalogue()) as catalogue:
        adoptions = scratch.kept_places(job.workspace.layout.catalogue, source.collection_id)
        for batch in batches(adoptions, _BATCH):
            job.controls.checkpoint()
            with job.committing(catalogue) as writer:
                change = StoreChange(at=rfc3339_now(), by=job.manifest.job_id)
                adopted += adopt_places(change, catalogue, source.source_id, batch)
                writer.carry_out(change)
    if adopted:
        job.log.event("info", "took over documents that were kept", documents=adopted)
