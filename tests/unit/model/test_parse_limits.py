"""What a parser may use for a file of a size."""

from __future__ import annotations

import pytest

from ingest_tui.model.parse_limits import FileLimits, ParseLimits, file_limits

MEGABYTE = 1024**2
BIG = ParseLimits(memory_bytes=4000 * MEGABYTE, total_seconds=1000)


@pytest.mark.parametrize(
    ("size", "memory", "cpu"),
    [(0, 768, 15), (MEGABYTE, 1792, 35), (3 * MEGABYTE, 3840, 75), (4 * MEGABYTE, 4000, 95), (9**12, 4000, 1000)],
)
def test_limits_grow_with_the_size_up_to_those_of_any_file(size: int, memory: int, cpu: int) -> None:
    """A base and a share for each megabyte; a file without a size has the base, a huge one what any file may use."""
    limits = file_limits(BIG, size)
    assert (limits.memory_bytes // MEGABYTE, limits.cpu_seconds) == (memory, cpu)


def test_small_file_is_not_given_what_only_a_large_one_needs() -> None:
    """By default a file of 42 KB has less than 20 seconds and 1 GB; the clocks are the same for all."""
    limits = file_limits(ParseLimits(), 42 * 1024)
    assert limits.cpu_seconds < 20
    assert limits.memory_bytes < 1024 * MEGABYTE
    assert (limits.silence_seconds, limits.total_seconds) == (60, 600)


def test_the_size_need_not_count() -> None:
    """For a backend that works through other programs the smallest file may use as much as the largest."""
    limits = file_limits(BIG.whatever_the_size(), 1)
    assert (limits.memory_bytes, limits.cpu_seconds) == (BIG.memory_bytes, BIG.total_seconds)


def passed(limits: FileLimits, *, silent: float = 0, running: float = 0, cpu: float = 0) -> tuple[str, str]:
    found = limits.out_of_time(silent=silent, running=running, cpu=cpu)
    assert found is not None
    return found


def test_messages_name_the_limit_and_the_setting() -> None:
    """Each says how much it was, for which size, and which setting raises it: that of any file, or of small ones."""
    small, large = file_limits(BIG, 42 * 1024), file_limits(BIG, 9**12)
    assert "810 MiB of memory that a file of 43 kB may use" in small.out_of_memory()[0]
    assert "parser_base_memory" in small.out_of_memory()[1]
    assert "4,000 MiB of memory that a parser may use" in large.out_of_memory()[0]
    assert "parser_memory " in large.out_of_memory()[1]
    assert "15.8 seconds of processor time, the limit for a file of 43 kB" in passed(small, cpu=16)[0]
    assert "parser_base_cpu_seconds" in passed(small, cpu=16)[1]
    assert "parser_total_seconds" in passed(large, cpu=1001)[1]
    assert passed(small, silent=61)[0] == "no progress for 60 seconds"
    assert "parser_silence_seconds" in passed(small, silent=61)[1]
    assert passed(small, running=1001)[0] == "not finished after 1000 seconds"
    assert "parser_total_seconds" in passed(small, running=1001)[1]
    assert small.out_of_time(silent=60, running=1000, cpu=15.8) is None
