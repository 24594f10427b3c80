"""From saving a file to finding it by search, while a worker watches: seconds past the stability wait.

    python benchmarks/watch_latency.py            20 files, one after the other, next to 1,000 that are there already

The goal is a median below 1 s past the stability wait (`stable_seconds` of the workspace, 0.5 s here).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from corpora import make_small

from ingest_tui import open_workspace

STABLE_SECONDS = 0.5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20)
    files: int = parser.parse_args().files
    with tempfile.TemporaryDirectory(prefix="watch-latency-") as folder:
        documents, root = Path(folder) / "documents", Path(folder) / "workspace"
        make_small(documents, 1000)
        with open_workspace(root) as workspace:
            workspace.add_source("docs", path=str(documents))
            workspace.sync("docs")
        settings = json.loads((root / "workspace.json").read_text())
        (root / "workspace.json").write_text(json.dumps(settings | {"stable_seconds": STABLE_SECONDS}))
        command = [sys.executable, "-m", "ingest_tui", "--workspace", str(root)]
        subprocess.run([*command, "source", "edit", "docs", "--watch"], check=True, capture_output=True)
        worker = subprocess.Popen([*command, "--watch"], stderr=subprocess.DEVNULL)
        try:
            time.sleep(4)
            seconds = [_one(root, documents, number) - STABLE_SECONDS for number in range(files)]
        finally:
            worker.terminate()
            worker.wait()
    median, slowest = statistics.median(seconds), max(seconds)
    print(f"{files} files: median {median:.2f} s, slowest {slowest:.2f} s past the stability wait (goal: median < 1)")


def _one(root: Path, documents: Path, number: int) -> float:
    word = f"latencyword{number}"
    with open_workspace(root) as workspace:
        start = time.monotonic()
        (documents / f"late-{number}.md").write_text(f"# Late\n\nHere is {word}.\n")
        while not workspace.search(word):
            time.sleep(0.01)
            if time.monotonic() - start > 30:
                raise SystemExit(f"file {number} was not found within 30 s")
        return time.monotonic() - start


if __name__ == "__main__":
    main()
