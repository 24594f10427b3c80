"""The tools that change the workspace. They leave requests and the audit names who asked; a worker does the rest."""

from __future__ import annotations

from ingest_tui.model.errors import NotFoundError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.server.mcp.answers import ApproveAnswer, IgnoreAnswer, SyncAnswer, WithdrawAnswer
from ingest_tui.server.mcp.arguments import ApproveArguments, IgnoreArguments, SyncArguments, WithdrawArguments
from ingest_tui.server.mcp.lookups import GivenUp
from ingest_tui.server.mcp.reach import Reach
from ingest_tui.server.routes.jobs import WORKING_MODES


def sync(reach: Reach, given: SyncArguments, given_up: GivenUp) -> SyncAnswer:
    """Queue a sync of a source."""
    del given_up
    reach.check_may_write()
    source_id = reach.source(given.source_id).source.source_id
    requested = reach.client.sources.request_sync(source_id, force=given.force)
    job = requested.manifest
    return SyncAnswer(job_id=job.job_id, state=str(job.state), is_new=requested.is_new, has_worker=_has_worker(reach))


def approve(reach: Reach, given: ApproveArguments, given_up: GivenUp) -> ApproveAnswer:
    """Approve the deletions that a job holds."""
    del given_up
    reach.check_may_write()
    held = reach.job(given.job_id)
    job = reach.client.jobs.approve(held.job_id)
    documents = held.held.documents if held.held else 0
    return ApproveAnswer(job_id=job.job_id, state=str(job.state), documents=documents, has_worker=_has_worker(reach))


def withdraw(reach: Reach, given: WithdrawArguments, given_up: GivenUp) -> WithdrawAnswer:
    """Take an approval back that no worker has acted on."""
    del given_up
    reach.check_may_write()
    job = reach.client.jobs.withdraw(reach.job(given.job_id).job_id)
    return WithdrawAnswer(job_id=job.job_id, documents=job.held.documents if job.held else 0)


def ignore(reach: Reach, given: IgnoreArguments, given_up: GivenUp) -> IgnoreAnswer:
    """Show items of a source as problems no more, until they change or something else is wrong with them."""
    del given_up
    reach.check_may_write()
    source_id = reach.source(given.source_id).source.source_id
    issues = reach.client.errors.list(source_id=source_id)
    chosen = []
    for wanted in dict.fromkeys(given.addresses):
        there = [one for one in issues if wanted in {one.uri, one.key}]
        if not there:
            raise NotFoundError(
                f"source {source_id!r} has no problem at '{safe_display(wanted, limit=200)}'",
                hint="the tool freshness returns the addresses of problem_items",
            )
        chosen += there
    return IgnoreAnswer(ignored=reach.client.errors.ignore(chosen))


def _has_worker(reach: Reach) -> bool:
    return any(worker.mode in WORKING_MODES for worker in reach.client.workers.list())
