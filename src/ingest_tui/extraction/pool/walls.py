"""Walls of the kernel around a parser process: Landlock for files, signals and TCP, seccomp for system calls.

A parser reads what is staged and the libraries it runs with, writes into one folder of its own, opens no socket and
starts no program. Each wall holds by itself: where the kernel lacks one, the others hold, and the process reports
which do. Imports next to nothing, because it runs before any library of a parser is loaded.

Sources: landlock(7), the kernel's include/uapi/linux/landlock.h.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from typing import Any

from ingest_tui.extraction.pool.system_calls import filter_calls

_LANDLOCK_CREATE, _LANDLOCK_ADD_RULE, _LANDLOCK_RESTRICT = 444, 445, 446  # the same numbers on all machines
_LANDLOCK_VERSION_FLAG = 1
_RULE_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REMOVE_DIR, _REMOVE_FILE, _MAKE_DIR, _MAKE_REG = 1 << 4, 1 << 5, 1 << 7, 1 << 8
_TRUNCATE = 1 << 14
_FILE_RIGHTS_OF_ABI = (0, 13, 14, 15, 15, 16)  # how many rights of files an ABI knows; later ones add none of them
_NET_FROM_ABI, _SCOPES_FROM_ABI = 4, 6
_BIND_AND_CONNECT_TCP = 0b11
_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11

_READ = _READ_FILE | _READ_DIR
_WRITE_OWN = _READ | _WRITE_FILE | _REMOVE_FILE | _REMOVE_DIR | _MAKE_REG | _MAKE_DIR | _TRUNCATE
_ON_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
_SYSTEM_FILES = (
    "/usr", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime",
    "/etc/mime.types", "/etc/fonts", "/etc/magic", "/dev/zero", "/dev/urandom", "/dev/random", "/proc/self",
    "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/sys/devices/system/cpu",
)  # fmt: skip
_PROGRAMS = ("/usr", "/bin", "/lib", "/lib64")
_SETTINGS_OF_JAVA = "java"
"""What the folders below /etc begin with that Debian keeps the settings of Java in, which it does not start without."""


def raise_walls(libc: ctypes.CDLL, config: dict[str, Any]) -> dict[str, Any]:
    """Shut this process in as far as the kernel can; returns which walls hold.

    ``config``: ``readable`` (files and folders besides those of the system), ``scratch`` (the one folder to write in),
    ``may_run_programs`` (for a backend that works through other programs: then sockets are allowed too, since such
    programs talk over them). No new privileges must have been set before.
    """
    may_run = bool(config["may_run_programs"])
    abi = _landlock(libc, config["readable"], config["scratch"], may_run_programs=may_run)
    return {"landlock": abi, "seccomp": filter_calls(libc, may_run_programs=may_run)}


def landlock_version(libc: ctypes.CDLL) -> int:
    """Return the ABI of Landlock that the kernel offers, 0 for none."""
    return max(0, int(libc.syscall(_LANDLOCK_CREATE, None, 0, _LANDLOCK_VERSION_FLAG)))


def _landlock(libc: ctypes.CDLL, readable: Iterable[str], scratch: str, *, may_run_programs: bool) -> int:
    abi = landlock_version(libc)
    if abi == 0:
        return 0
    rights = (1 << _FILE_RIGHTS_OF_ABI[min(abi, len(_FILE_RIGHTS_OF_ABI) - 1)]) - 1
    fields = [rights]
    if abi >= _NET_FROM_ABI:
        fields.append(0 if may_run_programs else _BIND_AND_CONNECT_TCP)
    if abi >= _SCOPES_FROM_ABI:
        fields.append(_ABSTRACT_SOCKETS_AND_SIGNALS)  # towards others: programs that it starts are in the same domain
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    ruleset = libc.syscall(_LANDLOCK_CREATE, attributes, len(attributes), 0)
    if ruleset < 0:
        return 0
    try:
        for path in (*_SYSTEM_FILES, *readable):
            _allow(libc, ruleset, path, _READ & rights)
        for path in _PROGRAMS if may_run_programs else ():
            _allow(libc, ruleset, path, (_READ | _EXECUTE) & rights)
        for path in _settings_of_programs() if may_run_programs else ():
            _allow(libc, ruleset, path, _READ & rights)
        _allow(libc, ruleset, "/dev/null", (_READ_FILE | _WRITE_FILE) & rights)
        _allow(libc, ruleset, scratch, _WRITE_OWN & rights)
        return abi if libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0) == 0 else 0
    finally:
        os.close(ruleset)


def _settings_of_programs() -> list[str]:
    try:
        return [f"/etc/{name}" for name in os.listdir("/etc") if name.startswith(_SETTINGS_OF_JAVA)]  # noqa: PTH208
    except OSError:
        return []


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    """Let through what is at or beneath a path; one that is not there needs no way through."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= _ON_FILES
        libc.syscall(_LANDLOCK_ADD_RULE, ruleset, _RULE_PATH_BENEATH, struct.pack("=Qi", rights, descriptor), 0)
    finally:
        os.close(descriptor)
