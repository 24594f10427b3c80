"""Tables of Org."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ingest_tui.extraction.markup.light_tables import FoundTable, shown_table
from ingest_tui.extraction.tables.value_types import type_of

_ORG_RULE = re.compile(r"[ \t]*\|[-+]+\|?[ \t]*\Z")
_ORG_WIDTHS = re.compile(r"(?:<[lrc]?\d*>)?\Z")
_ORG_SYNTAX = re.compile(r"<[lrc]?\d*>")


def org_table(lines: Sequence[str], at: int) -> FoundTable:
    """Return the table that begins with a line of cells; rules and widths of columns are no rows of it.

    What is above the first rule is its head, where it has no numbers: a rule may be below values too.
    """
    end = at
    while end < len(lines) and lines[end].lstrip().startswith("|"):
        end += 1
    rows: list[list[str]] = []
    heads = 0
    for line in lines[at:end]:
        if _ORG_RULE.match(line):
            heads = heads or len(rows)
            continue
        row = [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]
        rows += [row] if not all(_ORG_WIDTHS.match(cell) for cell in row) else []
    are_names = all(type_of(cell) in ("string", "empty") for row in rows[:heads] for cell in row)
    return FoundTable(end, shown_table(rows, lines[at:end], _ORG_SYNTAX, heads if are_names else 1))
