"""The tables of a document and what is in their columns."""

from __future__ import annotations

from typing import Any

from ingest_tui.services.documents.documents import get_document, ingestion_record
from ingest_tui.store.workspace import Workspace


def document_tables(workspace: Workspace, target: str, version: int | None = None) -> dict[str, Any]:
    """Return ``document_id``, ``version`` and the ``tables`` of a version: its ``columns`` in ingestion.json.

    Each has ``table``, ``columns``, ``rows`` and ``fields``, which are empty where an earlier version of the program
    read the document. Raises `NotFoundError`.
    """
    document = get_document(workspace, target)
    record = ingestion_record(workspace, document.document_id, version)
    tables = [{"fields": [], **table} for table in record.get("columns") or ()]
    return {"document_id": document.document_id, "version": version or document.version, "tables": tables}
