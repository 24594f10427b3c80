"""The workspace of schema 1 that upgrades are tested with."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from ingest_tui.services.jobs.jobs import list_jobs
from ingest_tui.store.verify import verify_store
from ingest_tui.store.workspace import Workspace, open_workspace_at
from ingest_tui.worker.engine import Engine
from ingest_tui.worker.submit import submit_sync
from tests.old_workspace import unpack_workspace_1


def test_it_holds_what_it_is_meant_to_hold(tmp_path: Path) -> None:
    """The fixture has documents of each kind and jobs in each state, and reads as if it had been made here."""
    workspace = open_workspace_at(unpack_workspace_1(tmp_path))
    outcomes = Counter(row[0] for row in workspace.catalogue.execute("SELECT outcome FROM locations"))
    states = Counter(row[0] for row in workspace.catalogue.execute("SELECT state FROM documents"))
    assert {"ingested", "duplicate", "moved", "retired", "empty", "failed", "rejected"} <= set(outcomes)
    assert states["retired"] == 2
    assert workspace.catalogue.value("SELECT max(version) FROM documents") == 2
    jobs = Counter(str(manifest.state) for manifest in list_jobs(workspace))
    assert jobs["queued"] == 1
    assert jobs["interrupted"] == 1
    assert all(row[0].startswith(tmp_path.as_uri()) for row in workspace.catalogue.execute("SELECT uri FROM documents"))
    workspace.close()


def test_the_present_program_goes_on_with_it(tmp_path: Path) -> None:
    """Both jobs that had not ended are done, no document is lost or doubled, none has a version that it need not have.

    The kill had left two documents in their folders that the catalogue did not know.
    """
    root = unpack_workspace_1(tmp_path)
    before = open_workspace_at(root)
    versions = dict(before.catalogue.execute("SELECT document_id, version FROM documents"))
    before.close()
    workspace = open_workspace_at(root)
    run_queue(workspace)
    assert not workspace.jobs.queued_ids()
    assert {str(manifest.state) for manifest in list_jobs(workspace)[:2]} <= {"succeeded", "partial"}
    submit_sync(workspace, workspace.sources.get("handbook"), trigger="manual", by="test")
    run_queue(workspace)
    names = {row[0] for row in workspace.catalogue.execute("SELECT key FROM documents WHERE state = 'active'")}
    assert {f"chapter-{number}.md" for number in (1, 2, 5, 6, 7, 8, 9)} <= names
    now = dict(workspace.catalogue.execute("SELECT document_id, version FROM documents"))
    assert {document: now.get(document) for document in versions} == versions
    assert verify_store(workspace.layout, workspace.catalogue, deep=True) == []
    workspace.close()


def run_queue(workspace: Workspace) -> None:
    """Be a worker until nothing can be started any more."""
    with Engine(workspace) as engine:
        while engine.start_ready_jobs() or engine.running:
            engine.wait(5.0)
