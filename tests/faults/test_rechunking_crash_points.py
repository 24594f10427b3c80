"""A job that re-chunks and whose worker is killed before any of its steps ends as if nothing had happened."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ingest_tui import IngestedDocument, open_workspace
from ingest_tui.pipeline import rechunk
from ingest_tui.services.collections.preferences import plan_preferences, save_preferences
from ingest_tui.store.workspace import open_workspace_at
from tests.faults.crash_lab import (
    count_steps,
    leftovers_of,
    rebuilt_state_of,
    run_and_die,
    run_queue,
    state_of,
)

pytestmark = pytest.mark.slow

WORDS = ("rain", "hail", "snow")


def _prepared(root: Path) -> Path:
    """Three long documents and a short one, and the job that cuts them smaller waiting."""
    with open_workspace(root) as handle:
        for word in WORDS:
            text = " ".join(f"Sentence number {number} is about {word}." for number in range(20))
            handle.register("default", IngestedDocument(content=text, unique_id=word, source_type="api"))
        handle.register("default", IngestedDocument(content="fog", unique_id="fog", source_type="api"))
        save_preferences(handle.workspace, plan_preferences(handle.workspace, "default", {"chunk_size": 300}))
    return root


def _run(root: Path) -> None:
    workspace = open_workspace_at(root)
    run_queue(workspace)
    workspace.close()


def test_every_step_may_be_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next worker brings it to the same end, in the catalogue, the folders, the journal and after a rebuild."""
    monkeypatch.setattr(rechunk, "_DOCUMENTS_AT_ONCE", 2)
    prepared = _prepared(tmp_path / "prepared")
    expected_root = tmp_path / "expected"
    shutil.copytree(prepared, expected_root)
    workspace = open_workspace_at(expected_root)
    steps = count_steps(workspace)
    workspace.close()
    expected = state_of(expected_root, WORDS)
    assert {row[1] for row in expected.versions} == {1, 2}
    assert len(steps) > 10

    for step in range(len(steps)):
        root = tmp_path / f"step-{step}"
        shutil.copytree(prepared, root)
        assert run_and_die(root, step), steps[step]
        _run(root)
        assert state_of(root, WORDS) == expected, steps[step]
        assert leftovers_of(root) == [], steps[step]
        assert rebuilt_state_of(root, WORDS).documents == expected.documents, steps[step]
        shutil.rmtree(root)
