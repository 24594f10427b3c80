"""Office Open XML (ECMA-376) packages: parts found by their relationships, and the text of DrawingML.

Elements are looked up by local names, so that the namespaces of the strict and the transitional form are read alike.
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from ingest_tui.extraction.markup.formulas import marked_formula, with_formulas_apart
from ingest_tui.extraction.markup.literal_text import literal
from ingest_tui.extraction.tables.table import pipe_table
from ingest_tui.model.errors import ItemRejectedError

MAX_PART_BYTES = 256 * 1024**2
_MAX_CHART_POINTS = 1_000
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Relationship:
    """One part that another one refers to. ``kind`` is the last word of its type, such as ``notesSlide``."""

    id: str
    kind: str
    target: str
    is_external: bool


class Package:
    """The parts of a package, by names as relationships write them: any case, either slash."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._entries: dict[str, zipfile.ZipInfo] = {}
        for entry in archive.infolist():
            self._entries.setdefault(_key(entry.filename), entry)

    def __contains__(self, name: str) -> bool:
        return _key(name) in self._entries

    def names(self) -> list[str]:
        """Return the names of all parts, with forward slashes, as they are spelled."""
        return [entry.filename.replace("\\", "/").lstrip("/") for entry in self._entries.values()]

    def read(self, name: str) -> bytes:
        """Return the bytes of a part. Raises `KeyError` when it is missing."""
        with self._archive.open(self._entries[_key(name)]) as part:
            return part.read(MAX_PART_BYTES)

    def xml(self, name: str) -> ET.Element:
        """Return the root of a part. Raises `KeyError`, `ElementTree.ParseError` or `ItemRejectedError`."""
        return parse_xml(self.read(name))

    def relationships(self, name: str = "") -> list[Relationship]:
        """Return what a part refers to (the package itself without a name), in order; none where there is no list."""
        folder, _slash, base = name.rpartition("/")
        try:
            root = self.xml(posixpath.join(folder, "_rels", f"{base}.rels"))
        except (KeyError, ET.ParseError):
            return []
        return [
            Relationship(
                one.get("Id", ""),
                one.get("Type", "").rpartition("/")[2],
                one.get("Target", "")
                if one.get("TargetMode") == "External"
                else _resolve(folder, one.get("Target", "")),
                one.get("TargetMode") == "External",
            )
            for one in root
        ]

    def main_part(self, usual: str) -> str:
        """Return the name of the document itself, ``usual`` where none is named. Raises `KeyError`."""
        for one in self.relationships():
            if one.kind == "officeDocument" and one.target in self:
                return one.target
        if usual not in self:
            raise KeyError(usual)
        return usual


