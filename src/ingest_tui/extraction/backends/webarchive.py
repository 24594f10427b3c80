"""Web archives of Safari (a property list): the page that was saved, and the pages in its frames."""

from __future__ import annotations

import plistlib
from typing import Any

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.intake.decoding import decode_declared
from ingest_tui.extraction.markup.markdown import find_title
from ingest_tui.model.errors import IngestError, ProcessingError
from ingest_tui.model.extraction import Finding

_MAX_PAGES = 200
_NAMES = {
    "text/html": "page.html",
    "application/xhtml+xml": "page.xhtml",
    "text/plain": "page.txt",
    "application/pdf": "page.pdf",
}


def parse(parse_input: ParseInput) -> Parsed:
    """Return the saved page and those of its frames, one below the other. Raises `ProcessingError` (``malformed``)."""
    try:
        archive = plistlib.loads(parse_input.content)
    except Exception as error:  # plistlib raises almost anything on damaged lists
        raise ProcessingError(
            f"the web archive cannot be read: {error}"[:300], code="malformed", hint="the file may be cut short"
        ) from error
    if not isinstance(archive, dict) or not isinstance(archive.get("WebMainResource"), dict):
        raise ProcessingError("the web archive holds no page", code="malformed", hint="save the page again")
    pages = _pages(archive)
    findings: list[Finding] = []
    if len(pages) > _MAX_PAGES:
        findings.append(Finding("warning", "parts_cut", f"more than {_MAX_PAGES} frames: the rest is left out"))
    texts: list[str] = []
    for page in pages[:_MAX_PAGES]:
        texts.append(_read(page, parse_input).strip("\n"))
        parse_input.tick()
    markdown = "\n\n".join(text for text in texts if text.strip()) + "\n"
    address = pages[0].get("WebResourceURL")
    links = [address] if isinstance(address, str) and "://" in address else []
    return Parsed(markdown, title=find_title(markdown), links=links, findings=findings)


def _pages(archive: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the main resources of an archive and of those within it, in order, each once."""
    pages: list[dict[str, Any]] = []
    waiting: list[Any] = [archive]
    seen: set[int] = set()  # a binary list may refer to an object from many places, and from within itself
    while waiting and len(pages) <= _MAX_PAGES:
        one = waiting.pop()
        if not isinstance(one, dict) or id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one.get("WebMainResource"), dict):
            pages.append(one["WebMainResource"])
        frames = one.get("WebSubframeArchives")
        waiting += reversed(frames) if isinstance(frames, list) else []
    return pages


def _read(page: dict[str, Any], parse_input: ParseInput) -> str:
    content = page.get("WebResourceData")
    kind = str(page.get("WebResourceMIMEType", "text/html")).lower()
    if not isinstance(content, bytes) or not content:
        return ""
    label = page.get("WebResourceTextEncodingName")
    if isinstance(label, str) and kind != "application/pdf":
        try:
            content = decode_declared(content, label)[0].encode("utf-8", "replace")
        except IngestError:
            return ""
    return parse_input.read_part(content, _NAMES.get(kind, "page"))
