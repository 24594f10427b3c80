"""Which system calls a parser process is refused, as a filter of classic BPF for seccomp.

What is refused ends with EPERM, so that a library that asks for more than it needs goes on without. Calls that are
newer than this table, and those whose flags a filter cannot see, end with ENOSYS: libraries then use the older ones.
Imports next to nothing, because it runs before any library of a parser is loaded.

Sources: seccomp(2), syscalls(2), the kernel's include/uapi/linux/{seccomp,filter,audit}.h and its tables of calls.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Sequence
from typing import NamedTuple

_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""By machine: the place of its numbers in the tables below, and the value that the kernel names it with."""
_X32_CALLS = 0x40000000  # of x86-64's second, shorter table: the same calls under other numbers

_Numbers = dict[str, tuple[int | None, int | None]]
_OF_FILES: _Numbers = {  # what Landlock does not cover: the metadata of any file that the user owns
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, None),
    "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54), "utime": (132, None), "utimes": (235, None),
    "futimesat": (261, None), "utimensat": (280, 88), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7), "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "truncate": (76, 45),  # Landlock covers it from version 3 on
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "fanotify_init": (300, 262),
}  # fmt: skip
_OUTLIVING: _Numbers = {  # shared memory, semaphores and queues that stay when the process has ended
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "semget": (64, 190), "semop": (65, 193),
    "semctl": (66, 191), "semtimedop": (220, 192), "msgget": (68, 186), "msgsnd": (69, 189), "msgrcv": (70, 188),
    "msgctl": (71, 187), "mq_open": (240, 180), "mq_unlink": (241, 181),
}  # fmt: skip
_OF_THE_MACHINE: _Numbers = {
    "sethostname": (170, 161), "setdomainname": (171, 162), "settimeofday": (164, 170), "clock_settime": (227, 112),
    "clock_adjtime": (305, 266), "adjtimex": (159, 171), "swapon": (167, 224), "swapoff": (168, 225),
    "acct": (163, 89), "quotactl": (179, 60), "quotactl_fd": (443, 443), "syslog": (103, 116), "iopl": (172, None),
    "ioperm": (173, None), "reboot": (169, 142), "kexec_load": (246, 104), "kexec_file_load": (320, 294),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "vhangup": (153, 58),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "open_tree": (428, 428),
    "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432),
    "fspick": (433, 433), "mount_setattr": (442, 442), "setns": (308, 268), "unshare": (272, 97),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),  # no filter sees the calls that go through it
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
}  # fmt: skip
_OF_OTHER_PROCESSES: _Numbers = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "process_madvise": (440, 440), "process_mrelease": (448, 448), "pidfd_getfd": (438, 438),
    "migrate_pages": (256, 238), "move_pages": (279, 239), "setpriority": (141, 140), "ioprio_set": (251, 30),
}  # fmt: skip
_OF_PROGRAMS: _Numbers = {  # for parsers that work through no other program
    "execve": (59, 221), "execveat": (322, 281), "socket": (41, 198), "connect": (42, 203), "accept": (43, 202),
    "bind": (49, 200), "listen": (50, 201), "accept4": (288, 242),
    "inotify_init": (253, None), "inotify_init1": (294, 26), "getxattr": (191, 8), "lgetxattr": (192, 9),
    "fgetxattr": (193, 10), "listxattr": (194, 11), "llistxattr": (195, 12), "flistxattr": (196, 13),
    "pidfd_send_signal": (424, 424), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
}  # fmt: skip
_FLAGS_UNSEEN: _Numbers = {"clone3": (435, 435), "openat2": (437, 437)}
_TOO_NEW = 457  # the same on all machines; among them other ways to set attributes of files
_ONLY_ITSELF: _Numbers = {
    "prlimit64": (302, 261), "sched_setscheduler": (144, 119), "sched_setparam": (142, 118),
    "sched_setattr": (314, 274), "sched_setaffinity": (203, 122),
}  # fmt: skip
_SIGNALS: _Numbers = {"kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131)}
_CLONE, _OPEN, _OPENAT, _FCNTL, _IOCTL = (56, 220), (2, None), (257, 56), (72, 25), (16, 29)

_NEW_NAMESPACES = 0x7E020000  # the flags of clone(2) that make one
_TRUNCATES, _ACCESS_MODE = 0o1000, 0o3
_SET_OWNER, _SET_SIGNAL, _SET_OWNER_EX, _SET_LEASE, _NOTIFY = 8, 10, 15, 1024, 1026
_KIND_OF_IOCTL, _OF_TERMINALS_AND_FILES, _OF_SOCKETS = 0xFF00, 0x5400, 0x8900
_TYPE_FOR_OTHERS, _PASTE_FOR_OTHERS = 0x5412, 0x541C

_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_SECCOMP_ALLOW, _SECCOMP_ERRNO = 0x7FFF0000, 0x00050000
_EPERM, _ENOSYS = 1, 38
_LOAD, _AND, _EQUAL, _AT_LEAST, _PASS_OVER, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x05, 0x06
_NUMBER_AT, _MACHINE_AT, _ARGUMENTS_AT = 0, 4, 16  # of struct seccomp_data


class _Rule(NamedTuple):
    """A call that is refused by its argument: when this, masked, is among ``values``, or when it is not."""

    call: tuple[int | None, int | None]
    argument: int
    values: tuple[int, ...]
    refuses_them: bool = False
    mask: int = 0xFFFFFFFF


def filter_calls(libc: ctypes.CDLL, *, may_run_programs: bool) -> bool:
    """Refuse the system calls that no parser needs; returns whether the kernel took the filter."""
    machine = os.uname().machine
    if machine not in _MACHINES:
        return False
    program = _filter(machine, os.getpid(), may_run_programs=may_run_programs)
    code = ctypes.create_string_buffer(b"".join(program), len(program) * 8)
    # struct sock_fprog: how many instructions, where they are; padded as the machine's compiler does.
    description = struct.pack("@HP", len(program), ctypes.addressof(code))
    return int(libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, description, 0, 0)) == 0


