"""What every backend takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ingest_tui.extraction.intake.formats import Format
from ingest_tui.extraction.ocr.ocr_reader import NO_OCR, OcrReader
from ingest_tui.model.extraction import Element, Finding

if TYPE_CHECKING:
    from ingest_tui.extraction.schemas.schema_check import SchemaCheck


def _no_tick() -> None:
    """Nobody waits for signs of life."""


def _read_nothing(_content: bytes, _file_name: str) -> str:
    return ""


def _read_no_attachment(_name: str, _content: bytes) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class ParseInput:
    """One document on its way into a backend.

    ``tick`` is to be called after each page, sheet or part. ``read_part(content, file_name)`` returns the markdown of a
    document within this one; empty for what cannot be read or is not let in, and it never raises an `ItemError`.
    ``read_attachment(name, content)`` does so for a file that is attached, where the text of these is part of the
    document; else it returns nothing, and keeps the file as a document of its own where that is wanted. Where
    ``with_elements`` is False nobody looks at the elements: they need not be made. ``schema`` is to be shown what the
    document holds as values: JSON, or rows of a table. ``ocr`` reads pictures of pages where that is switched on.
    ``rest``: ``content`` is only the beginning of a large table of text, and this gives the blocks after it, once.
    """

    content: bytes
    file_name: str
    format: Format
    tick: Callable[[], None] = _no_tick
    read_part: Callable[[bytes, str], str] = _read_nothing
    read_attachment: Callable[[str, bytes], str] = _read_no_attachment
    with_elements: bool = True
    schema: SchemaCheck | None = None
    ocr: OcrReader = NO_OCR
    rest: Iterable[bytes] | None = None


@dataclass(slots=True)
class Parsed:
    """What a backend made of a document. An empty ``elements`` means: cut the markdown into its blocks.

    ``page_starts`` holds the offset in ``markdown`` at which each page begins, as `join_pages` returns it.
    ``findings`` are what is wrong with the document; ``warnings`` other notes on how it was read.
    ``hint_if_empty`` is the hint shown when the markdown holds no text, ``code_if_empty`` the reason where that is not
    ``empty``.
    """

    markdown: str
    elements: list[Element] = field(default_factory=list)
    title: str | None = None
    language: str | None = None
    pages: int | None = None
    page_starts: list[int] = field(default_factory=list)
    columns: list[dict[str, Any]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    hint_if_empty: str = ""
    code_if_empty: str = ""


def join_pages(pages: Sequence[str]) -> tuple[str, list[int]]:
    """Return pages as one markdown with a blank line between them, and the offset at which each begins.

    ``pages`` holds all of a document, in order: one without text is empty, and begins where the next one does.
    """
    starts: list[int] = []
    offset = 0
    for page in pages:
        starts.append(offset)
        offset += len(page) + 2 if page else 0
    text = "\n\n".join(page for page in pages if page)
    return (f"{text}\n", starts) if text else ("", [])


ParseFunction = Callable[[ParseInput], Parsed]
"""Reads one document; called for one document at a time, in whatever process; raises `ItemError` only."""
