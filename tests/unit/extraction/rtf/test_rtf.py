"""Rich Text Format: words whole, by the code pages of their fonts, with what is around them."""

from __future__ import annotations

import pytest

from ingest_tui.extraction.parse import extract, extract_text


def rtf(body: bytes) -> str:
    return extract_text(rb"{\rtf1\ansi " + body + b"}", ".rtf")


def test_words_are_not_cut_where_their_format_changes() -> None:
    """Groups and control words within a word leave no gap; ends of sections and pages end a paragraph."""
    assert rtf(rb"Pro{\b ject}X a\b b\b0 c\sect two\page three\par") == "ProjectX abc\n\ntwo\n\nthree\n"


@pytest.mark.parametrize(
    ("head", "body", "text"),
    [
        (rb"\mac", rb"caf\'8e", "café"),
        (rb"\pc", rb"caf\'82", "café"),
        (rb"\ansi\ansicpg850", rb"caf\'82", "café"),
        (rb"\mac\ansicpg1252", rb"caf\'e9", "café"),
        (rb"\ansi\ansicpg1251", rb"\'cf\'f0\'e8\'e2\'e5\'f2", "Привет"),
        (rb"\ansi{\fonttbl{\f0\fcharset204 A;}{\f1\fcharset128 B;}}", rb"\f0\'cf\'f0 {\f1\'93\'fa}\'e8", "Пр 日и"),
        (rb"\ansi{\fonttbl{\f3\fcharset2 Symbol;}}", rb"angle {\f3 a}", "angle α"),
        (rb"\ansi", rb"\u8364?\uc2\u26085\'93\'fa\uc0\u233 \uc1\u-10179?\u-8704?", "€日é😀"),
        (rb"\ansi", rb"{\upr{caf? \'80}{\*\ud{caf\u233? \u8364?}}} b", "café € b"),
        (rb"\ansi", rb"{\upr{a{b} c} d}{\upr{e}{\*\ud{f}}} g", "ab c def g"),
        (rb"\ansi", rb"\lquote a\rquote\~\emdash\{\\\}", "‘a’\u00a0—{\\}"),
    ],
)
def test_letters_are_those_of_their_code_page(head: bytes, body: bytes, text: str) -> None:
    """The code page of the document, of a font, and Unicode with surrogate pairs and what stands in for it."""
    assert extract_text(rb"{\rtf1" + head + b" " + body + rb"\par}", ".rtf").strip() == text


def test_nul_bytes_and_line_ends_are_no_text() -> None:
    """A file padded with NULs, or with any line ends, is still a document."""
    assert extract_text(b"{\\rtf1\\mac \\ansi\r\na\x00b\r\nc\\\r\nd\\par}\x00\x00", ".rtf") == "abc\n\nd\n"


def test_tables_have_their_rows() -> None:
    """Paragraphs within a cell stay in it; the text after the table does not."""
    row = rb"\trowd\cellx1\cellx2\pard\intbl %s\cell %s\cell\row"
    made = rb"before\par" + row % (rb"a\par b", b"c") + row % (b"d", b"") + rb"\pard after\par"
    assert rtf(made) == "before\n\n| a b | c |\n| --- | --- |\n| d |  |\n\nafter\n"


def test_what_is_around_the_text_is_read() -> None:
    """Headers, footers, notes with their marks, comments with their authors, and boxes; no pictures, no hidden text."""
    text = rtf(
        rb"{\header top\par}{\footer bottom\par}body{\footnote below} more{\footnote\ftnalt at the end}"
        rb" com{\*\atnauthor Ann}{\*\annotation too long}mented{\pict 00ff}{\v hidden}{\deleted gone}\par"
        rb"{\shp{\*\shpinst{\sp{\sn a}{\sv b}}{\shptxt boxed\par}}}{\*\unknown passed over}a\bin3 }}}b\par"
    )
    assert text.split("\n\n") == [
        *("body[^1] more[^e1] commented", "boxed", "ab", "[^1]: below", "[^e1]: at the end"),
        *("## Header", "top", "## Footer", "bottom", "## Comments", "- Ann: too long\n"),
    ]


def test_headings_lists_and_links() -> None:
    """Headings by outline level or by the name of their style, items by their marks, links with their targets."""
    content = (
        rb"{\rtf1{\stylesheet{\s1 heading 1;}{\s2\outlinelevel1 Custom;}}{\info{\title My title}{\author x}}"
        rb"\pard\s1 First\par\pard\s2 Second\par\pard{\listtext\'b7\tab}one\par{\listtext 2.\tab}two\par"
        rb'\pard{\field{\*\fldinst{HYPERLINK "https://example.org/rtf"}}{\fldrslt the {\b si}te}} end\par}'
    )
    extraction = extract(content, file_name="a.rtf")
    assert extraction.markdown.split("\n\n") == [
        *("# First", "## Second", "- one\n2. two", "[the site](https://example.org/rtf) end\n"),
    ]
    assert extraction.title == "My title"
    assert [one.target for one in extraction.links] == ["https://example.org/rtf"]


def test_a_document_that_is_cut_short_is_read_as_far_as_it_goes() -> None:
    """Open groups, notes and skipped parts end with the file."""
    assert extract_text(rb"{\rtf1 text{\b bold {\footnote note", ".rtf") == "textbold [^1]\n\n[^1]: note\n"
    assert extract_text(rb"{\rtf1 text\par {\pict 0011{{", ".rtf") == "text\n"


def test_an_item_does_not_join_a_paragraph_that_begins_with_a_digit() -> None:
    """A list begins with its first item, whatever the paragraph before it looks like; it ends with other text."""
    text = extract_text(
        rb"{\rtf1\ansi 2026 was good\par{\listtext 1.\tab}one\par{\listtext 2.\tab}two\par - text\par"
        rb"{\listtext 1.\tab}three\par}",
        ".rtf",
    )
    assert text == "2026 was good\n\n1. one\n2. two\n\n- text\n\n1. three\n"


@pytest.mark.parametrize("start", [rb"  {\rtf1 ", rb"{\pard ", b"\r\n{\\pard "])
def test_pieces_of_rtf_are_read_as_rtf(start: bytes) -> None:
    """Blank lines before it, or no first words, as some programs write it: its commands are no text."""
    assert extract_text(start + rb"ripe \b apples\par}", ".rtf").strip() == "ripe apples"


def test_a_text_under_the_name_of_rtf_is_a_text() -> None:
    """Braces alone make no RTF."""
    assert extract_text(b"{ripe apples}", ".rtf").strip() == "{ripe apples}"


def test_tables_in_comments_and_notes_are_tables() -> None:
    """A comment or a note with a table has it below its text; what follows is apart."""
    table = rb"\par\trowd\cellx1\cellx2\intbl A\cell B\cell\row\pard "
    comments = rb"{\*\atnauthor Ann}{\*\annotation see" + table + rb"end\par}{\*\atnauthor Bo}{\*\annotation next}"
    text = rtf(b"body" + comments + rb"{\footnote note" + table + rb"}\par")
    assert [block.strip("\n") for block in text.split("\n\n") if block.strip()] == [
        "body[^1]", "[^1]: note", "    | A | B |\n    | --- | --- |", "## Comments", "- Ann: see",
        "  | A | B |\n  | --- | --- |", "  end\n- Bo: next",
    ]  # fmt: skip
