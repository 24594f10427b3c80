"""The ways out that a misbehaving parser tries, for the tests of the walls: what raises no OSError is a way out."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import resource
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

from ingest_tui.extraction.pool import system_calls

_SIZE = 4096
_PRIVATE, _REMOVE = 0, 0
_PTRACE_ATTACH = 16


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int, name: str) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), name)
    return result


def _reach_unix_socket(target: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect(target)


def _make_socket(_target: str) -> None:
    socket.socket(socket.AF_INET, socket.SOCK_STREAM).close()


def _trace(target: str) -> None:
    _checked(_libc().ptrace(_PTRACE_ATTACH, int(target), None, None), "ptrace")


def _read_at(target: str) -> None:
    with open(target, "rb") as file:  # noqa: PTH123
        file.read(1)


def _write_at(target: str) -> None:
    with open(target, "ab") as file:  # noqa: PTH123
        file.write(b"planted")


def _change_mode_of_open(target: str) -> None:
    descriptor = os.open(target, os.O_RDONLY)
    try:
        os.fchmod(descriptor, 0o666)
    finally:
        os.close(descriptor)


def _own_signals_for(target: str) -> None:
    reader, writer = os.pipe()
    try:
        fcntl.fcntl(reader, fcntl.F_SETOWN, int(target))
    finally:
        os.close(reader)
        os.close(writer)


def _leave_shared_memory(_target: str) -> None:
    _libc().shmctl(_checked(_libc().shmget(_PRIVATE, _SIZE, 0o600), "shmget"), _REMOVE, None)


def _leave_queue(_target: str) -> None:
    _libc().msgctl(_checked(_libc().msgget(_PRIVATE, 0o600), "msgget"), _REMOVE, None)


def _leave_semaphore(_target: str) -> None:
    _libc().semctl(_checked(_libc().semget(_PRIVATE, 1, 0o600), "semget"), 0, _REMOVE)


def _have_capabilities(_target: str) -> None:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    sets = dict(line.split(":\t") for line in lines if line.startswith("Cap"))
    if not any(int(sets[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")):
        raise PermissionError(errno.EPERM, "no capabilities")


def _call_what_is_refused(_target: str) -> None:
    """Make every call that is refused whatever its arguments are, with some that no call takes."""
    machine, libc = os.uname().machine, _libc()
    bad = [ctypes.c_long(-1)] * 6

    def reaches_the_kernel(number: int) -> bool:
        is_done: bool = libc.syscall(ctypes.c_long(number), *bad) >= 0
        return is_done or ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS)

    numbers = system_calls.refused_numbers(machine, may_run_programs=False)
    reached = [number for number in numbers if reaches_the_kernel(number)]
    if not reached:
        raise PermissionError(errno.EPERM, "all are refused")
    raise ValueError(f"the kernel took the calls {reached}")


WAYS_OUT: dict[str, Callable[[str], object]] = {
    "read": _read_at,
    "list": os.listdir,
    "write": _write_at,
    "unlink": os.unlink,
    "run": lambda target: subprocess.run([target], check=True),
    "unix-socket": _reach_unix_socket,
    "tcp": _make_socket,
    "trace": _trace,
    "chmod": lambda target: os.chmod(target, 0o777),  # noqa: PTH101
    "set-user": lambda target: os.chmod(target, 0o4777),  # noqa: PTH101
    "fchmod": _change_mode_of_open,
    "chown": lambda target: os.chown(target, os.getuid(), os.getgid()),
    "utime": lambda target: os.utime(target, (1, 1)),
    "setxattr": lambda target: os.setxattr(target, "user.planted", b"x"),
    "truncate": lambda target: os.truncate(target, 0),
    "empty": lambda target: os.close(os.open(target, os.O_RDONLY | os.O_TRUNC)),
    "signal": lambda target: os.kill(int(target), 0),
    "priority": lambda target: os.setpriority(os.PRIO_PROCESS, int(target), 5),
    "limits": lambda target: resource.prlimit(int(target), resource.RLIMIT_NOFILE, (20, 20)),
    "processors": lambda target: os.sched_setaffinity(int(target), [min(os.sched_getaffinity(0))]),
    "scheduler": lambda target: os.sched_setscheduler(int(target), os.SCHED_BATCH, os.sched_param(0)),
    "own-signals": _own_signals_for,
    "shared-memory": _leave_shared_memory,
    "queue": _leave_queue,
    "semaphore": _leave_semaphore,
    "host-name": lambda _target: socket.sethostname(socket.gethostname()),
    "capabilities": _have_capabilities,
    "calls": _call_what_is_refused,
}
