"""What chunking promises for any markdown."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest_tui.extraction.backends.base import join_pages
from ingest_tui.model.chunk_limits import DEFAULT_LIMITS, ChunkLimits, ChunkRules
from ingest_tui.model.chunking import split_into_chunks
from ingest_tui.store.chunk_tokens import Tokens
from tests.made_tokenizers import TOKENIZERS

word = st.text("abcdeé日", min_size=1, max_size=12)
sentence = st.lists(word, min_size=1, max_size=40).map(lambda words: " ".join(words) + ".")
long_line = st.builds(lambda stem, number: " ".join(f"{stem}{n}" for n in range(number)), word, st.integers(150, 400))
title = st.text("XYZ", min_size=1, max_size=6)  # no letter of a word, so that titles and text are distinguished
heading = st.tuples(st.integers(1, 6), st.lists(title, min_size=1, max_size=4)).map(
    lambda parts: "#" * parts[0] + " " + " ".join(parts[1])
)
fence = st.lists(sentence | heading | st.just(""), max_size=4).map(lambda lines: "\n".join(["```", *lines, "```"]))
paragraph = st.lists(sentence | long_line, min_size=1, max_size=4).map("\n".join)
short_lines = st.lists(sentence, min_size=1, max_size=8).map("\n".join)  # none is too long for a row of a table
block = paragraph | heading | fence | st.just("")
markdown = st.lists(block, max_size=8).map("\n\n".join)
prose = st.lists(paragraph, max_size=6).map("\n\n".join)
row = st.lists(st.text("abcde \\", max_size=30), min_size=1, max_size=12).map(
    lambda cells: "| " + " | ".join(cells) + " |"
)
table = st.builds(
    lambda quote, names, rows: "\n".join(
        quote + line for line in ("| " + " | ".join(names) + " |", "|" + "---|" * len(names), *rows)
    ),
    st.sampled_from(["", "> "]),
    st.lists(title, min_size=1, max_size=12),
    st.builds(lambda rows, times: rows * times, st.lists(row, max_size=4), st.integers(1, 40)),
)
code = st.builds(
    lambda lines, times: "\n".join(["````", *lines * times, "````"]), st.lists(sentence), st.integers(1, 20)
)
structured = st.lists(block | table | code, max_size=6).map("\n\n".join)
OWN_WORD = re.compile("[abcdeé日]+")
LONG_LINES = "\n".join(" ".join(f"word{number:04}" for number in range(200)) for _ in range(2))


@given(text=prose)
@example(text=LONG_LINES)
def test_every_word_is_in_exactly_one_chunk_and_in_order(text: str) -> None:
    """Cutting a text loses no word, doubles none, cuts none in two and keeps their order."""
    words = [word for chunk in split_into_chunks(text) for word in chunk.text.split()]
    assert words == text.split()


@given(text=markdown)
def test_words_outside_headings_are_kept(text: str) -> None:
    """With headings and fences between them, paragraphs and fenced blocks still arrive whole and in order."""
    fenced, body = False, []
    for line in text.split("\n"):
        if line.startswith("```"):
            fenced = not fenced
        if fenced or not line.startswith("#"):
            body += line.split()
    words = [
        word
        for chunk in split_into_chunks(text)
        if not chunk.heading_path or chunk.text != chunk.heading_path[-1]
        for word in chunk.text.split()
    ]
    assert words == body


@given(text=markdown | st.text(max_size=3000) | st.text("ab \n#`", max_size=4000))
@example(text="# " + "x" * (DEFAULT_LIMITS.largest + 1))
@example(text="#  ")
@example(text="# \xa0")
@example(text="y" * (3 * DEFAULT_LIMITS.largest))
@example(text=LONG_LINES)
def test_no_chunk_is_larger_than_the_limit(text: str) -> None:
    """No chunk is empty or longer than the limit, whatever the text looks like."""
    for chunk in split_into_chunks(text):
        assert 0 < len(chunk.text) <= DEFAULT_LIMITS.largest
        assert chunk.text.strip()


@given(text=markdown)
def test_same_text_gives_the_same_chunks(text: str) -> None:
    """Chunks depend on the text alone."""
    assert split_into_chunks(text) == split_into_chunks(str(text.encode(), "utf-8"))


@given(sections=st.lists(st.tuples(st.integers(1, 6), word, sentence), min_size=1, max_size=12))
def test_heading_path_is_that_of_the_open_sections(sections: list[tuple[int, str, str]]) -> None:
    """A chunk carries the headings above it, from the outermost to its own."""
    text = "\n\n".join(f"{'#' * level} {name}\n\n{body}" for level, name, body in sections)
    expected: list[tuple[tuple[str, ...], str]] = []
    open_sections: list[tuple[int, str]] = []
    for level, name, body in sections:
        open_sections = [section for section in open_sections if section[0] < level] + [(level, name)]
        expected.append((tuple(name for _, name in open_sections), body))
    assert [(chunk.heading_path, chunk.text) for chunk in split_into_chunks(text)] == expected


@given(name=st.lists(st.text("abc#+-", min_size=1, max_size=4), min_size=1, max_size=3).map(" ".join))
@example(name="C#")
@example(name="Notes on F# and C#")
def test_heading_keeps_its_name(name: str) -> None:
    """A heading is what is behind its marks; only a closing sequence behind a space does not belong to it."""
    words = name.split(" ")
    if len(words) > 1 and not words[-1].strip("#"):
        words.pop()
    if not words[-1].strip("#"):
        return
    chunks = split_into_chunks(f"# {name}\n\ntext")
    assert chunks[0].heading_path == (" ".join(words),)


def test_heading_in_a_fence_is_text() -> None:
    """A line of code that starts with a hash opens no section."""
    chunks = split_into_chunks("# Shell\n\n```\n# comment\n\nls\n```\n\nafter")
    assert [chunk.heading_path for chunk in chunks] == [("Shell",)]
    assert "# comment" in chunks[0].text


def test_empty_sections_are_still_found() -> None:
    """A heading with nothing under it is a chunk of its own, so that a search finds it."""
    chunks = split_into_chunks("# Part\n## Appendix\n")
    assert [(chunk.heading_path, chunk.text) for chunk in chunks] == [
        (("Part",), "Part"),
        (("Part", "Appendix"), "Appendix"),
    ]


@given(text=structured, lead=st.sampled_from(["", "\n\n", "---\nX: Y\n---\n"]))
@example(text=LONG_LINES, lead="")
@example(text="| X |\n|---|\n" + "| a b |\n" * 3 + "| " + "abc " * 700 + "|\n| d |\n", lead="")
def test_the_words_of_a_chunk_are_between_its_offsets(text: str, lead: str) -> None:
    """What a chunk holds is found between its offsets, but for heads that it repeats, and chunks do not overlap."""
    markdown = lead + text
    chunks = split_into_chunks(markdown)
    for chunk in chunks:
        assert 0 <= chunk.start < chunk.end <= len(markdown)
        there = markdown[chunk.start : chunk.end]
        assert OWN_WORD.findall(chunk.text) == OWN_WORD.findall(there)
        assert there == there.strip()
    assert all(one.end <= other.start for one, other in pairwise(chunks))
    found = Counter(word for chunk in chunks for word in OWN_WORD.findall(chunk.text))
    assert found == Counter(OWN_WORD.findall(text))


@given(
    parts=st.lists(
        st.tuples(short_lines | heading | fence | table | code, st.sampled_from(["\n", "\n\n", "\n\n \n\n"]))
    ),
    overlap=st.sampled_from([0, 200]),
)
@example(parts=[("one", "\n"), ("```\ncode\n```", "\n"), ("two", "\n\n\n"), ("three", "")], overlap=0)
@example(parts=[("> ~~~\n" + "> a line of code\n" * 200 + "> ~~~", "\n"), ("after", "")], overlap=0)
def test_a_chunk_is_the_text_between_its_offsets(parts: list[tuple[str, str]], overlap: int) -> None:
    """A chunk is what the document has between its offsets, to the letter, but for lines of heads that it repeats."""
    markdown = "".join(text + gap for text, gap in parts)
    lines = markdown.split("\n")
    for chunk in split_into_chunks(markdown, (), ChunkLimits(ChunkRules(overlap=overlap))):
        there = markdown[chunk.start : chunk.end]
        if chunk.heading_path and chunk.text == chunk.heading_path[-1]:
            assert chunk.text in there
            continue
        before, own, after = chunk.text.partition(there)
        assert own
        assert all(line in lines for line in (*before.split("\n")[:-1], *after.split("\n")[1:]))


@pytest.mark.slow
@given(pages=st.lists(prose, min_size=1, max_size=5))
def test_a_chunk_is_on_the_page_on_which_it_begins(pages: list[str]) -> None:
    """Page numbers follow from the offsets of chunks and pages."""
    markdown, starts = join_pages([page.strip() for page in pages])
    for chunk in split_into_chunks(markdown, starts):
        assert chunk.page is not None
        end = (*starts, len(markdown))[chunk.page]
        assert starts[chunk.page - 1] <= chunk.start < end


@st.composite
def chosen_limits(draw: st.DrawFn) -> ChunkLimits:
    """Any limits in characters that a collection may have."""
    largest = draw(st.integers(200, 1500))
    return ChunkLimits(ChunkRules(largest, draw(st.integers(0, largest // 2))))


@given(text=structured | markdown | st.text("ab.\n |`-#>", max_size=3000), limits=chosen_limits())
@example(text=f"```\n\n{'word ' * 100}\n```", limits=ChunkLimits(ChunkRules(200, 93)))
def test_chosen_sizes_are_hard_bounds(text: str, limits: ChunkLimits) -> None:
    """Whatever size and overlap a collection has, no chunk is larger, also with what it repeats."""
    for chunk in split_into_chunks(text, (), limits):
        assert 0 < len(chunk.text) <= limits.rules.size
        assert 0 <= chunk.start < chunk.end <= len(text)


@given(text=structured, limits=chosen_limits())
def test_an_overlap_repeats_text_only_and_loses_none(text: str, limits: ChunkLimits) -> None:
    """Own words are where the offsets say, in order; only paragraphs are repeated, from their own section."""
    chunks = split_into_chunks(text, (), limits)
    for chunk in chunks:
        assert OWN_WORD.findall(chunk.text) == OWN_WORD.findall(text[chunk.start : chunk.end])
    for before, chunk in pairwise(chunks):
        assert before.start <= chunk.start
        assert before.end < chunk.end
        if chunk.start < before.end:
            assert chunk.heading_path == before.heading_path
            repeated = text[chunk.start : before.end]
            assert len(repeated) <= limits.rules.overlap
            assert "|" not in repeated
            assert "```" not in repeated
    found = {at for one in chunks for at in range(one.start, one.end)}
    assert not OWN_WORD.search("".join(letter for at, letter in enumerate(text) if at not in found))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(TOKENIZERS))
@given(text=structured | st.text("aé日本😀 .\n|,", max_size=2000), overlap=st.integers(0, 32))
@settings(max_examples=25)
def test_sizes_in_tokens_are_hard_bounds(name: str, text: str, overlap: int) -> None:
    """However a tokenizer cuts words and characters, no chunk has more tokens than its collection allows."""
    tokens = Tokens(TOKENIZERS[name])
    chunks = split_into_chunks(text, (), ChunkLimits(ChunkRules(64, overlap, "tokens"), tokens))
    assert max([tokens.size(chunk.text) for chunk in chunks], default=0) <= 64
    found = {at for one in chunks for at in range(one.start, one.end)}
    assert not OWN_WORD.search("".join(letter for at, letter in enumerate(text) if at not in found))
