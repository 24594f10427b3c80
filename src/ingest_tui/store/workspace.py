"""A workspace: opened, made, checked. The root from which every store hangs."""

from __future__ import annotations

import getpass
import os
import pwd
import socket
import stat
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from weakref import WeakSet

from pydantic import BaseModel, ByteSize, ConfigDict, Field

from ingest_tui.model.clock import rfc3339
from ingest_tui.model.collection import DEFAULT_COLLECTION, Collection
from ingest_tui.model.errors import NotFoundError, RefusedError, StoreError, UsageError, ValidationError
from ingest_tui.model.naming import safe_display
from ingest_tui.model.unicode import as_unicode
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.known_good import open_known_good, open_known_good_to_read, version_folders
from ingest_tui.store.catalogue.opening import open_catalogue, open_catalogue_to_read
from ingest_tui.store.catalogue.rebuild_progress import ProgressListener, RebuildProgress, unheard
from ingest_tui.store.change import StoreWriter, committing, repair_if_free
from ingest_tui.store.documents import DocumentStore
from ingest_tui.store.fs.atomic import make_folder, refuse_linked_folder
from ingest_tui.store.fs.disk import ReserveFile, Room, room_in
from ingest_tui.store.fs.filesystem import filesystem_type, is_network
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.intents import IntentJournal
from ingest_tui.store.jobs import JobStore
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.audit import AuditLog
from ingest_tui.store.records.ignored_issues import IgnoredStore
from ingest_tui.store.records.json_files import read_json, read_record, write_json, write_record
from ingest_tui.store.records.looks import LookStore
from ingest_tui.store.records.record_file import changing_settings
from ingest_tui.store.records.sources import CollectionStore, SourceStore
from ingest_tui.store.upgrade import SCHEMA_VERSION

CREDENTIALS_VARIABLE = "INGEST_TUI_CREDENTIALS"
CREDENTIALS_FILE = "credentials.json"


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


class _Connections(threading.local):
    """The connections to the catalogue of one thread: SQLite refuses one that two threads use at once."""

    def __init__(self) -> None:
        self.by_use: dict[str, Catalogue] = {}


class Workspace:
    """An open workspace. ``credentials_path`` is the registry of credentials that belongs to it, there or not."""

    def __init__(self, root: Path, settings: Settings, credentials_path: Path | None = None) -> None:
        self.layout = Layout(root)
        self.credentials_path = credentials_path_of(root, credentials_path)
        self.settings = settings
        self.sources = SourceStore(self.layout)
        self.collections = CollectionStore(self.layout)
        self.ballast = ReserveFile(self.layout.ballast)
        self.jobs = JobStore(self.layout, self.ballast)
        self.audit = AuditLog(self.layout)
        self.ignored = IgnoredStore(self.layout)
        self.on_rebuild: ProgressListener = unheard
        """Hears of it when opening the catalogue makes it again; set by faces and workers."""
        self.is_read_only = False
        """Set by faces that were asked to write nothing: a catalogue that was lost is then refused, not rebuilt."""
        self._of_thread = _Connections()
        self._connections: WeakSet[Catalogue] = WeakSet()
        """Those of all threads; that of a thread which has ended is closed with it."""
        self.looks = LookStore(self.layout)

    @property
    def root(self) -> Path:
        """The folder of the workspace, absolute."""
        return self.layout.root

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue for reading and writing; each thread that asks for it has a connection of its own.

        Opened again when another file has taken the place of the one that was opened.
        """
        return self._of_this_thread("writing", self.open_catalogue)

    @property
    def reading(self) -> Catalogue:
        """The catalogue for reading only, on a full or read-only disk too; a connection for each thread."""
        return self._of_this_thread("reading", self.open_to_read)

    def _of_this_thread(self, use: str, make: Callable[[], Catalogue]) -> Catalogue:
        """Return the connection of this thread for one use, made when there is none to the file that is there now."""
        mine = self._of_thread.by_use
        if use in mine and mine[use].is_replaced:
            mine.pop(use).close()
        if use not in mine:
            mine[use] = make()
            self._connections.add(mine[use])
        return mine[use]

    def open_to_read(self) -> Catalogue:
        """Open another connection for reading only, on a full or read-only disk too; for another thread."""
        if self.is_read_only:
            return open_known_good_to_read(self.layout)
        return open_catalogue_to_read(self.layout, self._heard_by(unheard))

    def open_catalogue(self, on_rebuild: ProgressListener = unheard) -> Catalogue:
        """Open another connection to the catalogue, for another thread.

        A catalogue that was lost is made again first; ``on_rebuild`` hears of it, and that of the workspace.
        """
        if self.is_read_only:
            return open_known_good_to_read(self.layout)
        return open_catalogue(self.layout, self._heard_by(on_rebuild))

    def _heard_by(self, on_rebuild: ProgressListener) -> ProgressListener:
        def report(progress: RebuildProgress) -> None:
            on_rebuild(progress)
            self.on_rebuild(progress)
            if progress.ended:
                self._audit_rebuild(progress)

        return report

    def _audit_rebuild(self, progress: RebuildProgress) -> None:
        self.audit.add(
            at=rfc3339(datetime.now(UTC)),
            by=requester(),
            action="catalogue.rebuild",
            target=str(self.root),
            reason=progress.reason,
            documents=progress.documents,
            problems=progress.problems,
        )

    @cached_property
    def document_store(self) -> DocumentStore:
        """The folders of all documents; for all threads."""
        return DocumentStore(self.layout)

    def committing(
        self, catalogue: Catalogue | None = None, *, wait: Callable[[FileLock], None] | None = None
    ) -> AbstractContextManager[StoreWriter]:
        """Hold the commit lock, the only way to change catalogue and folders; see `store.change.committing`.

        ``catalogue`` is the connection of the calling thread, without it the one that was opened first.
        """
        return committing(self.layout, catalogue or self.catalogue, self.document_store, wait=wait)

    def has_unfinished_change(self) -> bool:
        """Whether a change of catalogue and folders is under way, or was left by a process that died."""
        return IntentJournal(self.layout).is_pending()

    def repair_if_free(self) -> None:
        """Finish or undo what a process that died left of a change, unless a living one is at it."""
        repair_if_free(self.layout, lambda: open_known_good(self.layout), self.document_store)

    def room(self) -> Room:
        """Return the room on the workspace's disk."""
        reserve = self.settings.disk_reserve
        return room_in(self.root, None if reserve is None else int(reserve))

    def close(self) -> None:
        """Close what was opened, by other threads too: none may be using it any more."""
        for opened in list(self._connections):
            opened.close()
        self._connections.clear()
        self._of_thread = _Connections()


