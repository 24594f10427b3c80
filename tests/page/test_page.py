"""Search and documents in a browser: what is found and shown, whatever it is called, by keys alone, light and dark."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest_tui.model.safe_text import safe_block
from tests.page.chromium import Page
from tests.page.conftest import HOSTILE, LONG_LINE

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

MARKS = "[...document.querySelectorAll('#hits mark')].map((one) => one.textContent)"
TITLES = "[...document.querySelectorAll('#hits a')].map((one) => one.textContent)"


def search(page: Page, words: str, **filters: str) -> list[str]:
    """Fill the form and send it; returns the titles of the hits."""
    for name, value in {"words": words, "source": "", "collection": "", "type": "", "after": "", "before": ""}.items():
        page.value(f"document.getElementById('{name}').value = {filters.get(name, value)!r}")
    page.value("document.getElementById('status').textContent = ''")
    page.value("document.getElementById('search-form').requestSubmit()")
    page.wait_for_text("#status", "hit")
    return [str(title) for title in page.value(TITLES)]


def test_search_shows_what_was_found_in_marks(page: Page) -> None:
    """The newest documents are there first; a search shows its hits with the words marked, each filter narrows it."""
    page.wait_for_text("#status", "documents")
    assert {"Weather", "Note", "tide.txt"} <= set(page.value(TITLES))
    assert sorted(search(page, "barometer")) == ["Note", "Weather", "tide.txt"]
    assert set(page.value(MARKS)) == {"barometer"}
    assert search(page, "barometer", source="notes") == ["Note"]
    assert search(page, "barometer", collection="notes") == ["Note"]
    assert search(page, "barometer", type="txt") == ["tide.txt"]
    assert len(search(page, "barometer", after="2000-01-01")) == 3
    assert search(page, "barometer", before="2000-01-01") == []
    assert search(page, "", source="notes") == ["Note"]
    assert search(page, "barometre") == []
    assert "did you mean barometer?" in page.text("#status")


def test_an_address_of_a_search_can_be_kept(page: Page, address: str) -> None:
    """What was asked is in the address: opened again, and back from a document, it is asked again."""
    page.open(f"{address}/#search?q=barometer&source=docs&type=md")
    page.wait_for_text("#status", "1 hit")
    fields = "['words', 'source', 'type'].map((name) => document.getElementById(name).value)"
    assert page.value(fields) == ["barometer", "docs", "md"]
    page.value("document.querySelector('#hits a').click()")
    page.wait_for_text("#document-title", "Weather")
    page.value("history.back()")
    page.wait_for_text("#hits", "Weather")


def test_what_is_typed_while_the_page_opens_stays(page: Page, address: str) -> None:
    """The lists of collections and sources come later than the first key, and take nothing back."""
    page.call(
        "Network.emulateNetworkConditions", offline=False, latency=500, downloadThroughput=-1, uploadThroughput=-1
    )
    page.open(f"{address}/#search?source=notes")
    page.value("document.getElementById('words').focus()")
    page.type("barometer")
    page.wait("document.querySelectorAll('#source option').length > 1")
    assert page.value("['words', 'source'].map((name) => document.getElementById(name).value)") == [
        "barometer",
        "notes",
    ]


def test_a_document_shows_text_versions_and_why(page: Page) -> None:
    """A hit leads to its passage in the text; there are the versions, each with its own text, and what happened."""
    search(page, "storm")
    page.value("document.querySelector('#hits a').click()")
    page.wait_for_text("#text", "before a great storm")
    assert "barometer falls" in page.text("#text .passage")
    assert page.wait_for_text("#verdict", "here").startswith("here: searchable in version 2")
    assert "v2 current" in page.wait_for_text("#versions", "v1")
    page.value("[...document.querySelectorAll('#versions a')].at(-1).click()")
    page.wait_for_text("#text", "before a storm")
    assert "1 (the current one is 2)" in page.text("#document-facts")
    page.wait("document.querySelector('#versions [aria-current]')?.textContent === 'v1'")


def test_the_original_is_saved(page: Page, tmp_path: Path) -> None:
    """The button saves the bytes of the version that is shown."""
    page.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    search(page, "tide")
    page.value("document.querySelector('#hits a').click()")
    page.wait_for_text("#text", "moon")
    page.value("document.getElementById('download').click()")
    saved = tmp_path / "tide.txt"
    page.until(lambda: saved.exists() and saved.read_bytes().endswith(b"barometer.\n"), "the file is saved")


def test_hostile_names_and_texts_show_harmlessly(page: Page) -> None:
    """Markup in names, headings and texts is text; what would turn the direction around is a visible escape."""
    titles = search(page, "hostile")
    assert safe_block(HOSTILE) in titles
    assert any("onclick" in title and "\\u202e" in title for title in titles)
    page.value("[...document.querySelectorAll('#hits a')].find((one) => one.textContent.includes('img')).click()")
    text = page.wait_for_text("#text", "hostile")
    assert "<script>alert(2)</script> \\u202eback\\u202c" in text
    assert safe_block(HOSTILE) in page.text("#document-title")
    assert page.value("document.querySelectorAll('main img, main script, main [onclick]').length") == 0


def test_a_line_of_a_megabyte_is_shown_in_parts(page: Page) -> None:
    """A part is shown at once, wrapped to the window; buttons lead on and back."""
    page.look(width=800)
    search(page, "endless")
    assert len(page.value("document.querySelector('.snippet').textContent")) < 400
    page.value("document.querySelector('#hits a').click()")
    end = len(LONG_LINE)
    page.wait_for_text("#text-place", f"of {end:,}")
    page.value("document.getElementById('text-before').click()")
    page.wait("document.getElementById('text').textContent.length === 100_000")
    assert page.value("document.documentElement.scrollWidth <= innerWidth")
    page.wait("document.activeElement.id === 'text'")
    page.value("document.getElementById('text-after').click()")
    page.wait_for_text("#text-place", f"to {end:,} of")


def test_everything_is_reached_by_keys(page: Page) -> None:
    """Tab goes through the page in its order, Enter searches and opens; where a view opens its title has the focus."""
    page.wait_for_text("#status", "documents")
    page.value("document.activeElement.blur()")
    way = page.tab_to("words")
    assert way == ["skip", "Search", "Jobs", "Upload", "API", "token-button", "words"]
    page.type("storm")
    page.press("Enter")
    page.wait("document.querySelectorAll('#hits mark').length === 1")
    assert page.tab_to("Weather")[0] == "Search"
    page.press("Enter")
    page.wait("document.activeElement.id === 'document-title'")
    page.wait_for_text("#versions", "v1")
    assert page.tab_to("v1")[:2] == ["download", "text"]
    page.press("Enter")
    page.wait_for_text("#text", "before a storm")
    page.value("document.activeElement.blur()")
    page.value("document.getElementById('skip').focus()")
    page.press("Enter")
    page.wait("document.activeElement.id === 'main'")
    assert page.value("location.hash").startswith("#document")


def test_a_screen_reader_is_told_what_everything_is(page: Page, address: str) -> None:
    """Each view has landmarks and a title; whatever takes input has a name; what changes by itself is announced."""
    page.wait_for_text("#status", "documents")
    for view in ("search", "jobs", "upload"):
        page.open(f"{address}/#{view}")
        page.wait(f"!document.getElementById('{view}').hidden")
        found = page.accessible()
        roles = {role for role, _name in found}
        assert {"banner", "navigation", "main", "heading", "status", "alert", "region"} <= roles, view
        takers = {"button", "textbox", "searchbox", "combobox", "link", "Date", "table", "list", "progressbar"}
        assert [role for role, name in found if role in takers and not name.strip()] == []
    assert page.value("document.documentElement.lang") == "en"
    assert page.value("document.querySelectorAll('h1:not([hidden] *)').length") == 1
    levels = "[...document.querySelectorAll('[role=status], [role=alert]')].map((one) => one.getAttribute('role'))"
    assert page.value(levels) == ["status", "alert"]


CONTRASTS = """
(() => {
  const light = (color) => {
    const parts = color.match(/[\\d.]+/g).slice(0, 3).map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const ground = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (color !== "rgba(0, 0, 0, 0)") return color;
    }
    return "rgb(255, 255, 255)";
  };
  const shown = [...document.querySelectorAll("body *")].filter((one) => one.offsetParent && one.textContent.trim());
  return shown.map((one) => {
    const [a, b] = [light(getComputedStyle(one).color), light(ground(one))];
    return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), one.outerHTML.slice(0, 100)];
  }).filter(([contrast]) => contrast < 4.5);
})()
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_readable_light_and_dark_wide_and_narrow(page: Page, address: str, scheme: str) -> None:
    """As the system says; every text has a contrast of 4.5:1, and nothing is wider than a narrow window."""
    for width in (1200, 320):
        page.look(scheme, width=width)
        for view, ready in (("search?q=barometer", "#hits li"), ("jobs", "#job-rows tr"), ("upload", "#into option")):
            page.open(f"{address}/#{view}")
            page.wait(f"document.querySelector('{ready}')")
            assert page.value(CONTRASTS) == []
            assert page.value("document.documentElement.scrollWidth <= innerWidth"), (view, width)
        page.open(f"{address}/#jobs")
        page.wait("document.querySelector('#job-rows tr[data-state=queued] a')")
        page.value("document.querySelector('#job-rows tr[data-state=queued] a').click()")
        page.wait("document.querySelector('#job-actions button')")
        page.value("document.querySelector('#job-actions button').click()")
        page.wait("document.getElementById('confirm-dialog').open")
        assert page.value(CONTRASTS) == []
        assert page.value("document.documentElement.scrollWidth <= innerWidth"), ("job", width)
        page.press("Escape")
        page.wait("!document.getElementById('confirm-dialog').open")
    dark = page.value("getComputedStyle(document.body).backgroundColor")
    assert (dark == "rgb(255, 255, 255)") == (scheme == "light")


def test_what_acts_on_a_screen_is_what_the_program_takes_for_that(page: Page) -> None:
    """The page and `safe_block` make the same characters visible, in the same way."""
    points = [*range(0x3000), *range(0xD800, 0xE000), *range(0xFE00, 0x10000), *range(0xE0000, 0xE0100)]
    shown = page.value(
        f"import('/page/text.js').then((module) => {points}.map((one) => module.visible(String.fromCodePoint(one))))"
        ".then((all) => all.map((one) => one.isWellFormed() ? one : 'broken'))"
    )
    assert shown == [safe_block(chr(point)) for point in points]
