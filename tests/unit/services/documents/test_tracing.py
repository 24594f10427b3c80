"""From a document to its jobs, hashes and audit lines, and from each of these back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui import IngestedDocument, open_workspace
from ingest_tui.model.errors import NotFoundError
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.documents.documents import remove_documents
from ingest_tui.services.documents.trace import trace
from tests.faults.crash_lab import new_workspace, quicken, sync


@pytest.fixture
def handle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkspaceHandle]:
    """A workspace with a document of a sync in two versions, and one that a script registered."""
    quicken(monkeypatch)
    workspace = new_workspace(tmp_path / "workspace", tmp_path / "docs")
    (tmp_path / "docs" / "a.md").write_text("first words")
    sync(workspace)
    (tmp_path / "docs" / "a.md").write_text("second words")
    sync(workspace)
    workspace.close()
    with open_workspace(tmp_path / "workspace") as opened:
        opened.register("default", IngestedDocument("registered words", "script:1", "script"))
        yield opened


def test_a_document_leads_to_its_jobs_hashes_and_lines(handle: WorkspaceHandle) -> None:
    """Each version has its hashes, its folder, and the manifest of its job; what a person did is in the audit lines."""
    document = next(one for one in handle.documents if one.key == "a.md")
    remove_documents(handle.workspace, [document.document_id])
    [found] = trace(handle.workspace, document.document_id)
    assert [one.row.version for one in found.versions] == [2, 1]
    for one in found.versions:
        assert (handle.workspace.root / one.manifest).is_file()
        assert (handle.workspace.root / one.folder / "raw.md").is_file()
        assert (one.job_state, one.requested_by) == ("succeeded", "test")
    assert [line["action"] for line in found.audit][-1] == "document.remove"
    assert found.as_dict()["versions"][0]["raw_sha256"] == document.raw_sha256


def test_a_job_and_a_hash_lead_back(handle: WorkspaceHandle) -> None:
    """The job of an earlier version, its raw hash and its text hash lead to the document that it is of."""
    document = next(one for one in handle.documents if one.key == "a.md")
    [found] = trace(handle.workspace, document.document_id)
    earlier = found.versions[1].row
    for target in (earlier.job_id, earlier.raw_sha256, earlier.content_hash):
        assert [one.document.document_id for one in trace(handle.workspace, target)] == [document.document_id]


def test_what_was_pruned_is_still_traced_as_far_as_it_goes(handle: WorkspaceHandle) -> None:
    """A document whose job is gone keeps the id of the job, and the job leads to it; one without a job has none."""
    document = next(one for one in handle.documents if one.key == "a.md")
    shutil.rmtree(handle.workspace.layout.job(document.job_id).folder)
    [found] = trace(handle.workspace, document.document_id)
    assert (found.versions[0].manifest, found.versions[0].row.job_id) == ("", document.job_id)
    assert [one.document.document_id for one in trace(handle.workspace, document.job_id)] == [document.document_id]
    [registered] = trace(handle.workspace, "script:1")
    assert registered.versions[0].as_dict()["manifest"] is None
    for unknown in ("0" * 64, "20200101-000000-nobody-2222", "nothing"):
        with pytest.raises(NotFoundError):
            list(trace(handle.workspace, unknown))
