"""SQLite databases with apsw: each table, read only and in memory; no view, trigger or extension is run."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.tables.table import build_table
from ingest_tui.model.counted import counted
from ingest_tui.model.errors import ProcessingError
from ingest_tui.model.extraction import MAX_FINDING_CHARACTERS, Element, Finding

if TYPE_CHECKING:
    from ingest_tui.extraction.schemas.schema_check import SchemaCheck

_MAX_ROWS = 200_000
_MAX_VALUE_BYTES = 64 * 1024**2
_TICK_INSTRUCTIONS = 100_000
_VERSIONS_AT = slice(18, 20)
_WRITE_AHEAD, _ROLLBACK = b"\x02\x02", b"\x01\x01"
_TABLES = "SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"


def parse(parse_input: ParseInput) -> Parsed:
    """Return every table that has rows under a heading ``## name``. Raises `ProcessingError` (``malformed``)."""
    import apsw

    content = parse_input.content
    findings: list[Finding] = []
    if content[_VERSIONS_AT] == _WRITE_AHEAD:
        message = "written with a write-ahead log: what was only in that log is not in this file"
        findings.append(Finding("warning", "write_ahead_log", message))
        content = content[:18] + _ROLLBACK + content[20:]
    try:
        connection = apsw.Connection(":memory:")
        connection.deserialize("main", content)
        connection.set_progress_handler(partial(_tick, parse_input), _TICK_INSTRUCTIONS)
        connection.limit(apsw.SQLITE_LIMIT_LENGTH, _MAX_VALUE_BYTES)  # a column may be computed: of a gigabyte of zeros
        connection.execute("PRAGMA trusted_schema = OFF; PRAGMA query_only = ON; PRAGMA cell_size_check = ON")
        tables = sorted((str(name), str(kind)) for name, kind in connection.execute(_TABLES).fetchall())
    except (apsw.Error, ValueError) as error:
        raise ProcessingError(
            f"the database cannot be read: {error}"[:300], code="malformed", hint="fetch it again, or restore it"
        ) from error
    parsed, schema = Parsed("", findings=findings), parse_input.schema
    parts = [part for name, kind in tables if kind == "table" for part in _table(connection, name, parsed, schema)]
    skipped = [name for name, kind in tables if kind == "virtual"]
    if skipped:
        names = ", ".join(repr(name[:60]) for name in skipped[:5])
        findings.append(
            Finding(
                "warning",
                "virtual_tables",
                f"{counted(len(skipped), 'virtual table is', 'virtual tables are')} not read: {names}",
            )
        )
    connection.close()
    if not parts and any(one.severity == "error" for one in findings):
        raise ProcessingError(f"no table can be read: {findings[-1].message}"[:300], code="malformed")
    parsed.markdown = "\n".join(parts)
    return parsed


def _tick(parse_input: ParseInput) -> bool:
    """Give a sign of life, and let the query go on."""
    parse_input.tick()
    return False


def _table(connection: Any, name: str, parsed: Parsed, schema: SchemaCheck | None) -> Iterator[str]:
    """Yield the markdown of a table; what is damaged in it costs the rows after it."""
    import apsw

    rows: list[list[Any]] = []
    try:
        quoted = name.replace('"', '""')
        cursor = connection.execute(f'SELECT * FROM "{quoted}" LIMIT {_MAX_ROWS + 1}')
        for row in cursor:
            if not rows:
                rows.append([column for column, *_more in cursor.get_description()])
            rows.append(list(row))
    except (apsw.Error, ValueError) as error:
        message = f"the table {name[:60]!r} is damaged after {counted(max(len(rows) - 1, 0), 'row')}: {error}"
        parsed.findings.append(Finding("error", "table_unreadable", message[:MAX_FINDING_CHARACTERS]))
    if len(rows) > _MAX_ROWS + 1:
        rows.pop()
        parsed.findings.append(
            Finding("warning", "rows_cut", f"{name[:60]}: only the first {_MAX_ROWS:,} rows are kept")
        )
    table = build_table(name, rows, schema, is_named=True)
    if table is None:
        return
    parsed.findings += table.findings
    parsed.columns.append(table.describe())
    metadata = {"category": "Table", "table": name, "columns": table.columns, "rows": table.rows}
    parsed.elements.append(Element(table.markdown, metadata))
    yield f"## {' '.join(name.split())}\n\n{table.markdown}\n"
