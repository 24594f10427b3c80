"""Documents by folder, a level at a time: the folders in one, and the documents that are directly in it.

The folder is that of the choice; without one it is what is above all sources.
"""

from __future__ import annotations

from typing import Any, Unpack

from ingest_tui.model.document import Document
from ingest_tui.model.folder import SEPARATOR, Folder, FolderEntry
from ingest_tui.model.unicode import as_unicode
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.queries import DOCUMENT_ORDERS, DocumentChoice, document_filter

# What comes after the path of the folder in a key.
_REST = "substr(key, length(?) + 1)"
_IN_ORDER = "documents INDEXED BY documents_by_source"


def folders_in(
    catalogue: Catalogue, *, limit: int, offset: int = 0, **choice: Unpack[DocumentChoice]
) -> list[FolderEntry]:
    """Return folders in one, ordered by name, with what the choice leaves in each."""
    name, named, where, values = _inner(choice)
    sql = (
        f"SELECT {name}, count(*), sum(bytes), max(updated_at) FROM {_IN_ORDER} WHERE {where}"
        " GROUP BY 1 ORDER BY 1 LIMIT ? OFFSET ?"
    )
    folder = choice.get("folder") or Folder()
    rows = catalogue.execute(sql, (*named, *values, limit, offset))
    return [FolderEntry(folder.inner(row[0]), *row[1:]) for row in rows]


def count_folders(catalogue: Catalogue, **choice: Unpack[DocumentChoice]) -> int:
    """Return how many folders are in one."""
    name, named, where, values = _inner(choice)
    return int(catalogue.value(f"SELECT count(DISTINCT {name}) FROM {_IN_ORDER} WHERE {where}", (*named, *values)))


def documents_in(
    catalogue: Catalogue,
    *,
    limit: int,
    offset: int = 0,
    order: str = "address",
    backwards: bool = False,
    **choice: Unpack[DocumentChoice],
) -> list[Document]:
    """Return documents that are directly in a folder, in one of the `DOCUMENT_ORDERS`; by name instead of address."""
    where, values = _directly(choice)
    column, is_descending = DOCUMENT_ORDERS[order]
    direction = "DESC" if is_descending != backwards else "ASC"
    by = f"{'key' if order == 'address' else column} {direction}, document_id {direction}"
    ids = f"SELECT document_id FROM {_IN_ORDER} WHERE {where} ORDER BY {by} LIMIT ? OFFSET ?"
    return catalogue.select_documents(f"WHERE document_id IN ({ids}) ORDER BY {by}", (*values, limit, offset))


def count_documents_in(catalogue: Catalogue, **choice: Unpack[DocumentChoice]) -> int:
    """Return how many documents are directly in a folder."""
    where, values = _directly(choice)
    return int(catalogue.value(f"SELECT count(*) FROM {_IN_ORDER} WHERE {where}", values))


def _inner(choice: DocumentChoice) -> tuple[str, list[Any], str, list[Any]]:
    """Return what the folder in this one is called that has a document, and which documents have one; with values."""
    folder = choice.get("folder") or Folder()
    where, values = document_filter(choice)
    if not folder.source_id:
        return "source_id", [], where, values
    path = as_unicode(folder.path)
    name = f"substr({_REST}, 1, instr({_REST}, '{SEPARATOR}'))"
    return name, [path, path], f"{where} AND instr({_REST}, '{SEPARATOR}') > 0", [*values, path]


def _directly(choice: DocumentChoice) -> tuple[str, list[Any]]:
    folder = choice.get("folder") or Folder()
    if not folder.source_id:
        return "0", []
    where, values = document_filter(choice)
    return f"{where} AND instr({_REST}, '{SEPARATOR}') = 0", [*values, as_unicode(folder.path)]
