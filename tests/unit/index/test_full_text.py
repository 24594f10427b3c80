"""Full text: ranking, snippets, and whatever people type."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingest_tui.model.errors import UsageError
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.queries import search_text
from tests.unit.store.catalogue_rows import document, put


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    catalogue = Catalogue(tmp_path_factory.mktemp("search") / "catalogue.db", create=True)
    put(catalogue, document("often", title="Often"), "rain gauge rain gauge rain gauge")
    put(catalogue, document("noted", title="Noted"), "what one has to know of the wind vane")
    put(
        catalogue,
        document("once", title="Once"),
        "a gauge in a long text about many other things, and of rain too " * 2,
    )
    put(catalogue, document("headed", title="Headed"), "what one needs to know", heading="Rain › Gauge")
    put(catalogue, document("vane", title="Vane"), "what one has to know of it and of that", heading="Wind › Vane")
    put(
        catalogue,
        document("cafe", title="Café"),
        "Crème brûlée im Café, naïve Straße,日本語 テキスト, C++ and e-mail, user_name",
    )
    put(catalogue, document("words", title="Words"), "to be OR NOT to be AND more NEAR it")
    put(catalogue, document("other", collection_id="other"), "rain elsewhere")
    put(catalogue, document("retired", state="retired"), "rain of yesterday")
    yield catalogue
    catalogue.close()


def found(catalogue: Catalogue, query: str, **options: Any) -> list[str]:
    return [hit.document_id for hit in search_text(catalogue, query, **options)]


def test_heading_weighs_more_than_text(catalogue: Catalogue) -> None:
    """A hit in the headings above a chunk goes before as many in its text, and many hits go before few."""
    assert found(catalogue, "wind vane") == ["vane", "noted"]
    assert found(catalogue, "rain gauge")[-1] == "once"


def test_scores_fall(catalogue: Catalogue) -> None:
    """Hits come best first, and a better one has the higher score."""
    scores = [hit.score for hit in search_text(catalogue, "gauge")]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > scores[-1]


def test_snippet_marks_what_was_found(catalogue: Catalogue) -> None:
    """The snippet marks the words, its JSON form shows them in bold, and the text of the hit is the whole chunk."""
    (hit,) = search_text(catalogue, "brulee")
    assert "\x02brûlée\x03" in hit.snippet
    assert "**brûlée**" in hit.as_dict()["snippet"]
    assert hit.text.startswith("Crème brûlée")
    assert hit.chunk_id == "cafe:1:0"


def test_long_text_is_cut_around_the_hit(catalogue: Catalogue) -> None:
    """A snippet is short and says where it was cut."""
    (hit,) = search_text(catalogue, "things many")
    assert "…" in hit.snippet
    assert len(hit.snippet) < len(hit.text)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("RAIN elsewhere", ["other"]),
        ("brulee", ["cafe"]),
        ("BRÛLÉE", ["cafe"]),
        ("strasse", []),
        ("straße", ["cafe"]),
        ("日本語", ["cafe"]),
        ("e-mail", ["cafe"]),
        ("C++", ["cafe"]),
        ("user_name", ["cafe"]),
        ('"gauge rain"', ["often"]),
        ('"rain gauge" -', ["headed", "often"]),
        ("elsew*", ["other"]),
        ("elsew", []),
        ("elsewhere OR brulee", ["cafe", "other"]),
        ("rain NOT gauge", ["other"]),
        ("rain AND elsewhere", ["other"]),
        ("NOT elsewhere", []),
        ("or not", ["words"]),
        ("elsewhere rain AND", ["other"]),
        ("rain gauge missing", []),
        ("'rain' elsewhere;", ["other"]),
        ("title:elsewhere", []),
        ("elsewhere)", ["other"]),
        ("{elsewhere}", ["other"]),
        ("^elsewhere", ["other"]),
        ('"elsewhere', ["other"]),
        ('""elsewhere""', ["other"]),
    ],
)
def test_query_finds(catalogue: Catalogue, query: str, expected: list[str]) -> None:
    """Words, phrases, beginnings and OR/NOT/AND work; all other signs are as if they were not there."""
    assert sorted(found(catalogue, query)) == expected


@pytest.mark.parametrize("query", ["", " ", '"', '""', "*", "-", "()", "…", "\x00", "\ud800", "' '", "^ : ~"])
def test_query_without_a_word_is_refused(catalogue: Catalogue, query: str) -> None:
    """A query in which there is nothing to search for says so."""
    with pytest.raises(UsageError, match="no word"):
        search_text(catalogue, query)


def test_collection_and_limit(catalogue: Catalogue) -> None:
    """A search can be kept to a collection and to a number; retired documents are never found."""
    assert found(catalogue, "rain", collection_id="other") == ["other"]
    assert found(catalogue, "rain", collection_id="missing") == []
    assert len(found(catalogue, "rain", limit=2)) == 2
    assert "retired" not in found(catalogue, "rain OR yesterday", limit=100)


SIGNS = ['"', "*", "-", "+", "^", ":", "(", ")", "{", "}", "'", ";--", "\\", "%", ",", "_", " ", " ", "\n", "\x00"]
PIECES = ["AND", "OR", "NOT", "NEAR", "NEAR(", "rain", "gauge", "text:", "ü", "日本", "\u0301", "\U0001f600", "²", "3"]
pieces = st.sampled_from(SIGNS + PIECES)
queries = (
    st.lists(pieces, max_size=14).map("".join)
    | st.lists(pieces, max_size=14).map(" ".join)
    | st.text(st.characters(), max_size=30)
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=queries)
@example(query="rain " * 5000)
@example(query="rain OR " * 2000 + "rain")
@example(query="rain NOT " * 2000 + "rain")
@example(query=" ".join(f"word{number}*" for number in range(3000)))
@example(query="a" * 2_000_000)
@example(query="_ _")
@example(query="rain _")
def test_no_query_fails(catalogue: Catalogue, query: str) -> None:
    """Whatever is typed gives hits, none, or the advice to type a word; never a database error."""
    hits = []
    with contextlib.suppress(UsageError):
        hits = search_text(catalogue, query, limit=5)
    assert all(hit.document_id != "retired" for hit in hits)


def test_replacing_takes_out_what_was_there(tmp_path: Path) -> None:
    """Documents that are replaced lose all their chunks, others keep theirs, and new ones are added alongside."""
    with contextlib.closing(Catalogue(tmp_path / "catalogue.db", create=True)) as catalogue:
        put(catalogue, document("one"), "rain", "more rain")
        put(catalogue, document("two"), "rain and sun")
        put(catalogue, document("three"))
        with catalogue.transaction():
            catalogue.full_text.replace(["one"], [("one", 0, "", "snow"), ("three", 0, "", "snow too")])
        assert found(catalogue, "rain") == ["two"]
        assert sorted(found(catalogue, "snow")) == ["one", "three"]
        assert catalogue.full_text.numbers_of_chunks() == {"one": (1, 1), "two": (1, 1), "three": (1, 1)}
        assert catalogue.full_text.differences() == []


def test_an_index_without_its_words_says_so(tmp_path: Path) -> None:
    """An index that has lost its words reports it, and has those again whose chunks are handed to it again."""
    with contextlib.closing(Catalogue(tmp_path / "catalogue.db", create=True)) as catalogue:
        put(catalogue, document("one"), "rain", "snow")
        with catalogue.transaction():
            catalogue.execute("INSERT INTO chunks_fts (chunks_fts) VALUES ('delete-all')")
        assert catalogue.full_text.differences() == ["2 chunks cannot be searched"]
        assert found(catalogue, "rain") == []
        with catalogue.transaction():
            catalogue.execute("DELETE FROM chunks")
            catalogue.full_text.replace((), [("one", 0, "", "rain"), ("one", 1, "", "snow")])
        assert catalogue.full_text.differences() == []
        assert found(catalogue, "rain") == found(catalogue, "snow") == ["one"]
