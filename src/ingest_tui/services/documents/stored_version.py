"""A version that is in the store already: its text cut into chunks again, without its raw bytes being read."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from ingest_tui.model.chunk_limits import ChunkLimits
from ingest_tui.model.document import Document
from ingest_tui.model.pages import page_starts_of
from ingest_tui.store.document_preferences import DocumentLimits
from ingest_tui.store.version_chunks import TextFile, VersionChunks
from ingest_tui.store.workspace import Workspace


class StoredVersion(NamedTuple):
    """The ingestion record and the text of a version."""

    record: dict[str, Any]
    text: TextFile

    def chunks_as(self, document_id: str, version: int, limits: ChunkLimits) -> VersionChunks:
        """Return its chunks as those of a version of a document that has this text."""
        language = self.record.get("language") or self.text.language()
        return VersionChunks(document_id, version, self.text, page_starts_of(self.record), language, limits)


def read_stored_version(workspace: Workspace, folder: Path) -> StoredVersion:
    """Return what the folder of a version holds."""
    store = workspace.document_store
    return StoredVersion(store.ingestion(folder), TextFile(store.normalized_path(folder)))


def limits_of_document(workspace: Workspace, document: Document, record: dict[str, Any]) -> ChunkLimits:
    """Return what decides the chunks of a document, as people chose it."""
    return DocumentLimits(workspace.layout).of(document.collection_id, document.source_id, record)
