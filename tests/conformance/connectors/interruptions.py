"""Listings that are interrupted at each of their requests, in each way that a source may fail."""

from __future__ import annotations

from typing import Literal, get_args

from ingest_tui.connectors.base import BaseConnector, Listing
from ingest_tui.connectors.memory import VolatileMemory
from ingest_tui.connectors.resilience import ResilientConnector
from ingest_tui.model.descriptor import ListingEnd, ListingPage
from ingest_tui.model.errors import IngestError
from ingest_tui.transport.retrying import RetryPolicy

Failure = Literal["throttled", "broken", "timeout", "closed", "cut", "forbidden", "malformed", "empty"]
"""``throttled`` and ``broken`` are answers that may be others later; ``timeout`` is no answer, ``closed`` a connection
without one, ``cut`` one with half an answer; ``forbidden`` a permission that was lost; ``malformed`` is something else
than a listing, ``empty`` the outermost frame of one with nothing in it."""

FAILURES: tuple[Failure, ...] = get_args(Failure)
POLICY = RetryPolicy(attempts=3, first_wait=0.0, longest_wait=0.0)
LONGER_THAN_RETRIES = 50
INTERRUPTIONS = [
    (failure, times)
    for failure in FAILURES
    for times in (1, LONGER_THAN_RETRIES)
    if (failure, times) != ("timeout", LONGER_THAN_RETRIES)  # for as long as the job lasts: it would take minutes
]


class KeptListing:
    """What a job keeps of a listing, page by page, also when its process ends."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        self.cursor: str | None = None
        self.memory = VolatileMemory()

    def add(self, page: ListingPage) -> None:
        """Keep a page."""
        if page.restarts:
            self.keys.clear()
            self.cursor = None
        self.keys.update(descriptor.key for descriptor in page.descriptors)
        self.cursor = page.cursor or self.cursor

    def list(self, connector: BaseConnector) -> ListingEnd:
        """List in a new process, from where the last one came to; raises what ends the job."""
        resilient = ResilientConnector(connector, sleep=lambda _seconds: None, policy=POLICY)
        resilient.memory = self.memory
        if not connector.capabilities.resumes_listing or self.cursor is None:
            self.keys.clear()
            self.cursor = None
        return self._keep(resilient.list(self.cursor))

    def _keep(self, pages: Listing) -> ListingEnd:
        while True:
            try:
                page = next(pages)
            except StopIteration as stop:
                end: ListingEnd = stop.value
                return end
            self.add(page)

    def try_to_list(self, connector: BaseConnector) -> ListingEnd:
        """List as above; what ends the job counts as an incomplete listing."""
        try:
            return self.list(connector)
        except IngestError:
            return ListingEnd(complete=False)
