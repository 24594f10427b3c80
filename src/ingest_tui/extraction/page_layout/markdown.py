"""Pages to markdown: headings marked, tables apart, paragraphs apart, and what is repeated left out. Pure."""

from __future__ import annotations

from collections.abc import Container, Sequence
from statistics import median

from ingest_tui.extraction.markup.literal_text import heading as marked_heading
from ingest_tui.extraction.markup.literal_text import literal
from ingest_tui.extraction.page_layout.blocks import PageBlock, TextLine
from ingest_tui.extraction.page_layout.headings import Heading

_ROOM = 1.5


def render(blocks: Sequence[PageBlock], headings: Sequence[Heading], left_out: Container[int]) -> str:
    """Return a page as markdown. ``left_out`` are the numbers of blocks that are not shown."""
    first_of = {heading.block: heading for heading in headings}
    inside = {number for one in headings for number in range(one.block + 1, one.block + one.blocks)}
    pitch = _pitch(blocks)
    parts: list[str] = []
    above: TextLine | None = None
    for number, block in enumerate(blocks):
        if number in left_out or number in inside:
            continue
        heading = first_of.get(number)
        if heading is not None:
            parts += ["", marked_heading(heading.level, heading.text), ""]
            above = None
        elif isinstance(block, TextLine):
            if above is not None and _is_apart(above, block, pitch):
                parts.append("")
            parts.append(literal(block.text, below_text=bool(parts and parts[-1])))
            above = block
        else:
            parts += ["", block.markdown, ""]
            above = None
    return "\n".join(parts)


def _pitch(blocks: Sequence[PageBlock]) -> float:
    """Return the usual distance between two lines of a page; 0 where it is not known."""
    drops: list[float] = []
    above = 0.0
    for block in blocks:
        middle = block.line.middle if isinstance(block, TextLine) else 0
        if middle and 0 < above - middle < 3 * block.line.style.size:  # type: ignore[union-attr]
            drops.append(above - middle)
        above = middle
    return median(drops) if drops else 0


def _is_apart(above: TextLine, below: TextLine, pitch: float) -> bool:
    """Say whether there is more room between two lines than between those of a paragraph."""
    size = below.line.style.size
    return bool(pitch and size and above.line.middle) and (
        above.line.middle - below.line.middle > max(pitch, size) * _ROOM
    )
