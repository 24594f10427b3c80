"""A page of Confluence in storage format, within the XML that its connector makes of it.

The root ``<confluence-page>`` has ``base``, ``space``, ``title``, ``kind`` and ``attachments``; ``<body>`` is the text
as Confluence stores it, as character data. ``<page space title address>`` and ``<person id name>`` say what links and
mentions mean.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.backends.html import html_to_markdown_text
from ingest_tui.extraction.markup.literal_text import heading
from ingest_tui.extraction.markup.storage_format import StoragePlaces, parse_storage, storage_to_html
from ingest_tui.extraction.office.ooxml import BROKEN_PART, parse_xml
from ingest_tui.model.errors import ItemRejectedError, ProcessingError
from ingest_tui.model.extraction import Finding

_COMMENT = "comment"


def parse(parse_input: ParseInput) -> Parsed:
    """Return a page as markdown. Raises `ItemRejectedError` (``unsafe_xml``) and `ProcessingError` (``malformed``)."""
    try:
        page = parse_xml(parse_input.content)
    except BROKEN_PART as error:
        raise ProcessingError(f"the page cannot be read: {error}"[:300], code="malformed") from error
    title = page.get("title", "").strip()
    stored = page.findtext("body") or ""
    html, findings = _html_of(stored, _places_of(page))
    markdown = html_to_markdown_text(html)
    if not markdown.strip():
        return Parsed("", title=title or None, findings=findings, hint_if_empty="the page has no text of its own")
    if title and page.get("kind") != _COMMENT:
        markdown = f"{heading(1, title)}\n\n{markdown}"
    return Parsed(markdown, title=title or None, findings=findings)


def _html_of(stored: str, places: StoragePlaces) -> tuple[str, list[Finding]]:
    """Return the HTML of a text in storage format; one that is no XML is read as HTML, as browsers would."""
    try:
        return storage_to_html(parse_storage(stored), places), []
    except (*BROKEN_PART, ItemRejectedError):
        return stored, [
            Finding("error", "not_well_formed", "the text is not well-formed: macros in it are read as plain markup")
        ]


def _places_of(page: ET.Element) -> StoragePlaces:
    return StoragePlaces(
        page.get("base", ""),
        page.get("space", ""),
        page.get("attachments", ""),
        pages={(one.get("space", ""), one.get("title", "")): one.get("address", "") for one in page.iter("page")},
        people={one.get("id", ""): one.get("name", "") for one in page.iter("person")},
    )
