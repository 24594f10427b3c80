"""What this process may use of the machine: cores and memory, by its control groups (v2) where they say less."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ingest_tui.model.machine_room import (
    MemoryState,
    cores_allowed,
    group_path,
    memory_limit,
    memory_of_group,
    memory_of_machine,
    processes_under_pressure,
    usual_processes,
)

_GROUPS = Path("/sys/fs/cgroup")
_PROC = Path("/proc")


class Machine:
    """Reads the limits of this process; ``groups`` and ``proc`` are the folders in which the kernel shows them."""

    def __init__(self, groups: Path = _GROUPS, proc: Path = _PROC) -> None:
        self._groups = groups
        self._proc = proc

    def usual_processes(self) -> int:
        """Return how many parsers fit into what this process may use; asked when they are about to start."""
        cores = cores_allowed(len(os.sched_getaffinity(0)), (_read(folder / "cpu.max") for folder in self._folders()))
        memory = self.memory()
        return usual_processes(cores, memory.limit if memory is not None else None)

    def processes_now(self, processes: int) -> int:
        """Return how many of so many parsers should run under the pressure of now; asked every few seconds."""
        return processes_under_pressure(processes, self.memory())

    def memory(self) -> MemoryState | None:
        """Return the memory of the group with the least left, of the machine where none has a limit."""
        pressure = _read(self._proc / "pressure" / "memory")
        states = [memory_of_machine(_read(self._proc / "meminfo"), pressure)]
        for folder in self._folders():
            limit = memory_limit(_read(folder / "memory.max"))
            if limit is not None:
                names = ("memory.current", "memory.stat", "memory.pressure")
                states.append(memory_of_group(limit, *(_read(folder / name) for name in names)))
        known = [state for state in states if state is not None]
        return min(known, key=lambda state: state.limit - state.used, default=None)

    def _folders(self) -> Iterator[Path]:
        """Yield the folders of the group of this process and of those around it."""
        path = group_path(_read(self._proc / "self" / "cgroup"))
        if path is None:
            return
        folder = self._groups / path.lstrip("/")
        while folder.is_relative_to(self._groups) and ".." not in folder.parts:
            yield folder
            folder = folder.parent


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
