"""Presentations of PowerPoint 97 to 2003: all texts of their slides, in their order, with notes and comments."""

from __future__ import annotations

import struct

import pytest

from ingest_tui.extraction.parse import extract, extract_text
from ingest_tui.model.errors import ItemError
from tests.made_ole_files import ole_tree, ppt, ppt_record, ppt_sheet, ppt_text

TITLE, BODY, NOTES, OTHER = 0, 1, 2, 4


def test_text_boxes_are_read_without_an_outline() -> None:
    """A slide that has only text boxes is not empty; letters may have one byte each or two."""
    narrow = ppt_record(3999, struct.pack("<I", OTHER)) + ppt_record(4008, b"caf\xe9")
    assert extract_text(ppt([ppt_sheet(narrow, ppt_text("Привет"))]), ".ppt") == "## Slide 1\n\ncafé\n\nПривет\n"


def test_slides_come_in_their_order_with_their_notes_and_comments() -> None:
    """The document lists the slides; a slide names its notes by their number; fields are no text."""
    number = ppt_record(3999, struct.pack("<I", OTHER)) + ppt_record(4008, b"*") + ppt_record(4056, b"\0" * 4)
    comment = ppt_record(
        12000,
        ppt_record(4026, "Ann".encode("utf-16-le"), instance=0)
        + ppt_record(4026, "too\rlong".encode("utf-16-le"), instance=1),
        container=True,
    )
    tags = ppt_record(5000, ppt_record(5002, ppt_record(5003, comment), container=True), container=True)
    content = ppt(
        [
            ppt_sheet(ppt_text("Drawn first", TITLE), ppt_text("one\rtwo\x0bthree", BODY), number, notes=7),
            ppt_sheet(ppt_text("Shown first", TITLE), more=tags),
        ],
        notes={7: ppt_sheet(ppt_text("say this", NOTES), number, ppt_text("header"), kind=1008)},
        order=[1, 0],
    )
    extraction = extract(content, file_name="a.ppt")
    assert extraction.markdown.split("\n\n") == [
        *("## Shown first", "### Comments", "- Ann: too long"),
        *("## Drawn first", "one", "two\nthree", "### Notes", "say this\n"),
    ]
    assert extraction.pages == 2
    assert extraction.elements[-1].metadata["page_number"] == 2


def test_texts_of_the_outline_are_there_once() -> None:
    """A shape may refer to a text of the outline; one that no shape refers to is read all the same."""
    reference = ppt_record(3998, struct.pack("<I", 0))
    outline = ppt_text("Title", TITLE) + ppt_text("only in the outline", BODY)
    text = extract_text(ppt([ppt_sheet(reference)], outline={0: outline}), ".ppt")
    assert text == "## Title\n\nonly in the outline\n"


def test_a_password_is_found() -> None:
    """An encrypted presentation is rejected as that."""
    with pytest.raises(ItemError) as refused:
        extract(ppt([ppt_sheet(ppt_text("secret"))], token=0xF3D1C4DF), file_name="a.ppt")
    assert refused.value.reason == "encrypted"


def test_without_its_lists_slides_are_read_as_they_are_stored() -> None:
    """Damage to the list of slides costs their order, not their words."""
    slides = ppt_sheet(ppt_text("One", TITLE)) + ppt_sheet(ppt_text("Two", TITLE))
    extraction = extract(ole_tree({"Current User": bytes(20), "PowerPoint Document": slides}), file_name="a.ppt")
    assert extraction.markdown == "## One\n\n## Two\n"
    assert [finding.code for finding in extraction.validation] == ["slides_unordered"]
