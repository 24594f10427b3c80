"""Who may do what: `flock` on files that are never unlinked.

The kernel frees such a lock when its owner dies, however it dies, so nothing ever has to be declared stale. What stands
in the file (who holds it) is for people only. Locks survive `fork`: children must be started by exec.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from ingest_tui.model.errors import BusyError
from ingest_tui.store.atomic import FILE_MODE, make_folder

_POLL_SECONDS = 0.02


class FileLock:
    """An exclusive lock on ``path``. Not re-entrant; one instance is held once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = -1

    @property
    def held(self) -> bool:
        """Whether this instance holds the lock."""
        return self._descriptor >= 0

    def try_acquire(self) -> bool:
        """Take the lock if nobody has it; returns whether it is ours now."""
        if self.held:
            return False
        make_folder(self.path.parent)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.fchmod(descriptor, FILE_MODE)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return True

    def acquire(self, timeout: float, *, what: str) -> None:
        """Wait up to ``timeout`` seconds; raises `BusyError` naming ``what`` is held."""
        deadline = time.monotonic() + timeout
        while not self.try_acquire():
            if time.monotonic() >= deadline:
                raise BusyError(
                    f"{what} is in use by another process",
                    hint="wait until it is done, or see 'ingest-tui worker status'",
                )
            time.sleep(_POLL_SECONDS)

    def release(self) -> None:
        """Give the lock back; nothing happens when it is not held."""
        if self.held:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        if not self.held:
            raise RuntimeError("acquire the lock before entering it")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.release()


def is_locked(path: Path) -> bool:
    """Tell whether some process holds the lock on ``path`` right now."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
