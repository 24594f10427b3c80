"""What becomes of jobs that the engine cannot even begin."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest_tui.model.job import JobState
from ingest_tui.model.source import Source
from ingest_tui.store.workspace import Workspace, init_workspace
from ingest_tui.worker.engine import Engine
from ingest_tui.worker.submit import submit_sync


def run(workspace: Workspace) -> None:
    with Engine(workspace) as engine:
        engine.start_ready_jobs()
        while engine.running:
            engine.wait(5.0)


@pytest.mark.parametrize("failure", [RuntimeError("a bug"), OSError(5, "Input/output error"), ValueError("no type")])
def test_job_that_cannot_begin_fails_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    """Whatever keeps a job from beginning, foreseen or not, ends it with words, and it is not claimed again."""
    workspace, _ = init_workspace(tmp_path / "workspace")
    source = Source(source_id="docs", name="Docs", source_type="local", source_config={"path": str(tmp_path)})
    workspace.sources.save(source)
    submit_sync(workspace, source, trigger="manual", by="test")

    def broken(*_arguments: object, **_options: object) -> None:
        raise failure

    monkeypatch.setattr("ingest_tui.worker.engine.connect", broken)
    run(workspace)
    [job_id] = workspace.jobs.ids()
    manifest = workspace.jobs.load(job_id)
    assert manifest.state is JobState.FAILED
    assert "cannot begin" in manifest.errors[0].message
    assert workspace.jobs.queued_ids() == []
    workspace.close()
