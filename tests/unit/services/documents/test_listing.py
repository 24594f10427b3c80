"""Lists of documents by what somebody names."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest_tui import IngestedDocument, open_workspace
from ingest_tui.model.errors import NotFoundError, UsageError, ValidationError
from ingest_tui.services.documents.documents import get_document, list_documents, remove_documents
from ingest_tui.store.workspace import init_workspace


@pytest.mark.parametrize("name", ["a\udcffb", "né", "\x00", "nobody"])
def test_a_source_that_cannot_be_is_none(tmp_path: Path, name: str) -> None:
    """Words that are no text, and names that nobody has, are refused as sources, never an error of the catalogue."""
    workspace, _ = init_workspace(tmp_path / "ws")
    with pytest.raises((NotFoundError, ValidationError)):
        list_documents(workspace, source_id=name)
    workspace.close()


def test_a_document_can_be_named_by_its_file_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One alone is meant, of several those that are here are named with their addresses; a file here is no document."""
    monkeypatch.chdir(tmp_path)
    with open_workspace(tmp_path / "ws") as handle:
        ids = {}
        for path in ("a/report.csv", "b/report.csv", "b/notes.md"):
            document = IngestedDocument(content=path, unique_id=f"https://example.org/{path}", source_type="api")
            ids[path] = handle.register("default", document)["document_id"]
        assert get_document(handle.workspace, "notes.md").document_id == ids["b/notes.md"]
        with pytest.raises(
            UsageError, match=r"2 documents called 'report.csv': .*example.org/a/report.csv.*/b/"
        ) as caught:
            get_document(handle.workspace, "report.csv")
        assert set(caught.value.context["document_ids"]) == {ids["a/report.csv"], ids["b/report.csv"]}
        remove_documents(handle.workspace, [ids["a/report.csv"]])
        assert get_document(handle.workspace, "report.csv").document_id == ids["b/report.csv"]
        for other in ("port.csv", "c/report.csv", ""):
            with pytest.raises(NotFoundError):
                get_document(handle.workspace, other)
        (tmp_path / "notes.md").write_text("another")
        with pytest.raises(NotFoundError):
            get_document(handle.workspace, "notes.md")
