"""Registering documents that were parsed elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest_tui import IngestedDocument, compute_content_hash, open_workspace
from ingest_tui.model.document import Document
from ingest_tui.model.errors import UsageError, ValidationError
from ingest_tui.services.collections.collections import add_collection
from ingest_tui.services.documents import documents
from ingest_tui.services.documents.retirement import retire_documents
from ingest_tui.store.verify import verify_store
from ingest_tui.store.workspace import Workspace


def test_text_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Content with a lone surrogate is refused in words, and leaves no folder behind."""
    with open_workspace(tmp_path / "workspace") as workspace:
        broken = IngestedDocument(content="a\udcff", unique_id="x", source_type="api")
        with pytest.raises(ValidationError, match="surrogates"):
            workspace.register("default", broken)
        assert workspace.documents == []
    assert list((tmp_path / "workspace" / "documents").iterdir()) == []


def test_new_text_at_the_same_place_is_the_next_version(tmp_path: Path) -> None:
    """The same id with other text keeps the document and its first version."""
    with open_workspace(tmp_path / "workspace") as workspace:
        first = workspace.register("default", IngestedDocument(content="old words", unique_id="x", source_type="api"))
        again = workspace.register("default", IngestedDocument(content="old words", unique_id="x", source_type="api"))
        second = workspace.register("default", IngestedDocument(content="new words", unique_id="x", source_type="api"))
        assert (first["is_new"], again["is_new"], second["is_new"]) == (True, False, True)
        assert first["document_id"] == again["document_id"] == second["document_id"]
        assert workspace.text(first["document_id"], 1) == "old words"
        assert workspace.text(first["document_id"]) == "new words"


@pytest.mark.parametrize("wrong", ["0" * 64, compute_content_hash("something else"), "no hash"])
def test_a_hash_of_other_content_is_refused(tmp_path: Path, wrong: str) -> None:
    """Two texts under one hash would become one document, so a hash that is not that of the content is refused."""
    with open_workspace(tmp_path / "workspace") as workspace:
        ingested = IngestedDocument(content="some text", unique_id="x", source_type="api")
        ingested.content_hash = wrong
        with pytest.raises(ValidationError, match="hash"):
            workspace.register("default", ingested)
        assert workspace.documents == []
    assert list((tmp_path / "workspace" / "documents").iterdir()) == []


def test_content_changed_after_it_was_hashed_is_refused(tmp_path: Path) -> None:
    """The hash that is compared is that of the content as it is registered, not as it once was."""
    with open_workspace(tmp_path / "workspace") as workspace:
        ingested = IngestedDocument(content="some text", unique_id="x", source_type="api")
        ingested.content = "another text"
        with pytest.raises(ValidationError, match="content_hash"):
            workspace.register("default", ingested)


def test_a_version_that_is_registered_while_its_document_is_removed_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The document goes to the trash as it is by then, with both versions, and the next one follows them."""

    def register_before(workspace: Workspace, document_ids: list[str], *, reason: str) -> list[Document]:
        handle.register("default", IngestedDocument(content="second words", unique_id="x", source_type="api"))
        return retire_documents(workspace, document_ids, reason=reason)

    with open_workspace(tmp_path / "workspace") as handle:
        first = handle.register("default", IngestedDocument(content="first words", unique_id="x", source_type="api"))
        monkeypatch.setattr(documents, "retire_documents", register_before)
        assert documents.remove_documents(handle.workspace, [first["document_id"]]) == 1
        assert verify_store(handle.workspace.layout, handle.workspace.catalogue) == []
        handle.register("default", IngestedDocument(content="third words", unique_id="x", source_type="api"))
        assert [document.version for document in handle.documents] == [3]
        assert verify_store(handle.workspace.layout, handle.workspace.catalogue) == []


def test_a_source_has_a_document_in_one_collection(tmp_path: Path) -> None:
    """The same id of the same source in another collection is refused; it would be taken out of the first one."""
    with open_workspace(tmp_path / "workspace") as workspace:
        add_collection(workspace.workspace, "archive")
        first = IngestedDocument(content="heron", unique_id="ticket", source_type="api")
        workspace.register("archive", first, "script")
        other = IngestedDocument(content="otter", unique_id="ticket", source_type="api")
        with pytest.raises(UsageError, match="of source 'script' is in collection 'archive'"):
            workspace.register("default", other, "script")
        workspace.register("default", other)
        assert sorted(one.collection_id for one in workspace.documents) == ["archive", "default"]
        layout, catalogue = workspace.workspace.layout, workspace.workspace.catalogue
        assert verify_store(layout, catalogue, deep=True) == []


def test_a_source_takes_no_document_of_another_collection(tmp_path: Path) -> None:
    """A document that is registered under a source is in its collection, even one that the source has not seen yet."""
    with open_workspace(tmp_path / "workspace") as workspace:
        add_collection(workspace.workspace, "archive")
        (tmp_path / "papers").mkdir()
        workspace.add_source("papers", path=str(tmp_path / "papers"), collection="archive")
        new = IngestedDocument(content="otter", unique_id="new.txt", source_type="api")
        with pytest.raises(UsageError, match="source 'papers' is in collection 'archive'"):
            workspace.register("default", new, "papers")
        assert workspace.documents == []
        assert workspace.register("archive", new, "papers")["is_new"]
