"""Snippets from the original text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest_tui.model.snippet import MATCH_END, MATCH_START, make_snippet


def test_marks_what_was_found_in_the_original_text() -> None:
    """Each match is marked as it is written; matches that overlap are marked once."""
    text = "a **W**orldwide net of 快乐教程"
    assert make_snippet(text, [(4, 15), (23, 25), (24, 26)]) == "a **\x02W**orldwide\x03 net of \x02快乐教\x03程"


def test_shows_the_part_with_the_most_different_matches() -> None:
    """A long text is cut between words, around the place where most words of the query are together."""
    text = "rain " * 100 + "the rain gauge of the station " + "snow " * 100
    places = [(at, at + 4) for at in range(0, 500, 5)] + [(504, 508), (509, 514)]
    snippet = make_snippet(text, places)
    assert f"{MATCH_START}rain{MATCH_END} {MATCH_START}gauge{MATCH_END}" in snippet
    assert snippet.startswith("…")
    assert snippet.endswith("…")
    assert len(snippet) < 320


def test_without_a_match_it_is_the_beginning() -> None:
    """A document that was found by its name shows how it begins."""
    assert make_snippet("word " * 100, []).startswith("word word")


@given(st.text("ab \n", max_size=500), st.lists(st.tuples(st.integers(0, 480), st.integers(1, 30)), max_size=8))
def test_a_snippet_is_a_part_of_the_text(text: str, places: list[tuple[int, int]]) -> None:
    """Whatever matched, without its marks the snippet is in the text, and every mark that opens is closed."""
    matches = [(start, min(len(text), start + length)) for start, length in places if start < len(text)]
    snippet = make_snippet(text, matches)
    assert snippet.replace(MATCH_START, "").replace(MATCH_END, "").strip("…") in text
    assert snippet.count(MATCH_START) == snippet.count(MATCH_END)
