"""Tables: rows to markdown, and what is in their columns. One place for CSV, spreadsheets and Parquet."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from ingest_tui.extraction.markup.literal_text import literal
from ingest_tui.extraction.tables.header import HEAD_ROWS, Head, find_head, joined_names
from ingest_tui.extraction.tables.profile import TableProfile
from ingest_tui.extraction.validators.table import check_header
from ingest_tui.model.extraction import Finding
from ingest_tui.model.table_columns import name_columns

if TYPE_CHECKING:
    from ingest_tui.extraction.schemas.schema_check import SchemaCheck

MAX_FIELD_CHARACTERS = 100_000
"""Longest cell that is kept whole; what is beyond is cut, with a warning."""
MAX_COLUMNS = 2_000
_MOST_HEAD_ROWS = 4
"""Of more rows that are marked as head the first is the head: somebody marked the table."""
MAX_TABLE_CHARACTERS = 64 * 1024**2
"""Longest text that is kept of one table; what is beyond is counted, with a warning."""
_BATCH_ROWS = 1_000
_ROW_END = "\0\n"
_PIPE = re.compile(r"(?<!\\)(\\*)\|")
_FIRST_WITH_EXPONENT = 1e16
_MOST_ZEROS = 80
"""Decimals of so many digits are written out; what is beyond is left with its exponent."""


@dataclass(slots=True)
class Table:
    """A table as read: ``columns`` are its names, ``rows`` the number of data rows, ``markdown`` a pipe table.

    Columns without a name are not among ``columns``, but in the markdown. ``fields`` say what is in each of them: see
    `TableProfile.describe`.
    """

    name: str
    columns: list[str]
    rows: int
    markdown: str
    fields: list[dict[str, Any]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def describe(self) -> dict[str, Any]:
        """Return the entry of this table in `Extraction.columns`."""
        return {"table": self.name, "columns": self.columns, "rows": self.rows, "fields": self.fields}


def format_cell(value: Any) -> str:  # noqa: PLR0911 one line per type of cell
    """Return a cell as text: whole floats without ``.0``, times in ISO form, None as nothing."""
    if isinstance(value, float):  # the most frequent first
        return str(int(value)) if value.is_integer() and abs(value) < _FIRST_WITH_EXPONENT else repr(value)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}" if abs(value.adjusted()) <= _MOST_ZEROS else str(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ") if value.time() != time() else value.date().isoformat()
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return _format_span(value)
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    return str(value)


def _format_span(span: timedelta) -> str:
    """Return a span of time in hours as spreadsheets show it, with its sign: ``26:00:05``, ``-0:00:01.5``."""
    minutes, seconds = divmod(abs(span), timedelta(minutes=1))
    hours, minutes = divmod(minutes, 60)
    part = f".{seconds.microseconds:06d}".rstrip("0") if seconds.microseconds else ""
    return f"{'-' if span < timedelta() else ''}{hours}:{minutes:02d}:{seconds.seconds:02d}{part}"


def build_table(
    name: str,
    rows: Iterable[Sequence[Any]],
    schema: SchemaCheck | None = None,
    *,
    as_shown: bool = True,
    is_named: bool = False,
    most_characters: int = MAX_TABLE_CHARACTERS,
) -> Table | None:
    """Return the table of ``rows`` (cells of any type), or None when no cell holds anything.

    Blank rows are skipped; a title above the header is kept as lines before the table. Rows longer than the header get
    further columns. Columns without a name and without a value are dropped. ``schema`` is shown the rows that are
    kept; ``as_shown``: cells may be texts that a program made of typed values. ``is_named``: the first row holds the
    names, whatever they look like. Of a table with more than ``most_characters`` the rest is counted, not kept.
    """
    findings: list[Finding] = []
    rows = iter(rows)
    names = [format_cell(cell).strip() for cell in next(rows, ())] if is_named else []
    cells = _TidyRows(rows)
    first = list(islice(cells, HEAD_ROWS))
    if not first and not any(names):
        return None
    head = Head([], names, 0) if is_named else find_head(first)
    body = _Body(chain(first[head.body :], cells), most_characters)
    findings += cells.findings() + body.findings()
    width = max(len(head.names), body.profile.width)
    if width > MAX_COLUMNS:
        message = f"{width} columns: only the first {MAX_COLUMNS} are kept"
        findings.append(Finding("warning", "columns_cut", message))
        width = MAX_COLUMNS
    header = [*head.names, *[""] * (width - len(head.names))][:width]
    kept = [index for index in range(width) if header[index] or body.profile.is_filled(index)]
    if schema is not None:
        schema.table(name, {index: header[index] for index in kept}, body.split_rows(), as_shown=as_shown)
    shown = [header[index] for index in kept]
    findings += check_header(shown, is_missing=head.is_missing)
    lines = [literal("\n".join(head.above)), ""] if head.above else []
    lines += [_line(shown), "|" + " --- |" * len(kept), *body.take_lines(kept)]  # cells are data: none is renamed
    if body.left_out:
        lines += ["", body.left_out]
    named = [(index, name) for index, name in zip(kept, name_columns(shown), strict=True) if name]
    fields = [body.profile.describe(index, name) for index, name in named]
    return Table(name, [name for _, name in named], body.profile.rows, "\n".join(lines), fields, findings)


def left_out_line(rows: int, digest: str) -> str:
    """Return what a text says of rows that are not in it; nothing where all are."""
    return f"({rows:,} more rows are not in this text; SHA-256 {digest})" if rows else ""


class _TidyRows:
    """Yields rows of texts: cells stripped, blanks at the end cut, blank rows dropped, huge fields cut."""

    def __init__(self, rows: Iterable[Sequence[Any]]) -> None:
        self._rows = iter(rows)
        self._cut = 0
        self._are_texts = True

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        for row in self._rows:
            if row.count("") == len(row):
                continue  # at once: a cell in the far corner of a sheet puts millions of blank ones before it
            cells = self._stripped(row)
            joined = "".join(cells)
            if "\x00" in joined:
                cells = [cell.replace("\x00", "").strip() for cell in cells]
            if len(joined) > MAX_FIELD_CHARACTERS:
                self._cut += sum(len(cell) > MAX_FIELD_CHARACTERS for cell in cells)
                cells = [cell[:MAX_FIELD_CHARACTERS] for cell in cells]
            while cells and not cells[-1]:
                cells.pop()
            if cells:
                return cells
        raise StopIteration

    def _stripped(self, row: Sequence[Any]) -> list[str]:
        if self._are_texts:
            try:
                return list(map(str.strip, row))
            except TypeError:  # a table with other cells than texts: most of its rows have some
                self._are_texts = False
        return [(cell if type(cell) is str else format_cell(cell)).strip() for cell in row]

    def findings(self) -> list[Finding]:
        """Return what was cut of the rows so far."""
        if not self._cut:
            return []
        return [Finding("warning", "fields_cut", f"{self._cut} fields cut to {MAX_FIELD_CHARACTERS:,} characters")]


class _Body:
    """The rows below the names, a thousand of them as one text: lists of cells take ten times as much.

    There is a NUL between cells and `_ROW_END` between rows; no cell begins with white space or has a NUL in it.
    """

    def __init__(self, rows: Iterator[list[str]], most_characters: int) -> None:
        self.profile = TableProfile()
        self.rows = 0
        """How many rows are kept."""
        self._kept: deque[str] = deque()
        self._digest = sha256()
        room = most_characters
        while batch := list(islice(rows, _BATCH_ROWS)):
            joined = list(map("\0".join, batch))
            self.profile.add(batch, longest=max(map(len, joined)))
            if room <= 0:
                self._digest.update("\n".join(joined).encode("utf-8", "replace"))
                continue
            self.rows += len(joined)
            self._kept.append(_ROW_END.join(joined))
            room -= sum(map(len, joined))

    @property
    def left_out(self) -> str:
        """A line that says how many rows are not kept; with their hash: documents with other rows are others."""
        return left_out_line(self.profile.rows - self.rows, self._digest.hexdigest())

    def findings(self) -> list[Finding]:
        """Return the finding for rows that are not kept."""
        if not self.left_out:
            return []
        message = f"only the first {self.rows:,} of {self.profile.rows:,} rows are in the text; all are counted"
        return [Finding("warning", "rows_cut", message)]

    def split_rows(self) -> list[list[str]]:
        """Return the cells of the rows that are kept."""
        return [row.split("\0") for some in self._kept for row in some.split(_ROW_END)]

    def take_lines(self, columns: Sequence[int]) -> Iterator[str]:
        """Yield the lines of these columns, many of them as one text where they need little; rows are gone then."""
        everything = list(columns) == list(range(self.profile.width))
        while self._kept:
            rows = self._kept.popleft().split(_ROW_END)
            if everything:
                rows = self._padded(rows)
            joined = "\n".join(rows)
            if everything and joined.count("\n") == len(rows) - 1 and "\r" not in joined:
                yield _lines(joined)
            else:
                yield "\n".join(_line(_picked(row.split("\0"), columns)) for row in rows)

    def _padded(self, rows: list[str]) -> list[str]:
        """Return rows with a cell for each column."""
        most = self.profile.width - 1
        return [row + "\0" * (most - row.count("\0")) for row in rows]


def _picked(cells: Sequence[str], columns: Sequence[int]) -> list[str]:
    return [cells[at] if at < len(cells) else "" for at in columns]


def _line(cells: Sequence[str]) -> str:
    line = "\0".join(cells)
    if "\n" in line or "\r" in line:
        line = " ".join(line.splitlines())
    return _lines(line)


def _lines(rows: str) -> str:
    """Return rows with NUL between their cells and a line end between them as lines of a table."""
    if "|" in rows:
        rows = _PIPE.sub(r"\1\1\\|", rows)  # a backslash before a pipe would take the one that is put there
    return "| " + rows.replace("\n", " |\n| ").replace("\0", " | ") + " |"


def pipe_table(rows: Sequence[Sequence[str]], head_rows: int = 1) -> str:
    """Return rows as they are as a pipe table with the first one on top; nothing where no cell holds a text.

    ``head_rows``: how many rows name the columns together. They become one: a name above several columns is in each.
    """
    if not any(cell.strip() for row in rows for cell in row):
        return ""
    if 1 < head_rows <= _MOST_HEAD_ROWS and head_rows < len(rows):
        rows = [joined_names(rows[:head_rows]), *rows[head_rows:]]
    width = min(max(map(len, rows)), MAX_COLUMNS)
    lines = [_line([cell.strip() for cell in [*row, *[""] * (width - len(row))][:width]]) for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])
