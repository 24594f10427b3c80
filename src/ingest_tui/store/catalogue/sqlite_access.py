"""How a database is opened where nothing can be written, and where SQLite puts its temporary files.

A database with a write-ahead log needs a shared index next to it, also for reading: on a read-only or full disk, or in
a folder that may not be written, SQLite can only open it when that file is there already. Everywhere else it is read
without locks, and each answer counts only if the files have not changed meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import apsw

from ingest_tui.model.errors import BusyError, DiskFullError, GivenUpError, StoreError, UsageError
from ingest_tui.store.fs.disk import means_disk_full, room_in

_BUSY_MILLISECONDS = 10_000
DAMAGED = "catalogue_damaged"
REBUILD_HINT = "'ingest-tui rebuild' makes it again from documents/ and trash/"
_ENOUGH_FOR_TEMPORARY_FILES = 64 * 2**20
_Stamp = tuple[int, int, int] | None
_temporary_files_are_in = [""]


class UnlockedFiles:
    """The files of a database that is read without locks."""

    def __init__(self, path: Path) -> None:
        self._paths = (path, path.with_name(f"{path.name}-wal"))
        self._stamps = self._look()

    def _look(self) -> tuple[_Stamp, ...]:
        return tuple(map(_stamp, self._paths))

    def refuse_if_changed(self) -> None:
        """Raise `BusyError` when somebody has written since the database was opened: what was read may be torn."""
        if self._look() != self._stamps:
            raise BusyError("the catalogue has changed while it was read", hint="try again")


class ReadingConnection(NamedTuple):
    """A connection that cannot write; ``unlocked`` where nothing keeps writers from changing what it reads."""

    connection: apsw.Connection
    unlocked: UnlockedFiles | None


def open_to_read(path: Path) -> ReadingConnection:
    """Open an existing database for reading only, whatever its folder and its disk allow; raises `apsw.Error`."""
    try:
        return ReadingConnection(_checked(_connect(path, "mode=ro")), None)
    except (apsw.CantOpenError, apsw.IOError, apsw.ReadOnlyError, apsw.FullError):
        if not path.exists():
            raise
    unlocked = UnlockedFiles(path)
    log = _stamp(path.with_name(f"{path.name}-wal"))
    if log is None or log[1] == 0:
        return ReadingConnection(_checked(_connect(path, "immutable=1")), unlocked)
    # What the log holds is committed and has to be read too. In exclusive mode the index of the log is in memory, and
    # without locks that mode needs no right to write.
    connection = _connect(path, "mode=ro&vfs=unix-none")
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    return ReadingConnection(_checked(connection), unlocked)


def _connect(path: Path, how: str) -> apsw.Connection:
    connection = apsw.Connection(
        f"file:{quote(str(path))}?{how}", flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    )
    connection.set_busy_timeout(_BUSY_MILLISECONDS)
    return connection


def _checked(connection: apsw.Connection) -> apsw.Connection:
    """Return a connection that has read the database once: only then is it known whether it can be read."""
    try:
        connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall()
    except apsw.Error:
        connection.close()
        raise
    return connection


def _stamp(path: Path) -> _Stamp:
    try:
        status = os.stat(path)  # noqa: PTH116 - after each statement
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def put_temporary_files_in(folder: Path) -> None:
    """Let SQLite keep its temporary files in ``folder``, unless there is no room or no right to write.

    So one disk counts, that of the workspace, where a lack of room makes jobs wait; /tmp may be small and others fill
    it. One setting for the process; without it SQLite chooses as always (SQLITE_TMPDIR, TMPDIR, /var/tmp, /tmp).
    """
    wanted = str(folder) if has_room_for_scratch(folder) else ""
    if wanted == _temporary_files_are_in[0]:
        return
    _temporary_files_are_in[0] = wanted
    connection = apsw.Connection(":memory:")
    try:
        connection.execute(f"PRAGMA temp_store_directory = '{wanted.replace(chr(39), chr(39) * 2)}'")
    finally:
        connection.close()


def has_room_for_scratch(folder: Path) -> bool:
    """Whether temporary files can be in ``folder``: it may be written, and has 64 MB."""
    try:
        return os.access(folder, os.W_OK | os.X_OK) and room_in(folder, 0).has(_ENOUGH_FOR_TEMPORARY_FILES)
    except OSError:
        return False


@contextmanager
def reported_errors(folder: Path) -> Iterator[None]:
    """Raise what SQLite reports as errors of ours; that there is no room left stays `apsw.FullError`.

    ``folder`` is that of the database: where its disk is full, that is what an error of input and output means.
    """
    try:
        yield
    except apsw.BusyError:
        raise BusyError("the catalogue is busy", hint="try again in a moment") from None
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise StoreError(
            f"the catalogue is damaged ({type(error).__name__})",
            hint=REBUILD_HINT,
            code=DAMAGED,
        ) from None
    except apsw.ThreadingViolationError:
        raise UsageError(
            "two threads use one open workspace at the same time", hint="open the workspace once in each thread"
        ) from None
    except OverflowError:  # a number that a person gave: it has more than 64 bits
        raise UsageError("a number is too large", hint="give one below 2**63") from None
    except apsw.InterruptError:
        raise GivenUpError("nobody waits for the answer any more") from None
    except apsw.ReadOnlyError:
        raise StoreError(
            "the catalogue cannot be written: its disk or its file is read-only",
            hint="check the mount options and the permissions of the workspace",
            code="read_only",
        ) from None
    except (apsw.IOError, apsw.CantOpenError) as error:
        if means_disk_full(error, folder):
            raise DiskFullError(
                "the disk of the workspace is full, and the catalogue needs room for what is asked of it",
                hint="free some space, then try again",
            ) from None
        raise StoreError(
            f"the catalogue cannot be read or written ({error})", hint="check the disk and the system log"
        ) from None
