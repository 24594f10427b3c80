"""Which workers live: one file for each, locked by its process."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import orjson

from ingest_tui.model.clock import posix_seconds, rfc3339_now
from ingest_tui.store.fs.atomic import TEMPORARY_PREFIX, write_until_power_cut
from ingest_tui.store.fs.leftovers import sweep_small_files
from ingest_tui.store.fs.locks import FileLock, is_locked, lock_holder
from ingest_tui.store.upgrade import upgrade_workspace
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.supervision import WorkerIssue

# A worker makes its mark within milliseconds; what is older without being whole belongs to one that died meanwhile.
_MARKED_AFTER_SECONDS = 60.0
_MOST_DIGITS = 10


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """A living worker. ``mode``: ``watch`` (queue and folders), ``standby`` (takes over from the one that watches),
    ``queue``, or ``foreground`` (one job).

    ``issues``: what fails right now among its tasks, and is tried again.
    """

    worker_id: str
    pid: int
    host: str
    started_at: str
    mode: str
    issues: tuple[WorkerIssue, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return plain | {"issues": [issue.as_dict() for issue in self.issues]}

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Self:
        """Return what `as_dict` gave; raises `TypeError` for what is not that."""
        issues = tuple(WorkerIssue(**issue) for issue in record.pop("issues", ()))
        return cls(**record, issues=issues)


class WorkerRegistration:
    """The mark of this process among the workers, from creation to `close`."""

    def __init__(self, workspace: Workspace, mode: str) -> None:
        upgrade_workspace(workspace.layout)  # first: a worker that lives is in the way of an upgrade
        self.worker_id = f"{os.getpid()}-{os.urandom(3).hex()}"
        self._record = workspace.layout.workers / f"{self.worker_id}.json"
        self._lock = FileLock(workspace.layout.workers / f"{self.worker_id}.lock")
        self._lock.acquire(1.0, what="the worker's own mark")
        _sweep_torn_marks(workspace.layout.workers)
        with contextlib.suppress(OSError):  # not everybody has a worker that stays and does it
            sweep_small_files(workspace.layout)
        at = rfc3339_now()
        self._info = WorkerInfo(self.worker_id, os.getpid(), socket.gethostname(), at, mode)
        write_until_power_cut(self._record, orjson.dumps(self._info.as_dict()))

    def show(self, issues: tuple[WorkerIssue, ...]) -> None:
        """Let everybody see what fails right now. Where that cannot be written it is, with the next call."""
        self._write(replace(self._info, issues=issues))

    def become(self, mode: str) -> None:
        """Let everybody see that this worker does something else from now on."""
        self._write(replace(self._info, mode=mode))

    def _write(self, info: WorkerInfo) -> None:
        if info == self._info:
            return
        try:
            write_until_power_cut(self._record, orjson.dumps(info.as_dict()))
        except OSError:
            return
        self._info = info

    def close(self) -> None:
        """Take the mark away."""
        self._record.unlink(missing_ok=True)
        self._lock.path.unlink(missing_ok=True)  # named after this process: nobody else will ever take it
        self._lock.release()


def living_workers(workspace: Workspace) -> list[WorkerInfo]:
    """Return the workers whose process holds its lock; marks of dead ones are removed."""
    workers = []
    for path in sorted(workspace.layout.workers.glob("*.json")):
        if not is_locked(path.with_suffix(".lock")):
            _forget(path)
            continue
        info = _read_mark(path)
        if info is not None:
            workers.append(info)
    return workers


def _read_mark(path: Path) -> WorkerInfo | None:
    """Return what a living worker wrote of itself. Where that is damaged, its name says its process, and it lives."""
    try:
        info = WorkerInfo.from_dict(orjson.loads(path.read_bytes()))
    except FileNotFoundError:
        return None  # it has ended since
    except (OSError, orjson.JSONDecodeError, TypeError, AttributeError):
        process = path.stem.partition("-")[0]
        is_mark = process.isascii() and process.isdecimal() and len(process) <= _MOST_DIGITS
        return WorkerInfo(path.stem, int(process), socket.gethostname(), "", "unknown") if is_mark else None
    return info if info.worker_id == path.stem and isinstance(info.pid, int) else None


def _forget(record: Path) -> None:
    # A worker that is starting locks first and writes its record second, so an unlocked record is a dead one.
    with contextlib.suppress(OSError):  # whoever only looks may not be able to write here
        record.unlink(missing_ok=True)
        record.with_suffix(".lock").unlink(missing_ok=True)


def _sweep_torn_marks(folder: Path) -> None:
    """Remove what workers left that were killed while they made their mark: a lock without record, a torn record."""
    long_ago = posix_seconds() - _MARKED_AFTER_SECONDS
    with os.scandir(folder) as entries:
        for entry in entries:
            path = Path(entry.path)
            is_torn = entry.name.startswith(TEMPORARY_PREFIX) or (
                path.suffix == ".lock" and not path.with_suffix(".json").exists() and not is_locked(path)
            )
            with contextlib.suppress(FileNotFoundError):
                if is_torn and entry.stat(follow_symlinks=False).st_mtime < long_ago:
                    path.unlink()


def stop_worker(workspace: Workspace, info: WorkerInfo, *, timeout: float = 10.0) -> str:
    """Ask a worker of this host to end; returns why it keeps running, empty when it has ended in ``timeout`` seconds.

    The signal goes to the process that holds the worker's lock, by the kernel's word and through a descriptor of that
    process: its record may be forged, and its process id may belong to another process by now. A suspended worker is
    woken up. It has ended when its lock is free: its process id may live on as a zombie of whoever started it.
    """
    if info.host != socket.gethostname():
        return f"it runs on {info.host}: stop it there"
    lock = workspace.layout.workers / f"{info.worker_id}.lock"
    refusal = _signal_holder(lock)
    if refusal:
        return refusal
    deadline = time.monotonic() + timeout
    while is_locked(lock):
        if time.monotonic() > deadline:
            return f"it has not ended within {timeout:.0f} s; it may be waiting for a source or the disk"
        time.sleep(0.05)
    return ""


def _signal_holder(lock: Path) -> str:
    """Ask the holder of a worker's lock to end; returns why that was not possible, empty when it was or need not be."""
    holder = lock_holder(lock)
    if holder is None:
        return "the system does not report its process" if is_locked(lock) else ""
    if holder == os.getpid():
        return "it is this process"
    process = -1
    try:
        process = os.pidfd_open(holder)
        if lock_holder(lock) == holder:  # else it ended, and its process id may have been given to another
            signal.pidfd_send_signal(process, signal.SIGTERM)
            signal.pidfd_send_signal(process, signal.SIGCONT)
    except PermissionError:
        return "it belongs to another user"
    except ProcessLookupError:
        pass
    finally:
        if process >= 0:
            os.close(process)
    return ""
