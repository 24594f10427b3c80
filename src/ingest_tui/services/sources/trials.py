"""Trying settings before they are saved: are they right, does the source answer, what would be taken, where to look."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

import pydantic

from ingest_tui.connectors.base import BaseConnector, Place, TestStep
from ingest_tui.connectors.containment import of_one_source
from ingest_tui.connectors.registry import connector_class
from ingest_tui.extraction.intake.admission import known_types
from ingest_tui.extraction.schemas.schema_file import absolute_schema_path, schema_of
from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage
from ingest_tui.model.errors import IngestError, NotFoundError, UsageError, ValidationError
from ingest_tui.model.identifiers import slug
from ingest_tui.model.invalid_values import NEEDED, invalid_fields
from ingest_tui.model.plan import NOT_LOOKED_INTO
from ingest_tui.model.source import Source
from ingest_tui.model.volumes import gap_name
from ingest_tui.pipeline.connecting import connect, connection, registry_for
from ingest_tui.pipeline.plan.source_listing import admit
from ingest_tui.services.sources.draft_settings import (
    joined_settings,
    problems_of_parts,
    settings_in_parts,
    without_parts,
)
from ingest_tui.services.sources.sources import (
    add_source,
    check_backends,
    check_new_name,
    connector_config_model,
    edit_source,
)
from ingest_tui.store.workspace import Workspace

PREVIEW_ITEMS = 1000
LEFT_OUT = "left_out"
_TRIAL = "trial"
_PATTERNS = ("include", "exclude")
_LOOKED_AT_FOR_ONE = 10
_LOOKED_FOR_GAPS_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class SourceDraft:
    """A source as a form has it. ``common`` are further arguments of `add_source` by name, such as ``max_size``.

    ``source_id`` names the source that is being edited, ``based_on`` is that source as it was read; None for a new one.
    """

    source_type: str
    name: str
    config: dict[str, Any]
    common: dict[str, Any] = field(default_factory=dict)
    source_id: str | None = None
    based_on: Source | None = field(default=None, repr=False)

    @property
    def is_renamed(self) -> bool:
        """Whether the source that is being edited gets another name."""
        return self.based_on is not None and self.name != self.based_on.name


class PreviewItem(NamedTuple):
    """An item of the listing: taken, or left out with its reason."""

    key: str
    size: int | None
    modified_ns: int | None
    taken: bool
    reason: str = ""
    detail: str = ""


def source_problems(workspace: Workspace, draft: SourceDraft) -> dict[str, str]:
    """Return what is wrong with a draft, by the name of the setting; empty: it can be saved. No network.

    What belongs to no single setting is under the name of the first one that must be given.
    """
    problems: dict[str, str] = {}
    if draft.source_id is None or draft.is_renamed:
        problems |= _problems_of_name(workspace, draft)
    model = connector_config_model(draft.source_type)
    required = next((name for name, info in model.model_fields.items() if info.is_required()), "")
    config_problems = _problems_of(lambda: model.model_validate(draft.config), required)
    source: Source | None = None
    common = dict(draft.common)
    problems |= _problems_of_common(workspace, common) | problems_of_parts(workspace, common)
    with contextlib.suppress(pydantic.ValidationError):
        source = _source(draft, common)
    if source is None:
        problems |= _problems_of(lambda: _source(draft, common), "")
    else:
        problems |= _problems_of_reading(source)
    problems |= config_problems
    if source is not None and not config_problems:
        try:
            with of_one_source(draft.name):
                connect(workspace, source).validate_config()
        except IngestError as error:
            about = "credential" if isinstance(error, NotFoundError) else required
            problems[error.context.get("setting", about)] = _problem_of(error)
    return problems


def _problems_of_common(workspace: Workspace, common: dict[str, Any]) -> dict[str, str]:
    """Bring settings that every source has into their form; what is wrong is taken out, and returned."""
    problems: dict[str, str] = {}
    for name in ("allow_types", "deny_types"):
        try:
            common[name] = known_types(common.get(name, ()))
        except IngestError as error:
            problems[name] = _problem_of(error)
            common.pop(name, None)
    try:
        common["schema_file"] = absolute_schema_path(str(common.get("schema_file") or ""))
    except IngestError as error:
        problems["schema_file"] = _problem_of(error)
        common.pop("schema_file")
    try:
        workspace.collections.get(common.get("collection_id", "default"))
    except IngestError as error:
        problems["collection_id"] = _problem_of(error)
    return problems


def _problems_of_reading(source: Source) -> dict[str, str]:
    problems: dict[str, str] = {}
    for setting, check in (("backend", check_backends), ("schema_file", schema_of)):
        try:
            check(source)
        except (IngestError, ValueError) as error:
            problems[setting] = _problem_of(error)
    return problems


def _problems_of_name(workspace: Workspace, draft: SourceDraft) -> dict[str, str]:
    name = draft.name.strip()
    if not name and draft.source_id is None:
        return {"name": NEEDED}
    try:
        if draft.source_id is None:
            slug(name)
        check_new_name(workspace, draft.source_id, name)
    except IngestError as error:
        return {"name": _problem_of(error)}
    return {}


def _problems_of(validate: Any, general: str) -> dict[str, str]:
    try:
        validate()
    except pydantic.ValidationError as error:
        return invalid_fields(error, general=general)
    return {}


def _problem_of(error: Exception) -> str:
    return error.message if isinstance(error, IngestError) else str(error)


def _source(draft: SourceDraft, common: Mapping[str, Any]) -> Source:
    """Return the source that a draft describes, under a name that nothing keeps."""
    return Source.model_validate(
        {name: value for name, value in _fields_of(common).items() if value is not None}
        | {"source_id": draft.source_id or _TRIAL, "name": draft.name, "source_type": draft.source_type}
        | {"source_config": draft.config}
    )


def _fields_of(common: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of `Source` that the settings of a draft are: its backends are in one of them.

    What is not part of trying a source is left out: see `joined_settings`.
    """
    values = without_parts(common)
    if values.keys() & {"backend", "by_type"}:
        values["extraction"] = {"backend": values.pop("backend", None), "by_type": values.pop("by_type", None) or {}}
    return values


