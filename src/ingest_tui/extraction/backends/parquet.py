"""Parquet with pyarrow: columns and rows, read batch by batch and capped."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from ingest_tui.extraction.backends.base import Material, Parsed
from ingest_tui.extraction.tabular import build_table
from ingest_tui.model.errors import ItemRejectedError, ProcessingError
from ingest_tui.model.extraction import Element

_MAX_ROWS = 200_000
_MAX_DECODED_BYTES = 1024**3
_BATCH_ROWS = 2_000


def parse(material: Material) -> Parsed:
    """Return a Parquet file as one table of at most 200,000 rows.

    Raises `ItemRejectedError` (``archive_bomb``: a row group that would decode to more than 1 GiB; ``encrypted``)
    and `ProcessingError` (``malformed``).
    """
    import pyarrow as pa
    from pyarrow import parquet

    pa.set_memory_pool(pa.system_memory_pool())  # counted by the limit of the process; others reserve ahead
    try:
        file = parquet.ParquetFile(BytesIO(material.content), memory_map=False, pre_buffer=False)
        return _read(file, material)
    except (pa.ArrowException, OSError, ValueError) as error:
        if "encrypt" in str(error).lower():
            raise ItemRejectedError("the file is encrypted", code="encrypted") from error
        raise ProcessingError(
            f"the Parquet file cannot be read: {error}"[:300], code="malformed", hint="the file may be cut short"
        ) from error


def _read(file: Any, material: Material) -> Parsed:
    metadata = file.metadata
    for index in range(metadata.num_row_groups):
        if metadata.row_group(index).total_byte_size > _MAX_DECODED_BYTES:
            raise ItemRejectedError("a row group would decode to more than 1 GiB", code="archive_bomb")
    names = [str(name) for name in file.schema_arrow.names]
    rows: list[list[Any]] = [names]
    warnings: list[str] = []
    decoded = 0
    for batch in file.iter_batches(batch_size=_BATCH_ROWS, use_threads=False):
        decoded += batch.nbytes
        rows.extend(map(list, zip(*(column.to_pylist() for column in batch.columns), strict=True)))
        material.tick()
        if len(rows) > _MAX_ROWS or decoded > _MAX_DECODED_BYTES:
            warnings.append(f"only the first {len(rows) - 1:,} of {metadata.num_rows:,} rows are kept")
            break
    table = build_table("", rows)
    if table is None:
        return Parsed("", warnings=warnings)
    description = {**table.describe(), "rows": metadata.num_rows}
    element = Element(table.markdown, {"category": "Table", "columns": table.columns, "rows": metadata.num_rows})
    return Parsed(table.markdown + "\n", [element], columns=[description], warnings=[*warnings, *table.warnings])
