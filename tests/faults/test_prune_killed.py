"""Pruning in a process of its own, killed at any moment: what is left is whole, and the next prune does the rest."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import Cli

pytestmark = pytest.mark.slow

KILLS = 8


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[Cli]:
    """Calls of ``ingest-tui`` in a folder of their own."""
    calls = Cli(tmp_path)
    yield calls
    calls.close()


def test_a_killed_prune_leaves_nothing_half_deleted(cli: Cli) -> None:
    """After each kill a deep verification is clean, every current version is there, and the rest goes in the end."""
    for number in range(60):
        cli.write(f"{number}.txt", f"document {number}")
    cli.init()
    cli.sync()
    for edition in range(3):
        for number in range(40):
            cli.write(f"{number}.txt", f"document {number}, edition {edition}")
        cli.sync("--force")
    cli.run("doc", "remove", *(f"docs/{number}.txt" for number in range(40, 60)), "--yes")
    cli.change_settings(keep_versions=1, version_days=0, trash_days=0, job_days=0, keep_jobs=1)
    started = time.monotonic()
    due = cli.run("prune", "--dry-run", "--json").json
    whole = time.monotonic() - started
    assert due["items"] > 100
    kept = cli.home / "kept"
    shutil.copytree(cli.workspace, kept)
    moments, killed = random.Random(815), 0
    for _number in range(KILLS):
        process = cli.start("prune", "--yes")
        try:
            assert process.wait(whole * (0.5 + moments.random())) == 0
            shutil.rmtree(cli.workspace)  # it was done: begin again
            shutil.copytree(kept, cli.workspace)
        except subprocess.TimeoutExpired:
            killed += cli.end(process, signal.SIGKILL) == -signal.SIGKILL
            assert cli.run("verify", "--deep").code == 0
    assert killed, "no moment was before the end"
    cli.run("prune", "--yes")
    assert cli.run("prune", "--dry-run", "--json").json["items"] == 0
    assert cli.run("verify", "--deep").code == 0
    assert len(cli.run("doc", "list", "--limit", "500", "--json").out.split('"document_id"')) == 40 + 1
    assert not list(_left(cli.workspace))


def _left(root: Path) -> list[str]:
    """Return what pruning renames before it deletes."""
    return [json.dumps(str(path)) for path in root.rglob(".tmp.*") if "plan-" not in path.name]