def draft_of(workspace: Workspace, source_id: str) -> SourceDraft:
    """Return a source of the workspace as a draft; raises `NotFoundError`."""
    return draft_from(workspace.sources.get(source_id))


def draft_from(source: Source) -> SourceDraft:
    """Return a source as a draft."""
    common = {
        "collection_id": source.collection_id,
        "max_size": int(source.max_size),
        "watch": source.watch,
        "priority": source.priority,
        "since": source.since,
        "allow_types": source.allow_types,
        "deny_types": source.deny_types,
        "schema_file": source.schema_file,
        "schema_violations": source.schema_violations,
        "containers": source.containers,
        "attachments": source.attachments,
        "ocr": source.ocr,
        "ocr_languages": source.ocr_languages,
        "ocr_engine": source.ocr_engine,
        "hold_items": source.hold_items,
        "hold_share": source.hold_share,
        "hold_always_share": source.hold_always_share,
        "backend": source.extraction.backend,
        "by_type": source.extraction.by_type,
    } | settings_in_parts(source)
    return SourceDraft(source.source_type, source.name, source.source_config, common, source.source_id, source)


def save_draft(workspace: Workspace, draft: SourceDraft) -> Source:
    """Add a source, or change the one that the draft names; raises `ConflictError` where that has changed since."""
    common = _fields_of(draft.common) | joined_settings(draft.common, draft.based_on)
    if draft.source_id is None:
        return add_source(workspace, source_type=draft.source_type, name=draft.name, config=draft.config, **common)
    if draft.is_renamed:
        common["name"] = draft.name
    return edit_source(
        workspace,
        draft.source_id,
        config=draft.config,
        based_on=draft.based_on,
        keeps_others=draft.based_on is None,
        **common,
    )


def trial_source(draft: SourceDraft) -> Source:
    """Return a draft as a source that is not saved; raises `ValidationError` for settings that cannot work."""
    common = dict(draft.common)
    for name in ("allow_types", "deny_types"):
        common[name] = known_types(common.get(name, ()))
    try:
        return _source(draft, common)
    except pydantic.ValidationError as error:
        problems = _problems_of(lambda: _source(draft, common), "settings")
        problem_list = "; ".join(f"{name}: {text}" for name, text in problems.items())
        raise ValidationError(problem_list or type(error).__name__, hint="correct the settings") from None


