"""The rows of the catalogue, a type for each table: built by position, as their columns are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from ingest_tui.model.document import Document


class KillRow(NamedTuple):
    """How often a document, as it is now, killed the parsers as they are now. What succeeds has no row."""

    source_id: str
    key: str
    fingerprint: str
    reason: str
    kills: int
    parsers: str


class VersionRow(NamedTuple):
    """A row of ``versions``."""

    document_id: str
    version: int
    raw_sha256: str
    content_hash: str
    bytes: int
    media_type: str
    backend: str
    uri: str
    job_id: str
    ingested_at: str

    @classmethod
    def of_current(cls, document: Document) -> Self:
        """Return the row of a document's current version."""
        return cls(
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

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Self:
        """Return the row that an ingestion record describes; raises `KeyError` where it lacks something."""
        return cls(
            record["document_id"],
            record["version"],
            record["raw_sha256"],
            record["content_hash"],
            record["file_size"],
            record["mime_type"],
            f"{record['backend']} {record['backend_version']}".strip(),
            record["uri"],
            record["job_id"],
            record["ingested_at"],
        )

    def differing(self, other: Self) -> list[str]:
        """Return the names of the fields in which two rows differ."""
        return [name for name, one, two in zip(self._fields, self, other, strict=True) if one != two]
