"""Which chunks are ranked where words are common: the best of the newest, for a bounded price."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import apsw
import pytest

from ingest_tui.index import candidates, ranked_chunks, weighted_rank
from ingest_tui.index.candidates import CandidateQuery
from ingest_tui.index.ranked_chunks import RankedChunks
from ingest_tui.index.term_counts import index_size
from ingest_tui.model.document import Chunk
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.queries import search_text
from tests.unit.store.catalogue_rows import document

EVERY = 70


def text_of(number: int) -> str:
    more = (number % 7 == 0) + number % 5
    return "common rain falls" + " common" * (number % 7 == 0) + " again" * (number % 5) + " it" * (5 - more)


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    """Return a catalogue in which each document has 'common', and every seventh more of it than the others."""
    with contextlib.closing(Catalogue(tmp_path_factory.mktemp("ranked") / "catalogue.db", create=True)) as catalogue:
        with catalogue.transaction():
            catalogue.put_documents([document(f"d{number:03}", title=f"t{number:03}") for number in range(EVERY)])
            catalogue.full_text.replace(
                (), [Chunk(f"d{number:03}", 1, 0, "", text_of(number), language="en") for number in range(EVERY)]
            )
        yield catalogue


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the catalogue be a large one, whose words are all common."""
    monkeypatch.setattr(ranked_chunks, "LARGE", 10)
    for module in (ranked_chunks, candidates):
        monkeypatch.setattr(module, "RANKED", 20)


def found(catalogue: Catalogue, query: str, **options: Any) -> list[str]:
    return [hit.document_id for hit in search_text(catalogue, query, **options)]


def chunks_of(catalogue: Catalogue) -> RankedChunks:
    return RankedChunks(catalogue, "words", index_size(catalogue))


def asked(expression: str, *weights: float) -> CandidateQuery:
    return CandidateQuery(expression, weights, EVERY, has_sequences=False)


@pytest.mark.usefixtures("large")
def test_common_words_are_ranked_as_by_fts5(catalogue: Catalogue) -> None:
    """Of one word the order is that of FTS5 itself, but that the weight of the word is not counted again."""
    numbers, are_all = chunks_of(catalogue).newest(asked('"common"', 1.0), 1000)
    sql = "SELECT rowid FROM words WHERE words MATCH ? ORDER BY bm25(words, 2.0, 3.0, 1.0, 0.3) LIMIT ?"
    best = [row[0] for row in catalogue.execute(sql, ("common", EVERY))]
    assert are_all
    assert set(numbers) == set(best)
    with_more = {number + 1 for number in range(0, EVERY, 7)}
    assert set(numbers[: len(with_more)]) == set(best[: len(with_more)]) == with_more


@pytest.mark.usefixtures("large")
def test_a_rarer_word_weighs_more(catalogue: Catalogue) -> None:
    """Each phrase counts by the weight that is given for it, in their order."""
    one = asked('"again" OR "common"', 5.0, 0.1)
    other = asked('"again" OR "common"', 0.0, 1.0)
    assert {number % 5 for number in chunks_of(catalogue).newest(one, -1)[0][:14]} == {0}
    assert {number % 7 for number in chunks_of(catalogue).newest(other, 1000)[0][:10]} == {1}


@pytest.mark.usefixtures("large")
def test_the_newest_are_ranked(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more chunks than are ranked with common words, these are the newest ones, and fewer for many words."""
    monkeypatch.setattr(ranked_chunks, "_MOST_CALLS", 60)
    monkeypatch.setattr(ranked_chunks, "_ASKED_ONE_BY_ONE", 10)
    for words, ranked in ((1, 60), (3, 20), (30, 10)):
        query = asked(" OR ".join(['"common"'] * words), *[1.0] * words)
        numbers, are_all = chunks_of(catalogue).newest(query, 1000)
        assert sorted(numbers) == list(range(EVERY + 1 - ranked, EVERY + 1))
        assert not are_all


@pytest.mark.usefixtures("large")
def test_few_documents_to_choose_from_are_all_looked_at(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    """A common word is found in the oldest document too, where only that is searched or only old ones are."""
    monkeypatch.setattr(ranked_chunks, "_MOST_CALLS", 10)
    monkeypatch.setattr(ranked_chunks, "_ASKED_ONE_BY_ONE", 5)
    assert found(catalogue, "common title:t000") == ["d000"]
    assert found(catalogue, "+common +falls title:t000") == ["d000"]
    assert found(catalogue, '"common rain" title:t000') == ["d000"]
    assert sorted(found(catalogue, "common title:t00*", limit=10)) == [f"d{number:03}" for number in range(10)]
    assert len(found(catalogue, "common NOT again", limit=-1)) == EVERY / 5


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("query", ['"common rain"', "common rain", "+common +rain", "com* rain", "common OR rain"])
def test_every_kind_of_query_finds_what_a_small_catalogue_finds(
    catalogue: Catalogue, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same documents are found with the same scores, however the candidates were chosen."""
    large = [(hit.document_id, hit.score) for hit in search_text(catalogue, query, limit=EVERY)]
    monkeypatch.undo()
    assert large == [(hit.document_id, hit.score) for hit in search_text(catalogue, query, limit=EVERY)]
    assert len(large) == EVERY


def test_the_function_is_registered_once_for_a_connection() -> None:
    """A connection that is searched again and again does not grow by a function each time; another one has its own."""
    registered = []

    class Counted(apsw.Connection):
        def register_fts5_function(self, name: str, function: Any) -> None:
            registered.append(name)

    one, other = Counted(":memory:"), Counted(":memory:")
    for connection in (one, one, other, one):
        weighted_rank.register(connection)
    assert len(registered) == 2
