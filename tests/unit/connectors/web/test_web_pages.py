"""What is read of a page: its links and what it says to robots, in one pass whatever is in it."""

from __future__ import annotations

import time

import pytest

from ingest_tui.connectors.web.page import PageFacts, facts_of, robots_say

LARGE = 400_000
SECONDS = 60.0
"""Of this process, whatever else the machine does. One pass takes about a hundredth; many of them would take hours."""


def test_links_are_those_that_a_reader_can_follow() -> None:
    """Links, areas, frames and pages of a series; not what a comment, a script or a form of text holds."""
    page = b"""<!doctype html><base href="/base/"><link rel="canonical" href="https://example.org/this">
    <a href="one">1</a> <A HREF='two?a=1&amp;b=2'>2</A> <a title="x > y" href=three>3</a> <a title=it's href="four">
    4</a>
    <area href="five"><iframe src="six"></iframe><link rel=next href="seven"><link rel=stylesheet href="no.css">
    <!-- <a href="no1"> --><script>document.write('<a href="no2">')</script><title><a href="no3"></title>
    <a rel="nofollow" href="no4">5</a><a name="no5">6</a><abbr href="no6">7</abbr><a
    href = "eight">8</a>"""
    facts = facts_of(page)
    assert facts.links == ["one", "two?a=1&b=2", "three", "four", "five", "six", "seven", "eight"]
    assert (facts.base, facts.canonical) == ("/base/", "https://example.org/this")
    assert (facts.noindex, facts.nofollow, facts.is_page) == (False, False, True)


@pytest.mark.parametrize(
    ("said", "noindex", "nofollow"),
    [
        ("noindex", True, False),
        ("NONE", True, True),
        ("nofollow, noarchive", False, True),
        ("index,follow", False, False),
    ],
)
def test_robots_are_told(said: str, noindex: bool, nofollow: bool) -> None:
    """A page asks not to be taken, or its links not to be followed; words for other robots say nothing to us."""
    for name in ("robots", "ingest-tui"):
        facts = facts_of(f'<meta name="{name}" content="{said}">'.encode())
        assert (facts.noindex, facts.nofollow) == (noindex, nofollow)
    assert not facts_of(b'<meta name="otherbot" content="none">').noindex
    facts = PageFacts()
    robots_say(facts, said)
    assert (facts.noindex, facts.nofollow) == (noindex, nofollow)


def test_text_is_read_by_its_label() -> None:
    """The header's charset goes first, then the page's own, by the table that browsers use."""
    page = '<meta charset="shift_jis"><a href="語">'
    assert facts_of(page.encode("shift_jis")).links == ["語"]
    assert facts_of('<a href="ü">'.encode("latin-1"), "text/html; charset=ISO-8859-1").links == ["ü"]
    assert facts_of('<a href="ü">'.encode()).links == ["ü"]


@pytest.mark.parametrize(
    "part",
    [
        b"<a ",
        b"<a href=",
        b'<a href="',
        b"<a href='x",
        b"<!--",
        b"<script",
        b"<",
        b"<a><a",
        b"&amp;",
        b'="',
        b"<meta charset=",
    ],
)
def test_a_page_made_to_harm_takes_one_pass(part: bytes) -> None:
    """Nothing that is left open makes what follows be looked at again and again."""
    begun = time.process_time()
    facts_of(part * (LARGE // len(part)))
    assert time.process_time() - begun < SECONDS


def test_what_is_no_page_is_seen() -> None:
    """A page has a tag."""
    assert not facts_of(b'{"error": 1}').is_page
    assert not facts_of(b"").is_page
    assert not facts_of(bytes(range(256)) * 10).is_page
