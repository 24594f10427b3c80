"""The catalogue made again from documents/ and trash/, next to everybody who goes on using it.

It is built in a file of its own, without a lock that anybody else needs. Under the commit lock it then catches up with
the folders that have changed since and takes the place of the old one: within one transaction of the old file, so that
no connection ever looks at a file that is gone. Only a catalogue that cannot be read is replaced by renaming. Whatever
ends a rebuild early leaves the old catalogue in force.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from ingest_tui.model.batching import batches
from ingest_tui.model.chunk_limits import DEFAULT_LIMITS, ChunkLimits
from ingest_tui.model.clock import posix_ns
from ingest_tui.model.errors import BusyError, IngestError, SchemaVersionError, StoreError
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.connection import IS_FOLDER, LOST
from ingest_tui.store.catalogue.contradictions import contradiction_in
from ingest_tui.store.catalogue.found_documents import FolderProblem, FolderReader
from ingest_tui.store.catalogue.known_good import open_known_good
from ingest_tui.store.catalogue.mark import read_marks, write_mark
from ingest_tui.store.catalogue.rebuild_progress import ProgressListener, RebuildProgress, no_listener
from ingest_tui.store.catalogue.rebuild_rows import RebuiltRows
from ingest_tui.store.change import StoreWriter
from ingest_tui.store.commit_lock import FOR_A_JOB, CommitLock
from ingest_tui.store.document_preferences import DocumentLimits
from ingest_tui.store.documents import DocumentStore
from ingest_tui.store.fs.atomic import sync_folder
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.layout import Layout
from ingest_tui.store.removals import read_removals

_BATCH = 200
_PAGES_AT_ONCE = 10_000
_FEW = 500
_POLL_SECONDS = 0.1
# A folder that changed so shortly before it was read is read again: the clocks of file systems are coarse.
_COARSE_NS = 2_000_000_000
_MOST_ROUNDS = 5


@dataclass(slots=True)
class RebuildReport:
    """What a rebuild found. ``problems``: folders that are not what was committed; they stay as they are."""

    documents: int = 0
    versions: int = 0
    problems: list[FolderProblem] = field(default_factory=list)


class _Folder(NamedTuple):
    """A document folder with what shows a later change of it."""

    collection_id: str
    document_id: str
    path: Path
    retired: bool
    stamp: tuple[int, ...]


class _Seen(NamedTuple):
    """What was read of a folder, and when: ``stamp`` is empty where it has to be read again in any case."""

    stamp: tuple[int, ...]
    document_id: str | None
    problems: tuple[FolderProblem, ...]


def rebuild_catalogue(layout: Layout, on_progress: ProgressListener = no_listener) -> RebuildReport:
    """Make the catalogue again, in whatever state it is; takes the commit lock at its end.

    Raises `BusyError` when another process is at it, `SchemaVersionError` for a catalogue of a newer program.
    """
    lock = FileLock(layout.lock("rebuild"))
    lock.acquire(0, what="the rebuild of the catalogue")
    with lock:
        return _rebuild(layout, on_progress, reason="")


def rebuild_lost(layout: Layout, reason: str, on_progress: ProgressListener) -> RebuildReport | None:
    """Make a catalogue again that was lost; None when another process has done so meanwhile, whose end is waited for.

    Takes the commit lock, for a moment before and at its end.
    """
    lock = FileLock(layout.lock("rebuild"))
    on_progress(RebuildProgress(reason, 0))
    while not lock.try_acquire():
        time.sleep(_POLL_SECONDS)
    with lock:
        return None if _is_known_good(layout) else _rebuild(layout, on_progress, reason=reason)


def _is_known_good(layout: Layout) -> bool:
    with CommitLock(layout).held(seconds=FOR_A_JOB):
        try:
            open_known_good(layout).close()
        except StoreError:
            return False
    return True


def _rebuild(layout: Layout, on_progress: ProgressListener, *, reason: str) -> RebuildReport:
    _open_old(layout).close()  # refused or upgraded before anything is built
    builder = _Builder(layout, on_progress, reason)
    try:
        for _round in range(_MOST_ROUNDS):
            if builder.read_changes() <= _FEW:
                break
        with CommitLock(layout).held(seconds=FOR_A_JOB), contextlib.closing(_open_old(layout)) as old:
            if old.catalogue is not None and old.is_trusted:
                # Which half of an unfinished change counts, only the old catalogue knows.
                StoreWriter(layout, old.catalogue, DocumentStore(layout)).repair()
            builder.read_changes()
            if not old.is_trusted:
                builder.settle_unfinished_change()
            report = builder.put_in_force(old)
    finally:
        builder.close()
    on_progress(RebuildProgress(reason, report.documents, ended=True, problems=len(report.problems)))
    return report


class _Old(NamedTuple):
    """The catalogue in force: None where it cannot be read; ``is_trusted`` when it knows all that was committed."""

    catalogue: Catalogue | None
    is_trusted: bool

    def close(self) -> None:
        if self.catalogue is not None:
            self.catalogue.close()


def _open_old(layout: Layout) -> _Old:
    try:
        catalogue = open_known_good(layout)
    except SchemaVersionError:
        raise
    except StoreError as error:
        if error.reason == IS_FOLDER:
            raise
        if error.reason != LOST:
            return _Old(None, is_trusted=False)
        return _Old(Catalogue(layout.catalogue), is_trusted=False)
    try:
        return _Old(catalogue, is_trusted=not contradiction_in(catalogue))
    except StoreError:
        catalogue.close()
        return _Old(None, is_trusted=False)


class _UsableLimits:
    """How the text of each document is cut.

    A catalogue is needed also where the preferences of a collection or of a source cannot be used: its text is cut as
    usual then, and ``problems`` has why.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._limits = DocumentLimits(layout)
        self._unusable: set[tuple[str, str]] = set()
        self.problems: list[FolderProblem] = []

    def of(self, collection_id: str, source_id: str, record: dict[str, Any]) -> ChunkLimits:
        path = self._layout.collection(collection_id)
        if not path.exists() or (collection_id, source_id) in self._unusable:
            return DEFAULT_LIMITS
        try:
            return self._limits.of(collection_id, source_id, record)
        except IngestError as error:
            if not any(known == collection_id for known, _source in self._unusable):
                place = str(path.relative_to(self._layout.root))
                self.problems.append(FolderProblem(place, f"its chunks have the usual size: {error.message}"))
            self._unusable.add((collection_id, source_id))
            return DEFAULT_LIMITS


