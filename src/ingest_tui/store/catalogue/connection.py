"""A connection to the catalogue: how it is opened, upgraded and marked, its statements and its transactions.

apsw brings its own SQLite: Python 3.11 bundles 3.40, whose WAL mode could corrupt a database shared by processes
(fixed in 3.51.3). Writers commit in batches with ``synchronous=FULL``; readers never wait for them.
"""

from __future__ import annotations

import contextlib
import ctypes
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from ingest_tui.model.errors import BusyError, SchemaVersionError, StoreError
from ingest_tui.store.catalogue.mark import Mark, discredit, read_marks, write_mark
from ingest_tui.store.catalogue.schema import SCHEMA, SCHEMA_VERSION, UPGRADES
from ingest_tui.store.catalogue.sqlite_access import (
    DAMAGED,
    REBUILD_HINT,
    UnlockedFiles,
    open_to_read,
    put_temporary_files_in,
    reported_errors,
)
from ingest_tui.store.fs.atomic import FILE_MODE, make_private, sync_filesystem, temporary_path_for

_PAGES_AT_ONCE = 10_000
_BUSY_MILLISECONDS = 10_000
_STEPS_BETWEEN_QUESTIONS = 20_000
_AGAIN_SECONDS = 0.01

MISSING, LOST, IS_FOLDER = "catalogue_missing", "catalogue_lost", "catalogue_is_folder"
# RETURNING gives both parts of the mark.
_COUNT_TRANSACTION = (
    "INSERT INTO meta VALUES ('transactions', '1') ON CONFLICT (name) DO UPDATE SET value = value + 1"
    " RETURNING (SELECT value FROM meta WHERE name = 'epoch'), value"
)


