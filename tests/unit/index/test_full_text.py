"""Full text: ranking, snippets, and whatever people type."""

from __future__ import annotations

import contextlib
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingest_tui.index import candidates, short_beginnings, term_counts, text_search
from ingest_tui.model.document import Chunk
from ingest_tui.model.errors import UsageError
from ingest_tui.model.search_query import parse_query
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.chosen_documents import ChosenDocuments
from ingest_tui.store.catalogue.queries import chosen_ids, documents_with_words, search_text
from tests.unit.store.catalogue_rows import document, location, put


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
    put(catalogue, document("long", title="Long"), "sun " * 100 + "one hailstorm " + "ice " * 100)
    put(catalogue, document("other", collection_id="other"), "rain elsewhere")
    put(catalogue, document("retired", state="retired"), "rain of yesterday")
    yield catalogue
    catalogue.close()


def found(catalogue: Catalogue, query: str, **options: Any) -> list[str]:
    return [hit.document_id for hit in search_text(catalogue, query, **options)]


def test_heading_weighs_more_than_text(catalogue: Catalogue) -> None:
    """A hit in the headings above a chunk goes before as many in its text, and many hits go before few."""
    assert found(catalogue, "wind vane") == ["vane", "noted"]
    assert found(catalogue, "+rain +gauge")[-1] == "once"


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
    """A snippet is short and shows where it was cut."""
    (hit,) = search_text(catalogue, "hailstorm")
    assert hit.snippet.startswith("…")
    assert hit.snippet.endswith("…")
    assert "\x02hailstorm\x03" in hit.snippet
    assert len(hit.snippet) < len(hit.text)
    assert [hit.text[start:end] for start, end in hit.matches] == ["hailstorm"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("+RAIN +elsewhere", ["other"]),
        ("RAIN elsewhere", ["headed", "often", "once", "other"]),
        ("brulee", ["cafe"]),
        ("BRÛLÉE", ["cafe"]),
        ("strasse", ["cafe"]),
        ("straße", ["cafe"]),
        ("日本語", ["cafe"]),
        ("e-mail", ["cafe"]),
        ("C++", ["cafe"]),
        ("user_name", ["cafe"]),
        ('"gauge rain"', ["often"]),
        ('"rain gauge" -', ["headed", "often"]),
        ('"gauge snow"', []),
        ('elsewhere "gauge snow"', ["headed", "often", "once", "other"]),
        ("elsew*", ["other"]),
        ("elsew", []),
        ("elsewhere OR brulee", ["cafe", "other"]),
        ("rain NOT gauge", ["other"]),
        ("rain AND elsewhere", ["other"]),
        ("or not", ["words"]),
        ("elsewhere rain AND", ["headed", "often", "once", "other"]),
        ("rain gauge missing", ["headed", "often", "once", "other"]),
        ("rain +missing", []),
        ("'elsewhere';", ["other"]),
        ("elsewhere title:vane", []),
        ("know title:vane", ["vane"]),
        ("title:vane", ["vane"]),
        ("know -title:vane", ["headed", "noted"]),
        ("know path:NOTED.md", ["noted"]),
        ("rain collection:other", ["other"]),
        ("rain source:docs -collection:other -gauge", []),
        ("rain type:md collection:other", ["other"]),
        ("rain type:text/markdown collection:other", ["other"]),
        ("rain type:pdf", []),
        ("rain after:2026-01-02", []),
        ("elsewhere before:2026-01-02 after:2026", ["other"]),
        ("elsewhere before:2026", []),
        ("elsewhere before:lunch", ["other"]),
        ("+once.md", ["once"]),
        ("本語", ["cafe"]),
        ("キスト", ["cafe"]),
        ("本", ["cafe"]),
        ("語", ["cafe"]),
        ('"ス"', ["cafe"]),
        ("elsewhere -ト", ["other"]),
        ("knows -vane", ["headed"]),
        ("elsewhere)", ["other"]),
        ("{elsewhere}", ["other"]),
        ("^elsewhere", ["other"]),
        ('"elsewhere', ["other"]),
        ('""elsewhere""', ["other"]),
        ('"nothingness" elsewhere', ["other"]),
    ],
)
def test_query_finds(catalogue: Catalogue, query: str, expected: list[str]) -> None:
    """Words, phrases, beginnings, operators and filters work; all other signs are as if they were not there."""
    assert sorted(found(catalogue, query)) == expected


