"""Word (docx): the body with xberg, from a package that holds only what it needs, and what is around the body.

xberg finds parts by their names, takes marks of emphasis into words, leaves headers, footers, charts and inserted
documents out, and numbers notes otherwise than their marks. So the body is edited before, and the rest is added after.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import TypeVar
from xml.etree import ElementTree as ET

from ingest_tui.extraction.backends import office
from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.markup.literal_text import labelled
from ingest_tui.extraction.markup.table_heads import with_joined_heads
from ingest_tui.extraction.office.ooxml import (
    BROKEN_PART,
    Package,
    Relationship,
    chart_markdown,
    diagram_markdown,
    open_package,
    parse_xml,
)
from ingest_tui.extraction.office.word_text import as_written
from ingest_tui.extraction.office.wordml import (
    PLACE,
    PLACES,
    NoteNumbers,
    blocks_of_part,
    comment_lines,
    edited_body,
    normalised,
    notes_by_number,
)
from ingest_tui.model.errors import ProcessingError
from ingest_tui.model.extraction import Finding

_RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KEPT_PARTS = {"styles": "word/styles.xml", "numbering": "word/numbering.xml"}
_KEPT_LINKS = ("hyperlink", "image")
_GRAPHICS = ("chart", "chartEx", "diagramData")
_Read = TypeVar("_Read")
_MAX_PLACES = 10_000
_IN_ATTRIBUTE = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
)


def parse(parse_input: ParseInput) -> Parsed:
    """Return a document as markdown; headers, footers and comments follow under headings of their own.

    Raises `ItemRejectedError` (``encrypted``, ``archive_bomb``, ``unsafe_xml``) and `ProcessingError` (``malformed``).
    """
    try:
        reader = _Reader(open_package(parse_input.content), parse_input)
        prepared = reader.prepared()
    except BROKEN_PART as error:
        raise ProcessingError(
            f"the document cannot be read: {error}"[:300], code="malformed", hint="the file may be cut short"
        ) from error
    parsed = office.parse(replace(parse_input, content=prepared))
    parse_input.tick()
    body = reader.with_parts(with_joined_heads(as_written(parsed.markdown)))
    around = reader.around(body)
    parsed.markdown = "\n\n".join((body.strip("\n"), *around)).lstrip("\n") + "\n"
    parsed.findings += reader.findings
    return parsed


@dataclass(slots=True)
class _Reader:
    """Reads the parts of a package around its main part."""

    package: Package
    parse_input: ParseInput
    findings: list[Finding] = field(default_factory=list)
    _related: dict[str, Relationship] = field(default_factory=dict)
    _notes: NoteNumbers = field(default_factory=NoteNumbers)
    _places: list[Relationship] = field(default_factory=list)

    def prepared(self) -> bytes:
        """Return a package that reads as the document is shown. Raises what `BROKEN_PART` names."""
        main = self.package.main_part("word/document.xml")
        self._related = {one.id: one for one in self.package.relationships(main)}
        body = edited_body(normalised(self.package.read(main)), self._notes, self._place)
        parts = {"word/document.xml": body}
        listed: list[str] = []
        for one in self._related.values():
            target = _KEPT_PARTS.get(one.kind)
            if target is not None:
                text = self._part(one, lambda name: normalised(self.package.read(name)), "")
                if not text:
                    continue
                parts[target] = text
            elif one.kind not in _KEPT_LINKS:
                continue
            listed.append(_relationship(one, target))
        parts["word/_rels/document.xml.rels"] = _relationships(listed)
        return _packed(parts, self.package)

    def _place(self, relationship: str) -> str:
        """Return what is in the body for an inserted document, a chart or a diagram."""
        one = self._related.get(relationship)
        if (
            one is None
            or one.is_external
            or one.kind not in ("aFChunk", *_GRAPHICS)
            or len(self._places) >= _MAX_PLACES
        ):
            return ""
        self._places.append(one)
        return PLACE.format(len(self._places) - 1)

    def with_parts(self, markdown: str) -> str:
        """Return the body with the other parts that are shown within it."""
        if not self._places:
            return markdown
        return "\n".join(self._filled(line) if "\ue0ff" in line else line for line in markdown.split("\n"))

    def _filled(self, line: str) -> str:
        is_row = line.startswith("|")

        def shown(match: re.Match[str]) -> str:
            number = int(match[1])
            text = self._text_of(self._places[number]).strip() if number < len(self._places) else ""
            return " ".join(text.replace("|", " ").split()) if is_row else f"\n\n{text}\n\n"

        return PLACES.sub(shown, line)

    def _text_of(self, one: Relationship) -> str:
        self.parse_input.tick()
        if one.kind == "aFChunk":
            file_name = one.target.rpartition("/")[2]
            return self._part(one, lambda name: self.parse_input.read_part(self.package.read(name), file_name), "")
        markdown = diagram_markdown if one.kind == "diagramData" else chart_markdown
        return self._part(one, lambda name: markdown(self.package.xml(name)), "")

    def around(self, body: str) -> list[str]:
        """Return the notes, then headers, footers and comments under their headings."""
        blocks = [*self._note_lines("foot"), *self._note_lines("end")]
        for part, kind in (("Header", "header"), ("Footer", "footer")):
            shown: dict[str, None] = {}
            for one in self._of_kind(kind):
                shown.update(dict.fromkeys(self._lines(one, blocks_of_part)))
            if lines := [line for line in shown if line not in body]:
                blocks += [f"## {part}", *lines]
        comments = [line for one in self._of_kind("comments") for line in self._lines(one, comment_lines)]
        return [*blocks, "## Comments", "\n".join(comments)] if comments else blocks

    def _note_lines(self, kind: str) -> list[str]:
        numbers = self._notes.shown[kind]
        if not numbers:
            return []
        texts: dict[str, list[str]] = {}
        nothing: dict[str, list[str]] = {}
        for one in self._of_kind(f"{kind}notes"):
            texts |= self._part(one, lambda name: notes_by_number(self._root(name), f"{kind}note"), nothing)
        return [labelled(f"[^{shown}]:", texts[number]) for number, shown in numbers.items() if texts.get(number)]

    def _of_kind(self, kind: str) -> list[Relationship]:
        return [one for one in self._related.values() if one.kind == kind and not one.is_external]

    def _lines(self, one: Relationship, read: Callable[[ET.Element], list[str]]) -> list[str]:
        return self._part(one, lambda name: read(self._root(name)), [])

    def _root(self, name: str) -> ET.Element:
        return parse_xml(self.package.read(name))

    def _part(self, one: Relationship, read: Callable[[str], _Read], nothing: _Read) -> _Read:
        """Return what ``read`` makes of a part; ``nothing``, with a finding, where it is damaged."""
        try:
            return read(one.target)
        except BROKEN_PART as error:
            message = f"{one.target[:100]} cannot be read: {error}"[:300]
            self.findings.append(Finding("warning", "part_missing", message))
            return nothing


def _relationship(one: Relationship, target: str | None) -> str:
    mode = ' TargetMode="External"' if one.is_external else ""
    where = target.removeprefix("word/") if target else one.target if one.is_external else f"/{one.target}"
    kind = _quoted(f"{_RELATIONSHIPS}/{one.kind}")
    return f"<Relationship Id={_quoted(one.id)} Type={kind} Target={_quoted(where)}{mode}/>"


def _quoted(value: str) -> str:
    """Return the value of an attribute as XML has it; `xml.sax.saxutils` would load HTTP and mail for that."""
    return f'"{value.translate(_IN_ATTRIBUTE)}"'


def _relationships(listed: list[str]) -> str:
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{"".join(listed)}</Relationships>'


def _packed(parts: dict[str, str], package: Package) -> bytes:
    """Return a package of the parts and the properties of the document. Nothing is compressed: it is read at once."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{_PACKAGE}/content-types"/>')
        related = [
            f'<Relationship Id="rId1" Type="{_RELATIONSHIPS}/officeDocument" Target="word/document.xml"/>',
        ]
        for name in ("docProps/core.xml", "docProps/app.xml"):
            if name in package:
                archive.writestr(name, package.read(name))
        archive.writestr("_rels/.rels", _relationships(related))
        for name, text in parts.items():
            archive.writestr(name, text.encode("utf-8", "replace"))
    return buffer.getvalue()
