"""First sync and unchanged sync of `ingest-tui`, against the floor on the same files in the same run.

For each corpus and repetition, one after the other: the floor script in a process of its own (benchmarks/floor.py, two
processes for mixed documents), a first sync into a fresh workspace, and a second sync with nothing changed. The syncs
run through the command line as a user would run them. Of several repetitions the one with the median wall time is
shown.

Goals (2 cores): 10,000 small files in at most 5 times the floor; mixed documents in at most 1.5 times the bare
backends on two processes, both cores busy above 85 % while extracting; memory of the coordinator flat. A sync whose
counters are not what the corpus demands is reported next to its figures.

    python benchmarks/first_sync.py            1,000 and 10,000 small files, 200 mixed documents
    python benchmarks/first_sync.py --quick    200 small files, 40 mixed documents
    python benchmarks/first_sync.py --mixed 1000 --small 100000 --repeat 3 --folder a-folder-on-the-disk-to-measure
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from corpora import MAKERS, Corpus
from measure import Measured, Workspace, complaints, markdown_table, run_measured

FLOOR_SCRIPT = Path(__file__).with_name("floor.py")
FLOOR_PROCESSES = {"small": 1, "mixed": 2}
GOALS = {"small": 5.0, "mixed": 1.5}
# The goal for small files is set for 10,000: below that the start of the interpreter is most of the time.
GOAL_HOLDS_FROM = {"small": 10_000, "mixed": 200}
HEADER = (
    *("Files", "Step", "Wall s", "CPU s", "Cores busy", "To floor", "Goal"),
    *("Coordinator MB", "Largest process MB", "Remarks"),
)


class Case(NamedTuple):
    """A corpus to measure: its kind and how many files."""

    kind: str
    files: int


@dataclass(frozen=True, slots=True)
class Round:
    """One repetition over one corpus."""

    floor: Measured
    first: Measured
    listing: Measured
    unchanged: Measured
    first_complaints: str
    unchanged_complaints: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small corpora, to see that everything runs")
    parser.add_argument("--small", type=int, nargs="*", metavar="N", help="numbers of small files")
    parser.add_argument("--mixed", type=int, nargs="*", metavar="N", help="numbers of mixed documents")
    parser.add_argument("--repeat", type=int, default=1, help="repetitions of each (default 1)")
    parser.add_argument("--folder", type=Path, help="where corpora and workspaces are made")
    parser.add_argument("--keep", action="store_true", help="leave corpora and workspaces behind")
    arguments = parser.parse_args()
    small = arguments.small if arguments.small is not None else [200] if arguments.quick else [1000, 10_000]
    mixed = arguments.mixed if arguments.mixed is not None else [40] if arguments.quick else [200]
    cases = [Case("small", count) for count in small] + [Case("mixed", count) for count in mixed]
    folder = Path(tempfile.mkdtemp(prefix="ingest-tui-bench-", dir=arguments.folder))
    try:
        report(folder, cases, arguments.repeat)
    finally:
        if arguments.keep:
            print(f"left behind: {folder}")
        else:
            shutil.rmtree(folder)


def report(folder: Path, cases: Sequence[Case], repetitions: int) -> None:
    """Measure all cases and print one table, then how the coordinator's memory grew with the number of files."""
    rows: list[list[str]] = []
    memory: dict[int, float] = {}
    for case in cases:
        corpus_folder = folder / f"{case.kind}-{case.files}" / "corpus"
        corpus = MAKERS[case.kind](corpus_folder, case.files)
        print(f"{case.kind}: {corpus.files} files, {corpus.bytes / 1e6:.1f} MB", file=sys.stderr)
        rounds = [measure(corpus_folder, case, corpus, number) for number in range(repetitions)]
        middle = sorted(rounds, key=lambda one: one.first.wall)[repetitions // 2]
        rows.extend(rows_of(case, middle))
        if case.kind == "small":
            memory[case.files] = middle.first.coordinator_mb
    print("\n".join(markdown_table(HEADER, rows)))
    if len(memory) > 1:
        few, many = min(memory), max(memory)
        grown = memory[many] - memory[few]
        print(f"\nCoordinator from {few:,} to {many:,} files: {grown:+.0f} MB (goal: 1,000 to 100,000 at most +60)")


def measure(corpus_folder: Path, case: Case, corpus: Corpus, number: int) -> Round:
    """Run floor, first sync, bare listing and unchanged sync, each in a fresh place."""
    place = corpus_folder.parent / f"round-{number}"
    place.mkdir()
    processes = str(FLOOR_PROCESSES[case.kind])
    floor = run_floor(corpus_folder, place, "--processes", processes, "--work", str(place / "floor"))
    workspace = Workspace(place / "workspace", corpus_folder)
    first = workspace.sync()
    wrong_first = complaints(
        workspace.newest_counters(), {"descriptors_listed": corpus.files, "items_ingested": corpus.files}
    )
    listing = run_floor(corpus_folder, place, "--list-only")
    unchanged = workspace.sync()
    wrong_unchanged = complaints(
        workspace.newest_counters(), {"items_skipped_incremental": corpus.files, "items_fetched": 0}
    )
    return Round(floor, first, listing, unchanged, wrong_first, wrong_unchanged)


def run_floor(corpus_folder: Path, place: Path, *options: str) -> Measured:
    command = [sys.executable, str(FLOOR_SCRIPT), str(corpus_folder), *options, "--json"]
    return run_measured(command, place / "floor.log")


def rows_of(case: Case, result: Round) -> list[list[str]]:
    """Return the four rows of one corpus: floor and first sync, bare listing and unchanged sync."""
    name = f"{case.files:,} {case.kind}"
    processes = FLOOR_PROCESSES[case.kind]
    plural = "es" if processes > 1 else ""
    goal = f"≤ {GOALS[case.kind]:g}" if case.files >= GOAL_HOLDS_FROM[case.kind] else ""
    first, floor, unchanged, listing = result.first, result.floor, result.unchanged, result.listing
    return [
        [name, f"floor, {processes} process{plural}", *figures(floor), "1.0", "", *memory_of(floor), work(floor)],
        [name, "first sync", *figures(first), ratio(first, floor), goal, *memory_of(first), result.first_complaints],
        [name, "floor, listing only", *figures(listing), "1.0", "", *memory_of(listing), work(listing)],
        [
            *(name, "nothing changed", *figures(unchanged), ratio(unchanged, listing), ""),
            *(*memory_of(unchanged), result.unchanged_complaints),
        ],
    ]


def figures(measured: Measured) -> list[str]:
    return [f"{measured.wall:.2f}", f"{measured.cpu:.2f}", f"{measured.busy_cores:.2f}"]


def memory_of(measured: Measured) -> list[str]:
    return [f"{measured.coordinator_mb:.0f}", f"{measured.largest_process_mb:.0f}"]


def ratio(measured: Measured, floor: Measured) -> str:
    return f"{measured.wall / floor.wall:.1f}"


def work(floor: Measured) -> str:
    """Return the floor's own figure, without interpreter start and imports."""
    return f"work alone {json.loads(floor.output)['seconds']:.2f} s"


if __name__ == "__main__":
    main()
