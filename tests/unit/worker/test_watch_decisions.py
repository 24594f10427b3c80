"""When a watched source gets a job, and when it does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui import open_workspace
from ingest_tui.model.source import Source
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.sources.sources import edit_source
from ingest_tui.worker.loop import _submit_if_due


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[WorkspaceHandle, Source, Path]]:
    """A synced source of twelve valid files and a broken one, with watching on and no stability wait."""
    folder = tmp_path / "docs"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number}.md").write_text(f"# Number {number}\n\nwords\n")
    (folder / "broken.json").write_text("{")
    (folder / "broken.docx").write_bytes(b"PK\x03\x04 cut")
    (folder / "unknown.bin").write_bytes(bytes(range(256)) * 4)
    with open_workspace(tmp_path / "workspace") as workspace:
        workspace.workspace.settings.stable_seconds = 0
        workspace.add_source("docs", path=str(folder))
        workspace.sync("docs")
        yield workspace, edit_source(workspace.workspace, "docs", watch=True), folder


def _jobs_after_a_look(workspace: WorkspaceHandle, source: Source) -> int:
    before = len(workspace.jobs)
    _submit_if_due(workspace.workspace, source, lambda _message, _fields: None)
    return len(workspace.jobs) - before


def test_unchanged_folder_leaves_no_job_behind(watched: tuple[WorkspaceHandle, Source, Path]) -> None:
    """A rescan that finds nothing new makes no job, although a file failed and another was rejected."""
    workspace, source, _folder = watched
    assert _jobs_after_a_look(workspace, source) == 0


def test_change_makes_one_job(watched: tuple[WorkspaceHandle, Source, Path]) -> None:
    """A new file makes a job; while that waits, a second look makes no other."""
    workspace, source, folder = watched
    (folder / "new.md").write_text("new words")
    assert _jobs_after_a_look(workspace, source) == 1
    assert _jobs_after_a_look(workspace, source) == 0


def test_repaired_file_makes_a_job(watched: tuple[WorkspaceHandle, Source, Path]) -> None:
    """A file that failed before and has changed since is tried again."""
    workspace, source, folder = watched
    (folder / "broken.docx").write_bytes(b"plain words now, and more of them")
    assert _jobs_after_a_look(workspace, source) == 1


def test_held_deletions_are_reported_once(watched: tuple[WorkspaceHandle, Source, Path]) -> None:
    """A mass deletion makes one job that holds it; as long as nothing else changes there is no second one."""
    workspace, source, folder = watched
    for number in range(12):
        (folder / f"{number}.md").unlink()
    assert _jobs_after_a_look(workspace, source) == 1
    workspace.sync("docs")
    assert workspace.jobs[0].held is not None
    assert _jobs_after_a_look(workspace, source) == 0


def test_missing_folder_is_reported_once(watched: tuple[WorkspaceHandle, Source, Path]) -> None:
    """A folder that is gone makes one failed job, not one a minute."""
    workspace, source, folder = watched
    folder.rename(folder.with_name("elsewhere"))
    assert _jobs_after_a_look(workspace, source) == 1
    workspace.sync("docs")
    assert workspace.jobs[0].state == "failed"
    assert _jobs_after_a_look(workspace, source) == 0
