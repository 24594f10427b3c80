"""What the full text holds of a chunk. Made where chunks are made: in the parsers, or where text is chunked again."""

from __future__ import annotations

from typing import NamedTuple

from ingest_tui.model.analysis import analyse


class ChunkWords(NamedTuple):
    """The terms of the headings above a chunk, those of its text, and the other forms of both: see `analysis`."""

    heading: str
    text: str
    forms: str


def analyse_chunk(heading: str, text: str, language: str | None) -> ChunkWords:
    """Return the words of a chunk in a language."""
    above, own = analyse(heading, language), analyse(text, language)
    return ChunkWords(above.terms, own.terms, f"{above.forms} {own.forms}".strip())
