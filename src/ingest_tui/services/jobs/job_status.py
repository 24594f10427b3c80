"""The state of jobs as programs ask for it: the manifest, and where the job queues."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice

from ingest_tui.model.job import IngestionStatusResponse, Manifest
from ingest_tui.model.job_order import job_order
from ingest_tui.services.jobs.jobs import as_it_is, get_job, queue_positions
from ingest_tui.store.workspace import Workspace


def status(workspace: Workspace, job_id: str) -> IngestionStatusResponse:
    """Return the state of a job as the status response of the contract."""
    manifest = get_job(workspace, job_id)
    return status_response(manifest, workspace.jobs.queue_position(manifest.job_id))


def watched_statuses(workspace: Workspace, *, newest: int, also: Collection[str] = ()) -> list[IngestionStatusResponse]:
    """Return the newest jobs, all that have not ended, and those of ``also``: what changes is among them.

    A job whose manifest is lost or damaged is passed over.
    """
    ids = dict.fromkeys([*workspace.jobs.ids()[:newest], *workspace.jobs.queued_ids(), *also])
    positions = queue_positions(workspace)
    jobs = (as_it_is(workspace, manifest) for manifest in workspace.jobs.readable(list(ids)))
    return [status_response(job, positions.get(job.job_id)) for job in jobs]


def status_response(manifest: Manifest, queue_position: int | None) -> IngestionStatusResponse:
    """Return a manifest, with its place in the queue, as the status response."""
    values = {name: getattr(manifest, name) for name in IngestionStatusResponse.model_fields if hasattr(manifest, name)}
    return IngestionStatusResponse(queue_position=queue_position, **values)


def page_of_statuses(
    workspace: Workspace,
    *,
    states: Collection[str] = (),
    source_id: str | None = None,
    collection_id: str | None = None,
    kind: str | None = None,
    before: str | None = None,
    limit: int = 50,
) -> list[IngestionStatusResponse]:
    """Return jobs, newest first; ``before``: only those that are older than the job of that id.

    A job whose manifest is lost or damaged is passed over.
    """
    positions = queue_positions(workspace)

    def chosen() -> Iterator[Manifest]:
        ids = workspace.jobs.ids()
        older = ids if before is None else [one for one in ids if job_order(one) < job_order(before)]
        for manifest in workspace.jobs.readable(older):
            job = as_it_is(workspace, manifest)
            is_asked_for = source_id in {None, job.source_id} and collection_id in {None, job.collection_id}
            if is_asked_for and kind in {None, job.kind} and (not states or job.state in states):
                yield job

    return [status_response(job, positions.get(job.job_id)) for job in islice(chosen(), limit)]
