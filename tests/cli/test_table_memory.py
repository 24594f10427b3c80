"""What a whole job takes of memory when a table is large."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.cli.running import Cli

pytestmark = pytest.mark.slow

SMALL_ROWS, LARGE_ROWS = 200, 250_000
MOST_MEGABYTES = 40
_HIGH_WATER = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)


def peak_of_a_sync(cli: Cli, folder: Path, rows: int) -> float:
    """Return the highest resident megabytes of the process of a job that reads one table of so many rows."""
    folder.mkdir()
    lines = (f"{row},town {row % 999},{row * 7 % 100_000},a remark on row {row}\n" for row in range(rows))
    (folder / "table.csv").write_text("id,town,people,remark\n" + "".join(lines))
    cli.run("source", "add", "local", folder.name, "--path", str(folder))
    process = cli.start("sync", folder.name)
    peak = 0
    while process.poll() is None:
        match = _HIGH_WATER.search(Path(f"/proc/{process.pid}/status").read_text())
        peak = max(peak, int(match[1]) if match else 0)
        time.sleep(0.005)
    assert process.returncode == 0
    (document,) = cli.run("doc", "list", "--source", folder.name, "--json").json
    assert document["chunks"] > rows // 50
    return peak / 1024


def test_job_takes_no_more_memory_for_a_larger_table(cli: Cli, tmp_path: Path) -> None:
    """The text is cut, analysed and indexed a part at a time: a table of 11 MB takes what a small one takes."""
    cli.run("init")
    small = peak_of_a_sync(cli, tmp_path / "small", SMALL_ROWS)
    assert peak_of_a_sync(cli, tmp_path / "large", LARGE_ROWS) - small < MOST_MEGABYTES
