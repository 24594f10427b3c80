"""EPUB: the chapters in reading order, each through the HTML backend."""

from __future__ import annotations

import posixpath
import zipfile
from io import BytesIO
from urllib.parse import unquote, urldefrag
from xml.parsers import expat

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.backends.html import decode_html, html_to_markdown_text
from ingest_tui.model.errors import ItemRejectedError, ProcessingError
from ingest_tui.model.extraction import Element, Finding

_MAX_PART_BYTES = 64 * 1024**2
_XHTML = ("application/xhtml+xml", "text/html")


class _Package:
    """What the container and package documents say: manifest, spine, title and language."""

    def __init__(self) -> None:
        self.root_file = ""
        self.items: dict[str, tuple[str, str]] = {}
        self.spine: list[str] = []
        self.texts: dict[str, str] = {}
        self._open = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "rootfile" and not self.root_file:
            self.root_file = attributes.get("full-path", "")
        elif local == "item":
            self.items[attributes.get("id", "")] = (attributes.get("href", ""), attributes.get("media-type", ""))
        elif local == "itemref":
            self.spine.append(attributes.get("idref", ""))
        self._open = local if local in ("title", "language") and local not in self.texts else ""

    def text(self, data: str) -> None:
        if self._open:
            self.texts[self._open] = self.texts.get(self._open, "") + data

    def end(self, _name: str) -> None:
        self._open = ""

    def read(self, content: bytes) -> None:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.text
        parser.EntityDeclHandler = _refuse_entity
        parser.Parse(content, True)


def _refuse_entity(name: str, *_declaration: object) -> None:
    raise ItemRejectedError(
        f"the book declares the entity {name[:60]!r}",
        code="unsafe_xml",
        hint="entities can read files and grow without end; replace them by their text",
    )


def parse(parse_input: ParseInput) -> Parsed:
    """Return the chapters of a book in reading order, one element each. Raises `ItemError`."""
    try:
        with zipfile.ZipFile(BytesIO(parse_input.content)) as archive:
            return _read(archive, parse_input)
    except (zipfile.BadZipFile, EOFError, KeyError, ValueError, NotImplementedError, expat.ExpatError) as error:
        raise ProcessingError(
            f"the book cannot be read: {error}"[:300], code="malformed", hint="the file may be cut short"
        ) from error


def _read(archive: zipfile.ZipFile, parse_input: ParseInput) -> Parsed:
    package = _Package()
    package.read(_part(archive, "META-INF/container.xml"))
    package.read(_part(archive, package.root_file))
    folder = posixpath.dirname(package.root_file)
    findings: list[Finding] = []
    parts: list[str] = []
    elements: list[Element] = []
    for reference in package.spine:
        href, media_type = package.items.get(reference, ("", ""))
        if media_type not in _XHTML:
            continue
        name = posixpath.normpath(posixpath.join(folder, unquote(urldefrag(href).url)))
        try:
            text, _notes, doubts = decode_html(_part(archive, name))
        except KeyError:
            findings.append(Finding("error", "chapter_missing", f"the chapter {href[:100]} is missing"))
            continue
        findings += [Finding(one.severity, one.code, f"{href[:100]}: {one.message}") for one in doubts]
        markdown = html_to_markdown_text(text).strip()
        parse_input.tick()
        if markdown:
            parts.append(markdown)
            elements.append(Element(markdown, {"category": "Chapter", "chapter": len(parts)}))
    title = " ".join(package.texts.get("title", "").split())[:300] or None
    language = package.texts.get("language", "").strip()[:35] or None
    return Parsed("\n\n".join(parts) + "\n", elements, title, language, pages=len(parts), findings=findings)


def _part(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as part:
        return part.read(_MAX_PART_BYTES)
