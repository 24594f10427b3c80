"""The text of a document in pages: what is not asked for never is in memory, however long the text is."""

from __future__ import annotations

from typing import NamedTuple

from ingest_tui.model.counted import counted
from ingest_tui.model.errors import UsageError
from ingest_tui.services.documents.documents import document_folder, get_document, lost_content
from ingest_tui.store.documents import DocumentStore
from ingest_tui.store.workspace import Workspace

_PIECE = 1_000_000


class TextPage(NamedTuple):
    """The characters of a text from ``offset`` on, of ``total`` that it has."""

    text: str
    offset: int
    total: int

    @property
    def next_offset(self) -> int | None:
        """Where the next page begins; None after the last one."""
        end = self.offset + len(self.text)
        return end if end < self.total else None


def document_text_page(
    workspace: Workspace, document_id: str, version: int | None = None, *, offset: int = 0, limit: int
) -> TextPage:
    """Return ``limit`` characters of the normalised text of a document, from the character ``offset`` on.

    Offsets are those of chunks. Raises `UsageError` for one beyond the end, `NotFoundError` when the text is lost.
    """
    document = get_document(workspace, document_id)
    path = DocumentStore(workspace.layout).normalized_path(document_folder(workspace, document, version))
    before, wanted, total = offset, "", 0
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            while piece := file.read(_PIECE):
                total += len(piece)
                wanted += piece[before:][: limit - len(wanted)]
                before = max(0, before - len(piece))
    except FileNotFoundError:
        raise lost_content(document, "text", version or document.version) from None
    if offset > total:
        raise UsageError(
            f"the text has {counted(total, 'character')}, and none at {offset:,}", hint="begin at offset 0"
        )
    return TextPage(wanted, offset, total)
