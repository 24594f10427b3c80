"""Fixtures of the TUI tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest_tui.tui.app import IngestApp
from tests.tui.stories import new_workspace


@pytest.fixture(autouse=True)
def jobs_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stories begin at the list of jobs; those of the first screen take `overview_first`."""
    monkeypatch.setattr(IngestApp, "DEFAULT_MODE", "jobs")


@pytest.fixture
def overview_first(jobs_first: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program as people start it: at the overview."""
    del jobs_first
    monkeypatch.setattr(IngestApp, "DEFAULT_MODE", "overview")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace, and no colours or terminals of whoever runs the tests."""
    for name in ("NO_COLOR", "TMUX", "TEXTUAL_DRIVER"):
        monkeypatch.delenv(name, raising=False)
    # A worker that a test starts by the way would outlive it; the tests that are about this put the real thing back.
    monkeypatch.setattr("ingest_tui.services.workers.ensure_worker", lambda _workspace: None)
    return new_workspace(tmp_path / "ws")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two documents."""
    folder = tmp_path / "handbook"
    folder.mkdir()
    (folder / "welcome.md").write_text("# Welcome\n\nThe kettle is in the kitchen.\n")
    (folder / "rules.txt").write_text("No shoes in the barometer room.\n")
    return folder
