"""What is written of a version: its ingestion record and its row in the catalogue."""

from __future__ import annotations

from typing import Any

from ingest_tui.connectors.base import BaseConnector
from ingest_tui.model.clock import rfc3339_from_ns
from ingest_tui.model.document import Document
from ingest_tui.model.extraction import ParseResult
from ingest_tui.model.keys import file_name_of
from ingest_tui.model.plan_line import PlanLine
from ingest_tui.pipeline.stage import StagedItem
from ingest_tui.store.catalogue.rows import VersionRow
from ingest_tui.store.fs.encoding import encode_json


def ingestion_record(item: StagedItem, document: Document, connector: BaseConnector | None) -> dict[str, object]:
    """Return ingestion.json of a version: enough to make the catalogue again. Uploads have no connector."""
    result = item.result
    if result is None:
        raise ValueError(item.key)
    line = item.line
    metadata = _origin_metadata(line, connector)
    return {
        "document_id": document.document_id,
        "collection_id": document.collection_id,
        "source_id": document.source_id,
        "source_type": document.source_type,
        "uri": document.uri,
        "key": document.key,
        "version": document.version,
        "version_label": f"{document.file_name} (version {document.version})",
        "job_id": document.job_id,
        "origin": {
            "fingerprint": line.fingerprint,
            "size": line.size,
            "modified": rfc3339_from_ns(line.modified_ns),
            "modified_ns": line.modified_ns,
            "etag": metadata.get("etag"),
            "metadata": metadata,
        },
        "file_name": document.file_name,
        "file_size": document.bytes,
        "mime_type": document.media_type,
        "raw_sha256": document.raw_sha256,
        "content_hash": document.content_hash,
        "title": document.title,
        "language": result.language,
        "backend": result.backend,
        "backend_version": result.backend_version,
        "pages": result.pages,
        "columns": result.columns,
        "links": result.links,
        "chunks": document.chunks,
        "warnings": result.warnings,
        "validation": [finding.as_dict() for finding in result.validation],
        "created_at": document.created_at,
        "ingested_at": document.updated_at,
    }


def extraction_differs(item: StagedItem, result: ParseResult, record: dict[str, Any]) -> bool:
    """Whether an item that was read again gave another text or other metadata than the record of its document has.

    Another version of the program that read it is no difference by itself.
    """
    metadata = {
        "content_hash": result.content_hash,
        "title": result.title or record.get("file_name", file_name_of(item.key)),
        "mime_type": result.media_type,
        "language": result.language,
        "pages": result.pages,
        "columns": result.columns,
        "links": result.links,
        "warnings": result.warnings,
        "validation": [finding.as_dict() for finding in result.validation],
    }
    return any(encode_json(record.get(name)) != encode_json(value) for name, value in metadata.items())


def _origin_metadata(line: PlanLine, connector: BaseConnector | None) -> dict[str, str]:
    return connector.origin(line.descriptor()) if connector is not None else line.metadata or {}


def version_row(document: Document) -> VersionRow:
    """Return the row of a document's current version."""
    return VersionRow(
        document.document_id,
        document.version,
        document.raw_sha256,
        document.content_hash,
        document.bytes,
        document.media_type,
        document.backend,
        document.uri,
        document.job_id,
        document.updated_at,
    )
