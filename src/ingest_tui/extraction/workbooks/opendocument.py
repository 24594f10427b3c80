"""OpenDocument spreadsheets (OASIS 1.3), in a package or flat: cells as they are shown, notes, shapes, chart titles."""

from __future__ import annotations

import posixpath
import re
import zipfile
from html import unescape
from io import BytesIO
from typing import Any
from xml.parsers import expat

from ingest_tui.extraction.office.ooxml import BROKEN_PART, open_package
from ingest_tui.extraction.workbooks.sheets import MAX_CELLS, Sheet, SheetDescription, check_size
from ingest_tui.model.errors import ItemRejectedError, ProcessingError

_SKIPPED = frozenset(
    (
        "tracked-changes",
        "content-validations",
        "forms",
        "dde-links",
        "table-source",
        "scenario",
        "event-listeners",
        "desc",
    )
)
_CELLS = frozenset(("table-cell", "covered-table-cell"))
_CHART_TITLES = re.compile(rb"<chart:(?:title|subtitle)\b[^<>]*>(.{0,5000}?)</chart:(?:title|subtitle)>", re.DOTALL)
_SPAN = re.compile(r"PT([0-9]{1,9})H(?:([0-9]{1,2})M)?(?:([0-9]{1,2})(?:[.,][0-9]+)?S)?")
_NO_PLACES = re.compile(r"(?<=[0-9])\.0+\Z")
Attributes = dict[str, str]


class OpenDocumentReader:
    """Reads a whole spreadsheet. ``damage`` says where its XML breaks off; what comes before is kept.

    Raises `ItemRejectedError` (``too_large``, ``unsafe_xml``), `ProcessingError` or one of `BROKEN_PART`.
    """

    def __init__(self, content: bytes) -> None:
        self._package = open_package(content) if content.startswith(b"PK") else None
        collector = _Collector(self._chart_titles)
        self.damage = collector.read(self._package.read("content.xml") if self._package else content)
        self._sheets = {sheet.name: sheet for sheet in collector.sheets}
        self.sheets = [
            SheetDescription(one.name, visible="Hidden" if one.name in collector.hidden else "Visible")
            for one in collector.sheets
        ]

    def read(self, name: str, *, everything: bool = True) -> Sheet:
        """Return a sheet with all of its cells."""
        del everything
        return self._sheets[name]

    def _chart_titles(self, target: str) -> list[str]:
        if self._package is None or not target.startswith("./"):
            return []
        try:
            xml = self._package.read(posixpath.join(target[2:], "content.xml"))
        except BROKEN_PART:
            return []
        texts = (re.sub(rb"<[^<>]*>", b" ", title).decode("utf-8", "replace") for title in _CHART_TITLES.findall(xml))
        return [" ".join(unescape(text).split()) for text in texts]


