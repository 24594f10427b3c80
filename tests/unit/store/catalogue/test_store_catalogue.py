"""The catalogue: what goes in comes out, transactions are whole, and the full text follows the chunks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from ingest_tui.model.document import Chunk, Document
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.queries import (
    DOCUMENT_ORDERS,
    count_documents,
    document_by_id,
    documents_at,
    find_documents,
    locations_at,
    search_text,
    versions_of,
)
from tests.unit.store.catalogue_rows import document, location, put, version


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    catalogue = Catalogue(tmp_path / "catalogue.db", create=True)
    yield catalogue
    catalogue.close()


def found(catalogue: Catalogue, word: str) -> list[str]:
    return [hit.document_id for hit in search_text(catalogue, word)]


def test_a_document_has_a_field_for_each_column_of_its_table(catalogue: Catalogue) -> None:
    """One type from the table to the screens: nothing of a row is left out, and nothing is made up."""
    columns = {name for (name,) in catalogue.execute("SELECT name FROM pragma_table_info('documents')")}
    assert columns == set(Document._fields)


def test_documents_are_read_by_the_names_of_their_columns(catalogue: Catalogue) -> None:
    """The order that a table has its columns in says nothing about which value is which."""
    with catalogue.transaction():
        catalogue.put_documents([document("d1", title="A title")])
        turned = ", ".join(reversed(Document._fields))
        catalogue.execute(f"CREATE TABLE turned AS SELECT {turned} FROM documents")
        catalogue.execute("DROP TABLE documents")
        catalogue.execute("ALTER TABLE turned RENAME TO documents")
    assert catalogue.documents(["d1"]) == {"d1": document("d1", title="A title")}


def test_rows_come_back_as_they_were_put(catalogue: Catalogue) -> None:
    """Documents, versions and places are read as they were written, with their odd names."""
    key = 'it\'s "odd" %_\\ ü\n.md'
    with catalogue.transaction():
        catalogue.put_documents([document("d1", key=key)])
        catalogue.put_versions([version("d1", 1), version("d1", 2)])
        catalogue.put_locations([location(key, "d1"), location("none.md", None, outcome="rejected", size=None)])
    assert catalogue.documents(["d1", "d9"]) == {"d1": document("d1", key=key)}
    assert catalogue.locations("docs", [key, "none.md", "missing"]) == {
        key: location(key, "d1"),
        "none.md": location("none.md", None, outcome="rejected", size=None),
    }
    assert versions_of(catalogue, "d1") == [version("d1", 2), version("d1", 1)]
    assert catalogue.locations_of("d1") == [location(key, "d1")]
    assert locations_at(catalogue, key) == locations_at(catalogue, f"file:///{key}") == [location(key, "d1")]


def test_transaction_is_all_or_nothing(catalogue: Catalogue) -> None:
    """An error in the middle takes back everything, the full text too."""
    put(catalogue, document("d1"), "rain")

    def write_and_fail() -> None:
        with catalogue.transaction():
            catalogue.full_text.remove(["d1"])
            catalogue.put_documents([document("d2")])
            catalogue.full_text.replace((), [Chunk("d2", 1, 0, "", "snow")])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    assert set(catalogue.documents(["d1", "d2"])) == {"d1"}
    assert found(catalogue, "rain") == ["d1"]
    assert found(catalogue, "snow") == []


def test_commit_that_fails_leaves_no_transaction_open(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit that the disk refuses takes back what it was to commit, and the connection can write again."""
    execute = Catalogue.execute

    def refusing(self: Catalogue, sql: str, *values: Any) -> list[Any]:
        if sql == "COMMIT":
            raise apsw.FullError
        return execute(self, sql, *values)

    monkeypatch.setattr(Catalogue, "execute", refusing)
    with pytest.raises(apsw.FullError), catalogue.transaction():
        catalogue.put_documents([document("d1")])
    monkeypatch.undo()
    assert catalogue.documents(["d1"]) == {}
    put(catalogue, document("d2"), "rain")
    assert found(catalogue, "rain") == ["d2"]


def test_reader_keeps_its_answers_while_a_writer_works(catalogue: Catalogue) -> None:
    """What was searchable stays so until the new version is committed, then the new one is found."""
    put(catalogue, document("d1"), "rain")
    reader = Catalogue(catalogue.path)
    with catalogue.transaction():
        catalogue.full_text.replace(["d1"], [Chunk("d1", 1, 0, "", "snow")])
        assert found(reader, "rain") == ["d1"]
        assert found(reader, "snow") == []
    assert found(reader, "rain") == []
    assert found(reader, "snow") == ["d1"]
    reader.close()


def test_writers_of_two_threads_wait_for_each_other(catalogue: Catalogue) -> None:
    """Two connections that write at the same time both succeed, and no chunk number is given twice."""

    def work(name: str) -> None:
        connection = Catalogue(catalogue.path)
        for number in range(10):
            put(connection, document(f"{name}{number}"), "rain", "sun")
        connection.close()

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert catalogue.value("SELECT count(*) FROM chunks") == 40
    assert len(search_text(catalogue, "rain", limit=100)) == 20


