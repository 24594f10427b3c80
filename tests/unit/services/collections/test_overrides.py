"""Sources and uploads choose preferences in place of their collection."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest_tui import IngestedDocument, open_workspace
from ingest_tui.model.document import Document
from ingest_tui.model.errors import ValidationError
from ingest_tui.pipeline.workspace_prune import find_prunable
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.collections.overrides import (
    document_preference_rows,
    overriding_sources,
    source_preferences,
    waiting_rechunking,
)
from ingest_tui.services.collections.preferences import plan_preferences, preview_chunks, save_preferences
from ingest_tui.services.documents.documents import document_chunks, ingestion_record, remove_documents
from ingest_tui.services.documents.pruning import versions_to_prune
from ingest_tui.services.documents.rollback import roll_back_document
from ingest_tui.services.documents.trash import list_trash
from ingest_tui.services.sources.sources import edit_source
from ingest_tui.services.workers import follow_job
from ingest_tui.services.workspaces import rebuild

SENTENCES = " ".join(f"Sentence number {number} is about rain and snow." for number in range(40))
TABLE = "title,body,code\n" + "".join(f"t{number},b{number},c{number}\n" for number in range(5))


@pytest.fixture
def handle(tmp_path: Path) -> Iterator[WorkspaceHandle]:
    """A workspace with two sources of one long text each, in the default collection; one has small chunks."""
    for name in ("wide", "narrow"):
        (tmp_path / name).mkdir()
    with open_workspace(tmp_path / "workspace") as opened:
        opened.add_source("wide", path=str(tmp_path / "wide"))
        opened.add_source("narrow", path=str(tmp_path / "narrow"), preferences={"chunk_size": 300})
        for name in ("wide", "narrow"):
            text = IngestedDocument(content=f"This is {name}. {SENTENCES}", unique_id=f"{name}.txt", source_type="api")
            opened.register("default", text, source_id=name)
        yield opened


def document(handle: WorkspaceHandle, name: str) -> Document:
    return next(one for one in handle.documents if one.file_name == name)


def longest(handle: WorkspaceHandle, name: str) -> int:
    return max(len(one.text) for one in document_chunks(handle.workspace, document(handle, name).document_id))


def origins(handle: WorkspaceHandle, name: str) -> dict[str, str]:
    found = document(handle, name)
    record = ingestion_record(handle.workspace, found.document_id)
    return {row.key: row.origin for row in document_preference_rows(handle.workspace, found, record) or ()}


def finish(handle: WorkspaceHandle) -> None:
    """Run the job that cuts the default collection again."""
    queued = waiting_rechunking(handle.workspace, "default")
    assert queued is not None
    assert follow_job(handle.workspace, queued.job_id, lambda _: None, run_here=True).state == "succeeded"


def test_each_source_cuts_as_it_chose(handle: WorkspaceHandle) -> None:
    """Documents of one collection have chunks of the size of their source, and a rebuild cuts them the same."""
    assert longest(handle, "narrow.txt") <= 300 < longest(handle, "wide.txt")
    assert origins(handle, "narrow.txt")["chunk_size"] == "source"
    assert origins(handle, "wide.txt")["chunk_size"] == "usual"
    rebuild(handle.workspace)
    assert longest(handle, "narrow.txt") <= 300 < longest(handle, "wide.txt")


@pytest.mark.slow
def test_a_sync_cuts_as_the_source_chose(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """What is parsed in a sync has chunks of the size of its source; by force nothing else comes of it."""
    (tmp_path / "narrow" / "synced.txt").write_text(f"Synced. {SENTENCES}")
    for force in (False, True):
        handle.sync("narrow", force=force)
        assert longest(handle, "synced.txt") <= 300
        assert document(handle, "synced.txt").version == 1


def test_an_edit_cuts_again_from_the_stored_text(handle: WorkspaceHandle) -> None:
    """A source that chooses otherwise has its documents cut by a job; those of the other source get no version."""
    edit_source(handle.workspace, "wide", preferences={"chunk_size": "500"})
    finish(handle)

    assert 300 < longest(handle, "wide.txt") <= 500
    assert [document(handle, f"{name}.txt").version for name in ("wide", "narrow")] == [2, 1]
    edit_source(handle.workspace, "wide", unset=["chunk_size"])
    finish(handle)
    assert longest(handle, "wide.txt") > 500
    edit_source(handle.workspace, "wide", preferences={"keep_versions": "1"})
    assert waiting_rechunking(handle.workspace, "default") is None


def test_a_collection_changes_what_is_inherited_only(handle: WorkspaceHandle) -> None:
    """The change counts the documents that inherit, and its job leaves the others as they are."""
    change = plan_preferences(handle.workspace, "default", {"chunk_size": 600})
    assert change.rechunks == 1
    save_preferences(handle.workspace, change)
    finish(handle)

    assert longest(handle, "narrow.txt") <= 300 < longest(handle, "wide.txt") <= 600
    assert document(handle, "narrow.txt").version == 1
    assert overriding_sources(handle.workspace, "default") == [("narrow", {"chunk_size": "300"})]


def test_a_preview_is_of_what_a_document_would_get(handle: WorkspaceHandle) -> None:
    """A preview of a document of a source that chose its size has that size."""
    change = plan_preferences(handle.workspace, "default", {"chunk_size": 600, "chunk_overlap": 0})
    previewed = preview_chunks(handle.workspace, change, document(handle, "narrow.txt").document_id)

    now = document_chunks(handle.workspace, document(handle, "narrow.txt").document_id)
    assert [one.text for one in previewed] == [one.text for one in now]


@pytest.mark.slow
def test_an_upload_chooses_the_columns_of_its_table(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """The columns of one upload become text, and stay its own when the collection is cut again."""
    path = tmp_path / "table.csv"
    path.write_text(TABLE)
    handle.upload(path, preferences={"text_columns": "title", "context_columns": "code"})

    chunk = next(iter(document_chunks(handle.workspace, document(handle, "table.csv").document_id)))
    assert "title: t0" in chunk.text
    assert "b0" not in chunk.text
    assert origins(handle, "table.csv")["text_columns"] == "upload"
    save_preferences(handle.workspace, plan_preferences(handle.workspace, "default", {"text_columns": "body"}))
    finish(handle)
    chunk = next(iter(document_chunks(handle.workspace, document(handle, "table.csv").document_id)))
    assert "title: t0" in chunk.text
    assert "b0" not in chunk.text


@pytest.mark.slow
def test_the_same_file_again_with_other_preferences_is_cut_again(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """An upload of known content makes a version where it chooses otherwise, and none where it chooses the same."""
    path = tmp_path / "long.txt"
    path.write_text(f"Again. {SENTENCES}")
    handle.upload(path)
    for size, version in (("300", 2), ("300", 2), ("", 3)):
        handle.upload(path, preferences={"chunk_size": size})
        assert document(handle, "long.txt").version == version
    assert longest(handle, "long.txt") > 300
    roll_back_document(handle.workspace, document(handle, "long.txt").document_id, 2)
    assert longest(handle, "long.txt") <= 300


@pytest.mark.parametrize(
    ("preferences", "message"),
    [({"trash_days": "3"}, "trash_days cannot"), ({"chunk_size": "3"}, "chunk_size"), ({"embed": "manual"}, "whole")],
)
def test_an_upload_with_preferences_that_cannot_be_queues_nothing(
    handle: WorkspaceHandle, tmp_path: Path, preferences: dict[str, Any], message: str
) -> None:
    """The error names the preference; no job is made."""
    jobs = len(handle.jobs)
    with pytest.raises(ValidationError, match=message):
        handle.upload(content=b"x", name="x.txt", preferences=preferences)
    assert len(handle.jobs) == jobs


@pytest.mark.slow
def test_languages_say_how_words_are_stemmed(handle: WorkspaceHandle) -> None:
    """A short German text is found by another form of its word once its upload says that it is German."""
    content = "Die Häuser".encode()
    handle.upload(content=content, name="short.txt")
    assert not handle.search("hauses", mode="text")
    handle.upload(content=content, name="short.txt", preferences={"languages": "de"})
    assert [hit.title for hit in handle.search("hauses", mode="text")] == ["short.txt"]


@pytest.mark.slow
def test_languages_of_a_collection_cut_again_what_they_change(handle: WorkspaceHandle) -> None:
    """Texts whose words are analysed otherwise get a version; others stay as they are."""
    handle.upload(content="Die Häuser".encode(), name="short.txt")
    save_preferences(handle.workspace, plan_preferences(handle.workspace, "default", {"languages": "en, de"}))
    finish(handle)
    assert document(handle, "wide.txt").version == 1
    save_preferences(handle.workspace, plan_preferences(handle.workspace, "default", {"languages": "de, en"}))
    finish(handle)
    assert document(handle, "wide.txt").version == 1
    assert document(handle, "short.txt").version == 2
    assert [hit.title for hit in handle.search("hauses", mode="text")] == ["short.txt"]


def test_a_source_chooses_how_long_its_trash_is_kept(handle: WorkspaceHandle) -> None:
    """What was removed from the source is kept as it chose; the rest as the collection says."""
    edit_source(handle.workspace, "narrow", preferences={"trash_days": "400"})
    remove_documents(handle.workspace, [one.document_id for one in handle.documents])
    days = {
        entry.document.file_name: (entry.deleted_after - entry.retired_at).days
        for entry in list_trash(handle.workspace)
        if entry.deleted_after is not None and entry.retired_at is not None
    }

    assert days == {"narrow.txt": 400, "wide.txt": handle.workspace.settings.trash_days}


@pytest.mark.slow
def test_an_upload_chooses_how_many_versions_it_keeps(handle: WorkspaceHandle) -> None:
    """The versions beyond what the newest upload chose are deleted with it."""
    for text in (b"one", b"two", b"three"):
        handle.upload(content=text, name="kept.txt", preferences={"keep_versions": "2"})
    kept = document(handle, "kept.txt")

    assert [row["version"] for row in handle.versions(kept.document_id)] == [3, 2]
    assert not versions_to_prune(handle.workspace, [kept.document_id])


def test_pruning_lets_go_by_what_each_source_chose(handle: WorkspaceHandle) -> None:
    """A source that keeps more versions than its collection loses none, and one that keeps fewer loses its own."""
    edit_source(handle.workspace, "narrow", preferences={"keep_versions": "5"})
    save_preferences(handle.workspace, plan_preferences(handle.workspace, "default", {"keep_versions": 1}))
    for name in ("wide", "narrow"):
        text = IngestedDocument(content=f"New {name}. {SENTENCES}", unique_id=f"{name}.txt", source_type="api")
        handle.register("default", text, source_id=name)

    def found() -> list[str]:
        return [one.name for one in find_prunable(handle.workspace, kinds=["versions"])]

    assert found() == [f"{document(handle, 'wide.txt').document_id} v1"]
    edit_source(handle.workspace, "narrow", preferences={"keep_versions": "1"})
    assert f"{document(handle, 'narrow.txt').document_id} v1" in found()


def test_a_source_with_a_preference_that_cannot_be_is_not_saved(handle: WorkspaceHandle) -> None:
    """Together with what the collection says, an overlap of more than half a chunk is refused."""
    with pytest.raises(ValidationError, match="chunk_overlap"):
        edit_source(handle.workspace, "narrow", preferences={"chunk_overlap": "200"})
    rows = source_preferences(handle.workspace, handle.workspace.sources.get("narrow")) or ()
    assert {row.key: row.value for row in rows}["chunk_overlap"] == "0"
