"""Sources: what there is, how it is doing, and what a sync of it would do."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import islice
from typing import Any

from pydantic import Field

from ingest_tui.model.access_token import ADMIN, WRITE
from ingest_tui.model.attachments import AttachmentsSetting
from ingest_tui.model.errors import NotFoundError
from ingest_tui.model.ocr import OCR_SETTINGS, OcrEngineName, OcrMode, lack_in_words
from ingest_tui.model.plan_line import PlanLine
from ingest_tui.model.source import ContainersSetting, Source
from ingest_tui.server.endpoint import (
    LONG_SECONDS,
    Answer,
    AnyEndpoint,
    Body,
    Call,
    HttpEndpoint,
    NoBody,
    Params,
    Reply,
)
from ingest_tui.server.etags import check_match, etag_of
from ingest_tui.server.pages import USUAL_LIMIT, Page, PageParams, closing_all, number_cursor, page_at
from ingest_tui.server.routes.jobs import QueuedJob, queued_job
from ingest_tui.server.values import Identifier
from ingest_tui.services.sources.trials import PreviewItem

_TAG = "sources"
PREVIEW_ITEMS = 100
PLAN_ITEMS = 10_000
"""Of one part: each part lists the source again."""
_OF_WORKSPACE = {"ocr", "ocr_engine", "attachments", "hold_items", "hold_share", "hold_always_share"}
"""Settings that are those of the workspace where a source has none."""
_MAY_BE_NONE = {"schedule", "since"} | _OF_WORKSPACE
_NOT_FIELDS = {"source_config", "preferences"}


class SourceParams(Params):
    """Which source."""

    source_id: Identifier


class RemoveParams(SourceParams):
    """How a source is removed."""

    keep_documents: bool = Field(default=False, description="leave its documents searchable")


class PlanParams(SourceParams, PageParams):
    """Which part of the plan of a source."""

    limit: int = Field(default=USUAL_LIMIT, ge=1, le=PLAN_ITEMS, description="how many at most")
    force: bool = Field(default=False, description="as a sync that reads everything again")


class PreviewParams(SourceParams):
    """How much of a source is looked at."""

    limit: int = Field(default=PREVIEW_ITEMS, ge=1, le=1000)


class SourceAnswer(Answer):
    """A source and how it is doing; `settings` is its record, without `source_config` below admin."""

    source_id: str
    collection_id: str
    documents: int
    last_job_id: str | None
    last_state: str | None
    last_complete_at: str | None
    failing_since: str | None
    level: str
    health: str
    next_run: str
    next_run_at: str | None
    embedding: str
    last_job_at: str | None
    text_columns: list[str]
    context_columns: list[str]
    settings: Source


class SourceAnswers(Answer):
    """All sources, by identifier; ``unreadable``: whose record is damaged."""

    items: list[SourceAnswer]
    unreadable: list[str]


class SourceSettings(Body):
    """What a source is told; what is left out is as usual, or as it was."""

    source_config: dict[str, Any] | None = Field(default=None, description="settings of its connector: path, bucket, …")
    collection_id: Identifier | None = None
    enabled: bool | None = None
    watch: bool | None = None
    schedule: dict[str, str] | None = Field(default=None, description="every or cron, tz, jitter, quiet_hours")
    priority: int | None = Field(default=None, ge=0, le=1000)
    max_size: int | None = Field(default=None, ge=1, le=2**53, description="bytes")
    since: str | None = Field(default=None, max_length=32, description="a day: 2026-01-31")
    allow_types: list[str] | None = None
    deny_types: list[str] | None = None
    ocr: OcrMode | None = Field(default=None, description="null: as the workspace says, as for the next ones")
    ocr_languages: str | None = Field(default=None, max_length=200, description="eng+deu; empty: as the workspace says")
    ocr_engine: OcrEngineName | None = None
    attachments: AttachmentsSetting | None = None
    containers: ContainersSetting | None = None
    hold_items: int | None = Field(default=None, ge=0, description="hold deletions of more documents than this …")
    hold_share: float | None = Field(default=None, ge=0, le=1, description="… that are more than this share")
    hold_always_share: float | None = Field(default=None, ge=0, le=1, description="hold more than this share always")
    preferences: dict[str, Any] | None = Field(default=None, description="in place of those of its collection")

    def changes(self) -> dict[str, Any]:
        """Return the fields of a source that were given."""
        given = self.model_dump(exclude_unset=True, include=set(SourceSettings.model_fields) - _NOT_FIELDS)
        return {name: value for name, value in given.items() if value is not None or name in _MAY_BE_NONE}


class NewSource(SourceSettings):
    """A source to add. ``source_path`` is the old form of a folder: `source_config` takes precedence over it."""

    name: str = Field(min_length=1, max_length=200)
    source_type: str = Field(default="local", max_length=64)
    source_path: str | None = Field(default=None, max_length=4096, json_schema_extra={"deprecated": True})

    @property
    def config(self) -> dict[str, Any]:
        """The settings of its connector."""
        return config_given(self.source_config, self.source_path)


class EditedSource(SourceSettings):
    """What changes of a source; `source_config` is merged into what it has."""

    name: str | None = Field(default=None, min_length=1, max_length=200)
    unset: list[str] = Field(default_factory=list, description="preferences that are those of its collection again")


class RemovedSource(Answer):
    """What went with a source."""

    source_id: str
    retired: int


class TrialStep(Answer):
    """A step of trying a source."""

    step: str
    ok: bool
    message: str
    hint: str
    milliseconds: float


class Trial(Answer):
    """Whether a source can be used."""

    ok: bool
    steps: list[TrialStep]


class PreviewedItem(Answer):
    """An item that a sync would look at; ``reason``: why it would not be taken."""

    key: str
    size: int | None
    modified_ns: int | None
    taken: bool
    reason: str
    detail: str


class PreviewAnswer(Answer):
    """The first items of a source."""

    items: list[PreviewedItem]


class PlannedAction(Answer):
    """What a sync would do with an item, and why."""

    action: str
    reason: str
    key: str
    uri: str
    detail: str
    size: int | None
    document_id: str | None
    from_key: str | None
    fingerprint: str = ""
    modified_ns: int | None = None
    metadata: dict[str, str] | None = None
    version: int | None = None
    refusal: str = ""
    container: str = ""


class SyncBody(Body):
    """How a source is synced."""

    force: bool = Field(default=False, description="read and extract everything again")


def config_given(config: dict[str, Any] | None, path: str | None) -> dict[str, Any]:
    """Return the settings of a connector: those that are given, else the folder of the old form."""
    if config is not None:
        return dict(config)
    return {} if path is None else {"path": path}


def warn_of_both(config: dict[str, Any] | None, path: str | None) -> None:
    """Warn of a request that has the old form, too."""
    both = config is not None and path is not None
    if both:
        warnings.warn("both source_path and source_config are given; source_config is used", stacklevel=2)


def warn_of_missing_ocr(lack: tuple[str, str] | None) -> None:
    """Warn of what OCR lacks on this machine for what was chosen."""
    if lack is not None:
        warnings.warn(lack_in_words(lack, "the machine of the server"), stacklevel=2)


def source_for(call: Call[Any, Any], source_id: str) -> Source:
    """Return a source that the caller sees; raises `NotFoundError`."""
    found = call.client.sources.get(source_id)
    call.caller.check_sees(found.collection_id, f"source {source_id!r}")
    return found


def list_sources(call: Call[Params, NoBody]) -> SourceAnswers:
    """List the sources, and how they are doing."""
    summaries = call.client.sources.list()
    items = [_state(call, one) for one in summaries if call.caller.sees(one.source.collection_id)]
    unreadable = call.client.sources.unreadable() if call.caller.collection_id is None else []
    return SourceAnswers(items=items, unreadable=unreadable)


def get_source(call: Call[SourceParams, NoBody]) -> Reply:
    """Return a source, and how it is doing."""
    return _answer(call, source_for(call, call.params.source_id))


def add_source(call: Call[Params, NewSource]) -> Reply:
    """Add a source. It is not synced yet."""
    body = call.body
    warn_of_both(body.source_config, body.source_path)
    source = call.client.sources.add(
        source_type=body.source_type, name=body.name, config=body.config,
        preferences=body.preferences, **{"collection_id": "default"} | body.changes(),
    )  # fmt: skip
    warn_of_missing_ocr(call.client.sources.missing_for_ocr(source))
    answer = _answer(call, source)
    headers = {**answer.headers, "Location": f"/sources/{source.source_id}"}
    return Reply(answer.value, 201, headers)


def edit_source(call: Call[SourceParams, EditedSource]) -> Reply:
    """Change settings of a source.

    With If-Match, only while it is as it was read; without, what others change meanwhile is kept.
    """
    body = call.body
    seen = source_for(call, call.params.source_id)
    is_matched = check_match(call.headers, seen, f"source {seen.source_id!r}")
    changes = body.changes()
    if body.name is not None:
        changes["name"] = body.name
    edited = call.client.sources.edit(
        seen.source_id, config=body.source_config, based_on=seen, keeps_others=not is_matched,
        preferences=body.preferences, unset=body.unset, **changes,
    )  # fmt: skip
    if any(getattr(seen, name) != getattr(edited, name) for name in OCR_SETTINGS):
        warn_of_missing_ocr(call.client.sources.missing_for_ocr(edited))
    return _answer(call, edited)


def remove_source(call: Call[RemoveParams, NoBody]) -> RemovedSource:
    """Remove a source, and retire its documents to the trash unless they are kept."""
    seen = source_for(call, call.params.source_id)
    check_match(call.headers, seen, f"source {seen.source_id!r}")
    retired = call.client.sources.remove(seen.source_id, keep_documents=call.params.keep_documents, based_on=seen)
    return RemovedSource(source_id=seen.source_id, retired=retired)


def test_source(call: Call[SourceParams, NoBody]) -> Trial:
    """Try a source: reach it, list, read one file."""
    source = source_for(call, call.params.source_id)
    steps = [
        TrialStep(step=one.name, ok=one.ok, message=one.message, hint=one.hint, milliseconds=one.milliseconds)
        for one in call.client.sources.test(source.source_id)
    ]
    return Trial(ok=all(one.ok for one in steps), steps=steps)


test_source.__test__ = False  # type: ignore[attr-defined] # an endpoint, not a test


def preview_source(call: Call[PreviewParams, NoBody]) -> PreviewAnswer:
    """Return the first items that a sync would look at, and which it leaves out, and why. Nothing is fetched."""
    source = source_for(call, call.params.source_id)
    draft = call.client.sources.draft_of(source.source_id)
    found: Iterator[PreviewItem] = call.client.sources.preview(draft, limit=call.params.limit)
    return PreviewAnswer(items=[PreviewedItem.model_validate(one._asdict()) for one in found])


def plan_source(call: Call[PlanParams, NoBody]) -> Page[PlannedAction]:
    """Return what a sync would do, and why, without fetching a byte. Each part lists the source again."""
    params = call.params
    source = source_for(call, params.source_id)
    offset = number_cursor(params.cursor)
    with closing_all(call.client.sources.plan(source.source_id, force=params.force)) as lines:
        found: list[PlanLine] = list(islice(lines, offset, offset + params.limit + 1))
    actions = [planned_action(one) for one in found]
    items, more = page_at(actions, params.limit, offset)
    return Page[PlannedAction](items=items, next_cursor=more)


def planned_action(line: PlanLine) -> PlannedAction:
    """Return a line of a plan."""
    return PlannedAction.model_validate(line._asdict())


def sync_source(call: Call[SourceParams, SyncBody]) -> Reply:
    """Queue a sync of a source, or join the one that waits already."""
    return queued_sync(call, source_for(call, call.params.source_id), force=call.body.force)


def queued_sync(call: Call[Any, Any], source: Source, *, force: bool) -> Reply:
    """Queue a sync, and answer with its job and where its state is; `Ingest-Joined` where it waited already."""
    requested = call.client.sources.request_sync(source.source_id, force=force)
    job_id = requested.manifest.job_id
    joined = {} if requested.is_new else {"Ingest-Joined": "yes"}
    return Reply(queued_job(call, job_id), 202, {"Location": f"/ingest/{job_id}", **joined})


def _state(call: Call[Any, Any], summary: Any) -> SourceAnswer:
    source: Source = summary.source
    job = summary.last_job
    return SourceAnswer(
        source_id=source.source_id,
        collection_id=source.collection_id,
        documents=summary.documents,
        last_job_id=job.job_id if job else None,
        last_state=job.state if job else None,
        last_job_at=job.updated_at if job else None,
        text_columns=list(summary.text_columns),
        context_columns=list(summary.context_columns),
        last_complete_at=summary.last_complete_at,
        failing_since=summary.failing_since,
        level=summary.level,
        health=summary.health,
        next_run=summary.next_run,
        next_run_at=summary.next_run_at,
        embedding=summary.embedding,
        settings=source if call.caller.may(ADMIN) else source.model_copy(update={"source_config": {}}),
    )


def _answer(call: Call[Any, Any], source: Source) -> Reply:
    """Return a source with its ETag; raises `NotFoundError` where somebody has removed it meanwhile."""
    summaries = call.client.sources.list()
    summary = next((one for one in summaries if one.source.source_id == source.source_id), None)
    if summary is None:
        raise NotFoundError(f"source {source.source_id!r} does not exist", hint="GET /sources lists them")
    return Reply(_state(call, summary), headers={"ETag": etag_of(summary.source)})


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    HttpEndpoint(
        method="GET", path="/sources", summary="The sources", tag=_TAG, handler=list_sources,
        params=Params, body=NoBody, answer=SourceAnswers,
    ),
    HttpEndpoint(
        method="POST", path="/sources", summary="Add a source", tag=_TAG, handler=add_source, seconds=LONG_SECONDS,
        params=Params, body=NewSource, answer=SourceAnswer, status=201, scope=ADMIN, problems=(424, 503),
        whole_workspace=True,
    ),
    HttpEndpoint(
        method="GET", path="/sources/{source_id}", summary="A source", tag=_TAG, handler=get_source,
        params=SourceParams, body=NoBody, answer=SourceAnswer,
    ),
    HttpEndpoint(
        method="PATCH", path="/sources/{source_id}", summary="Change a source", tag=_TAG,
        handler=edit_source, seconds=LONG_SECONDS,
        takes_if_match=True,
        params=SourceParams, body=EditedSource, answer=SourceAnswer, scope=ADMIN, problems=(424, 503),
    ),
    HttpEndpoint(
        method="DELETE", path="/sources/{source_id}", summary="Remove a source", tag=_TAG,
        handler=remove_source, seconds=LONG_SECONDS,
        takes_if_match=True,
        params=RemoveParams, body=NoBody, answer=RemovedSource, scope=ADMIN,
    ),
    HttpEndpoint(
        method="POST", path="/sources/{source_id}/test", summary="Try a source", tag=_TAG,
        handler=test_source, seconds=LONG_SECONDS,
        params=SourceParams, body=NoBody, answer=Trial, scope=WRITE, problems=(424, 503),
    ),
    HttpEndpoint(
        method="GET", path="/sources/{source_id}/preview", summary="What a source has", tag=_TAG,
        handler=preview_source, seconds=LONG_SECONDS,
        params=PreviewParams, body=NoBody, answer=PreviewAnswer, problems=(424, 503),
    ),
    HttpEndpoint(
        method="GET", path="/sources/{source_id}/plan", summary="What a sync would do", tag=_TAG,
        handler=plan_source, seconds=LONG_SECONDS,
        params=PlanParams, body=NoBody, answer=Page[PlannedAction], problems=(424, 503),
    ),
    HttpEndpoint(
        method="POST", path="/sources/{source_id}/sync", summary="Sync a source", tag=_TAG, handler=sync_source,
        params=SourceParams, body=SyncBody, answer=QueuedJob, status=202, scope=WRITE,
    ),
)  # fmt: skip
