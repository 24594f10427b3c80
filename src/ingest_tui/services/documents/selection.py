"""Which documents a command is for: those that are named, or those that a selector takes."""

from __future__ import annotations

from collections.abc import Sequence

from ingest_tui.model.clock import utc_now
from ingest_tui.model.document import Document
from ingest_tui.model.errors import NotFoundError, UsageError
from ingest_tui.model.selector import Selector
from ingest_tui.services.documents.documents import get_document, list_documents
from ingest_tui.store.workspace import Workspace

_ALL = 2**31 - 1


def select_documents(
    workspace: Workspace, targets: Sequence[str], selector: Selector, *, state: str | None = "active"
) -> list[Document]:
    """Return documents, each once: named as for `get_document`, or of ``state`` (None: any) as the selector wants them.

    Raises `UsageError` unless there are either names or a selector, `NotFoundError` where nothing is selected.
    """
    if bool(targets) != selector.is_empty:
        raise UsageError(
            "name documents, or select them by options",
            hint="--source, --collection, --type, --path, --older-than; -n shows which are meant",
        )
    if targets:
        return list({one.document_id: one for one in (get_document(workspace, name) for name in targets)}.values())
    now = utc_now()
    listed = list_documents(
        workspace,
        limit=_ALL,
        collection_id=selector.collection_id,
        source_id=selector.source_id,
        media_type=selector.media_type,
        state=state,
    )
    found = [one for one in listed if selector.takes(key=one.key, uri=one.uri, at=one.updated_at, now=now)]
    if not found:
        raise NotFoundError("no document is like that", hint="'ingest-tui doc list' shows what there is")
    return found
