"""Whether the tables of the catalogue contradict each other, or hold what this program does not write.

SQLite sees no damage in rows that somebody removed or changed by hand. A job asks for what it relies on before it
begins; `doctor`, and whatever fails without knowing why, asks for all. What is found discredits the catalogue, so that
the next who opens it makes it again from the folders.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import apsw

from ingest_tui.model.counted import counted
from ingest_tui.model.document import CHUNK_COLUMNS, Document
from ingest_tui.model.errors import IngestError, StoreError, ValidationError
from ingest_tui.model.foreign_errors import as_ingest_error
from ingest_tui.model.place import KnownPlace
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.mark import discredit
from ingest_tui.store.catalogue.rows import KillRow, VersionRow
from ingest_tui.store.catalogue.sqlite_access import DAMAGED, REBUILD_HINT
from ingest_tui.store.layout import Layout

_TABLES = {
    "documents": Document._fields,
    "versions": VersionRow._fields,
    "locations": KnownPlace._fields,
    "kills": KillRow._fields,
    "chunks": CHUNK_COLUMNS,
}
_NUMBERS = {"version", "bytes", "chunks", "size", "modified_ns", "kills", "ordinal", "page", "start", "end"}
_OPTIONAL = {("locations", name) for name in ("document_id", "size", "modified_ns", "version")}
_OPTIONAL |= {("chunks", name) for name in ("page", "start", "end")}

_LOST_DOCUMENTS = """
SELECT count(*) FROM locations l WHERE document_id IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.document_id = l.document_id AND d.state = 'active')
"""
_NO_PLACES = "documents have no place at all"
_BETWEEN_TABLES = {
    "documents lack the record of their version": """
        SELECT count(*) FROM documents d WHERE NOT EXISTS (
            SELECT 1 FROM versions v WHERE (v.document_id, v.version, v.raw_sha256, v.content_hash)
            = (d.document_id, d.version, d.raw_sha256, d.content_hash) OR d.raw_sha256 = '' AND v.version = d.version
            AND v.document_id = d.document_id)
    """,
    "versions are of no document": """
        SELECT count(*) FROM versions v WHERE NOT EXISTS (
            SELECT 1 FROM documents d WHERE d.document_id = v.document_id)
    """,
    "documents have other chunks than they should": """
        SELECT count(*) FROM documents d WHERE (CASE state WHEN 'active' THEN chunks ELSE 0 END)
        <> (SELECT count(*) FROM chunks c WHERE c.document_id = d.document_id)
    """,
    _NO_PLACES: """
        SELECT count(*) FROM documents WHERE state = 'active'
        AND NOT EXISTS (SELECT 1 FROM locations WHERE document_id IS NOT NULL)
    """,
    "places are in another collection than their documents": """
        SELECT count(*) FROM locations l JOIN documents d USING (document_id) WHERE l.collection_id <> d.collection_id
    """,
    "documents are neither active nor retired": """
        SELECT count(*) FROM documents WHERE state NOT IN ('active', 'retired')
    """,
}


def refuse_lost_documents(catalogue: Catalogue) -> None:
    """Raise `StoreError` when places have a document that is not there, or no document a place: 0.2 s for 100,000."""
    found = _lost_documents(catalogue)
    if not found and catalogue.value(_BETWEEN_TABLES[_NO_PLACES]):
        found = f"the {_NO_PLACES}"
    if found:
        raise _contradiction(catalogue, found)


def contradiction_that_caused(error: BaseException, layout: Layout, *, is_read_only: bool = False) -> StoreError | None:
    """Return the contradiction that a failure may come from, None where there is none or something else explains it.

    Reads all rows. With ``is_read_only`` the catalogue is not discredited.
    """
    if not isinstance(error, apsw.SQLError | ValidationError | FileNotFoundError):
        known = as_ingest_error(error)
        if known is not None and not isinstance(known, ValidationError):
            return None
    try:
        with contextlib.closing(Catalogue(layout.catalogue, read_only=True)) as catalogue:
            found = contradiction_in(catalogue)
            return None if not found else _contradiction(catalogue, found, is_read_only=is_read_only)
    except (IngestError, OSError, apsw.Error):
        return None


def contradiction_in(catalogue: Catalogue) -> str:
    """Return how tables contradict each other or hold garbage, empty when they do not. Reads all rows."""
    try:
        return next(_contradictions(catalogue), "")
    except apsw.SQLError as error:  # a table or a column is missing
        return str(error)


def as_written(table: str, alias: str = "") -> str:
    """Return the condition for rows of a table whose values have the types that this program writes."""
    prefix = f"{alias}." if alias else ""
    return " AND ".join(f"typeof({prefix}{name}) IN ({_types(table, name)})" for name in _TABLES[table])


def _contradiction(catalogue: Catalogue, found: str, *, is_read_only: bool = False) -> StoreError:
    if not is_read_only:
        discredit(catalogue.path)
    return StoreError(f"the catalogue contradicts itself: {found}", hint=REBUILD_HINT, code=DAMAGED)


def _contradictions(catalogue: Catalogue) -> Iterator[str]:
    found = _lost_documents(catalogue)
    if found:
        yield found
    for what, sql in _BETWEEN_TABLES.items():
        number = catalogue.value(sql)
        if number:
            yield f"{number} {what}"
    yield from catalogue.full_text.differences()
    for table in _TABLES:
        number = catalogue.value(f"SELECT count(*) FROM {table} WHERE NOT ({as_written(table)})")
        if number:
            yield f"{counted(number, 'row')} of {table} hold what was never written there"


def _lost_documents(catalogue: Catalogue) -> str:
    number = catalogue.value(_LOST_DOCUMENTS)
    return f"{counted(number, 'place has', 'places have')} a document that is not there" if number else ""


def _types(table: str, column: str) -> str:
    kind = "'integer'" if column in _NUMBERS else "'text'"
    return f"{kind}, 'null'" if (table, column) in _OPTIONAL else kind
