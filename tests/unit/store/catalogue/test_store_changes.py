"""The change feed: each change of a document once, in order, whoever wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.change_feed import changes_since
from ingest_tui.store.catalogue.queries import search_text
from ingest_tui.store.catalogue.schema import SCHEMA_VERSION
from tests.unit.store.catalogue_rows import document, put
from tests.unit.store.old_catalogues import make_old_catalogue


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    catalogue = Catalogue(tmp_path / "catalogue.db", create=True)
    yield catalogue
    catalogue.close()


def kinds(catalogue: Catalogue) -> list[tuple[str, str, int]]:
    return [(change.kind, change.document_id, change.version) for change in changes_since(catalogue, 0).changes]


def test_every_change_of_a_document_has_its_kind(catalogue: Catalogue) -> None:
    """Added, updated, moved, retired, restored and purged, each in the transaction that wrote the document."""
    added = document("d1")
    updated = added._replace(version=2, content_hash="other")
    moved = updated.placed_at("docs", "b.md", "file:///b.md", "later")
    for row in (added, updated, moved, moved._replace(state="retired"), moved):
        with catalogue.transaction():
            catalogue.put_documents([row])
    with catalogue.transaction():
        catalogue.execute("DELETE FROM documents WHERE document_id = 'd1'")
    assert kinds(catalogue) == [
        ("added", "d1", 1), ("updated", "d1", 2), ("moved", "d1", 2), ("retired", "d1", 2), ("restored", "d1", 2),
        ("purged", "d1", 2),
    ]  # fmt: skip


def test_what_changes_nothing_leaves_no_line(catalogue: Catalogue) -> None:
    """A document that is written as it was, or merely looked at, is no change."""
    put(catalogue, document("d1"), "text")
    with catalogue.transaction():
        catalogue.put_documents([document("d1"), document("d1", updated_at="later", job_id="another")])
    assert kinds(catalogue) == [("added", "d1", 1)]


def test_a_document_that_returns_changed_is_restored_with_its_new_version(catalogue: Catalogue) -> None:
    """One change: a follower reads the current version anyway."""
    with catalogue.transaction():
        catalogue.put_documents([document("d1", state="retired")])
        catalogue.put_documents([document("d1", version=2, content_hash="new")])
    assert kinds(catalogue) == [("retired", "d1", 1), ("restored", "d1", 2)]


def test_a_transaction_that_fails_leaves_no_change(catalogue: Catalogue) -> None:
    """The feed never names what was not committed."""
    put(catalogue, document("d1"), "text")

    def fail_halfway() -> None:
        with catalogue.transaction():
            catalogue.put_documents([document("d2")])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    put(catalogue, document("d3"), "text")
    assert kinds(catalogue) == [("added", "d1", 1), ("added", "d3", 1)]


def test_a_follower_reads_page_by_page(catalogue: Catalogue) -> None:
    """Each page follows the last sequence of the one before; the end is an empty page of the same epoch."""
    for number in range(5):
        put(catalogue, document(f"d{number}"), "text")
    seen, sequence = [], 0
    while (page := changes_since(catalogue, sequence, 2)).changes:
        assert len(page.changes) <= 2
        seen += [change.document_id for change in page.changes]
        sequence = page.changes[-1].sequence
    assert seen == ["d0", "d1", "d2", "d3", "d4"]
    assert page.epoch == changes_since(catalogue, 0).epoch != ""


def test_sequences_are_never_used_twice(catalogue: Catalogue) -> None:
    """A feed whose lines were all cut away goes on after the highest of them."""
    put(catalogue, document("d1"), "text")
    catalogue.execute("DELETE FROM changes")
    put(catalogue, document("d2"), "text")
    assert [change.sequence for change in changes_since(catalogue, 0).changes] == [2]


def test_each_catalogue_has_an_epoch_of_its_own_that_lasts(tmp_path: Path) -> None:
    """Opened again it is the same; another catalogue has another."""
    epochs = []
    for name in ("a.db", "a.db", "b.db"):
        catalogue = Catalogue(tmp_path / name, create=True)
        epochs.append(changes_since(catalogue, 0).epoch)
        catalogue.close()
    assert epochs[0] == epochs[1] != epochs[2]


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5, 6, 7, 8])
def test_an_older_catalogue_is_upgraded(tmp_path: Path, version: int) -> None:
    """It keeps what it knows, gets what is new, and what it was is kept next to it."""
    path = tmp_path / "catalogue.db"
    make_old_catalogue(path, version)
    catalogue = Catalogue(path)
    assert catalogue.value("PRAGMA user_version") == SCHEMA_VERSION
    assert [(hit.chunk_id, hit.page, hit.start) for hit in search_text(catalogue, "kept")] == [("d1:1:0", None, None)]
    assert [hit.chunk_id for hit in search_text(catalogue, "kept title:a.m path:///a.md")] == ["d1:1:0"]
    assert catalogue.full_text.differences() == []
    place = catalogue.locations("docs", ["a.md"])["a.md"]
    assert (place.ruleset, place.version, place.parsers) == ("rules", 1, "")
    assert catalogue.kills("docs", ["a.md"]) == {}
    page = changes_since(catalogue, 0)
    assert page.epoch
    assert page.changes == []
    put(catalogue, document("d1", version=2), "kept")
    assert kinds(catalogue) == [("updated", "d1", 2)]
    catalogue.close()
    assert {entry.name for entry in tmp_path.iterdir()} == {
        "catalogue.db",
        "catalogue.mark",
        f"catalogue.schema-{version}.db",
    }
    backup = apsw.Connection(str(tmp_path / f"catalogue.schema-{version}.db"))
    assert list(backup.execute("PRAGMA user_version")) == [(version,)]
    assert list(backup.execute("SELECT document_id FROM documents")) == [("d1",)]
    backup.close()


@pytest.mark.parametrize("version", [7, 8])
def test_an_older_catalogue_answers_where_nothing_can_be_written(tmp_path: Path, version: int) -> None:
    """Words, titles and addresses are found in it, and it stays as it is."""
    path = tmp_path / "catalogue.db"
    make_old_catalogue(path, version)
    before = path.read_bytes()
    catalogue = Catalogue(path, read_only=True, upgrades=False)
    assert [hit.chunk_id for hit in search_text(catalogue, "kept title:a.m path:///a.md")] == ["d1:1:0"]
    catalogue.close()
    assert path.read_bytes() == before


def test_an_upgraded_catalogue_has_the_tables_of_a_new_one(tmp_path: Path) -> None:
    """Whatever the schema names, an upgrade has made as well."""
    make_old_catalogue(tmp_path / "old.db", 1)
    schemas = []
    for name in ("old.db", "new.db"):
        catalogue = Catalogue(tmp_path / name, create=True)
        while catalogue.full_text.continue_reindex(100):
            pass
        names = catalogue.execute("SELECT type, name, tbl_name FROM sqlite_schema ORDER BY name")
        columns = {row[1]: catalogue.execute(f"PRAGMA table_info({row[1]})") for row in names if row[0] == "table"}
        schemas.append((names, columns))
        catalogue.close()
    assert schemas[0] == schemas[1]


def test_an_upgrade_remembers_what_people_had_removed(tmp_path: Path) -> None:
    """The bytes of documents in the trash become those that do not come back unasked to the places they were at."""
    path = tmp_path / "old.db"
    make_old_catalogue(path, 2)
    old = apsw.Connection(str(path))
    old.execute("UPDATE documents SET state = 'retired'")
    old.execute("UPDATE locations SET document_id = NULL, outcome = 'retired', reason = 'removed'")
    old.execute(
        "INSERT INTO locations SELECT 'docs', 'b.md', uri, collection_id, NULL, 'f', 10, 1, 'failed', 'malformed', '',"
        " '', '', '', NULL FROM locations"
    )
    old.close()
    catalogue = Catalogue(path)
    [removed] = catalogue.removed_contents("default", ["raw", "text"])
    assert (removed.key, removed.removed_sha256, removed.removed_content_hash) == ("a.md", "raw", "text")
    assert {row.key for row in catalogue.places_at("default", ["file:///a.md"])} == {"a.md", "b.md"}
    assert catalogue.places_at("other", ["file:///a.md"]) == []


def test_the_backup_of_an_upgrade_is_not_replaced(tmp_path: Path) -> None:
    """Who upgrades at the same time copies a catalogue that is upgraded already: the first copy stays."""
    path = tmp_path / "catalogue.db"
    make_old_catalogue(path, 2)
    (tmp_path / "catalogue.schema-2.db").write_bytes(b"first")
    Catalogue(path).close()
    assert (tmp_path / "catalogue.schema-2.db").read_bytes() == b"first"
