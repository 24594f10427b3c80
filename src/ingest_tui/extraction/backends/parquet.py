"""Parquet with pyarrow: columns and rows, read batch by batch and capped."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.backends.columnar import MAX_DECODED_BYTES, gather_rows, table_of
from ingest_tui.extraction.validators.columnar import check_schema, nested_columns, unreadable_columns
from ingest_tui.model.errors import ItemRejectedError, ProcessingError
from ingest_tui.model.extraction import Finding

_BATCH_ROWS = 2_000
_MAGIC = b"PAR1"


def parse(parse_input: ParseInput) -> Parsed:
    """Return a Parquet file as one table of at most 200,000 rows.

    Raises `ItemRejectedError` (``archive_bomb``: a row group that would decode to more than 1 GiB; ``encrypted``)
    and `ProcessingError` (``malformed``).
    """
    import pyarrow as pa
    from pyarrow import parquet

    pa.set_memory_pool(pa.system_memory_pool())  # counted by the limit of the process; others reserve ahead
    try:
        file = parquet.ParquetFile(BytesIO(parse_input.content), memory_map=False, pre_buffer=False)
        return _read(file, parse_input, pa.ArrowNotImplementedError)
    except (pa.ArrowException, OSError, ValueError) as error:
        if "encrypt" in str(error).lower():
            raise ItemRejectedError(
                "the file is encrypted", code="encrypted", hint="save it without encryption"
            ) from error
        is_cut = not parse_input.content.endswith(_MAGIC)
        message = (
            "its footer is missing, the file is cut short" if is_cut else f"the footer or a page is damaged: {error}"
        )
        raise ProcessingError(
            f"the Parquet file cannot be read: {message}"[:300], code="malformed", hint="fetch or write it again"
        ) from error


def _read(file: Any, parse_input: ParseInput, not_implemented: type[Exception]) -> Parsed:
    metadata = file.metadata
    for index in range(metadata.num_row_groups):
        if metadata.row_group(index).total_byte_size > MAX_DECODED_BYTES:
            raise ItemRejectedError(
                "a row group would decode to more than 1 GiB",
                code="archive_bomb",
                hint="write it with smaller row groups",
            )
    schema = file.schema_arrow
    names = [str(name) for name in schema.names]
    findings = check_schema(schema)
    try:
        rows = _rows(file, parse_input, names, findings)
    except not_implemented:
        nested = nested_columns(schema)
        names = [name for name in names if name not in nested]
        if not nested or not names:
            raise
        findings = [unreadable_columns(nested)]
        rows = _rows(file, parse_input, names, findings)
    return table_of(parse_input, rows, metadata.num_rows, findings)


def _rows(file: Any, parse_input: ParseInput, names: list[str], findings: list[Finding]) -> list[list[Any]]:
    """Return the names and the rows of the columns ``names``."""
    batches = file.iter_batches(batch_size=_BATCH_ROWS, columns=names, use_threads=False)
    return gather_rows(batches, names, file.metadata.num_rows, parse_input, findings)