class _Collector:
    """Follows the elements of a document and gathers its sheets."""

    def __init__(self, chart_titles: Any) -> None:
        self.sheets: list[Sheet] = []
        self.hidden: set[str] = set()
        self._chart_titles = chart_titles
        self._hidden_styles: set[str] = set()
        self._style = ""
        self._skipping = self._drawing = self._tables = 0
        self._row = self._column = self._row_repeats = 0
        self._row_cells: list[tuple[int, str]] = []
        self._cell: Attributes = {}
        self._in_cell = False
        self._note: list[str] | None = None
        self._cell_notes: list[str] = []
        self._paragraphs: list[str] = []
        self._text: list[str] | None = None

    def read(self, xml: bytes) -> str:
        """Gather the sheets of a document; return what breaks it off, or nothing."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        parser.EntityDeclHandler = _refuse_entities
        try:
            parser.Parse(xml, True)
        except expat.ExpatError as error:
            if not any(sheet.cells for sheet in self.sheets):
                raise ProcessingError(
                    f"its XML is damaged: {error}"[:300], code="malformed", hint="open and save it with its program"
                ) from error
            return str(error)
        return ""

    def _start(self, name: str, attributes: Attributes) -> None:
        space, _gap, local = name.rpartition(" ")
        if self._skipping or local in _SKIPPED or (local == "table" and (self._drawing or self._tables)):
            self._skipping += 1
        elif local in ("p", "h"):
            self._text = []
        elif self._text is not None:
            self._inside_paragraph(local, attributes)
        elif local == "annotation":
            self._note = []
        elif ":drawing" in space or local == "shapes":
            self._drawing += 1
            if local == "object" and self.sheets:
                self.sheets[-1].texts += self._chart_titles(_get(attributes, "href"))
        else:
            self._start_of_table(local, attributes)

    def _inside_paragraph(self, local: str, attributes: Attributes) -> None:
        if self._text is None:
            return
        if local == "s":
            count = _get(attributes, "c")
            self._text.append(" " * min(int(count) if count.isdigit() else 1, 100))
        elif local in ("tab", "line-break"):
            self._text.append("\t" if local == "tab" else "\n")

    def _start_of_table(self, local: str, attributes: Attributes) -> None:
        if local == "style":
            self._style = _get(attributes, "name")
        elif local == "table-properties" and _get(attributes, "display") == "false":
            self._hidden_styles.add(self._style)
        elif local == "table":
            self._tables += 1
            self._row = 0
            taken = {sheet.name for sheet in self.sheets}
            name = _get(attributes, "name") or f"Sheet{len(taken) + 1}"
            self.sheets.append(Sheet(name if name not in taken else f"{name} {len(taken) + 1}"))
            if _get(attributes, "style-name") in self._hidden_styles:
                self.hidden.add(self.sheets[-1].name)
        elif local == "table-row":
            self._column, self._row_cells = 0, []
            self._row_repeats = _count(attributes, "number-rows-repeated")
        elif local in _CELLS and self._tables:
            self._in_cell, self._cell, self._paragraphs, self._cell_notes = True, attributes, [], []

    def _data(self, data: str) -> None:
        if self._text is not None and not self._skipping:
            self._text.append(data)

    def _end(self, name: str) -> None:
        space, _gap, local = name.rpartition(" ")
        if self._skipping:
            self._skipping -= 1
        elif local in ("p", "h"):
            self._end_of_paragraph()
        elif self._text is not None:
            return
        elif local == "annotation" and self._note is not None:
            self._cell_notes.append("\n".join(self._note))
            self._note = None
        elif ":drawing" in space or local == "shapes":
            self._drawing -= 1
        elif local in _CELLS and self._in_cell:
            self._end_of_cell()
        elif local == "table-row" and self.sheets:
            self._end_of_row(self.sheets[-1])
        elif local == "table":
            self._tables -= 1

    def _end_of_paragraph(self) -> None:
        text = "".join(self._text or ())
        self._text = None
        if self._note is not None:
            self._note.append(text)
        elif self._drawing and self.sheets:
            self.sheets[-1].texts += [text] if text.strip() else []
        elif self._in_cell:
            self._paragraphs.append(text)

    def _end_of_cell(self) -> None:
        sheet, place = self.sheets[-1], (self._row, self._column)
        self._in_cell = False
        repeats = _count(self._cell, "number-columns-repeated")
        shown = _shown("\n".join(self._paragraphs), self._cell)
        if shown:
            if repeats + len(self._row_cells) > MAX_CELLS // 100:
                check_size(sheet.name, MAX_CELLS, repeats)
            self._row_cells += [(self._column + at, shown) for at in range(repeats)]
            spanned = _count(self._cell, "number-columns-spanned")
            if spanned > 1:
                sheet.merged.append((place, (self._row, self._column + spanned - 1)))
        sheet.add_notes(place, self._cell_notes)
        self._column += repeats

    def _end_of_row(self, sheet: Sheet) -> None:
        if self._row_cells:
            if self._row_repeats * len(self._row_cells) + len(sheet.cells) > MAX_CELLS:
                check_size(sheet.name, MAX_CELLS, len(self._row_cells) + 1)
            for at in range(self._row_repeats):
                sheet.cells.update({(self._row + at, column): shown for column, shown in self._row_cells})
        self._row += self._row_repeats


def _shown(text: str, cell: Attributes) -> str:
    """Return what a cell shows; dates in ISO form, and its value where a program wrote no text next to it."""
    date = _get(cell, "date-value")
    if date:
        return re.sub(r"\.\d+\Z", "", date.replace("T", " ")).removesuffix(" 00:00:00")
    if text.strip():
        return text
    number, span = _get(cell, "value"), _SPAN.fullmatch(_get(cell, "time-value"))
    if span:
        hours, minutes, seconds = (int(part or 0) for part in span.groups())
        return f"{hours}:{minutes:02d}:{seconds:02d}"
    return _get(cell, "string-value") or _NO_PLACES.sub("", number) or _get(cell, "boolean-value")


def _get(attributes: Attributes, name: str) -> str:
    """Return an attribute by its local name."""
    ending = " " + name
    return next((value for key, value in attributes.items() if key.endswith(ending)), "")


def _count(attributes: Attributes, name: str) -> int:
    value = _get(attributes, name)
    return max(int(value), 1) if value.isdigit() and len(value) < 10 else 1  # noqa: PLR2004 digits of any real one


def _refuse_entities(*_declaration: object) -> None:
    raise ItemRejectedError(
        "the document declares entities",
        code="unsafe_xml",
        hint="entities can read files and grow without end; save the document again with its program",
    )


def package_flat(content: bytes, media_type: str) -> bytes:
    """Return a flat OpenDocument as a package, for readers that know no other form."""
    content = re.sub(rb"<office:binary-data>[^<]*</office:binary-data>", b"", content)  # pictures
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("mimetype", media_type, compress_type=zipfile.ZIP_STORED)
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{media_type}"/></manifest:manifest>',
        )
        start, end = content.find(b"<office:body"), content.rfind(b"</office:body>")
        styles = content[:start] + content[end + len(b"</office:body>") :] if 0 <= start < end else content
        for part, xml in (("content", content), ("styles", styles)):
            archive.writestr(f"{part}.xml", re.sub(rb"(</?office:document)(?=[\s>])", rb"\1-" + part.encode(), xml))
    return buffer.getvalue()
