"""Text with delimiters: CSV and its kin, with whatever delimiter and quotes, to rows."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from typing import TYPE_CHECKING

from ingest_tui.extraction.tables.table import Table, build_table
from ingest_tui.extraction.validators.table import RowWidths, leaves_quote_open
from ingest_tui.model.extraction import Finding

if TYPE_CHECKING:
    from ingest_tui.extraction.schemas.schema_check import SchemaCheck

_SNIFF_CHARACTERS = 16_384
_DELIMITERS = ",;\t|"
MAX_MALFORMED_LINES = 20


def read_csv(
    text: str, *, name: str = "", delimiter: str | None = None, schema: SchemaCheck | None = None
) -> Table | None:
    """Return the table of a CSV text, or None when it holds nothing. The delimiter is found when not given."""
    separator = delimiter or find_delimiter(text)
    findings: list[Finding] = []
    table = build_table(name, _csv_rows(text, separator, findings), schema, as_shown=False)
    if table is not None:
        table.findings += findings
    return table


def find_delimiter(text: str) -> str:
    """Return the delimiter that splits the first lines most evenly: comma, semicolon, tab or pipe."""
    lines = [line for line in text[:_SNIFF_CHARACTERS].splitlines()[:20] if line.strip()]
    best, best_score = ",", 0.0
    for candidate in _DELIMITERS:
        counts = [len(row) - 1 for row in csv.reader(lines, delimiter=candidate)]
        filled = [count for count in counts if count > 0]
        if filled:
            even = filled.count(max(set(filled), key=filled.count)) / len(counts)
            score = even * (1 + min(max(filled), 5) / 10)
            if score > best_score:
                best, best_score = candidate, score
    return best


def _csv_rows(text: str, delimiter: str, findings: list[Finding]) -> Iterator[list[str]]:
    """Yield the rows; the findings are complete when they are all there.

    A quote that is never closed would swallow the rest: from its row on quotes mean nothing.
    """
    if "\x00" in text:
        text = text.replace("\x00", "")
    # Fields are cut afterwards, with a finding, not refused. The limit is one of the whole process, a caller's too.
    csv.field_size_limit(max(len(text), csv.field_size_limit()))
    buffer = StringIO(text, newline="")
    reader = csv.reader(buffer, delimiter=delimiter)
    widths = RowWidths()
    rows = begins_at = lines_before = 0
    last: list[str] = []
    while True:
        next_begins_at, lines_read = buffer.tell(), reader.line_num
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            findings.append(Finding("error", "csv_malformed", f"line {reader.line_num}: {error}"))
            if len(findings) > MAX_MALFORMED_LINES:
                break
            continue
        if len(last) != widths.width:
            widths.change(len(last), rows, lines_read)
        yield last
        rows += 1
        last, begins_at, lines_before = row, next_begins_at, lines_read
    rest = [last]
    if leaves_quote_open(text[begins_at:], delimiter):
        message = f"the quote opened on line {lines_before + 1} is never closed: from there on quotes are just text"
        findings.append(Finding("error", "unclosed_quote", message))
        rest = list(csv.reader(StringIO(text[begins_at:], newline=""), delimiter=delimiter, quoting=csv.QUOTE_NONE))
    for line, row in enumerate(rest, lines_before + 1):
        if len(row) != widths.width:
            widths.change(len(row), rows, line)
        yield row
        rows += 1
    findings += widths.findings(rows)
