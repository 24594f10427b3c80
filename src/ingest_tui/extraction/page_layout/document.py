"""The pages of a document together: what is repeated, which lines are headings, and each page as markdown. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ingest_tui.extraction.page_layout.blocks import PageBlock
from ingest_tui.extraction.page_layout.headings import Outline, find_headings
from ingest_tui.extraction.page_layout.markdown import render
from ingest_tui.extraction.page_layout.running import find_repeated


def pages_as_markdown(pages: Sequence[Sequence[PageBlock]], outline: Outline) -> list[str]:
    """Return each page as markdown; a title of the outline that is no line of its page is on top of it."""
    repeated = find_repeated(pages)
    headings = find_headings(pages, repeated, outline)
    texts: list[str] = []
    for page, blocks in enumerate(pages):
        on_top = [f"{'#' * level} {title}\n\n" for level, title in headings.on_top.get(page, ())]
        texts.append("".join(on_top) + render(blocks, headings.on_lines.get(page, ()), repeated.left_out.get(page, ())))
    return texts
