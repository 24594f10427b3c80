"""Where the names of columns are in a table: below a title, in several lines, above units, or nowhere."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ingest_tui.extraction.tables.value_types import ColumnType, common_type, is_absent, type_of, type_of_values

HEAD_ROWS = 60
"""Rows that are looked at, blank ones left out."""
_TITLE_ROWS = 20
_MOST_LINES = 3
_LEAST_YEAR, _LAST_YEAR = 1800, 2200
_UNITS = (
    r"[µμmckMGTdhn]?(?:m|g|s|l|L|W|Wh|V|A|J|Hz|Pa|N|t|eV|mol|bar|B|b|Bq|Sv|K|Ω)[23²³]?|°|°C|°F|degC|deg|in|ft|yd|mi|lb|lbs|oz|gal|mph|"
    r"kt|kn|psi|min|h|hr|hrs|d|days?|weeks?|months?|years?|yr|a|sec|ha|ppm|ppb|%|‰|€|\$|£|¥|[A-Z]{3}|km/h|pH|n|count|number|psu"
)
_UNIT = re.compile(
    rf"[\[({{][^\])}}]{{1,30}}[\])}}]|(?:{_UNITS})(?:[-+]?[1-3])?(?:[ /*·](?:{_UNITS})(?:[-+]?[1-3])?){{0,3}}|1|-"
)

Rows = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Head:
    """``above`` are the lines above a table, ``names`` are of its columns, blank ones too; data begins at ``body``."""

    above: list[str]
    names: list[str]
    body: int
    is_missing: bool = False
    """Whether no row names the columns."""


def find_head(rows: Rows) -> Head:
    """Return the head of a table from its first rows: stripped texts, no row blank, blank cells at the end cut."""
    start = _first_row(rows)
    above = [" ".join(" ".join(row).split()) for row in rows[:start]]
    if _is_data(rows[start], rows[start + 1 :]):
        return Head(above, [""] * len(rows[start]), start, is_missing=True)
    lines = 1 + _further_lines(rows, start)
    return Head(above, joined_names(rows[start : start + lines]), start + lines)


def _first_row(rows: Rows) -> int:
    """Return the row at which the table begins: a lone cell above it is a title, and so are a few above many names."""
    filled = [sum(1 for cell in row if cell) for row in rows[:_TITLE_ROWS]]
    wide, usual = max(filled), _usual_width(rows)
    first = next(at for at, number in enumerate(filled) if number > 1 or wide <= 1 or len(rows[at]) == usual)
    if len(rows[first]) * 2 < usual:
        for at in range(first + 1, len(filled)):
            if filled[at] * 3 >= usual * 2:
                return at if _holds_names(rows[at]) else first
            if len(rows[at]) * 2 >= usual:
                break
    return first


def _usual_width(rows: Rows) -> int:
    """Return how many cells most rows have; of several numbers that are equally frequent the largest."""
    widths = Counter(map(len, rows))
    return max(widths, key=lambda width: (widths[width], width))


def _holds_names(row: Sequence[str]) -> bool:
    cells = [cell for cell in row if cell]
    return len(set(cells)) == len(cells) and all(type_of(cell) == "string" for cell in cells)


def _cell(row: Sequence[str], at: int) -> str:
    return row[at] if at < len(row) else ""


def _typed_columns(rows: Rows) -> dict[int, ColumnType]:
    """Return the columns whose values are no texts, with their types."""
    width = max(map(len, rows), default=0)
    types = {at: type_of_values([_cell(row, at) for row in rows]) for at in range(width)}
    return {at: kind for at, kind in types.items() if kind not in ("string", "empty")}


def _is_data(first: Sequence[str], rows: Rows) -> bool:
    """Whether the first row holds values as those below it do: then nothing names the columns.

    Years and counts above columns of numbers are names.
    """
    typed = _typed_columns(rows)
    values = {at: _cell(first, at) for at in typed if not is_absent(_cell(first, at))}
    if not values or any(common_type(typed[at], type_of(text)) == "string" for at, text in values.items()):
        return False
    if len(values) * 2 < len(typed) or any(
        not _cell(first, at) and all(_cell(row, at) for row in rows) for at in typed
    ):
        return False
    if not all(kind == "integer" for kind in map(type_of, values.values())):
        return True
    numbers = [int(text) for text in values.values()]
    steps = {later - earlier for earlier, later in pairwise(numbers)}
    is_count = len(numbers) > 1 and len(steps) == 1 and steps != {0}
    return not (is_count or (_are_years(numbers) and not _are_years_below(values, rows)))


def _are_years(numbers: Sequence[int]) -> bool:
    return all(_LEAST_YEAR <= number <= _LAST_YEAR for number in numbers)


def _are_years_below(columns: dict[int, str], rows: Rows) -> bool:
    cells = [_cell(row, at) for row in rows for at in columns if not is_absent(_cell(row, at))]
    return all(type_of(cell) == "integer" and _are_years([int(cell)]) for cell in cells)


def _further_lines(rows: Rows, start: int) -> int:
    """Return how many rows below the first one are names or units too."""
    if len(rows) <= start + 1 or not _may_be_further_line(rows[start + 1], rows[start]):
        return 0
    for more in range(min(_MOST_LINES, len(rows) - start - 2), 0, -1):
        typed = _typed_columns(rows[start + 1 + more :])
        if typed and all(
            _is_further_line(rows[at], joined_names(rows[start:at]), typed) for at in range(start + 1, start + 1 + more)
        ):
            return more
    return 0


def _may_be_further_line(row: Sequence[str], names: Sequence[str]) -> bool:
    """Whether it is worth a closer look: a row that may be units, or is below names that are blank or repeated."""
    return (
        len(set(names)) < len(names)
        or "" in names
        or len(names) < len(row)
        or bool(_UNIT.fullmatch(next(filter(None, row))))
    )


def _is_further_line(row: Sequence[str], names: Sequence[str], typed: dict[int, ColumnType]) -> bool:
    """Whether a row above columns of values has their units, or names where those above are blank or repeated."""
    filled = [at for at, cell in enumerate(row) if cell]
    units = [at for at in filled if row[at] not in "-1"]
    if units and any(at in typed for at in units) and all(_UNIT.fullmatch(row[at]) for at in filled):
        return all(_cell(names, at) for at in units)
    often = Counter(names)
    if not any(not _cell(names, at) or often[names[at]] > 1 for at in typed):
        return False
    if any(often[_cell(names, at)] == 1 and names[at] and row[at] != names[at] for at in filled if at not in typed):
        return False  # a text below the name of a column of texts is a value
    cells = [_cell(row, at) for at in typed]
    if any(is_absent(cell) for cell in cells):
        return False
    types = set(map(type_of, cells))
    return types == {"string"} or (types == {"integer"} and _are_years([int(cell) for cell in cells]))


def joined_names(rows: Rows) -> list[str]:
    """Return one name for each column from the lines above it; a name above several columns is that of each."""
    width = max(map(len, rows))
    lines = [[_cell(row, at) for at in range(width)] for row in rows]
    for upper, lower in pairwise(lines):
        group = ""
        for at in range(width):
            group = upper[at] or (group if lower[at] else "")
            upper[at] = group
    columns = [[line[at] for line in lines if line[at]] for at in range(width)]
    return [" ".join(dict.fromkeys(parts)) for parts in columns]