def credentials_path_of(root: Path, named: Path | None = None) -> Path:
    """Return where the credentials are: as ``named``, as INGEST_TUI_CREDENTIALS says, or beside the workspace."""
    chosen = named or os.environ.get(CREDENTIALS_VARIABLE) or root.parent / CREDENTIALS_FILE
    return Path(os.path.abspath(chosen))  # noqa: PTH100 - resolve() would follow a link that people named on purpose


def open_workspace_at(root: Path, credentials_path: Path | None = None) -> Workspace:
    """Open an existing workspace.

    Raises `NotFoundError` when there is none, `RefusedError` when it is not safe, `ValidationError` for a path that is
    not UTF-8.
    """
    layout = Layout(_absolute(root))
    root = layout.root
    if not os.path.exists(layout.settings):  # noqa: PTH110 - says no, rather than raise, where a name is too long
        _refuse_without_settings(layout)
        raise NotFoundError(
            f"there is no workspace in {safe_display(str(root))}",
            hint="'ingest-tui init' makes one; --workspace DIR or INGEST_TUI_WORKSPACE names another",
        )
    _refuse_what_others_can_write(layout)
    settings = read_record(layout.settings, Settings, newest=SCHEMA_VERSION, what="the workspace")
    if not settings.allow_network_filesystem:
        _refuse_network_filesystem(root, root)
    workspace = Workspace(root, settings, credentials_path)
    workspace.repair_if_free()
    return workspace


def _refuse_without_settings(layout: Layout) -> None:
    """Raise `StoreError` for a folder that holds a workspace whose workspace.json is lost."""
    folders = (layout.sources, layout.documents, layout.queue)
    if os.path.exists(layout.catalogue) or all(map(os.path.exists, folders)):  # noqa: PTH110 - as above
        raise StoreError(
            f"{safe_display(str(layout.settings))} is missing, next to what belongs to a workspace",
            hint="restore it from a backup; 'ingest-tui init' makes one with default settings and keeps all the rest",
        )


def init_workspace(
    root: Path, credentials_path: Path | None = None, *, allow_network_filesystem: bool = False
) -> tuple[Workspace, bool]:
    """Make a workspace in ``root``, or open the one that is there; returns it and whether it is new.

    ``allow_network_filesystem`` puts the setting of that name into workspace.json, of an existing workspace too.
    """
    layout = Layout(_absolute(root))
    root = layout.root
    if layout.settings.exists():
        if allow_network_filesystem:
            _refuse_what_others_can_write(layout)
            _change_setting(layout, "allow_network_filesystem", value=True)
        return open_workspace_at(root, credentials_path), False
    if not allow_network_filesystem:
        _refuse_network_filesystem(root, _nearest_existing(root))
    make_folder(root, durable=True)
    _refuse_what_others_can_write(layout)
    for folder in layout.folders:
        make_folder(folder)
    now = rfc3339(datetime.now(UTC))
    collections = CollectionStore(layout)
    if not collections.exists(DEFAULT_COLLECTION):
        first = Collection(collection_id=DEFAULT_COLLECTION, name="Default", created_at=now, updated_at=now)
        with suppress(UsageError):  # somebody else, who makes the same workspace right now, was faster
            collections.add(first)
    settings = Settings(created_at=now, allow_network_filesystem=allow_network_filesystem, revision=1)
    with changing_settings(layout):
        is_new = not layout.settings.exists()
        if is_new:
            if not any(version_folders(layout)):
                Catalogue(layout.catalogue, create=True).close()
            write_record(layout.settings, settings)
    return open_workspace_at(root, credentials_path), is_new


