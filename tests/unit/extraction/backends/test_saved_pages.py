"""Web archives of Safari are read as the page that they hold."""

from __future__ import annotations

import plistlib
from typing import Any

import pytest

from ingest_tui.extraction.backends import webarchive
from ingest_tui.extraction.parse import extract, extract_text
from ingest_tui.model.errors import ItemError, ItemRejectedError


def resource(text: str, kind: str = "text/html", encoding: str = "utf-8") -> dict[str, Any]:
    data = text.encode(encoding)
    return {"WebResourceData": data, "WebResourceMIMEType": kind, "WebResourceTextEncodingName": encoding}


def archive(main: dict[str, Any], *frames: dict[str, Any], fmt: Any = plistlib.FMT_BINARY) -> bytes:
    return plistlib.dumps({"WebMainResource": main, "WebSubframeArchives": list(frames)}, fmt=fmt)


@pytest.mark.parametrize("fmt", [plistlib.FMT_BINARY, plistlib.FMT_XML])
def test_frames_follow_their_page(fmt: Any) -> None:
    """Pages within the page are read in order, in either form of the list."""
    inner = {"WebMainResource": resource("<p>two</p>"), "WebSubframeArchives": [{"WebMainResource": resource("three")}]}
    content = archive(resource("<h1>one</h1>"), inner, {"WebMainResource": resource("four", "text/plain")}, fmt=fmt)
    found = extract(content, file_name="a.webarchive")
    assert (found.markdown.split(), found.title) == (["#", "one", "two", "three", "four"], "one")
    assert extract(content, file_name="a").media_type == found.media_type


def test_the_encoding_is_the_one_of_the_archive() -> None:
    """The program that saved the page knows its encoding, whatever the page says."""
    page = resource("<meta charset=koi8-r><p>Grüße</p>", encoding="windows-1252")
    assert "Grüße" in extract_text(archive(page), ".webarchive")


@pytest.mark.parametrize("content", [{"WebMainResource": 1}, {"WebMainResource": {}}, ["WebMainResource"]])
def test_an_archive_without_a_page_is_an_outcome(content: Any) -> None:
    """A list of that name without a page is refused or empty."""
    with pytest.raises(ItemError):
        extract(plistlib.dumps(content, fmt=plistlib.FMT_BINARY), file_name="a.webarchive")


def test_other_property_lists_are_refused_by_their_name() -> None:
    """A binary list that is no web archive is named."""
    with pytest.raises(ItemRejectedError, match="a binary property list"):
        extract(plistlib.dumps({"a": "b" * 100}, fmt=plistlib.FMT_BINARY), file_name="a.plist")


def test_a_list_within_itself_ends() -> None:
    """References in a circle are followed once."""
    frames: list[Any] = []
    inner = {"WebMainResource": resource("<p>words</p>"), "WebSubframeArchives": frames}
    frames.append(inner)
    assert len(webarchive._pages(inner)) == 1
