"""What the Documents view is narrowed down to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ingest_tui.model.folder import Folder

if TYPE_CHECKING:
    from ingest_tui.services.documents.documents import DocumentChoice
    from ingest_tui.services.documents.search_modes import SearchMode


@dataclass(frozen=True, slots=True)
class DocumentQuery:
    """Which documents to list. ``contains`` is looked for in names and addresses; None and nothing choose all.

    ``search_mode``: how words are searched; None: as the collection prefers. It narrows nothing down.
    ``folder``: those in it; the list shows its folders, too. None: all of them, in one list.
    """

    contains: str = ""
    collection_id: str | None = None
    source_id: str | None = None
    media_type: str | None = None
    outcome: str | None = None
    since: str | None = None
    folder: Folder | None = None
    state: str = "active"
    order: str = "address"
    backwards: bool = False
    search_mode: SearchMode | None = None

    def as_choice(self) -> DocumentChoice:
        """Return the keyword arguments of the services."""
        return {
            "contains": self.contains,
            "collection_id": self.collection_id,
            "source_id": self.source_id,
            "media_type": self.media_type,
            "outcome": self.outcome,
            "since": self.since,
            "folder": self.folder,
            "state": self.state,
        }

    @property
    def is_narrowed(self) -> bool:
        """Whether a filter is set, besides the words."""
        return bool(self.collection_id or self.source_id or self.media_type or self.outcome or self.since)

    def widened(self) -> DocumentQuery:
        """Return the same without filters."""
        return replace(self, collection_id=None, source_id=None, media_type=None, outcome=None, since=None)
