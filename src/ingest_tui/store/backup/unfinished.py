"""What a backup that was killed leaves next to its FILE: a part of it, which nobody can use."""

from __future__ import annotations

import fcntl
import os
import re
import stat
from contextlib import suppress
from pathlib import Path

from ingest_tui.model.clock import posix_seconds
from ingest_tui.store.fs.atomic import TEMPORARY_PREFIX

_NAME = re.compile(rf"{re.escape(TEMPORARY_PREFIX)}[0-9a-f]{{32}}")
_ZSTD = b"\x28\xb5\x2f\xfd"
_QUIET_SECONDS = 60.0


def hold_unfinished(descriptor: int) -> None:
    """Lock a backup until it has its name, while it is written: so nobody takes it for one that was killed."""
    with suppress(OSError):  # a file system without locks: there nobody removes one
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def remove_unfinished(folder: Path) -> list[Path]:
    """Remove parts of backups from the folder of a backup that is about to be written; returns which.

    A part has the name of a temporary file, begins as a backup does, is of this user, and neither locked nor written to
    for a minute. What cannot be looked at, locked or removed stays, and an empty file does: others write under such
    names too, and nothing says whose it is.
    """
    removed = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in [one for one in entries if _NAME.fullmatch(one.name)]:
            with suppress(OSError):
                if _is_left(entry.path):
                    Path(entry.path).unlink()
                    removed.append(Path(entry.path))
    return removed


def _is_left(path: str) -> bool:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        is_quiet = status.st_mtime < posix_seconds() - _QUIET_SECONDS
        if not (stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and is_quiet):
            return False
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.read(descriptor, len(_ZSTD)) == _ZSTD
    finally:
        os.close(descriptor)
