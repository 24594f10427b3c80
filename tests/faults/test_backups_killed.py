"""Backups and restores in processes of their own, killed at any moment, and on a disk that fills up."""

from __future__ import annotations

import errno
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui.model.errors import DiskFullError
from ingest_tui.services import backup as backup_module
from ingest_tui.services.backup import back_up, check_backup, restore_backup
from ingest_tui.store.backup import archive, unpacking
from ingest_tui.store.fs.atomic import write_all
from ingest_tui.store.workspace import open_workspace_at
from tests.cli.running import Cli

pytestmark = pytest.mark.slow

KILLS = 6


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[Cli]:
    """A workspace with documents enough that a backup takes a while, and some of them in the trash."""
    calls = Cli(tmp_path)
    for number in range(40):
        calls.write(f"{number}.txt", f"document {number} {random.Random(number).randbytes(8000).hex(' ')}")
    calls.init()
    calls.sync()
    calls.run("doc", "remove", "docs/3.txt", "docs/4.txt", "--yes")
    yield calls
    calls.close()


def killed_somewhere(cli: Cli, rounds: int, *words: str | Path) -> Iterator[int]:
    """Run a command again and again, killed at moments that are spread over the time that it takes; yields its codes.

    The last one is not killed.
    """
    started = time.monotonic()
    cli.run(*words, code=None)
    whole = time.monotonic() - started
    moments = random.Random(4711)
    for number in range(rounds):
        yield -1
        process = cli.start(*words)
        try:
            yield process.wait(whole * (0.3 + 0.9 * moments.random()) if number < rounds - 1 else 60)
        except subprocess.TimeoutExpired:
            yield cli.end(process, signal.SIGKILL)


def test_a_killed_backup_leaves_the_earlier_one(cli: Cli) -> None:
    """What is at the place of a backup is always a whole one, and the workspace is as it was."""
    target = cli.home / "one.zst"
    codes = [code for code in killed_somewhere(cli, KILLS, "backup", target, "--force") if code != -1 or _whole(target)]
    assert -signal.SIGKILL in codes, "no moment was before the end"
    assert codes[-1] == 0
    assert cli.run("verify", "--deep").code == 0


def _whole(target: Path) -> bool:
    return check_backup(target).files > 60


def test_a_killed_restore_is_no_workspace(cli: Cli) -> None:
    """Whenever it was killed the folder is no workspace, or a whole one; the next restore makes it one."""
    cli.run("backup", "one.zst")
    there = cli.home / "there"
    codes = []
    for code in killed_somewhere(cli, KILLS, "restore", "one.zst", there):
        if code == -1:
            continue
        codes.append(code)
        if (there / "workspace.json").exists():
            assert cli.run("--workspace", there, "verify", "--deep").code == 0
            shutil.rmtree(there)
        elif there.exists():
            assert cli.run("--workspace", there, "doc", "list", code=None).code in {1, 4}
            if any(there.iterdir()):
                assert cli.run("--workspace", there, "init", code=1).err.count("has not ended") == 1
    assert -signal.SIGKILL in codes, "no moment was before the end"
    assert cli.run("restore", "one.zst", there).code == 0
    assert cli.run("--workspace", there, "verify", "--deep").code == 0


def test_a_backup_next_to_a_sync_is_resumed_after_a_restore(cli: Cli) -> None:
    """Backups that are written while a worker takes in documents are consistent, and their jobs are resumed."""
    for number in range(100, 160):
        cli.write(f"{number}.txt", f"document {number}")
    syncing = cli.start("sync", "docs")
    number = 0
    while syncing.poll() is None or number == 0:
        cli.run("backup", f"{number}.zst")
        number += 1
    assert syncing.wait(60) == 0
    for one in range(number):
        there = cli.home / f"there-{one}"
        cli.run("restore", f"{one}.zst", there)
        assert cli.run("--workspace", there, "verify", "--deep").code == 0
        cli.run("--workspace", there, "sync", "docs", "--json")
        assert cli.run("--workspace", there, "verify", "--deep").code == 0
        with_all = cli.run("--workspace", there, "doc", "list", "--limit", "1000", "--json").json
        assert len(with_all["documents"] if isinstance(with_all, dict) else with_all) == 40 - 2 + 60


def test_a_full_disk_leaves_nothing(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever write there is no room for: the error says so, and nothing of what was begun is left."""
    workspace = open_workspace_at(cli.workspace)
    place, _ = back_up(workspace, cli.home / "one.zst")
    before = sorted(path.name for path in cli.home.iterdir())
    for allowed in (0, 1, 17, 100):
        with monkeypatch.context() as patch:
            patch.setattr(archive._Sink, "write", Filling(allowed, archive._Sink.write))
            with pytest.raises(DiskFullError):
                back_up(workspace, cli.home / "two.zst") if allowed < 2 else _full_at_once(workspace, cli.home)
        with monkeypatch.context() as patch:
            patch.setattr(unpacking, "write_all", Filling(allowed, write_all))
            with pytest.raises(DiskFullError):
                restore_backup(place, cli.home / "there")
        assert sorted(path.name for path in cli.home.iterdir()) == before
    workspace.close()
    assert cli.run("verify", "--deep").code == 0


def _full_at_once(workspace: object, home: Path) -> None:
    """Fill the disk while the snapshot is taken."""
    with pytest.MonkeyPatch.context() as patch:

        def full(*_arguments: object, **_options: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        patch.setattr(backup_module, "take_snapshot", full)
        back_up(workspace, home / "two.zst")  # type: ignore[arg-type]


class Filling:
    """A function that works so many times, then finds no room."""

    def __init__(self, allowed: int, genuine: object) -> None:
        self._left = allowed
        self._genuine = genuine

    def __get__(self, instance: object, owner: type) -> object:
        return lambda *arguments: self(instance, *arguments)

    def __call__(self, *arguments: object) -> object:
        self._left -= 1
        if self._left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._genuine(*arguments)  # type: ignore[operator]


def test_a_full_disk_of_its_own(cli: Cli, superuser: None) -> None:
    """On a real disk without room backup and restore say so, exit with 1, and leave it as it was."""
    small = cli.home / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], check=True)
    try:
        cli.run("backup", "one.zst")
        for words in (
            ("backup", small / "one.zst"),
            ("restore", "one.zst", small),
            ("restore", "one.zst", small / "x"),
        ):
            told = cli.run(*words, "--json", code=1)
            assert told.error["code"] == "disk_full"
            assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", small], check=True)
    cli.run("restore", "one.zst", cli.home / "there")
    assert cli.run("--workspace", cli.home / "there", "verify", "--deep").code == 0


def test_a_pipe_that_breaks_is_a_failure(cli: Cli) -> None:
    """A backup that nobody reads to its end does not end with 0."""
    backup = subprocess.Popen(
        cli.command("backup", "-"),
        cwd=cli.home,
        env=cli.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert backup.stdout is not None
    assert backup.stdout.read(100)
    backup.stdout.close()
    _out, told = backup.communicate(timeout=60)
    assert (backup.returncode, b"not whole" in told, b"Traceback" in told) == (1, True, False)
