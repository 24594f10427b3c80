"""What is around the cells of a sheet of an Office Open XML workbook: comments, text boxes, titles of charts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from xml.etree import ElementTree as ET

from ingest_tui.extraction.office.ooxml import (
    BROKEN_PART,
    Package,
    chart_markdown,
    descendants,
    drawing_text,
    local,
    parse_xml,
)
from ingest_tui.extraction.workbooks.sheets import Sheet
from ingest_tui.model.errors import ItemRejectedError

BROKEN = (*BROKEN_PART, ItemRejectedError)
"""What a part raises that costs itself only."""
_THREADED = "Your version of Excel allows you to read this threaded comment"
Notes = list[tuple[str, str]]


def notes_of_xml(content: bytes) -> Notes:
    """Return the comments in a part, each with the name of its cell."""
    return _notes(parse_xml(content), "comment")


def read_surroundings(
    package: Package, part: str, sheet: Sheet, read_notes: Callable[[bytes], Notes] = notes_of_xml
) -> None:
    """Add to a sheet what the parts say that it refers to. A thread of comments replaces its copy for old programs."""
    threaded: Notes = []
    plain: Notes = []
    for one in package.relationships(part):
        try:
            if one.kind == "comments":
                plain += read_notes(package.read(one.target))
            elif one.kind == "threadedComment":
                threaded += _notes(package.xml(one.target), "threadedComment")
            elif one.kind == "drawing":
                sheet.texts += _drawing_texts(package, one.target)
            elif one.kind == "vmlDrawing":
                sheet.texts += _form_texts(package.read(one.target))
        except BROKEN:
            continue
    commented = {place for place, _text in threaded}
    sheet.notes += threaded
    sheet.notes += [(place, text) for place, text in plain if not (place in commented and _THREADED in text)]


def _drawing_texts(package: Package, part: str) -> Iterator[str]:
    root = package.xml(part)
    yield from (text for shape in descendants(root, "txBody") if (text := drawing_text(shape)))
    for one in package.relationships(part):
        if one.kind in ("chart", "chartEx", "diagramData"):
            try:
                shown = package.xml(one.target)
            except BROKEN:
                continue
            yield from _diagram_texts(shown) if one.kind == "diagramData" else _chart_titles(shown)


def _chart_titles(chart: ET.Element) -> list[str]:
    """Return the titles of a chart; its values are those of cells."""
    titles = chart_markdown(chart).partition("\n\n|")[0]
    return [titles] if titles and not titles.startswith("|") else []


def _diagram_texts(diagram: ET.Element) -> list[str]:
    return [text for point in descendants(diagram, "t") if (text := drawing_text(point))]


def _notes(root: ET.Element, name: str) -> Notes:
    found: Notes = []
    for one in descendants(root, name):
        text = "".join(node.text or "" for node in one.iter() if local(node) in ("t", "text")).strip()
        if text:
            found.append((one.get("ref", ""), text))
    return found


def _form_texts(vml: bytes) -> list[str]:
    """Return the labels of form controls and old text boxes; a note is drawn here too, with its text elsewhere."""
    texts: list[str] = []
    for shape in re.split(rb"<v:shape\b", vml)[1:]:
        box = shape.partition(b"<v:textbox")[2].partition(b"</v:textbox>")[0].partition(b">")[2]
        if box and b'ObjectType="Note"' not in shape:
            text = " ".join(unescape(re.sub(rb"<[^<>]*>", b" ", box).decode("utf-8", "replace")).split())
            texts += [text] if text else []
    return texts