@pytest.mark.parametrize(
    "query", ["NOT elsewhere", "", " ", '"', '""', "*", "-", "()", "…", "\x00", "\ud800", "' '", "^ : ~"]
)
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


WORDS = ["rain", "gauge", "wind", "vane", "snow"]
SIGNED = [f"{sign}{word}" for sign in "+-" for word in WORDS]
QUOTED = ['"rain gauge"', '"vane rain"', '"snow hail"']
asked_for = st.sampled_from(
    [*WORDS, *SIGNED, *QUOTED, "hail", "ra*", "OR", "AND", "NOT", "title:1", "collection:other"]
)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    """Twenty documents of up to five chunks, each with some of the words."""
    chance = Random(7)
    with contextlib.closing(Catalogue(tmp_path_factory.mktemp("mixed") / "catalogue.db", create=True)) as catalogue:
        for number in range(20):
            chunks = [" ".join(chance.choices(WORDS, k=chance.randint(1, 3))) for _ in range(chance.randint(1, 5))]
            put(catalogue, document(f"d{number}", collection_id=chance.choice(["default", "other"])), *chunks)
        yield catalogue


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.lists(asked_for, min_size=1, max_size=6).map(" ".join), ranked=st.sampled_from([2, 6_000]))
@example(query="+rain -vane", ranked=6_000)
@example(query='"snow hail" rain -vane', ranked=6_000)
@example(query='"rain gauge" +wind', ranked=2)
def test_documents_with_words_are_those_that_a_search_finds(
    mixed: Catalogue, monkeypatch: pytest.MonkeyPatch, query: str, ranked: int
) -> None:
    """Whatever is asked for, the documents that are looked up are those of all hits, in few chunks or in many."""
    monkeypatch.setattr(candidates, "RANKED", ranked)
    parsed = parse_query(query)
    if parsed.clauses:
        assert documents_with_words(mixed, parsed) == set(found(mixed, query, limit=-1))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    query=st.lists(asked_for, min_size=1, max_size=6).map(" ".join),
    numbers=st.sets(st.integers(0, 25)),
    is_filtered=st.booleans(),
)
@example(query='"rain gauge" wind', numbers={1, 2, 3}, is_filtered=True)
@example(query="+rain -vane", numbers=set(range(20)), is_filtered=False)
def test_a_few_documents_are_chosen_as_all_are(
    mixed: Catalogue, query: str, numbers: set[int], is_filtered: bool
) -> None:
    """Asked of some documents, the answer is theirs of all that may be found, which are those with what is required."""
    parsed = parse_query(f"{query} collection:other" if is_filtered else query)
    chosen = ChosenDocuments(mixed, {}, parsed)
    some = {f"d{number}" for number in numbers}
    assert chosen.among(some) == chosen.all & some
    if parsed.clauses and any(clause.required for clause in parsed.clauses):
        assert chosen.all == documents_with_words(mixed, parsed)
    if is_filtered:
        assert chosen.all <= chosen_ids(mixed, {"collection_id": "other"})


