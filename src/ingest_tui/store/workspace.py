"""A workspace: opened, made, checked. The root from which every store hangs."""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from functools import cached_property
from pathlib import Path
from weakref import WeakSet

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.collection import DEFAULT_COLLECTION, Collection
from ingest_tui.model.embedder import Embedder
from ingest_tui.model.errors import StoreError, UsageError, ValidationError, WorkspaceMissingError
from ingest_tui.model.reranker import RegisteredReranker
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.unicode import as_unicode
from ingest_tui.store.access import refuse_inside_another, refuse_network_filesystem, refuse_what_others_can_write
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.known_good import open_known_good, open_known_good_to_read, version_folders
from ingest_tui.store.catalogue.opening import open_catalogue, open_catalogue_to_read
from ingest_tui.store.catalogue.rebuild_progress import ProgressListener, RebuildProgress, no_listener
from ingest_tui.store.change import StoreWriter, committing, repair_if_free
from ingest_tui.store.commit_lock import FOR_A_COMMAND
from ingest_tui.store.documents import DocumentStore
from ingest_tui.store.fs.atomic import make_folder
from ingest_tui.store.fs.disk import ReserveFile, Room, room_in
from ingest_tui.store.intents import IntentJournal
from ingest_tui.store.jobs import JobStore
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.audit import AuditLog
from ingest_tui.store.records.generations import GenerationStore
from ingest_tui.store.records.ignored_issues import IgnoredStore
from ingest_tui.store.records.json_files import read_record, write_record
from ingest_tui.store.records.looks import LookStore
from ingest_tui.store.records.models import ModelStore
from ingest_tui.store.records.record_file import changing_settings
from ingest_tui.store.records.schedule_marks import ScheduleMarks
from ingest_tui.store.records.settings import Settings, change_setting, with_environment
from ingest_tui.store.records.sources import CollectionStore, SourceStore
from ingest_tui.store.upgrade import SCHEMA_VERSION
from ingest_tui.store.users import requester

CREDENTIALS_VARIABLE = "INGEST_TUI_CREDENTIALS"
CREDENTIALS_FILE = "credentials.json"


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
        self.embedders = ModelStore(self.layout, Embedder, self.layout.embedders, "embedder")
        self.rerankers = ModelStore(self.layout, RegisteredReranker, self.layout.rerankers, "reranker")
        self.generations = GenerationStore(self.layout)
        self.reserve_file = ReserveFile(self.layout.reserve_file)
        self.jobs = JobStore(self.layout, self.reserve_file)
        self.audit = AuditLog(self.layout)
        self.ignored = IgnoredStore(self.layout)
        self.on_rebuild: ProgressListener = no_listener
        """Hears of it when opening the catalogue makes it again; set by faces and workers."""
        self.is_read_only = False
        """Set by faces that were asked to write nothing: a catalogue that was lost is then refused, not rebuilt."""
        self.has_opened_catalogue = False
        """Whether somebody has asked it for a connection: what fails before does not fail for the catalogue."""
        self._of_thread = _Connections()
        self._connections: WeakSet[Catalogue] = WeakSet()
        """Those of all threads; that of a thread which has ended is closed with it."""
        self.looks = LookStore(self.layout)
        self.schedule_marks = ScheduleMarks(self.layout)

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
        self.has_opened_catalogue = True
        mine = self._of_thread.by_use
        if use in mine and mine[use].is_replaced:
            mine.pop(use).close()
        if use not in mine:
            mine[use] = make()
            self._connections.add(mine[use])
        return mine[use]

    def open_to_read(self) -> Catalogue:
        """Open another connection for reading only, on a full or read-only disk too; for another thread."""
        self.has_opened_catalogue = True
        if self.is_read_only:
            return open_known_good_to_read(self.layout)
        return open_catalogue_to_read(self.layout, self._reported_to(no_listener))

    def open_catalogue(self, on_rebuild: ProgressListener = no_listener) -> Catalogue:
        """Open another connection to the catalogue, for another thread.

        A catalogue that was lost is made again first; ``on_rebuild`` hears of it, and that of the workspace.
        """
        self.has_opened_catalogue = True
        if self.is_read_only:
            return open_known_good_to_read(self.layout)
        return open_catalogue(self.layout, self._reported_to(on_rebuild))

    def _reported_to(self, on_rebuild: ProgressListener) -> ProgressListener:
        def report(progress: RebuildProgress) -> None:
            on_rebuild(progress)
            self.on_rebuild(progress)
            if progress.ended:
                self._audit_rebuild(progress)

        return report

    def _audit_rebuild(self, progress: RebuildProgress) -> None:
        self.audit.add(
            at=rfc3339_now(),
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
        self,
        catalogue: Catalogue | None = None,
        *,
        seconds: float = FOR_A_COMMAND,
        between_tries: Callable[[], None] = lambda: None,
    ) -> AbstractContextManager[StoreWriter]:
        """Hold the commit lock, the only way to change catalogue and folders; see `store.change.committing`.

        ``catalogue`` is the connection of the calling thread, without it the one that was opened first.
        """
        return committing(
            self.layout,
            catalogue or self.catalogue,
            self.document_store,
            seconds=seconds,
            between_tries=between_tries,
        )

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

    def read_settings(self) -> Settings:
        """Return workspace.json as it is now; raises `StoreError`, `SchemaVersionError` or `NotFoundError`."""
        return _settings_in(self.layout)

    def take_up_reserve(self) -> None:
        """Keep free from now on what workspace.json says now, so that somebody who lowers it lets a job go on.

        Raises what `read_settings` raises, and OSError.
        """
        now = self.read_settings().disk_reserve
        if now != self.settings.disk_reserve:
            self.settings = self.settings.model_copy(update={"disk_reserve": now})

    def with_fixed_settings(self) -> Workspace:
        """Return this workspace, connections and all, with the settings of now whatever is read later; for a job."""
        return copy.copy(self)

    def close(self) -> None:
        """Close what was opened, by other threads too: none may be using it any more.

        Those that may write are the last, because only they clear away the write-ahead log.
        """
        for opened in sorted(self._connections, key=lambda one: not one.is_read_only):
            opened.close()
        self._connections.clear()
        self._of_thread = _Connections()


