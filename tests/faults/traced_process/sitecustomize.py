"""Loaded by the interpreter of a process under test, before the program: makes each of its system calls addressable.

strace counts the calls of ``when=N`` "per syscall and per tracee" (its manual), and every thread is a tracee: the third
write would be that of whichever thread gets there first, or of all of them. So each thread says its role in the trace,
and one thread, the target, first uses up a number of calls that no other will ever reach: its N-th call is then number
``ahead + N``, which no other thread has. The calls that it uses up name no file and change nothing.

The modules that a sync loads are loaded beforehand: which thread would load one, and so open files, depends on timing.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import importlib
import os
import sys
import threading
from pathlib import Path

_libc = ctypes.CDLL(None)
_NO_SUCH_THING = ctypes.c_long(-1)  # neither a descriptor nor an address
_target_role, _target_call, _calls_ahead = os.environ.pop("CRASH_LAB_TARGET", "nobody,nothing,0").split(",")


def _enter(role: str) -> None:
    """Tell the trace whose calls those of this thread are, and go ahead of the others if it is the target.

    Only the first thread of a role is one: its successors would meet the fault again.
    """
    global _target_role  # noqa: PLW0603 - one process, one target
    _libc.rmdir(f"/role/{role}".encode())
    if role == _target_role:
        _target_role = ""
        use_up = getattr(_libc, _target_call)
        for _ in range(int(_calls_ahead)):
            use_up(*[_NO_SUCH_THING] * 6)


def _enter_thread(*_event: object) -> None:
    sys.setprofile(None)
    _enter(threading.current_thread().name.partition("-")[0])


def _note_modules(path: Path) -> None:
    path.write_text("\n".join(sorted(set(sys.modules) - {"__main__", "sitecustomize"})))


if _parser_python := os.environ.pop("CRASH_LAB_PARSER_PYTHON", ""):
    sys.executable = _parser_python
if _note := os.environ.pop("CRASH_LAB_NOTE", ""):
    atexit.register(_note_modules, Path(_note))
if _modules := os.environ.pop("CRASH_LAB_MODULES", ""):
    for _name in Path(_modules).read_text().split():
        with contextlib.suppress(ImportError):
            importlib.import_module(_name)
    threading.setprofile(_enter_thread)
    _enter("main")
