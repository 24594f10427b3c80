"""XHTML is read by the rules of XML."""

from __future__ import annotations

import pytest

from ingest_tui.extraction.markup.xhtml import xhtml_to_html
from ingest_tui.extraction.parse import extract_text

HEAD = '<html xmlns="http://www.w3.org/1999/xhtml"><head><title/>'


@pytest.mark.parametrize(
    "page",
    [
        f"<?xml version='1.0'?>{HEAD}<script src='a.js'/></head><body><a id='x'/><p>body text</p></body></html>",
        f"<!DOCTYPE html>{HEAD}</head><body><div/><p>body&nbsp;text</p><iframe/><textarea/></body></html>",
        '<h:html xmlns:h="http://www.w3.org/1999/xhtml"><h:body><h:p>body text</h:p></h:body></h:html>',
    ],
)
def test_elements_that_close_themselves_are_closed(page: str) -> None:
    """An empty title, script or frame takes nothing of what follows, and a prefix changes no meaning."""
    assert " ".join(extract_text(page, ".xhtml").replace("\xa0", " ").split()) == "body text"


def test_a_heading_and_a_table_stay_what_they_are() -> None:
    """What HTML means by an element is what comes out: text in the place of its markup, characters escaped."""
    page = f"{HEAD}</head><body><h2>A &amp; B</h2><p>x<br/>y &lt;z&gt;</p></body></html>"
    assert "## A & B" in extract_text(page, ".xhtml")
    assert "<p>x<br>y &lt;z&gt;</p>" in str(xhtml_to_html(page))


@pytest.mark.parametrize(
    "page",
    [
        f"{HEAD}</head><body><p>not closed</body></html>",
        "<html><body><p>plain HTML</p></body></html>",
        '<!DOCTYPE html [<!ENTITY a "b">]>' + HEAD + "</head><body>&a;</body></html>",
    ],
)
def test_what_is_no_xhtml_is_html(page: str) -> None:
    """A page that is not well-formed, has no namespace or declares entities is left to the HTML parser."""
    assert xhtml_to_html(page) is None


@pytest.mark.parametrize(
    "page",
    [
        '<!DOCTYPE html [<!ENTITY co "x">]>' + HEAD + "</head><body><p>body text</p></body></html>",
        HEAD + "</head><body><p>body text<p></body></html>",
        "<?xml version='1.0'?><html><head><title/><script src='a.js' /></head><body><p>body text</p></body></html>",
        "<!--" + "x" * 5000 + "-->" + HEAD + "</head><body><p>body text</p></body></html>",
    ],
)
def test_what_is_meant_as_xhtml_is_not_swallowed_by_its_empty_title(page: str) -> None:
    """A page by the rules of XML that cannot be read by them keeps its text all the same."""
    assert extract_text(page, ".xhtml").strip() == "body text"


def test_xhtml_in_another_encoding_is_decoded_once() -> None:
    """The encoding that a page declares is that of its bytes, no longer of its text."""
    page = '<?xml version="1.0" encoding="iso-8859-1"?>' + HEAD + "</head><body><p>Größe</p></body></html>"
    assert extract_text(page.encode("latin-1"), ".xhtml") == "Größe\n"
