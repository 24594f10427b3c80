"""Rows of tables as texts, by the columns that a collection chose."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_tui.extraction.tables.table import build_table
from ingest_tui.model.chunk_limits import ChunkLimits, ChunkRules
from ingest_tui.model.chunking import split_into_chunks
from ingest_tui.model.collection import CollectionPreferences

TABLE = """\
| id | place |  | note |
| --- | --- | --- | --- |
| 1 | Ulm | x | a \\| b |
| 2 |  | y | c |
| 3 | Bonn | z |  |
"""


def chunks(markdown: str, *, text: tuple[str, ...] = (), context: tuple[str, ...] = (), size: int = 1500) -> list[str]:
    limits = ChunkLimits(ChunkRules(size, text_columns=text, context_columns=context))
    return [chunk.text for chunk in split_into_chunks(markdown, (), limits)]


def test_rows_are_lines_of_names_and_values_below_their_context() -> None:
    """Chosen columns are in the text, context first; empty cells and rows that are only context are not."""
    assert chunks(TABLE, text=("note",), context=("place",)) == ["place: Ulm\nnote: a | b\n\nnote: c"]


def test_without_chosen_text_all_named_columns_are_text() -> None:
    """A column without a name is never part of the text of a row."""
    assert chunks(TABLE, context=("place",)) == [
        "place: Ulm\nid: 1\nnote: a | b\n\nid: 2\nnote: c\n\nplace: Bonn\nid: 3"
    ]


@pytest.mark.parametrize("text", [(), ("title",), ("Note",)])
def test_a_table_without_the_chosen_columns_stays_a_table(text: tuple[str, ...]) -> None:
    """What the preferences do not name is read as if there were none."""
    assert chunks(TABLE, text=text) == [TABLE.rstrip("\n")]


def test_whole_rows_are_gathered_with_where_they_are() -> None:
    """Chunks end between rows, and their offsets are those of their rows in the table."""
    markdown = "# Places\n\n| id | note |\n| --- | --- |\n" + "\n".join(f"| {n} | {'word ' * 9}|" for n in range(40))
    limits = ChunkLimits(ChunkRules(300, text_columns=("note", "id")))
    found = split_into_chunks(markdown, (), limits)
    assert all(one.heading_path == ("Places",) and one.text.count("id: ") == one.text.count("note: ") for one in found)
    assert [markdown[one.start : one.end].count("\n") + 1 for one in found] == [one.text.count("id: ") for one in found]
    assert sum(one.text.count("id: ") for one in found) == 40


def test_a_row_that_is_too_large_repeats_its_context() -> None:
    """Each piece of a long value has the context and the name of its column."""
    found = chunks(f"| a | b |\n| --- | --- |\n| here | {'word ' * 200}|\n", text=("b",), context=("a",), size=300)
    assert len(found) > 3
    assert all(one.startswith("a: here\nb: word") and len(one) <= 300 for one in found)
    assert sum(one.count("word") for one in found) == 200


def test_columns_of_a_table_without_names_can_be_chosen() -> None:
    """They are called by their number, in the text of the rows as among the columns."""
    table = build_table("", [["5", "a"], ["6", "b"]])
    assert table is not None
    assert table.columns == ["column_1", "column_2"]
    assert chunks(table.markdown, text=("column_2",)) == ["column_2: a\n\ncolumn_2: b"]


def test_preferences_are_rules_of_chunks() -> None:
    """The columns of a collection are part of its rules, which keep their form in JSON; none leaves no trace in it."""
    rules = CollectionPreferences(text_columns=("a",), context_columns=("b",)).chunk_rules()
    assert ChunkRules.of({**rules.as_dict(), "text_columns": ["a"]}) == rules
    assert set(ChunkRules().as_dict()) == {"size", "overlap", "unit", "tokenizer"}


CELLS = st.text(st.sampled_from("ab |\\\nä€"), max_size=400)


@settings(deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=5), st.integers(64, 300))
def test_no_row_makes_a_chunk_too_large_and_no_chosen_word_is_lost(rows: list[tuple[str, ...]], size: int) -> None:
    """Whatever is in the cells, chunks keep their limit, and the letters of chosen cells are all there."""
    table = build_table("", [("one", "two", "three"), *rows], is_named=True)
    assert table is not None
    found = chunks(table.markdown, text=("one", "two"), size=size)
    assert all(len(one) <= size for one in found)
    letters = "".join(cell for row in rows for cell in row[:2])
    said = "".join(line.partition(": ")[2] for one in found for line in one.split("\n"))
    assert {letter: said.count(letter) for letter in "äb€"} == {letter: letters.count(letter) for letter in "äb€"}