def test_what_a_filter_excludes_is_all_that_it_excludes(tmp_path: Path) -> None:
    """An item without a document makes no other document one of its source; what is excluded is what would be found."""
    with contextlib.closing(Catalogue(tmp_path / "catalogue.db", create=True)) as catalogue:
        put(catalogue, document("mine", source_id="papers", updated_at="2026-03-01"), "rain")
        put(catalogue, document("both", source_id="docs"), "rain")
        put(catalogue, document("yours", source_id="docs", title="", media_type=""), "rain")
        with catalogue.transaction():
            catalogue.put_locations(
                [
                    location("both.md", "both", source_id="papers"),
                    location("broken.pdf", None, source_id="papers", outcome="failed"),
                ]
            )
        every = {"mine", "both", "yours"}
        for name in (
            "source:papers", "source:docs", "source:none", "collection:default", "collection:none", "type:md",
            "type:text/*", "path:our", "title:bot", "after:2026-02-01", "before:2026-02-01",
        ):  # fmt: skip
            found_with = set(found(catalogue, f"rain {name}"))
            assert set(found(catalogue, f"rain -{name}")) == every - found_with
            for sign, expected in (("", found_with), ("-", every - found_with)):
                chosen = ChosenDocuments(catalogue, {}, parse_query(f"{sign}{name}"))
                assert chosen.among(every) == chosen.all == expected
        assert found(catalogue, "rain -source:papers") == ["yours"]


def test_documents_of_many_chunks_hide_no_others(tmp_path: Path) -> None:
    """What must occur is found in all documents, however many chunks of others have it, too."""
    with contextlib.closing(Catalogue(tmp_path / "catalogue.db", create=True)) as catalogue:
        names = ["one", "two", "three", "four", "five"]
        for name in names:
            put(catalogue, document(name), *["rain gauge"] * 600)
        put(catalogue, document("other"), "sun")
        put(catalogue, document("elsewhere", collection_id="other"), "rain gauge")
        for query in ("+rain", '"rain gauge"', "rain AND gauge", "+rain sun"):
            assert documents_with_words(catalogue, parse_query(query), collection_id="default") == set(names)


def test_replacing_takes_out_what_was_there(tmp_path: Path) -> None:
    """Documents that are replaced lose all their chunks, others keep theirs, and new ones are added alongside."""
    with contextlib.closing(Catalogue(tmp_path / "catalogue.db", create=True)) as catalogue:
        put(catalogue, document("one"), "rain", "more rain")
        put(catalogue, document("two"), "rain and sun")
        put(catalogue, document("three"))
        with catalogue.transaction():
            catalogue.full_text.replace(["one"], [Chunk("one", 1, 0, "", "snow"), Chunk("three", 1, 0, "", "snow too")])
        assert found(catalogue, "rain") == ["two"]
        assert sorted(found(catalogue, "snow")) == ["one", "three"]
        assert [len(catalogue.full_text.chunks_of(name)) for name in ("one", "two", "three")] == [1, 1, 1]
        assert catalogue.full_text.differences() == []


def test_an_index_without_its_words_says_so(tmp_path: Path) -> None:
    """An index that has lost its words reports it, and has those again whose chunks are handed to it again."""
    with contextlib.closing(Catalogue(tmp_path / "catalogue.db", create=True)) as catalogue:
        put(catalogue, document("one"), "rain", "snow")
        with catalogue.transaction():
            catalogue.execute("INSERT INTO words (words) VALUES ('delete-all')")
        assert catalogue.full_text.differences() == ["2 chunks cannot be searched"]
        assert found(catalogue, "rain") == []
        with catalogue.transaction():
            catalogue.execute("DELETE FROM chunks")
            catalogue.full_text.replace((), [Chunk("one", 1, 0, "", "rain"), Chunk("one", 1, 1, "", "snow")])
        assert catalogue.full_text.differences() == []
        assert found(catalogue, "rain") == found(catalogue, "snow") == ["one"]


