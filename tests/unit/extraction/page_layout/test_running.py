"""Running headers and footers of PDFs."""

from __future__ import annotations

from ingest_tui.extraction.parse import extract_text
from tests.made_pdfs import DrawnPage, drawn_pdf


def text_of(*pages: DrawnPage) -> str:
    return extract_text(drawn_pdf(*pages), ".pdf")


def test_what_is_on_each_page_is_kept_once() -> None:
    """The header stays on its first page; of the page numbers none stays; what differs stays."""
    pages = [
        DrawnPage()
        .text(72, 760, "Pump manual, edition of May")
        .text(72, 700, f"What page {'abcdef'[at]} says.")
        .text(500, 30, str(at + 4))
        .text(72, 30, f"Page {at + 4} of 9")
        for at in range(6)
    ]
    text = text_of(*pages)
    assert text.count("Pump manual, edition of May") == 1
    assert text.count("of 9") == 1
    assert "\n5\n" not in text
    assert all(f"What page {letter} says." in text for letter in "abcdef")


def test_numbers_that_do_not_count_the_pages_stay() -> None:
    """Each page of a pile of invoices has its own number at the same place."""
    pages = [
        DrawnPage().text(72, 760, f"Invoice {number}").text(72, 700, "Thank you.").text(400, 30, f"Sum {number * 3}")
        for number in (1001, 1007, 1002, 1044)
    ]
    text = text_of(*pages)
    assert all(f"Invoice {number}" in text and f"Sum {number * 3}" in text for number in (1001, 1007, 1002, 1044))


def test_headers_of_left_and_right_pages_and_of_chapters_are_kept_once() -> None:
    """A header may be on each second page, or on those of its chapter."""
    pages = [
        DrawnPage().text(72, 760, "Left title" if at % 2 else f"Chapter {'one' if at < 6 else 'two'}").prose(700, 2)
        for at in range(12)
    ]
    text = text_of(*pages)
    assert [text.count(header) for header in ("Left title", "Chapter one", "Chapter two")] == [1, 1, 1]


def test_the_same_text_at_other_places_stays() -> None:
    """A sentence that comes again within the text is no header."""
    pages = [DrawnPage().prose(700 - at * 20, 3) for at in range(5)]
    assert text_of(*pages).count("This is line 1 ") == 5


def test_two_pages_have_no_running_headers() -> None:
    """What is on both may be what they say."""
    assert text_of(*[DrawnPage().text(72, 760, "The same").prose(700, 2)] * 2).count("The same") == 2


def test_a_running_header_is_no_heading() -> None:
    """Also where it stays, and however large its letters are."""
    pages = [DrawnPage().text(72, 760, "Pump manual", size=16).prose(700, 4) for _ in range(4)]
    text = text_of(*pages)
    assert text.startswith("Pump manual\n")
    assert "#" not in text


def test_a_sign_for_numbers_is_no_number() -> None:
    """A line may be such a sign on one page, and a number at the same place of another."""
    pages = [
        DrawnPage().text(72, 30, sign).text(72, 400, f"on page {sign}").text(72, 760, "top")
        for sign in ("#", "5", "#", "7", "#")
    ]
    text = text_of(*pages)
    assert all(f"on page {sign}" in text for sign in "57")
    assert text.count("on page #") == 3


def test_what_comes_again_in_the_middle_of_pages_stays() -> None:
    """Slides that grow line by line show the lines before again."""
    pages = [
        DrawnPage()
        .text(72, 760, "Care")
        .lines(72, 500, *[f"point {number}" for number in range(at)])
        .text(72, 30, "May")
        for at in range(1, 6)
    ]
    text = text_of(*pages)
    assert [text.count(words) for words in ("Care", "May", "point 0", "point 3")] == [1, 1, 5, 2]
