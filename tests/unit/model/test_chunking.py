"""Where chunks begin, what they repeat, and which headings are above them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_tui.model import chunk_pieces
from ingest_tui.model.chunk_limits import DEFAULT_LIMITS, ChunkLimits, ChunkRules
from ingest_tui.model.chunk_pieces import text_pieces
from ingest_tui.model.chunking import split_into_chunks
from ingest_tui.model.markdown_blocks import MAX_HEADING_CHARACTERS, blocks_of_lines, plain_heading, split_blocks


def paths(markdown: str) -> list[tuple[str, ...]]:
    return [chunk.heading_path for chunk in split_into_chunks(markdown)]


@pytest.mark.parametrize(
    "fence",
    [
        "````markdown\n```sh\n# no heading\n```\n# none either\n````",
        "```\n```python\n# no heading\n```",
        "~~~py\n# no heading\n```\n~~~~",
        "1. Run this:\n\n    ```bash\n    # no heading\n\n    make\n    ```",
        "   ```\n# no heading\n   ```",
        "- ```py\n  # no heading\n  ```",
        "10. - ~~~\n      # no heading\n      ~~~",
        "> ```\n> # no heading\n>\n> ````",
        "> > 1. ~~~\n> > # never closed",
        "<!--\n# no heading\n\n# none either\n-->",
        "<pre>\n# no heading\n\n# none either\n</pre>",
    ],
)
def test_what_is_in_a_fence_opens_no_section(fence: str) -> None:
    """A fence ends at one of its own kind that is as long and has nothing after it, however it is indented."""
    assert paths(f"# Guide\n\n{fence}\n\n## Next\n\ntext") == [("Guide",), ("Guide", "Next")]


def test_code_within_a_line_opens_no_fence() -> None:
    """Three backticks that are closed in their line are code within a paragraph."""
    assert paths("# A\n\n```one line```\n\n# B\n\ntext") == [("A",), ("B",)]


@pytest.mark.parametrize("opening", ["      ```", "- ```py", "<!-- to do", "<pre>"])
def test_what_is_never_closed_is_text(opening: str) -> None:
    """An indented fence, one in a list or a comment without an end does not take the rest of the document."""
    assert paths(f"# A\n\n{opening}\n\n# B\n\ntext") == [("A",), ("B",)]


def test_underlined_lines_are_headings() -> None:
    """A paragraph with a line of = or - below it is a heading of level 1 or 2."""
    assert paths("Main\nTitle\n=====\n\nintro\n\nSub\n---\n\nbody") == [("Main Title",), ("Main Title", "Sub")]


@pytest.mark.parametrize(
    "text", ["- item\n---\n\nx", "| a | b |\n| --- | --- |\n| 1 | 2 |\n\nx", "---\ntitle: x\n---\n\nx"]
)
def test_other_lines_of_dashes_make_no_heading(text: str) -> None:
    """Below a list item, in a table and around the metadata on top, dashes are no underline."""
    assert set(paths(text)) == {()}


def test_a_long_line_is_no_heading() -> None:
    """A marked line of more than the limit is text, so that no path holds a whole paragraph."""
    long = "word " * MAX_HEADING_CHARACTERS
    assert set(paths(f"# A\n\n# {long}\n\n{long}\n---\n")) == {("A",)}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"Bookmarks, and fields\!", "Bookmarks, and fields!"),
        (r"field with \\l name", r"field with \l name"),
        ("`__init__` and **W**orld", "__init__ and World"),
        (r"The \`foo_bar\` call, `a\b`", r"The `foo_bar` call, a\b"),
        (r"path \\`foo\*_bar_` and \\\`_x_\`", r"path \foo\*_bar_ and \`x`"),
        (r"\``_a_`, ```_b_ and `` `_c_` ``", "`_a_, ```b and `_c_`"),
        ("a_b_c, 2 * 3 * 4", "a_b_c, 2 * 3 * 4"),
        ("[link](http://x.example/a) &amp; <b>more</b> ¶", "link & more"),
        ("***both*** and ~~old~~ _new_ __strong__", "both and old new strong"),
        ("C#", "C#"),
        ("List<String>, Map<K, V> and <i>Set</i>", "List<String>, Map<K, V> and Set"),
        ("[Lisp](http://x.example/Lisp_(language)) here", "Lisp here"),
    ],
)
def test_a_heading_is_read_as_people_read_it(written: str, read: str) -> None:
    """Escapes, emphasis, link targets, tags and entities of markdown are no part of a name; signs in names are."""
    assert plain_heading(written) == read


@given(rows=st.integers(1, 400), names=st.lists(st.text("ab|\\", min_size=1, max_size=30), min_size=2, max_size=9))
def test_each_piece_of_a_table_has_the_names_of_its_columns(rows: int, names: list[str]) -> None:
    """However long a table is, each piece begins with the row of names and the line below; no row is lost or cut."""
    head = "| " + " | ".join(name.replace("\\", "").replace("|", r"\|") for name in names) + " |"
    body = [f"| row {number} |" + " x |" * (len(names) - 1) for number in range(rows)]
    table = "\n".join([head, "|" + " --- |" * len(names), *body])
    chunks = split_into_chunks(table)
    assert all(chunk.text.startswith(head + "\n") for chunk in chunks)
    assert [line for chunk in chunks for line in chunk.text.split("\n")[2:]] == body


def test_a_quoted_table_repeats_its_names_too() -> None:
    """A table in a quotation is one; also a row of it that is too long."""
    rows = "\n".join(f"> | part {number} | {number} |" for number in range(300))
    chunks = split_into_chunks(f"> | Part | Count |\n> |---|---|\n{rows}\n")
    assert len(chunks) > 1
    assert all(chunk.text.startswith("> | Part | Count |\n> |---|---|\n") for chunk in chunks)


def test_a_row_that_is_too_long_is_cut_between_its_columns() -> None:
    """Each part of a row of two hundred columns still says which column a value belongs to."""
    head = "| " + " | ".join(f"name{number}" for number in range(200)) + " |"
    row = "| " + " | ".join(f"value of {number}" for number in range(200)) + " |"
    chunks = split_into_chunks("\n".join([head, "|" + " --- |" * 200, row]))
    found: dict[str, str] = {}
    for chunk in chunks:
        assert len(chunk.text) <= DEFAULT_LIMITS.largest
        names, _marks, values = chunk.text.split("\n")
        found |= dict(zip(names.split(" | "), values.split(" | "), strict=True))
    assert len(found) == 200
    assert found["name117"] == "value of 117"


def test_a_table_right_below_a_paragraph_is_a_table() -> None:
    """The paragraph above a table does not keep its pieces from having their names."""
    rows = "\n".join(f"| {number} | value {number} |" for number in range(200))
    chunks = split_into_chunks(f"Values:\n| key | meaning |\n|---|---|\n{rows}")
    assert chunks[0].text.startswith("Values:")
    assert all("| key | meaning |" in chunk.text for chunk in chunks[1:])


def test_each_piece_of_a_long_code_block_has_its_fence() -> None:
    """A code block that is too long is cut between lines, and each piece is a code block again."""
    code = "\n".join(f"line {number} of the program" for number in range(200))
    chunks = split_into_chunks(f"````sh\n{code}\n````")
    assert len(chunks) > 3
    assert all(chunk.text.startswith("````sh\n") and chunk.text.endswith("\n````") for chunk in chunks)
    assert "\n".join(chunk.text[7:-5] for chunk in chunks) == code


def test_a_long_code_block_that_begins_a_list_item_is_cut_as_code() -> None:
    """The mark of the item is no part of the fence that has to be closed."""
    code = "\n".join(f"  line {number} of the code" for number in range(200))
    chunks = split_into_chunks(f"- ```py\n{code}\n  ```\n")
    assert len(chunks) > 1
    assert all(chunk.text.startswith("- ```py\n") and chunk.text.endswith("\n  ```") for chunk in chunks)


@pytest.mark.parametrize("quote", ["> ", "> > "])
def test_a_long_code_block_in_a_quotation_is_cut_as_code(quote: str) -> None:
    """It ends with its fence, or with the quotation; each piece is quoted code again, and what follows is text."""
    code = "".join(f"{quote}line {number} of the code\n" for number in range(200))
    for closing in (f"{quote}```\n", ""):
        chunks = split_into_chunks(f"{quote}```py\n{code}{closing}\nafter")
        assert len(chunks) > 3
        assert all(f"\n{quote}```" in chunk.text for chunk in chunks)
        assert all(chunk.text.startswith(f"{quote}```py\n{quote}line ") for chunk in chunks)
        assert chunks[-1].text.endswith(f"\n{quote}```\n\nafter")


def test_what_a_long_opening_of_code_says_is_not_repeated() -> None:
    """The pieces of code have its language; a title that is written next to it is in one of them."""
    code = "\n".join(f"line {number}" for number in range(300))
    chunks = split_into_chunks(f"```python title='{'unheard of ' * 12}'\n{code}\n```")
    assert chunks[0].text.startswith("python title='unheard of")
    assert all(chunk.text.startswith("```python\nline ") and chunk.text.endswith("\n```") for chunk in chunks[1:])
    assert sum(chunk.text.count("title=") for chunk in chunks) == 1


def test_long_text_is_cut_at_the_ends_of_sentences() -> None:
    """A paragraph that is too long is cut after a sentence, also where no space follows it."""
    for sentence in ("This is a sentence of some words. ", "これは短い文です。"):
        chunks = split_into_chunks(sentence * 200)
        assert all(chunk.text.endswith(sentence.strip()) for chunk in chunks)


@given(st.text("ab#=-`~| \n\t1.>", max_size=300))
def test_blocks_hold_every_line_and_know_where_they_are(markdown: str) -> None:
    """Whatever the text, no line that is not blank is lost, and each block is found at its offset."""
    blocks = list(split_blocks(markdown))
    assert all(markdown.startswith(block.text, block.start) for block in blocks)
    lines = [line for block in blocks for line in block.text.split("\n") if line.strip()]
    assert lines == [line for line in markdown.split("\n") if line.strip()]


WORDS = "some words. And more " * 4
LINES = st.sampled_from(
    [
        *("", "  ", "# head", "---", "a|b", "---|---", "| x | y |", "| --- | --- |", "| 1 | 2 |", "```", "1. ~~~"),
        *("<!-- c", "-->", "- item", "| only", "    code", WORDS, f"{WORDS}|", f"| {WORDS}| 2 |"),
    ]
)


@given(st.lists(LINES, max_size=60), st.integers(200, 300))
def test_a_long_block_comes_in_parts(lines: list[str], long_from: int) -> None:
    """A text that comes in lines has the blocks that the whole has, however much of a long one is left in its rest."""
    joined = [
        (block.kind, "\n".join((block.text, *block.rest)), block.start, block.name, block.gap)
        for block in blocks_of_lines(lines, long_from=long_from)
    ]
    whole = split_blocks("\n".join(lines))
    assert joined == [(block.kind, block.text, block.start, block.name, block.gap) for block in whole]


def test_what_is_left_of_a_long_block_is_skipped() -> None:
    """Who does not read the rest of a block finds the next one where it begins."""
    blocks = list(blocks_of_lines(["| a | b |", "| --- | --- |", *["| 1 | 2 |"] * 99, "", "# Next"], long_from=200))
    assert [(block.kind, block.start) for block in blocks] == [("table", 0), ("heading", 1015)]


@given(st.lists(st.sampled_from(["some words. And more", "w" * 300, "one", " "]), min_size=1), st.integers(1, 400))
def test_a_long_text_is_cut_the_same_in_parts(lines: list[str], look_ahead: int) -> None:
    """Pieces, where they are, and what is between them, are those of the text as one."""
    limits = ChunkLimits(ChunkRules(size=200))
    whole = list(text_pieces("\n".join(lines), 7, limits, 130))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunk_pieces, "_LOOK_AHEAD", look_ahead)
        assert list(text_pieces(lines[0], 7, limits, 130, lines[1:])) == whole


def test_a_table_longer_than_what_is_kept_has_the_same_chunks() -> None:
    """Of a table of megabytes the rows and columns that were chosen are texts as those of a short one."""
    head = "| town | people |\n| --- | --- |"
    rows = "\n".join(f"| town {number} | {WORDS * 2} |" for number in range(9_000))
    for rules in (ChunkRules(), ChunkRules(context_columns=("town",))):
        chunks = split_into_chunks(f"{head}\n{rows}\n\nthe end", limits=ChunkLimits(rules))
        assert chunks[-1].text.endswith("the end")
        named = re.findall(r"town (\d+)", "\n".join(chunk.text for chunk in chunks))
        assert list(map(int, named)) == list(range(9_000))
        assert all(chunk.text.startswith(head) is not bool(rules.context_columns) for chunk in chunks[:-1])
