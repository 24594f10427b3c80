"""Tables of light markup languages as rows of cells: what they have in common.

What is below each other in them becomes a table as any other.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ingest_tui.extraction.markup.literal_text import literal
from ingest_tui.extraction.tables.table import MAX_COLUMNS, pipe_table

_WORD = re.compile(r"[^\W_]+")
_FEW_CELLS = 10_000
MAX_DRAWN_COLUMNS = 200
"""Most columns that somebody draws with characters."""


class FoundTable(NamedTuple):
    """A table: the line after its last one, and its markdown, below its title where it has one."""

    end: int
    markdown: str


def cell_text(text: str) -> str:
    """Return the text of a cell as one line."""
    return " ".join(text.split())


def shown_table(
    rows: Sequence[Sequence[str]], written: Iterable[str], syntax: re.Pattern[str] | None = None, head_rows: int = 1
) -> str:
    """Return rows as a table; what is written, as text, where a word would be lost or most of a large table is blank.

    ``syntax``: what is written and no word of the table. ``head_rows``: see `pipe_table`.
    """
    text = "\n".join(written)
    if not is_small_enough(rows, text):
        return literal(text)
    table = pipe_table(rows)
    lost = Counter(_WORD.findall(syntax.sub("|", text) if syntax else text)) - Counter(_WORD.findall(table))
    if lost:
        return literal(text)
    return pipe_table(rows, head_rows) if head_rows > 1 else table


def is_small_enough(rows: Sequence[Sequence[str]], text: str) -> bool:
    """Return whether a table is not much larger than the text it was written as."""
    width = max(map(len, rows), default=0)
    return width <= MAX_COLUMNS and width * len(rows) <= most_cells(text)


def most_cells(text: str) -> int:
    """Return how many cells a table may have: spans and ragged rows make many of few characters."""
    return _FEW_CELLS + len(text)


def csv_rows(body: Iterable[str], delimiter: str, quote: str = '"', escape: str | None = None) -> list[list[str]]:
    """Return the cells of delimited lines; one cell a line where they cannot be read so."""
    lines = [f"{one}\n" for one in body if one.strip()]
    try:
        rows = csv.reader(lines, delimiter=delimiter, quotechar=quote, escapechar=escape, skipinitialspace=True)
        return [[cell_text(cell) for cell in row] for row in rows]
    except (csv.Error, TypeError, ValueError):
        return [[cell_text(line)] for line in lines]
