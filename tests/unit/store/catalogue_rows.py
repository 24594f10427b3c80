"""Rows for catalogue tests, with everything but what a test is about filled in."""

from __future__ import annotations

from typing import Any

from ingest_tui.model.document import Chunk, Document
from ingest_tui.model.place import KnownPlace
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.rows import VersionRow


def document(document_id: str, **values: Any) -> Document:
    given: dict[str, Any] = {
        "collection_id": "default", "source_id": "docs", "source_type": "local", "uri": f"file:///{document_id}.md",
        "key": f"{document_id}.md", "title": f"{document_id}.md", "file_name": f"{document_id}.md",
        "media_type": "text/markdown", "version": 1, "raw_sha256": f"raw-{document_id}",
        "content_hash": f"text-{document_id}", "bytes": 10, "chunks": 1, "backend": "plain 1", "state": "active",
        "created_at": "2026-01-01", "updated_at": "2026-01-01", "job_id": "job",
    }  # fmt: skip
    return Document(document_id=document_id, **(given | values))


def location(key: str, document_id: str | None = None, **values: Any) -> KnownPlace:
    given: dict[str, Any] = {
        "source_id": "docs", "uri": f"file:///{key}", "collection_id": "default", "fingerprint": "f", "size": 10,
        "modified_ns": 1, "outcome": "ingested", "reason": "new", "detail": "", "ruleset": "", "job_id": "job",
        "at": "2026-01-01", "version": 1,
    }  # fmt: skip
    return KnownPlace(key=key, document_id=document_id, **(given | values))


def version(document_id: str, number: int = 1) -> VersionRow:
    return VersionRow(
        document_id, number, "raw", "text", 10, "text/markdown", "plain 1", "file:///x", "job", "2026-01-01"
    )


def put(catalogue: Catalogue, row: Document, *chunks: str, heading: str = "", language: str = "en") -> None:
    """Put a document with its place and the text of its chunks."""
    with catalogue.transaction():
        catalogue.put_documents([row])
        catalogue.put_versions([version(row.document_id, row.version)])
        catalogue.put_locations([location(row.key, row.document_id, source_id=row.source_id)])
        numbered = (
            Chunk(row.document_id, row.version, number, heading, text, language=language)
            for number, text in enumerate(chunks)
        )
        catalogue.full_text.replace([row.document_id], numbered)
