"""Room on the disk: how much there is, how much is kept free, and which errors mean that it is full."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path

import apsw

DEFAULT_RESERVE_BYTES = 500_000_000
DEFAULT_RESERVE_SHARE = 0.05
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

    ``reserve`` is in bytes; None keeps 500 MB free, or 5 % of a disk below 10 GB.
    """
    status = os.statvfs(folder)
    if reserve is None:
        total = status.f_blocks * status.f_frsize
        reserve = min(DEFAULT_RESERVE_BYTES, int(total * DEFAULT_RESERVE_SHARE))
    has_inodes = status.f_files == 0 or status.f_favail > 0  # btrfs and others have no fixed number
    return Room(status.f_bavail * status.f_frsize if has_inodes else 0, reserve)


def means_disk_full(error: BaseException, folder: Path) -> bool:
    """Whether an error of the operating system or of SQLite says that there is no room left in ``folder``."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    if isinstance(error, (apsw.IOError, apsw.CantOpenError)):
        # SQLite does not say why a side file could not be made or grow; a disk without room is why.
        return room_in(folder).free < _NO_ROOM_BYTES
    return isinstance(error, apsw.FullError)
