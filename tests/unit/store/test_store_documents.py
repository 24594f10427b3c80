"""Version folders: placed whole, retired, brought back."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from ingest_tui.model.errors import NotFoundError, SchemaVersionError, StoreError
from ingest_tui.model.hashing import compute_content_hash
from ingest_tui.store.documents import DocumentStore
from ingest_tui.store.fs.atomic import make_folder
from ingest_tui.store.layout import Layout
from ingest_tui.store.staging import StagingArea
from tests.unit.store.catalogue_rows import document, location

DOCUMENT = "abcdef0123"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path)
    for folder in layout.folders:
        make_folder(folder)
    return layout


@pytest.fixture
def store(layout: Layout) -> DocumentStore:
    return DocumentStore(layout)


def place(store: DocumentStore, layout: Layout, version: int, text: str, document_id: str = DOCUMENT) -> Path:
    """Build a version in a staging folder and move it into place."""
    staging = StagingArea(layout.jobs)
    staging.receive("item", "md", [text.encode()])
    Path(staging.normalized("item")).write_text(text)
    store.write_ingestion(staging.folder("item"), {"document_id": document_id, "version": version})
    store.place(staging.folder("item"), "default", document_id, version)
    return store.folder("default", document_id, version)


def test_version_is_placed_whole(store: DocumentStore, layout: Layout) -> None:
    """A placed version has its raw file, its text and its record, and nothing stays in staging."""
    folder = place(store, layout, 1, "the rain")
    assert folder == layout.documents / "default" / "ab" / DOCUMENT / "v0001"
    assert {path.name for path in folder.iterdir()} == {"raw.md", "normalized.md", "ingestion.json"}
    assert store.normalized(folder) == "the rain"
    assert store.ingestion(folder)["version"] == 1
    assert store.raw(folder) == folder / "raw.md"
    assert list(layout.jobs.iterdir()) == []


def test_a_whole_version_that_the_catalogue_does_not_know_is_kept(store: DocumentStore, layout: Layout) -> None:
    """Nothing makes way for a new version but what never was whole, and that is kept under another name."""
    folder = place(store, layout, 1, "the rain")
    with pytest.raises(StoreError, match="does not know documents"):
        store.free_place("default", DOCUMENT, 1)
    assert store.normalized(folder) == "the rain"
    (folder / "ingestion.json").unlink()
    store.free_place("default", DOCUMENT, 1)
    assert not folder.exists()
    kept = next(folder.parent.glob("v0001.incomplete.*"))
    assert store.normalized(kept) == "the rain"
    assert store.versions(folder.parent) == []


def test_place_never_replaces_a_folder(store: DocumentStore, layout: Layout) -> None:
    """Placing where a version is fails, and leaves both as they are."""
    folder = place(store, layout, 1, "the rain")
    with pytest.raises(OSError, match="not empty"):
        place(store, layout, 1, "more rain")
    assert store.normalized(folder) == "the rain"
    assert (layout.jobs / "item" / "raw.md").read_text() == "more rain"


def test_place_of_a_folder_that_is_not_there_fails_and_harms_nothing(store: DocumentStore, layout: Layout) -> None:
    """When the staged folder is gone, the version that stands at the target is not given up for it."""
    folder = place(store, layout, 1, "the rain")
    with pytest.raises(OSError, match="No such file"):
        store.place(layout.jobs / "missing", "default", DOCUMENT, 1)
    assert store.normalized(folder) == "the rain"


def test_versions_are_listed_in_order_and_only_complete_ones(store: DocumentStore, layout: Layout) -> None:
    """Version 10 comes after 9; folders without a record, with another name, and links are no versions."""
    for number in (10, 9, 10000):
        place(store, layout, number, f"text {number}")
    folder = layout.document("default", DOCUMENT)
    (folder / "v0011").mkdir()
    (folder / "vx").mkdir()
    (folder / "v0012").symlink_to(folder / "v0009")
    assert [number for number, _ in store.versions(folder)] == [9, 10, 10000]


def test_a_version_is_taken_back_to_where_it_was_built(store: DocumentStore, layout: Layout) -> None:
    """An uncommitted version goes back; the folder of its document goes only when nothing else is in it."""
    place(store, layout, 1, "one")
    place(store, layout, 2, "two")
    assert store.take_back("default", DOCUMENT, 2, layout.jobs / "second")
    assert store.normalized(layout.jobs / "second") == "two"
    assert store.take_back("default", DOCUMENT, 2, layout.jobs / "second"), "it is there already"
    assert [number for number, _ in store.versions(layout.document("default", DOCUMENT))] == [1]
    assert not store.take_back("default", DOCUMENT, 1, layout.jobs / "second"), "the place is taken"
    assert not store.take_back("default", DOCUMENT, 1, layout.jobs / "gone" / "first"), "the job is gone"
    assert store.take_back("default", DOCUMENT, 1, layout.jobs / "first")
    assert not layout.document("default", DOCUMENT).exists()


def retire(store: DocumentStore, reason: str) -> None:
    store.note_retirement("default", DOCUMENT, {"retired_at": "2026-01-01", "reason": reason, "by": "job"})
    store.move_to_trash("default", DOCUMENT)


def test_retired_document_is_in_the_trash_with_its_reason_and_comes_back(store: DocumentStore, layout: Layout) -> None:
    """Retiring moves all versions, notes who and why, is done once; bringing back leaves them as they were."""
    place(store, layout, 1, "one")
    place(store, layout, 2, "two")
    before = sorted(str(path.relative_to(layout.documents)) for path in layout.documents.rglob("*"))
    retire(store, "not_listed")
    retire(store, "again")
    trashed = layout.trashed("default", DOCUMENT)
    assert orjson.loads((trashed / "retired.json").read_bytes())["reason"] == "not_listed"
    assert store.normalized(store.folder("default", DOCUMENT, 2, retired=True)) == "two"
    assert list(store.walk()) == []
    assert [document_id for _, document_id, _ in store.walk(retired=True)] == [DOCUMENT]
    assert store.bring_back("default", DOCUMENT)
    assert not store.bring_back("default", DOCUMENT)
    store.clear_retirement("default", DOCUMENT)
    assert sorted(str(path.relative_to(layout.documents)) for path in layout.documents.rglob("*")) == before
    assert list(store.walk(retired=True)) == []


def test_document_takes_nothing_half_written_to_the_trash(store: DocumentStore, layout: Layout) -> None:
    """A note that was being written when the process died does not follow the document."""
    place(store, layout, 1, "one")
    (layout.document("default", DOCUMENT) / ".tmp.0123").write_text("{")
    retire(store, "not_listed")
    assert {path.name for path in layout.trashed("default", DOCUMENT).iterdir()} == {"v0001", "retired.json"}


def test_document_retired_twice_loses_no_version(store: DocumentStore, layout: Layout) -> None:
    """When a document of the same id is in the trash already, its versions stay there, under names that are free."""
    place(store, layout, 1, "old one")
    place(store, layout, 2, "old two")
    retire(store, "not_listed")
    place(store, layout, 2, "new two")
    retire(store, "not_listed")
    trashed = layout.trashed("default", DOCUMENT)
    assert [store.normalized(folder) for _, folder in store.versions(trashed)] == ["old one", "new two"]
    assert [store.normalized(folder) for folder in trashed.glob("v0002.older.*")] == ["old two"]


def test_purged_document_is_gone(store: DocumentStore, layout: Layout) -> None:
    """Only what is in the trash is deleted; a document that is here is not touched."""
    folder = place(store, layout, 1, "one")
    store.purge("default", DOCUMENT)
    assert store.normalized(folder) == "one"
    retire(store, "removed")
    store.purge("default", DOCUMENT)
    assert list(layout.trashed("default", DOCUMENT).parent.iterdir()) == []


def test_walk_passes_over_what_is_no_document(store: DocumentStore, layout: Layout) -> None:
    """Temporary folders, files and links among the documents are passed over; the order is fixed."""
    for document_id in ("bb2", "ab1", "ab0"):
        place(store, layout, 1, "x", document_id)
    (layout.documents / ".tmp.1").mkdir()
    (layout.documents / "default" / "file").write_text("x")
    (layout.documents / "link").symlink_to(layout.documents / "default")
    assert [document_id for _, document_id, _ in store.walk()] == ["ab0", "ab1", "bb2"]


def test_places_are_noted_next_to_the_versions(store: DocumentStore, layout: Layout) -> None:
    """document.json holds every place of a document, each time again."""
    place(store, layout, 1, "x")
    row = document(DOCUMENT, key="b.md")
    store.note_locations([(row, [location("a.md", DOCUMENT), location("b.md", DOCUMENT)])])
    store.note_locations([(row, [location("b.md", DOCUMENT)])])
    record = orjson.loads((layout.document("default", DOCUMENT) / "document.json").read_bytes())
    assert [place["key"] for place in record["locations"]] == ["b.md"]
    assert record["schema_version"] == 1


def test_record_of_a_newer_program_is_refused(store: DocumentStore, layout: Layout) -> None:
    """An ingestion record of a newer program is not read, a missing one is an error of its own."""
    folder = place(store, layout, 1, "x")
    (folder / "ingestion.json").write_bytes(b'{"schema_version": 2}')
    with pytest.raises(SchemaVersionError):
        store.ingestion(folder)
    with pytest.raises(NotFoundError):
        store.ingestion(folder.parent / "v0009")


@pytest.mark.parametrize("name", ["../escape", "a/b", "", ".."])
def test_no_identifier_leads_out_of_the_documents(store: DocumentStore, layout: Layout, name: str) -> None:
    """Collection and document ids are checked before they become a path."""
    for collection_id, document_id in ((name, DOCUMENT), ("default", name)):
        with pytest.raises(Exception, match="not usable as a name"):
            store.folder(collection_id, document_id, 1)
    with pytest.raises(Exception, match="not usable as a name"):
        store.place(layout.jobs, name, DOCUMENT, 1)


def test_staged_item_replaces_what_an_earlier_attempt_left(tmp_path: Path) -> None:
    """An item is received again from its first byte, and its size and hash are those of what was written."""
    staging = StagingArea(tmp_path)
    staging.receive("item", "txt", [b"left over"])
    Path(staging.normalized("item")).write_text("left over")
    path, size, digest = staging.receive("item", "md", [b"the ", b"", b"rain"])
    assert Path(path).read_bytes() == b"the rain"
    assert size == 8
    assert digest == compute_content_hash(b"the rain")
    assert [entry.name for entry in (tmp_path / "item").iterdir()] == ["raw.md"]
    staging.drop("item")
    staging.drop("item")
    assert list(tmp_path.iterdir()) == []


def test_a_document_that_was_never_committed_leaves_no_notes(store: DocumentStore, layout: Layout) -> None:
    """With its only version, its folder goes, places that were noted ahead of the commit too; with others it stays."""
    folder = place(store, layout, 1, "the rain").parent
    store.note_locations([(document(DOCUMENT), [location("a.md", DOCUMENT)])])
    assert store.take_back("default", DOCUMENT, 1, layout.jobs / "first")
    assert not folder.exists()
    place(store, layout, 1, "the rain")
    place(store, layout, 2, "the snow")
    store.note_locations([(document(DOCUMENT), [location("a.md", DOCUMENT)])])
    assert store.take_back("default", DOCUMENT, 2, layout.jobs / "second")
    assert {path.name for path in folder.iterdir()} == {"v0001", "document.json"}
