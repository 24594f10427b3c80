"""A laboratory for system calls: the command line under strace, with a death or an error at one call of one thread.

`learn` runs a command undisturbed and names its calls that change the workspace; `strike` runs it again and hits one of
them. How one thread's call is hit stands in ``traced_process/sitecustomize.py``. Parser processes are let go when they
start (``-b execve``), so that they are neither traced nor hit; `strike_parser` hits them and nothing else.
"""

from __future__ import annotations

import functools
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

ALONG = Path(__file__).with_name("traced_process")
LONGEST_RUN_SECONDS = 60.0
FAULTS = {"SIGKILL": "signal=SIGKILL", "EIO": "error=EIO", "ENOSPC": "error=ENOSPC"}
CHANGING_CALLS = """
    write pwrite64 writev pwritev pwritev2 fsync fdatasync syncfs sync_file_range ftruncate truncate fallocate
    open openat creat rename renameat renameat2 link linkat symlink symlinkat unlink unlinkat mkdir mkdirat rmdir
    chmod fchmod fchmodat chown fchown lchown fchownat utimensat mknod mknodat setxattr fsetxattr
    copy_file_range sendfile
"""
# A question mark lets strace pass over calls that this machine does not have.
_TRACED = ",".join(f"?{name}" for name in CHANGING_CALLS.split())

_LINE = re.compile(r"^(?P<thread>\d+)\s+(?P<name>\w+)\((?P<rest>.*)$")
_ROLE = re.compile(r'^"/role/(\w+)"')
_VARYING = (
    (re.compile(r"\d{8}-\d{6}-[a-z]+-[0-9a-z]{4}(?![0-9a-z])"), "JOB"),
    (re.compile(r"\.tmp\.[0-9a-f]{16,}"), ".tmp.ID"),
    (re.compile(r"\.tmp\.progress\.\d+\.\d+"), ".tmp.progress.N"),
    (re.compile(r"workers/\d+-[0-9a-f]{6}"), "workers/WORKER"),
    (re.compile(r"staging/[0-9a-f]{20}"), "staging/ITEM"),
)


# Traces


@dataclass(frozen=True)
class Call:
    """A system call of a trace. ``number`` counts from 1 within its thread and name; ``place`` is what it works on."""

    role: str
    name: str
    number: int
    place: str
    is_injected: bool = False

    def __str__(self) -> str:
        return f"{self.role} {self.name}#{self.number} {self.place}"

    @property
    def mutates(self) -> bool:
        """Whether it changes something in the workspace, or would."""
        return bool(self.place) and (self.name not in {"open", "openat"} or self.place.endswith("(created)"))


def calls_of(trace: Path, root: Path) -> list[Call]:
    """Return the calls of a trace in order. Those of threads that name no role belong to ``unnamed``."""
    roles: dict[str, str] = {}
    numbers: Counter[tuple[str, str]] = Counter()
    calls = []
    for line in trace.read_text(errors="replace").splitlines():
        found = _LINE.match(line)
        if found is None:  # a signal, or the second half of a call
            continue
        thread, name, rest = found.groups()
        numbers[thread, name] += 1
        if name == "rmdir" and (role := _ROLE.match(rest)):
            roles[thread] = role[1]
        role_name = roles.get(thread, "unnamed")
        calls.append(Call(role_name, name, numbers[thread, name], _place(rest, root), "(INJECTED)" in line))
    return calls


def _place(rest: str, root: Path) -> str:
    """Return the paths in the workspace that a call names, in a form that is the same in every run; else nothing."""
    arguments = rest.rpartition(") = ")[0] or rest
    paths = re.findall(rf'["<]{re.escape(str(root))}(?:/([^">]*))?[">]', arguments)
    place = " -> ".join(path or "." for path in paths)
    for varying, name in _VARYING:
        place = varying.sub(name, place)
    return f"{place} (created)" if place and ("O_CREAT" in arguments or "O_TRUNC" in arguments) else place


# Runs


@dataclass(frozen=True)
class Ending:
    """How a process ended. ``code`` is negative for a signal and None when it had to be stopped."""

    code: int | None
    stdout: str
    stderr: str

    @property
    def was_killed(self) -> bool:
        """Whether it met the injected signal."""
        return self.code == -signal.SIGKILL