def test_full_text_follows_changes(catalogue: Catalogue) -> None:
    """A new version replaces the words of the old one; removing takes all of them; the index stays valid."""
    put(catalogue, document("d1"), "rain in spring", "more rain")
    put(catalogue, document("d2"), "rain and sun")
    put(catalogue, document("d1", version=2), "snow in winter")
    assert found(catalogue, "rain") == ["d2"]
    assert found(catalogue, "snow") == ["d1"]
    with catalogue.transaction():
        catalogue.full_text.remove(["d1", "d2", "d3"])
    assert found(catalogue, "rain") == found(catalogue, "snow") == []
    catalogue.execute("INSERT INTO words (words) VALUES ('integrity-check')")


def test_twins_are_found_by_their_hashes(catalogue: Catalogue) -> None:
    """Only active documents of the same collection match a hash, and they come in an order that does not vary."""
    rows = [
        document("young", raw_sha256="same", created_at="2026-01-02"),
        document("old", raw_sha256="same", created_at="2026-01-01"),
        document("retired", raw_sha256="same", created_at="2025-01-01", state="retired"),
        document("elsewhere", raw_sha256="same", created_at="2025-01-01", collection_id="other"),
    ]
    for order in (rows, rows[::-1]):
        with catalogue.transaction():
            catalogue.put_documents(order)
        matching = catalogue.documents_matching("default", "raw_sha256", ["same", "none"])
        assert {row.document_id for row in matching} == {"old", "young"}
        assert [row.created_at for row in matching] == sorted(row.created_at for row in matching)
    by_text = catalogue.documents_matching("default", "content_hash", ["text-old", "text-retired"])
    assert [row.document_id for row in by_text] == ["old"]
    with pytest.raises(ValueError, match="title"):
        catalogue.documents_matching("default", "title", ["x"])


def test_retired_documents_are_found_at_their_last_place(catalogue: Catalogue) -> None:
    """What was retired can return at its key; of several the one retired last."""
    with catalogue.transaction():
        catalogue.put_documents(
            [
                document("first", key="a.md", state="retired", updated_at="2026-01-01"),
                document("second", key="a.md", state="retired", updated_at="2026-01-02"),
                document("active", key="b.md"),
            ]
        )
    assert {key: row.document_id for key, row in catalogue.retired_at("docs", ["a.md", "b.md"]).items()} == {
        "a.md": "second"
    }
    assert catalogue.retired_at("other", ["a.md"]) == {}


def test_new_document_ids_repeat_and_do_not_collide(catalogue: Catalogue) -> None:
    """The same place gives the same id again, unless that is in use by a document or by the batch."""
    first = catalogue.new_document_id("default", "docs", "a.md", taken=set())
    assert catalogue.new_document_id("default", "docs", "a.md", taken=set()) == first
    taken = {first}
    second = catalogue.new_document_id("default", "docs", "a.md", taken=taken)
    assert second != first
    assert taken == {first, second}
    with catalogue.transaction():
        catalogue.put_documents([document(first)])
    assert catalogue.new_document_id("default", "docs", "a.md", taken=set()) == second
    assert catalogue.new_document_id("other", "docs", "a.md", taken=set()) not in {first, second}


def test_free_ids_are_those_that_no_document_has(catalogue: Catalogue) -> None:
    """Asked for many places at once; an id that is free is given out without another look, once."""
    ids = {key: catalogue.new_document_id("default", "docs", key, taken=set()) for key in ("a.md", "b.md")}
    with catalogue.transaction():
        catalogue.put_documents([document(ids["a.md"])])
    free = catalogue.free_document_ids("default", "docs", ["a.md", "b.md"])
    assert free == {"b.md": ids["b.md"]}
    taken: set[str] = set()
    first, second = (catalogue.new_document_id("default", "docs", "b.md", taken=taken, free=free) for _ in range(2))
    assert (first, taken) == (ids["b.md"], {first, second})
    assert catalogue.new_document_id("default", "docs", "a.md", taken=set(), free=free) != ids["a.md"]


def test_forgetting_is_for_one_source(catalogue: Catalogue) -> None:
    """Forgetting a key of one source leaves the same key of another."""
    with catalogue.transaction():
        catalogue.put_locations([location("a.md", "d1"), location("a.md", "d1", source_id="mail")])
        catalogue.forget_locations("docs", ["a.md", "missing"])
    assert [row.source_id for row in catalogue.locations_of("d1")] == ["mail"]


