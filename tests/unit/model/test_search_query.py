"""The query language."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest_tui.model.errors import UsageError
from ingest_tui.model.search_query import (
    MAX_WORDS,
    QueryClause,
    QueryFilter,
    QueryWord,
    SearchQuery,
    parse_query,
    query_filters,
)
from ingest_tui.model.search_terms import excluded_terms, search_terms
from ingest_tui.model.tokens import fold


def words(*texts: str, required: bool = False) -> tuple[QueryClause, ...]:
    return tuple(QueryClause((QueryWord(text),), required) for text in texts)


@pytest.mark.parametrize(
    ("typed", "clauses"),
    [
        ("rain gauge", words("rain", "gauge")),
        ('"rain gauge"', (QueryClause((QueryWord("rain gauge", "phrase"),), required=True, quoted=True),)),
        ('"rain gauge', (QueryClause((QueryWord("rain gauge", "phrase"),), required=True, quoted=True),)),
        ('"gauge"', (QueryClause((QueryWord("gauge"),), required=True, quoted=True),)),
        ("gaug*", (QueryClause((QueryWord("gaug", "beginning"),)),)),
        ("rain OR snow", (QueryClause((QueryWord("rain"), QueryWord("snow"))),)),
        ("rain AND snow", words("rain", "snow", required=True)),
        ("+rain snow", (*words("rain", required=True), *words("snow"))),
        ("OR rain", words("OR", "rain")),
        ("rain OR", words("rain")),
        ("rain OR OR snow", (QueryClause((QueryWord("rain"), QueryWord("OR"))), *words("snow"))),
        ("foo_bar-1.2", words("foo_bar-1.2")),
        ("a/b", words("a", "b")),
        ("what:ever", words("what", "ever")),
        ("after:lunch", words("after", "lunch")),
        ("{rain}; (snow)^", words("rain", "snow")),
        ("title: rain", words("title", "rain")),
    ],
)
def test_words(typed: str, clauses: tuple[QueryClause, ...]) -> None:
    """Words, phrases and beginnings, what is required, alternatives; what is no syntax is words."""
    assert parse_query(typed) == SearchQuery(clauses)


def test_excluded_words_and_filters() -> None:
    """A minus or NOT excludes, fields choose documents, and both leave the other words as they are."""
    query = parse_query('rain -snow NOT "hail storm" source:handbook -type:pdf path:"a b/" after:2026-11 Title:x')
    assert query == SearchQuery(
        words("rain"),
        (QueryWord("snow"), QueryWord("hail storm", "phrase")),
        (
            QueryFilter("source", "handbook"),
            QueryFilter("type", "pdf", excluded=True),
            QueryFilter("path", "a b/"),
            QueryFilter("after", "2026-11"),
            QueryFilter("title", "x"),
        ),
    )


@pytest.mark.parametrize(
    "typed",
    ["", " ", '"', '""', "*", "-", "()", "…", "\x00", "\ud800", "' '", "^ : ~", "_ _", "ـ", "ـ* -ۥ", '"ـ ʼ"', "ﱞ"],
)
def test_without_a_word_there_is_nothing(typed: str) -> None:
    """Signs alone are no query, and neither is half a character."""
    assert parse_query(typed).is_empty


@settings(max_examples=300, deadline=None)
@example(typed="㈀")
@given(
    typed=st.text(max_size=60)
    | st.lists(
        st.sampled_from(["OR", "AND", "NOT", '"', "-", "+", "a", "after:", "*", ":", " ", "ـ"]), max_size=20
    ).map(" ".join)
)
def test_no_query_fails(typed: str) -> None:
    """Whatever is typed is understood, and every word in it can be looked for."""
    query = parse_query(typed)
    for word in (*query.excluded, *(word for clause in query.clauses for word in clause.words)):
        assert any(sign.isalnum() for sign in fold(word.text))
    for term in (*search_terms(query, ["en", "ar"]), *excluded_terms(query, ["en", "ar"])):
        assert term.sequences
        assert all(all(sequence) for sequence in term.sequences)


@pytest.mark.parametrize(
    "typed",
    ['"' + "rain " * 5_000 + '"', "東京" * 5_000, "a.b_" * 5_000, "rain OR " * 5_000],
    ids=["phrase", "characters", "identifier", "alternatives"],
)
def test_no_query_looks_for_thousands_of_terms(typed: str) -> None:
    """A phrase, an identifier and alternatives of thousands of words are cut, as a query of so many words is."""
    terms = search_terms(parse_query(typed), ["en"])
    assert 1 <= len(terms) <= MAX_WORDS + 1
    assert all(len(sequence) <= MAX_WORDS for term in terms for sequence in term.sequences)


@pytest.mark.parametrize("day", ["2026-13", "2026-02-30", "0000", "٢٠٢٦"])
def test_what_is_no_day_is_words(day: str) -> None:
    """A month or a day that does not exist chooses nothing; as an option it is an error."""
    assert parse_query(f"after:{day}").filters == ()
    with pytest.raises(UsageError, match="is no day"):
        query_filters(after=day)
