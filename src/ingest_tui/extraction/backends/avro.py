"""Avro object container files with fastavro: one table, read block by block and capped."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.backends.columnar import table_of
from ingest_tui.model.counted import counted
from ingest_tui.model.errors import ProcessingError
from ingest_tui.model.extraction import Finding
from ingest_tui.model.foreign_errors import described, is_library_failure

_MAX_ROWS = 200_000
_TICK_ROWS = 2_000
_LIBRARY_IS_MISSING = "codec is supported but you need to install"
_VALUE = "value"


def parse(parse_input: ParseInput) -> Parsed:
    """Return the records as one table of at most 200,000 rows. Raises `ProcessingError` (``malformed``)."""
    import fastavro

    try:
        reader = fastavro.reader(BytesIO(parse_input.content))
        schema: Any = reader.writer_schema
    except Exception as error:
        raise _broken(error) from error
    names = _columns(schema)
    rows: list[list[Any]] = [names or [_VALUE]]
    findings: list[Finding] = []
    try:
        for record in _capped(reader, findings):
            rows.append([record.get(name) for name in names] if names else [record])
            if len(rows) % _TICK_ROWS == 0:
                parse_input.tick()
    except BaseException as error:
        if not is_library_failure(error):
            raise
        if len(rows) == 1:
            raise _broken(error) from error
        message = f"damaged after {counted(len(rows) - 1, 'record')}: {described(error)}"
        findings.append(Finding("error", "records_missing", message[:300]))
    return table_of(parse_input, rows, len(rows) - 1, findings)


def _broken(error: BaseException) -> ProcessingError:
    lacks_library = _LIBRARY_IS_MISSING in str(error)
    return ProcessingError(
        f"the Avro file cannot be read: {described(error)}"[:300],
        code="missing_dependency" if lacks_library else "malformed",
        hint='pip install "ingest-tui[avro]"' if lacks_library else "fetch or write it again",
    )


def _columns(schema: Any) -> list[str]:
    """Return the names of the fields; none for a file of values that are no records."""
    if isinstance(schema, dict) and schema.get("type") == "record":
        return [str(field["name"]) for field in schema["fields"]]
    return []


def _capped(reader: Any, findings: list[Finding]) -> Iterator[Any]:
    for at, record in enumerate(reader):
        if at == _MAX_ROWS:
            findings.append(Finding("warning", "rows_cut", f"only the first {_MAX_ROWS:,} records are kept"))
            return
        yield record
