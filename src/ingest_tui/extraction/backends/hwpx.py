"""Hangul documents in their open form (HWPX, KS X 6101): text, headings, tables, notes and text boxes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.markup.literal_text import heading, literal
from ingest_tui.extraction.office.ooxml import BROKEN_PART, Package, open_package
from ingest_tui.extraction.tables.table import pipe_table
from ingest_tui.model.errors import ProcessingError
from ingest_tui.model.extraction import Finding

_SECTION = re.compile(r"contents/section(\d{1,9})\.xml", re.IGNORECASE)
_OUTLINE = re.compile(r"(?:outline|개요)\s*(\d)", re.IGNORECASE)
_COLUMN = re.compile("[0-9]{1,2}")
_MAX_HEADING_LEVEL = 6
_MAX_DEPTH = 30
_SPACES = {"tab": "\t", "lineBreak": "\n", "fwSpace": " ", "nbSpace": " ", "hyphen": "-"}


def parse(parse_input: ParseInput) -> Parsed:
    """Return the sections of a document in order; one that is damaged is a finding.

    Raises `ProcessingError` (``malformed``) when none can be read.
    """
    findings: list[Finding] = []
    blocks: list[str] = []
    try:
        package = open_package(parse_input.content)
        sections = _sections(package)
        reader = _Reader(_heading_levels(package))
    except BROKEN_PART as error:
        raise _broken(f"the document cannot be read: {error}") from error
    broken = 0
    for name in sections:
        try:
            blocks += reader.blocks(package.xml(name))
        except BROKEN_PART as error:
            broken += 1
            findings.append(Finding("error", "section_unreadable", f"{name[:60]} cannot be read: {error}"[:300]))
        parse_input.tick()
    if broken == len(sections):
        raise _broken("no section of the document can be read")
    title, language = _described(package)
    markdown = "\n\n".join(blocks) + "\n"
    return Parsed(markdown, title=title, language=language, links=reader.links, findings=findings)


def _broken(message: str) -> ProcessingError:
    return ProcessingError(message[:300], code="malformed", hint="the file may be cut short")


def _sections(package: Package) -> list[str]:
    found = ((match, name) for name in package.names() if (match := _SECTION.fullmatch(name)))
    return [name for _number, name in sorted((int(match[1]), name) for match, name in found)]


def _heading_levels(package: Package) -> dict[str, int]:
    """Return the levels of the styles that are headings, by their ids."""
    try:
        root = package.xml("Contents/header.xml")
    except BROKEN_PART:
        return {}
    levels: dict[str, int] = {}
    for style in root.iter():
        names = (style.get("engName", ""), style.get("name", "")) if _local(style) == "style" else ()
        match = next((found for name in names if (found := _OUTLINE.fullmatch(name.strip()))), None)
        if match:
            levels[style.get("id", "")] = min(max(int(match[1]), 1), _MAX_HEADING_LEVEL)
    return levels


def _described(package: Package) -> tuple[str | None, str | None]:
    try:
        root = package.xml("Contents/content.hpf")
    except BROKEN_PART:
        return None, None
    texts = {_local(one): " ".join((one.text or "").split()) for one in root.iter()}
    return texts.get("title", "")[:300] or None, texts.get("language", "")[:35] or None


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


class _Reader:
    """Reads sections: paragraphs in their order, each followed by the tables, notes and boxes anchored in it."""

    def __init__(self, levels: dict[str, int]) -> None:
        self.links: list[str] = []
        self._levels = levels

    def blocks(self, element: ET.Element, depth: int = 0) -> Iterator[str]:
        """Yield the blocks of markdown below an element."""
        if depth > _MAX_DEPTH:
            yield literal(_flat(element))
            return
        for child in element:
            kind = _local(child)
            if kind == "p":
                yield from self._paragraph(child, depth)
            elif kind == "tbl":
                yield from filter(None, (_table(child),))
            else:
                yield from self.blocks(child, depth + 1)

    def _paragraph(self, paragraph: ET.Element, depth: int) -> Iterator[str]:
        texts: list[str] = []
        anchored: list[ET.Element] = []
        waiting = [paragraph]
        while waiting:
            one = waiting.pop()
            kind = _local(one)
            if kind == "t":
                texts.append(_text(one))
            elif kind in ("tbl", "subList"):
                anchored.append(one)
            elif kind == "script":  # of an equation
                texts.append(one.text or "")
            elif kind == "stringParam":
                self._link(one)
            else:
                waiting += reversed(one)
        text = "".join(texts).strip()
        level = self._levels.get(paragraph.get("styleIDRef", ""), 0)
        if text:
            yield heading(level, text)
        for one in anchored:
            yield from self._anchored(one, depth)

    def _anchored(self, element: ET.Element, depth: int) -> Iterator[str]:
        if _local(element) == "subList":
            yield from self.blocks(element, depth + 1)
        elif table := _table(element):
            yield table

    def _link(self, parameter: ET.Element) -> None:
        target = (parameter.text or "").strip()
        if parameter.get("name") == "Path" and "://" in target:
            self.links.append(target)


def _text(element: ET.Element) -> str:
    """Return a run of text with the tabs, line breaks and spaces that are elements in it."""
    parts = [element.text or ""]
    for child in element:
        parts += [_SPACES.get(_local(child), ""), child.tail or ""]
    return "".join(parts)


def _table(element: ET.Element) -> str:
    """Return a table; a cell is put into its own column, and what is nested in it is flat text."""
    rows: list[list[str]] = []
    for row in (child for child in element if _local(child) == "tr"):
        cells: list[str] = []
        for cell in (child for child in row if _local(child) == "tc"):
            cells += [""] * (_column(cell) - len(cells))
            cells.append(_flat(cell))
        rows.append(cells)
    caption = next((_flat(child) for child in element if _local(child) == "caption"), "")
    return "\n\n".join(part for part in (literal(caption), pipe_table(rows) if rows else "") if part)


def _column(cell: ET.Element) -> int:
    """Return the number of a cell's column; 0 where it has none that can be believed."""
    address = next((one.get("colAddr", "") for one in cell if _local(one) == "cellAddr"), "")
    return int(address) if _COLUMN.fullmatch(address) else 0


def _flat(element: ET.Element) -> str:
    """Return all text below an element in one line."""
    parts: list[str] = []
    for one in element.iter():
        kind = _local(one)
        if kind == "p":
            parts.append(" ")
        elif kind == "t":
            parts.append(_text(one))
    return " ".join("".join(parts).split())
