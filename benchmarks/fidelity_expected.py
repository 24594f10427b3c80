"""What is in a document, read from its XML or HTML without any of the programs that fidelity.py compares."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import NamedTuple
from xml.etree import ElementTree as ET

_PARTS = {
    ".docx": r"word/(?:document|header\d*|footer\d*|footnotes|endnotes|comments)\d*\.xml",
    ".pptx": r"ppt/(?:slides|notesSlides|comments)/[^/]+\.xml",
    ".xlsx": r"xl/(?:sharedStrings|comments\d*|worksheets/sheet\d+)\.xml",
    ".odt": r"(?:content|styles)\.xml",
    ".odp": r"content\.xml",
    ".ods": r"content\.xml",
    ".epub": r".*\.x?html?",
}
_PAGES = (".html", ".htm", ".xhtml")
_NOT_SHOWN = ("script", "style", "head", "template", "noscript")
_APART = ("p", "br", "tab", "line-break", "s", "note", "note-citation", "note-body", "annotation")
_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())  # noqa: SIM905


class Expected(NamedTuple):
    """The distinct words, headings and table cells of a file."""

    words: set[str]
    headings: set[str]
    cells: set[str]


def expected_of(content: bytes, ending: str) -> Expected | None:
    """Return what a file holds; None where it cannot be known without a parser of its format."""
    try:
        if ending in _PARTS:
            return _of_package(content, ending)
        return _of_pages([content]) if ending in _PAGES else None
    except (zipfile.BadZipFile, ET.ParseError, ValueError, RuntimeError, NotImplementedError, EOFError):
        return None


def _of_package(content: bytes, ending: str) -> Expected:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = [archive.read(name) for name in archive.namelist() if re.fullmatch(_PARTS[ending], name)]
    if ending == ".epub":
        return _of_pages(parts)
    expected = Expected(set(), set(), set())
    for part in parts:
        root = ET.fromstring(part)
        _add(root, expected)
    return expected


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _text(element: ET.Element) -> str:
    """Return the text of an element: runs (``t``) of Office alone, all of OpenDocument; what is apart is apart."""
    has_runs = any(_local(one) == "t" for one in element.iter())
    return "".join(_pieces(element, runs_only=has_runs))


def _pieces(element: ET.Element, *, runs_only: bool) -> Iterator[str]:
    kind = _local(element)
    yield " " if kind in _APART else ""
    yield (element.text or "") if not runs_only or kind == "t" else ""
    for child in element:
        yield from _pieces(child, runs_only=runs_only)
        yield "" if runs_only else child.tail or ""
    yield " " if kind in _APART else ""


def _add(root: ET.Element, expected: Expected) -> None:
    for one in root.iter():
        kind = _local(one)
        if kind in ("p", "h", "si", "is", "text"):
            expected.words.add(_text(one))
        if kind in ("tc", "table-cell", "si", "is"):
            expected.cells.add(_text(one))
        elif kind == "h" or (kind == "p" and _has_style(one)) or (kind == "sp" and _is_title(one)):
            expected.headings.add(_text(one))


def _has_style(paragraph: ET.Element) -> bool:
    styles = (value for one in paragraph.iter() if _local(one) == "pStyle" for value in one.attrib.values())
    return any(re.fullmatch(r"(?:Heading|Title|berschrift|Titre)\s?\d?", value) for value in styles)


def _is_title(shape: ET.Element) -> bool:
    return any(_local(one) == "ph" and one.get("type") in ("title", "ctrTitle") for one in shape.iter())


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.expected = Expected(set(), set(), set())
        self._hidden = 0
        self._open: dict[str, list[str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag in _NOT_SHOWN:
            self._hidden += 1
        elif re.fullmatch("h[1-6]|t[dh]", tag):
            self._open[tag] = []
        elif tag == "br":
            self.handle_data(" ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID:
            self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.expected.words.add(data)
            for texts in self._open.values():
                texts.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in _NOT_SHOWN:
            self._hidden = max(0, self._hidden - 1)
        elif tag in self._open:
            text = "".join(self._open.pop(tag))
            (self.expected.headings if tag[0] == "h" else self.expected.cells).add(text)


def _of_pages(pages: list[bytes]) -> Expected:
    expected = Expected(set(), set(), set())
    for content in pages:
        page = _Page()
        page.feed(content.decode("utf-8"))  # pages in other encodings are left to what two programs agree on
        for at, part in enumerate(page.expected):
            expected[at].update(part)
    return expected
