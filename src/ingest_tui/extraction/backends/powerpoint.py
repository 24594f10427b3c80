"""PowerPoint 97 to 2003 (ppt, [MS-PPT]): slides in their order, with texts of all shapes, notes and comments.

xberg reads only the outline: text boxes, and whole presentations that have nothing else, are lost.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from ingest_tui.extraction.backends.base import Parsed, ParseInput, join_pages
from ingest_tui.extraction.intake.ole import CompoundFile
from ingest_tui.extraction.markup.literal_text import heading, literal
from ingest_tui.extraction.markup.markdown import split_elements
from ingest_tui.model.errors import ItemRejectedError, ProcessingError
from ingest_tui.model.extraction import Element, Finding

# Types of records ([MS-PPT] 2.13.24 RecordType, [MS-ODRAW] for the drawings).
_SLIDE, _SLIDE_ATOM, _NOTES = 1006, 1007, 1008
_SLIDE_PERSIST, _SLIDE_LIST, _DRAWING = 1011, 4080, 1036
_OUTLINE_REFERENCE, _TEXT_HEADER, _TEXT_CHARACTERS, _TEXT_BYTES, _STRING = 3998, 3999, 4000, 4008, 4026
_USER_EDIT, _PERSIST_DIRECTORY, _TAG_DATA, _COMMENT, _TEXT_BOX = 4085, 6002, 5003, 12000, 0xF00D
_IS_CONTAINER = 0x0F
_ENCRYPTED_TOKEN = 0xF3D1C4DF
_TITLES, _NOTES_TEXT = (0, 6), 2
_FIELDS = frozenset((4056, 4087, 4088, 4089, 4090))
"""Slide numbers, dates, headers and footers: the text holds a star in their place."""
_MAX_DEPTH = 60
_MAX_EDITS = 10_000


@dataclass(frozen=True, slots=True)
class _Record:
    kind: int
    instance: int
    is_container: bool
    start: int
    end: int


@dataclass(slots=True)
class _Text:
    """A text of a shape or of the outline, with the kind of placeholder that it fills."""

    kind: int
    text: str


@dataclass(slots=True)
class _Outlined:
    """A slide or a page of notes as the document lists it: where it is kept, its number, its texts in the outline."""

    place: int
    number: int
    texts: list[_Text] = field(default_factory=list)


def parse(parse_input: ParseInput) -> Parsed:
    """Return a presentation, each slide under its title.

    Raises `ItemRejectedError` (``encrypted``) and `ProcessingError` (``malformed``).
    """
    try:
        compound = CompoundFile(parse_input.content)
        user = compound.read("current user") if "current user" in compound.streams else b""
        if int.from_bytes(user[12:16], "little") == _ENCRYPTED_TOKEN:
            raise ItemRejectedError(
                "the document is encrypted",
                code="encrypted",
                hint="remove the password and put the file in place again",
            )
        reader = _Reader(compound.read("powerpoint document"))
        slides = reader.slides(int.from_bytes(user[16:20], "little"))
    except (ValueError, LookupError, struct.error) as error:
        raise ProcessingError(
            f"the presentation cannot be read: {error}"[:300], code="malformed", hint="the file may be cut short"
        ) from error
    elements: list[Element] = []
    for number, markdown in enumerate(slides, 1):
        found = split_elements(markdown) if parse_input.with_elements else []
        elements += [Element(one.text, {**one.metadata, "page_number": number}) for one in found]
        parse_input.tick()
    findings = [Finding("warning", "slides_unordered", reader.damage)] if reader.damage else []
    joined, page_starts = join_pages(slides)
    return Parsed(joined, elements, pages=len(slides) or None, page_starts=page_starts, findings=findings)


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self.damage = ""

    def slides(self, last_edit: int) -> list[str]:
        """Return the slides as markdown; in the order in which they are stored where their list is damaged."""
        try:
            places, document = self._places(last_edit)
            lists = {
                one.instance: list(self._outlined(one))
                for one in self._children(self._record(places[document]))
                if one.kind == _SLIDE_LIST
            }
        except (LookupError, ValueError, struct.error) as error:
            self.damage = f"the list of the slides cannot be read: they are in stored order ({error})"[:300]
            stored = [one for one in self._records(0, len(self._content)) if one.kind == _SLIDE]
            return [self._slide(one, [], None, number) for number, one in enumerate(stored, 1)]
        notes = {one.number: places[one.place] for one in lists.get(2, ()) if one.place in places}
        slides: list[str] = []
        for number, one in enumerate(lists.get(0, ()), 1):
            record = self._record(places[one.place]) if one.place in places else None
            slides.append(self._slide(record, one.texts, notes, number))
        return slides

    # --- records ---

    def _record(self, start: int) -> _Record:
        version, kind, length = struct.unpack_from("<HHI", self._content, start)
        end = min(start + 8 + length, len(self._content))
        return _Record(kind, version >> 4, version & 0x0F == _IS_CONTAINER, start + 8, end)

    def _records(self, start: int, end: int) -> Iterator[_Record]:
        while start + 8 <= end:
            record = self._record(start)
            yield record
            start = record.end

    def _children(self, record: _Record) -> Iterator[_Record]:
        return self._records(record.start, record.end)

    def _within(self, record: _Record, kind: int, depth: int = 0) -> Iterator[_Record]:
        """Yield the records of a kind within another one, at any depth."""
        for one in self._children(record):
            if one.kind == kind:
                yield one
            elif (one.is_container or one.kind == _TAG_DATA) and depth < _MAX_DEPTH:
                yield from self._within(one, kind, depth + 1)

    def _places(self, edit: int) -> tuple[dict[int, int], int]:
        """Return where the parts are now, by their numbers, and the number of the document; later edits count."""
        places: dict[int, int] = {}
        document = 0
        for _edit in range(_MAX_EDITS):
            record = self._record(edit)
            if record.kind != _USER_EDIT:
                raise ValueError("an edit is missing")
            previous, directory, number = struct.unpack_from("<8xIII", self._content, record.start)
            document = document or number
            listing = self._record(directory)
            at = listing.start
            while listing.kind == _PERSIST_DIRECTORY and at + 4 <= listing.end:
                (entry,) = struct.unpack_from("<I", self._content, at)
                first, count = entry & 0xFFFFF, entry >> 20
                for offset in range(count):
                    (place,) = struct.unpack_from("<I", self._content, at + 4 + 4 * offset)
                    places.setdefault(first + offset, place)
                at += 4 + 4 * count
            if not previous or previous >= edit:
                return places, document
            edit = previous
        return places, document

    def _outlined(self, listing: _Record) -> Iterator[_Outlined]:
        current: _Outlined | None = None
        for one in self._children(listing):
            if one.kind == _SLIDE_PERSIST:
                if current is not None:
                    yield current
                place, number = struct.unpack_from("<I8xI", self._content, one.start)
                current = _Outlined(place, number)
            elif current is not None and one.kind == _TEXT_HEADER:
                (kind,) = struct.unpack_from("<I", self._content, one.start)
                current.texts.append(_Text(kind, ""))
            elif current is not None and current.texts and one.kind in (_TEXT_CHARACTERS, _TEXT_BYTES):
                current.texts[-1].text += self._decoded(one)
        if current is not None:
            yield current

    def _decoded(self, record: _Record) -> str:
        content = self._content[record.start : record.end]
        return content.decode("latin-1" if record.kind == _TEXT_BYTES else "utf-16-le", "replace")

    # --- slides ---

    def _slide(self, record: _Record | None, outline: list[_Text], notes: dict[int, int] | None, number: int) -> str:
        unused = dict(enumerate(outline))
        texts = list(self._shapes(record, unused)) if record is not None else []
        texts += unused.values()
        titles = [one.text for one in texts if one.kind in _TITLES]
        blocks = [block for one in texts if one.kind not in _TITLES if (block := _paragraphs(one.text))]
        said = self._notes(record, notes or {}) if record is not None else []
        blocks += ["### Notes", *said] if said else []
        comments = [self._comment(one) for one in self._within(record, _COMMENT)] if record is not None else []
        blocks += ["### Comments", "\n".join(comments)] if comments else []
        title = " ".join(" ".join(titles).replace("\x0b", " ").split())
        return "\n\n".join([heading(2, title or f"Slide {number}"), *blocks]) if title or blocks else ""

    def _shapes(self, slide: _Record, outline: dict[int, _Text]) -> Iterator[_Text]:
        """Yield the texts of all shapes; those that are kept in the outline are taken out of it."""
        for drawing in self._within(slide, _DRAWING):
            for box in self._within(drawing, _TEXT_BOX):
                found = _Text(4, "")
                fields = False
                for one in self._children(box):
                    if one.kind == _OUTLINE_REFERENCE:
                        (index,) = struct.unpack_from("<I", self._content, one.start)
                        found = outline.pop(index, found)
                    elif one.kind == _TEXT_HEADER:
                        (kind,) = struct.unpack_from("<I", self._content, one.start)
                        found = _Text(kind, found.text)
                    elif one.kind in (_TEXT_CHARACTERS, _TEXT_BYTES):
                        found = _Text(found.kind, found.text + self._decoded(one))
                    fields = fields or one.kind in _FIELDS
                if not (fields and not found.text.strip("* \r")):
                    yield found

    def _notes(self, slide: _Record, notes: dict[int, int]) -> list[str]:
        atom = next((one for one in self._children(slide) if one.kind == _SLIDE_ATOM), None)
        if atom is None or atom.end - atom.start < 20:  # noqa: PLR2004 up to and with the number of its notes
            return []
        (number,) = struct.unpack_from("<16xI", self._content, atom.start)
        place = notes.get(number) if number else None
        if place is None or self._record(place).kind != _NOTES:
            return []
        texts = (one.text for one in self._shapes(self._record(place), {}) if one.kind == _NOTES_TEXT)
        return [block for text in texts if (block := _paragraphs(text))]

    def _comment(self, comment: _Record) -> str:
        strings = {
            one.instance: " ".join(self._content[one.start : one.end].decode("utf-16-le", "replace").split())
            for one in self._children(comment)
            if one.kind == _STRING
        }
        author, text = strings.get(0, ""), strings.get(1, "")
        return f"- {author}: {text}" if author else f"- {text}"


def _paragraphs(text: str) -> str:
    """Return a text with its paragraphs apart; a vertical tab is a line break."""
    lines = (literal(line.replace("\x0b", "\n").strip()) for line in text.replace("\x00", "").split("\r"))
    return "\n\n".join(line for line in lines if line)
