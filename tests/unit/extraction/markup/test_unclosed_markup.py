"""Pages in which thousands of comments, tags and rules are never closed take as long as others of their size."""

from __future__ import annotations

import time

import pytest

from ingest_tui.extraction.markup.list_numbers import with_marked_numbers
from ingest_tui.extraction.markup.row_spans import with_spans_within_parts
from ingest_tui.extraction.markup.shown_parts import convert_shown
from ingest_tui.extraction.markup.table_heads import with_marked_heads
from ingest_tui.extraction.office.word_heads import with_marked_heads as with_marked_heads_of_word

TIMES = 200_000


def as_it_is(html: str) -> str:
    return html


PASSES = {
    "heads": (with_marked_heads, "<table><tr><th>a</th></tr></table>", ("<!-- ", "<th ", "</table ", "<tr ")),
    "spans": (with_spans_within_parts, "<table><tr><td rowspan=1>a</table>", ("<!-- ", "<td ", "<td rowspan=")),
    "numbers": (with_marked_numbers, "<ol reversed><li>a</ol>", ("<!-- ", "<li ", "<ol ", "<li value=")),
    "numbers of items": (with_marked_numbers, "<ol><li value=3>a</ol>", ("<ol reverse ", "<li><p ", " " * 9)),
}
CASES = [(kind, unclosed) for kind, (_, _, all_unclosed) in PASSES.items() for unclosed in all_unclosed]
STYLES = ["@media ", "@media{", "/*", "a{", "x", "}", ";", "@media{a{}", ".a "]


@pytest.mark.parametrize(("kind", "unclosed"), CASES)
def test_unclosed_tags_and_comments_are_looked_at_once(kind: str, unclosed: str) -> None:
    """What is never closed goes to the end of the page; looked for from each, it would take minutes."""
    convert, page, _ = PASSES[kind]
    before = time.process_time()
    assert convert(page + unclosed * TIMES).startswith(page.removesuffix("a</ol>"))
    assert time.process_time() - before < 20


def test_spaces_before_a_number_that_is_none_are_looked_at_once() -> None:
    """The number of an item or of rows may be after spaces, before and after its quotation mark."""
    spaces = " " * TIMES
    for page in (
        f"<table><tr><td rowspan={spaces}x>a</table>",
        f"<ol reversed start={spaces}x><li value={spaces}x></ol>",
    ):
        before = time.process_time()
        with_marked_numbers(with_marked_heads(with_spans_within_parts(page)))
        assert time.process_time() - before < 20


@pytest.mark.parametrize("unclosed", STYLES)
def test_unclosed_rules_of_styles_are_looked_at_once(unclosed: str) -> None:
    """What is never closed in a style sheet goes to its end."""
    page = f"<style>{unclosed * TIMES}</style><textarea class=a>words</textarea>"
    before = time.process_time()
    assert "words" in convert_shown(page, as_it_is)
    assert time.process_time() - before < 20


@pytest.mark.parametrize("unclosed", ["<w:tc ", "<w:tc><w:vMerge ", "<w:p ", "<w:tr ", "<w:tblHeader "])
def test_unclosed_tags_of_word_are_looked_at_once(unclosed: str) -> None:
    """A row of a head with parts that are never closed."""
    row = "<w:tr ><w:tblHeader/>"
    xml = f"<w:tbl >{row}</w:tr>{row}<w:tc >{unclosed * TIMES}</w:tr><w:tr ></w:tr></w:tbl>"
    before = time.process_time()
    assert len(with_marked_heads_of_word(xml)) >= len(xml)
    assert time.process_time() - before < 20