@pytest.mark.parametrize("contains", ["%", "_", "\\", "100%", "a_b"])
def test_filter_takes_wildcards_literally(catalogue: Catalogue, contains: str) -> None:
    """What a person types to filter documents is a part of a name, not a pattern."""
    put(catalogue, document("plain", title="axb 1000"), "x")
    put(catalogue, document("odd", title="100% a_b \\"), "x")
    assert [row.document_id for row in find_documents(catalogue, contains=contains)] == ["odd"]
    assert count_documents(catalogue, contains=contains) == 1


def test_documents_are_filtered_and_paged(catalogue: Catalogue) -> None:
    """Collection, source and state choose; pages follow each other without gap or overlap."""
    for number in range(5):
        put(catalogue, document(f"d{number}", collection_id="a" if number % 2 else "b"), "x")
    put(catalogue, document("gone", state="retired"), "x")
    names = [row.document_id for row in find_documents(catalogue)]
    assert names == ["d0", "d1", "d2", "d3", "d4"]
    paged = [row.document_id for offset in (0, 2, 4) for row in find_documents(catalogue, limit=2, offset=offset)]
    assert paged == names
    assert [row.document_id for row in find_documents(catalogue, collection_id="a")] == ["d1", "d3"]
    assert count_documents(catalogue, source_id="docs", state=None) == 6
    assert count_documents(catalogue, source_id="mail", state=None) == 0
    assert [row.document_id for row in find_documents(catalogue, state="retired")] == ["gone"]


def plans(catalogue: Catalogue, ask: Callable[[], object]) -> list[list[str]]:
    """Return how SQLite goes about each statement of a question, step by step."""
    statements: list[tuple[str, Any]] = []

    def remember(_cursor: object, sql: str, values: Any) -> bool:
        statements.append((sql, values))
        return True

    catalogue.connection.exec_trace = remember
    ask()
    catalogue.connection.exec_trace = None
    explained = [catalogue.connection.execute(f"EXPLAIN QUERY PLAN {sql}", values) for sql, values in statements]
    return [[step[3] for step in steps] for steps in explained]


@pytest.mark.parametrize("words", ["", "odd"])
@pytest.mark.parametrize("order", list(DOCUMENT_ORDERS))
def test_a_list_of_a_collection_is_found_in_an_index_alone(catalogue: Catalogue, order: str, words: str) -> None:
    """Whatever a list is ordered by and narrowed to, documents that it does not show are not looked up."""
    asked = [
        *plans(catalogue, lambda: find_documents(catalogue, order=order, collection_id="a", contains=words)),
        *plans(catalogue, lambda: count_documents(catalogue, collection_id="a", contains=words)),
    ]
    assert len(asked) == 2
    for plan in asked:
        touched = [step for step in plan if " documents " in step and "PRIMARY KEY (document_id=?)" not in step]
        assert touched
        assert all("COVERING INDEX" in step for step in touched), plan


def test_rare_words_are_looked_for_in_an_index_in_all_collections(catalogue: Catalogue) -> None:
    """A list of all collections that is narrowed to words does not go through the documents in their order."""
    [plan] = plans(catalogue, lambda: find_documents(catalogue, contains="rare"))
    assert "SCAN documents USING COVERING INDEX documents_by_address" in plan, plan


def test_document_by_a_unique_beginning(catalogue: Catalogue) -> None:
    """Four letters that fit one document name it; fewer, or ones that fit two, do not."""
    for name in ("abcd11", "abcd22", "abce33"):
        put(catalogue, document(name), "x")
    names = ("abce", "abcd11", "abcd", "abc", "", "%")
    found_ids = [getattr(document_by_id(catalogue, name), "document_id", None) for name in names]
    assert found_ids == ["abce33", "abcd11", None, None, None, None]


def test_documents_at_an_address(catalogue: Catalogue) -> None:
    """A document is found by its key and by its uri."""
    put(catalogue, document("d1"), "x")
    assert [row.document_id for row in documents_at(catalogue, "d1.md")] == ["d1"]
    assert [row.document_id for row in documents_at(catalogue, "file:///d1.md")] == ["d1"]
    assert documents_at(catalogue, "d2.md") == []


def test_what_undoes_one_row_is_not_written_to_temporary_files(catalogue: Catalogue) -> None:
    """The triggers of the change feed would have some 15 pages written for each document."""
    in_files, in_memory = 1, 2
    assert catalogue.value("PRAGMA temp_store") == in_files
    with catalogue.transaction():
        assert catalogue.value("PRAGMA temp_store") == in_memory
    with pytest.raises(KeyError), catalogue.transaction():
        raise KeyError
    assert catalogue.value("PRAGMA temp_store") == in_files


def test_trash_of_a_source_is_found_by_the_source(catalogue: Catalogue) -> None:
    """A retired document has no place any more, and is listed all the same for the source that it came from."""
    put(catalogue, document("retired", state="retired"), "rain of yesterday")
    retired = find_documents(catalogue, state="retired", source_id="docs")
    assert [row.document_id for row in retired] == ["retired"]
    assert find_documents(catalogue, state="retired", source_id="elsewhere") == []
