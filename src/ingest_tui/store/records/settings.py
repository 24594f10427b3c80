"""workspace.json: the settings of a workspace, and changing one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ByteSize, ConfigDict, Field

from ingest_tui.store.layout import Layout
from ingest_tui.store.records.json_files import read_json, write_json
from ingest_tui.store.records.record_file import changing_settings
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
    parser_processes: int = Field(default=0, ge=0, le=64, description="0: one for each core")
    parser_memory: ByteSize = Field(default=ByteSize(2_147_483_648), gt=0)
    parser_silence_seconds: float = Field(default=60, gt=0)
    parser_total_seconds: float = Field(default=600, gt=0)
    parser_base_memory: ByteSize = Field(default=ByteSize(805_306_368), gt=0)
    parser_memory_per_megabyte: ByteSize = Field(default=ByteSize(1_073_741_824), ge=0)
    parser_base_cpu_seconds: float = Field(default=15, gt=0)
    parser_cpu_seconds_per_megabyte: float = Field(default=20, ge=0)
    parser_limits_by_type: dict[str, TypeLimits] = Field(default_factory=dict)
    rescan_seconds: float = Field(default=60, gt=0)
    remote_rescan_seconds: float = Field(default=900, gt=0)
    stable_seconds: float = Field(default=2, ge=0)
    hold_items: int = Field(default=10, ge=0)
    hold_share: float = Field(default=0.1, ge=0, le=1)
    hold_always_share: float = Field(default=0.5, ge=0, le=1)
    mass_deletion_items: int | None = Field(default=None, ge=1)
    mass_deletion_share: float | None = Field(default=None, ge=0, le=1)
    trash_days: int = Field(default=30, ge=0)
    disk_reserve: ByteSize | None = Field(
        default=None, ge=0, description="bytes kept free; unset: 500 MB, or 5 % of a disk below 10 GB"
    )
    calls_per_credential: int = Field(default=32, ge=1, le=1024)
    allow_network_filesystem: bool = False


def change_setting(layout: Layout, name: str, *, value: bool | str) -> None:
    """Change one setting and leave alone what else is in workspace.json, known or not."""
    with changing_settings(layout):
        settings = read_json(layout.settings, newest=SCHEMA_VERSION, what="the workspace")
        if settings.get(name) != value:
            write_json(layout.settings, settings | {name: value, "revision": settings_revision(settings) + 1})


def settings_revision(settings: Mapping[str, Any]) -> int:
    """Return how often workspace.json was saved; 0 where nobody has counted."""
    revision = settings.get("revision", 0)
    return revision if isinstance(revision, int) else 0
