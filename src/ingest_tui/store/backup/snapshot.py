"""What may change in a workspace, copied at one moment: the catalogue, the records, the journals, the jobs at work.

The commit lock is held while the small files are copied, for moments; the catalogue is read as of then, and copied
after that. What is left in the workspace are version folders, whose files never change, and folders of ended jobs.
"""

from __future__ import annotations

import fnmatch
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from ingest_tui.model.errors import BusyError, IngestError, NotFoundError, ValidationError
from ingest_tui.model.job import Manifest
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.consistency import begin_epoch
from ingest_tui.store.catalogue.known_good import open_known_good_to_read
from ingest_tui.store.fs.atomic import TEMPORARY_PREFIX, make_folder, open_new, write_new
from ingest_tui.store.fs.entries import entries_of
from ingest_tui.store.fs.locks import FileLock, is_locked
from ingest_tui.store.jobs import JobStore
from ingest_tui.store.layout import REMOVED_COLLECTION, Layout
from ingest_tui.store.workspace import Workspace

_LOCK_SECONDS = 10.0
NOT_IN_BACKUPS = (
    # These have ways of their own; a queue entry is made for each job that waits.
    *("documents", "trash", "jobs", "quarantine", "queue", "audit.jsonl"),
    # Of this machine and this moment, or made again from the rest.
    *("locks", "workers", "parsers", "vectors", "listings", "ocr-pages", "server-answers"),
    *("notices", "ballast", "worker.*", "intents.jsonl"),
    *("catalogue.db*", "catalogue.mark", "catalogue.rebuild.db*", f"{TEMPORARY_PREFIX}*"),
)
"""Names in the folder of a workspace, as patterns. Whatever else is there is in a backup."""
NOT_OF_JOBS = ("lock", "staging", "listing.db*", "plan.tmp", "being-made", f"{TEMPORARY_PREFIX}*")
"""Names in the folder of a job, likewise; what an upload has staged is in a backup, as it may be nowhere else."""


@dataclass(slots=True)
class Snapshot:
    """``root`` has the copies at their paths below the workspace; ``ended`` are jobs whose other files do not change.

    ``catalogue`` is the copy, open for writing, in an epoch of its own: whoever follows the feed of changes compares
    all documents after a restore.
    """

    root: Path
    catalogue: Catalogue
    ended: list[Manifest] = field(default_factory=list)

    @property
    def layout(self) -> Layout:
        """The paths of the copies."""
        return Layout(self.root)

    def files(self) -> Iterator[Path]:
        """Yield the copies in a fixed order, workspace.json last: without it nobody takes the rest for a workspace."""
        settings = self.layout.settings
        yield from (path for path in files_below(self.root) if path != settings)
        yield settings

    def end(self) -> None:
        """Write the catalogue's log into it and close it, with the notes of its newest transaction."""
        self.catalogue.write_mark()
        self.catalogue.empty_log()
        self.catalogue.close()
        for suffix in ("-wal", "-shm"):
            self.layout.catalogue.with_name(f"{self.layout.catalogue.name}{suffix}").unlink(missing_ok=True)


def take_snapshot(workspace: Workspace, root: Path) -> Snapshot:
    """Copy to ``root``, an empty folder; raises `BusyError` while somebody commits for too long.

    Of a workspace that was opened to be read only: raises `BusyError` while a worker lives, as no lock can be taken.
    """
    layout, copies = workspace.layout, Layout(root)
    make_folder(copies.locks)
    with closing(open_known_good_to_read(layout)) as pinned:
        with _nobody_commits(workspace):
            pinned.stay_at_this_moment()
            ended = _copy_small_files(workspace, copies)
        pinned.copy_to(copies.catalogue)
    catalogue = Catalogue(copies.catalogue)
    begin_epoch(catalogue)
    return Snapshot(root, catalogue, ended)


@contextmanager
def _nobody_commits(workspace: Workspace) -> Iterator[None]:
    if not workspace.is_read_only:
        with workspace.committing():
            yield
        return
    layout = workspace.layout
    if workspace.has_unfinished_change() or any(map(is_locked, layout.workers.glob("*.lock"))):
        raise BusyError(
            "the workspace is being changed, which a backup with --read-only cannot keep from happening",
            hint="stop the worker with 'ingest-tui worker stop', or leave out --read-only",
        )
    yield


def _copy_small_files(workspace: Workspace, copies: Layout) -> list[Manifest]:
    layout = workspace.layout
    copy_tree(layout.root, copies.root, without=NOT_IN_BACKUPS)
    _copy_audit(workspace, copies)
    for record in layout.trash.glob(f"{REMOVED_COLLECTION}*.json"):
        copy_file(record, copies.trash / record.name)
    ended = (_copy_job(workspace, copies, job_id) for job_id in sorted(workspace.jobs.ids()))
    return [manifest for manifest in ended if manifest is not None]


def _copy_audit(workspace: Workspace, copies: Layout) -> None:
    """Copy the audit with the note of its end, between two lines of it."""
    layout = workspace.layout
    lock = FileLock(layout.lock("audit"))
    if not workspace.is_read_only:
        lock.acquire(_LOCK_SECONDS, what="the audit log")
    try:
        copy_file(layout.audit, copies.audit)
        copy_file(layout.audit_head, copies.audit_head)
    finally:
        lock.release()


def _copy_job(workspace: Workspace, copies: Layout, job_id: str) -> Manifest | None:
    """Copy what may change of a job; returns its manifest when it has ended, and the rest of it stays as it is.

    What the copy of the manifest says counts: a job may end while it is copied, and is resumed after a restore then.
    """
    try:
        paths, target = workspace.jobs.paths(job_id), copies.job(job_id)
    except ValidationError:
        return None
    copy_file(paths.manifest, target.manifest)
    manifest = None
    try:
        manifest = JobStore(copies).load(job_id)
    except NotFoundError:
        return None
    except IngestError:  # damaged: it is kept as it is
        pass
    copy_tree(paths.requests, target.requests)
    if manifest is not None and manifest.ended:
        return manifest
    copy_tree(paths.folder, target.folder, without=(*NOT_OF_JOBS, target.manifest.name, target.requests.name))
    if manifest is None or manifest.options.get("staged"):
        copy_tree(paths.staging, target.staging)
    if manifest is not None or workspace.layout.queue_entry(job_id).exists():
        make_folder(copies.queue)
        write_new(copies.queue_entry(job_id), b"")
    return None


def copy_tree(folder: Path, target: Path, *, without: Sequence[str] = ()) -> None:
    """Copy the regular files in and below a folder, but for the names of the patterns in it; what vanishes is left."""
    for entry in entries_of(folder):
        if any(fnmatch.fnmatchcase(entry.name, pattern) for pattern in without):
            continue
        if entry.is_dir(follow_symlinks=False):
            copy_tree(Path(entry.path), target / entry.name)
        elif entry.is_file(follow_symlinks=False):
            copy_file(Path(entry.path), target / entry.name)


def copy_file(path: Path, target: Path) -> None:
    """Copy a regular file, of mode 0600; nothing happens where there is none."""
    with suppress(FileNotFoundError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as source:
            make_folder(target.parent)
            with open_new(target) as copied:
                shutil.copyfileobj(source, copied)


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the regular files below a folder, in a fixed order."""
    for entry in entries_of(folder):
        if entry.is_dir(follow_symlinks=False):
            yield from files_below(Path(entry.path))
        elif entry.is_file(follow_symlinks=False):
            yield Path(entry.path)
