"""Room on the disk: how much there is, how much is kept free, and which errors mean that it is full."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import apsw

from ingest_tui.store.fs.atomic import FILE_MODE

DEFAULT_RESERVE_BYTES = 500_000_000
DEFAULT_RESERVE_SHARE = 0.05
SMALLEST_RESERVE_BYTES = 8_000_000
"""The database writes that much next to itself before it grows, however small the disk is."""
RESERVE_FILE_BYTES = 1 << 20
_Result = TypeVar("_Result")
_FULL = {errno.ENOSPC, errno.EDQUOT}
_NO_ROOM_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes that are free for us, and bytes of these that are to stay free."""

    free: int
    reserve: int

    def has(self, size: int) -> bool:
        """Whether ``size`` bytes may be written."""
        return self.free - size >= self.reserve


def room_in(folder: Path, reserve: int | None = None) -> Room:
    """Return the room on the file system of ``folder``. Costs about a microsecond.

    ``reserve`` is in bytes; None keeps 500 MB free, or 5 % of a disk below 10 GB, and at least 8 MB.
    """
    status = os.statvfs(folder)
    if reserve is None:
        total = status.f_blocks * status.f_frsize
        reserve = max(SMALLEST_RESERVE_BYTES, min(DEFAULT_RESERVE_BYTES, int(total * DEFAULT_RESERVE_SHARE)))
    has_inodes = status.f_files == 0 or status.f_favail > 0  # btrfs and others have no fixed number
    return Room(status.f_bavail * status.f_frsize if has_inodes else 0, reserve)


class ReserveFile:
    """A file that holds nothing but room, given back when the disk is full to the last byte.

    Then there is room to say so: to write the manifest of a job that waits, and for people to leave a request.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def allocate(self) -> None:
        """Take the room, where it is not taken yet; nothing happens when there is none."""
        try:
            descriptor = os.open(
                self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE
            )
        except OSError:
            return
        try:
            os.posix_fallocate(descriptor, 0, RESERVE_FILE_BYTES)
        except OSError:
            self.release()
        finally:
            os.close(descriptor)

    def makes_room_for(self, call: Callable[[], _Result]) -> _Result:
        """Return what ``call`` returns; on a full disk, release the reserve file and call again."""
        try:
            return call()
        except OSError as error:
            if error.errno not in _FULL:
                raise
        self.release()
        return call()

    def release(self) -> None:
        """Give the room back."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


def means_disk_full(error: BaseException, folder: Path) -> bool:
    """Whether an error of the operating system or of SQLite says that there is no room left in ``folder``."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    if isinstance(error, (apsw.IOError, apsw.CantOpenError)):
        # SQLite does not say why a side file could not be made or grow; a disk without room is why.
        return room_in(folder).free < _NO_ROOM_BYTES
    return isinstance(error, apsw.FullError)
