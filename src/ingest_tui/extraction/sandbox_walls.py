"""Walls of the kernel around a parser process: Landlock for files, signals and TCP, seccomp for system calls.

A parser reads what is staged and the libraries it runs with, writes into one folder of its own, opens no socket and
starts no program. Each wall stands by itself: where the kernel lacks one, the others hold, and the process reports
which do. Imports next to nothing, because it runs before any library of a parser is loaded.

Sources: landlock(7), seccomp(2), the kernel's include/uapi/linux/{landlock,seccomp,filter,audit}.h and its tables of
system calls.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from typing import Any

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

_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_SECCOMP_ALLOW, _SECCOMP_ERRNO = 0x7FFF0000, 0x00050000
_EPERM = 1
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_X32_CALLS = 0x40000000  # of x86-64's second, shorter table: the same calls under other numbers
# System calls by machine: the value that the kernel names the machine with, then the numbers of what no parser needs.
_RUNS_PROGRAMS = {"x86_64": (59, 322), "aarch64": (221, 281)}  # execve, execveat
_OPENS_SOCKETS = {
    "x86_64": (41, 42, 43, 49, 50, 288),  # socket, connect, accept, bind, listen, accept4
    "aarch64": (198, 203, 202, 200, 201, 242),
}
_REACHES_OTHERS = {
    # ptrace, process_vm_readv and _writev, kcmp, pidfd_getfd, add_key, request_key, keyctl, bpf, perf_event_open,
    # userfaultfd, io_uring_setup (whose calls no filter sees), mount, umount2, pivot_root, chroot, open_tree,
    # move_mount, fsopen, fsmount, setns, unshare, open_by_handle_at, init_module, finit_module, delete_module,
    # kexec_load, kexec_file_load, reboot
    "x86_64": (
        101, 310, 311, 312, 438, 248, 249, 250, 321, 298, 323, 425, 165, 166, 155, 161, 428, 429, 430, 432, 308, 272,
        304, 175, 313, 176, 246, 320, 169,
    ),
    "aarch64": (
        117, 270, 271, 272, 438, 217, 218, 219, 280, 241, 282, 425, 40, 39, 41, 51, 428, 429, 430, 432, 268, 97,
        265, 105, 273, 106, 104, 294, 142,
    ),
}  # fmt: skip
_AUDIT_NAMES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


def raise_walls(libc: ctypes.CDLL, config: dict[str, Any]) -> dict[str, Any]:
    """Shut this process in as far as the kernel can; returns which walls hold.

    ``config``: ``readable`` (files and folders besides those of the system), ``scratch`` (the one folder to write in),
    ``may_run_programs`` (for a backend that works through other programs: then sockets are allowed too, since such
    programs talk over them). No new privileges must have been set before.
    """
    may_run = bool(config["may_run_programs"])
    abi = _landlock(libc, config["readable"], config["scratch"], may_run_programs=may_run)
    return {"landlock": abi, "seccomp": _seccomp(libc, may_run_programs=may_run)}


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
        fields.append(0 if may_run_programs else _ABSTRACT_SOCKETS_AND_SIGNALS)
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    ruleset = libc.syscall(_LANDLOCK_CREATE, attributes, len(attributes), 0)
    if ruleset < 0:
        return 0
    try:
        for path in (*_SYSTEM_FILES, *readable):
            _allow(libc, ruleset, path, _READ & rights)
        for path in _PROGRAMS if may_run_programs else ():
            _allow(libc, ruleset, path, (_READ | _EXECUTE) & rights)
        _allow(libc, ruleset, "/dev/null", (_READ_FILE | _WRITE_FILE) & rights)
        _allow(libc, ruleset, scratch, _WRITE_OWN & rights)
        return abi if libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0) == 0 else 0
    finally:
        os.close(ruleset)


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


def _seccomp(libc: ctypes.CDLL, *, may_run_programs: bool) -> bool:
    """Refuse the system calls that no parser needs, with EPERM; returns whether the kernel took the filter."""
    machine = os.uname().machine
    if machine not in _AUDIT_NAMES:
        return False
    refused = list(_REACHES_OTHERS[machine])
    if not may_run_programs:
        refused += [*_RUNS_PROGRAMS[machine], *_OPENS_SOCKETS[machine]]
    program = _filter(machine, refused)
    code = ctypes.create_string_buffer(b"".join(program), len(program) * 8)
    # struct sock_fprog: how many instructions, where they are; padded as the machine's compiler does.
    description = struct.pack("@HP", len(program), ctypes.addressof(code))
    return int(libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, description, 0, 0)) == 0


def _filter(machine: str, refused: list[int]) -> list[bytes]:
    """Return the instructions of classic BPF: ``refused`` calls, and all of other machines, end with EPERM."""
    tests = [(_EQUAL, number) for number in refused]
    if machine == "x86_64":
        tests.append((_AT_LEAST, _X32_CALLS))
    to_refusal = len(tests) + 1  # instructions from the test of the machine to the last one
    program = [_instruction(_LOAD, 4), _instruction(_EQUAL, _AUDIT_NAMES[machine], 0, to_refusal + 1)]
    program.append(_instruction(_LOAD, 0))
    for place, (code, number) in enumerate(tests):
        program.append(_instruction(code, number, len(tests) - place, 0))
    program += [_instruction(_RETURN, _SECCOMP_ALLOW), _instruction(_RETURN, _SECCOMP_ERRNO | _EPERM)]
    return program


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """Return a struct sock_filter; the jumps say how many instructions are passed over."""
    return struct.pack("=HBBI", code, if_true, if_false, value)