def _absolute(root: Path) -> Path:
    """Return ``root`` from the top; raises `ValidationError` when it is not UTF-8, which SQLite needs it to be."""
    path = os.path.abspath(root)  # noqa: PTH100 - resolve() would follow a link that people named on purpose
    if as_unicode(path) != path:
        raise ValidationError(
            f"the path of the workspace is not UTF-8: {safe_display(path)}",
            hint="name another folder, or a link to it whose name is UTF-8",
        )
    return Path(path)


def set_theme(workspace: Workspace, theme: str) -> None:
    """Put the theme of the TUI into workspace.json."""
    _change_setting(workspace.layout, "theme", value=theme)


def _change_setting(layout: Layout, name: str, *, value: bool | str) -> None:
    """Change one setting and leave alone what else is in workspace.json, known or not."""
    with changing_settings(layout):
        settings = read_json(layout.settings, newest=SCHEMA_VERSION, what="the workspace")
        if settings.get(name) != value:
            write_json(layout.settings, settings | {name: value, "revision": settings_revision(settings) + 1})


def settings_revision(settings: Mapping[str, Any]) -> int:
    """Return how often workspace.json was saved; 0 where nobody has counted."""
    revision = settings.get("revision", 0)
    return revision if isinstance(revision, int) else 0


def _nearest_existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def _refuse_network_filesystem(root: Path, existing: Path) -> None:
    kind = filesystem_type(existing)
    if is_network(kind):
        raise RefusedError(
            f"the workspace {safe_display(str(root))} is on a network file system ({kind}), which does not keep locks "
            "and databases safe",
            hint="choose a folder on a local disk with --workspace DIR; or, if only one machine at a time will use it, "
            "'ingest-tui init --allow-network-filesystem' sets \"allow_network_filesystem\": true in workspace.json",
            code="network_filesystem",
        )


def _refuse_what_others_can_write(layout: Layout) -> None:
    """Raise `RefusedError` when somebody else could plant documents, jobs or settings: a handful of stats."""
    user = os.geteuid()
    status = layout.root.stat()
    if user not in {0, status.st_uid}:
        raise RefusedError(
            f"the workspace {safe_display(str(layout.root))} belongs to another user ({user_name(status.st_uid)})",
            hint="use a workspace of your own, or 'chown' this one with all it holds",
        )
    refuse_linked_folders(layout)
    for path in (layout.root, layout.settings, *layout.folders):
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            continue
        if mode & (stat.S_IWGRP | stat.S_IWOTH):
            what = "the workspace" if path == layout.root else "in the workspace,"
            raise RefusedError(
                f"{what} {safe_display(str(path))} can be written by other users",
                hint=f"chmod {'600' if path == layout.settings else '700'} {safe_display(str(path))}",
            )


def refuse_linked_folders(layout: Layout) -> None:
    """Raise `RefusedError` where the program would write through a link: once for each command and each job.

    Looks at the folders of the workspace, and at those of the collections with their parts (256 at most); folders
    further inside are looked at when they are written in.
    """
    refuse_linked_folder(layout.settings)
    for folder in (*layout.folders, *layout.folders_made_when_needed):
        refuse_linked_folder(folder)
    for parent in (layout.documents, layout.trash):
        for collection in _refusing_links(parent):
            if parent == layout.documents:
                _refusing_links(collection)


def _refusing_links(parent: Path) -> list[Path]:
    """Return the folders in a folder; raises `RefusedError` for a link among its entries."""
    try:
        with os.scandir(parent) as entries:
            found = list(entries)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []
    for entry in found:
        if entry.is_symlink():
            refuse_linked_folder(entry.path)
    return [Path(entry.path) for entry in found if entry.is_dir(follow_symlinks=False)]


def user_name(user_id: int) -> str:
    """Return the name of a user, or the number where it has none."""
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return str(user_id)


def requester() -> str:
    """Return ``user@host`` for audit lines and manifests."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return as_unicode(f"{user}@{socket.gethostname()}")