def run(command: list[str], folder: Path, **variables: str) -> Ending:
    """Run a command to its end, or stop it after `LONGEST_RUN_SECONDS`. What a developer has set does not count."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("INGEST_TUI_", "PYTEST_"))}
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=kept | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"} | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        stdout, stderr = process.communicate(timeout=LONGEST_RUN_SECONDS)
        code: int | None = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        stdout, stderr = process.communicate()
        code = None
    return Ending(code, stdout.decode(errors="replace"), stderr.decode(errors="replace"))


def run_along(command: list[str], folder: Path, **variables: str) -> Ending:
    """Run a command whose interpreter loads ``traced_process/sitecustomize.py``."""
    path = os.pathsep.join(filter(None, [str(ALONG), os.environ.get("PYTHONPATH")]))
    return run(command, folder, PYTHONPATH=path, **variables)


def command_line(root: Path, *arguments: str) -> list[str]:
    """Return the command line of the program on a workspace."""
    return [sys.executable, "-m", "ingest_tui", "-w", str(root), *arguments]


def sync_docs(root: Path) -> list[str]:
    """Return the command that syncs the source ``docs``."""
    return command_line(root, "sync", "docs")


def tracer(trace: Path, *options: str) -> list[str]:
    """Return the beginning of a command that is to run under strace."""
    return ["strace", *options, "-f", "-qq", "-y", "-s", "0", "-o", str(trace), "-e", "signal=none",
            "-e", f"trace={_TRACED}"]  # fmt: skip


@functools.cache
def reason_to_skip() -> str:
    """Return why strace cannot be used here, or an empty string."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    trial = subprocess.run(
        ["strace", "-f", "-o", os.devnull, "true"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if trial.returncode == 0 else f"strace may not trace: {trial.stderr.strip()[:200]}"


# A command, struck


@dataclass(frozen=True)
class Lesson:
    """What an undisturbed run taught: its calls, the modules that it loads, and how slow its disk is to be.

    ``command`` gives the command line for a workspace.
    """

    modules: Path
    calls: tuple[Call, ...]
    delays: tuple[str, ...] = ()
    command: Callable[[Path], list[str]] = sync_docs

    @property
    def mutating(self) -> list[Call]:
        """The calls that change the workspace."""
        return [call for call in self.calls if call.mutates]

    def calls_ahead(self, name: str) -> int:
        """Return a number of calls of one name that no thread reaches, whatever its timing."""
        return 100 + 2 * max(call.number for call in self.calls if call.name == name)


def learn(root: Path, command: Callable[[Path], list[str]] = sync_docs, *, delays: tuple[str, ...] = ()) -> Lesson:
    """Run a command undisturbed, twice: first to see which modules it loads, then (on a copy) under strace."""
    modules = root.with_name("modules.txt")
    copy = root.with_name(f"{root.name}-traced")
    shutil.copytree(root, copy)
    ending = run_along(command(root), root.parent, CRASH_LAB_NOTE=str(modules))
    assert ending.code == 0, ending
    lesson = Lesson(modules, (), delays, command)
    ending, calls = _run_traced(copy, lesson)
    assert ending.code == 0, ending
    shutil.rmtree(copy)
    return replace(lesson, calls=tuple(calls))


def strike(root: Path, lesson: Lesson, target: Call, fault: str) -> tuple[Ending, Call | None, int]:
    """Run the command of a lesson until a fault at one call; returns how it ended and the call, None when not hit.

    And the number that such a call had in this run: a thread that looks again and again whether another is done comes
    to its next calls after more of them or fewer.
    """
    ahead = lesson.calls_ahead(target.name)
    number = ahead + target.number
    ending, calls = _run_traced(
        root,
        lesson,
        f"{target.name}:{FAULTS[fault]}:when={number}",
        CRASH_LAB_TARGET=f"{target.role},{target.name},{ahead}",
    )
    for call in calls:
        if (call.role, call.name, call.number) == (target.role, target.name, number):
            hit = ending.was_killed if fault == "SIGKILL" else call.is_injected
            if hit:
                return ending, replace(call, number=target.number), target.number
    alike = (call for call in calls if (call.role, call.name, call.place) == (target.role, target.name, target.place))
    numbers = (call.number - ahead for call in alike)
    return ending, None, min(numbers, key=lambda number: abs(number - target.number), default=target.number)


def break_for_good(root: Path, lesson: Lesson, names: str, first: int) -> Ending:
    """Run a sync on a disk that refuses all calls of these names from the ``first`` of each thread on."""
    ending, _calls = _run_traced(root, lesson, f"{names}:{FAULTS['EIO']}:when={first}+")
    return ending


def _run_traced(root: Path, lesson: Lesson, *injections: str, **variables: str) -> tuple[Ending, list[Call]]:
    trace = root.with_name(f"{root.name}.strace")
    injected = [option for one in (*lesson.delays, *injections) for option in ("-e", f"inject={one}")]
    command = [*tracer(trace, "-b", "execve"), *injected, *lesson.command(root)]
    ending = run_along(command, root.parent, CRASH_LAB_MODULES=str(lesson.modules), **variables)
    calls = calls_of(trace, root)
    trace.unlink()
    return ending, calls


# A parser, struck

_STAY_READABLE = """
import ctypes

def prctl_of(library, name, genuine=ctypes.CDLL.__getattr__):
    function = genuine(library, name)
    if name == "prctl":
        library.prctl = lambda option, *rest: 0 if option == 4 else function(option, *rest)
    return getattr(library, name)

ctypes.CDLL.__getattr__ = prctl_of
"""
"""Leaves out PR_SET_DUMPABLE: in a process that nobody may read strace sees no paths, unless root runs it."""


def strike_parser(root: Path, target: Call | None, fault: str) -> tuple[Ending, list[Call]]:
    """Run a sync whose first parser process meets a fault at one call, or none; returns the parser's calls."""
    trace = root.with_name(f"{root.name}.parser.strace")
    injected = ["-e", f"inject={target.name}:{FAULTS[fault]}:when={target.number}"] if target else []
    # -D: the tracer is the grandchild, so that the parser stays the child of the process that started it.
    command = shlex.join([*tracer(trace, "-D"), *injected, sys.executable])
    python = root.with_name(f"{root.name}.python")
    python.write_text(
        f'#!/bin/sh\n[ -e {trace} ] && exec {sys.executable} "$@"\n'
        f'exec {command} "$1" "$2" "$3" {shlex.quote(_STAY_READABLE)}"$4"\n'  # -I -S -c PROGRAM
    )
    python.chmod(0o700)
    ending = run_along(sync_docs(root), root.parent, CRASH_LAB_PARSER_PYTHON=str(python))
    calls = [replace(call, role="parser") for call in calls_of(trace, root)]
    trace.unlink()
    return ending, calls
