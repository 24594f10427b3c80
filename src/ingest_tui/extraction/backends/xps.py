"""XPS documents (xps, oxps, ECMA-388): the words of each page, from the runs of glyphs that say which they are."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from ingest_tui.extraction.backends.base import Parsed, ParseInput, join_pages
from ingest_tui.extraction.markup.literal_text import literal
from ingest_tui.extraction.office.ooxml import (
    BROKEN_PART,
    Package,
    document_properties,
    local,
    open_package,
    parse_xml,
)
from ingest_tui.model.errors import ProcessingError
from ingest_tui.model.extraction import Element, Finding

_MAX_PIECES = 10_000
_ADVANCE = re.compile(r"[^;,]*,([0-9.]+)")
_USUAL_ADVANCE = 0.5
_GAP = 0.18
"""In sizes of the font: a narrower gap between two runs is within a word."""
_SAME_LINE = 0.3
_NEW_PARAGRAPH = 1.9


def parse(parse_input: ParseInput) -> Parsed:
    """Return the text page by page. Raises `ProcessingError` (``malformed``)."""
    try:
        package = open_package(parse_input.content)
        pages = list(_pages(package))
    except BROKEN_PART as error:
        raise _broken(f"the document cannot be read: {error}") from error
    findings: list[Finding] = []
    texts: list[str] = []
    for number, name in enumerate(pages, 1):
        texts.append("")
        try:
            texts[-1] = _page_text(parse_xml(_part(package, name)))
        except BROKEN_PART as error:
            message = f"page {number} cannot be read: {error}"[:300]
            findings.append(Finding("error", "page_unreadable", message))
            continue
        parse_input.tick()
    if not any(texts) and findings:
        raise _broken(f"no page can be read: {findings[0].message}")
    elements = [
        Element(text, {"category": "NarrativeText", "page_number": number})
        for number, text in enumerate(texts, 1)
        if text
    ]
    markdown, page_starts = join_pages(texts)
    title, language = document_properties(package)
    hint = "needs OCR: its pages show no glyphs that say which letters they are"
    return Parsed(markdown, elements, title, language, len(pages), page_starts, findings=findings, hint_if_empty=hint)


def _broken(message: str) -> ProcessingError:
    return ProcessingError(message[:300], code="malformed", hint="print it to XPS, or better to PDF, again")


def _pages(package: Package) -> Iterator[str]:
    """Yield the names of the pages: the package names a sequence of documents, each of them its pages."""
    start = next(one.target for one in package.relationships() if one.kind == "fixedrepresentation")
    for document in _sources(package, start, "DocumentReference"):
        yield from _sources(package, document, "PageContent")


def _sources(package: Package, name: str, kind: str) -> list[str]:
    root = parse_xml(_part(package, name))
    folder = posixpath.dirname("/" + name)
    found = (unquote(one.get("Source", "")) for one in root.iter() if local(one) == kind)
    return [posixpath.normpath(posixpath.join(folder, source)).lstrip("/") for source in found if source]


def _part(package: Package, name: str) -> bytes:
    """Return a part that may be kept in pieces, as printers write it (OPC, interleaved parts)."""
    if name in package:
        return package.read(name)
    pieces: list[bytes] = []
    while len(pieces) < _MAX_PIECES:
        piece = f"{name}/[{len(pieces)}]"
        if f"{piece}.last.piece" in package:
            return b"".join([*pieces, package.read(f"{piece}.last.piece")])
        pieces.append(package.read(f"{piece}.piece"))
    raise KeyError(name)


@dataclass(frozen=True, slots=True)
class _Run:
    text: str
    x: float
    y: float
    size: float
    end: float


def _page_text(root: ET.Element) -> str:
    """Return the runs as lines and paragraphs: a new line where the height changes, a space where there is a gap."""
    parts: list[str] = []
    before: _Run | None = None
    for run in _runs(root):
        if before is not None:
            parts.append(_between(before, run))
        parts.append(run.text)
        before = run
    lines = "".join(parts).split("\n")
    return literal("\n".join(line.strip() for line in lines).strip())


def _runs(root: ET.Element) -> Iterator[_Run]:
    for one in root.iter():
        if local(one) != "Glyphs":
            continue
        text = one.get("UnicodeString", "").removeprefix("{}")
        if not text:
            continue
        x, y, size = (_number(one.get(name, "")) for name in ("OriginX", "OriginY", "FontRenderingEmSize"))
        advances = [float(width) / 100 for width in _ADVANCE.findall(one.get("Indices", ""))]
        width = sum(advances) + max(len(text) - len(advances), 0) * _USUAL_ADVANCE
        yield _Run(text, x, y, size or 10.0, x + width * (size or 10.0))


def _between(before: _Run, run: _Run) -> str:
    size = max(before.size, run.size)
    down = abs(run.y - before.y)
    if down > _NEW_PARAGRAPH * size:
        return "\n\n"
    if down > _SAME_LINE * size:
        return "\n"
    has_gap = run.x - before.end > _GAP * size or run.x < before.x
    return " " if has_gap and not (before.text.endswith(" ") or run.text.startswith(" ")) else ""


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