class CatalogueConnection:
    """One connection. For one thread; open another for each.

    Made only with ``create``: a catalogue that is missing is not one without documents. `StoreError` then has the code
    ``catalogue_missing``, for one that is no database, or cut, ``catalogue_damaged``. Each transaction is noted in its
    mark, unless it is not ``marked``: one that nobody uses yet. With ``read_only`` nothing is written, so that a full
    or a read-only disk is no obstacle; one of an older schema is upgraded with ``upgrades``, else a copy of it is.
    """

    def __init__(
        self,
        path: Path,
        *,
        create: bool = False,
        marked: bool = True,
        read_only: bool = False,
        upgrades: bool = True,
    ) -> None:
        self.path = path
        self.is_read_only = read_only
        self._is_in_force = marked
        self._marked = marked and not read_only
        self._unlocked: UnlockedFiles | None = None
        put_temporary_files_in(path.parent)
        if read_only:
            self._open_to_read(upgrades=upgrades)
        else:
            self._open(create=create)

    def _refuse_link(self) -> None:
        if self.path.is_symlink():
            raise StoreError(
                "the catalogue is a symbolic link", hint=f"remove {self.path.name}, then 'ingest-tui rebuild'"
            )
        if self.path.is_dir():
            raise StoreError(
                "the catalogue is a folder",
                hint=f"move {self.path.name} away, then 'ingest-tui rebuild'",
                code=IS_FOLDER,
            )

    def _refuse_missing(self) -> None:
        if self.path.parent.is_dir() and not self.path.exists():
            raise StoreError("the catalogue is missing", hint=REBUILD_HINT, code=MISSING)

    def _open_to_read(self, *, upgrades: bool) -> None:
        self._refuse_link()
        self._refuse_missing()
        self._connect_to_read()
        try:
            self._refuse_unknown_schema(create=False)
            if self.value("PRAGMA user_version") < SCHEMA_VERSION:
                self._read_upgraded(in_place=upgrades)
            self.execute("PRAGMA cache_size = -16000")
        except BaseException:
            self.close()
            raise

    def _connect_to_read(self) -> None:
        try:
            with reported_errors(self.path.parent):
                self.connection, self._unlocked = open_to_read(self.path)
        except apsw.FullError:
            raise StoreError(
                "the catalogue cannot be read while its disk is full", hint="free some space, then try again"
            ) from None

    def _read_upgraded(self, *, in_place: bool) -> None:
        """Upgrade a catalogue of an older schema; where it cannot be written, a copy that ends with the connection."""
        if in_place:
            try:
                CatalogueConnection(self.path).close()
            except (apsw.Error, OSError, StoreError):
                pass  # nothing can be written here
            else:
                self.close()
                self._connect_to_read()
                return
        copy = apsw.Connection("")
        with copy.backup("main", self.connection, "main") as backup:
            backup.step()
        self._refuse_if_changed()
        self.close()
        self.connection, self._unlocked = copy, None
        self._make_schema(keep_backup=False)

    def file_to_join(self, copy: Path) -> Path:
        """Return the file with what is read here, for another connection: the catalogue, or a copy made for that.

        A copy is needed where nothing can be written and this connection reads without locks, or what it upgraded.
        """
        if self._unlocked is None and self.connection.filename:
            return self.path
        self.copy_to(copy)
        return copy

    def copy_to(self, copy: Path) -> None:
        """Write what is read here into another file, whose folder has room for it."""
        make_private(copy)
        with (
            reported_errors(copy.parent),
            contextlib.closing(apsw.Connection(str(copy))) as target,
            target.backup("main", self.connection, "main") as backup,
        ):
            while not backup.done:
                backup.step(_PAGES_AT_ONCE)
        self._refuse_if_changed()

    def stay_at_this_moment(self) -> None:
        """Read the catalogue as it is now from here on, whatever is committed, until the connection is closed."""
        self.execute("BEGIN")
        self.execute("SELECT 1 FROM meta LIMIT 1")  # a transaction begins with the first reading

    def _open(self, *, create: bool) -> None:
        path = self.path
        self._refuse_link()
        flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if create else 0)
        try:
            self.connection = apsw.Connection(str(path), flags=flags)
        except apsw.CantOpenError:
            self._refuse_missing()
            raise StoreError(
                "the catalogue cannot be opened", hint="check that the workspace is there and can be written"
            ) from None
        try:
            self._prepare(create=create)
        except BaseException:
            self.close()
            raise

    def _prepare(self, *, create: bool) -> None:
        # SQLite gives its side files the mode of the main one. It must be set by name: whoever closes a descriptor of
        # the file drops the locks of all connections of its process (sqlite.org/howtocorrupt.html, 2.2).
        if stat.S_IMODE(self.path.stat().st_mode) != FILE_MODE:
            self.path.chmod(FILE_MODE)
        self.connection.set_busy_timeout(_BUSY_MILLISECONDS)
        self._refuse_unknown_schema(create=create)
        self._use_write_ahead_log()
        self.execute("PRAGMA synchronous = FULL")
        self.execute("PRAGMA cache_size = -16000")
        self.execute("PRAGMA temp_store = FILE")
        self._make_schema()

    def _refuse_unknown_schema(self, *, create: bool) -> None:
        version = self.value("PRAGMA user_version")
        if version == 0 and not create:
            raise StoreError("the catalogue is empty", hint=REBUILD_HINT, code=MISSING)
        if version > SCHEMA_VERSION:
            raise SchemaVersionError(
                f"the catalogue was written by a newer ingest-tui (schema {version}); left untouched",
                hint="upgrade ingest-tui",
            )

    def _use_write_ahead_log(self) -> None:
        """Set the journal mode; processes that open a new catalogue at once get in each other's way for a moment.

        SQLite does not wait here, as both would hold a read lock that the other one waits for.
        """
        deadline = time.monotonic() + _BUSY_MILLISECONDS / 1000
        while True:
            try:
                self.execute("PRAGMA journal_mode = WAL")
            except BusyError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_AGAIN_SECONDS)
            else:
                return

    def _make_schema(self, *, keep_backup: bool = True) -> None:
        before = self.value("PRAGMA user_version")
        if before == SCHEMA_VERSION:
            return
        if before and keep_backup:
            self._keep_backup(before)
        with self.transaction():
            version = self.value("PRAGMA user_version")
            if version == 0:
                self.connection.execute(SCHEMA)
            else:
                for older in range(version, SCHEMA_VERSION):
                    self.connection.execute(UPGRADES[older])
            self.connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _keep_backup(self, version: int) -> None:
        """Copy the catalogue as it is before an upgrade, next to it: ``catalogue.schema-2.db``.

        Whole or absent, and never replaced: where several processes upgrade at once, the last one would copy what the
        first has upgraded already.
        """
        backup = self.path.with_name(f"{self.path.stem}.schema-{version}{self.path.suffix}")
        if backup.exists():
            return
        temporary = temporary_path_for(self.path)
        try:
            self.execute("VACUUM INTO ?", (str(temporary),))
            temporary.chmod(FILE_MODE)
            sync_filesystem(self.path.parent)
            with contextlib.suppress(FileExistsError):
                backup.hardlink_to(temporary)
        finally:
            temporary.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def execute(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> list[Any]:
        """Run one statement and return its rows."""
        try:
            with reported_errors(self.path.parent):
                rows = list(self.connection.execute(sql, values))
        except StoreError as error:
            self._note_damage(error)
            raise
        self._refuse_if_changed()
        return rows

    def _note_damage(self, error: StoreError) -> None:
        """Have the next who opens a damaged catalogue make it again, as nobody can use what is left of it."""
        if error.reason == DAMAGED and self._is_in_force and self._unlocked is None:
            discredit(self.path)

    def _refuse_if_changed(self) -> None:
        if self._unlocked is not None:
            self._unlocked.refuse_if_changed()

    @contextmanager
    def giving_up_when(self, given_up: Callable[[], bool] | None) -> Iterator[None]:
        """End statements with `GivenUpError` once ``given_up`` says yes; it is asked every few milliseconds."""
        if given_up is None:
            yield
            return
        connection = self.connection
        connection.set_progress_handler(given_up, _STEPS_BETWEEN_QUESTIONS)
        try:
            yield
        finally:
            with contextlib.suppress(apsw.ConnectionClosedError):  # the catalogue was replaced, and is read again
                connection.set_progress_handler(None)

    def stream(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> Iterator[Any]:
        """Run one statement and yield its rows as they come."""
        try:
            with reported_errors(self.path.parent):
                for row in self.connection.execute(sql, values):
                    self._refuse_if_changed()
                    yield row
        except StoreError as error:
            self._note_damage(error)
            raise

    def value(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Return the first column of the first row, or None."""
        rows = self.execute(sql, values)
        return rows[0][0] if rows else None

    def empty_log(self) -> None:
        """Write the log into the catalogue, and give its room back: it may be as large as that."""
        self.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write all or nothing. Takes the write lock at once, so that it never fails halfway for being busy."""
        self.follow_the_file()
        with self._statement_journals_in_memory():
            yield from self._transaction()

    @contextlib.contextmanager
    def _statement_journals_in_memory(self) -> Iterator[None]:
        """Keep what the change of one row would need to be undone out of temporary files.

        The triggers of the change feed make it necessary: some 15 pages for each document. What sorts much is asked
        outside of transactions, and stays in files.
        """
        if not self._is_in_force:  # temporary tables, which a change of the setting would drop
            yield
            return
        self.execute("PRAGMA temp_store = MEMORY")
        try:
            yield
        finally:
            with contextlib.suppress(apsw.Error):  # why it failed is on its way already
                self.connection.execute("PRAGMA temp_store = FILE")

    def _transaction(self) -> Iterator[None]:
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            mark = Mark(*self.execute(_COUNT_TRANSACTION)[0])
            self.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:  # SQLite ends it itself after some errors of the disk
                self.connection.execute("ROLLBACK")
            raise
        if self._marked:
            write_mark(self.path, mark._replace(transactions=int(mark.transactions)))

    def write_mark(self) -> None:
        """Note that this catalogue, as it is now, is the one in force."""
        write_mark(self.path, self.mark())

    def mark(self) -> Mark:
        """Return which catalogue this is, and how far it has come; raises `StoreError` where that is lost."""
        return self._mark_and_previous_epoch()[0]

    def _mark_and_previous_epoch(self) -> tuple[Mark, str]:
        """Return which catalogue this is, and which one was rebuilt to it; raises `StoreError` where that is lost."""
        try:
            meta = dict(self.execute("SELECT name, value FROM meta"))
            return Mark(str(meta["epoch"]), int(meta.get("transactions", 0))), str(meta.get("previous_epoch", ""))
        except (KeyError, ValueError, TypeError, apsw.SQLError):
            raise StoreError("the catalogue has lost its record of itself", hint=REBUILD_HINT, code=LOST) from None

    @property
    def was_marked(self) -> bool:
        """Whether transactions of this catalogue were noted next to it; those of a new one were not yet."""
        return self.mark().transactions > 1

    def loss_since(self, *marks: Mark | None) -> str:
        """Return how this catalogue is not the one that ``marks`` were written for; empty when it is, or newer."""
        mine, previous_epoch = self._mark_and_previous_epoch()
        return next(filter(None, (_loss_since(mark, mine, previous_epoch) for mark in marks)), "")

    @property
    def is_replaced(self) -> bool:
        """Whether another file, or none, is at the path by now: what is written here would be lost."""
        moved = ctypes.c_int()
        self.connection.file_control("main", apsw.SQLITE_FCNTL_HAS_MOVED, ctypes.addressof(moved))
        return bool(moved.value)

    def follow_the_file(self) -> None:
        """Open the file that is at the path now, when it is another one: somebody made the catalogue again."""
        if not self.is_replaced:
            return
        marks, replaced = read_marks(self.path), self.connection
        try:
            self._open(create=False)
        except BaseException:
            self.connection = replaced  # it can still be read, and the file may come back
            raise
        replaced.close()
        loss = self.loss_since(*marks)
        if loss:
            raise StoreError(f"the catalogue {loss}", hint=REBUILD_HINT, code=LOST)


def _loss_since(mark: Mark | None, mine: Mark, previous_epoch: str) -> str:
    if mark is None or mark.epoch == previous_epoch:  # a rebuild ended just before its mark
        return ""
    if mark.epoch != mine.epoch:
        return "is not the one that the documents were committed to"
    return "" if mark.transactions <= mine.transactions else "lacks what was committed last"
