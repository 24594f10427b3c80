"""What documents are called, for the completion of shells: one query, without what else a catalogue is opened with."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

import apsw

from ingest_tui.model.folder import SEPARATOR
from ingest_tui.store.catalogue.sqlite_access import open_to_read
from ingest_tui.store.known_names import source_names
from ingest_tui.store.layout import Layout

_MOST = 100


def document_names(layout: Layout, beginning: str) -> list[str]:
    """Return file names of documents, and ids where something is typed; none where the catalogue cannot be read."""
    return _document_names(layout, beginning, "")


def retired_document_names(layout: Layout, beginning: str) -> list[str]:
    """Return the same of the documents in the trash."""
    return _document_names(layout, beginning, "AND state = 'retired'")


def _document_names(layout: Layout, beginning: str, condition: str) -> list[str]:
    end = beginning + chr(0x10FFFF)
    columns = ("file_name", "document_id") if beginning else ("file_name",)
    queries = [
        f"SELECT DISTINCT {one} FROM documents WHERE {one} >= ? AND {one} < ? {condition} ORDER BY 1 LIMIT ?"
        for one in columns
    ]
    return _first_column(layout, queries, (beginning, end, _MOST))


# Of a source (1) the folders that keys name after so many characters (2), where a key is from (3) to before (4).
_FOLDERS = f"""
    SELECT DISTINCT substr(key, 1, ?2 + instr(substr(key, ?2 + 1), '{SEPARATOR}') - 1)
    FROM documents INDEXED BY documents_by_source
    WHERE source_id = ?1 AND key >= ?3 AND key < ?4 AND instr(substr(key, ?2 + 1), '{SEPARATOR}') > 0
    ORDER BY 1 LIMIT ?5
"""


def folder_names(layout: Layout, beginning: str) -> list[str]:
    """Return sources, or after the slash of one the folders that begin like this, one level at a time."""
    source_id, separator, path = beginning.partition(SEPARATOR)
    if not separator:
        return source_names(layout, beginning)
    above = path.rfind(SEPARATOR) + 1
    found = _first_column(layout, [_FOLDERS], (source_id, above, path, path + chr(0x10FFFF), _MOST))
    return [f"{source_id}{SEPARATOR}{name}" for name in found]


def _first_column(layout: Layout, queries: Sequence[str], values: Sequence[object]) -> list[str]:
    try:
        with closing(open_to_read(layout.catalogue).connection) as connection:
            rows = [row for query in queries for row in connection.execute(query, values)]
    except (apsw.Error, OSError):
        return []
    return [str(row[0]) for row in rows[:_MOST]]
