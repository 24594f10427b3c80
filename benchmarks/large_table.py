"""What a large table takes of memory: the process that commits, and the parser, for CSVs of several sizes.

Each is the only file of a first sync. Peaks are high-water marks of the resident set: of the started process, which
commits, and of the largest of all, which is the parser where the table is large. The ratio is that of the committing
process to the same with the smallest table.

    python benchmarks/large_table.py [--megabytes 0.1 64 1024] [--folder FOLDER]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from measure import Workspace, complaints, markdown_table

HEADER = ("CSV, MB", "CPU s", "Commits, MB", "To the smallest", "Largest process, MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, nargs="+", default=[0.1, 64, 1024])
    parser.add_argument("--folder", type=Path, help="where tables and workspaces are made")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ingest-tui-bench-", dir=arguments.folder))
    rows: list[tuple[str, ...]] = []
    smallest = 0.0
    try:
        for number, megabytes in enumerate(sorted(arguments.megabytes)):
            cpu, peak, parser_peak = measured(folder / str(number), megabytes)
            smallest = smallest or peak
            ratio = f"{peak / smallest:.2f}"
            rows.append((f"{megabytes:g}", f"{cpu:.0f}", f"{peak:.0f}", ratio, f"{parser_peak:.0f}"))
    finally:
        shutil.rmtree(folder)
    for line in markdown_table(HEADER, rows):
        print(line)


def measured(folder: Path, megabytes: float) -> tuple[float, float, float]:
    """Return processor seconds, the peak of the committing process and the highest one, of a sync of one table."""
    corpus = folder / "corpus"
    corpus.mkdir(parents=True)
    write_table(corpus / "table.csv", int(megabytes * 1024**2))
    workspace = Workspace(folder / "workspace", corpus, "--max-size", "4GB")
    run = workspace.sync()
    if wrong := complaints(workspace.newest_counters(), {"items_ingested": 1, "items_failed": 0}):
        raise SystemExit(wrong)
    shutil.rmtree(folder)
    return run.cpu, run.coordinator_mb, run.largest_process_mb


def write_table(path: Path, size: int) -> None:
    """Write a table of so many bytes, rounded up to whole rows."""
    written = path.open("w", encoding="utf-8")
    with written:
        written.write("id,town,people,date,remark\n")
        for line in _lines():
            size -= written.write(line)
            if size <= 0:
                return


def _lines() -> Iterator[str]:
    row = 0
    while True:
        row += 1
        day = f"2026-{row % 12 + 1:02d}-{row % 28 + 1:02d}"
        yield f"{row},town {row * 7919 % 3001},{row * 104729 % 100_003},{day},some remark of the row number {row}\n"


if __name__ == "__main__":
    main()