def refused_numbers(machine: str, *, may_run_programs: bool) -> list[int]:
    """Return the numbers of the calls that are refused on a machine whatever their arguments are."""
    place, _ = _MACHINES[machine]
    groups = [_OF_FILES, _OUTLIVING, _OF_THE_MACHINE, _OF_OTHER_PROCESSES]
    groups += [] if may_run_programs else [_OF_PROGRAMS]
    return [number for group in groups for call in group.values() if (number := call[place]) is not None]


def _rules(own_pid: int, *, may_run_programs: bool) -> list[_Rule]:
    kinds = (_OF_TERMINALS_AND_FILES, _OF_SOCKETS) if may_run_programs else (_OF_TERMINALS_AND_FILES,)
    rules = [
        _Rule(_CLONE, 0, (0,), mask=_NEW_NAMESPACES),
        # A file that is open for reading alone can be emptied by it; Landlock sees that from version 3 on.
        *(_Rule(call, at, (_TRUNCATES,), True, _TRUNCATES | _ACCESS_MODE) for call, at in ((_OPEN, 1), (_OPENAT, 2))),
        # The kernel sends the signals of a file to its owner.
        _Rule(_FCNTL, 1, (_SET_OWNER, _SET_SIGNAL, _SET_OWNER_EX, _SET_LEASE, _NOTIFY), refuses_them=True),
        # Others set flags and attributes of files that are open for reading, or act on devices.
        _Rule(_IOCTL, 1, kinds, mask=_KIND_OF_IOCTL),
        _Rule(_IOCTL, 1, (_TYPE_FOR_OTHERS, _PASTE_FOR_OTHERS), refuses_them=True),
        *(_Rule(call, 0, (0, own_pid)) for call in _ONLY_ITSELF.values()),
    ]
    if not may_run_programs:
        rules += [_Rule(call, 0, (own_pid,)) for call in _SIGNALS.values()]
    return rules


def _filter(machine: str, own_pid: int, *, may_run_programs: bool) -> list[bytes]:
    """Return the instructions: what is refused, and all calls of other machines, end with an error."""
    place, audit_name = _MACHINES[machine]
    program = [_instruction(_LOAD, _MACHINE_AT), _instruction(_EQUAL, audit_name, 1, 0), _error(_EPERM)]
    program.append(_instruction(_LOAD, _NUMBER_AT))
    if machine == "x86_64":
        program += [_instruction(_AT_LEAST, _X32_CALLS, 0, 1), _error(_EPERM)]
    program += [_instruction(_AT_LEAST, _TOO_NEW, 0, 1), _error(_ENOSYS)]
    for number in refused_numbers(machine, may_run_programs=may_run_programs):
        program += _if_called(number, [_error(_EPERM)])
    for call in _FLAGS_UNSEEN.values():
        program += _if_called(call[place], [_error(_ENOSYS)])
    for rule in _rules(own_pid, may_run_programs=may_run_programs):
        program += _if_called(rule.call[place], _refusal_by_argument(rule))
    return [*program, _instruction(_RETURN, _SECCOMP_ALLOW)]


def _if_called(number: int | None, then: Sequence[bytes]) -> list[bytes]:
    """Return ``then`` for one call; nothing where the machine does not have it."""
    return [] if number is None else [_instruction(_EQUAL, number, 0, len(then)), *then]


def _refusal_by_argument(rule: _Rule) -> list[bytes]:
    """Return what ends with an error, or continues with the number of the call loaded again."""
    # Of each argument the lower half, which is all that the kernel takes of these; both machines put it first.
    instructions = [_instruction(_LOAD, _ARGUMENTS_AT + 8 * rule.argument), _instruction(_AND, rule.mask)]
    # Each test that is true passes over those left and over the one instruction between them and its end.
    left = range(len(rule.values), 0, -1)
    instructions += [_instruction(_EQUAL, value, tests, 0) for value, tests in zip(rule.values, left, strict=True)]
    if rule.refuses_them:
        instructions.append(_instruction(_PASS_OVER, 1))
    return [*instructions, _error(_EPERM), _instruction(_LOAD, _NUMBER_AT)]


def _error(number: int) -> bytes:
    return _instruction(_RETURN, _SECCOMP_ERRNO | number)


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """Return a struct sock_filter; the jumps say how many instructions are passed over."""
    return struct.pack("=HBBI", code, if_true, if_false, value)