def test_exact_forms_come_first(tmp_path: Path) -> None:
    """Accents and endings make no difference to what is found, but to its order."""
    with contextlib.closing(Catalogue(tmp_path / "catalogue.db", create=True)) as catalogue:
        for name, text in (
            ("plain", "the resume of it"),
            ("accents", "the résumé of it"),
            ("many", "the resumes of it"),
        ):
            put(catalogue, document(name), text)
        assert found(catalogue, "résumé")[0] == "accents"
        assert found(catalogue, "re\u0301sume\u0301")[0] == "accents"
        assert found(catalogue, "resume")[0] == "plain"
        assert sorted(found(catalogue, "resumes")) == ["accents", "many", "plain"]
        assert found(catalogue, "resumes")[0] == "many"


def test_words_are_stemmed_by_the_language_of_their_document(tmp_path: Path) -> None:
    """A word finds its other forms in documents of any language that there is."""
    with contextlib.closing(Catalogue(tmp_path / "catalogue.db", create=True)) as catalogue:
        put(catalogue, document("german"), "die Prüfungen der Häuser", language="de")
        put(catalogue, document("english"), "the examinations of houses")
        assert found(catalogue, "Prüfung Haus") == ["german"]
        assert found(catalogue, "house examination") == ["english"]


def test_hits_of_a_document_are_one(tmp_path: Path) -> None:
    """The best chunk stands for its document and names the others; asked for all chunks, each is a hit."""
    with contextlib.closing(Catalogue(tmp_path / "catalogue.db", create=True)) as catalogue:
        put(catalogue, document("one"), "a rain gauge", "snow", "rain here and there and everywhere")
        put(catalogue, document("two"), "rain on the way")
        hits = search_text(catalogue, "rain gauge")
        assert [hit.chunk_id for hit in hits] == ["one:1:0", "two:1:0"]
        assert [other.chunk_id for other in hits[0].others] == ["one:1:2"]
        assert [hit.chunk_id for hit in search_text(catalogue, "rain gauge", all_chunks=True)] == [
            "one:1:0",
            "one:1:2",
            "two:1:0",
        ]


def test_a_hit_explains_its_score(catalogue: Catalogue) -> None:
    """What a score is made of adds up to it, term by term with where it was found."""
    hit = next(hit for hit in search_text(catalogue, "wind vane") if hit.document_id == "vane")
    assert sum(one.weight for one in hit.why) == pytest.approx(hit.score, abs=0.001)
    assert [(one.term, one.found) for one in hit.why] == [
        ("wind", {"heading": 1}),
        ("vane", {"heading": 1, "name": 2}),
        ('"wind vane"', {"heading": 1}),
        ("(all words)", {}),
    ]


def test_a_renamed_document_is_found_by_its_new_name(tmp_path: Path) -> None:
    """Names are searched as they are now; the words of the text stay."""
    with contextlib.closing(Catalogue(tmp_path / "catalogue.db", create=True)) as catalogue:
        put(catalogue, document("one", title="report_2024.pdf", file_name="report_2024.pdf"), "rain", "more")
        assert found(catalogue, "report_2024.pdf") == found(catalogue, "report") == ["one"]
        with catalogue.transaction():
            catalogue.put_documents([document("one", title="Summary", file_name="summary.pdf")])
            catalogue.full_text.rename(["one"])
        assert found(catalogue, "report") == []
        assert found(catalogue, "summary") == found(catalogue, "rain") == ["one"]
        assert catalogue.full_text.differences() == []


