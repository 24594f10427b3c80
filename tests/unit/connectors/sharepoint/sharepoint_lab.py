"""Connectors to the Graph server of a test, and what they list."""

from __future__ import annotations

from typing import Any

from ingest_tui.connectors.base import BaseConnector, ListingMemory
from ingest_tui.connectors.memory import VolatileMemory
from ingest_tui.connectors.sharepoint.connector import SharePointConnector
from ingest_tui.connectors.sharepoint.graph import GraphSession
from ingest_tui.credentials.providers.entra_signin import SignIn
from ingest_tui.model.descriptor import Descriptor, ListingEnd
from tests.graph_server.running import FakeCredential, FakeCredentials, GraphServer

SITE = "https://contoso.sharepoint.com/sites/handbook"


def connector_to(
    server: GraphServer,
    *,
    memory: ListingMemory | None = None,
    max_size: int | None = None,
    credential: FakeCredential | None = None,
    **settings: Any,
) -> SharePointConnector:
    """Return a connector to the site of the tests."""
    made = SharePointConnector(
        {"site": SITE, "credential": "intranet", **settings},
        max_size=max_size,
        credentials=FakeCredentials(credential or server.credential()),
    )
    made.memory = memory
    return made


def session_to(server: GraphServer, **changes: str | None) -> GraphSession:
    """Return a session with the credential of the tests, or one with other fields."""
    return GraphSession(SignIn(server.credential(**changes)), "NONISV|contoso|ingest-tui/0")


def listed(connector: BaseConnector) -> tuple[dict[str, Descriptor], ListingEnd]:
    """List to the end; fails when a key is named twice."""
    found: dict[str, Descriptor] = {}
    pages = connector.list()
    while True:
        try:
            page = next(pages)
        except StopIteration as stop:
            end: ListingEnd = stop.value
            return found, end
        for descriptor in page.descriptors:
            assert descriptor.key not in found, descriptor.key
            found[descriptor.key] = descriptor


def keys(connector: BaseConnector) -> set[str]:
    """Return the keys of a listing that must be complete."""
    found, end = listed(connector)
    assert end == ListingEnd(complete=True)
    return set(found)


def fetched(connector: BaseConnector, descriptor: Descriptor, offset: int = 0) -> bytes:
    """Return the bytes of an item."""
    with connector.fetch(descriptor, offset) as pieces:
        return b"".join(pieces)


class Site:
    """A source with a memory that lasts, listed by a new connector each time, as by one job after the other."""

    def __init__(self, server: GraphServer, **settings: Any) -> None:
        self.server = server
        self.settings = settings
        self.memory = VolatileMemory()

    def connector(self, **settings: Any) -> SharePointConnector:
        """Return a new connector with the memory of the earlier ones."""
        return connector_to(self.server, memory=self.memory, **self.settings, **settings)

    def listed(self) -> dict[str, Descriptor]:
        """List completely."""
        found, end = listed(self.connector())
        assert end == ListingEnd(complete=True)
        return found

    def names(self) -> set[str]:
        """Return the keys of a complete listing."""
        return set(self.listed())

    def delta_requests(self) -> list[str]:
        """Return what was asked of deltas, and forget it."""
        asked = [request.target for request in self.server.state.requests("graph", "/root/delta")]
        self.server.state.forget_requests()
        return asked
