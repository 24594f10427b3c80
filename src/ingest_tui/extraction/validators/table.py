"""Tables as text: rows of unequal length, quotes that nobody closes, columns without a name of their own."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from io import StringIO

from ingest_tui.model.counted import counted
from ingest_tui.model.extraction import Finding

_LINES_NAMED = 3
_NAMES_NAMED = 5
_NAME_CHARACTERS = 40


class RowWidths:
    """Counts rows by their number of fields. Told only where that number changes, since it hardly ever does."""

    def __init__(self) -> None:
        self.width = 0
        """Fields of the row noted last; 0 before the first."""
        self._rows: Counter[int] = Counter()
        self._lines: dict[int, list[int]] = {}
        self._run_begins_at = 0

    def change(self, width: int, row: int, line: int) -> None:
        """Note that row number ``row`` (from 0), which ends on ``line`` (from 1), has ``width`` fields."""
        self._end_run(row)
        self.width = width
        lines = self._lines.setdefault(width, [])
        if len(lines) < _LINES_NAMED:
            lines.append(line)

    def _end_run(self, row: int) -> None:
        self._rows[self.width] += row - self._run_begins_at
        self._run_begins_at = row

    def findings(self, rows: int) -> list[Finding]:
        """Return one finding for all of ``rows`` rows that have not as many fields as most; blank ones do not count."""
        self._end_run(rows)
        del self._rows[0]
        if len(self._rows) <= 1:
            return []
        usual = max(self._rows, key=self._rows.__getitem__)
        uneven = self._rows.total() - self._rows[usual]
        lines = sorted(line for width in self._rows if width != usual for line in self._lines[width])[:_LINES_NAMED]
        message = (
            f"{counted(uneven, 'row has', 'rows have')} not the {counted(usual, 'field')} of the others, first "
            f"on line {_listed(lines)}"
        )
        return [Finding("warning", "uneven_rows", message)]


def leaves_quote_open(rest: str, delimiter: str, quote: str = '"') -> bool:
    """Say whether the last row of a table, given from its beginning to the end of the text, opens a quote for ever."""
    if quote not in rest:
        return False
    try:
        list(csv.reader(StringIO(rest, newline=""), delimiter=delimiter, quotechar=quote, strict=True))
    except csv.Error as error:
        return "unexpected end of data" in str(error)
    return False


def check_header(header: Sequence[str], *, is_missing: bool = False) -> list[Finding]:
    """Return what is wrong with the names of columns as they are in the file."""
    if is_missing:
        message = "no row names the columns: they are called column_1, column_2, …"
        return [Finding("warning", "header_missing", message)]
    findings: list[Finding] = []
    blank = [position for position, name in enumerate(header, 1) if not name.strip()]
    if blank:
        more = f" and {len(blank) - _NAMES_NAMED} more" if len(blank) > _NAMES_NAMED else ""
        message = (
            f"no name for column {_listed(blank[:_NAMES_NAMED])}{more}: not listed, its cells are in the text only"
        )
        findings.append(Finding("warning", "header_blank", message))
    often = [name for name, number in Counter(" ".join(name.split()) for name in header if name.strip()).items()
             if number > 1]  # fmt: skip
    if often:
        names = ", ".join(repr(name[:_NAME_CHARACTERS]) for name in often[:_NAMES_NAMED])
        findings.append(Finding("warning", "header_repeated", f"more than one column is named {names}"))
    return findings


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