def test_very_common_words_find_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A word that is in more chunks than are ranked finds the newest of them, and counts where rarer words are."""
    monkeypatch.setattr(text_search, "RANKED", 30)
    monkeypatch.setattr(candidates, "RANKED", 20)
    monkeypatch.setattr(term_counts, "COUNTED", 10)
    with contextlib.closing(Catalogue(tmp_path / "catalogue.db", create=True)) as catalogue:
        for number in range(100):
            put(catalogue, document(f"d{number:02}"), f"common word{number}" + " rare" * (number == 5))
        newest = {f"d{number:02}" for number in range(70, 100)}
        assert set(found(catalogue, "common", limit=10)) <= newest
        assert len(found(catalogue, "common", limit=-1)) == 100
        assert found(catalogue, "common rare", limit=1) == ["d05"]
        assert found(catalogue, "common rare", limit=2)[0] == "d05"
        assert len(found(catalogue, "common rare", limit=2)) == 2
        assert found(catalogue, "+common path:d03") == ["d03"]
        assert found(catalogue, "common path:d03") == ["d03"]


def test_function_words_count_less_than_what_a_query_is_about(tmp_path: Path) -> None:
    """In few documents a "how" is as rare as what is asked for; alone it is looked for like any word."""
    with contextlib.closing(Catalogue(tmp_path / "catalogue.db", create=True)) as catalogue:
        put(catalogue, document("how"), "how it was done is not known to us")
        put(catalogue, document("bucket"), "a bucket is synced once a day, and that is shown in a table")
        put(catalogue, document("who"), "The Who played here")
        for number in range(12):
            put(catalogue, document(f"d{number:02}"), "this bucket and that one were not mentioned before")
        assert found(catalogue, "how do I sync the buckets", limit=1) == ["bucket"]
        assert found(catalogue, "how")[0] == "how"
        assert found(catalogue, "the who")[0] == "who"


def test_words_that_are_too_common_are_looked_for_in_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk with two words that are both too common is found however many newer chunks have one of them."""
    monkeypatch.setattr(text_search, "RANKED", 20)
    monkeypatch.setattr(candidates, "RANKED", 20)
    with contextlib.closing(Catalogue(tmp_path / "catalogue.db", create=True)) as catalogue:
        put(catalogue, document("both"), "rain snow")
        for number in range(60):
            put(catalogue, document(f"d{number:02}"), ("rain", "snow")[number % 2])
        assert found(catalogue, "rain snow", limit=5)[0] == "both"


def test_a_document_with_many_chunks_leaves_room_for_others(tmp_path: Path) -> None:
    """However many chunks of one document are the best, other documents that match are found too."""
    with contextlib.closing(Catalogue(tmp_path / "catalogue.db", create=True)) as catalogue:
        put(catalogue, document("large"), *["rain rain rain"] * 300)
        put(catalogue, document("other"), "rain on the roof")
        assert found(catalogue, "rain", limit=2) == ["large", "other"]


def test_suggests_the_nearest_word(tmp_path: Path) -> None:
    """A word that no document has is answered with the nearest one as it is written; a word that is there is not."""
    with contextlib.closing(Catalogue(tmp_path / "catalogue.db", create=True)) as catalogue:
        put(catalogue, document("one"), "a happy connection to the Bucket of Zürich")
        suggested = {
            word: catalogue.full_text.suggestions(parse_query(word)).get(word)
            for word in ("hapy", "conection", "bcuket", "ubcket", "zuerich", "happy", "xylophone", "xy", "foo-bar")
        }
        assert suggested == {
            "hapy": "happy", "conection": "connection", "bcuket": "bucket", "ubcket": "bucket", "zuerich": "zürich",
            "happy": None, "xylophone": None, "xy": None, "foo-bar": None,
        }  # fmt: skip


def test_suggests_the_nearest_form_of_a_word(tmp_path: Path) -> None:
    """Of the forms in which a word is written somewhere, the one nearest to what was asked is suggested."""
    with contextlib.closing(Catalogue(tmp_path / "catalogue.db", create=True)) as catalogue:
        put(catalogue, document("first"), "the conflicted files")
        put(catalogue, document("second"), "a merge conflict")
        assert catalogue.full_text.suggestions(parse_query("conflct")) == {"conflct": "conflict"}


