"""A disk that can only be read: what a command that would work with --read-only says of it."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.cli.main import run
from ingest_tui.cli.read_only import on_read_only_disk
from ingest_tui.services import backup
from ingest_tui.store.workspace import init_workspace

READ_ONLY = OSError(errno.EROFS, os.strerror(errno.EROFS), "/mnt/locks/commit.lock")


def test_a_backup_names_the_way_that_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its lock cannot be taken there; with --read-only it needs none."""

    def refuse(*_arguments: Any) -> None:
        raise READ_ONLY

    init_workspace(tmp_path / "ws")[0].close()
    monkeypatch.setattr(backup, "take_snapshot", refuse)
    assert run(["--workspace", str(tmp_path / "ws"), "backup", str(tmp_path / "b.zst")]) == 1
    said = capsys.readouterr().err
    assert "error: the file system is read-only: /mnt/locks/commit.lock" in said
    assert "hint: 'ingest-tui --read-only backup' writes nothing into the workspace" in said


def test_other_commands_and_other_failures_are_said_as_they_are() -> None:
    """What changes the workspace cannot do it with --read-only either."""
    assert on_read_only_disk(READ_ONLY, "sync") is None
    assert on_read_only_disk(OSError(errno.EIO, "input/output error"), "backup") is None
    assert on_read_only_disk(ValueError("no"), "backup") is None
