"""Word 97 to 2003 (doc): tables, headings, boxes, headers, notes and comments; older files with xberg.

xberg runs the cells of a table into each other, and leaves endnotes, headers and the boxes in them out.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable

from ingest_tui.extraction.backends import office
from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.intake.ole import CompoundFile
from ingest_tui.extraction.markup.literal_text import heading, labelled
from ingest_tui.extraction.office.word_binary import FIRST_VERSION, Paragraph, WordDocument
from ingest_tui.extraction.tables.table import pipe_table

_TABLE_FLAG = 0x0200
_MAX_LEVEL = 6
_FIELD = re.compile("([\x13\x14\x15])")
_LINK = re.compile(r"HYPERLINK\s+\"([^\"\s]+)\"")
_SIGNS = str.maketrans(
    {"\x0b": "\n", "\x1e": "-", "\xa0": " ", "\x1f": None, **dict.fromkeys("\x01\x03\x04\x05\x06\x08\x0e", None)}
)


def parse(parse_input: ParseInput) -> Parsed:
    """Return a document as markdown. Raises what `office.parse` does, which reads what is older or damaged."""
    try:
        document = _document(parse_input.content)
        if document is None:
            return office.parse(parse_input)
        writer = _Writer(document)
        markdown = writer.markdown()
    except (ValueError, LookupError, struct.error, UnicodeError):
        return office.parse(parse_input)
    return Parsed(markdown, links=list(writer.links)) if markdown.strip() else office.parse(parse_input)


def _document(content: bytes) -> WordDocument | None:
    compound = CompoundFile(content)
    main = compound.read("worddocument")
    _magic, version = struct.unpack_from("<HH", main, 0)
    (flags,) = struct.unpack_from("<H", main, 10)
    if version < FIRST_VERSION:
        return None
    return WordDocument(main, compound.read("1table" if flags & _TABLE_FLAG else "0table"))


class _Writer:
    """Writes the stories of a document; marks of notes are put where their positions are."""

    def __init__(self, document: WordDocument) -> None:
        self.links: dict[str, None] = {}
        self._document = document
        self._marks: dict[int, str] = {}
        self._fields: list[list[str] | None] = []

    def markdown(self) -> str:
        """Return the body, boxes, notes, headers, footers and comments."""
        document = self._document
        notes: list[tuple[str, tuple[int, int]]] = []
        for at_end in (False, True):
            for number, (mark, story) in enumerate(document.notes(at_end=at_end), 1):
                label = f"[^{'e' if at_end else ''}{number}]"
                self._marks[mark] = label
                notes.append((label, story))
        blocks = self._blocks(document.body)
        blocks += [*self._blocks(document.boxes)]
        blocks += [text for label, story in notes if (text := labelled(f"{label}:", self._blocks(story)))]
        for part, footers in (("Header", False), ("Footer", True)):
            stories = document.headers(footers=footers)
            shown = dict.fromkeys(block for story in stories for block in self._blocks(story))
            if not footers:
                shown |= dict.fromkeys(self._blocks(document.more_boxes))
            blocks += [f"## {part}", *shown] if shown else []
        comments = [
            text
            for initials, story in document.comments()
            if (text := labelled(f"- {initials}:" if initials else "-", self._blocks(story)))
        ]
        blocks += ["## Comments", "\n".join(comments)] if comments else []
        return "\n\n".join(blocks) + "\n"

    def _blocks(self, story: tuple[int, int]) -> list[str]:
        return _blocks((one, self._shown(one)) for one in self._document.paragraphs(*story))

    def _shown(self, paragraph: Paragraph) -> str:
        """Return the text of a paragraph as it is shown: results of fields, marks of notes, no marks of the program."""
        text = paragraph.text
        if "\x02" in text:
            text = "".join(
                self._marks.get(paragraph.start + at, "") if letter == "\x02" else letter
                for at, letter in enumerate(text)
            )
        if self._fields or "\x13" in text:
            text = "".join(self._without_instructions(text))
        text = text.rstrip("\r\x07\x0c").translate(_SIGNS).strip()
        return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def _without_instructions(self, text: str) -> Iterable[str]:
        """Yield what fields show. A field may go over paragraphs: those that are open are remembered."""
        for part in _FIELD.split(text):
            if part == "\x13":
                self._fields.append([])
            elif part == "\x14":
                if self._fields and (instruction := self._fields[-1]) is not None:
                    if found := _LINK.search("".join(instruction)):
                        self.links.setdefault(found[1])
                    self._fields[-1] = None
            elif part == "\x15":
                if self._fields:
                    self._fields.pop()
            else:
                instruction = next((one for one in self._fields if one is not None), None)
                if instruction is None:
                    yield part
                else:
                    instruction.append(part)


def _blocks(paragraphs: Iterable[tuple[Paragraph, str]]) -> list[str]:
    """Return paragraphs as blocks of markdown: headings, tables and texts."""
    blocks: list[str] = []
    rows: list[list[str]] = []
    cells: list[str] = []
    cell: list[str] = []

    def end_table() -> None:
        nonlocal rows, cells, cell
        if cell or cells:
            rows.append([*cells, *([" ".join(cell)] if cell else [])])
        if table := pipe_table(rows) if rows else "":
            blocks.append(table)
        rows, cells, cell = [], [], []

    for one, text in paragraphs:
        if one.text.endswith("\x07"):
            if one.ends_row:
                rows.append(cells)
                cells = []
            else:
                cells.append(" ".join((*cell, text)).strip())
            cell = []
        elif one.in_table:
            cell.append(text)
        else:
            end_table()
            if text:
                blocks.append(heading(min(one.level, _MAX_LEVEL), text))
    end_table()
    return blocks
