"""What documents are called, for the completion of shells: one query, without what else a catalogue is opened with."""

from __future__ import annotations

from contextlib import closing

import apsw

from ingest_tui.store.catalogue.sqlite_access import open_to_read
from ingest_tui.store.layout import Layout

_MOST = 100


def document_names(layout: Layout, beginning: str) -> list[str]:
    """Return file names of documents, and ids where something is typed; none where the catalogue cannot be read."""
    end = beginning + chr(0x10FFFF)
    columns = ("file_name", "document_id") if beginning else ("file_name",)
    queries = [
        f"SELECT DISTINCT {one} FROM documents WHERE {one} >= ? AND {one} < ? ORDER BY 1 LIMIT ?" for one in columns
    ]
    try:
        with closing(open_to_read(layout.catalogue).connection) as connection:
            rows = [row for query in queries for row in connection.execute(query, (beginning, end, _MOST))]
    except (apsw.Error, OSError):
        return []
    return [str(row[0]) for row in rows[:_MOST]]