def test_draft(workspace: Workspace, draft: SourceDraft) -> Iterator[TestStep]:
    """Yield the steps of trying settings that are not saved yet, each with its result and time."""
    with of_one_source(draft.name), connection(workspace, trial_source(draft)) as connector:
        yield from connector.test_steps()


test_draft.__test__ = False  # type: ignore[attr-defined] # an action of ours, not a test


def browse_for_settings(
    workspace: Workspace, source_type: str, config: dict[str, Any], path: str = ""
) -> Iterator[Place]:
    """Yield the places to choose from while the settings are made: folders, buckets, libraries; lazily."""
    connector_config_model(source_type)
    try:
        with of_one_source(source_type):
            yield from connector_class(source_type).browse_for_settings(config, path, registry_for(workspace))
    except pydantic.ValidationError as error:
        raise UsageError(f"the settings are not complete: {error.error_count()} are missing or wrong") from None


def settings_of_place(source_type: str, config: dict[str, Any], path: str) -> dict[str, Any]:
    """Return the settings that make a source of a place that `browse_for_settings` yielded; empty where none do."""
    with of_one_source(source_type):
        return connector_class(source_type).settings_of_place(config, path)


def preview_draft(workspace: Workspace, draft: SourceDraft, *, limit: int = PREVIEW_ITEMS) -> Iterator[PreviewItem]:
    """Yield the first items that a sync would look at, as they are listed; then the first that patterns leave out.

    Places that cannot be looked into come between, as far as they are found within a second. At most ``limit`` of each;
    nothing is fetched. What only the bytes can show, shows itself in the sync.
    Raises `SourceAccessError` when the source cannot be listed.
    """
    limit = min(limit, sys.maxsize // _LOOKED_AT_FOR_ONE)
    source = trial_source(draft)
    with of_one_source(draft.name):
        with connection(workspace, source) as connector:
            yield from _taken(connector, source, limit)
        wider = {name: value for name, value in draft.config.items() if name not in _PATTERNS}
        if wider == draft.config:
            return
        with connection(workspace, source.model_copy(update={"source_config": wider})) as without_patterns:
            yield from _left_out(without_patterns, connector, source, limit)


def _taken(connector: BaseConnector, source: Source, limit: int) -> Iterator[PreviewItem]:
    asyncio.run(connector.authenticate())
    sample = _Sample(connector, source)
    for descriptor in islice(sample, limit):
        yield _item(descriptor, *(descriptor.refusal or ("", "")))
    for key, why in sample.gaps_found_soon():
        yield PreviewItem(
            key or gap_name(key),
            None,
            None,
            taken=False,
            reason=NOT_LOOKED_INTO,
            detail=f"cannot be looked into: {why}",
        )


def _left_out(
    without_patterns: BaseConnector, connector: BaseConnector, source: Source, limit: int
) -> Iterator[PreviewItem]:
    looked_at = islice(_Sample(without_patterns, source), limit * _LOOKED_AT_FOR_ONE)
    explained = ((descriptor, connector.explain_left_out(descriptor.key)) for descriptor in looked_at)
    for descriptor, why in islice(((one, why) for one, why in explained if why), limit):
        yield _item(descriptor, LEFT_OUT, why)


class _Sample:
    """The items of a source as they are listed, and how that ended if it was seen."""

    def __init__(self, connector: BaseConnector, source: Source) -> None:
        self._sample = connector.sample()
        self._source = source
        self._remote = connector.capabilities.remote
        self._end: ListingEnd | None = None

    def __iter__(self) -> Iterator[Descriptor]:
        return self

    def __next__(self) -> Descriptor:
        try:
            descriptor = next(self._sample)
        except StopIteration as end:
            self._end = end.value if isinstance(end.value, ListingEnd) else self._end
            raise StopIteration from None
        return admit(ListingPage([descriptor]), self._source).descriptors[0]

    def gaps_found_soon(self) -> tuple[tuple[str, str], ...]:
        """Return the places that cannot be looked into, of a source without a network as far as a second shows."""
        deadline = time.monotonic() + _LOOKED_FOR_GAPS_SECONDS
        if not self._remote:
            for _descriptor in self:
                if time.monotonic() > deadline:
                    break
        return self._end.gaps if self._end is not None else ()


def _item(descriptor: Descriptor, reason: str, detail: str) -> PreviewItem:
    return PreviewItem(descriptor.key, descriptor.size, descriptor.modified_ns, not reason, reason, detail)
