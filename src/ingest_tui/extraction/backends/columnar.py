"""Arrow (Feather) and ORC with pyarrow: one table, read batch by batch and capped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.tabular import build_table
from ingest_tui.extraction.validators.columnar import check_schema
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
    return table_of(rows, total, findings)


def gather_rows(
    batches: Iterable[Any], names: list[str], total: int, parse_input: ParseInput, findings: list[Finding]
) -> list[list[Any]]:
    """Return ``names`` and the rows of record batches; where a limit ends them, a finding says so."""
    rows: list[list[Any]] = [names]
    decoded = 0
    for batch in batches:
        decoded += batch.nbytes
        rows.extend(map(list, zip(*(column.to_pylist() for column in batch.columns), strict=True)))
        parse_input.tick()
        if len(rows) > _MAX_ROWS or decoded > MAX_DECODED_BYTES:
            message = f"only the first {len(rows) - 1:,} of {total:,} rows are kept"
            findings.append(Finding("warning", "rows_cut", message))
            break
    return rows


def table_of(rows: list[list[Any]], total: int, findings: list[Finding]) -> Parsed:
    """Return the document that is one table with so many rows in all."""
    table = build_table("", rows)
    if table is None:
        return Parsed("", findings=findings)
    element = Element(table.markdown, {"category": "Table", "columns": table.columns, "rows": total})
    description = {**table.describe(), "rows": total}
    return Parsed(table.markdown + "\n", [element], columns=[description], findings=[*findings, *table.findings])


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
