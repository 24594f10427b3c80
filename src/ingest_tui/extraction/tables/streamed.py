"""Tables of text that are too large to be held: read block by block, each row once, in memory that does not grow."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Callable, Iterable, Iterator
from io import IncrementalNewlineDecoder
from itertools import chain

from ingest_tui.extraction.backends.base import ParseInput
from ingest_tui.extraction.intake.decoding import decode_text
from ingest_tui.extraction.intake.formats import extension_of
from ingest_tui.extraction.intake.sniffing import sniff
from ingest_tui.extraction.tables.delimited import MAX_MALFORMED_LINES, find_delimiter, find_quote, without_declaration
from ingest_tui.extraction.tables.table import MAX_TABLE_CHARACTERS, Table, build_table
from ingest_tui.extraction.validators.table import RowWidths
from ingest_tui.model.counted import counted
from ingest_tui.model.errors import IngestError
from ingest_tui.model.extraction import Finding

_LONGEST_LINE = 16 * 1024**2
_TICK_ROWS = 10_000
_FORMATS = ("csv", "tsv")
_FOREIGN_BYTES = "ingest_tui_foreign_bytes"


def is_streamed(head: bytes, file_name: str) -> bool:
    """Whether a large file that begins so is a table of text."""
    extension = extension_of(file_name)
    if extension not in _FORMATS:
        return False
    try:
        return sniff(head, extension).format.name in _FORMATS
    except IngestError:
        return False


def read_streamed(
    parse_input: ParseInput, *, delimiter: str | None = None, most_characters: int = MAX_TABLE_CHARACTERS
) -> Table | None:
    """Return the table of a file of which ``content`` is the beginning, and ``rest`` what comes after it.

    Rows beyond ``most_characters`` are counted, and are not in its text.
    """
    head, rest = parse_input.content, parse_input.rest or ()
    text, encoding, findings = decode_text(head[: head.rfind(b"\n") + 1] or head)
    lines = _Lines(head, rest, encoding)
    findings = [one for one in findings if one.code != "undecodable_bytes"]
    separator = delimiter or find_delimiter(text)
    before = csv.field_size_limit(_LONGEST_LINE)  # a quote that is never closed takes so much, not the whole rest
    try:
        numbered = iter(lines)
        first = without_declaration(next(numbered, ""))
        rows = _rows(chain((first,), numbered), separator, find_quote(text, separator), findings, parse_input.tick)
        table = build_table("", rows, parse_input.schema, as_shown=False, most_characters=most_characters)
    finally:
        csv.field_size_limit(before)
    if table is not None:
        table.findings += [*findings, *lines.findings()]
    return table


class _Lines:
    """Yields the lines of a text that comes in blocks of bytes.

    Bytes that are no UTF-8 are read as cp1252: the beginning of a file does not show that they come.
    """

    def __init__(self, head: bytes, rest: Iterable[bytes], encoding: str) -> None:
        self._blocks = chain((head,), rest)
        self._encoding = encoding
        self._is_utf8 = encoding.startswith("utf-8")
        self._foreign = self._cut = 0

    def __iter__(self) -> Iterator[str]:
        codecs.register_error(_FOREIGN_BYTES, self._read_foreign)  # documents are read one after the other
        pending = ""
        for text in self._texts():
            *lines, pending = (pending + text).split("\n")
            for line in lines:
                yield f"{line}\n"
            if len(pending) > _LONGEST_LINE:
                self._cut += 1
                yield pending
                pending = ""
        if pending:
            yield pending

    def _texts(self) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder(self._encoding)(_FOREIGN_BYTES)
        ends = IncrementalNewlineDecoder(None, translate=True)
        for block in self._blocks:
            yield ends.decode(decoder.decode(block).replace("\0", ""))
        yield ends.decode(decoder.decode(b"", final=True), final=True)

    def _read_foreign(self, error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeDecodeError):
            raise error
        self._foreign += 1
        found = error.object[error.start : error.end]
        return found.decode("cp1252" if self._is_utf8 else "ascii", "replace"), error.end

    def findings(self) -> list[Finding]:
        """Return what was odd about the bytes."""
        found = []
        if self._foreign:
            instead = "read as cp1252" if self._is_utf8 else "unreadable characters replaced"
            message = f"not valid {self._encoding} in {counted(self._foreign, 'place')}: {instead}"
            found.append(Finding("error", "undecodable_bytes", message))
        if self._cut:
            message = f"{counted(self._cut, 'line is', 'lines are')} longer than {_LONGEST_LINE // 1024**2} MiB: cut"
            found.append(Finding("error", "csv_malformed", message))
        return found


def _rows(
    lines: Iterable[str], delimiter: str, quote: str, findings: list[Finding], tick: Callable[[], None]
) -> Iterator[list[str]]:
    """Yield the rows; the findings are complete when they are all there."""
    reader = csv.reader(lines, delimiter=delimiter, quotechar=quote)
    widths = RowWidths()
    rows = broken = 0
    while True:
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            broken += 1
            if broken <= MAX_MALFORMED_LINES:
                findings.append(Finding("error", "csv_malformed", f"line {reader.line_num:,}: {error}"))
            continue
        if len(row) != widths.width:
            widths.change(len(row), rows, reader.line_num)
        rows += 1
        if rows % _TICK_ROWS == 0:
            tick()
        yield row
    findings += widths.findings(rows)
