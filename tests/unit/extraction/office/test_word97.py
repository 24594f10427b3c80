"""Documents of Word 97 to 2003: tables as tables, and the texts around the body."""

from __future__ import annotations

import struct

import pytest

from ingest_tui.extraction.parse import extract, extract_text
from ingest_tui.model.errors import ItemError
from tests.made_ole_files import doc

IN_TABLE = struct.pack("<HHB", 0, 0x2416, 1)
ROW_END = IN_TABLE + struct.pack("<HB", 0x2417, 1)
HEADING_2 = struct.pack("<H", 2)
OUTLINED = struct.pack("<HHB", 0, 0x2640, 0)


def blocks(content: bytes) -> list[str]:
    return [block for block in extract_text(content, ".doc").strip().split("\n\n") if block]


@pytest.mark.parametrize("codec", ["utf-16-le", "cp1252"])
def test_tables_and_headings_are_read(codec: str) -> None:
    """Cells and rows end with the same letter: the properties of the row distinguish them, also next to empty cells."""
    text = "Chapter\rPart\rbefore caf\xe9\ra\x07\x07\x07c\rd\x07e\x07\x07after\x0bline\r"
    marks = {
        "Chapter\r": OUTLINED,
        "Part\r": HEADING_2,
        "a\x07": IN_TABLE,
        "c\r": IN_TABLE,
        "d\x07": IN_TABLE,
        "e\x07": IN_TABLE,
    }
    content = doc(
        text.replace("a\x07\x07\x07", "a\x07b\x07\x07"),
        properties={**marks, "b\x07": IN_TABLE, "\x07": ROW_END},
        codec=codec,
    )
    assert blocks(content) == [
        *("# Chapter", "## Part", "before caf\xe9", "| a | b |\n| --- | --- |\n| c d | e |", "after\nline"),
    ]


def test_what_is_around_the_body_is_read() -> None:
    """Notes have marks that match, comments the initials of who wrote them; headers, footers and boxes are read."""
    author = struct.pack("<H", 1) + "A".encode("utf-16-le").ljust(28, b"\0")
    listings = {
        2: struct.pack("<IIH", 3, 99, 0),
        3: struct.pack("<III", 0, 7, 8),
        46: struct.pack("<IIH", 8, 99, 0),
        47: struct.pack("<III", 0, 8, 9),
        4: struct.pack("<II", 4, 99) + author,
        5: struct.pack("<III", 0, 9, 10),
        11: struct.pack("<10I", *[0] * 7, 0, 4, 8),
    }
    content = doc(
        "one\x02 two\x02\r",
        stories={
            1: "\x02below\r",
            2: "top\rend\r",
            4: "\x05too big\r",
            5: "\x02ending\r",
            6: "boxed\r",
            7: "in the header\r",
        },
        listings={**listings, 11: struct.pack("<11I", *[0] * 7, 0, 4, 4, 8)},
    )
    assert blocks(content) == [
        *("one[^1] two[^e1]", "boxed", "[^1]: below", "[^e1]: ending"),
        *("## Header", "top", "in the header", "## Footer", "end", "## Comments", "- A: too big"),
    ]


def test_fields_show_their_results() -> None:
    """The instruction of a field is no text, also where fields are nested or go over paragraphs; links are listed."""
    link = '\x13 HYPERLINK "https://example.org/doc" \x14the \x13 PAGE \x14site\x15\x15'
    content = doc(f"see {link} and\r\x13 TOC \x14first\rlast\x15 end\r")
    extraction = extract(content, file_name="a.doc")
    assert extraction.markdown == "see the site and\n\nfirst\n\nlast end\n"
    assert [one.target for one in extraction.links] == ["https://example.org/doc"]


def test_letters_beyond_the_basic_plane_move_nothing() -> None:
    """The place of a note counts such a letter twice, as Word does."""
    listings = {2: struct.pack("<IIH", 3, 99, 0), 3: struct.pack("<III", 0, 2, 3)}
    assert blocks(doc("\U0001f600x\x02y\r", stories={1: "n\r"}, listings=listings)) == ["\U0001f600x[^1]y", "[^1]: n"]


def test_a_document_that_is_cut_short_has_an_outcome() -> None:
    """Damage ends as malformed, and never as another exception."""
    content = doc("text\r")
    reasons: set[str] = set()
    for length in range(600, len(content), 500):
        try:
            extract(content[:length], file_name="a.doc")
        except ItemError as error:
            reasons.add(error.reason)
    assert reasons <= {"malformed", "empty", "unsupported_type", "encrypted"}
