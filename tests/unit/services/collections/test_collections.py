"""Collections: described, used, removed with all that is in them, and brought back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest_tui import IngestedDocument, open_workspace
from ingest_tui.model.collection import DEFAULT_COLLECTION
from ingest_tui.model.errors import BusyError, ConflictError, NotFoundError, RefusedError, UsageError
from ingest_tui.pipeline.purge import purge_overdue
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.collections.collections import (
    add_collection,
    collection_in_use,
    edit_collection,
    show_collection,
    use_collection,
)
from ingest_tui.services.collections.page import list_pages
from ingest_tui.services.collections.removal import remove_collection, restore_collection, what_would_go
from ingest_tui.services.documents.documents import count_documents, list_documents, remove_documents
from ingest_tui.services.jobs.jobs import cancel_job, enqueue_sync
from ingest_tui.services.sources.health import list_sources
from ingest_tui.services.stats import workspace_stats
from ingest_tui.services.workspaces import doctor
from ingest_tui.store.workspace import Workspace
from ingest_tui.tui.terminal.preferences import read_preferences
from tests.copied_workspace import copied_workspace

SHARED = "the same words in both"


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a source and a registered document in ``reports``, one text of it in ``default`` too."""
    home = tmp_path_factory.mktemp("synced")
    folder = home / "docs"
    folder.mkdir()
    (folder / "rain.txt").write_text("it rained")
    (folder / "shared.txt").write_text(SHARED)
    with open_workspace(home / "workspace") as opened:
        add_collection(opened.workspace, "Reports")
        opened.add_source("docs", path=str(folder), collection="reports")
        opened.sync("docs")
        opened.register("reports", document("note", "a note"))
        opened.register("default", document("shared", SHARED))
    return home


@pytest.fixture
def handle(synced: Path, tmp_path: Path) -> Iterator[WorkspaceHandle]:
    """A copy of that workspace; nothing in its folder may be changed."""
    with copied_workspace(synced / "workspace", tmp_path / "workspace") as opened:
        yield opened


def document(name: str, text: str) -> IngestedDocument:
    return IngestedDocument(content=text, unique_id=name, source_type="api")


def uris(workspace: Workspace, collection_id: str, **choice: Any) -> list[str]:
    return [one.uri.rpartition("/")[2] for one in list_documents(workspace, collection_id=collection_id, **choice)]


def last_audit(workspace: Workspace) -> dict[str, Any]:
    return list(workspace.audit.entries())[-1]


def test_what_is_in_a_collection_is_shown(handle: WorkspaceHandle) -> None:
    """Documents, chunks, sources, the trash and unfinished jobs are those of the collection alone."""
    workspace = handle.workspace
    remove_documents(workspace, [handle.search("note", collection_id="reports")[0].document_id])
    job = enqueue_sync(workspace, "docs")

    shown = show_collection(workspace, "reports").as_dict()

    assert (shown["documents"], shown["chunks"], shown["documents_in_trash"]) == (2, 2, 1)
    assert (shown["sources"], shown["unfinished_jobs"]) == (["docs"], [job.job_id])
    assert show_collection(workspace, DEFAULT_COLLECTION).as_dict()["documents"] == 1


def test_a_collection_gets_another_name_and_keeps_its_identifier(handle: WorkspaceHandle) -> None:
    """The name and the description change, are in the audit, and no two collections can be meant by one name."""
    edited = edit_collection(handle.workspace, "reports", name="Annual reports", description="since 1990")

    assert (edited.collection_id, edited.name, edited.description) == ("reports", "Annual reports", "since 1990")
    assert last_audit(handle.workspace)["details"]["changed"] == ["description", "name"]
    for taken in ("default", "Default"):
        with pytest.raises(UsageError, match="already there"):
            edit_collection(handle.workspace, "reports", name=taken)
    with pytest.raises(UsageError, match="has a name"):
        edit_collection(handle.workspace, "reports", name="  ")


def test_the_collection_in_use_is_remembered(handle: WorkspaceHandle) -> None:
    """It is the default one before anybody chose, the chosen one then, and the default one when that is gone."""
    workspace = handle.workspace
    assert collection_in_use(workspace) == DEFAULT_COLLECTION
    use_collection(workspace, "reports")
    assert collection_in_use(workspace) == "reports"
    assert last_audit(workspace)["action"] == "collection.use"
    with pytest.raises(NotFoundError):
        use_collection(workspace, "nowhere")
    remove_collection(workspace, "reports")
    assert collection_in_use(workspace) == DEFAULT_COLLECTION
    assert read_preferences(workspace.layout.root).collection == DEFAULT_COLLECTION  # what the TUI opens with


def test_an_upload_of_a_script_goes_to_the_collection_in_use(handle: WorkspaceHandle) -> None:
    """As on the command line; a named one takes precedence."""
    use_collection(handle.workspace, "reports")
    assert handle.upload(name="a.txt", content=b"heron").collection_id == "reports"
    assert handle.upload(name="a.txt", content=b"heron", collection="default").collection_id == "default"


def test_removing_takes_sources_and_documents_and_leaves_other_collections(handle: WorkspaceHandle) -> None:
    """What was said to go went to the trash; the same text in another collection is still found; doctor is content."""
    workspace = handle.workspace
    said = what_would_go(workspace, "reports")

    removed = remove_collection(workspace, "reports")

    assert removed == said
    assert (removed.documents, removed.source_ids) == (3, ("docs",))
    assert not workspace.collections.exists("reports")
    assert not workspace.sources.names()
    assert [hit.collection_id for hit in handle.search("same words")] == [DEFAULT_COLLECTION]
    assert last_audit(workspace)["action"] == "collection.remove"
    problems = [check for check in doctor(workspace.root) if check.level == "problem" and "backend" not in check.name]
    assert not problems
    with pytest.raises(NotFoundError) as caught:
        workspace.collections.get("reports")
    assert "collection restore reports" in caught.value.hint


