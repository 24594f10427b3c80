"""What a process may use of the machine, by files of the kernel as they are in a group with limits."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ingest_tui.execution.machine import Machine

GB = 2**30


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine of 16 cores and 16 GB, on which a service may use 4 cores and its slice 3 GB."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(16)))
    write(tmp_path / "proc/self/cgroup", "0::/a.slice/b.service\n")
    write(tmp_path / "proc/meminfo", f"MemTotal: {16 * GB // 1024} kB\nMemAvailable: {8 * GB // 1024} kB\n")
    write(tmp_path / "proc/pressure/memory", "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n")
    write(tmp_path / "groups/a.slice/b.service/cpu.max", "400000 100000\n")
    write(tmp_path / "groups/a.slice/b.service/memory.max", "max\n")
    write(tmp_path / "groups/a.slice/cpu.max", "max 100000\n")
    write(tmp_path / "groups/a.slice/memory.max", f"{3 * GB}\n")
    write(tmp_path / "groups/a.slice/memory.current", f"{GB}\n")
    return Machine(tmp_path / "groups", tmp_path / "proc")


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_limits_of_all_groups_around_count(machine: Machine) -> None:
    """Cores are those of the service, memory is that of the slice around it."""
    assert machine.usual_processes() == 4
    memory = machine.memory()
    assert memory is not None
    assert (memory.limit, memory.used) == (3 * GB, GB)
    assert machine.processes_now(4) == 4


def test_pressure_of_the_group_is_seen_as_it_comes_and_goes(machine: Machine, tmp_path: Path) -> None:
    """Fewer while the slice is nearly full or stalls, all again afterwards."""
    current, pressure = (tmp_path / "groups/a.slice" / name for name in ("memory.current", "memory.pressure"))
    write(current, f"{int(2.6 * GB)}\n")
    assert machine.processes_now(4) == 2
    write(current, f"{int(2.9 * GB)}\n")
    assert machine.processes_now(4) == 1
    write(current, f"{GB}\n")
    write(pressure, "some avg10=60.00\nfull avg10=30.00 avg60=1.00 avg300=0.00 total=1\n")
    assert machine.processes_now(4) == 1
    pressure.unlink()
    assert machine.processes_now(4) == 4


def test_without_groups_the_machine_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the kernel shows nothing, each core has a parser; a path that leads out of the groups is not followed."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(3)))
    assert Machine(tmp_path / "groups", tmp_path / "proc").usual_processes() == 3
    write(tmp_path / "proc/self/cgroup", "0::/../elsewhere\n")
    write(tmp_path / "elsewhere/cpu.max", "100000 100000\n")
    assert Machine(tmp_path / "groups", tmp_path / "proc").usual_processes() == 3


def test_this_machine_has_room_for_one() -> None:
    """On the real files of wherever this runs the answer makes sense."""
    assert 1 <= Machine().usual_processes() <= len(os.sched_getaffinity(0))
