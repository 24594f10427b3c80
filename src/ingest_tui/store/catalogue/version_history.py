"""The versions of documents that have several, one document after the other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.rows import VersionRow


def histories(catalogue: Catalogue, collection_id: str) -> Iterator[list[VersionRow]]:
    """Yield the versions of each active document of a collection that has several, newest first."""
    sql = (
        "SELECT v.* FROM documents d JOIN versions v USING (document_id)"
        " WHERE d.collection_id = ? AND d.state = 'active'"
        " AND EXISTS (SELECT 1 FROM versions e WHERE e.document_id = d.document_id AND e.version <> d.version)"
        " ORDER BY v.document_id, v.version DESC"
    )
    rows = (VersionRow(*row) for row in catalogue.stream(sql, (collection_id,)))
    for _document_id, versions in groupby(rows, key=lambda row: row.document_id):
        yield list(versions)
