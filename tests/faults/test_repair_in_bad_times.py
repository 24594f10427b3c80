"""`verify --repair` next to a running sync, on a full disk, and where nothing may be written."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import Cli

pytestmark = pytest.mark.slow


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[Cli]:
    """A workspace with documents, of which some texts and a row are damaged."""
    calls = Cli(tmp_path)
    for number in range(20):
        calls.write(f"{number}.txt", f"document {number} of twenty")
    calls.init()
    calls.sync()
    yield calls
    calls.close()


def damage(cli: Cli, number: int) -> None:
    """Change the texts of some documents."""
    for path in sorted(cli.workspace.glob("documents/*/*/*/v0001/normalized.md"))[:number]:
        path.write_text("other words")


def fill(path: Path) -> None:
    """Write a file until there is no room left."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        with pytest.raises(OSError, match="No space"):
            _write_without_end(descriptor)
    finally:
        os.close(descriptor)


def _write_without_end(descriptor: int) -> None:
    while True:
        os.write(descriptor, bytes(4096))


def test_a_repair_next_to_a_sync(cli: Cli) -> None:
    """Both end well, whatever the sync takes in meanwhile, and nothing is wrong after them."""
    damage(cli, 5)
    for number in range(100, 160):
        cli.write(f"{number}.txt", f"document {number} of many")
    syncing = cli.start("sync", "docs")
    cli.run("verify", "--deep", "--repair")
    assert syncing.wait(60) == 0
    assert cli.run("verify", "--deep").code == 0
    assert len(cli.found("document")) == 80


def test_a_repair_that_may_write_nothing(cli: Cli) -> None:
    """With --read-only it is refused, and all stays as it is; what is wrong is still reported."""
    damage(cli, 2)
    before = {path: path.stat().st_mtime_ns for path in cli.workspace.rglob("*") if "catalogue.db-" not in path.name}
    assert cli.run("--read-only", "verify", "--repair", code=6).out == ""
    assert len(cli.run("--read-only", "verify", "--deep", "--json", code=3).json["findings"]) == 2
    now = {path: path.stat().st_mtime_ns for path in cli.workspace.rglob("*") if "catalogue.db-" not in path.name}
    assert now == before


def test_a_repair_on_a_full_disk(cli: Cli, superuser: None) -> None:
    """It says that there is no room, or repairs what needs none; nothing becomes worse, and with room all is done."""
    small = cli.home / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", small], check=True)
    try:
        cli.run("backup", "one.zst")
        cli.run("restore", "one.zst", small)
        cli.workspace = small
        damage(cli, 5)
        fill(small / "filler")
        cli.run("verify", "--deep", "--repair", code=None)
        (small / "filler").unlink()
        assert cli.run("verify", "--deep", "--repair").code == 0
        assert cli.run("verify", "--deep").code == 0
        assert len(cli.found("document")) == 20
    finally:
        subprocess.run(["umount", "--lazy", small], check=True)
