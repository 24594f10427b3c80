"""What is written of a version: its ingestion record and its row in the catalogue."""

from __future__ import annotations

from typing import Any

from ingest_tui.connectors.base import BaseConnector
from ingest_tui.model.chunk_limits import ChunkRules
from ingest_tui.model.clock import rfc3339_from_ns
from ingest_tui.model.document import Document
from ingest_tui.model.extraction import ParseResult
from ingest_tui.model.plan_line import PlanLine
from ingest_tui.model.version_label import usual_label
from ingest_tui.pipeline.staged_item import StagedItem
from ingest_tui.store.fs.encoding import encode_json


def ingestion_record(
    item: StagedItem,
    document: Document,
    connector: BaseConnector | None,
    chunking: ChunkRules,
    overrides: dict[str, Any],
) -> dict[str, object]:
    """Return ingestion.json of a version: enough to make the catalogue again. Uploads have no connector.

    ``overrides`` are the preferences that an upload chose in place of those of its collection.
    """
    result = item.result
    if result is None:
        raise ValueError(item.key)
    member = {"container": item.line.container, "parent": item.parent_uri} if item.parent is not None else {}
    return {
        "document_id": document.document_id,
        "collection_id": document.collection_id,
        "source_id": document.source_id,
        "source_type": document.source_type,
        "uri": document.uri,
        "key": document.key,
        "version": document.version,
        "version_label": _label(item.line, connector) or usual_label(document.file_name, document.version),
        "job_id": document.job_id,
        "origin": _origin(item.line, connector),
        "file_name": document.file_name,
        "file_size": document.bytes,
        "mime_type": document.media_type,
        "raw_sha256": document.raw_sha256,
        "content_hash": document.content_hash,
        "title": document.title,
        **_what_was_read(result),
        "chunks": document.chunks,
        "chunking": chunking.as_dict(),
        **({"overrides": overrides} if overrides else {}),
        "warnings": result.warnings,
        "validation": [finding.as_dict() for finding in result.validation],
        **({"ocr": result.ocr} if result.ocr else {}),
        "created_at": document.created_at,
        "ingested_at": document.updated_at,
        **member,
    }


def _origin(line: PlanLine, connector: BaseConnector | None) -> dict[str, object]:
    metadata = _origin_metadata(line, connector)
    return {
        "fingerprint": line.fingerprint,
        "size": line.size,
        "modified": rfc3339_from_ns(line.modified_ns),
        "modified_ns": line.modified_ns,
        "etag": metadata.get("etag"),
        "metadata": metadata,
    }


def _what_was_read(result: ParseResult) -> dict[str, object]:
    return {
        "language": result.language,
        "backend": result.backend,
        "backend_version": result.backend_version,
        "pages": result.pages,
        "page_starts": result.page_starts,
        "columns": result.columns,
        "links": [link.as_dict() for link in result.links],
    }


def _label(line: PlanLine, connector: BaseConnector | None) -> str:
    """Return the label that a person gave a version when they uploaded it; empty where they gave none."""
    return (line.metadata or {}).get("label", "") if connector is None and not line.container else ""


def extraction_differs(
    item: StagedItem, result: ParseResult, record: dict[str, Any], chunking: ChunkRules | None, *, asked: bool
) -> bool:
    """Whether an item that was read again gave another text or other metadata than the record of its document has.

    So does one whose text is cut by other rules now, where ``chunking`` has them: the ids of chunks name a version, and
    never get another text.
    Another version of the program that read it is no difference by itself. Where a person ``asked`` for it, what an
    older program did not look for in tables is one: `doc columns` says that a forced sync adds it.
    """
    metadata = {
        "content_hash": result.content_hash,
        "title": result.title or record.get("file_name", item.file_name),
        "mime_type": result.media_type,
        # What an older program did not look for is no difference.
        "language": result.language if record.get("language") else None,
        "pages": result.pages,
        "page_starts": result.page_starts,
        "columns": result.columns if asked else _columns_as_known(result.columns, record),
        "links": [link.as_dict() for link in result.links],
        "warnings": result.warnings,
        "validation": [finding.as_dict() for finding in result.validation],
        "ocr": result.ocr,
        **({"chunking": chunking.as_dict()} if chunking is not None else {}),
    }
    # Records of earlier versions of the program do not have these.
    known = {"page_starts": [], "chunking": ChunkRules().as_dict(), **record}
    return any(encode_json(known.get(name)) != encode_json(value) for name, value in metadata.items())


def _columns_as_known(columns: list[dict[str, Any]], record: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the columns of tables as the record has them: an older program did not look what is in them."""
    if any("fields" in table for table in record.get("columns") or ()):
        return columns
    return [{name: value for name, value in table.items() if name != "fields"} for table in columns]


def _origin_metadata(line: PlanLine, connector: BaseConnector | None) -> dict[str, str]:
    if line.container:  # no connector knows of members
        return {}
    return connector.origin(line.descriptor()) if connector is not None else line.metadata or {}
