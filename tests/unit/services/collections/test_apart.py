"""Nothing done in one collection is seen in another: each service is asked for one after everything was done there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest_tui import IngestedDocument, open_workspace
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.collections.collections import add_collection, edit_collection, show_collection, use_collection
from ingest_tui.services.collections.preferences import plan_preferences, save_preferences
from ingest_tui.services.collections.removal import remove_collection, restore_collection
from ingest_tui.services.documents.documents import (
    document_chunks,
    document_versions,
    list_documents,
    remove_documents,
    restore_document,
)
from ingest_tui.services.documents.export import Export
from ingest_tui.services.documents.trash import chosen_to_empty, empty_trash
from ingest_tui.services.documents.uploads import upload_files
from ingest_tui.services.workers import follow_job

TEXT = " ".join(f"Sentence number {number} is about rain." for number in range(30))


@pytest.fixture
def handle(tmp_path: Path) -> Iterator[WorkspaceHandle]:
    """The same file and the same text in ``mine`` and in ``theirs``, each from a source of its own."""
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "rain.txt").write_text(TEXT)
    with open_workspace(tmp_path / "workspace") as opened:
        for name in ("mine", "theirs"):
            add_collection(opened.workspace, name)
            opened.add_source(f"docs-{name}", path=str(folder), collection=name)
            opened.sync(f"docs-{name}")
            opened.register(name, IngestedDocument(content="a note", unique_id="note", source_type="api"))
        yield opened


def everything(handle: WorkspaceHandle, collection_id: str) -> dict[str, Any]:
    """Return what the services say of a collection."""
    workspace = handle.workspace
    documents = list_documents(workspace, collection_id=collection_id, state=None, limit=-1)
    shown = show_collection(workspace, collection_id).as_dict()
    hits = handle.search("rain", collection_id=collection_id, all_chunks=True)
    return {
        "shown": {name: value for name, value in shown.items() if name != "in_use"},
        "documents": documents,
        "chunks": [document_chunks(workspace, one.document_id) for one in documents if one.state == "active"],
        "versions": [document_versions(workspace, one.document_id) for one in documents],
        "hits": [(hit.chunk_id, hit.text) for hit in hits],
        "export": list(Export(workspace, form="jsonl", collection_id=collection_id).lines()),
        "source": workspace.sources.get(f"docs-{collection_id}"),
    }


def test_what_is_done_in_one_collection_is_not_seen_in_another(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """Preferences, uploads, removals, the trash, syncs and the collection itself: the other one stays as it is."""
    workspace = handle.workspace
    before = everything(handle, "theirs")
    file = tmp_path / "note.txt"
    file.write_text("a note")

    def choose(**values: Any) -> None:
        saved = save_preferences(workspace, plan_preferences(workspace, "mine", values))
        if saved.job is not None:
            follow_job(workspace, saved.job.job_id, lambda _job: None, run_here=True)

    def upload() -> None:
        job = upload_files(workspace, [file], collection_id="mine")
        follow_job(workspace, job.job_id, lambda _job: None, run_here=True)

    def remove_and_restore() -> None:
        ids = [one.document_id for one in list_documents(workspace, collection_id="mine")]
        remove_documents(workspace, ids)
        restore_document(workspace, ids[0])
        empty_trash(workspace, chosen_to_empty(workspace))

    steps: dict[str, Callable[[], object]] = {
        "use": lambda: use_collection(workspace, "mine"),
        "edit": lambda: edit_collection(workspace, "mine", description="changed"),
        "preferences": lambda: choose(chunk_size=300, search_mode="text", ocr="auto", text_columns=("a",)),
        "upload": upload,
        "sync": lambda: handle.sync("docs-mine", force=True),
        "remove and restore": remove_and_restore,
        "remove the collection": lambda: remove_collection(workspace, "mine"),
        "restore the collection": lambda: restore_collection(workspace, "mine"),
    }
    for name, step in steps.items():
        step()
        assert everything(handle, "theirs") == before, name
