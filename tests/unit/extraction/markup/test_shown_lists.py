"""Lists with the marks and numbers that a reader sees, and tables with cells that reach down too far."""

from __future__ import annotations

import pytest

from ingest_tui.extraction.parse import extract_text

TERMS = "<variablelist><varlistentry><term>t</term><listitem><para>d</para></listitem></varlistentry></variablelist>"
JATS = (
    '<list list-type="order"><list-item><p>a</p></list-item><list-item><p>b</p></list-item></list>'
    '<list list-type="bullet"><list-item><label>(i)</label><p>c</p></list-item></list>'
)
INNER = '<orderedlist startingnumber="3"><listitem><para>in</para></listitem></orderedlist>'
NESTED = (
    f"<itemizedlist><listitem><para>one</para>{INNER}</listitem><listitem><para>two</para></listitem></itemizedlist>"
)


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("<ol start=5 reversed><li>five<li>four<li value=9>nine<li>eight</ol>", "5. five\n4. four\n9. nine\n8. eight"),
        ("<ol><li value=9>a<li>b</ol>", "9. a\n10. b"),
        ("<ol reversed><li><p>x</p><ol><li>n<li>m</ol><li><p>y</p></ol>", "2. x\n\n   1. n\n   2. m\n\n1. y"),
        ("<ul><li value=7>u</ul><ol><li>a</ol>", "- u\n\n1. a"),
        ("<!-- <ol reversed> --><ol><li>a<li>b</ol>", "1. a\n2. b"),
    ],
)
def test_items_have_the_numbers_that_a_browser_shows(page: str, shown: str) -> None:
    """A list may count down, and an item may say its number."""
    assert extract_text(page, ".html").strip() == shown


def test_no_cell_reaches_out_of_its_part_of_a_table() -> None:
    """What a cell of the head or the body says beyond the last row of that moves no other cell."""
    head = "<thead><tr><th rowspan=3>Town<th>Area<tbody>"
    rows = "<tr><td>Aa<td>1<tr><td rowspan='9'>Bb<td>2<tr><td>3<tfoot><tr><td>All<td>6"
    assert extract_text(f"<table>{head}{rows}</table>", ".html").strip() == (
        "| Town | Area |\n| --- | --- |\n| Aa | 1 |\n| Bb | 2 |\n|  | 3 |\n| All | 6 |"
    )


def test_a_field_that_the_styles_of_a_page_hide_is_not_shown() -> None:
    """A text area with a class or an id that is not displayed; the others are."""
    page = (
        "<style>p{color:red} .gone, #away { display : none } .x .y{display:none}"
        "/* no */textarea.big{} @media print{.x{display:none}}</style>"
        "<p>a</p><textarea class='big gone'>one</textarea><textarea id=away>two</textarea>"
        "<textarea class=y>three</textarea><textarea class=x>four</textarea>"
    )
    text = extract_text(page, ".html")
    assert [word for word in ("a", "one", "two", "three", "four") if word in text.split()] == ["a", "three", "four"]


@pytest.mark.parametrize(
    ("document", "shown"),
    [
        (
            f"<article><para>x</para>{NESTED}<para>after</para></article>",
            "x\n\n- one\n  3. in\n- two\n\nafter",
        ),
        (f"<article>{TERMS}</article>", "t\nd"),
        (
            f"<article><body>{JATS}</body></article>",
            "1. a\n2. b\n\n(i)\nc",
        ),
        ('<topic id="x"><body><ul><li>a</li></ul><ol><li><p>b</p></li></ol></body></topic>', "- a\n\n1. b"),
        (
            '<TEI><text><list rend="numbered"><item>a</item></list><list><item>b <hi>c</hi></item></list></text></TEI>',
            "1. a\n\n- b c",
        ),
        ("<data><list><item>a</item></list></data>", "a"),
    ],
)
def test_items_of_prose_in_xml_have_marks(document: str, shown: str) -> None:
    """Items have bullets or numbers, those of lists in lists further in; labels are marks; data has none."""
    assert extract_text(document, ".xml").strip() == shown


def test_lists_with_boxes_to_check_keep_their_boxes() -> None:
    """In markdown a box is the beginning of an item, so nothing is written before it."""
    boxes = "<li><input type=checkbox checked> done</li><li><input type='checkbox'> to do</li>"
    assert extract_text(f"<ol reversed>{boxes}</ol>", ".html") == "1. [x] done\n2. [ ] to do\n"
