"""How many parsers cores and memory have room for, by what the kernel writes in its files."""

from __future__ import annotations

import pytest

from ingest_tui.model.machine_room import (
    MemoryState,
    cores_allowed,
    group_path,
    memory_limit,
    memory_of_group,
    memory_of_machine,
    processes_under_pressure,
    stalled_share,
    usual_processes,
)

GB = 2**30
PRESSURE = """some avg10=12.34 avg60=3.00 avg300=0.50 total=1234567
full avg10=7.05 avg60=1.00 avg300=0.10 total=234567
"""
STAT = """anon 400000000
file 300000000
inactive_anon 1
inactive_file 250000000
active_file 50000000
"""
MEMINFO = """MemTotal:       16315456 kB
MemFree:          512000 kB
MemAvailable:    8157728 kB
Buffers:          100000 kB
"""


@pytest.mark.parametrize(
    ("cpu_max", "cores"),
    [
        ([], 8),
        (["max 100000\n"], 8),
        (["200000 100000\n"], 2),
        (["150000 100000\n"], 2),
        (["10000 100000\n"], 1),
        (["400000 100000\n", "max 100000\n", "100000 50000\n"], 2),
        (["9900000 100000\n"], 8),
        (["", "what 1", "100000", "1 0"], 8),
    ],
)
def test_cores_are_those_that_the_group_allows(cpu_max: list[str], cores: int) -> None:
    """The least that any group around the process allows, rounded up; what cannot be read limits nothing."""
    assert cores_allowed(8, cpu_max) == cores


@pytest.mark.parametrize(
    ("cores", "memory", "processes"),
    [(8, None, 8), (8, 64 * GB, 8), (8, 4 * GB, 7), (8, 2 * GB, 3), (8, GB, 1), (8, GB // 4, 1), (1, 64 * GB, 1)],
)
def test_parsers_fit_into_memory(cores: int, memory: int | None, processes: int) -> None:
    """One for each core, fewer where memory is small, at least one."""
    assert usual_processes(cores, memory) == processes


@pytest.mark.parametrize(
    ("state", "processes"),
    [
        (None, 8),
        (MemoryState(GB, 0), 8),
        (MemoryState(100, 84), 8),
        (MemoryState(100, 85), 4),
        (MemoryState(100, 94), 4),
        (MemoryState(100, 95), 1),
        (MemoryState(100, 0, 4.99), 8),
        (MemoryState(100, 0, 5.0), 4),
        (MemoryState(100, 0, 20.0), 1),
        (MemoryState(0, 0), 8),
    ],
)
def test_fewer_run_under_pressure(state: MemoryState | None, processes: int) -> None:
    """All, half or one, by how full the memory is and how long everything stalled for it."""
    assert processes_under_pressure(8, state) == processes
    assert processes_under_pressure(1, state) == 1


def test_files_of_the_kernel_are_read() -> None:
    """Sample files of a group and of a machine; the cache of files is not in the way of anybody."""
    assert stalled_share(PRESSURE) == 7.05
    assert stalled_share("some avg10=99.00 avg60=0 avg300=0 total=1\n") == 0.0
    assert memory_limit("1073741824\n") == GB
    assert memory_limit("max\n") is None
    assert memory_limit("") is None
    assert memory_of_group(GB, "700000000\n", STAT, PRESSURE) == MemoryState(GB, 450000000, 7.05)
    assert memory_of_group(GB, "100\n", "", "") == MemoryState(GB, 100, 0.0)
    assert memory_of_group(GB, "", STAT, "") is None
    assert memory_of_machine(MEMINFO, "") == MemoryState(16315456 * 1024, 8157728 * 1024, 0.0)
    assert memory_of_machine("MemTotal: 1 kB\n", "") is None
    assert group_path("0::/user.slice/ingest-tui.service\n") == "/user.slice/ingest-tui.service"
    assert group_path("4:memory:/old\n0::/\n") == "/"
    assert group_path("4:memory:/old\n") is None