def credentials_path_of(root: Path, named: Path | None = None) -> Path:
    """Return where the credentials are: as ``named``, as INGEST_TUI_CREDENTIALS says, or next to the workspace."""
    chosen = named or os.environ.get(CREDENTIALS_VARIABLE) or root.parent / CREDENTIALS_FILE
    return Path(os.path.abspath(chosen))  # noqa: PTH100 - resolve() would follow a link that people named on purpose


def open_workspace_at(root: Path, credentials_path: Path | None = None) -> Workspace:
    """Open an existing workspace.

    Raises `WorkspaceMissingError` when there is none, `RefusedError` when it is not safe, `ValidationError` for a path
    that is not UTF-8.
    """
    layout = Layout(_absolute(root))
    root = layout.root
    if not os.path.exists(layout.settings):  # noqa: PTH110 - says no, rather than raise, where a name is too long
        _refuse_without_settings(layout)
        raise WorkspaceMissingError(
            f"there is no workspace in {safe_display(str(root))}",
            hint="'ingest-tui init' makes one; --workspace DIR or INGEST_TUI_WORKSPACE names another",
        )
    refuse_what_others_can_write(layout)
    settings = _settings_in(layout)
    if not settings.allow_network_filesystem:
        refuse_network_filesystem(root, root)
    workspace = Workspace(root, settings, credentials_path)
    workspace.repair_if_free()
    return workspace


def _settings_in(layout: Layout) -> Settings:
    settings = read_record(layout.settings, Settings, newest=SCHEMA_VERSION, what="the workspace")
    return with_environment(settings, os.environ)


def _refuse_half_restored(layout: Layout) -> None:
    """Raise `StoreError` for a folder that a restore was killed in, or fills right now."""
    if not os.path.exists(layout.settings) and os.path.exists(layout.restore_mark):  # noqa: PTH110 - as above
        raise StoreError(
            f"the restore to {safe_display(str(layout.root))} has not ended, so it is no workspace yet",
            hint="'ingest-tui restore FILE FOLDER' begins it again",
            code="restore_unfinished",
        )


def _refuse_without_settings(layout: Layout) -> None:
    """Raise `StoreError` for a folder that holds a workspace whose workspace.json is lost."""
    _refuse_half_restored(layout)
    folders = (layout.sources, layout.documents, layout.queue)
    if os.path.exists(layout.catalogue) or all(map(os.path.exists, folders)):  # noqa: PTH110 - as above
        raise StoreError(
            f"{safe_display(str(layout.settings))} is missing, next to what belongs to a workspace",
            hint="restore it from a backup; 'ingest-tui init' makes one with default settings and keeps all the rest",
            code="settings_missing",
        )


def init_workspace(
    root: Path, credentials_path: Path | None = None, *, allow_network_filesystem: bool = False
) -> tuple[Workspace, bool]:
    """Make a workspace in ``root``, or open the one that is there; returns it and whether it is new.

    ``allow_network_filesystem`` puts the setting of that name into workspace.json, of an existing workspace too.
    """
    layout = Layout(_absolute(root))
    root = layout.root
    _refuse_half_restored(layout)
    if layout.settings.exists():
        if allow_network_filesystem:
            refuse_what_others_can_write(layout)
            change_setting(layout, "allow_network_filesystem", value=True)
        return open_workspace_at(root, credentials_path), False
    refuse_inside_another(root)
    if not allow_network_filesystem:
        refuse_network_filesystem(root, _nearest_existing(root))
    make_folder(root, durable=True)
    refuse_what_others_can_write(layout)
    for folder in layout.folders:
        make_folder(folder)
    now = rfc3339_now()
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


def _nearest_existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())
