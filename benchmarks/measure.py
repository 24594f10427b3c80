"""Measuring whole process trees, and talking to the `ingest-tui` command line. Used by the other benchmarks.

Wall time is that of the whole command, from start to exit, interpreter start and imports included. Processor time is
that of the process and of every descendant it waited for. Coordinator memory is the high-water mark of the resident
set of the started process alone (VmHWM), read while it runs; the largest process is the highest one of the tree.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
DONE_CODES = (0, 3)
SECONDS_BETWEEN_LOOKS = 0.02

_HIGH_WATER = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Measured:
    """One finished command: seconds of wall and processor time, megabytes of resident memory, exit code, stdout."""

    wall: float
    cpu: float
    coordinator_mb: float
    largest_process_mb: float
    exit_code: int
    output: str

    @property
    def busy_cores(self) -> float:
        return self.cpu / self.wall if self.wall else 0.0


def run_measured(command: Sequence[str], log: Path, *, accepted: Sequence[int] = (0,)) -> Measured:
    """Run ``command`` to its end with its output in ``log``; an exit code not ``accepted`` ends the benchmark."""
    with log.open("wb") as output:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=_environment())
        watch = _MemoryWatch(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        watch.stop()
    text = log.read_text(errors="replace")
    if process.returncode not in accepted:
        sys.exit(f"exit code {process.returncode} from: {' '.join(command)}\n{text[-4000:]}")
    cpu = usage.ru_utime + usage.ru_stime
    return Measured(wall, cpu, watch.peak_kb / 1024, usage.ru_maxrss / 1024, process.returncode, text)


class _MemoryWatch:
    """Reads the high-water mark of one process until it is gone."""

    def __init__(self, pid: int) -> None:
        self.peak_kb = 0
        self._status = Path(f"/proc/{pid}/status")
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._is_over.wait(SECONDS_BETWEEN_LOOKS):
            try:
                match = _HIGH_WATER.search(self._status.read_text())
            except OSError:
                return
            if match:
                self.peak_kb = max(self.peak_kb, int(match[1]))


def _environment() -> dict[str, str]:
    """Return our environment without settings of a user's own workspace, and with the package of this repository."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("INGEST_TUI_")}
    return kept | {"PYTHONPATH": str(REPOSITORY / "src")}


class Workspace:
    """A fresh workspace with one local source named ``bench``, driven through the command line alone."""

    def __init__(self, folder: Path, corpus: Path, *options: str) -> None:
        """``options`` are those of ``source add``."""
        self.folder = folder
        self._log = folder.with_suffix(".log")
        self._run("init")
        self._run("source", "add", "local", "bench", "--path", str(corpus), *options)

    def sync(self) -> Measured:
        """Run one sync to its end; it ends with 0, or with 3 when single items failed."""
        return self._run("sync", "bench", accepted=DONE_CODES)

    def newest_counters(self) -> dict[str, int]:
        """Return the counters of the newest job: job ids sort by time."""
        manifests = sorted(self.folder.glob("jobs/*/manifest.json"))
        manifest: dict[str, Any] = json.loads(manifests[-1].read_bytes())
        return dict(manifest["counters"])

    def _run(self, *arguments: str, accepted: Sequence[int] = (0,)) -> Measured:
        command = [sys.executable, "-m", "ingest_tui", "--workspace", str(self.folder), *arguments]
        return run_measured(command, self._log, accepted=accepted)


def complaints(counters: dict[str, int], expected: dict[str, int]) -> str:
    """Return what differs between the counters of a job and what they must be: a fast wrong sync is no result."""
    wrong = [
        f"{name} {counters.get(name)}, not {value}" for name, value in expected.items() if counters.get(name) != value
    ]
    return "; ".join(wrong)


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a Markdown table: the first column left, the others right aligned."""
    yield f"| {' | '.join(header)} |"
    yield f"|---|{'---:|' * (len(header) - 1)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def percentiles(milliseconds: Sequence[float]) -> list[str]:
    """Return the median and the 95th percentile of times, as they are shown."""
    ordered = sorted(milliseconds)
    return [f"{figure:.1f}" for figure in (statistics.median(ordered), ordered[int(len(ordered) * 0.95)])]
