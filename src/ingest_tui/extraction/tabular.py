"""Tables: tolerant headers, rows to markdown. One place for CSV, spreadsheets and Parquet."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from io import StringIO
from typing import Any

from ingest_tui.extraction.validators.table import RowWidths, check_header, leaves_quote_open
from ingest_tui.model.extraction import Finding

MAX_FIELD_CHARACTERS = 100_000
"""Longest cell that is kept whole; what is beyond is cut, with a warning."""
MAX_COLUMNS = 2_000
_HEADER_SEARCH_ROWS = 20
_SNIFF_CHARACTERS = 16_384
_DELIMITERS = ",;\t|"
_MAX_MALFORMED_LINES = 20


@dataclass(slots=True)
class Table:
    """A table as read: ``columns`` are its names, ``rows`` the number of data rows, ``markdown`` a pipe table.

    ``header`` are the names as they stand in the file, blank and repeated ones too.
    """

    name: str
    columns: list[str]
    rows: int
    markdown: str
    header: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def describe(self) -> dict[str, Any]:
        """Return the entry of this table in `Extraction.columns`."""
        return {"table": self.name, "columns": self.columns, "rows": self.rows}


def name_columns(header: Sequence[str]) -> list[str]:
    """Return one usable name per column: blank ones become ``column_3``, repeated ones get ``_2``, ``_3``, …"""
    names: list[str] = []
    taken: set[str] = set()
    for position, raw in enumerate(header, 1):
        base = " ".join(raw.split()) or f"column_{position}"
        name, suffix = base, 2
        while name in taken:
            name, suffix = f"{base}_{suffix}", suffix + 1
        taken.add(name)
        names.append(name)
    return names


def format_cell(value: Any) -> str:  # noqa: PLR0911 one line per type of cell
    """Return a cell as text: whole floats without ``.0``, times in ISO form, None as nothing."""
    if isinstance(value, float):  # the most frequent first
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ") if value.time() != time() else value.date().isoformat()
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    return str(value)


def build_table(name: str, rows: Iterable[Sequence[Any]]) -> Table | None:
    """Return the table of ``rows`` (cells of any type), or None when no cell holds anything.

    Blank leading rows are skipped; a title standing alone above the header is kept as a line before the table.
    Rows longer than the header get further columns. Columns without a name and without a value are dropped.
    """
    findings: list[Finding] = []
    cells = _tidy_rows(rows, findings)
    above, header, body = _split_header(cells)
    if header is None:
        return None
    width = max([len(header), *(len(row) for row in body)])
    if width > MAX_COLUMNS:
        message = f"{width} columns: only the first {MAX_COLUMNS} are kept"
        findings.append(Finding("warning", "columns_cut", message))
        width = MAX_COLUMNS
    header = [*header, *[""] * (width - len(header))][:width]
    kept = [index for index in range(width) if header[index] or any(index < len(row) and row[index] for row in body)]
    all_names = name_columns(header)
    names = [all_names[index] for index in kept]
    lines = [*above, ""] if above else []
    lines += [_line([header[index] for index in kept]), "|" + " --- |" * len(names)]  # cells are data: none is renamed
    everything = kept == list(range(width))
    for row in body:
        if everything and len(row) == width:
            lines.append(_line(row))
        else:
            lines.append(_line([row[index] if index < len(row) else "" for index in kept]))
    return Table(name, names, len(body), "\n".join(lines), [header[index] for index in kept], findings)


def _line(cells: Sequence[str]) -> str:
    line = "\x00".join(cells)
    if "|" in line:
        line = line.replace("|", "\\|")
    if "\n" in line or "\r" in line:
        line = " ".join(line.splitlines())
    return "| " + line.replace("\x00", " | ") + " |"


def pipe_table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as they are as a pipe table with the first one on top; nothing where no cell holds a text."""
    if not any(cell.strip() for row in rows for cell in row):
        return ""
    width = min(max(map(len, rows)), MAX_COLUMNS)
    lines = [_line([cell.strip() for cell in [*row, *[""] * (width - len(row))][:width]]) for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])


def _tidy_rows(rows: Iterable[Sequence[Any]], findings: list[Finding]) -> list[list[str]]:
    """Return rows of text: cells stripped, trailing blanks cut, blank rows dropped, huge fields cut."""
    tidy: list[list[str]] = []
    cut = 0
    for row in rows:
        if row.count("") == len(row):
            continue  # at once: a cell in the far corner of a sheet puts millions of blank ones before it
        cells = [(cell if type(cell) is str else format_cell(cell)).strip() for cell in row]
        joined = "".join(cells)
        if "\x00" in joined:
            cells = [cell.replace("\x00", "").strip() for cell in cells]
        if len(joined) > MAX_FIELD_CHARACTERS:
            cut += sum(len(cell) > MAX_FIELD_CHARACTERS for cell in cells)
            cells = [cell[:MAX_FIELD_CHARACTERS] for cell in cells]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            tidy.append(cells)
    if cut:
        message = f"{cut} fields cut to {MAX_FIELD_CHARACTERS:,} characters"
        findings.append(Finding("warning", "fields_cut", message))
    return tidy


def _split_header(rows: list[list[str]]) -> tuple[list[str], list[str] | None, list[list[str]]]:
    """Return the lines above the table, its header and its body.

    The header is the first row that fills most of the table's width; a lone cell above it is a title.
    """
    if not rows:
        return [], None, []
    widths = [sum(1 for cell in row if cell) for row in rows[:_HEADER_SEARCH_ROWS]]
    wide = max(widths)
    start = next(index for index, filled in enumerate(widths) if filled > 1 or wide <= 1)
    above = [" ".join(" ".join(row).split()).replace("|", "\\|") for row in rows[:start]]
    return above, rows[start], rows[start + 1 :]


def read_csv(text: str, *, name: str = "", delimiter: str | None = None) -> Table | None:
    """Return the table of a CSV text, or None when it holds nothing. The delimiter is found when not given."""
    separator = delimiter or find_delimiter(text)
    findings: list[Finding] = []
    table = build_table(name, _csv_rows(text, separator, findings))
    if table is not None:
        table.findings += [*findings, *check_header(table.header)]
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
            if len(findings) > _MAX_MALFORMED_LINES:
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
