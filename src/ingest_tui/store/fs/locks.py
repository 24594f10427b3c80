"""Who may do what: `flock` on files that are never unlinked, but for marks whose holder takes them away.

The kernel frees such a lock when its owner dies, however it dies, so nothing ever has to be declared stale. What stands
in the file (who holds it) is for people only. Locks survive `fork`: children must be started by exec.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from ingest_tui.model.errors import BusyError
from ingest_tui.store.fs.atomic import FILE_MODE, make_folder, refuse_linked_folder

_POLL_SECONDS = 0.02
_KERNEL_LOCKS = Path("/proc/locks")
_LOCK_FIELDS = 8  # "1: FLOCK ADVISORY WRITE 4711 fe:00:2146369 0 EOF", proc_locks(5)


class FileLock:
    """An exclusive lock on ``path``. Not re-entrant; one instance is held once.

    With ``must_exist`` a file that is not there is not made, and cannot be locked.
    """

    def __init__(self, path: Path, *, must_exist: bool = False) -> None:
        self.path = path
        self._must_exist = must_exist
        self._descriptor = -1

    @property
    def held(self) -> bool:
        """Whether this instance holds the lock."""
        return self._descriptor >= 0

    def try_acquire(self) -> bool:
        """Take the lock if nobody has it; returns whether it is ours now."""
        if self.held:
            return False
        if not self._must_exist:
            make_folder(self.path.parent)
        while (is_ours := self._try_once()) is None:
            continue
        return is_ours

    def _try_once(self) -> bool | None:
        """Take the lock if nobody has it; None when its file was removed between opening and locking."""
        refuse_linked_folder(self.path.parent)  # what is guarded by the lock would be written elsewhere
        may_create = 0 if self._must_exist else os.O_CREAT
        try:
            descriptor = os.open(self.path, os.O_RDWR | may_create | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
        except FileNotFoundError:
            if self._must_exist:
                return False
            raise
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.fchmod(descriptor, FILE_MODE)
            is_there = os.fstat(descriptor).st_nlink > 0
        except BlockingIOError:
            os.close(descriptor)
            return False
        except BaseException:
            os.close(descriptor)
            raise
        if not is_there:  # it would lock nobody out
            os.close(descriptor)
            return None
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
    """Return whether some process holds the lock on ``path`` right now."""
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


def lock_holder(path: Path) -> int | None:
    """Return the process that holds the lock on ``path``, as the kernel reports it; None when it names none.

    What is written in a file says nothing: whoever may write it can name any process. A process of another user than
    the owner of the file is not believed either, since an inode number may occur on another file system too.
    """
    try:
        status = path.stat(follow_symlinks=False)
        lines = _KERNEL_LOCKS.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    for line in lines:
        fields = line.split()
        if len(fields) >= _LOCK_FIELDS and fields[1] == "FLOCK" and fields[5].rpartition(":")[2] == str(status.st_ino):
            with contextlib.suppress(OSError, ValueError):
                pid = int(fields[4])
                if pid > 0 and Path(f"/proc/{pid}").stat().st_uid == status.st_uid:
                    return pid
    return None
