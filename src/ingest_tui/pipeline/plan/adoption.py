"""Documents that a person kept, and whose address a source lists again, become documents of that source."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing

from ingest_tui.model.batching import batches
from ingest_tui.model.clock import rfc3339_now
from ingest_tui.pipeline.job.context import JobContext
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.listing_scratch import ListingScratch
from ingest_tui.store.change import StoreChange
from ingest_tui.store.kept_places import Adoption, adopt_places

_BATCH = 200


def adopt_kept_documents(job: JobContext) -> None:
    """Give the source the kept places at addresses that its listing names. Called before the plan is made from it.

    They are then known as if the source had always listed them: what did not change is not fetched.
    """
    scratch = ListingScratch(job.paths.listing, resume=True)
    with closing(scratch), closing(job.workspace.open_catalogue()) as catalogue:
        _adopt(job, catalogue, scratch.kept_places(job.workspace.layout.catalogue, job.source.collection_id))


def adopt_kept_members(
    job: JobContext, container_uri: str, listed_key: str, members: Iterable[tuple[str, str]]
) -> None:
    """Give the source the kept places at the addresses of members that a container has; ``members``: keys and uris.

    No listing names them: called when the container was read, before they are taken in.
    """
    kept = job.reading.kept_members(job.source.collection_id, container_uri)
    adoptions = (Adoption(kept_key, key, uri, listed_key) for key, uri in members for kept_key in kept.get(uri, ()))
    with closing(job.workspace.open_catalogue()) as catalogue:
        _adopt(job, catalogue, adoptions)


def _adopt(job: JobContext, catalogue: Catalogue, adoptions: Iterable[Adoption]) -> None:
    adopted = 0
    for batch in batches(adoptions, _BATCH):
        job.controls.checkpoint()
        with job.committing(catalogue) as writer:
            change = StoreChange(at=rfc3339_now(), by=job.manifest.job_id)
            adopted += adopt_places(change, catalogue, job.source.source_id, batch)
            writer.carry_out(change)
    if adopted:
        job.log.event("info", "took over documents that were kept", documents=adopted)
