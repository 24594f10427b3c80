"""A sync that finds nothing changed, against `rclone lsjson -R` on the same folder.

Makes 100,000 small files, syncs them once (its time is shown, not judged), then runs both by turns: the second sync,
and rclone listing the folder with size and modification time of each file, its output going to a file. Whole commands,
wall time, medians. The page cache is warm for both.

Goal: at least as fast as rclone (ratio at most 1.0), nothing fetched, no byte read.

    python benchmarks/unchanged_listing.py [--rclone PATH] [--files 100000] [--repeat 5] [--folder FOLDER] [--keep]

Without an rclone executable (https://rclone.org) the sync is measured against the bare listing of benchmarks/floor.py
only.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from corpora import make_small
from measure import Measured, Workspace, complaints, markdown_table, run_measured

FLOOR_SCRIPT = Path(__file__).with_name("floor.py")
HEADER = ("Command", "Wall s", "Fastest", "Slowest", "CPU s", "Coordinator MB", "Sync to it", "Goal")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rclone", default=shutil.which("rclone"), help="the rclone executable (default: on PATH)")
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where corpus and workspace are made")
    parser.add_argument("--keep", action="store_true", help="leave corpus and workspace behind")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ingest-tui-bench-", dir=arguments.folder))
    try:
        report(folder, arguments.files, arguments.repeat, arguments.rclone)
    finally:
        if arguments.keep:
            print(f"left behind: {folder}")
        else:
            shutil.rmtree(folder)


def report(folder: Path, files: int, repetitions: int, rclone: str | None) -> None:
    """Prepare the synced workspace, measure by turns, print the table."""
    corpus = folder / "corpus"
    make_small(corpus, files)
    workspace = Workspace(folder / "workspace", corpus)
    first = workspace.sync()
    print(
        f"first sync of {files} files: {first.wall:.1f} s, coordinator {first.coordinator_mb:.0f} MB", file=sys.stderr
    )

    def list_bare() -> Measured:
        return run_measured([sys.executable, str(FLOOR_SCRIPT), str(corpus), "--list-only"], folder / "floor.log")

    runs: dict[str, Callable[[], Measured]] = {"sync, nothing changed": workspace.sync, "bare listing": list_bare}
    if rclone:
        runs["rclone lsjson -R"] = lambda: run_measured([rclone, "lsjson", "-R", str(corpus)], folder / "rclone.json")
    else:
        print("no rclone on PATH: give --rclone PATH for the comparison of the goal", file=sys.stderr)
    results: dict[str, list[Measured]] = {name: [] for name in runs}
    for _ in range(repetitions):
        for name, run in runs.items():
            results[name].append(run())
    print("\n".join(markdown_table(HEADER, rows_of(results))))
    expected = {"items_skipped_incremental": files, "items_fetched": 0, "bytes_fetched": 0}
    wrong = complaints(workspace.newest_counters(), expected)
    print(f"\nCounters of the last sync: {wrong or 'as they must be: everything skipped, nothing fetched'}")


def rows_of(results: dict[str, list[Measured]]) -> list[list[str]]:
    """Return a row for each command; the ratio is the sync's median wall time to that command's."""
    walls = {name: [one.wall for one in measured] for name, measured in results.items()}
    sync_wall = statistics.median(next(iter(walls.values())))
    return [
        [
            name,
            f"{statistics.median(walls[name]):.2f}",
            f"{min(walls[name]):.2f}",
            f"{max(walls[name]):.2f}",
            f"{statistics.median(one.cpu for one in measured):.2f}",
            f"{max(one.coordinator_mb for one in measured):.0f}",
            f"{sync_wall / statistics.median(walls[name]):.2f}",
            "≤ 1.0" if name.startswith("rclone") else "",
        ]
        for name, measured in results.items()
    ]


if __name__ == "__main__":
    main()
