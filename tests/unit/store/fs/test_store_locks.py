"""Locks between real processes."""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest_tui.model.errors import BusyError
from ingest_tui.store.fs.locks import FileLock, is_locked
from tests.waiting import wait_until

HOLD = """
import sys
from pathlib import Path
from ingest_tui.store.fs.locks import FileLock
lock = FileLock(Path(sys.argv[1]))
print("held" if lock.try_acquire() else "refused", flush=True)
sys.stdin.readline()
lock.release()
print("released", flush=True)
sys.stdin.readline()
"""


@contextmanager
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that takes the lock if it can, and gives it back when it is sent a line."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def said_by(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_two_processes_exclude_each_other(tmp_path: Path) -> None:
    """While one process holds a lock the other cannot take it; once it is given back it can."""
    path = tmp_path / "a.lock"
    lock = FileLock(path)
    with holder(path) as other:
        assert said_by(other) == "held"
        assert not lock.try_acquire()
        assert is_locked(path)
        tell(other)
        assert said_by(other) == "released"
        assert not is_locked(path)
        assert lock.try_acquire()
    with holder(path) as other:
        assert said_by(other) == "refused"
    lock.release()


def test_kill_frees_a_lock_at_once(tmp_path: Path) -> None:
    """A lock whose owner is killed is free as soon as the owner is gone, without anybody judging it stale."""
    path = tmp_path / "a.lock"
    with holder(path) as other:
        assert said_by(other) == "held"
        other.send_signal(signal.SIGKILL)
        other.wait()
        lock = FileLock(path)
        assert not is_locked(path)
        assert lock.try_acquire()
        lock.release()


def test_child_started_by_exec_does_not_keep_the_lock(tmp_path: Path) -> None:
    """A program that the owner starts inherits no lock: it is free although the child lives on."""
    lock = FileLock(tmp_path / "a.lock")
    assert lock.try_acquire()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False) as child:
        lock.release()
        # The kernel lets the parent go on a moment before it closes what the new program must not have.
        wait_until(lambda: not is_locked(lock.path))
        assert child.poll() is None
        child.communicate(b"\n")


def test_lock_is_not_reentrant(tmp_path: Path) -> None:
    """Neither the instance that holds a lock nor another one of the same process takes it a second time."""
    lock, second = FileLock(tmp_path / "a.lock"), FileLock(tmp_path / "a.lock")
    assert lock.try_acquire()
    assert lock.held
    assert not lock.try_acquire()
    assert not second.try_acquire()
    assert not second.held
    lock.release()
    lock.release()
    assert second.try_acquire()
    second.release()


def test_waiting_for_a_lock_ends_with_a_clear_error(tmp_path: Path) -> None:
    """Whoever waits too long is told what is in use, by an error that may be tried again."""
    lock, second = FileLock(tmp_path / "a.lock"), FileLock(tmp_path / "a.lock")
    assert lock.try_acquire()
    with pytest.raises(BusyError, match="the catalogue is in use") as caught:
        second.acquire(0.05, what="the catalogue")
    assert caught.value.retryable
    assert caught.value.exit_code == 5
    lock.release()


def test_waiting_ends_when_the_lock_is_free(tmp_path: Path) -> None:
    """Whoever waits gets the lock once it is given back."""
    lock, second = FileLock(tmp_path / "a.lock"), FileLock(tmp_path / "a.lock")
    assert lock.try_acquire()
    timer = threading.Timer(0.1, lock.release)
    timer.start()
    second.acquire(5.0, what="it")
    assert second.held
    second.release()
    timer.join()


def test_lock_file_stays_and_is_released_by_errors(tmp_path: Path) -> None:
    """Leaving a block by an exception frees the lock; its file is never unlinked, since that would make two of it."""
    lock = FileLock(tmp_path / "a.lock")
    with pytest.raises(RuntimeError, match="acquire"), lock:
        pass
    lock.acquire(1.0, what="it")
    with pytest.raises(ZeroDivisionError), lock:
        raise ZeroDivisionError
    assert not is_locked(lock.path)
    assert lock.path.exists()


def test_asking_about_a_lock_that_never_was_makes_none(tmp_path: Path) -> None:
    """`is_locked` leaves no file behind."""
    assert not is_locked(tmp_path / "a.lock")
    assert list(tmp_path.iterdir()) == []


def test_asking_does_not_take_the_lock_from_its_owner(tmp_path: Path) -> None:
    """The owner keeps its lock while others ask whether it is held."""
    lock = FileLock(tmp_path / "a.lock")
    lock.try_acquire()
    assert all(is_locked(lock.path) for _ in range(5))
    assert not FileLock(tmp_path / "a.lock").try_acquire()
    lock.release()


def test_lock_does_not_follow_a_link(tmp_path: Path) -> None:
    """A link planted at a lock's name is refused, so that no foreign file is made or locked."""
    (tmp_path / "a.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=r"symbolic|loop"):
        FileLock(tmp_path / "a.lock").try_acquire()
    assert not (tmp_path / "elsewhere").exists()


def test_lock_whose_file_was_removed_meanwhile_is_taken_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock whose file somebody removed between opening and locking would lock nobody out: it is made again."""
    path = tmp_path / "a.lock"
    flock = fcntl.flock
    removals = iter([path.unlink])

    def locking(descriptor: int, operation: int) -> None:
        next(removals, lambda: None)()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", locking)
    lock = FileLock(path)
    assert lock.try_acquire()
    assert is_locked(path)
    lock.release()


def test_lock_that_must_exist_makes_no_file(tmp_path: Path) -> None:
    """Asking for a lock that nobody ever made is refused and leaves nothing."""
    assert not FileLock(tmp_path / "folder" / "a.lock", must_exist=True).try_acquire()
    assert list(tmp_path.iterdir()) == []
