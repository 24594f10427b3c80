"""What a parser may use for a file: as much as its size explains, and never more than any parser may use."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

_MEBIBYTE = 1024**2
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class ParseLimits:
    """What the parser processes of a pool may use. Bytes and seconds.

    ``silence_seconds``: longest time without any progress (a page, a sheet, a finished file). ``total_seconds``:
    longest time for one file however much it progresses. ``memory_bytes`` limits the address space.
    ``max_tasks_per_process``: files after which a process is replaced; small text files count a twentieth each.
    The four ``base_…`` and ``…_per_megabyte`` give the limits of a single file, see `file_limits`.
    """

    memory_bytes: int = 2 * 1024**3
    silence_seconds: float = 60.0
    total_seconds: float = 600.0
    file_size_bytes: int = 512 * _MEBIBYTE
    open_files: int = 256
    max_tasks_per_process: int = 2000
    grown_bytes: int = 512 * _MEBIBYTE
    """Resident size at which a process is replaced before its next file."""
    base_memory_bytes: int = 768 * _MEBIBYTE
    memory_bytes_per_megabyte: int = 1024 * _MEBIBYTE
    base_cpu_seconds: float = 15.0
    cpu_seconds_per_megabyte: float = 20.0

    def whatever_the_size(self) -> ParseLimits:
        """Return limits that let every file use as much as any, for backends whose cost is not that of the file."""
        return replace(self, base_memory_bytes=self.memory_bytes, base_cpu_seconds=self.total_seconds)


class FileLimits(NamedTuple):
    """What one file of ``size`` bytes may use: memory of the parser's own, processor time, and time on the clock.

    A plain tuple, because each file has one.

    ``is_memory_fitted``, ``is_cpu_fitted``: whether that follows from its size, or is what any file may use.
    """

    size: int
    memory_bytes: int
    cpu_seconds: float
    silence_seconds: float
    total_seconds: float
    is_memory_fitted: bool
    is_cpu_fitted: bool

    def out_of_memory(self) -> tuple[str, str]:
        """Return detail and hint for a file that wants more memory than this."""
        memory = f"{self.memory_bytes / _MEBIBYTE:,.0f} MiB"
        if self.is_memory_fitted:
            detail = f"it needs more than the {memory} of memory that a file of {_size(self.size)} may use"
            return detail, _hint("parser_base_memory", "memory")
        return f"it needs more than the {memory} of memory that a parser may use", _hint("parser_memory")

    def out_of_time(self, *, silent: float, running: float, cpu: float) -> tuple[str, str] | None:
        """Return detail and hint for the limit that is passed, or None. Seconds: since a sign of life, in all, used."""
        if silent > self.silence_seconds:
            return f"no progress for {self.silence_seconds:g} seconds", _hint("parser_silence_seconds")
        if running > self.total_seconds:
            return f"not finished after {self.total_seconds:g} seconds", _hint("parser_total_seconds")
        if cpu > self.cpu_seconds:
            used = f"it used more than {self.cpu_seconds:.1f} seconds of processor time"
            if self.is_cpu_fitted:
                detail = f"{used}, the limit for a file of {_size(self.size)}"
                return detail, _hint("parser_base_cpu_seconds", "cpu_seconds")
            return f"{used}, the limit for any file", _hint("parser_total_seconds")
        return None


def file_limits(limits: ParseLimits, size: int) -> FileLimits:
    """Return the limits of a file of ``size`` bytes: a base and a share for each MiB, up to those of any file."""
    mebibytes = size / _MEBIBYTE
    memory = int(limits.base_memory_bytes + limits.memory_bytes_per_megabyte * mebibytes)
    cpu = limits.base_cpu_seconds + limits.cpu_seconds_per_megabyte * mebibytes
    return FileLimits(
        size=size,
        memory_bytes=min(memory, limits.memory_bytes),
        cpu_seconds=min(cpu, limits.total_seconds),
        silence_seconds=limits.silence_seconds,
        total_seconds=limits.total_seconds,
        is_memory_fitted=memory < limits.memory_bytes,
        is_cpu_fitted=cpu < limits.total_seconds,
    )


def _hint(setting: str, for_its_type: str = "") -> str:
    for_its_type = for_its_type or setting.removeprefix("parser_")
    return (
        f"split the file, or raise {setting} in workspace.json ({for_its_type} in parser_limits_by_type for its type)"
    )


def _size(size: int) -> str:
    return f"{size / _MEGABYTE:,.1f} MB" if size >= _MEGABYTE else f"{size / 1000:,.0f} kB"
