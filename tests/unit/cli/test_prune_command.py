"""``prune``: what it says, whom it asks, and what it leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingest_tui.cli.main import run
from ingest_tui.store.workspace import Workspace
from tests.faults.crash_lab import new_workspace, quicken, sync


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with three jobs of which one need not be kept."""
    quicken(monkeypatch)
    workspace = new_workspace(tmp_path / "ws", tmp_path / "docs")
    for _ in range(3):
        sync(workspace)
    workspace.close()
    settings = json.loads(workspace.layout.settings.read_text())
    workspace.layout.settings.write_text(json.dumps(settings | {"job_days": 0, "keep_jobs": 2}))
    return workspace


def test_dry_run_names_what_goes_and_deletes_nothing(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """The dry run lists each thing with its size in JSON, adds up for people, and works under --read-only."""
    root = str(workspace.root)
    assert run(["--workspace", root, "--read-only", "prune", "--dry-run", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    [found] = said["found"]
    assert (found["kind"], found["name"]) == ("jobs", workspace.jobs.ids()[-1])
    assert said["kinds"]["jobs"] == {"items": 1, "bytes": found["bytes"]}
    assert run(["--workspace", root, "prune", "--dry-run"]) == 0
    assert "would delete 1 item" in capsys.readouterr().out
    assert len(workspace.jobs.ids()) == 3


def test_prune_asks_and_says_what_is_freed(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --yes and nobody to ask it is refused; with it the job goes, and a second call finds nothing."""
    root = str(workspace.root)
    assert run(["--workspace", root, "prune", "--json"]) == 6
    assert "--yes" in json.loads(capsys.readouterr().err)["error"]["hint"]
    assert run(["--workspace", root, "prune", "--kind", "versions", "--yes"]) == 0
    assert len(workspace.jobs.ids()) == 3
    assert run(["--workspace", root, "prune", "--yes"]) == 0
    assert "deleted 1 item," in capsys.readouterr().out
    assert len(workspace.jobs.ids()) == 2
    assert run(["--workspace", root, "prune"]) == 0
    assert "deleted 0 items" in capsys.readouterr().out


def test_read_only_refuses_to_prune(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """Only the dry run is allowed under --read-only."""
    assert run(["--workspace", str(workspace.root), "--read-only", "prune", "--yes"]) == 6
    assert "--read-only" in capsys.readouterr().err


def test_prune_of_a_collection_leaves_the_others(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """What is of another collection stays; one that is not there is no empty answer."""
    root = str(workspace.root)
    assert run(["--workspace", root, "collection", "add", "reports"]) == 0
    assert run(["--workspace", root, "prune", "--collection", "reports", "--yes"]) == 0
    assert "deleted 0 items" in capsys.readouterr().out
    assert len(workspace.jobs.ids()) == 3
    assert run(["--workspace", root, "prune", "--collection", "nowhere", "--dry-run"]) == 4
    assert run(["--workspace", root, "prune", "--collection", "default", "--yes"]) == 0
    assert len(workspace.jobs.ids()) == 2
