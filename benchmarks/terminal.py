"""What the faces cost: the start of the command line and of the TUI, bytes for an update, and idling.

    python benchmarks/terminal.py            medians of 5, with 10,000 jobs in the workspace

Printed next to it: `import click` in a bare interpreter, and the first paint of a Textual application with one label.
The TUI runs in a pseudo-terminal of 80x24 whose reader is this script.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.workspace import init_workspace
from tests.tui.pty_app import PtyApp
from tests.tui.stories import add_job, write_manifest

BARE = """
import sys
from textual.app import App
from textual.widgets import Label
class Bare(App):
    def compose(self):
        yield Label("painted")
Bare().run()
"""
SLOW = (
    "import sys, pathlib; from ingest_tui.tui.app import run_tui; "
    "sys.exit(run_tui(pathlib.Path(sys.argv[1]), slow_link=True))"
)
IDLE_SECONDS = 10.0
START_SECONDS = 6.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=10_000)
    options = parser.parse_args()
    click, helped = (
        median(options.repeat, lambda command=command: seconds_of(command))
        for command in (["-c", "import click"], ["-m", "ingest_tui", "--help"])
    )
    print(f"import click           {click * 1000:6.0f} ms")
    print(f"ingest-tui --help      {helped * 1000:6.0f} ms   {helped / click:.1f} x   goal <= 2.4 x")
    with tempfile.TemporaryDirectory(prefix="terminal-") as folder:
        root = Path(folder) / "workspace"
        init_workspace(root)[0].close()
        for number in range(options.jobs):
            add_job(root, f"20261120-{number:06}-docs-{number % 10000:04}", listed=5)
        bare = median(options.repeat, lambda: first_paint(root, b"painted", script=BARE))
        shown = median(options.repeat, lambda: first_paint(root, b"Needs you"))
        print(f"bare Textual, painted  {bare * 1000:6.0f} ms")
        sent, slow = start_bytes(root), start_bytes(root, script=SLOW)
        large = start_bytes(root, size=(200, 50))
        print(f"bytes of a start       {sent:6,}                  goal < 40,000")
        print(f"at 200x50              {large:6,}                  goal < 40,000")
        print(f"with --slow-link       {slow:6,}                  goal < 10,000")
        print(f"TUI, {options.jobs:,} jobs shown {shown * 1000:6.0f} ms   {shown / bare:.1f} x   goal < 400 ms")
        measure_running(root)


def median(times: int, measure: Callable[[], float]) -> float:
    return statistics.median(measure() for _ in range(times))


def seconds_of(arguments: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def first_paint(root: Path, wanted: bytes, **options: str) -> float:
    app = PtyApp(root, view="", **options)
    try:
        return app.read_until(wanted)
    finally:
        app.close()


def start_bytes(root: Path, **options: Any) -> int:
    """Return what a start sends until all jobs are read, and the seconds after it."""
    app = PtyApp(root, **options)
    try:
        app.read_until(b"succeeded")
        end = time.monotonic() + START_SECONDS
        while (rest := end - time.monotonic()) > 0:
            app.read(rest)
        return len(app.output)
    finally:
        app.close()


def measure_running(root: Path) -> None:
    """Print the bytes for one job's progress, and what the TUI costs while nothing happens."""
    manifest = add_job(
        root, "20261121-000001-docs-aaaa", "running", at="2026-11-21T11:59:00.000Z", listed=100, ingested=1
    )
    lock = FileLock(root / "jobs" / manifest.job_id / "lock")
    lock.acquire(1.0, what="the job")
    app = PtyApp(root)
    try:
        app.read_until(b"1/100")
        app.read(5.0)
        sent = []
        for number in range(10, 20):
            manifest.counters.items_ingested, manifest.progress.percent = number, float(number)
            write_manifest(root, manifest)
            sent.append(len(app.read(1.0)))
        print(f"one job's progress     {statistics.median(sent):6.0f} bytes            goal < 1,024")
        before = processor_seconds(app.pid)
        idle, end = 0, time.monotonic() + IDLE_SECONDS
        while (rest := end - time.monotonic()) > 0:
            idle += len(app.read(rest))
        share = (processor_seconds(app.pid) - before) / IDLE_SECONDS
        print(f"idle                   {share:6.1%} of a core, {idle / IDLE_SECONDS:.0f} bytes/s   goal < 1 %")
    finally:
        lock.release()
        app.close()


def processor_seconds(pid: int) -> float:
    """Return the processor time of a process and its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
