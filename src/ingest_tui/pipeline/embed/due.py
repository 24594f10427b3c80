"""Which documents a job that embeds looks at: those that have changed since it followed the feed, or all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ingest_tui.model.generation import Generation
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.change_feed import Change, changes_since, newest_change
from ingest_tui.store.vector_rows import LogState, has_rows, read_state
from ingest_tui.store.workspace import Workspace

_PAGE = 1000


class DueDocuments(NamedTuple):
    """The documents to look at, and where in the feed a job is that has looked at them. None: at all documents.

    ``has_purged``: documents are gone for good, whose vectors must not stay.
    """

    document_ids: list[str] | None
    epoch: str
    sequence: int
    has_purged: bool

    @property
    def has_any(self) -> bool:
        """Whether there is something to look at."""
        return self.document_ids is None or bool(self.document_ids)


def due_since(catalogue: Catalogue, collection_id: str, before: DueDocuments) -> DueDocuments:
    """Return what has become due since a job looked at what was due before."""
    return _due(catalogue, collection_id, before.epoch, before.sequence, everything=False)


def due_documents(catalogue: Catalogue, collection_id: str, state: LogState, *, everything: bool) -> DueDocuments:
    """Return what is due. The feed is followed from where ``state`` is; after a rebuild all are."""
    return _due(catalogue, collection_id, state.epoch, state.sequence, everything=everything)


def _due(catalogue: Catalogue, collection_id: str, epoch: str, sequence: int, *, everything: bool) -> DueDocuments:
    newest = newest_change(catalogue)
    same_epoch = epoch == newest.epoch
    found: dict[str, None] = {}
    has_purged = bool(epoch) and not same_epoch  # nobody knows what went with the catalogue of before
    if same_epoch:
        for change in _changes(catalogue, sequence, newest.sequence):
            if change.collection_id == collection_id:
                has_purged = has_purged or change.kind == "purged"
                found[change.document_id] = None
    looks_at_all = everything or not same_epoch or has_purged
    return DueDocuments(None if looks_at_all else list(found), newest.epoch, newest.sequence, has_purged)


def _changes(catalogue: Catalogue, since: int, until: int) -> Iterator[Change]:
    while since < until:
        page = changes_since(catalogue, since, _PAGE).changes
        if not page:
            return
        yield from (change for change in page if change.sequence <= until)
        since = page[-1].sequence


def is_embedding_due(workspace: Workspace, collection_id: str, generation: Generation) -> bool:
    """Whether the feed has something that a generation of vectors has not followed. Looks at no document."""
    folder = workspace.layout.vector_log(collection_id, generation.key)
    state = read_state(folder, generation.space)
    if state is None or not has_rows(folder, state) or (state.rows and not state.has_sums):
        return workspace.reading.has_documents(collection_id)
    return due_documents(workspace.reading, collection_id, state, everything=False).has_any
