"""What the checker finds when catalogue, full text and folders do not say the same."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest_tui import IngestedDocument, open_workspace
from ingest_tui.model.address import names_one_thing
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.documents.documents import remove_documents
from ingest_tui.store.verify import verify_store


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[WorkspaceHandle]:
    """A workspace with two documents, the first in two versions, and a third in the trash."""
    with open_workspace(tmp_path / "ws") as handle:
        for unique_id, content in (("a", "one"), ("a", "two"), ("b", "three"), ("c", "four")):
            handle.register("default", IngestedDocument(content=content, unique_id=unique_id, source_type="api"))
        remove_documents(handle.workspace, [document_at(handle, "c")])
        yield handle


def document_at(handle: WorkspaceHandle, uri: str) -> str:
    return next(document.document_id for document in handle.documents if document.uri == uri)


def found(handle: WorkspaceHandle, *, deep: bool = True) -> set[str]:
    """Return the codes of the findings."""
    return {finding.code for finding in verify_store(handle.workspace.layout, handle.workspace.catalogue, deep=deep)}


def folder_of(handle: WorkspaceHandle, uri: str) -> Path:
    return handle.workspace.layout.document("default", document_at(handle, uri))


def test_nothing_is_found_where_all_agree(filled: WorkspaceHandle) -> None:
    """Documents with several versions and one in the trash are no finding."""
    assert verify_store(filled.workspace.layout, filled.workspace.catalogue, deep=True) == []


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("DELETE FROM locations WHERE uri = 'a'", "document_without_place"),
        ("UPDATE documents SET key = 'elsewhere' WHERE uri = 'a'", "primary_place_unknown"),
        ("UPDATE locations SET document_id = 'nobody' WHERE uri = 'a'", "place_without_document"),
        ("UPDATE locations SET collection_id = 'other' WHERE uri = 'a'", "place_in_other_collection"),
        ("UPDATE documents SET raw_sha256 = 'same' WHERE state = 'active'", "same_content"),
        ("UPDATE documents SET content_hash = 'same' WHERE state = 'active'", "same_content"),
        ("UPDATE locations SET uri = 'file:///same'", "same_address"),
        ("DELETE FROM chunks", "chunks_differ"),
        ("DELETE FROM chunks", "full_text_differs"),
        ("DELETE FROM documents", "chunks_without_document"),
        ("DELETE FROM documents", "unknown_folder"),
        ("DELETE FROM documents", "version_without_document"),
        ("UPDATE documents SET state = 'active'", "folder_missing"),
        ("UPDATE documents SET version = 7", "versions_differ"),
        ("UPDATE documents SET raw_sha256 = document_id", "current_version_differs"),
        ("UPDATE versions SET raw_sha256 = 'x' WHERE version = 1", "version_damaged"),
        ("UPDATE locations SET key = key || '2'", "noted_places_differ"),
    ],
)
def test_rows_that_contradict_are_found(filled: WorkspaceHandle, sql: str, code: str) -> None:
    """Each promise of the catalogue has its finding."""
    filled.workspace.catalogue.execute(sql)
    assert code in found(filled)


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (shutil.rmtree, "folder_missing"),
        (lambda folder: shutil.rmtree(folder / "v0001"), "versions_differ"),
        (lambda folder: shutil.copytree(folder, folder.with_name("ab" * 13)), "unknown_folder"),
        (lambda folder: (folder / "v0001" / "ingestion.json").write_text("{"), "version_damaged"),
        (lambda folder: (folder / "v0002" / "raw.md").unlink(), "version_damaged"),
        (lambda folder: (folder / "v0002" / "normalized.md").unlink(), "version_damaged"),
        (lambda folder: (folder / "v0001" / "raw.md").write_text("other"), "version_damaged"),
        (lambda folder: (folder / "v0001" / "normalized.md").write_text("other"), "version_damaged"),
        (lambda folder: (folder / ".tmp.document.json").write_text("{"), "leftover"),
        (lambda folder: (folder / "retired.json").write_text("{}"), "retired_note_differs"),
        (lambda folder: (folder / "document.json").write_text("{"), "note_damaged"),
    ],
)
def test_damaged_folders_are_found(filled: WorkspaceHandle, damage: Callable[[Path], object], code: str) -> None:
    """Each promise of the folders has its finding."""
    damage(folder_of(filled, "a"))
    assert code in found(filled)


def test_hashes_are_only_compared_when_asked_for(filled: WorkspaceHandle) -> None:
    """A text that somebody changed is found by the deep look; the other one reads no documents."""
    (folder_of(filled, "a") / "v0002" / "normalized.md").write_text("other")
    assert found(filled, deep=False) == set()
    assert found(filled, deep=True) == {"version_damaged"}


def test_only_universal_addresses_name_one_thing() -> None:
    """A path and a web address mean the same to every source; a bucket's name and a script's identifier do not."""
    assert names_one_thing("file:///srv/a.txt")
    assert names_one_thing("https://example.org/a")
    assert not names_one_thing("s3://bucket/a")
    assert not names_one_thing("ticket:7")
