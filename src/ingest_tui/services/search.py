"""Finding text again."""

from __future__ import annotations

from ingest_tui.model.document import SearchHit
from ingest_tui.store.queries import search_text
from ingest_tui.store.workspace import Workspace


def search(workspace: Workspace, query: str, *, collection_id: str | None = None, limit: int = 20) -> list[SearchHit]:
    """Return the best hits of a full-text query, best first; raises `UsageError` when it has no word."""
    if collection_id is not None:
        workspace.collections.get(collection_id)
    return search_text(workspace.catalogue, query, collection_id=collection_id, limit=limit)
