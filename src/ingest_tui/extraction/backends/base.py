"""What every backend takes and gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ingest_tui.extraction.intake.formats import Format
from ingest_tui.model.extraction import Element, Finding


def _no_tick() -> None:
    """Nobody waits for signs of life."""


def _read_nothing(_content: bytes, _file_name: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class ParseInput:
    """One document on its way into a backend.

    ``tick`` is to be called after each page, sheet or part. ``read_part(content, file_name)`` returns the markdown of a
    document within this one, such as an attachment; empty for what cannot be read or is not let in, and it never raises
    an `ItemError`. Where ``with_elements`` is False nobody looks at the elements: they need not be made.
    """

    content: bytes
    file_name: str
    format: Format
    tick: Callable[[], None] = _no_tick
    read_part: Callable[[bytes, str], str] = _read_nothing
    with_elements: bool = True


@dataclass(slots=True)
class Parsed:
    """What a backend made of a document. An empty ``elements`` means: cut the markdown into its blocks.

    ``findings`` are what is wrong with the document; ``warnings`` other notes on how it was read.
    ``hint_if_empty`` is the hint shown when the markdown holds no text.
    """

    markdown: str
    elements: list[Element] = field(default_factory=list)
    title: str | None = None
    language: str | None = None
    pages: int | None = None
    columns: list[dict[str, Any]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    hint_if_empty: str = ""


ParseFunction = Callable[[ParseInput], Parsed]
"""Reads one document; called for one document at a time, in whatever process; raises `ItemError` only."""
