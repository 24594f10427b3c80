"""How each collection was last looked at: filters, words, order, the document under the cursor, and scrolling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from ingest_tui.model.folder import folder_written
from ingest_tui.tui.views.documents.document_query import DocumentQuery

ALL = ""
"""Stands for all collections at once."""
_MOST_VIEWS = 50
_MOST_ROWS = 5_000
"""So many rows are read again at most: a page of a list, at once, however many there are."""


@dataclass(frozen=True, slots=True)
class CollectionView:
    """A look at the documents of a collection. ``row`` is the key of the document, ``top`` the first row in sight.

    ``rows``: how many were read, so that the same ones are again. ``columns``: the names of those that were chosen,
    between commas; empty for as many as there is room for. ``folder``: the one that is open, as it is written; empty
    where all documents are in one list.
    """

    source_id: str = ""
    media_type: str = ""
    outcome: str = ""
    since: str = ""
    words: str = ""
    query_text: str = ""
    sort: str = ""
    backwards: bool = False
    columns: str = ""
    row: str = ""
    top: int = 0
    rows: int = 0
    folder: str = ""

    def query(self, collection_id: str) -> DocumentQuery:
        """Return what the list is narrowed down to."""
        return DocumentQuery(
            collection_id=collection_id or None,
            source_id=self.source_id or None,
            media_type=self.media_type or None,
            outcome=self.outcome or None,
            since=self.since or None,
            folder=folder_written(self.folder) if self.folder else None,
        )


class CollectionViews:
    """The last view of each collection, the newest last."""

    def __init__(self) -> None:
        self._views: dict[str, CollectionView] = {}

    def keep(self, collection_id: str, view: CollectionView) -> None:
        """Remember how a collection is looked at now."""
        self._views.pop(collection_id, None)
        self._views[collection_id] = replace(view, rows=min(view.rows, _MOST_ROWS))
        while len(self._views) > _MOST_VIEWS:
            del self._views[next(iter(self._views))]

    def of(self, collection_id: str) -> CollectionView:
        """Return how a collection was looked at; one that nobody has looked at is shown from the start."""
        return self._views.get(collection_id, CollectionView())

    def as_dict(self) -> dict[str, dict[str, object]]:
        """Return what is kept in a file."""
        return {name: asdict(view) for name, view in self._views.items()}

    def take_up(self, kept: Any) -> None:
        """Take up what a file has; what makes no sense in it is passed over."""
        if isinstance(kept, Mapping):
            for name, record in list(kept.items())[-_MOST_VIEWS:]:
                if isinstance(name, str) and isinstance(record, Mapping):
                    self._views.setdefault(name, _view_from(record))


def _view_from(record: Mapping[str, Any]) -> CollectionView:
    values = {
        field.name: record[field.name]
        for field in fields(CollectionView)
        if type(record.get(field.name)) is type(field.default) and not (field.type == "int" and record[field.name] < 0)
    }
    return CollectionView(**values)
