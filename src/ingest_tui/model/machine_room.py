"""How many parser processes the cores and the memory of a machine, or of its control group, have room for.

The files are those of cgroup v2 (the kernel's admin-guide/cgroup-v2.rst) and of pressure stall information (psi.rst).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import NamedTuple

_FOR_THE_WORKER = 512 * 2**20
_FOR_A_PARSER = 512 * 2**20
"""What a parser takes at its peak for usual files; those that need more are few, and held back by the pressure."""
_NEARLY_FULL, _FILLING = 0.95, 0.85
_STALLED, _STALLING = 20.0, 5.0
_FULL = re.compile(r"^full avg10=(\d+(?:\.\d+)?)", re.MULTILINE)
_MEMINFO = re.compile(r"^(\w+):\s+(\d+) kB$", re.MULTILINE)
_INACTIVE_FILE = re.compile(r"^inactive_file (\d+)$", re.MULTILINE)


class MemoryState(NamedTuple):
    """The memory of a control group or of the machine: bytes that may be used, and that are in use and not reclaimable.

    ``stalled`` is for how many per cent of the last ten seconds nothing went on because memory was short.
    """

    limit: int
    used: int
    stalled: float = 0.0


def usual_processes(cores: int, memory: int | None) -> int:
    """Return how many parsers to run on so many cores and bytes of memory; None where the memory is not known."""
    fitting = cores if memory is None else (memory - _FOR_THE_WORKER) // _FOR_A_PARSER
    return max(1, min(cores, fitting))


def processes_under_pressure(processes: int, memory: MemoryState | None) -> int:
    """Return how many of so many processes should run now: all, half of them, or one."""
    if memory is None or memory.limit <= 0:
        return processes
    share = memory.used / memory.limit
    if share >= _NEARLY_FULL or memory.stalled >= _STALLED:
        return 1
    if share >= _FILLING or memory.stalled >= _STALLING:
        return math.ceil(processes / 2)
    return processes


def cores_allowed(cores: int, cpu_max: Iterable[str]) -> int:
    """Return how many cores a process may keep busy: those that are there, or the least that a ``cpu.max`` allows.

    A part of a core counts as one: 1.5 cores are two processes that share them.
    """
    allowed = cores
    for text in cpu_max:
        quota, _, period = text.strip().partition(" ")
        if quota.isdecimal() and period.isdecimal() and int(period):
            allowed = min(allowed, max(1, math.ceil(int(quota) / int(period))))
    return max(1, allowed)


def memory_limit(memory_max: str) -> int | None:
    """Return the bytes that a ``memory.max`` allows; None where it allows all."""
    text = memory_max.strip()
    return int(text) if text.isdecimal() else None


def memory_of_group(limit: int, current: str, stat: str, pressure: str) -> MemoryState | None:
    """Return the state of a control group by its files; the cache of files that nobody reads any more is not used."""
    if not current.strip().isdecimal():
        return None
    found = _INACTIVE_FILE.search(stat)
    used = int(current) - (int(found[1]) if found else 0)
    return MemoryState(limit, max(0, used), stalled_share(pressure))


def memory_of_machine(meminfo: str, pressure: str) -> MemoryState | None:
    """Return the state of the machine by ``/proc/meminfo`` and ``/proc/pressure/memory``."""
    kilobytes = {name: int(value) for name, value in _MEMINFO.findall(meminfo)}
    if not {"MemTotal", "MemAvailable"} <= kilobytes.keys():
        return None
    total = kilobytes["MemTotal"] * 1024
    return MemoryState(total, total - kilobytes["MemAvailable"] * 1024, stalled_share(pressure))


def stalled_share(pressure: str) -> float:
    """Return the ``full avg10`` of a file of pressure stall information, in per cent; 0 where there is none."""
    found = _FULL.search(pressure)
    return float(found[1]) if found else 0.0


def group_path(cgroup: str) -> str | None:
    """Return the path of the v2 group of a process by its ``/proc/PID/cgroup``; None where there is none."""
    found = re.search(r"^0::(/.*)$", cgroup, re.MULTILINE)
    return found[1] if found else None
