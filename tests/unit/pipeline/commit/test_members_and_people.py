"""Members of archives that a person keeps, removes and brings back, whatever becomes of their source."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui.model.document import Document
from ingest_tui.model.source import Source
from ingest_tui.services.documents.documents import remove_documents
from ingest_tui.services.documents.explain import explain
from ingest_tui.services.documents.restore import restore_retired
from ingest_tui.services.sources.sources import remove_source
from ingest_tui.services.workspaces import rebuild
from ingest_tui.store.catalogue import queries
from ingest_tui.store.verify import verify_store
from ingest_tui.store.workspace import Workspace
from tests.faults.crash_lab import new_workspace, quicken, sync
from tests.made_files import zip_bytes
from tests.unit.pipeline.commit.test_containers import ONE, TWO, outcomes, pack, texts

MEMBERS: dict[str, str | bytes] = {"one.md": ONE, "in/two.md": TWO, "inner.zip": zip_bytes({"deep.md": "# deep\n"})}
KEYS = {"a.zip!one.md", "a.zip!in/two.md", "a.zip!inner.zip!deep.md"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the source."""
    return tmp_path / "source"


@pytest.fixture
def workspace(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A workspace with a source over the folder, in which there are an archive and ten documents."""
    quicken(monkeypatch)
    workspace = new_workspace(tmp_path / "workspace", folder)
    for number in range(10):
        (folder / f"{number}.md").write_text(f"# number {number}\n")
    pack(folder / "a.zip", MEMBERS)
    sync(workspace)
    yield workspace
    assert verify_store(workspace.layout, workspace.catalogue, deep=True) == []
    workspace.close()


def add_again(workspace: Workspace, folder: Path) -> None:
    """Add the source that was removed."""
    config = {"path": str(folder)}
    workspace.sources.save(Source(source_id="docs", name="Docs", source_type="local", source_config=config))


def ids_by_key(workspace: Workspace) -> dict[str, str]:
    """Return the ids of the documents that are here, by their keys."""
    active = (document for document in workspace.reading.all_documents() if document.state == "active")
    return {document.key: document.document_id for document in active}


def at(workspace: Workspace, key: str) -> Document:
    """Return the one document that is or was at a key."""
    [document] = queries.documents_at(workspace.reading, key)
    return document


def kept(workspace: Workspace, folder: Path) -> int:
    """Return how many places below the archive are kept ones."""
    return len(workspace.reading.kept_members("default", f"file://{folder}/a.zip"))


def test_kept_members_belong_to_the_source_that_finds_them_again(workspace: Workspace, folder: Path) -> None:
    """Documents that were kept when their source was removed follow their archive again, and keep their ids."""
    before = ids_by_key(workspace)
    remove_source(workspace, "docs", keep_documents=True)
    assert kept(workspace, folder) == 3
    assert "a.zip!one.md" not in texts(workspace)
    add_again(workspace, folder)
    seen = outcomes(workspace, sync(workspace))
    assert {seen[key] for key in KEYS} == {("unchanged", "same_content")}
    assert (ids_by_key(workspace), kept(workspace, folder)) == (before, 0)
    rebuild(workspace)
    assert ids_by_key(workspace) == before
    (folder / "a.zip").unlink()
    sync(workspace)
    assert not KEYS & texts(workspace).keys()


def test_kept_member_that_its_archive_has_no_more_stays_kept(workspace: Workspace, folder: Path) -> None:
    """Only what an archive really has goes back to the source that lists the archive."""
    remove_source(workspace, "docs", keep_documents=True)
    pack(folder / "a.zip", {"one.md": "# one\n\nOther.\n"})
    add_again(workspace, folder)
    assert outcomes(workspace, sync(workspace))["a.zip!one.md"] == ("ingested", "changed")
    assert kept(workspace, folder) == 2
    answer = explain(workspace, f"{folder}/a.zip!in/two.md")
    assert (answer.here, answer.reason) == (True, "kept")


def test_removed_member_stays_out_when_its_source_is_added_again(workspace: Workspace, folder: Path) -> None:
    """What a person removed from an archive is not brought back by removing the source and adding it again."""
    remove_documents(workspace, [at(workspace, "a.zip!one.md").document_id])
    remove_source(workspace, "docs", keep_documents=True)
    add_again(workspace, folder)
    assert outcomes(workspace, sync(workspace))["a.zip!one.md"] == ("unchanged", "removed")
    assert kept(workspace, folder) == 0
    restore_retired(workspace, at(workspace, "a.zip!one.md"))
    sync(workspace)
    assert texts(workspace)["a.zip!one.md"] == ONE


def test_member_restored_without_its_archive_is_kept_until_that_is_back(workspace: Workspace, folder: Path) -> None:
    """It has the name it had, also in a catalogue that is made again, and one place once the archive is back."""
    packed = (folder / "a.zip").read_bytes()
    (folder / "a.zip").unlink()
    sync(workspace)
    document = restore_retired(workspace, at(workspace, "a.zip!one.md"))
    sync(workspace)
    rebuild(workspace)
    [again] = workspace.reading.documents([document.document_id]).values()
    assert (again.state, again.file_name, kept(workspace, folder)) == ("active", "one.md", 1)
    (folder / "a.zip").write_bytes(packed)
    sync(workspace)
    places = workspace.reading.locations_of(document.document_id)
    assert [(place.source_id, place.key, place.container) for place in places] == [("docs", "a.zip!one.md", "a.zip")]


def test_explain_knows_archives_by_what_is_left_of_them(workspace: Workspace, folder: Path) -> None:
    """An archive that is gone, or whose source is, is explained by the documents from it that are here."""
    target = str(folder / "a.zip")
    remove_source(workspace, "docs", keep_documents=True)
    answer = explain(workspace, target)
    assert (answer.here, answer.reason) == (True, "container")
    assert "documents from it: 3" in answer.verdict
    add_again(workspace, folder)
    (folder / "a.zip").unlink()
    sync(workspace)
    assert explain(workspace, target).reason == "container"
    remove_documents(workspace, list(workspace.reading.documents(row.document_id for row in within(workspace, target))))
    assert (explain(workspace, target).here, explain(workspace, target).reason) == (False, "gone")


def within(workspace: Workspace, target: str) -> list[Document]:
    """Return the documents that are in an archive."""
    return [one for one in workspace.reading.all_documents() if one.uri.startswith(f"file://{target}!")]
