"""Tables for people. What identifies something is never broken: it is there to be copied into the next command."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence

_IDENTIFYING = frozenset(
    {
        "COLLECTION",
        "CREDENTIAL",
        "DOCUMENT",
        "EMBEDDER",
        "GENERATION",
        "JOB",
        "MADE BY",
        "NAME",
        "PID",
        "RERANKER",
        "SHA-256",
        "SOURCE",
        "VERSION",
    }
)
"""Headers of columns that are as wide as what is in them, however narrow the terminal is."""
_LEAST = 12  # columns that any other may be narrowed to, its header apart
_GAP = 2


def table_lines(headers: Sequence[str], rows: Sequence[Sequence[str]], *, is_terminal: bool, bold: bool) -> list[str]:
    """Return the lines of a table whose cells are safe to show: aligned, and folded to `available_width`."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    natural = [max(map(_width, (header, *cells))) for header, *cells in zip(headers, *rows, strict=True)]
    available = available_width(is_terminal=is_terminal)
    grid = Table(box=None, pad_edge=False, header_style="bold" if bold else None)
    least = 0
    for header, width in zip(headers, natural, strict=True):
        whole = available is None or header in _IDENTIFYING
        narrowest = width if whole else min(width, max(_LEAST, _width(header)))
        least += narrowest + _GAP
        grid.add_column(header, overflow="fold", no_wrap=whole, min_width=narrowest)
    for row in rows:
        grid.add_row(*map(Text, row))
    console = Console(width=max(least, available or 0), markup=False, highlight=False, emoji=False, force_terminal=bold)
    with console.capture() as capture:
        console.print(grid)
    return [line.rstrip() for line in capture.get().splitlines()]


def available_width(*, is_terminal: bool) -> int | None:
    """Return how wide a table may be: COLUMNS where it is set, else as the terminal is, else None: as needed."""
    given = os.environ.get("COLUMNS", "")
    if given.isascii() and given.isdigit() and int(given):
        return int(given)
    return shutil.get_terminal_size().columns if is_terminal else None


def _width(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)
