"""A source: a type, its settings, and how its documents are to be taken in."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    ByteSize,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from ingest_tui.model.attachments import AttachmentsSetting
from ingest_tui.model.identifiers import check_identifier
from ingest_tui.model.ocr import OCR_SETTINGS, OcrEngineName, OcrMode
from ingest_tui.model.preference_overrides import OcrLanguages, Origin, Overriding, PreferenceOverrides
from ingest_tui.model.schedule import Schedule

SCHEMA_VERSION = 1
DEFAULT_MAX_SIZE = 50_000_000
LARGEST_SIZE = 2**53
"""Bytes: 9 PB, above the largest file of any file system here and what JSON readers keep exact."""
UPLOAD_SOURCE = "upload"
KEPT_SOURCE = "kept-documents"
"""Where documents are that a person keeps though no source lists them."""
REJECT_VIOLATIONS = "reject"
EMBEDDING_SOURCE = "embedding"
"""What jobs name as their source that embed a collection: they work on the documents of all its sources."""
RECHUNKING_SOURCE = "rechunking"
"""The same for jobs that cut the texts of a collection again."""
RESERVED_SOURCES = frozenset({UPLOAD_SOURCE, KEPT_SOURCE, EMBEDDING_SOURCE, RECHUNKING_SOURCE})
_PLACES = ("path", "repository", "remote", "bucket", "site", "host", "url", "uri")


ContainersSetting = Literal["documents", "refuse"]


class ExtractionSettings(BaseModel):
    """Which backend reads what: ``by_type`` (extension or media type) takes precedence over ``backend``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backend: str | None = None
    by_type: dict[str, str] = Field(default_factory=dict)


_PATTERNS = ("include", "exclude")
_TAKE_MORE = ("hidden", "recursive", "follow_symlinks")
"""Settings of connectors that take more when they are switched on."""


