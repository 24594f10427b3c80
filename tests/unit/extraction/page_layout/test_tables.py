"""Tables of PDFs: with drawn cells and without, and what only looks like one."""

from __future__ import annotations

import pytest

from ingest_tui.extraction.parse import extract, extract_text
from tests.made_pdfs import DrawnPage, drawn_pdf

XS = (72, 200, 300, 400)
ROWS = (
    ("Part", "Count", "Price", "Place"),
    ("Bolt M6", "5", "1.20", "Hall 2"),
    ("Nut", "70", "0.80", "Hall 2"),
    ("Washer", "900", "0.05", "Yard"),
)
TABLE = """| Part | Count | Price | Place |
| --- | --- | --- | --- |
| Bolt M6 | 5 | 1.20 | Hall 2 |
| Nut | 70 | 0.80 | Hall 2 |
| Washer | 900 | 0.05 | Yard |"""


def text_of(*pages: DrawnPage, turned: int = 0) -> str:
    return extract_text(drawn_pdf(*pages, turned=turned), ".pdf")


def test_columns_that_are_aligned_are_a_table() -> None:
    """Without any drawn line; the text around the table stays around it, in its order."""
    page = DrawnPage().prose(700, 3).rows(XS, 600, *ROWS).prose(500, 2)
    before, after = text_of(page).split(TABLE)
    assert before.count("This is line") == 3
    assert after.count("This is line") == 2


def test_a_table_with_drawn_cells_is_read_cell_by_cell() -> None:
    """Also where it is drawn column by column, and where cells have lines of their own."""
    page = DrawnPage().prose(700, 2).grid((70, 150, 260, 400), (620, 604, 576, 560))
    page.lines(74, 608, "Name", size=10).text(74, 594, "Pump").text(74, 564, "Valve")
    page.text(154, 608, "Task").lines(154, 594, "Check the seal", "and the oil").text(154, 564, "Turn it | off")
    page.text(264, 608, "Every").text(264, 594, "month").text(264, 564, "year")
    table = (
        "| Name | Task | Every |\n| --- | --- | --- |\n"
        "| Pump | Check the seal and the oil | month |\n| Valve | Turn it \\| off | year |"
    )
    assert table in text_of(page)


def test_a_drawn_table_may_be_open_at_its_sides() -> None:
    """The outermost columns are there where only level lines reach around them."""
    ys = (620, 604, 588, 572)
    page = DrawnPage()
    for y in ys:
        page.line(70, y, 500, y)
    for x in (190, 290, 390):
        page.line(x, 572, x, 620)
    page.rows((72, 200, 300, 400), 608, *ROWS[:3], pitch=16)
    assert "\n".join(TABLE.split("\n")[:4]) in text_of(page)


def test_a_cell_over_many_columns_is_the_first_of_them() -> None:
    """Where no line is drawn between two cells they are one."""
    page = DrawnPage().grid((70, 190, 290, 390), (604, 588, 572)).line(70, 620, 390, 620)
    page.line(70, 604, 70, 620).line(390, 604, 390, 620).line(190, 604, 190, 620)
    page.rows((74, 194, 294), 608, ("Part", "Costs of all", ""), ("Bolt", "1", "2"), ("Nut", "3", "4"), pitch=16)
    assert "| Part | Costs of all |  |\n| --- | --- | --- |\n| Bolt | 1 | 2 |" in text_of(page)


def test_rows_between_few_drawn_lines_are_rows() -> None:
    """Of a table whose lines are around its head and its body only."""
    page = DrawnPage().grid((70, 190, 290, 390, 480), (622, 604, 555)).rows(XS, 608, *ROWS)
    assert TABLE in text_of(page)


def test_a_cell_of_two_lines_is_one_cell() -> None:
    """What is alone in a column below a row belongs to that row."""
    rows = (*ROWS[:2], ("", "", "", "and Hall 3"), *ROWS[2:])
    assert "| Bolt M6 | 5 | 1.20 | Hall 2 and Hall 3 |" in text_of(DrawnPage().rows(XS, 600, *rows))


def test_dots_that_lead_to_a_value_are_no_cell() -> None:
    """They are between a name and its values."""
    rows = [(f"{name} . . . . . . . . .", *values) for name, *values in ROWS[1:]]
    assert "| Bolt M6 | 5 | 1.20 | Hall 2 |" in text_of(DrawnPage().rows(XS, 600, ROWS[0], *rows))


@pytest.mark.parametrize(
    "page",
    [
        DrawnPage().rows((72, 90), 700, *(("•", f"an item {number} of a list") for number in range(6))),
        DrawnPage().rows((72, 100), 700, *((f"{number}.", "an item of a list") for number in range(1, 7))),
        DrawnPage().rows((72, 500), 700, *((f"Chapter {number} of it", str(number * 7)) for number in range(6))),
        DrawnPage().rows(
            (72, 320),
            700,
            *(
                ("of a text in two columns there are many", "long lines next to one another, and they")
                for _ in range(8)
            ),
        ),
        DrawnPage().rows((72, 300), 700, ("Name", "Value"), ("one", "two")),
        DrawnPage().grid((60, 560), (60, 740)).prose(700, 12),
        DrawnPage().grid((60, 300, 560), (60, 400, 740)).lines(70, 700, *["some text in a frame of a poster"] * 40),
    ],
    ids=["bullets", "numbers", "contents", "two columns of text", "two lines", "a frame", "a poster"],
)
def test_what_only_looks_like_a_table_is_none(page: DrawnPage) -> None:
    """Lists, contents, columns of text and frames stay as their lines."""
    assert "| ---" not in text_of(page)


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_tables_of_turned_pages_are_tables(turned: int, quarters: int) -> None:
    """Whether the page is turned, or what is drawn on it, or both: with drawn cells and without, text around them."""
    page = DrawnPage().prose(700, 2).rows(XS, 640, *ROWS).prose(560, 1)
    page.grid((70, 190, 290, 390, 480), (472, 456, 440, 424, 408)).rows((74, 194, 294, 394), 460, *ROWS, pitch=16)
    before, between, after = text_of(page.turn(quarters), turned=turned).split(TABLE)
    assert [part.count("This is line") for part in (before, between, after)] == [2, 1, 0]


def test_a_few_turned_words_turn_no_page() -> None:
    """A stamp at the side of a page leaves its table as it is."""
    page = DrawnPage().prose(700, 2).rows(XS, 600, *ROWS)
    page.drawn.append(b"BT /regular 10 Tf 0 1 -1 0 30 300 Tm (received in May) Tj ET")
    text = text_of(page)
    assert TABLE in text
    assert "received in May" in text


def test_a_page_of_drawings_is_quick_and_keeps_its_text() -> None:
    """Tens of thousands of lines are no table; the text is as it was."""
    page = DrawnPage().rows(XS, 600, *ROWS)
    page.drawn.append(b"".join(b"%d %d m %d %d l S\n" % (at % 600, at % 780, at % 600, 790) for at in range(100_000)))
    assert TABLE in text_of(page)


def test_the_elements_of_a_table_know_their_page() -> None:
    """A table is an element of its own, with the number of its page."""
    pages = drawn_pdf(DrawnPage().prose(700, 2), DrawnPage().rows(XS, 600, *ROWS))
    found = extract(pages, file_name="a.pdf").elements
    assert [(one.metadata["category"], one.metadata["page_number"]) for one in found] == [
        ("NarrativeText", 1),
        ("Table", 2),
    ]
