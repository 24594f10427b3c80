"""A workspace: opened, made, checked. The root from which every store hangs."""

from __future__ import annotations

import getpass
import os
import socket
import stat
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ByteSize, ConfigDict, Field

from ingest_tui.model.clock import rfc3339
from ingest_tui.model.collection import DEFAULT_COLLECTION, Collection
from ingest_tui.model.errors import NotFoundError, RefusedError
from ingest_tui.model.naming import safe_display
from ingest_tui.store.atomic import FOLDER_MODE, make_folder
from ingest_tui.store.audit import AuditLog
from ingest_tui.store.catalogue import Catalogue
from ingest_tui.store.jobs import JobStore
from ingest_tui.store.layout import Layout
from ingest_tui.store.records import read_record, write_record
from ingest_tui.store.sources import CollectionStore, SourceStore

SCHEMA_VERSION = 1


class TimeLimits(BaseModel):
    """How long a parser may be silent, and take in all, for one type of file; None: as for all types."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    silence_seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    total_seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)


class Settings(BaseModel):
    """workspace.json: what holds for the whole workspace."""

    model_config = ConfigDict(extra="ignore")

    schema_version: int = SCHEMA_VERSION
    created_at: str = ""
    max_running_jobs: int = Field(default=3, ge=1, le=64)
    parser_processes: int = Field(default=0, ge=0, le=64, description="0: one for each core")
    parser_memory: ByteSize = Field(default=ByteSize(2_147_483_648), gt=0)
    parser_silence_seconds: float = Field(default=60, gt=0)
    parser_total_seconds: float = Field(default=600, gt=0)
    parser_limits_by_type: dict[str, TimeLimits] = Field(default_factory=dict)
    rescan_seconds: float = Field(default=60, gt=0)
    stable_seconds: float = Field(default=2, ge=0)
    mass_deletion_items: int = Field(default=10, ge=1)
    mass_deletion_share: float = Field(default=0.5, ge=0, le=1)
    trash_days: int = Field(default=30, ge=0)


class Workspace:
    """An open workspace."""

    def __init__(self, root: Path, settings: Settings) -> None:
        self.layout = Layout(root)
        self.settings = settings
        self.sources = SourceStore(self.layout)
        self.collections = CollectionStore(self.layout)
        self.jobs = JobStore(self.layout)
        self.audit = AuditLog(self.layout)

    @property
    def root(self) -> Path:
        """The folder of the workspace, absolute."""
        return self.layout.root

    @cached_property
    def catalogue(self) -> Catalogue:
        """The catalogue for reading and writing; opened when first used, for this thread only."""
        return self.open_catalogue()

    def open_catalogue(self) -> Catalogue:
        """Open another connection to the catalogue, for another thread."""
        return Catalogue(self.layout.catalogue)

    def close(self) -> None:
        """Close what was opened."""
        if "catalogue" in self.__dict__:
            self.catalogue.close()
            del self.__dict__["catalogue"]


def open_workspace_at(root: Path) -> Workspace:
    """Open an existing workspace; raises `NotFoundError` when there is none, `RefusedError` when it is not safe."""
    root = Path(os.path.abspath(root))  # noqa: PTH100 - resolve() would follow a link that people named on purpose
    layout = Layout(root)
    if not layout.settings.exists():
        raise NotFoundError(
            f"there is no workspace in {safe_display(str(root))}",
            hint="'ingest-tui init' makes one; --workspace DIR or INGEST_TUI_WORKSPACE names another",
        )
    _check_owner(root)
    settings = read_record(layout.settings, Settings, newest=SCHEMA_VERSION, what="the workspace")
    return Workspace(root, settings)


def init_workspace(root: Path) -> tuple[Workspace, bool]:
    """Make a workspace in ``root``, or open the one that is there; returns it and whether it is new."""
    root = Path(os.path.abspath(root))  # noqa: PTH100
    layout = Layout(root)
    if layout.settings.exists():
        return open_workspace_at(root), False
    make_folder(root, durable=True)
    if root.stat().st_uid == os.getuid():
        root.chmod(FOLDER_MODE)
    _check_owner(root)
    for folder in layout.folders:
        make_folder(folder)
    now = rfc3339(datetime.now(UTC))
    collections = CollectionStore(layout)
    if not collections.exists(DEFAULT_COLLECTION):
        collections.save(Collection(collection_id=DEFAULT_COLLECTION, name="Default", created_at=now, updated_at=now))
    settings = Settings(created_at=now)
    write_record(layout.settings, settings)
    return Workspace(root, settings), True


def _check_owner(root: Path) -> None:
    mode = root.stat().st_mode
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise RefusedError(
            f"the workspace {safe_display(str(root))} can be written by other users",
            hint=f"chmod 700 {safe_display(str(root))}",
        )


def requester() -> str:
    """Return ``user@host`` for audit lines and manifests."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