class _Builder:
    """Builds a catalogue next to the one in force. For the holder of the rebuild lock."""

    def __init__(self, layout: Layout, on_progress: ProgressListener, reason: str) -> None:
        self._layout = layout
        self._store = DocumentStore(layout)
        self._limits = _UsableLimits(layout)
        self._reader = FolderReader(layout.root, self._store, self._limits.of)
        self._on_progress = on_progress
        self._reason = reason
        _remove(layout.rebuilt_catalogue)
        try:
            self._rows = RebuiltRows(Catalogue(layout.rebuilt_catalogue, create=True, marked=False))
        except BaseException:
            _remove(layout.rebuilt_catalogue)
            raise
        self._seen: dict[Path, _Seen] = {}
        self._owners: dict[str, Path] = {}

    def close(self) -> None:
        """Remove what is left of it."""
        self._rows.catalogue.close()
        _remove(self._layout.rebuilt_catalogue)

    # Reading

    def read_changes(self) -> int:
        """Read every folder that is new or has changed since it was read; returns how many these were."""
        gone = set(self._seen)
        changed = 0
        for batch in batches(self._changed_folders(gone), _BATCH):
            changed += len(batch)
            self._read(batch)
        self._read([])  # reports how many there are, also where nothing was to be read
        with self._rows.catalogue.transaction():
            for path in gone:
                self._forget(path)
        return changed + len(gone)

    def _changed_folders(self, gone: set[Path]) -> Iterator[_Folder]:
        """Yield the folders that have to be read; takes from ``gone`` those that are there."""
        for folder in self._folders():
            gone.discard(folder.path)
            seen = self._seen.get(folder.path)
            if seen is None or seen.stamp != folder.stamp:
                yield folder

    def _folders(self) -> Iterator[_Folder]:
        for retired in (False, True):
            for collection_id, document_id, path in self._store.walk(retired=retired):
                with contextlib.suppress(FileNotFoundError):  # moved meanwhile: it is met elsewhere, now or next time
                    status = path.stat()
                    stamp = (status.st_ino, status.st_mtime_ns, status.st_ctime_ns)
                    yield _Folder(collection_id, document_id, path, retired, stamp)

    def _read(self, folders: list[_Folder]) -> None:
        settled_before = posix_ns() - _COARSE_NS
        with self._rows.catalogue.transaction():
            for folder in folders:
                self._forget(folder.path)
                found = self._reader.read(folder.collection_id, folder.document_id, folder.path, retired=folder.retired)
                stamp = folder.stamp if max(folder.stamp[1:]) < settled_before else ()
                document_id = found.document.document_id if found.document else None
                other = self._other_folder_of(document_id)
                if other is not None:
                    self._seen[folder.path] = _Seen((), None, (self._reader.problem(folder.path, _twice(other)),))
                    continue
                self._rows.add(found)
                if document_id is not None:
                    self._owners[document_id] = folder.path
                self._seen[folder.path] = _Seen(stamp, document_id, tuple(found.problems))
        self._on_progress(RebuildProgress(self._reason, len(self._owners)))

    def _other_folder_of(self, document_id: str | None) -> Path | None:
        """Return the folder that a document was read from already, if that is still there."""
        owner = self._owners.get(document_id) if document_id else None
        if owner is None or owner.exists():
            return owner
        self._forget(owner)
        return None

    def _forget(self, path: Path) -> None:
        seen = self._seen.pop(path, None)
        if seen is not None and seen.document_id is not None:
            self._rows.forget(seen.document_id)
            del self._owners[seen.document_id]

    # The switch

    def settle_unfinished_change(self) -> None:
        """Finish what an unfinished change has done to folders: nobody knows any more whether it was committed.

        Folders and notes then agree with what was read of them. For the holder of the commit lock.
        """
        StoreWriter(self._layout, self._rows.catalogue, self._store).repair(is_rebuilt=True)

    def put_in_force(self, old: _Old) -> RebuildReport:
        """Take the place of the catalogue in force. For the holder of the commit lock."""
        mark, _apart = read_marks(self._layout.catalogue)
        if not old.is_trusted:
            self._rows.add_removals(read_removals(self._layout))
        if old.catalogue is not None:
            self._rows.carry_over(self._layout.catalogue, trusted=old.is_trusted)
        self._rows.end(previous_epoch=mark.epoch if mark else "")
        problems = [problem for seen in self._seen.values() for problem in seen.problems]
        problems += self._rows.problems(self._layout)
        problems += self._limits.problems
        report = RebuildReport(*self._rows.counts(), sorted(problems))
        # One that was removed meanwhile has nobody who would look at it any more.
        if old.catalogue is None or old.catalogue.is_replaced or not self._copy_into(old.catalogue):
            self._rename(old)
        return report

    def _copy_into(self, old: Catalogue) -> bool:
        """Replace the content of the old catalogue in one transaction; returns whether that could be done."""
        try:
            with old.connection.backup("main", self._rows.catalogue.connection, "main") as copying:
                while not copying.done:
                    copying.step(_PAGES_AT_ONCE)
        except (apsw.CorruptError, apsw.NotADBError):
            return False
        except apsw.BusyError:
            raise BusyError("the catalogue is busy", hint="try again in a moment") from None
        old.write_mark()
        with contextlib.suppress(apsw.Error):  # the log is as large as the catalogue
            old.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        return True

    def _rename(self, old: _Old) -> None:
        """Take the place of a file that is missing or no catalogue; connections to it follow when they write next."""
        old.close()
        mark = self._rows.catalogue.mark()
        self._rows.close()
        target = self._layout.catalogue
        for suffix in ("-wal", "-shm"):
            target.with_name(target.name + suffix).unlink(missing_ok=True)
        os.rename(self._layout.rebuilt_catalogue, target)  # noqa: PTH104
        sync_folder(target.parent)
        # Not opened for that: where it was removed again, an empty one would be made, and marked as the one in force.
        write_mark(target, mark)


def _twice(other: Path) -> str:
    return f"the same document is in {other.parent.name}/{other.name} too"


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
