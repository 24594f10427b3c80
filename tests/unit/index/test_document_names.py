"""Filters by title and path: what is found by trigrams, and that this leaves nothing out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest_tui.index import document_names
from ingest_tui.index.base import Condition
from ingest_tui.index.document_names import narrowed_by_names
from ingest_tui.index.query_filters import narrowed
from ingest_tui.model.document import Chunk
from ingest_tui.model.search_query import QueryFilter
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.queries import chosen_ids, search_text
from tests.unit.store.catalogue_rows import document, put

ALL = Condition("1")
NAMES = (
    "abc", "ABCD.md", "xabcx", "ab c", "a*c", "100%_done.txt", 'say "hi".md', "Straße.pdf", "İstanbul ışık",
    "令和の報告.md", "ﬁnance", "a\\b\\c", "naïve", "naïve", "𝒮cript", "abcabcabc", "bca", "ab", "", "line\nbreak",
    "(NOT) AND OR", "a\x01b\x01c",
)  # fmt: skip


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    """Documents whose titles, file names, keys and addresses differ from each other."""
    with contextlib.closing(Catalogue(tmp_path_factory.mktemp("names") / "catalogue.db", create=True)) as made:
        with made.transaction():
            for number, name in enumerate(NAMES):
                other = NAMES[number - 1]
                row = document(
                    f"d{number:02}", title=name, file_name=other, key=f"in/{name}", uri=f"file:///in/{other}"
                )
                made.put_documents([row])
                made.full_text.replace((), [Chunk(row.document_id, 1, 0, "", "rain")])
        yield made


def ids(catalogue: Catalogue, condition: Condition) -> set[str]:
    return {
        row[0]
        for row in catalogue.execute(f"SELECT document_id FROM documents WHERE {condition.sql}", condition.values)
    }


VALUES = st.one_of(
    st.text(st.sampled_from("abcABC*%_\\\"' .İıßſ令和の𝒮\n\x00\x01()"), min_size=1, max_size=8),
    st.sampled_from([name for name in NAMES if name]),
)
FILTERS = st.lists(
    st.builds(QueryFilter, st.sampled_from(["title", "path", "type"]), VALUES, st.booleans()), max_size=4
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(filters=FILTERS)
def test_nothing_is_left_out(catalogue: Catalogue, filters: list[QueryFilter]) -> None:
    """Whatever the filters are, the same documents meet the condition with trigrams and without."""
    asked = narrowed(ALL, filters)
    assert ids(catalogue, narrowed_by_names(catalogue, asked, filters)) == ids(catalogue, asked)


@pytest.mark.parametrize("most", [0, 5_000])
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("title:BCD", {"d01", "d02"}),
        ("rain path:*in/abcabc", {"d15", "d16"}),
        ("-title:abc title:say", {"d06", "d07"}),
    ],
)
def test_filters_find_what_they_name(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, query: str, expected: set[str], most: int
) -> None:
    """With words and without, also where too many documents have the trigrams."""
    monkeypatch.setattr(document_names, "_MOST_DOCUMENTS", most)
    assert {hit.document_id for hit in search_text(catalogue, query)} == expected


@pytest.mark.parametrize("further", ["1", "collection_id = 'default'", "source_id = 'docs' AND key > ''"])
def test_few_documents_are_looked_at(catalogue: Catalogue, further: str) -> None:
    """SQLite looks up the documents that have the trigrams, not all of them, nor all of a collection or a folder."""
    filters = [QueryFilter("title", "abcd")]
    asked = narrowed(Condition(f"{further} AND state = 'active'"), filters)
    condition = narrowed_by_names(catalogue, asked, filters)
    plan = f"EXPLAIN QUERY PLAN SELECT document_id FROM documents WHERE {condition.sql}"
    steps = [row[3] for row in catalogue.execute(plan, condition.values)]
    assert "SEARCH documents USING PRIMARY KEY (document_id=?)" in steps
    assert not any(step.startswith("SCAN documents") for step in steps)


def test_names_follow_the_document(tmp_path: Path) -> None:
    """Renamed, moved and taken out it is found as it is now."""
    with contextlib.closing(Catalogue(tmp_path / "catalogue.db", create=True)) as catalogue:
        put(catalogue, document("d1", title="Winter", key="old/place.md", uri="file:///old/place.md"), "rain", "more")
        assert chosen_ids(catalogue, {}, [QueryFilter("title", "winter")]) == {"d1"}
        with catalogue.transaction():
            catalogue.put_documents([document("d1", title="Summer", key="new/home.md", uri="file:///new/home.md")])
            catalogue.full_text.rename(["d1"])
        filters = (("title", "winter"), ("title", "summer"), ("path", "place"), ("path", "new/home"))
        found = [chosen_ids(catalogue, {}, [QueryFilter(field, value)]) for field, value in filters]
        assert found == [set(), {"d1"}, set(), {"d1"}]
        assert catalogue.full_text.differences() == []
        with catalogue.transaction():
            catalogue.full_text.remove(["d1", "unknown"])
        assert [catalogue.value(f"SELECT count(*) FROM {table}") for table in document_names.TABLE_OF.values()] == [
            0,
            0,
        ]


def test_lost_names_are_noticed_and_made_again(tmp_path: Path) -> None:
    """A name that is missing, and one of no document."""
    with contextlib.closing(Catalogue(tmp_path / "catalogue.db", create=True)) as catalogue:
        put(catalogue, document("d1", title="Winter"), "rain", "more")
        with catalogue.transaction():
            catalogue.execute("DELETE FROM document_titles")
            catalogue.execute("INSERT INTO document_addresses (rowid, name) VALUES (99, 'file:///nowhere')")
        assert chosen_ids(catalogue, {}, [QueryFilter("title", "winter")]) == set()
        assert catalogue.full_text.differences() == ["1 document is not found by its title", "1 path is of no document"]
        with catalogue.transaction():
            catalogue.full_text.restore_words()
        assert catalogue.full_text.differences() == []
        assert chosen_ids(catalogue, {}, [QueryFilter("title", "winter")]) == {"d1"}
