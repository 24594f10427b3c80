"""The workspace of schema 1 that upgrades are tested with."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from ingest_tui.services.jobs import list_jobs
from ingest_tui.services.planning import plan_source
from ingest_tui.store.workspace import open_workspace_at
from old_workspace import unpack_workspace_1


def test_it_holds_what_it_is_meant_to_hold(tmp_path: Path) -> None:
    """The fixture has documents of each kind and jobs in each state, and reads as if it had been made here."""
    workspace = open_workspace_at(unpack_workspace_1(tmp_path))
    outcomes = Counter(row[0] for row in workspace.catalogue.execute("SELECT outcome FROM locations"))
    states = Counter(row[0] for row in workspace.catalogue.execute("SELECT state FROM documents"))
    assert {"ingested", "duplicate", "moved", "retired", "empty", "failed", "rejected"} <= set(outcomes)
    assert states["retired"] == 2
    assert workspace.catalogue.value("SELECT max(version) FROM documents") == 2
    jobs = Counter(manifest.state for manifest in list_jobs(workspace))
    assert jobs["queued"] == 1
    assert jobs["interrupted"] == 1
    assert all(row[0].startswith(tmp_path.as_uri()) for row in workspace.catalogue.execute("SELECT uri FROM documents"))
    workspace.close()


def test_nothing_has_changed_since(tmp_path: Path) -> None:
    """A plan over the unpacked sources finds what was committed unchanged."""
    workspace = open_workspace_at(unpack_workspace_1(tmp_path))
    actions = {action.key: action.action for action in plan_source(workspace, "handbook")}
    assert actions["chapter-1.md"] == "skip"
    assert actions["third-chapter.md"] == "skip"
    workspace.close()