def _key(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


def _resolve(folder: str, target: str) -> str:
    target = unquote(target.replace("\\", "/"))
    return posixpath.normpath(posixpath.join("/" + folder, target)).lstrip("/")


def open_package(content: bytes) -> Package:
    """Return the package in ``content``. Raises `zipfile.BadZipFile`."""
    return Package(zipfile.ZipFile(BytesIO(content)))


def parse_xml(content: bytes) -> ET.Element:
    """Return the root of an XML part. Raises `ElementTree.ParseError`, and `ItemRejectedError` (``unsafe_xml``)."""
    refuse_entities(content)
    return ET.fromstring(content)  # noqa: S314 expat fetches nothing, and entities are refused above


BROKEN_PART = (
    LookupError,
    ValueError,
    RuntimeError,
    EOFError,
    ET.ParseError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What reading a damaged part raises."""


def document_properties(package: Package) -> tuple[str | None, str | None]:
    """Return the title and the language that the properties of the document give."""
    name = next((one.target for one in package.relationships() if one.kind == "core-properties"), "docProps/core.xml")
    try:
        root = package.xml(name)
    except BROKEN_PART:
        return None, None
    values = {local(one): " ".join((one.text or "").split()) for one in root}
    return values.get("title", "")[:300] or None, values.get("language", "")[:35] or None


def refuse_entities(content: bytes) -> None:
    """Raise `ItemRejectedError` (``unsafe_xml``) for a part that declares entities."""
    head = content.replace(b"\x00", b"") if content.startswith(_UTF16_MARKS) or b"\x00" in content[:8] else content
    if b"<!ENTITY" in head:
        raise ItemRejectedError(
            "a part of the document declares entities",
            code="unsafe_xml",
            hint="entities can read files and grow without end; save the document again with its program",
        )


def local(element: ET.Element) -> str:
    """Return the name of an element without its namespace."""
    tag: str = element.tag
    return tag[tag.rfind("}") + 1 :]


def attribute(element: ET.Element, name: str) -> str:
    """Return the attribute of that name that has a namespace, such as ``r:id``; else the plain one."""
    ending = "}" + name
    return next((value for key, value in element.attrib.items() if key.endswith(ending)), element.get(name, ""))


def child(element: ET.Element | None, *path: str) -> ET.Element | None:
    """Return the first element down that path of local names."""
    for name in path:
        element = next((one for one in element if local(one) == name), None) if element is not None else None
    return element


def children(element: ET.Element) -> Iterator[ET.Element]:
    """Yield the children; of alternative content (ECMA-376 part 3) only the one that is shown."""
    for one in element:
        if local(one) != "AlternateContent":
            yield one
            continue
        shown = next((branch for branch in one if any(node.text and node.text.strip() for node in branch.iter())), None)
        if shown is None:
            shown = next(iter(one), None)
        if shown is not None:
            yield from children(shown)


def descendants(element: ET.Element, name: str) -> Iterator[ET.Element]:
    """Yield the outermost elements of that local name, through alternative content."""
    for one in children(element):
        if local(one) == name:
            yield one
        else:
            yield from descendants(one, name)


# --- DrawingML: the text of slides, charts and diagrams -----------------------------------------------------------


def paragraph_text(paragraph: ET.Element) -> str:
    """Return the text of an ``a:p``: its runs as they follow each other, a break as a new line."""
    parts: list[str] = []
    for one in paragraph.iter():
        tag = one.tag
        if tag.endswith(("}AlternateContent", "}oMath")):
            parts.clear()
            _gather(paragraph, parts)
            break
        if tag.endswith("}t"):
            parts.append(one.text or "")
        elif tag.endswith("}br"):
            parts.append("\n")
    return with_formulas_apart("".join(parts)).replace("\x0b", "\n").strip()


def _gather(element: ET.Element, parts: list[str]) -> None:
    for one in children(element):
        name = local(one)
        if name in ("t", "br"):
            parts.append("\n" if name == "br" else one.text or "")
        elif name == "oMath":
            parts.append(marked_formula(one))
        else:
            _gather(one, parts)


def drawing_text(element: ET.Element) -> str:
    """Return the paragraphs within an element, one a line."""
    texts = (paragraph_text(one) for one in descendants(element, "p"))
    return "\n".join(text for text in texts if text)


def table_markdown(table: ET.Element) -> str:
    """Return an ``a:tbl`` as a table of markdown."""
    rows = [
        [drawing_text(cell).replace("\n", " ") for cell in descendants(row, "tc")] for row in descendants(table, "tr")
    ]
    return pipe_table(rows)


def chart_markdown(root: ET.Element) -> str:
    """Return what a chart shows: its titles and a table of its series, from the values kept with it."""
    titles = [literal(drawing_text(title).replace("\n", " ")) for title in descendants(root, "title")]
    series = list(descendants(root, "ser"))
    columns = [
        _points(child(one, "cat") if child(one, "cat") is not None else child(one, "xVal")) for one in series[:1]
    ]
    names = [""] * len(columns)
    for one in series:
        names.append(" ".join(_points(child(one, "tx")).values()))
        columns.append(_points(child(one, "val") if child(one, "val") is not None else child(one, "yVal")))
    last = min(max((index for column in columns for index in column), default=-1), _MAX_CHART_POINTS - 1)
    rows = [names, *([column.get(index, "") for column in columns] for index in range(last + 1))]
    return "\n\n".join(part for part in (*titles, pipe_table(rows) if series else "") if part)


def diagram_markdown(root: ET.Element) -> str:
    """Return the words of a diagram (SmartArt) as a list."""
    texts = [literal(drawing_text(one).replace("\n", " ")) for one in descendants(root, "t")]
    return "\n".join(f"- {text}" for text in texts if text)


def _points(data: ET.Element | None) -> dict[int, str]:
    """Return the cached values of a series by their position."""
    if data is None:
        return {}
    found: dict[int, str] = {}
    for point in descendants(data, "pt"):
        value = child(point, "v")
        index = point.get("idx", "")
        if value is not None and value.text and index.isdecimal():
            found[int(index)] = value.text.strip()
    if not found:
        value = next(descendants(data, "v"), None)
        return {0: value.text.strip()} if value is not None and value.text else {}
    return found
