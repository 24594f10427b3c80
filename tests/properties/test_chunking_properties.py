"""What chunking promises for any markdown."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from ingest_tui.model.chunking import MAX_CHARACTERS, split_into_chunks

word = st.text("abcdeé日", min_size=1, max_size=12)
sentence = st.lists(word, min_size=1, max_size=40).map(lambda words: " ".join(words) + ".")
long_line = st.builds(lambda stem, number: " ".join(f"{stem}{n}" for n in range(number)), word, st.integers(150, 400))
title = st.text("XYZ", min_size=1, max_size=6)  # no letter of a word, so that titles and text are told apart
heading = st.tuples(st.integers(1, 6), st.lists(title, min_size=1, max_size=4)).map(
    lambda parts: "#" * parts[0] + " " + " ".join(parts[1])
)
fence = st.lists(sentence | heading | st.just(""), max_size=4).map(lambda lines: "\n".join(["```", *lines, "```"]))
paragraph = st.lists(sentence | long_line, min_size=1, max_size=4).map("\n".join)
block = paragraph | heading | fence | st.just("")
markdown = st.lists(block, max_size=8).map("\n\n".join)
prose = st.lists(paragraph, max_size=6).map("\n\n".join)
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
@example(text="# " + "x" * (MAX_CHARACTERS + 1))
@example(text="#  ")
@example(text="# \xa0")
@example(text="y" * (3 * MAX_CHARACTERS))
@example(text=LONG_LINES)
def test_no_chunk_is_larger_than_the_limit(text: str) -> None:
    """No chunk is empty or longer than the limit, whatever the text looks like."""
    for chunk in split_into_chunks(text):
        assert 0 < len(chunk.text) <= MAX_CHARACTERS
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
    """A heading is what stands behind its marks; only a closing sequence behind a space does not belong to it."""
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
