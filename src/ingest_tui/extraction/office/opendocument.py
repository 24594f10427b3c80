"""OpenDocument texts, presentations and drawings (ISO/IEC 26300) as markdown, from their parsed XML.

A package has its content and its styles in two parts; a flat file has both below one root.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from textwrap import indent
from xml.etree import ElementTree as ET

from ingest_tui.extraction.markup.formulas import formula_text
from ingest_tui.extraction.markup.literal_text import heading, is_table, labelled, literal
from ingest_tui.extraction.office.form_fields import shown_by_field
from ingest_tui.extraction.office.ooxml import attribute, local
from ingest_tui.extraction.tables.table import pipe_table

ReadObject = Callable[[str], ET.Element | None]
"""Returns the content of an embedded object by its reference, such as ``./Object 1``; None where there is none."""

_MAX_REPEATED = 100
_MAX_SPACES = 100
_MAX_LEVEL = 6
_TITLE_MARK = re.compile(r"\A(?:#{1,6}|-) ")
_NO_LINE = re.compile(r"\n|\A(?:[#|>-]|\d+\.) ")
_SKIPPED = frozenset(
    (
        *("tracked-changes", "forms", "scripts", "event-listeners", "script", "annotation-end"),
        *("note-citation", "sequence-decls", "variable-decls", "user-field-decls", "dde-connection-decls", "settings"),
        *("footer-decl", "header-decl", "date-time-decl", "automatic-styles", "font-face-decls", "enhanced-geometry"),
    )
)
_SHAPES = frozenset(
    (
        *("frame", "text-box", "custom-shape", "rect", "line", "polyline", "polygon", "path", "circle", "ellipse"),
        *(
            "g",
            "connector",
            "caption",
            "measure",
            "control",
            "page-thumbnail",
            "object",
            "object-ole",
            "regular-polygon",
        ),
    )
)
_IN_COMMENTS = ("p", "list", "table")
_HEADER_PARTS = {
    "Header": ("header", "header-first", "header-left"),
    "Footer": ("footer", "footer-first", "footer-left"),
}


def text_document(roots: Iterable[ET.Element], read_object: ReadObject) -> str:
    """Return a text document: its body, notes, headers, footers and comments. ``roots``: the content and the styles."""
    roots = list(roots)
    writer = _Writer(roots, read_object)
    blocks = [block for body in _each(roots, "office:text") for block in writer.blocks(body)]
    blocks += writer.notes
    comments = writer.comments
    for part, names in _HEADER_PARTS.items():
        shown: dict[str, None] = {}
        for page in _each(roots, "style:master-page"):
            for one in page:
                if local(one) in names:
                    shown.update(dict.fromkeys(writer.blocks(one)))
        blocks += [f"## {part}", *shown] if shown else []
    blocks += ["## Comments", "\n".join(comments)] if comments else []
    return "\n\n".join(blocks) + "\n"


def slides(roots: Iterable[ET.Element], read_object: ReadObject) -> list[str]:
    """Return the slides of a presentation, or the pages of a drawing; an empty one as an empty text.

    Each is with its notes and comments.
    """
    roots = list(roots)
    footers = {
        attribute(one, "name"): " ".join("".join(one.itertext()).split())
        for one in _each(roots, "presentation:footer-decl")
    }
    shown: set[str] = set()
    found: list[str] = []
    for kind, name in (("office:presentation", "Slide"), ("office:drawing", "Page")):
        for body in _each(roots, kind):
            for number, page in enumerate((one for one in body if local(one) == "page"), 1):
                footer = footers.get(attribute(page, "use-footer-name"), "")
                writer = _Writer(roots, read_object)
                found.append(_slide(page, f"{name} {number}", writer, "" if footer in shown else footer))
                shown.add(footer)
    return found


def _slide(page: ET.Element, usual_title: str, writer: _Writer, footer: str) -> str:
    titles: list[str] = []
    blocks: list[str] = []
    notes: list[str] = []
    for shape in page:
        kind = attribute(shape, "class")
        if local(shape) == "notes":
            for one in shape:
                if attribute(one, "class") not in ("page", "header", "footer", "date-time", "page-number"):
                    notes += writer.blocks_of(one)
        elif attribute(shape, "placeholder") == "true" or kind == "page-number":
            continue  # the prompt of a placeholder is shown only to who edits
        elif kind == "title":
            titles += writer.blocks_of(shape)
        else:
            blocks += writer.blocks_of(shape)
    blocks += [literal(footer)] if footer else []
    blocks += ["### Notes", *notes] if notes else []
    blocks += ["### Comments", "\n".join(writer.comments)] if writer.comments else []
    title = " ".join(" ".join(_TITLE_MARK.sub("", one) for one in titles).split())
    return "\n\n".join([heading(2, title or usual_title), *blocks]) if title or blocks else ""


def _each(roots: Iterable[ET.Element], name: str) -> Iterator[ET.Element]:
    ending = f":{name}"
    for root in roots:
        yield from (one for one in root.iter() if one.tag.replace(":1.0}", ":").endswith(ending))


class _Writer:
    """Writes blocks; notes and comments that it comes upon are kept for the end."""

    def __init__(self, roots: list[ET.Element], read_object: ReadObject) -> None:
        self.notes: list[str] = []
        self.comments: list[str] = []
        self._read_object = read_object
        self._in_cell = False
        self._note_numbers = {"footnote": 0, "endnote": 0}
        self._parents: dict[str, str] = {}
        self._numbered: set[tuple[str, int]] = set()
        self._fields: dict[str, ET.Element] = {}
        for root in roots:
            for one in root.iter():
                name = local(one)
                if ":form:1.0}" in one.tag and (identity := attribute(one, "id")):
                    self._fields[identity] = one
                elif name == "style":
                    self._parents[attribute(one, "name")] = attribute(one, "parent-style-name")
                elif name == "list-style":
                    self._numbered |= {
                        (attribute(one, "name"), int(attribute(level, "level")))
                        for level in one
                        if local(level) == "list-level-style-number" and attribute(level, "level").isdecimal()
                    }

    def blocks(self, element: ET.Element) -> list[str]:
        """Return the blocks within an element."""
        return [block for one in element for block in self.blocks_of(one)]

    def blocks_of(self, one: ET.Element) -> list[str]:  # noqa: PLR0911 one line per kind of element
        """Return what an element is in blocks of markdown."""
        name = local(one)
        if name in ("p", "h"):
            return self._paragraph(one, name)
        if name == "list":
            lines = list(self._list(one, 0, attribute(one, "style-name")))
            return ["\n".join(lines)] if lines else []
        if name == "table":
            heads = [cells for row in _rows(one, heads=True) for cells in self._row(row)]
            rows = heads + [cells for row in _rows(one, heads=False) for cells in self._row(row)]
            table = " ".join(chain.from_iterable(rows)) if self._in_cell else pipe_table(rows, len(heads))
            return [table] if table else []
        if name == "annotation":
            self._comment(one)
            return []
        if name == "math":
            return [literal(text)] if (text := formula_text(one)) else []
        if name in ("object", "object-ole"):
            content = self._read_object(attribute(one, "href")) if attribute(one, "href") else one
            if content is not None and local(content) == "math":
                return self.blocks_of(content)
            return self.blocks(content) if content is not None else []
        if name == "control":
            field = self._fields.get(attribute(one, "control"))
            return list(filter(None, [shown_by_field(field)])) if field is not None else []
        return [] if name in _SKIPPED else self.blocks(one)

    def _paragraph(self, one: ET.Element, name: str) -> list[str]:
        within: list[str] = []
        text = self._inline(one, within).strip()
        if not text:
            return within
        level = attribute(one, "outline-level") if name == "h" else ""
        depth = min(int(level), _MAX_LEVEL) if level.isdecimal() else 1 if name == "h" or self._is_title(one) else 0
        return [text if self._in_cell else heading(depth, text), *within]

    def _is_title(self, paragraph: ET.Element) -> bool:
        style = attribute(paragraph, "style-name")
        return style == "Title" or self._parents.get(style) == "Title"

    def _inline(self, element: ET.Element, within: list[str]) -> str:
        """Return the text of a paragraph; blocks of shapes in it are added to ``within``."""
        parts = [_collapsed(element.text)]
        for one in element:
            shown, after = self._inline_of(one, within), _collapsed(one.tail)
            if shown and local(one) in _SHAPES:
                shown = " " * parts[-1][-1:].isalnum() + shown + " " * after[:1].isalnum()
            parts += [shown, after]
        return "".join(parts)

    def _inline_of(self, one: ET.Element, within: list[str]) -> str:
        name = local(one)
        text = ""
        if name == "s":
            count = attribute(one, "c")
            text = " " * min(int(count) if count.isdecimal() else 1, _MAX_SPACES)
        elif name in ("tab", "line-break"):
            text = "\t" if name == "tab" else "\n"
        elif name == "note":
            text = self._note(one)
        elif name == "annotation":
            self._comment(one)
        elif name in _SHAPES:
            text = self._shape(one, within)
        elif name == "a":
            text, target = self._inline(one, within), attribute(one, "href")
            text = f"[{text}]({target})" if text.strip() and "://" in target else text
        elif name == "ruby-text":
            text = f" ({self._inline(one, within)})"
        elif name not in _SKIPPED:
            text = self._inline(one, within)
        return text

    def _shape(self, shape: ET.Element, within: list[str]) -> str:
        """Return what a shape shows that is placed as a letter is, such as a formula; else add its blocks."""
        blocks = self.blocks_of(shape)
        if attribute(shape, "anchor-type") == "as-char" and len(blocks) == 1 and not _NO_LINE.search(blocks[0]):
            return blocks[0]
        within += blocks
        return ""

    def _note(self, note: ET.Element) -> str:
        kind = attribute(note, "note-class")
        kind = kind if kind in self._note_numbers else "footnote"
        self._note_numbers[kind] += 1
        label = f"[^{'e' if kind == 'endnote' else ''}{self._note_numbers[kind]}]"
        self.notes.append(labelled(f"{label}:", self.blocks(note)))
        return label

    def _comment(self, annotation: ET.Element) -> None:
        creator = next((" ".join((one.text or "").split()) for one in annotation if local(one) == "creator"), "")
        blocks = [block for one in annotation if local(one) in _IN_COMMENTS for block in self.blocks_of(one)]
        if text := labelled(f"- {creator}:" if creator else "-", blocks):
            self.comments.append(text)

    def _list(self, element: ET.Element, depth: int, style: str) -> Iterator[str]:
        is_numbered = (style, depth + 1) in self._numbered
        number = 0
        for item in element:
            if local(item) not in ("list-item", "list-header"):
                continue
            marked = local(item) == "list-header"
            for one in item:
                if local(one) == "list":
                    yield from self._list(one, depth + 1, attribute(one, "style-name") or style)
                    continue
                for block in self.blocks_of(one):
                    if is_table(block):
                        yield f"\n{indent(block, '  ' * (depth + 1))}\n"
                        continue
                    number += not marked
                    mark = "  " if marked else f"{number}. " if is_numbered else "- "
                    if local(item) == "list-header":
                        mark = ""
                    yield "  " * depth + mark + " ".join(block.split())
                    marked = True

    def _cell(self, cell: ET.Element) -> str:
        outer, self._in_cell = self._in_cell, True
        text = " ".join(" ".join(self.blocks(cell)).split())
        self._in_cell = outer
        return text

    def _row(self, row: ET.Element) -> Iterator[list[str]]:
        cells: list[str] = []
        for cell in row:
            if local(cell) in ("table-cell", "covered-table-cell"):
                text = self._cell(cell) if local(cell) == "table-cell" else ""
                cells += [text] * _repeated(cell, "number-columns-repeated")
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield from [cells] * _repeated(row, "number-rows-repeated")


def _rows(table: ET.Element, *, heads: bool) -> Iterator[ET.Element]:
    """Yield the rows of the heads of a table, or its other ones."""
    for one in table:
        name = local(one)
        if name == "table-row":
            if not heads:
                yield one
        elif name == "table-header-rows":
            if heads:
                yield from _rows(one, heads=False)
        elif name in ("table-rows", "table-row-group"):
            yield from _rows(one, heads=heads)


def _repeated(element: ET.Element, name: str) -> int:
    count = attribute(element, name)
    return min(int(count), _MAX_REPEATED) if count.isdecimal() else 1


def _collapsed(text: str | None) -> str:
    """Return a text with its white space as OpenDocument means it: any run of it is one space."""
    if not text:
        return ""
    words = " ".join(text.split())
    return (" " if text[0].isspace() else "") + words + (" " if words and text[-1].isspace() else "")
