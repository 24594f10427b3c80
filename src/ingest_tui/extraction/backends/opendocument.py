"""OpenDocument texts (odt), presentations (odp) and drawings (odg)."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from ingest_tui.extraction.backends.base import Parsed, ParseInput, join_pages
from ingest_tui.extraction.markup.markdown import split_elements
from ingest_tui.extraction.office.ooxml import BROKEN_PART, Package, local, open_package
from ingest_tui.extraction.office.opendocument import slides, text_document
from ingest_tui.model.errors import ProcessingError
from ingest_tui.model.extraction import Element, Finding


def parse(parse_input: ParseInput) -> Parsed:
    """Return a document as markdown. Raises `ItemRejectedError` (``unsafe_xml``), `ProcessingError`."""
    try:
        reader = _Reader(open_package(parse_input.content), parse_input)
        roots = [reader.package.xml("content.xml")]
        if "styles.xml" in reader.package and (styles := reader.part("styles.xml")) is not None:
            roots.append(styles)
        parsed = _text(roots, reader) if parse_input.format.name == "odt" else _presentation(roots, reader)
    except BROKEN_PART as error:
        raise ProcessingError(
            f"the document cannot be read: {error}"[:300], code="malformed", hint="the file may be cut short"
        ) from error
    meta = reader.part("meta.xml") if "meta.xml" in reader.package else None
    values = {local(one): " ".join((one.text or "").split()) for one in meta.iter()} if meta is not None else {}
    parsed.title = values.get("title", "")[:300] or parsed.title
    parsed.language = values.get("language", "")[:35] or None
    parsed.findings = reader.findings
    return parsed


def _text(roots: list[ET.Element], reader: _Reader) -> Parsed:
    return Parsed(text_document(roots, reader.embedded))


def _presentation(roots: list[ET.Element], reader: _Reader) -> Parsed:
    pages = slides(roots, reader.embedded)
    elements = [
        Element(one.text, {**one.metadata, "page_number": number})
        for number, markdown in enumerate(pages, 1)
        for one in split_elements(markdown)
    ]
    markdown, page_starts = join_pages(pages)
    return Parsed(markdown, elements, pages=len(pages) or None, page_starts=page_starts)


class _Reader:
    """Reads the parts of a document; what is wrong with one is a finding."""

    def __init__(self, package: Package, parse_input: ParseInput) -> None:
        self.package = package
        self.findings: list[Finding] = []
        self._parse_input = parse_input
        self._open: set[str] = set()

    def embedded(self, reference: str) -> ET.Element | None:
        """Return the content of an object such as a chart; each is read once."""
        name = f"{reference.removeprefix('./').strip('/')}/content.xml"
        if name in self._open or name not in self.package:
            return None
        self._open.add(name)
        self._parse_input.tick()
        return self.part(name)

    def part(self, name: str) -> ET.Element | None:
        """Return the root of a part; None, with a finding, where it is damaged."""
        try:
            return self.package.xml(name)
        except BROKEN_PART as error:
            message = f"{name[:100]} cannot be read: {error}"[:300]
            self.findings.append(Finding("warning", "part_missing", message))
            return None
