"""What a listing does not name, compared with what is known: only what is gone for certain may be retired."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ingest_tui.connectors.base import BaseConnector
from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage
from ingest_tui.model.source import Source
from ingest_tui.model.volumes import Presence, settle_doubts
from ingest_tui.pipeline.plan.deletions import chosen_by
from ingest_tui.store.catalogue.listing_scratch import ListingScratch
from ingest_tui.store.workspace import Workspace

_ASKED_BETWEEN_WRITES = 100


def settle_listing(
    workspace: Workspace, source: Source, connector: BaseConnector, scratch: ListingScratch, end: ListingEnd
) -> ListingEnd:
    """Return how a listing ended: not complete where a mount, a share or a link may hide documents from it."""
    look = workspace.looks.get(source.source_id)

    def presence_at(key: str) -> Presence:
        return scratch.presence_at(workspace.layout.catalogue, source.source_id, key)

    is_same_choice = look.chosen_by == chosen_by(source, connector, workspace.settings)
    return settle_doubts(end, look.volumes, presence_at, is_same_choice=is_same_choice)


def keep_what_is_not_gone(
    workspace: Workspace,
    source: Source,
    connector: BaseConnector,
    scratch: ListingScratch,
    end: ListingEnd,
    ask: Callable[[Callable[[], bool]], bool] = lambda question: question(),
) -> ListingEnd:
    """Return how a listing ended once each known item that a bounded one did not name was asked for by itself.

    What the source does not call gone is listed as it is known. ``ask`` calls what may wait for a network.
    """
    if not end.bounded:
        return end
    if not connector.capabilities.bounded_listings:
        return end._replace(complete=False, bounded=False)
    after = ""
    while items := scratch.missing_items(workspace.layout.catalogue, source.source_id, after, _ASKED_BETWEEN_WRITES):
        chosen = [item for item in items if _is_chosen(connector, *item[:2])]
        kept = [Descriptor(*item) for item in chosen if not ask(partial(connector.is_gone, item[0]))]
        scratch.add(ListingPage(kept))
        after = items[-1][0]
    return end._replace(complete=True, bounded=False)


def _is_chosen(connector: BaseConnector, key: str, address: str) -> bool:
    """Whether an item is still one that a listing would name if it came to it."""
    return connector.key_of(address) == key and connector.explain_left_out(key) is None
