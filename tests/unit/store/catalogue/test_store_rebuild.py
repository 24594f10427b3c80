"""A catalogue made again from the folders is the one that was lost."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.index.full_text import FullText
from ingest_tui.model.chunk_limits import DEFAULT_LIMITS
from ingest_tui.model.chunking import chunks_of_version, split_into_chunks
from ingest_tui.model.document import Document
from ingest_tui.model.hashing import compute_content_hash
from ingest_tui.model.place import KnownPlace
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.found_documents import FolderReader
from ingest_tui.store.catalogue.queries import search_text
from ingest_tui.store.catalogue.rebuild import RebuildReport, rebuild_catalogue
from ingest_tui.store.catalogue.rebuild_rows import RebuiltRows
from ingest_tui.store.catalogue.rows import VersionRow
from ingest_tui.store.documents import DocumentStore
from ingest_tui.store.staging import StagingArea
from ingest_tui.store.workspace import Workspace, init_workspace
from tests.unit.store.catalogue_rows import location, put

WORDS = ("rain", "snow", "handbook", "gone")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace, _ = init_workspace(tmp_path / "workspace")
    return workspace


def commit(workspace: Workspace, document_id: str, key: str, text: str, version: int = 1) -> Document:
    """Put a version into folder and catalogue, as a job does."""
    chunks = split_into_chunks(text)
    digest = compute_content_hash(text)
    uri, at = f"file:///source/{key}", f"2026-01-0{version}T00:00:00.000Z"
    name = key.rpartition("/")[2]
    row = Document(
        document_id, "default", "docs", "local", uri, key, name, name, "text/markdown", version, digest, digest,
        len(text), len(chunks), "plain 1.0", "active", "2026-01-01T00:00:00.000Z", at, f"job-{version}",
    )  # fmt: skip
    record: dict[str, Any] = {
        name: value for name, value in row._asdict().items() if name not in {"bytes", "updated_at", "backend"}
    }
    record |= {
        "origin": {"fingerprint": f"f{version}-{key}", "size": len(text), "modified_ns": version, "metadata": {}},
        "file_size": len(text), "mime_type": "text/markdown", "backend": "plain", "backend_version": "1.0",
        "ingested_at": at,
    }  # fmt: skip
    staging, store = StagingArea(workspace.layout.jobs), DocumentStore(workspace.layout)
    staging.receive("item", "md", [text.encode()])
    Path(staging.normalized("item")).write_text(text)
    store.write_ingestion(staging.folder("item"), record)
    store.place(staging.folder("item"), "default", document_id, version)
    catalogue = workspace.catalogue
    with catalogue.transaction():
        catalogue.put_documents([row])
        catalogue.put_versions(
            [
                VersionRow(
                    document_id, version, digest, digest, len(text), "text/markdown", "plain 1.0", uri, row.job_id, at
                )
            ]
        )
        catalogue.put_locations([place_of(row)])
        catalogue.full_text.replace([document_id], chunks_of_version(document_id, row.version, chunks, "en"))
    return row


def place_of(row: Document, key: str | None = None, outcome: str = "ingested") -> KnownPlace:
    key = key or row.key
    return KnownPlace(
        "docs", key, f"file:///source/{key}", "default", row.document_id, f"f{row.version}-{key}", row.bytes,
        row.version, outcome, "new", "", "", row.job_id, row.updated_at, row.version,
    )  # fmt: skip


def add_place(workspace: Workspace, row: Document, key: str) -> None:
    """Give a document a duplicate, noted next to its versions as a job does."""
    with workspace.catalogue.transaction():
        workspace.catalogue.put_locations([place_of(row, key, "duplicate")])
    note(workspace, row.document_id)


def note(workspace: Workspace, document_id: str) -> None:
    store = DocumentStore(workspace.layout)
    row = workspace.catalogue.documents([document_id])[document_id]
    store.note_locations([(row, workspace.catalogue.locations_of(document_id))])


def rebuild(workspace: Workspace) -> RebuildReport:
    return rebuild_catalogue(workspace.layout)


def content(workspace: Workspace) -> dict[str, Any]:
    """Everything a rebuild has to bring back."""
    catalogue = workspace.catalogue
    places = "source_id, key, uri, collection_id, document_id, fingerprint, size, modified_ns, version"
    return {
        "documents": catalogue.execute("SELECT * FROM documents ORDER BY document_id"),
        "versions": catalogue.execute("SELECT * FROM versions ORDER BY document_id, version"),
        "places": catalogue.execute(f"SELECT {places} FROM locations WHERE document_id IS NOT NULL ORDER BY key"),
        "answers": [search_text(catalogue, word) for word in WORDS],
    }


def test_words_that_were_lost_are_made_again(workspace: Workspace) -> None:
    """An index whose words are gone finds everything again once the catalogue was rebuilt, words and headings."""
    commit(workspace, "aa", "a.md", "# Weather\n\nMuch rain fell.\n")
    with workspace.catalogue.transaction():
        workspace.catalogue.execute("INSERT INTO words (words) VALUES ('delete-all')")
    assert workspace.catalogue.full_text.differences() == ["1 chunk cannot be searched"]
    assert search_text(workspace.catalogue, "rain") == []
    rebuild_catalogue(workspace.layout)
    assert workspace.catalogue.full_text.differences() == []
    for word in ("rain", "weather"):
        assert [hit.document_id for hit in search_text(workspace.catalogue, word)] == ["aa"]


def test_rebuilt_catalogue_is_the_one_that_was_lost(workspace: Workspace) -> None:
    """Documents, all their versions, their places and the answers of searches come back, score for score."""
    commit(workspace, "aa1", "rain.md", "# Handbook\n\nThe rain falls.\n\n## Winter\n\nThe snow lies.\n")
    commit(workspace, "bb1", "notes/snow.md", "The snow lies.\n")
    commit(workspace, "bb1", "notes/snow.md", "The rain falls again.\n", version=2)
    twin = commit(workspace, "cc1", "handbook.md", "A handbook of rain.\n")
    add_place(workspace, twin, "copy of handbook.md")
    before = content(workspace)
    report = rebuild(workspace)
    assert content(workspace) == before
    assert (report.documents, report.versions, report.problems) == (3, 4, [])


def test_rebuilding_twice_changes_nothing_more(workspace: Workspace) -> None:
    """A rebuilt catalogue is as good a start as any, and no scratch file stays."""
    commit(workspace, "aa1", "rain.md", "The rain falls.\n")
    rebuild(workspace)
    once = content(workspace)
    rebuild(workspace)
    assert content(workspace) == once
    workspace.close()
    assert [path.name for path in workspace.root.glob("catalogue*.db*")] == ["catalogue.db"]


def test_moved_document_is_found_at_its_new_place(workspace: Workspace) -> None:
    """A document that moved is rebuilt where it went, not where its version was read."""
    row = commit(workspace, "aa1", "old.md", "The rain falls.\n")
    with workspace.catalogue.transaction():
        workspace.catalogue.forget_locations("docs", ["old.md"])
        workspace.catalogue.put_locations([place_of(row, "new.md", "moved")])
        workspace.catalogue.put_documents(
            [row._replace(key="new.md", uri="file:///source/new.md", file_name="new.md", title="new.md")]
        )
    note(workspace, "aa1")
    before = content(workspace)
    rebuild(workspace)
    after = content(workspace)
    assert after["places"] == before["places"]
    (document,) = (Document(*row) for row in after["documents"])
    assert (document.key, document.uri, document.file_name, document.title) == (
        "new.md",
        "file:///source/new.md",
        "new.md",
        "new.md",
    )
    assert [hit.title for hit in search_text(workspace.catalogue, "rain")] == ["new.md"]


def test_version_after_a_move_counts(workspace: Workspace) -> None:
    """A version that was ingested after the places were noted brings its own place."""
    row = commit(workspace, "aa1", "a.md", "The rain falls.\n")
    note(workspace, "aa1")
    commit(workspace, "aa1", "a.md", "The snow lies.\n", version=2)
    before = content(workspace)["places"]
    rebuild(workspace)
    assert content(workspace)["places"] == before
    assert row.version == 1


def test_retired_document_is_rebuilt_as_retired(workspace: Workspace) -> None:
    """What lies in the trash is known, with its versions, but is not searchable and has no place."""
    commit(workspace, "aa1", "gone.md", "It is gone.\n")
    store = DocumentStore(workspace.layout)
    store.note_retirement("default", "aa1", {"retired_at": "2026-01-03", "reason": "not_listed", "by": "job"})
    store.move_to_trash("default", "aa1")
    rebuild(workspace)
    rebuilt = content(workspace)
    assert [Document(*row).state for row in rebuilt["documents"]] == ["retired"]
    assert len(rebuilt["versions"]) == 1
    assert rebuilt["places"] == []
    assert search_text(workspace.catalogue, "gone") == []


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("v0001/ingestion.json", b"{"),
        ("v0001/ingestion.json", b"[]"),
        ("v0001/ingestion.json", b'{"schema_version": 1}'),
        ("v0001/ingestion.json", b'{"schema_version": 2}'),
        ("v0001/ingestion.json", b'{"schema_version": 1, "origin": 3}'),
        ("v0001/normalized.md", None),
        ("document.json", b"{"),
        ("document.json", b"[]"),
        ("document.json", b'{"locations": [{"novelty": 1}]}'),
        ("document.json", b'{"locations": [3]}'),
        ("document.json", b'{"locations": []}'),
    ],
)
def test_damaged_document_is_reported_and_stops_no_other(workspace: Workspace, name: str, damage: bytes | None) -> None:
    """One folder that cannot be read is named as a problem, or read all the same; the others are rebuilt whole."""
    commit(workspace, "aa1", "damaged.md", "The snow lies.\n")
    commit(workspace, "bb1", "rain.md", "The rain falls.\n")
    path = workspace.layout.document("default", "aa1") / name
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)
    report = rebuild(workspace)
    assert [hit.document_id for hit in search_text(workspace.catalogue, "rain")] == ["bb1"]
    known = set(workspace.catalogue.documents(["aa1", "bb1"]))
    assert "bb1" in known
    assert known == {"aa1", "bb1"} or "aa1" in report.problems[0].folder
    places = {row.document_id for row in workspace.catalogue.locations("docs", ["damaged.md", "rain.md"]).values()}
    assert places == known


def test_old_catalogue_stays_until_the_new_one_is_whole(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rebuild that dies halfway leaves the catalogue as it was, and the next one succeeds."""
    commit(workspace, "aa1", "rain.md", "The rain falls.\n")
    before = content(workspace)

    def dying(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(FullText, "replace", dying)
        with pytest.raises(KeyboardInterrupt):
            rebuild(workspace)
    assert content(workspace) == before
    rebuild(workspace)
    assert content(workspace) == before


def test_lost_or_damaged_catalogue_is_rebuilt(workspace: Workspace) -> None:
    """It does not matter whether the old catalogue is gone, is garbage, or left its write-ahead log behind."""
    commit(workspace, "aa1", "rain.md", "The rain falls.\n")
    before = content(workspace)
    workspace.close()
    path = workspace.layout.catalogue
    path.unlink()
    rebuild(workspace)
    assert content(workspace) == before
    workspace.close()
    path.write_bytes(b"garbage" * 1000)
    path.with_name("catalogue.db-wal").write_bytes(b"garbage")
    rebuild(workspace)
    assert content(workspace) == before


def test_foreign_rows_do_not_survive(workspace: Workspace) -> None:
    """What is in the old catalogue without a folder is not carried over."""
    commit(workspace, "aa1", "rain.md", "The rain falls.\n")
    before = content(workspace)
    extra = Document(*before["documents"][0])._replace(document_id="zz9", key="ghost.md")
    put(workspace.catalogue, extra, "the snow")
    with workspace.catalogue.transaction():
        workspace.catalogue.put_locations([location("ghost2.md", "zz9")])
    rebuild(workspace)
    assert content(workspace) == before


def test_place_returns_to_its_document_when_the_one_that_took_it_is_gone(workspace: Workspace, tmp_path: Path) -> None:
    """A rebuild that reads folders while they change gives each place to whom it is in the end, in any order."""
    first, second = commit(workspace, "aa1", "rain.md", "The rain falls."), commit(workspace, "bb1", "rain.md", "Snow.")
    reader = FolderReader(workspace.layout.root, DocumentStore(workspace.layout), lambda *_document: DEFAULT_LIMITS)
    found = {row.document_id: reader.read("default", row.document_id, _folder(workspace, row), retired=False)
             for row in (first, second)}  # fmt: skip
    with contextlib.closing(Catalogue(tmp_path / "rebuilt.db", create=True, marked=False)) as catalogue:
        rows = RebuiltRows(catalogue)
        for order in (("aa1", "bb1"), ("bb1", "aa1")):
            for gone in order:
                for document_id in order:
                    rows.add(found[document_id])
                rows.forget(gone)
                (left,) = set(order) - {gone}
                assert catalogue.execute("SELECT key, document_id FROM locations") == [("rain.md", left)]
                rows.forget(left)
                assert not catalogue.execute("SELECT * FROM locations")


def test_catalogue_in_force_says_whose_a_place_is(workspace: Workspace) -> None:
    """Two folders of one time that both claim a place: a rebuild leaves it with whom the catalogue has it."""
    for order in (("aa1", "bb1"), ("bb1", "aa1")):
        for document_id in order:
            commit(workspace, document_id, "rain.md", f"The rain of {document_id} falls.")
        rebuild(workspace)
        assert workspace.catalogue.execute("SELECT document_id FROM locations") == [(order[1],)]
        for document_id in order:
            shutil.rmtree(workspace.layout.document("default", document_id))
        rebuild(workspace)


def _folder(workspace: Workspace, row: Document) -> Path:
    return workspace.layout.document(row.collection_id, row.document_id)


def test_place_that_the_newest_version_came_from_and_that_is_gone_stays_gone(workspace: Workspace) -> None:
    """What is left may be a place at which an older version was seen: the note says which version it knew of."""
    commit(workspace, "aa1", "rain.md", "The rain falls.")
    row = commit(workspace, "aa1", "rain.md", "The rain fell.", version=2)
    left = place_of(row, "copy.md", "duplicate")._replace(version=1)
    catalogue = workspace.catalogue
    with catalogue.transaction():
        catalogue.forget_locations("docs", ["rain.md"])
        catalogue.put_locations([left])
        catalogue.put_documents([row._replace(key="copy.md", uri=left.uri)])
    note(workspace, "aa1")
    rebuild(workspace)
    assert catalogue.execute("SELECT key FROM locations") == [("copy.md",)]


def test_a_catalogue_that_is_removed_at_once_is_no_empty_one(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who removes it just when it has taken its place leaves none there, not one without documents that is in force."""
    commit(workspace, "a", "a.md", "rain")
    path = workspace.layout.catalogue
    workspace.close()
    path.unlink()
    monkeypatch.setattr("ingest_tui.store.catalogue.rebuild.sync_folder", lambda _folder: path.unlink())
    rebuild_catalogue(workspace.layout)
    assert not path.exists()
