"""Text with pipes reads as it is written, and is no table."""

from __future__ import annotations

import pytest

from ingest_tui.extraction.markup.literal_text import labelled, literal
from ingest_tui.extraction.parse import extract_text
from ingest_tui.model.markdown_blocks import split_blocks

TYPED = "| Pump | Size |\n|======|======|\n| A1   | 7    |\n|      | wide |"


@pytest.mark.parametrize(
    ("name", "around"),
    [
        ("a.eml", "From: a@example.org\nSubject: pumps\nContent-Type: text/plain\n\n{}\n"),
        ("a.rst", "see |release| and\n\n{}\n\n| line of an\n| address\n"),
        ("a.adoc", "A text\n\n{}\n"),
    ],
)
def test_lines_with_pipes_read_as_they_are_written(name: str, around: str) -> None:
    """Tables that somebody typed, and line blocks, have no backslashes where markdown sees no table anyway."""
    written = around.format(TYPED)
    markdown = extract_text(written, name)
    assert [line for line in markdown.split("\n") if "|" in line] == [
        line for line in written.split("\n") if "|" in line
    ]
    assert "table" not in {block.kind for block in split_blocks(markdown)}


@pytest.mark.parametrize("line", ["---|---", "|-|", "- |", "  | :-: |", "> --- | ---", "-|", "====", "---"])
def test_only_a_line_that_would_make_a_table_or_heading_is_apart(line: str) -> None:
    """It has a blank line before it; what is in the lines is as it is written."""
    assert literal(f"a | b\n{line}\n| 1 | 2 |", keeps_quotes=True) == f"a | b\n\n{line}\n| 1 | 2 |"


def test_a_text_with_a_pipe_is_next_to_its_label() -> None:
    """Only a table is below it, and what follows that; both belong to the item or the note."""
    table = "| a |\n| --- |\n| b |"
    assert labelled("- Ann:", ["| see", table]) == "- Ann: | see\n\n  | a |\n  | --- |\n  | b |\n"
    assert labelled("[^1]:", [table, "end"]) == "[^1]:\n\n    | a |\n    | --- |\n    | b |\n\n    end"


def test_titles_above_a_table_are_text() -> None:
    """A line of a csv that looks like a heading is none, and one with a pipe reads as it is written."""
    markdown = extract_text("# of pumps\nNorth | South\na,b,c\n1,2,3\n4,5,6\n", "a.csv")
    assert markdown.startswith("\\# of pumps\nNorth | South\n\n| a | b | c |\n")


@pytest.mark.parametrize(
    "line",
    [
        "<?php",
        "<!DOCTYPE html>",
        "<![CDATA[ x",
        "<div",
        "</Table>",
        "<hr/>",
        "<h1 class='a'>x",
        "<x-y a='b>c'>",
        "</x>",
    ],
)
def test_a_line_that_begins_raw_html_has_a_backslash(line: str) -> None:
    """Each of the kinds of CommonMark, in a list and a quote as well."""
    assert literal(f"a\n{line}\n- {line}") == f"a\n\\{line}\n- \\{line}"
    assert literal(f"> {line}", keeps_quotes=True) == f"> \\{line}"


@pytest.mark.parametrize("line", ["<http://a.example>", "<a@b.example>", "<b>bold</b> text", "< div>", "<divine x"])
def test_a_line_that_begins_no_raw_html_has_no_backslash(line: str) -> None:
    """Addresses, and tags with text after them, begin no block."""
    assert literal(line) == line
