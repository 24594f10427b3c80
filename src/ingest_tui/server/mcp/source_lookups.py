"""The tools that tell how far sources can be relied on, and why something is here or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest_tui.model.clock import moment_of, rfc3339, utc_now
from ingest_tui.server.mcp.answers import (
    ElsewhereAnswer,
    ExplainAnswer,
    ExplainedDocument,
    ExplainedEvent,
    FreshnessAnswer,
    HeldAnswer,
    JobAnswer,
    ListedSource,
    ProblemAnswer,
    ProblemItem,
    SourceAttention,
    SourcesAnswer,
)
from ingest_tui.server.mcp.arguments import ExplainArguments, FreshnessArguments, ListSourcesArguments
from ingest_tui.server.mcp.lookups import GivenUp
from ingest_tui.server.mcp.paging import begins_at, page_of
from ingest_tui.server.mcp.reach import Reach
from ingest_tui.server.mcp.safe_values import excerpt, shown_address, shown_name

if TYPE_CHECKING:
    from ingest_tui.model.job import Manifest
    from ingest_tui.services.documents.explain_answer import Explanation
    from ingest_tui.services.sources.health import SourceSummary

_MOST_SOURCES = 100_000
_MOST_NAMED = 20
_LONGEST_MESSAGE = 1_000
_GOOD = frozenset({"ingested", "unchanged", "duplicate", "moved"})
_CONCERN_ALL = frozenset({"no_worker", "queue_slow", "disk_low"})
"""What holds up every source."""


def list_sources(reach: Reach, given: ListSourcesArguments, given_up: GivenUp) -> SourcesAnswer:
    """Return the sources and how they are doing."""
    del given_up
    begin = begins_at(given.cursor, most=_MOST_SOURCES)
    page = page_of(reach.sources(), begin, given.limit, most=_MOST_SOURCES)
    return SourcesAnswer(sources=[_source(one) for one in page.items], next_cursor=page.next_cursor)


def _source(summary: SourceSummary) -> ListedSource:
    source = summary.source
    return ListedSource(
        source_id=source.source_id,
        name=shown_name(source.name),
        source_type=source.source_type,
        collection_id=source.collection_id,
        enabled=source.enabled,
        documents=summary.documents,
        health=shown_name(summary.health),
        last_complete_at=summary.last_complete_at,
        failing_since=summary.failing_since,
        next_run=summary.next_run,
        next_run_at=summary.next_run_at,
    )


def freshness(reach: Reach, given: FreshnessArguments, given_up: GivenUp) -> FreshnessAnswer:
    """Return how far a source can be relied on now, and what is pending."""
    del given_up
    summary = reach.source(given.source_id)
    source_id, now = summary.source.source_id, utc_now()
    looked = moment_of(summary.last_complete_at or "")
    job = summary.holding_job
    held = HeldAnswer(job_id=job.job_id, documents=job.held.documents) if job and job.held else None
    return FreshnessAnswer(
        source_id=source_id,
        collection_id=summary.source.collection_id,
        as_of=rfc3339(now),
        documents=summary.documents,
        last_complete_at=summary.last_complete_at,
        age_seconds=None if looked is None else max(0, round((now - looked).total_seconds())),
        failing_since=summary.failing_since,
        health=shown_name(summary.health),
        next_run=summary.next_run,
        next_run_at=summary.next_run_at,
        last_job=_job(reach, summary.last_job),
        active_job=_job(reach, summary.active_job),
        held_deletions=held,
        problems=_problems(reach, source_id),
        problem_items=_problem_items(reach, source_id),
        needs_attention=_attention(reach, source_id),
    )


def _job(reach: Reach, manifest: Manifest | None) -> JobAnswer | None:
    if manifest is None:
        return None
    return JobAnswer(
        job_id=manifest.job_id,
        state=str(manifest.state),
        created_at=manifest.created_at,
        finished_at=manifest.finished_at,
        percent=manifest.progress.percent,
        errors=manifest.errors_total,
        queue_position=reach.client.jobs.queue_positions().get(manifest.job_id),
    )


def _problems(reach: Reach, source_id: str) -> list[ProblemAnswer]:
    return [
        ProblemAnswer(outcome=one.outcome, reason=shown_name(one.reason), number=one.number, hint=one.hint)
        for one in reach.client.sources.outcomes(source_id)
        if one.outcome not in _GOOD
    ]


def _problem_items(reach: Reach, source_id: str) -> list[ProblemItem]:
    issues = reach.client.errors.list(kinds=("failed", "rejected", "empty"), source_id=source_id)
    return [
        ProblemItem(
            address=shown_address(one.uri),
            outcome=one.kind,
            reason=shown_name(one.reason),
            detail=excerpt(one.detail, _LONGEST_MESSAGE),
        )
        for one in issues[:_MOST_NAMED]
    ]


def _attention(reach: Reach, source_id: str) -> list[SourceAttention]:
    return [
        SourceAttention(level=one.level, code=one.code, message=excerpt(one.message, _LONGEST_MESSAGE), hint=one.hint)
        for one in reach.client.maintenance.attention()
        if one.source_id == source_id or one.code in _CONCERN_ALL
    ]


def explain(reach: Reach, given: ExplainArguments, given_up: GivenUp) -> ExplainAnswer:
    """Say why something is here, or is not."""
    del given_up
    found = reach.client.documents.explain(given.target, collection_id=reach.collection_id)
    document = found.document
    return ExplainAnswer(
        target=shown_address(found.target),
        here=found.here,
        stale=found.stale,
        reason=found.reason,
        verdict=excerpt(found.verdict, _LONGEST_MESSAGE),
        hint=excerpt(found.hint, _LONGEST_MESSAGE),
        source_id=found.source_id,
        collection_id=found.collection_id,
        document=None
        if document is None
        else ExplainedDocument(
            id=document.document_id,
            title=shown_name(document.title),
            url=shown_address(document.uri),
            version=document.version,
            state=document.state,
            updated_at=document.updated_at,
        ),
        events=[
            ExplainedEvent(
                at=one.at,
                what=one.what,
                reason=one.reason,
                detail=excerpt(one.detail, _LONGEST_MESSAGE),
                job_id=one.job_id,
            )
            for one in found.events[-_MOST_NAMED:]
        ],
        others=[_elsewhere(one) for one in found.others[:_MOST_NAMED]],
    )


def _elsewhere(found: Explanation) -> ElsewhereAnswer:
    return ElsewhereAnswer(**found.in_short())
