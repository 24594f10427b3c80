"""What a listing does not name, compared with what is known: only what is gone for certain may be retired."""

from __future__ import annotations

from ingest_tui.connectors.base import BaseConnector
from ingest_tui.model.descriptor import ListingEnd
from ingest_tui.model.source import Source
from ingest_tui.model.volumes import Presence, settle_doubts
from ingest_tui.pipeline.plan.deletions import chosen_by
from ingest_tui.store.catalogue.listing_scratch import ListingScratch
from ingest_tui.store.workspace import Workspace


def settle_listing(
    workspace: Workspace, source: Source, connector: BaseConnector, scratch: ListingScratch, end: ListingEnd
) -> ListingEnd:
    """Return how a listing ended: not complete where a mount, a share or a link may hide documents from it."""
    look = workspace.looks.get(source.source_id)

    def presence_at(key: str) -> Presence:
        return scratch.presence_at(workspace.layout.catalogue, source.source_id, key)

    is_same_choice = look.chosen_by == chosen_by(source, connector, workspace.settings)
    return settle_doubts(end, look.volumes, presence_at, is_same_choice=is_same_choice)