class Source(BaseModel):
    """One place that documents come from. ``source_config`` is checked by the connector of its type.

    ``schedule``: when it is synced by itself, whether it is watched or not; None: never.
    ``since``: what was last changed before that day (UTC) is not taken.
    ``allow_types`` (empty: all) and ``deny_types`` (takes precedence) are format names, extensions or media types.
    ``schema_file``: what its documents should be like, a JSON Schema or a Table Schema; empty for none. Violations are
    findings, or keep a document out.
    ``containers``: whether the members of archives are documents, or archives are refused.
    ``attachments``: what becomes of files that are attached to mails or embedded in PDFs; None: as in the workspace.
    ``ocr…``: whether pictures of text are read, in which languages (``eng+deu``), and by what; None or empty: as the
    workspace says. ``overrides``: further preferences of its collection that it chooses for itself.
    ``hold_…``: how many deletions at once wait for a person, see `HoldRule`; None: as in the workspace.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    former_fields: ClassVar[tuple[str, ...]] = ("source_path",)

    schema_version: int = SCHEMA_VERSION
    source_id: str
    name: str
    source_type: str
    source_config: dict[str, Any] = Field(default_factory=dict)
    collection_id: str = "default"
    enabled: bool = True
    watch: bool = False
    schedule: Schedule | None = None
    priority: int = Field(default=100, ge=0, le=1000)
    max_size: ByteSize = Field(default=ByteSize(DEFAULT_MAX_SIZE), gt=0, le=LARGEST_SIZE)
    since: date | None = None
    allow_types: tuple[str, ...] = ()
    deny_types: tuple[str, ...] = ()
    schema_file: str = ""
    schema_violations: Literal["report", "reject"] = "report"
    ocr: OcrMode | None = None
    ocr_languages: OcrLanguages = ""
    ocr_engine: OcrEngineName | None = None
    overrides: PreferenceOverrides = PreferenceOverrides()
    extraction: ExtractionSettings = Field(default_factory=ExtractionSettings)
    containers: ContainersSetting = "documents"
    attachments: AttachmentsSetting | None = None
    hold_items: int | None = Field(default=None, ge=0)
    hold_share: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    hold_always_share: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    created_at: str = ""
    updated_at: str = ""
    revision: int = Field(default=0, ge=0, description="counts the times it was saved")

    @field_validator("since", mode="before")
    @classmethod
    def _is_a_day(cls, value: Any) -> Any:
        try:
            return date.fromisoformat(value) if isinstance(value, str) else value
        except ValueError:
            raise ValueError("a day is written as 2026-01-31") from None

    @field_validator("max_size", mode="wrap")
    @classmethod
    def _is_a_size(cls, value: Any, check: ValidatorFunctionWrapHandler) -> Any:
        try:
            return check(value)
        except ValidationError:
            raise ValueError("a size is written as 50MB, from 1B to 9PB") from None

    @property
    def place(self) -> str:
        """Where the source is, for people: folder, repository with its branch, remote, bucket with its prefix, site."""
        config = self.source_config
        place = next((str(config[name]) for name in _PLACES if config.get(name)), self.source_type)
        if config.get("ref"):
            return f"{place}@{config['ref']}"
        return f"{place}/{config['prefix']}" if config.get("prefix") else place

    @property
    def overriding(self) -> Overriding:
        """What the source chooses in place of its collection, how it reads pictures too."""
        ocr = {name: getattr(self, name) for name in OCR_SETTINGS if getattr(self, name)}
        origin: Origin = "upload" if self.source_id == UPLOAD_SOURCE else "source"
        return Overriding(origin, self.overrides.model_copy(update=ocr))

    @field_validator("source_id", "collection_id")
    @classmethod
    def _identifiers_are_safe(cls, value: str) -> str:
        return check_identifier(value)

    @model_validator(mode="before")
    @classmethod
    def _accept_bare_path(cls, data: Any) -> Any:
        """Read the legacy form: a bare ``source_path`` is a directory source; ``source_config`` wins over it."""
        if not isinstance(data, dict) or "source_path" not in data:
            return data
        data = dict(data)
        path = data.pop("source_path")
        if data.get("source_config"):
            warnings.warn("both source_path and source_config are given; source_config is used", stacklevel=2)
        else:
            data["source_config"] = {"path": str(path)}
            data.setdefault("source_type", "directory")
        data.setdefault("source_type", "directory")
        return data


def may_take_less(before: Source, after: Source) -> bool:
    """Whether an edit may exclude what the source took; False only where it is certain that it takes as much or more.

    A pattern that begins with ``!`` turns the others round: then nothing is certain. A lower size limit excludes no
    document that is here already, but what has grown since; it counts as taking less.
    """
    if after.attachments not in {before.attachments, "documents"}:
        return True
    old, new = before.source_config, after.source_config
    changed = {name for name in {*old, *new} if old.get(name) != new.get(name)}
    switched_on = {name for name in changed if name in _TAKE_MORE and new.get(name) is True}
    if changed - switched_on - set(_PATTERNS):
        return True
    patterns = [*(old.get("exclude") or ()), *(new.get("exclude") or ())]
    patterns += [*(old.get("include") or ()), *(new.get("include") or ())]
    if changed & set(_PATTERNS) and any(str(pattern).startswith("!") for pattern in patterns):
        return True
    return not (
        _covers(new.get("include") or (), old.get("include") or ())
        and set(new.get("exclude") or ()) <= set(old.get("exclude") or ())
        and _covers(after.allow_types, before.allow_types)
        and set(after.deny_types) <= set(before.deny_types)
        and after.max_size >= before.max_size
        and (after.since is None or (before.since is not None and after.since <= before.since))
    )


def _covers(new: Sequence[str], old: Sequence[str]) -> bool:
    """Whether a list that chooses, and takes all when it is empty, takes what another one took."""
    return not new or (bool(old) and set(old) <= set(new))
