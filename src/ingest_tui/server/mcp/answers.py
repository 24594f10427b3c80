"""What the tools return. The schemas that clients see are made of these; times are RFC 3339, UTC."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ingest_tui.server.mcp.safe_values import NOTICE


class ToolAnswer(BaseModel):
    """The structured content of a result."""

    model_config = ConfigDict(frozen=True)


class QuotingAnswer(ToolAnswer):
    """An answer that quotes what came from outside."""

    untrusted: Literal[True] = Field(default=True, description="it quotes documents that nobody has checked")
    notice: str = NOTICE


class HitFreshness(ToolAnswer):
    """How sure it is that a hit is what its source has now."""

    updated_at: str = Field(description="when this text came in")
    source_last_complete_at: str | None = Field(description="when its source was last seen whole")
    status: str = Field(description="searchable; failed: the last look failed, this is the last good version; or empty")


class HitAnswer(ToolAnswer):
    """A document that was found, by its best passage."""

    id: str = Field(description="for fetch")
    title: str
    url: str
    text: str = Field(description="an excerpt")
    heading: str
    page: int | None = Field(description="of the original, where it has pages")
    offset: int | None = Field(description="where the passage begins in the text, for fetch")
    score: float | None = Field(description="null where only filters were asked for")
    version: int
    collection_id: str
    source_id: str
    media_type: str
    freshness: HitFreshness


class HitsAnswer(QuotingAnswer):
    """The best hits, best first."""

    results: list[HitAnswer]
    next_cursor: str | None
    hints: list[str] = Field(description="what may be wrong with the query, or what to do where nothing was found")


class FetchMetadata(ToolAnswer):
    """What is known of a document besides its text."""

    media_type: str
    file_name: str
    collection_id: str
    source_id: str
    updated_at: str
    current_version: int


class FetchAnswer(QuotingAnswer):
    """A part of the text of a document."""

    id: str
    title: str
    url: str
    version: int
    offset: int
    next_offset: int | None = Field(description="where the next page begins; null at the end")
    total_characters: int
    metadata: FetchMetadata
    text: str


class ListedSource(ToolAnswer):
    """A source and how it is doing."""

    source_id: str
    name: str
    source_type: str
    collection_id: str
    enabled: bool
    documents: int
    health: str
    last_complete_at: str | None = Field(description="when it was last seen whole")
    failing_since: str | None
    next_run: str = Field(description="what starts the next sync")
    next_run_at: str | None


class SourcesAnswer(QuotingAnswer):
    """Sources by their ids."""

    sources: list[ListedSource]
    next_cursor: str | None


class JobAnswer(ToolAnswer):
    """A job in short."""

    job_id: str
    state: str
    created_at: str
    finished_at: str | None
    percent: float | None
    errors: int
    queue_position: int | None


class HeldAnswer(ToolAnswer):
    """Deletions that wait for a person."""

    job_id: str
    documents: int


class ProblemAnswer(ToolAnswer):
    """How many items of a source have the same problem."""

    outcome: str
    reason: str
    number: int
    hint: str


class ProblemItem(ToolAnswer):
    """An item that is not here, or not as it is at its source."""

    address: str
    outcome: str
    reason: str
    detail: str


class SourceAttention(ToolAnswer):
    """What a person has to see to."""

    level: str
    code: str
    message: str
    hint: str


class FreshnessAnswer(QuotingAnswer):
    """How far a source can be relied on now, and what is pending."""

    source_id: str
    collection_id: str
    as_of: str
    documents: int
    last_complete_at: str | None = Field(description="when it was last seen whole; null: never, or long ago")
    age_seconds: int | None = Field(description="since then")
    failing_since: str | None
    health: str
    next_run: str
    next_run_at: str | None
    last_job: JobAnswer | None
    active_job: JobAnswer | None = Field(description="what runs or waits")
    held_deletions: HeldAnswer | None
    problems: list[ProblemAnswer]
    problem_items: list[ProblemItem] = Field(description="the newest of them")
    needs_attention: list[SourceAttention]


class ExplainedDocument(ToolAnswer):
    """The document that an explanation is about."""

    id: str
    title: str
    url: str
    version: int
    state: str
    updated_at: str


class ExplainedEvent(ToolAnswer):
    """What a job noted about it."""

    at: str
    what: str
    reason: str
    detail: str
    job_id: str


class ElsewhereAnswer(ToolAnswer):
    """What another source says of the same place."""

    source_id: str
    collection_id: str
    document_id: str | None
    here: bool
    stale: bool
    reason: str
    verdict: str
    hint: str


class ExplainAnswer(QuotingAnswer):
    """Why something is here, or is not."""

    target: str
    here: bool
    stale: bool = Field(description="it is here, but not as it is at its source")
    reason: str = Field(description="a stable code")
    verdict: str
    hint: str
    source_id: str
    collection_id: str
    document: ExplainedDocument | None
    events: list[ExplainedEvent] = Field(description="the newest, oldest first")
    others: list[ElsewhereAnswer]


class SyncAnswer(ToolAnswer):
    """The job that syncs a source."""

    job_id: str
    state: str
    is_new: bool = Field(description="false: one waited already, and does it")
    has_worker: bool = Field(description="whether somebody works the queue off")


class ApproveAnswer(ToolAnswer):
    """The job that carries the deletions out."""

    job_id: str
    state: str
    documents: int
    has_worker: bool


class WithdrawAnswer(ToolAnswer):
    """The job that holds the deletions again."""

    job_id: str
    documents: int


class IgnoreAnswer(ToolAnswer):
    """How many items are not shown any more."""

    ignored: int
