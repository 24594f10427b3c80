"""Rich Text Format."""

from __future__ import annotations

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.rtf.reader import read_rtf


def parse(parse_input: ParseInput) -> Parsed:
    """Return a document as markdown; one that is cut short as far as it goes."""
    document = read_rtf(parse_input.content, parse_input.tick)
    return Parsed(document.markdown, title=document.title or None, links=document.links)
