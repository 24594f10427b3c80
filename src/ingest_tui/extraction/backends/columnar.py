"""Arrow (Feather) and ORC with pyarrow: one table, read batch by batch and capped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from io import BytesIO
from typing import Any

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.tables.table import build_table, left_out_line
from ingest_tui.extraction.validators.columnar import check_schema
from ingest_tui.model.counted import counted
from ingest_tui.model.errors import ProcessingError
from ingest_tui.model.extraction import Element, Finding

_MAX_ROWS = 200_000
MAX_DECODED_BYTES = 1024**3


def parse(parse_input: ParseInput) -> Parsed:
    """Return the file as one table of at most 200,000 rows. Raises `ProcessingError` (``malformed``)."""
    import pyarrow as pa

    pa.set_memory_pool(pa.system_memory_pool())  # counted by the limit of the process; others reserve ahead
    read = _read_orc if parse_input.format.name == "orc" else _read_arrow
    try:
        schema, total, batches = read(BytesIO(parse_input.content))
        findings = check_schema(schema)
        rows = gather_rows(batches, [str(name) for name in schema.names], total, parse_input, findings)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ProcessingError(
            f"the {parse_input.format.name} file cannot be read: {error}"[:300],
            code="malformed",
            hint="fetch or write it again",
        ) from error
    return table_of(parse_input, rows, total, findings)


def gather_rows(
    batches: Iterable[Any], names: list[str], total: int, parse_input: ParseInput, findings: list[Finding]
) -> list[list[Any]]:
    """Return ``names`` and the rows of record batches; where a limit ends them, a finding says so."""
    rows: list[list[Any]] = [names]
    decoded = 0
    for batch in batches:
        decoded += batch.nbytes
        rows.extend(map(list, zip(*map(_values, batch.columns), strict=True)))
        parse_input.tick()
        if len(rows) > _MAX_ROWS or decoded > MAX_DECODED_BYTES:
            message = f"only the first {len(rows) - 1:,} of {counted(total, 'row')} are kept"
            findings.append(Finding("warning", "rows_cut", message))
            break
    return rows


def _values(column: Any) -> list[Any]:
    """Return the values of a column; those that Python has no exact type for as the text of Arrow.

    Python knows no nanoseconds and no years beyond 9999, and would give a number of 32 bits digits that it does not
    have.
    """
    from pyarrow import string, types

    kind = column.type
    if types.is_float32(kind):
        return [None if text is None else float(text) for text in column.cast(string()).to_pylist()]
    try:
        values: list[Any] = column.to_pylist()
    except (ValueError, OverflowError):
        texts = column.cast(string()).to_pylist()
        unit = f" {kind.unit}" if types.is_duration(kind) else ""
        values = [None if text is None else f"{text}{unit}" for text in texts]
    return values


def table_of(parse_input: ParseInput, rows: list[list[Any]], total: int, findings: list[Finding]) -> Parsed:
    """Return the document that is one table with so many rows in all."""
    table = build_table("", rows, parse_input.schema, is_named=True)
    if table is None:
        return Parsed("", findings=findings)
    element = Element(table.markdown, {"category": "Table", "columns": table.columns, "rows": total})
    description = {**table.describe(), "rows": total}
    left_out = left_out_line(
        total - len(rows) + 1, sha256(parse_input.content).hexdigest() if total >= len(rows) else ""
    )
    markdown = f"{table.markdown}\n\n{left_out}".rstrip("\n") + "\n"
    return Parsed(markdown, [element], columns=[description], findings=[*findings, *table.findings])


def _read_arrow(file: BytesIO) -> tuple[Any, int, Iterator[Any]]:
    import pyarrow as pa

    reader = pa.ipc.open_file(file, options=pa.ipc.IpcReadOptions(use_threads=False))  # threads reserve 300 MB
    batches = (reader.get_batch(at) for at in range(reader.num_record_batches))
    return reader.schema, reader.count_rows(), _slices(batches)


def _read_orc(file: BytesIO) -> tuple[Any, int, Iterator[Any]]:
    from pyarrow import orc

    reader = orc.ORCFile(file)
    batches = (reader.read_stripe(at) for at in range(reader.nstripes))
    return reader.schema, reader.nrows, _slices(batches)


def _slices(batches: Iterable[Any]) -> Iterator[Any]:
    """Yield batches in pieces: one alone may hold more rows than are kept."""
    for batch in batches:
        for start in range(0, batch.num_rows, 2_000):
            yield batch.slice(start, 2_000)
