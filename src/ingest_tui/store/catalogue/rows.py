"""The rows of the catalogue, a type for each table: built by position, as their columns are."""

from __future__ import annotations

from typing import NamedTuple, Self

from ingest_tui.model.document import Document

PlaceKey = tuple[str, str]
"""Where a place is: the identifier of its source, and its key there."""


class KillRow(NamedTuple):
    """How often a document, as it is now, killed the parsers as they are now. What succeeds has no row."""

    source_id: str
    key: str
    fingerprint: str
    reason: str
    kills: int
    parsers: str


class LocationRow(NamedTuple):
    """What is known of one key of one source; ``document_id`` is None where no document came of it.

    ``removed_sha256`` and ``removed_content_hash``: bytes and text that a person removed from there, which are not
    taken in again unasked; at a place that has a document, those that a person went back from to an earlier version.
    ``container``: the key of the listed item that a member is in; empty for what is listed.
    """

    source_id: str
    key: str
    uri: str
    collection_id: str
    document_id: str | None
    fingerprint: str
    size: int | None
    modified_ns: int | None
    outcome: str
    reason: str
    detail: str
    ruleset: str
    job_id: str
    at: str
    version: int | None
    parsers: str = ""
    removed_sha256: str = ""
    removed_content_hash: str = ""
    container: str = ""


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
