"""FictionBook (fb2): title, annotation, sections with their headings, poems, tables and notes."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.markup.literal_text import heading, literal
from ingest_tui.extraction.office.ooxml import BROKEN_PART, attribute, child, local, parse_xml
from ingest_tui.extraction.tables.table import pipe_table
from ingest_tui.model.errors import ProcessingError

_MAX_LEVEL = 6
_MAX_DEPTH = 60
_LINES = ("p", "v", "text-author", "date")
_CONTAINERS = ("section", "epigraph", "cite", "poem", "stanza", "annotation")


def parse(parse_input: ParseInput) -> Parsed:
    """Return a book as markdown. Raises `ItemRejectedError` (``unsafe_xml``) and `ProcessingError` (``malformed``)."""
    try:
        root = parse_xml(parse_input.content)
    except BROKEN_PART as error:
        raise ProcessingError(
            f"the book cannot be read: {error}"[:300], code="malformed", hint="the file may be cut short"
        ) from error
    about = child(root, "description", "title-info")
    title = _line(child(about, "book-title")) or None
    language = _line(child(about, "lang"))[:35] or None
    book = _Book()
    blocks = [heading(1, title)] if title else []
    authors = [name for one in (about if about is not None else ()) if local(one) == "author" and (name := _name(one))]
    blocks += [literal(", ".join(authors))] if authors else []
    annotation = child(about, "annotation")
    blocks += book.blocks(annotation, 1) if annotation is not None else []
    for body in (one for one in root if local(one) == "body"):
        blocks += book.blocks(body, 1)
        parse_input.tick()
    return Parsed("\n\n".join(blocks) + "\n", title=title, language=language, links=list(book.links))


class _Book:
    def __init__(self) -> None:
        self.links: dict[str, None] = {}

    def blocks(self, element: ET.Element, level: int, depth: int = 0) -> Iterator[str]:
        """Yield the blocks within a body or a section whose heading has that level."""
        if depth > _MAX_DEPTH:
            yield literal(_line(element))
            return
        for one in element:
            kind = local(one)
            if kind in ("title", "subtitle"):
                below = kind == "subtitle"
                yield from _heading(one, min(level + below, _MAX_LEVEL))
            elif kind in _CONTAINERS:
                yield from self.blocks(one, level + (kind == "section"), depth + 1)
            elif kind == "table":
                yield from filter(None, (_table(one),))
            elif kind in _LINES and (text := _line(one)):
                self._note_links(one)
                yield literal(text)

    def _note_links(self, paragraph: ET.Element) -> None:
        for one in paragraph.iter():
            target = attribute(one, "href") if local(one) == "a" else ""
            if "://" in target:
                self.links[target] = None


def _heading(title: ET.Element, level: int) -> Iterator[str]:
    lines = [text for one in title if (text := _line(one))] or [_line(title)]
    if any(lines):
        yield heading(level, " ".join(lines))


def _name(author: ET.Element) -> str:
    parts = (_line(child(author, name)) for name in ("first-name", "middle-name", "last-name"))
    return " ".join(part for part in parts if part) or _line(child(author, "nickname"))


def _table(table: ET.Element) -> str:
    rows = [[_line(cell) for cell in row if local(cell) in ("th", "td")] for row in table if local(row) == "tr"]
    return pipe_table(rows) if rows else ""


def _line(element: ET.Element | None) -> str:
    return " ".join("".join(element.itertext()).split()) if element is not None else ""
