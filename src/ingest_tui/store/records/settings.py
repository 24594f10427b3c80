"""workspace.json: the settings of a workspace, and changing one of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, get_origin

import pydantic
from pydantic import BaseModel, ByteSize, ConfigDict, Field, field_validator

from ingest_tui.model.attachments import AttachmentsSetting
from ingest_tui.model.clock import days
from ingest_tui.model.errors import ValidationError
from ingest_tui.model.invalid_values import refusal_in_words
from ingest_tui.model.job_end_hook import JobEndHook
from ingest_tui.model.ocr import OcrEngineName, OcrMode, check_languages
from ingest_tui.model.retention import RetentionPolicy
from ingest_tui.model.source import DEFAULT_MAX_SIZE, LARGEST_SIZE
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.json_files import read_json, write_json
from ingest_tui.store.records.record_file import changing_settings
from ingest_tui.store.records.rotated_log import LogLimit
from ingest_tui.store.upgrade import SCHEMA_VERSION


class TypeLimits(BaseModel):
    """What a parser may use for one type of file, whatever the size of the file; None: as for all types."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    silence_seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    total_seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    cpu_seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    memory: ByteSize | None = Field(default=None, gt=0)


class Settings(BaseModel):
    """workspace.json: what holds for the whole workspace."""

    model_config = ConfigDict(extra="ignore")

    schema_version: int = SCHEMA_VERSION
    revision: int = Field(default=0, ge=0, description="counts the times it was saved")
    created_at: str = ""
    max_running_jobs: int = Field(default=3, ge=1, le=64)
    max_embedding_jobs: int = Field(default=3, ge=1, le=64)
    parser_processes: int = Field(default=0, ge=0, le=64, description="0: as many as cores and memory allow")
    parser_memory: ByteSize = Field(default=ByteSize(2_147_483_648), gt=0)
    parser_silence_seconds: float = Field(default=60, gt=0)
    parser_total_seconds: float = Field(default=600, gt=0)
    parser_base_memory: ByteSize = Field(default=ByteSize(805_306_368), gt=0)
    parser_memory_per_megabyte: ByteSize = Field(default=ByteSize(1_073_741_824), ge=0)
    parser_base_cpu_seconds: float = Field(default=15, gt=0)
    parser_cpu_seconds_per_megabyte: float = Field(default=20, ge=0)
    parser_limits_by_type: dict[str, TypeLimits] = Field(default_factory=dict)
    ocr: OcrMode = "never"
    ocr_languages: str = "eng"
    ocr_engine: OcrEngineName = "tesseract"
    ocr_total_seconds: float = Field(default=3600, gt=0, description="for a file that may be read by OCR")
    attachments: AttachmentsSetting = "inline"
    rescan_seconds: float = Field(default=60, gt=0)
    remote_rescan_seconds: float = Field(default=900, gt=0)
    stable_seconds: float = Field(default=2, ge=0)
    hold_items: int = Field(default=10, ge=0)
    hold_share: float = Field(default=0.1, ge=0, le=1)
    hold_always_share: float = Field(default=0.5, ge=0, le=1)
    mass_deletion_items: int | None = Field(default=None, ge=1)
    mass_deletion_share: float | None = Field(default=None, ge=0, le=1)
    upload_max_size: ByteSize = Field(default=ByteSize(DEFAULT_MAX_SIZE), gt=0, le=LARGEST_SIZE)
    trash_days: int = Field(default=30, ge=0)
    keep_versions: int | None = Field(default=None, ge=1)
    version_days: int | None = Field(default=None, ge=0)
    job_days: int | None = Field(default=90, ge=0)
    keep_jobs: int = Field(default=20, ge=1, description="of each source, however old they are")
    job_log_days: int | None = Field(default=None, ge=0)
    log_size: ByteSize = Field(default=ByteSize(10_000_000), ge=4096, description="of one file, before it is put aside")
    log_files: int = Field(default=5, ge=1, le=1000, description="of one log, the one that grows too")
    disk_reserve: ByteSize | None = Field(
        default=None, ge=0, description="bytes kept free; unset: 500 MB, or 5 % of a disk below 10 GB"
    )
    on_job_end: tuple[JobEndHook, ...] = Field(default=(), description="commands and webhooks; docs/operations.md")
    calls_per_credential: int = Field(default=32, ge=1, le=1024)
    allow_network_filesystem: bool = False
    server_tokens_made: bool = Field(default=False, description="the HTTP server asks for tokens, whether any are left")

    @property
    def log_limit(self) -> LogLimit:
        """How large the logs of jobs and of the worker grow."""
        return LogLimit(int(self.log_size), self.log_files)

    @property
    def retention(self) -> RetentionPolicy:
        """What is kept where a collection says nothing else."""
        return RetentionPolicy(
            trash=days(self.trash_days),
            keep_versions=self.keep_versions,
            versions=_days_or_none(self.version_days),
            jobs=_days_or_none(self.job_days),
            keep_jobs=self.keep_jobs,
            job_logs=_days_or_none(self.job_log_days),
        )

    @field_validator("ocr_languages")
    @classmethod
    def _are_languages(cls, value: str) -> str:
        return check_languages(value)


