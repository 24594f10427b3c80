"""How many versions of a document are kept when it gets another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest_tui import open_workspace
from ingest_tui.services.collections.preferences import plan_preferences, save_preferences
from ingest_tui.services.documents.documents import document_versions
from ingest_tui.services.documents.pruning import versions_to_prune
from ingest_tui.services.workers import follow_job


def test_a_collection_keeps_so_many_versions(tmp_path: Path) -> None:
    """A sync deletes those beyond the number of documents that it changed; pruning by hand keeps as many."""
    docs = tmp_path / "docs"
    docs.mkdir()

    def numbers(document_id: str) -> list[int]:
        return [int(one["version"]) for one in document_versions(workspace, document_id)]

    with open_workspace(tmp_path / "ws") as handle:
        workspace = handle.workspace
        handle.add_source("docs", path=str(docs))
        for number in range(4):
            (docs / "a.md").write_text(f"heron {number}")
            if number < 2:
                (docs / "b.md").write_text(f"otter {number}")
            handle.sync("docs")
        a, b = sorted(handle.documents, key=lambda one: one.uri)
        assert numbers(a.document_id) == [4, 3, 2, 1]
        save_preferences(workspace, plan_preferences(workspace, "default", {"keep_versions": "3"}))
        assert [one.version for one in versions_to_prune(workspace, [a.document_id])] == [1]
        assert [one.version for one in versions_to_prune(workspace, [a.document_id], keep=1)] == [3, 2, 1]
        (docs / "a.md").write_text("heron again")
        handle.sync("docs")
        assert (numbers(a.document_id), numbers(b.document_id)) == ([5, 4, 3], [2, 1])


@pytest.mark.slow
def test_versions_that_were_only_cut_otherwise_count_once(tmp_path: Path) -> None:
    """Cutting a collection again deletes no earlier content, neither at once nor when the next content comes."""
    docs = tmp_path / "docs"
    docs.mkdir()
    with open_workspace(tmp_path / "ws") as handle:
        workspace = handle.workspace
        handle.add_source("docs", path=str(docs))
        for number in range(2):
            (docs / "a.md").write_text(f"heron {number} " * 100)
            handle.sync("docs")
        save_preferences(workspace, plan_preferences(workspace, "default", {"keep_versions": 3}))
        for size in (300, 400):
            saved = save_preferences(workspace, plan_preferences(workspace, "default", {"chunk_size": size}))
            assert saved.job is not None
            follow_job(workspace, saved.job.job_id, lambda _manifest: None, run_here=True)
        [document] = handle.documents
        assert [one["version"] for one in document_versions(workspace, document.document_id)] == [4, 3, 2, 1]
        for text, kept in (("otter", [5, 4, 3, 2, 1]), ("otter again", [6, 5, 4, 3, 2])):
            (docs / "a.md").write_text(text)
            handle.sync("docs")
            assert [one["version"] for one in document_versions(workspace, document.document_id)] == kept
