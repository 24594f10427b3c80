"""On which page an offset is, and what a record says of that."""

from __future__ import annotations

from typing import Any

import pytest

from ingest_tui.extraction.backends.base import join_pages
from ingest_tui.extraction.intake.decoding import normalise_pages, normalise_text
from ingest_tui.model.pages import end_pages, page_at, page_starts_of


def test_an_offset_is_on_the_page_that_began_last() -> None:
    """A page without text has no character; before the first page and without pages there is no number."""
    text, starts = join_pages(["one", "", "three", ""])
    assert (text, starts) == ("one\n\nthree\n", [0, 5, 5, 12])
    assert [page_at(starts, offset) for offset in (0, 4, 5, 10)] == [1, 1, 3, 3]
    assert page_at([], 3) is None
    assert page_at([2], 1) is None


def test_documents_without_text_have_no_pages_to_find() -> None:
    """Blank pages alone are an empty text."""
    assert join_pages(["", ""]) == ("", [])


@pytest.mark.parametrize("page", ["a\r\nb\x00", "a  \nb\t", "\ud83d\ude00 x", "plain"])
def test_pages_begin_where_they_did_after_the_text_is_normalised(page: str) -> None:
    """Characters that are taken out on one page move the pages after it."""
    text, starts = join_pages([page] * 5)
    clean, moved = normalise_pages(text, starts)
    assert clean == normalise_text(text)
    assert [page_at(moved, offset) for offset in moved] == [1, 2, 3, 4, 5]
    assert all(clean.startswith(normalise_text(page), start) for start in moved)


@pytest.mark.parametrize(
    "kept", [None, 3, "12", {"0": 1}, [0, "5"], [0, None], [5, 0], [True], [0.5], [-3, 5], [7, -3]]
)
def test_what_a_damaged_record_says_of_pages_is_not_believed(kept: Any) -> None:
    """Only a rising list of offsets is one."""
    assert page_starts_of({"page_starts": kept}) == []
    assert page_starts_of({}) == []


def test_page_starts_of_a_record_are_read() -> None:
    """Two pages may begin at one offset: the first of them is blank."""
    assert page_starts_of({"page_starts": [0, 7, 7]}) == [0, 7, 7]


def test_what_follows_the_pages_is_on_none() -> None:
    """The pages may end before the text does; that is kept when characters are taken out, and in a record."""
    text, starts = join_pages(["a\r\nb", "c"])
    clean, moved = normalise_pages(f"{text}\nmore", end_pages(starts, len(text) + 1))
    assert (clean[:4], clean[5], moved) == ("a\nb\n", "c", [0, 5, -8])
    assert [page_at(moved, offset) for offset in (0, 4, 5, 7, 8, 11)] == [1, 1, 2, 2, None, None]
    assert page_starts_of({"page_starts": moved}) == moved
    assert end_pages([], 5) == []