def _days_or_none(number: int | None) -> timedelta | None:
    return None if number is None else days(number)


ENVIRONMENT_PREFIX = "INGEST_TUI_"
_KEPT_BY_THE_PROGRAM = {"schema_version", "revision", "created_at", "server_tokens_made"}
SETTING_NAMES = tuple(name for name in Settings.model_fields if name not in _KEPT_BY_THE_PROGRAM)
"""What a person may set."""


def variable_of(name: str) -> str:
    """Return the environment variable that takes precedence over a setting in workspace.json."""
    return f"{ENVIRONMENT_PREFIX}{name.upper()}"


def value_of_text(name: str, text: str) -> Any:
    """Return what a person has written for a setting, not yet validated: JSON for lists and objects, ``null`` for none.

    Raises `ValidationError` where JSON is needed and is none.
    """
    if text.strip() == "null":
        return None
    if get_origin(Settings.model_fields[name].annotation) not in {dict, tuple}:
        return text.strip()
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValidationError(f"{name}: must be JSON: {error}") from None


def checked_settings(settings: Settings, values: Mapping[str, Any], *, named: Callable[[str], str] = str) -> Settings:
    """Return settings with other values. Raises `ValidationError` with what is wrong; ``named`` says how to name it."""
    try:
        return Settings.model_validate({**settings.model_dump(), **values})
    except pydantic.ValidationError as error:
        name = next((str(one["loc"][0]) for one in error.errors() if one["loc"]), "")
        words = refusal_in_words(error).removeprefix(f"{name}: ")
        raise ValidationError(
            f"{named(name)}: {words}", hint="'ingest-tui config list' shows what each setting takes"
        ) from None


def with_environment(settings: Settings, environment: Mapping[str, str]) -> Settings:
    """Return settings as the environment wants them: ``INGEST_TUI_<NAME>`` takes precedence over workspace.json.

    Raises `ValidationError` that names the variable.
    """
    given = {name: environment[variable_of(name)] for name in SETTING_NAMES if variable_of(name) in environment}
    if not given:
        return settings
    values = {name: value_of_text(name, text) for name, text in given.items()}
    return checked_settings(settings, values, named=variable_of)


def remove_setting(layout: Layout, name: str) -> None:
    """Leave a setting as it is by default, and alone what else is in workspace.json."""
    with changing_settings(layout):
        settings = read_json(layout.settings, newest=SCHEMA_VERSION, what="the workspace")
        if name in settings:
            kept = {key: value for key, value in settings.items() if key != name}
            write_json(layout.settings, kept | {"revision": settings_revision(settings) + 1})


def change_setting(layout: Layout, name: str, *, value: Any) -> None:
    """Change one setting and leave alone what else is in workspace.json, known or not. ``value`` as JSON has it."""
    with changing_settings(layout):
        settings = read_json(layout.settings, newest=SCHEMA_VERSION, what="the workspace")
        if settings.get(name) != value:
            write_json(layout.settings, settings | {name: value, "revision": settings_revision(settings) + 1})


def setting_of(layout: Layout, name: str) -> Any:
    """Return one setting as it is in workspace.json now, None where it is not there; for those no worker reads."""
    return read_json(layout.settings, newest=SCHEMA_VERSION, what="the workspace").get(name)


def settings_written(layout: Layout) -> set[str]:
    """Return the names of what is in workspace.json, known or not."""
    return set(read_json(layout.settings, newest=SCHEMA_VERSION, what="the workspace"))


def settings_revision(settings: Mapping[str, Any]) -> int:
    """Return how often workspace.json was saved; 0 where nobody has counted."""
    revision = settings.get("revision", 0)
    return revision if isinstance(revision, int) else 0