def test_a_removed_collection_comes_back_as_it_was(handle: WorkspaceHandle) -> None:
    """Its record, sources and documents are there again; what a person had removed before stays in the trash."""
    workspace = handle.workspace
    remove_documents(workspace, [handle.search("note", collection_id="reports")[0].document_id])
    before = workspace.collections.get("reports"), workspace.sources.get("docs"), uris(workspace, "reports")
    remove_collection(workspace, "reports")

    restored = restore_collection(workspace, "reports")

    after = workspace.collections.get("reports"), workspace.sources.get("docs"), uris(workspace, "reports")
    assert [one.model_dump(exclude={"revision"}) for one in after[:2]] == [
        one.model_dump(exclude={"revision"}) for one in before[:2]
    ]
    assert after[2] == before[2]
    assert restored.documents == 2
    assert uris(workspace, "reports", state="retired") == ["note"]
    handle.sync("docs")
    assert uris(workspace, "reports") == before[2]
    with pytest.raises(NotFoundError, match="was removed"):
        restore_collection(workspace, "reports")


def test_a_removed_collection_is_found_by_its_name(handle: WorkspaceHandle) -> None:
    """What it was called brings it back, too; another name that is no identifier is not there."""
    add_collection(handle.workspace, "Our Papers")
    remove_collection(handle.workspace, "our-papers")
    with pytest.raises(NotFoundError, match="was removed"):
        restore_collection(handle.workspace, "Their Papers")
    assert restore_collection(handle.workspace, "Our Papers").collection_id == "our-papers"


def test_a_removal_that_was_cut_off_can_be_repeated(handle: WorkspaceHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    """What died between sources and collection is finished by the next attempt, and all of it can come back."""
    workspace = handle.workspace

    def die(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(type(workspace.collections), "remove", die)
        with pytest.raises(KeyboardInterrupt):
            remove_collection(workspace, "reports")
    assert workspace.collections.exists("reports")
    remove_collection(workspace, "reports")

    restored = restore_collection(workspace, "reports")

    assert (restored.documents, restored.source_ids) == (3, ("docs",))


def test_a_collection_with_an_unfinished_job_stays(handle: WorkspaceHandle, synced: Path) -> None:
    """A job that waits is in the way, whatever its source; one of another collection is not."""
    workspace = handle.workspace
    job = enqueue_sync(workspace, "docs")
    with pytest.raises(BusyError, match=job.job_id):
        remove_collection(workspace, "reports")
    assert workspace.sources.names() == ["docs"]
    cancel_job(workspace, job.job_id)
    handle.add_source("elsewhere", path=str(synced / "docs"))
    enqueue_sync(workspace, "elsewhere")

    assert remove_collection(workspace, "reports").documents == 3


def test_what_was_seen_is_what_is_removed(handle: WorkspaceHandle) -> None:
    """A collection that somebody has changed since it was shown is not removed."""
    seen = handle.workspace.collections.get("reports")
    edit_collection(handle.workspace, "reports", description="changed")
    with pytest.raises(ConflictError):
        remove_collection(handle.workspace, "reports", based_on=seen)
    assert handle.workspace.collections.exists("reports")


def test_the_default_collection_stays(handle: WorkspaceHandle) -> None:
    """Documents go to it when no other is named, so it is not removed, and the error says what can be."""
    with pytest.raises(RefusedError) as caught:
        remove_collection(handle.workspace, DEFAULT_COLLECTION)
    assert "source remove" in caught.value.hint


def test_what_the_trash_keeps_of_a_collection_goes_with_its_grace(handle: WorkspaceHandle) -> None:
    """When the documents of a removed collection are deleted for good, so is its record."""
    workspace = handle.workspace
    remove_collection(workspace, "reports")
    kept = workspace.layout.removed_collection("reports")
    purge_overdue(workspace, now=datetime.now(UTC) + timedelta(days=1))
    assert kept.exists()
    for days in range(2, 40):  # a clock that jumps is doubted
        purge_overdue(workspace, now=datetime.now(UTC) + timedelta(days=days))
    assert not kept.exists()


def test_the_number_of_documents_of_a_source_is_the_same_everywhere(tmp_path: Path) -> None:
    """A document that two sources have counts for both: for sources, collections, figures and the list of documents."""
    for name, texts in {"first": ("own", SHARED), "second": (SHARED, "another", "a third")}.items():
        (tmp_path / name).mkdir()
        for number, text in enumerate(texts):
            (tmp_path / name / f"{number}.txt").write_text(text)
    with open_workspace(tmp_path / "workspace") as opened:
        for name in ("first", "second"):
            opened.add_source(name, path=str(tmp_path / name))
            opened.sync(name)
        workspace = opened.workspace
        expected = {"first": 2, "second": 3}
        assert {one.source.source_id: one.documents for one in list_sources(workspace)} == expected
        [page] = list_pages(workspace)
        assert {one.source_id: one.documents for one in page.sources} == expected
        assert {one.source_id: one.documents for one in workspace_stats(workspace).sources} == expected
        assert {name: count_documents(workspace, source_id=name) for name in expected} == expected
        assert show_collection(workspace, DEFAULT_COLLECTION).documents == 4
