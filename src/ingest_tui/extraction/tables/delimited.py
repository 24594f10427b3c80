"""Text with delimiters: CSV and its kin, with whatever delimiter and quotes, to rows."""

from __future__ import annotations

import csv
import re
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
_DECLARED = re.compile(r"\A\"?sep=(?![^\W_])([^\"'\r\n])\"?\r?\n", re.IGNORECASE)
MAX_MALFORMED_LINES = 20


def read_csv(
    text: str, *, name: str = "", delimiter: str | None = None, schema: SchemaCheck | None = None
) -> Table | None:
    """Return the table of a CSV text, or None when it holds nothing. The delimiter is found when not given.

    So are the quotes, see `find_quote`.
    """
    separator = delimiter or find_delimiter(text)
    text = without_declaration(text)
    findings: list[Finding] = []
    rows = _csv_rows(text, separator, find_quote(text, separator), findings)
    table = build_table(name, rows, schema, as_shown=False)
    if table is not None:
        table.findings += findings
    return table


def find_delimiter(text: str) -> str:
    """Return the delimiter that the first line declares, or that splits the first lines most evenly.

    Then it is comma, semicolon, tab or pipe.
    """
    if declared := _DECLARED.match(text):
        return declared[1]
    lines = _first_lines(text)
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


def without_declaration(text: str) -> str:
    """Return a text with a blank line for ``sep=;``, which spreadsheets read and do not show."""
    return _DECLARED.sub("\n", text)


def _first_lines(text: str) -> list[str]:
    return [line for line in text[:_SNIFF_CHARACTERS].splitlines()[:20] if line.strip()]


def find_quote(text: str, delimiter: str) -> str:
    """Return what fields are quoted with: a double quote, or an apostrophe where the first lines leave no doubt.

    That is where only apostrophes make all lines equally long, or where all fields that have a letter are between two.
    An apostrophe that nothing closes, as spreadsheets put it before numbers that are texts, is none.
    """
    lines = _first_lines(text)
    if len(text) > _SNIFF_CHARACTERS and len(lines) > 1:
        lines.pop()  # it may be cut
    if not any("'" in line for line in lines):
        return '"'
    plain = list(csv.reader(lines, delimiter=delimiter))
    try:
        quoted = list(csv.reader(lines, delimiter=delimiter, quotechar="'", strict=True))
    except csv.Error:
        return '"'
    if len(quoted) != len(plain):  # one that goes over the end of a line is no sign
        return '"'
    is_needed = len(set(map(len, plain))) > 1 == len(set(map(len, quoted)))
    words = [field.strip() for row in plain for field in row if any(map(str.isalpha, field))]
    is_usual = len(plain) > 1 and len(words) > 1 and all(_is_between_apostrophes(word) for word in words)
    return "'" if is_needed or is_usual else '"'


def _is_between_apostrophes(field: str) -> bool:
    return len(field) > 1 and field[0] == field[-1] == "'"


def _csv_rows(text: str, delimiter: str, quote: str, findings: list[Finding]) -> Iterator[list[str]]:
    """Yield the rows; the findings are complete when they are all there.

    A quote that is never closed would swallow the rest: from its row on quotes mean nothing.
    """
    if "\x00" in text:
        text = text.replace("\x00", "")
    # Fields are cut afterwards, with a finding, not refused. The limit is one of the whole process, a caller's too.
    csv.field_size_limit(max(len(text), csv.field_size_limit()))
    buffer = StringIO(text, newline="")
    reader = csv.reader(buffer, delimiter=delimiter, quotechar=quote)
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
    if leaves_quote_open(text[begins_at:], delimiter, quote):
        message = f"the quote opened on line {lines_before + 1} is never closed: from there on quotes are just text"
        findings.append(Finding("error", "unclosed_quote", message))
        rest = list(csv.reader(StringIO(text[begins_at:], newline=""), delimiter=delimiter, quoting=csv.QUOTE_NONE))
    for line, row in enumerate(rest, lines_before + 1):
        if len(row) != widths.width:
            widths.change(len(row), rows, line)
        yield row
        rows += 1
    findings += widths.findings(rows)
