"""Visio drawings (vsdx, [MS-VSDX]): page by page what its shapes say, with shape data, links and comments."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from ingest_tui.extraction.backends.base import Parsed, ParseInput, join_pages
from ingest_tui.extraction.markup.literal_text import heading, literal
from ingest_tui.extraction.office.ooxml import (
    BROKEN_PART,
    Package,
    attribute,
    child,
    document_properties,
    local,
    open_package,
)
from ingest_tui.model.errors import ProcessingError
from ingest_tui.model.extraction import Element, Finding
from ingest_tui.model.pages import end_pages

_MAX_DEPTH = 60
_USUAL_MAIN = "visio/document.xml"
_HINT = "open it with Visio and save it again"


def parse(parse_input: ParseInput) -> Parsed:
    """Return the pages in their order, each under its name. Raises `ProcessingError` (``malformed``)."""
    try:
        drawing = _Drawing(open_package(parse_input.content))
    except BROKEN_PART as error:
        raise ProcessingError(f"the drawing cannot be read: {error}"[:300], code="malformed", hint=_HINT) from error
    parsed = Parsed("")
    pages: list[str] = []
    for number, (name, part) in enumerate(drawing.pages, 1):
        pages.append("")
        try:
            texts = list(drawing.texts(part))
        except BROKEN_PART as error:
            message = f"the page {name[:60]!r} cannot be read: {error}"[:300]
            parsed.findings.append(Finding("error", "page_unreadable", message))
            continue
        parse_input.tick()
        if texts:
            pages[-1] = "\n\n".join([heading(2, name.strip() or f"Page {number}"), *map(literal, texts)])
            parsed.elements.append(Element(pages[-1], {"category": "Page", "page_number": number}))
    if not parsed.elements and parsed.findings:
        raise ProcessingError(f"no page can be read: {parsed.findings[0].message}", code="malformed", hint=_HINT)
    parsed.markdown, parsed.page_starts = join_pages(pages)
    comments = drawing.comments()
    if comments:
        below = f"## Comments\n\n{comments}"
        parsed.elements.append(Element(below, {"category": "NarrativeText"}))
        parsed.page_starts = end_pages(parsed.page_starts, len(parsed.markdown) + 1)
        parsed.markdown = f"{parsed.markdown}\n{below}\n" if parsed.markdown else f"{below}\n"
    parsed.pages = len(drawing.pages)
    parsed.links = list(drawing.links)
    parsed.title, parsed.language = document_properties(drawing.package)
    return parsed


class _Drawing:
    """A package with its pages, and what the masters say: a shape without a text of its own shows that of its master.

    Raises `BROKEN_PART`.
    """

    def __init__(self, package: Package) -> None:
        self.package = package
        self.links: dict[str, None] = {}
        self._main = package.main_part(_USUAL_MAIN)
        self.pages = [
            (page.get("Name", "") or page.get("NameU", ""), part) for page, part in self._listed("pages", "Page")
        ]
        self._masters = {master.get("ID", ""): part for master, part in self._listed("masters", "Master")}
        self._shapes_of_masters: dict[str, dict[str, ET.Element]] = {}

    def _listed(self, kind: str, name: str) -> Iterator[tuple[ET.Element, str]]:
        """Yield the entries of a list of parts that the drawing has, each with the name of its part."""
        listing = next((one.target for one in self.package.relationships(self._main) if one.kind == kind), "")
        if listing not in self.package:
            return
        targets = {one.id: one.target for one in self.package.relationships(listing)}
        for entry in self.package.xml(listing):
            relation = child(entry, "Rel")
            if local(entry) == name and relation is not None:
                yield entry, targets.get(attribute(relation, "id"), "")

    def texts(self, part: str) -> Iterator[str]:
        """Yield what the shapes of a page say."""
        shapes = child(self.package.xml(part), "Shapes")
        yield from self._within(shapes, "", 0) if shapes is not None else ()

    def _within(self, shapes: ET.Element, master: str, depth: int) -> Iterator[str]:
        if depth > _MAX_DEPTH:
            raise ValueError("its groups are nested too deep")
        for shape in shapes:
            if local(shape) != "Shape" or shape.get("Del") == "1":
                continue
            own_master = shape.get("Master", master)
            yield from self._of_shape(shape, own_master)
            inner = child(shape, "Shapes")
            if inner is not None:
                yield from self._within(inner, own_master, depth + 1)

    def _of_shape(self, shape: ET.Element, master: str) -> Iterator[str]:
        text = child(shape, "Text")
        if text is None and master:
            text = child(self._master_shape(master, shape.get("MasterShape", "")), "Text")
        if text is not None and (shown := _plain(text)):
            yield shown
        for section in shape:
            if local(section) == "Section" and section.get("N") == "Property":
                yield from _shape_data(section)
            elif local(section) == "Section" and section.get("N") == "Hyperlink":
                self._note_links(section)

    def _master_shape(self, master: str, shape_id: str) -> ET.Element | None:
        """Return the shape that a master has for one of a page: that of its id, or its outermost one without an id."""
        if master not in self._shapes_of_masters:
            self._shapes_of_masters[master] = self._read_master(self._masters.get(master, ""))
        return self._shapes_of_masters[master].get(shape_id)

    def _read_master(self, part: str) -> dict[str, ET.Element]:
        try:
            shapes = [one for one in self.package.xml(part).iter() if local(one) == "Shape"]
        except BROKEN_PART:
            return {}
        return {"": shapes[0]} | {one.get("ID", ""): one for one in shapes} if shapes else {}

    def _note_links(self, section: ET.Element) -> None:
        for row in section:
            target = _cells(row).get("Address", "")
            if "://" in target or target.startswith("mailto:"):
                self.links[target] = None

    def comments(self) -> str:
        """Return the comments as a list; nothing where there are none that can be read."""
        parts = [one.target for one in self.package.relationships(self._main) if one.kind == "comments"]
        try:
            roots = [self.package.xml(part) for part in parts]
        except BROKEN_PART:
            return ""
        entries = (one for root in roots for one in root.iter() if local(one) == "CommentEntry")
        return "\n".join(f"- {text}" for one in entries if (text := " ".join("".join(one.itertext()).split())))


def _plain(text: ET.Element) -> str:
    """Return a text with its fields as shown; marks of formats are empty elements in it."""
    lines = ("".join(text.itertext()).replace("\u2028", "\n")).split("\n")
    return "\n".join(line.strip() for line in lines).strip()


def _shape_data(section: ET.Element) -> Iterator[str]:
    for row in section:
        cells = _cells(row)
        value = " ".join(cells.get("Value", "").split())
        label = " ".join((cells.get("Label", "") or row.get("N", "")).split())
        if value and cells.get("Invisible", "0") in {"0", ""}:
            yield f"{label}: {value}" if label else value


def _cells(row: ET.Element) -> dict[str, str]:
    return {one.get("N", ""): one.get("V", "") for one in row}
