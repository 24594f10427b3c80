"""Headings of PDFs: by the outline and by the letters, and lines that are none."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from ingest_tui.extraction.parse import extract_text
from tests.made_pdfs import DrawnPage, drawn_pdf


def headings(*pages: DrawnPage, outline: Sequence[tuple[str, int]] = ()) -> list[str]:
    text = extract_text(drawn_pdf(*pages, outline=outline), ".pdf")
    return re.findall(r"^#+ .*$", text, re.MULTILINE)


def test_larger_and_bolder_lines_are_headings() -> None:
    """The largest are on the first level; a bold line of the size of the text is one where it has room above."""
    page = DrawnPage().text(72, 740, "The manual of the pump", size=20).text(72, 700, "1 Care", size=14, font="bold")
    page.prose(680, 4).text(72, 610, "Oil and grease", font="bold").prose(595, 4).text(
        72, 500, "2 Repair", size=14, font="bold"
    )
    page.prose(480, 4)
    assert headings(page) == ["# The manual of the pump", "## 1 Care", "### Oil and grease", "## 2 Repair"]


def test_a_heading_of_two_lines_is_one() -> None:
    """Its lines are put together."""
    page = DrawnPage().lines(72, 740, "How the pump is taken", "apart and cleaned", size=18).prose(680, 6)
    assert headings(page) == ["# How the pump is taken apart and cleaned"]


def test_the_outline_takes_precedence() -> None:
    """Its levels are those of the headings; it may lack their numbers; what it lacks is found by the letters."""
    page = DrawnPage().text(72, 740, "1 Care", size=14).prose(720, 4).text(72, 640, "2 Repair", size=14).prose(620, 4)
    assert headings(page, outline=[("Care", 0)]) == ["# 1 Care", "# 2 Repair"]
    assert headings(DrawnPage().prose(700, 2), outline=[("Not on the page", 0)]) == ["# Not on the page"]


def test_a_title_of_two_lines_is_found() -> None:
    """One of the outline that goes over two lines of its page."""
    page = DrawnPage().lines(72, 740, "How the pump is taken", "apart").prose(680, 6)
    assert headings(page, outline=[("How the pump is taken apart", 0)]) == ["# How the pump is taken apart"]


@pytest.mark.parametrize(
    "page",
    [
        DrawnPage().lines(72, 700, *["All of it is bold text, line by line."] * 9, font="bold"),
        DrawnPage().prose(700, 3).text(72, 664, "a bold line within a paragraph", font="bold").prose(652, 3),
        DrawnPage().prose(700, 3).text(72, 640, "Note:", font="bold").prose(620, 3),
        DrawnPage().prose(700, 4).lines(72, 640, *["These lines are a longer text", "in larger letters"] * 4, size=14),
        DrawnPage().prose(700, 4).text(72, 620, "12,5 %", size=30).prose(600, 4),
        DrawnPage().prose(700, 4).text(72, 620, "Care . . . . . . . . . . . 7", size=14).prose(600, 4),
        DrawnPage().prose(700, 4).rows((72, 300), 620, ("Left", "Right"), size=14).prose(600, 4),
        DrawnPage()
        .prose(700, 4)
        .rows((72,), 620, *((f"Dr Jane Roe {at}",) for at in range(5)), size=14, pitch=40)
        .prose(380, 4),
        DrawnPage().text(72, 700, "One line", size=30),
        DrawnPage().prose(700, 6).text(72, 600, "# a comment of some code", font="fixed"),
        DrawnPage().prose(700, 4).rows((72,), 600, ("• an item in larger letters",), size=14).prose(560, 4),
    ],
    ids=["all bold", "inside", "label", "long", "figure", "contents", "apart", "list", "alone", "hash", "bullet"],
)
def test_what_only_looks_like_a_heading_is_none(page: DrawnPage) -> None:
    """Too many headings are worse than too few."""
    assert headings(page) == []
