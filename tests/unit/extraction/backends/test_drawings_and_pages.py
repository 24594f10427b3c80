"""Visio drawings and XPS documents."""

from __future__ import annotations

import pytest

from ingest_tui.extraction.parse import extract, extract_text
from ingest_tui.model.chunking import split_into_chunks
from ingest_tui.model.errors import ItemRejectedError, ProcessingError
from tests.made_books import glyphs, visio, xps
from tests.made_ole_files import ole_tree


def test_shapes_say_their_own_text_or_that_of_their_master() -> None:
    """A shape without a text shows what its master does, also within a group; an own text takes its place."""
    masters = [
        '<Shape ID="5"><Text>from the master</Text><Shapes><Shape ID="6"><Text>inner</Text></Shape></Shapes></Shape>'
    ]
    shapes = (
        '<Shape ID="1" Master="1"/><Shape ID="2" Master="1"><Text>own</Text></Shape>'
        '<Shape ID="3" Type="Group" Master="1"><Text>group</Text>'
        '<Shapes><Shape ID="4" MasterShape="6"/></Shapes></Shape>'
        '<Shape ID="7" Master="9"/><Shape ID="8" Master="1"><Text/></Shape>'
    )
    text = extract_text(visio(("Plan", shapes), masters=masters), ".vsdx")
    assert text == "## Plan\n\nfrom the master\n\nown\n\ngroup\n\ninner\n"


def test_runs_fields_and_line_breaks_are_one_text() -> None:
    """Marks of formats are between the runs of a word; a field shows its value."""
    shapes = '<Shape ID="1"><Text><cp IX="0"/>ap<cp IX="1"/>ples <fld IX="0">12</fld>\nred\n</Text></Shape>'
    assert extract_text(visio(("Plan", shapes)), ".vsdx") == "## Plan\n\napples 12\nred\n"


def test_shape_data_links_and_comments_are_read() -> None:
    """Data that are shown with a shape have their labels; hidden ones are left out."""
    shape_data = (
        '<Section N="Property"><Row N="Owner"><Cell N="Value" V="Ann"/><Cell N="Label" V="The owner"/></Row>'
        '<Row N="Cost"><Cell N="Value" V="7"/></Row>'
        '<Row N="Id"><Cell N="Value" V="secret"/><Cell N="Invisible" V="1"/></Row></Section>'
        '<Section N="Hyperlink"><Row><Cell N="Address" V="https://example.org/a"/></Row></Section>'
    )
    comments = "<CommentList><CommentEntry>please check</CommentEntry></CommentList>"
    read = extract(visio(("Plan", f'<Shape ID="1">{shape_data}</Shape>'), comments=comments), file_name="a.vsdx")
    assert read.markdown == "## Plan\n\nThe owner: Ann\n\nCost: 7\n\n## Comments\n\n- please check\n"
    assert [one.target for one in read.links] == ["https://example.org/a"]
    assert [one.page for one in split_into_chunks(read.markdown, read.page_starts)] == [1, None]


def test_a_damaged_page_does_not_lose_the_others() -> None:
    """What cannot be read is a finding; without any page it is an error."""
    read = extract(visio(("One", "<Shape"), ("Two", "<Shape><Text>two</Text></Shape>")), file_name="a.vsdx")
    assert (read.markdown, read.page_starts) == ("## Two\n\ntwo\n", [0, 0])
    assert read.validation[0].code == "page_unreadable"
    with pytest.raises(ProcessingError, match="no page can be read"):
        extract(visio(("One", "<Shape")), file_name="a.vsdx")


def test_groups_have_an_end() -> None:
    """Groups within groups within groups cost their page, not the process."""
    shapes = "<Shape><Shapes>" * 200 + "<Shape><Text>x</Text></Shape>" + "</Shapes></Shape>" * 200
    with pytest.raises(ProcessingError, match="nested too deep"):
        extract(visio(("One", shapes)), file_name="a.vsdx")


def test_the_binary_form_is_refused_by_its_name() -> None:
    """A drawing of Visio 2003 and a publication say what they are."""
    for stream, name in (
        ("VisioDocument", "a Visio drawing of 2003 to 2010"),
        ("Quill", "a Microsoft Publisher document"),
    ):
        with pytest.raises(ItemRejectedError, match=name):
            extract(ole_tree({stream: b"x" * 600}), file_name="a.vsd")


def test_runs_of_glyphs_become_lines() -> None:
    """A gap is a space, a small one is within a word, another height is another line, a large step a paragraph."""
    page = (
        glyphs("An", 10, 100) + glyphs("nual", 20.5, 100) + glyphs("report", 45, 100)
        + glyphs("next", 10, 112) + glyphs("far", 10, 150) + glyphs("{}{braces}", 40, 150)
    )  # fmt: skip
    assert extract_text(xps(page), ".xps") == "Annual report\nnext\n\nfar {braces}\n"


def test_advances_of_glyphs_say_where_a_run_ends() -> None:
    """Wide letters do not cut a word, narrow ones do not glue two."""
    wide = glyphs("MM", 10, 100, Indices=",90;,90") + glyphs("x", 28, 100)
    narrow = glyphs("ii", 10, 120, Indices="3,20;3,20") + glyphs("x", 18, 120)
    assert extract_text(xps(wide + narrow), ".xps") == "MMx\n\nii x\n" or extract_text(xps(wide), ".xps") == "MMx\n"
    assert extract_text(xps(narrow), ".xps") == "ii x\n"


def test_pages_are_in_order_and_may_be_in_pieces() -> None:
    """A printer may write a part in pieces; each page is an element with its number."""
    read = extract(xps(glyphs("one", 1, 1), glyphs("two", 1, 1), pieces=True), file_name="a.oxps")
    assert (read.markdown, read.pages) == ("one\n\ntwo\n", 2)
    assert [one.metadata["page_number"] for one in read.elements] == [1, 2]
    assert [one.page for one in split_into_chunks(read.markdown, read.page_starts)] == [1, 2]


def test_pages_of_drawings_only_need_ocr() -> None:
    """A page whose glyphs say no letters is empty, with a hint."""
    with pytest.raises(ItemRejectedError) as raised:
        extract(xps('<Glyphs Indices="3;4" OriginX="1" OriginY="1"/>'), file_name="a.xps")
    assert "OCR" in raised.value.hint
