"""PowerPoint (pptx): slides in the order in which they are shown, with notes, comments, tables, charts and diagrams."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

from ingest_tui.extraction.backends.base import Parsed, ParseInput, join_pages
from ingest_tui.extraction.markup.literal_text import heading, literal
from ingest_tui.extraction.markup.markdown import split_elements
from ingest_tui.extraction.office.ooxml import (
    BROKEN_PART,
    Package,
    Relationship,
    attribute,
    chart_markdown,
    child,
    children,
    descendants,
    diagram_markdown,
    document_properties,
    drawing_text,
    local,
    open_package,
    paragraph_text,
    table_markdown,
)
from ingest_tui.model.errors import ProcessingError
from ingest_tui.model.extraction import Element, Finding

_TITLES = ("title", "ctrTitle")
_NOT_SHOWN = ("sldNum", "sldImg")
_ON_EVERY_SLIDE = ("ftr", "dt", "hdr")
_MAX_INDENT = 8
_NUMBER = re.compile(r"(\d+)\D*\Z")


def parse(parse_input: ParseInput) -> Parsed:
    """Return a presentation, each slide under a heading of its title. Raises `ProcessingError` (``malformed``)."""
    try:
        package = open_package(parse_input.content)
        main = package.main_part("ppt/presentation.xml")
        reader = _Reader(package, main)
        slides = _slides_in_order(package, main)
    except BROKEN_PART as error:
        raise ProcessingError(
            f"the presentation cannot be read: {error}"[:300], code="malformed", hint="the file may be cut short"
        ) from error
    parts: list[str] = []
    elements: list[Element] = []
    for number, name in enumerate(slides, 1):
        markdown = reader.slide(name, number)
        parse_input.tick()
        parts.append(markdown)
        if markdown:
            found = split_elements(markdown) if parse_input.with_elements else []
            elements += [Element(one.text, {**one.metadata, "page_number": number}) for one in found]
    if slides and not any(parts) and reader.findings:
        raise ProcessingError(reader.findings[0].message, code="malformed", hint="the file may be cut short")
    title, language = document_properties(package)
    joined, page_starts = join_pages(parts)
    return Parsed(
        joined,
        elements,
        title=title or reader.first_title or None,
        language=language,
        pages=len(slides) or None,
        page_starts=page_starts,
        links=list(reader.links),
        findings=reader.findings,
    )


def _slides_in_order(package: Package, main: str) -> list[str]:
    """Return the names of the slides as the presentation lists them; without a list, by their numbers."""
    targets = {one.id: one.target for one in package.relationships(main) if one.kind == "slide"}
    listed = [
        targets[key]
        for entries in descendants(package.xml(main), "sldIdLst")
        for one in entries
        if (key := attribute(one, "id")) in targets
    ]
    if listed:
        return list(dict.fromkeys(listed))
    folder = main.rpartition("/")[0] + "/slides/slide"
    return sorted((name for name in package.names() if name.lower().startswith(folder.lower())), key=_number)


def _number(name: str) -> int:
    found = _NUMBER.search(name)
    return int(found[1]) if found else 0


@dataclass(slots=True)
class _Reader:
    """Reads slides one after the other, and remembers what is repeated on them and what was wrong with them."""

    package: Package
    main: str
    findings: list[Finding] = field(default_factory=list)
    links: dict[str, None] = field(default_factory=dict)
    first_title: str = ""
    _repeated: set[str] = field(default_factory=set)
    _authors: dict[str, str] | None = None

    def slide(self, name: str, number: int) -> str:
        """Return a slide as markdown; nothing, with a finding, where it is damaged."""
        try:
            return self._slide(name, number)
        except BROKEN_PART as error:
            message = f"slide {number} cannot be read: {error}"[:300]
            self.findings.append(Finding("error", "slide_missing", message))
            return ""

    def _slide(self, name: str, number: int) -> str:
        root = self.package.xml(name)
        related = {one.id: one for one in self.package.relationships(name)}
        titles: list[str] = []
        blocks = self._shapes(root, related, titles)
        for one in related.values():
            if one.is_external and one.kind == "hyperlink":
                self.links.setdefault(one.target)
        for part, kind, read in (("Notes", "notesSlide", self._notes), ("Comments", "comments", self._comments)):
            found = [text for one in related.values() if one.kind == kind and (text := self._part(one, read))]
            blocks += [f"### {part}", *found] if found else []
        title = " ".join(" ".join(titles).split())
        self.first_title = self.first_title or title
        return "\n\n".join([heading(2, title or f"Slide {number}"), *blocks]) if title or blocks else ""

    def _part(self, related: Relationship, read: Callable[[str], str]) -> str:
        """Return what ``read`` makes of a part; nothing, with a finding, where it is damaged."""
        try:
            return read(related.target)
        except BROKEN_PART as error:
            message = f"{related.target[:100]} cannot be read: {error}"[:300]
            self.findings.append(Finding("warning", "part_missing", message))
            return ""

    def _shapes(self, element: ET.Element, related: dict[str, Relationship], titles: list[str]) -> list[str]:
        """Return the blocks of text of all shapes; titles are added to ``titles``."""
        blocks: list[str] = []
        for one in children(element):
            name = local(one)
            if name == "sp":
                blocks.append(self._shape(one, titles))
            elif name == "tbl":
                blocks.append(table_markdown(one))
            elif name in ("chart", "relIds"):
                target = related.get(attribute(one, "id" if name == "chart" else "dm"))
                if target is not None and not target.is_external:
                    blocks.append(self._part(target, self._chart if name == "chart" else self._diagram))
            else:
                blocks += self._shapes(one, related, titles)
        return [block for block in blocks if block]

    def _shape(self, shape: ET.Element, titles: list[str]) -> str:
        kind = _placeholder(shape)
        text = _paragraphs(shape) if kind not in _NOT_SHOWN else ""
        if kind in _TITLES:
            titles.append(drawing_text(shape))
            return ""
        if kind in _ON_EVERY_SLIDE:
            if text in self._repeated:
                return ""
            self._repeated.add(text)
        return text

    def _notes(self, name: str) -> str:
        shapes = descendants(self.package.xml(name), "sp")
        texts = [_paragraphs(one) for one in shapes if _placeholder(one) not in (*_NOT_SHOWN, *_ON_EVERY_SLIDE)]
        return "\n\n".join(text for text in texts if text)

    def _chart(self, name: str) -> str:
        return chart_markdown(self.package.xml(name))

    def _diagram(self, name: str) -> str:
        return diagram_markdown(self.package.xml(name))

    def _comments(self, name: str) -> str:
        """Return the comments of a part, of the old form (``p:cm``) and of the new one with its replies."""
        lines: list[str] = []
        for one in self.package.xml(name).iter():
            if local(one) in ("cm", "reply"):
                body, plain = child(one, "txBody"), child(one, "text")
                text = drawing_text(body) if body is not None else (plain.text or "") if plain is not None else ""
                author = self._author(one.get("authorId", ""))
                if text.strip():
                    lines.append(f"- {author}: {' '.join(text.split())}" if author else f"- {' '.join(text.split())}")
        return "\n".join(lines)

    def _author(self, number: str) -> str:
        if self._authors is None:
            self._authors = {}
            for related in self.package.relationships(self.main):
                if related.kind in ("commentAuthors", "authors"):
                    self._part(related, self._note_authors)
        return self._authors.get(number, "")

    def _note_authors(self, name: str) -> str:
        if self._authors is not None:
            self._authors |= {one.get("id", ""): one.get("name", "") for one in self.package.xml(name)}
        return ""


def _placeholder(shape: ET.Element) -> str:
    """Return what kind of placeholder a shape is: ``title``, ``body``, …; empty for a shape of its own."""
    place = child(shape, "nvSpPr", "nvPr", "ph")
    return place.get("type", "body") if place is not None else ""


def _paragraphs(shape: ET.Element) -> str:
    """Return the paragraphs of a shape; those with a bullet or an indent of their own as a list."""
    text = ""
    was_item = False
    numbers: dict[int, int] = {}
    body = child(shape, "txBody")
    for paragraph in descendants(body, "p") if body is not None else ():
        line = paragraph_text(paragraph)
        if not line:
            continue
        properties = child(paragraph, "pPr")
        level = properties.get("lvl", "0") if properties is not None else "0"
        depth = min(int(level), _MAX_INDENT) if level.isdecimal() else 0
        bullets = [one for one in properties or () if local(one) in ("buChar", "buAutoNum", "buBlip")]
        is_item = bool(bullets) or depth > 0
        mark = _mark_of_item(bullets, depth, numbers)
        line = "  " * depth + mark + literal(line.replace("\n", " ")) if is_item else literal(line)
        text += ("\n" if is_item and was_item else "\n\n") * bool(text) + line
        was_item = is_item
    return text


def _mark_of_item(bullets: list[ET.Element], depth: int, numbers: dict[int, int]) -> str:
    """Return the mark of an item, or of a paragraph that ends the numbering; ``numbers``: depth → the last number."""
    for deeper in [one for one in numbers if one > depth]:
        del numbers[deeper]
    numbering = next((one for one in bullets if local(one) == "buAutoNum"), None)
    if numbering is None:
        numbers.pop(depth, None)
        return "- "
    start = numbering.get("startAt", "1")
    numbers[depth] = numbers[depth] + 1 if depth in numbers else int(start) if start.isdecimal() else 1
    return f"{numbers[depth]}. "