@pytest.mark.parametrize("large", [1, 50_000])
@pytest.mark.parametrize("text", ["도서관에서 책을 읽습니다", unicodedata.normalize("NFD", "책을 읽습니다"), "한 책"])
def test_a_character_by_itself_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, large: int) -> None:
    """Wherever in a word it is, however it is encoded, and however many chunks there are."""
    monkeypatch.setattr(short_beginnings, "LARGE", large)
    with contextlib.closing(Catalogue(tmp_path / "catalogue.db", create=True)) as catalogue:
        put(catalogue, document("one"), text)
        put(catalogue, document("two"), "서울")
        [hit] = search_text(catalogue, "책")
        [(start, end)] = hit.matches
        assert hit.document_id == "one"
        assert unicodedata.normalize("NFC", hit.text[start:end]).startswith("책")
        assert found(catalogue, "서울 -책") == ["two"]


def test_only_the_character_that_is_asked_for_is_marked(tmp_path: Path) -> None:
    """Not the one after it, with which it is indexed."""
    with contextlib.closing(Catalogue(tmp_path / "catalogue.db", create=True)) as catalogue:
        put(catalogue, document("one"), "도서관에서 책을 읽습니다")
        [hit] = search_text(catalogue, "책")
        assert [hit.text[start:end] for start, end in hit.matches] == ["책"]


def test_short_beginnings_in_a_large_index_are_those_of_a_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where very many words begin so, those that a sample of the chunks has are found."""
    monkeypatch.setattr(short_beginnings, "LARGE", 1)
    with contextlib.closing(Catalogue(tmp_path / "catalogue.db", create=True)) as catalogue:
        put(catalogue, document("one"), "a rain gauge")
        put(catalogue, document("two"), "raining")
        put(catalogue, document("three"), "snow")
        assert sorted(found(catalogue, "ra*")) == ["one", "two"]
        assert found(catalogue, "gaug*") == ["one"]


def test_a_rare_beginning_is_found_wherever_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only in the chunks of the sample, nor only with the character after it that is frequent there."""
    monkeypatch.setattr(short_beginnings, "LARGE", 1)
    monkeypatch.setattr(short_beginnings, "_SAMPLE", 2)
    with contextlib.closing(Catalogue(tmp_path / "catalogue.db", create=True)) as catalogue:
        put(catalogue, document("one"), "天安门")
        put(catalogue, document("two"), "安全")
        put(catalogue, document("three"), "xylophone")
        put(catalogue, document("other"), "snow")
        assert sorted(found(catalogue, "安")) == ["one", "two"]
        assert found(catalogue, "xy*") == ["three"]


@pytest.mark.parametrize("most_looked_up", [2_000, 250])
@pytest.mark.parametrize("last", [1, 299])
def test_a_filter_that_few_documents_meet_finds_each_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_looked_up: int, last: int
) -> None:
    """Wherever its chunk is among those that have the word, and whether or not all of these are looked up."""
    monkeypatch.setattr(text_search, "_MOST_LOOKED_UP", most_looked_up)
    names = [f"d{number:03}" for number in range(300)]
    with contextlib.closing(Catalogue(tmp_path / "catalogue.db", create=True)) as catalogue:
        with catalogue.transaction():
            catalogue.put_documents([document(name, title=f"t{name}", file_name=f"{name}.md") for name in names])
            catalogue.full_text.replace(
                (), [Chunk(name, 1, 0, "", "rain " + "and more " * number) for number, name in enumerate(names)]
            )
        assert found(catalogue, f"rain title:td{last:03}") == [f"d{last:03}"]


def test_a_title_is_compared_and_so_is_the_name_of_the_file(tmp_path: Path) -> None:
    """Whether they are the same or not, and so in what is excluded."""
    with contextlib.closing(Catalogue(tmp_path / "catalogue.db", create=True)) as catalogue:
        put(catalogue, document("same", title="May.md", file_name="May.md"), "rain")
        put(catalogue, document("other", title="Report", file_name="may.md"), "rain")
        put(catalogue, document("none", title="Report", file_name="june.md"), "rain")
        assert sorted(found(catalogue, "rain title:may")) == ["other", "same"]
        assert sorted(found(catalogue, "rain title:report")) == ["none", "other"]
        assert found(catalogue, "rain -title:may") == ["none"]
