"""The rows of the catalogue, a type for each table: built by position, as their columns are."""

from __future__ import annotations

from typing import NamedTuple, Self

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
        values = document._asdict() | {"ingested_at": document.updated_at}
        return cls(*(values[name] for name in cls._fields))
