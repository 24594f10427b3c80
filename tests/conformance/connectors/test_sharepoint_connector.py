"""The suite, run over the SharePoint connector and the Graph server of the tests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.connectors.base import BaseConnector, Listing, Place
from ingest_tui.connectors.memory import VolatileMemory
from ingest_tui.connectors.sharepoint import graph
from ingest_tui.connectors.sharepoint.connector import SharePointConnector
from ingest_tui.credentials.providers import entra_signin
from ingest_tui.model.descriptor import ListingEnd, ListingPage
from ingest_tui.model.errors import SourceAccessError, TransientSourceError
from tests.conformance.connectors.connector_suite import SMALL_PAGE, RemoteConnectorSuite, RemoteSite, listed
from tests.conformance.connectors.interruptions import Failure
from tests.graph_server import certificates
from tests.graph_server.running import FakeCredentials, GraphServer
from tests.graph_server.state import CLIENT_ID, Fault

pytestmark = pytest.mark.slow

LIBRARY = "Documents"
TIMEOUT_SECONDS = 1
READ_TIMEOUT = entra_signin.TIMEOUT
FAULTS: dict[Failure, dict[str, Any]] = {
    "throttled": {"status": 429, "code": "activityLimitReached"},
    "broken": {"status": 500},
    "timeout": {"action": "silence", "after": TIMEOUT_SECONDS * 2},
    "closed": {"action": "close"},
    "cut": {"action": "cut", "after": 60},
    "forbidden": {"status": 403, "code": "accessDenied"},
    "malformed": {"action": "html"},
    "empty": {"action": "bare"},
}
SETTINGS = {"site": "https://contoso.sharepoint.com/sites/handbook", "credential": "intranet"}


class PlainKeys(SharePointConnector):
    """The connector with the name of the library taken off its keys: the suite names items without one."""

    def list(self, cursor: str | None = None) -> Listing:
        pages = super().list(cursor)
        while True:
            try:
                page = next(pages)
            except StopIteration as stop:
                end: ListingEnd = stop.value
                return end
            descriptors = [
                descriptor._replace(key=descriptor.key.removeprefix(f"{LIBRARY}/")) for descriptor in page.descriptors
            ]
            yield ListingPage(descriptors, page.cursor)

    def browse(self, path: str = "") -> Iterator[Place]:
        return super().browse(path or LIBRARY)


class SharePointSite(RemoteSite):
    """A site with one library; a part that is closed becomes a library of its own, which is what can be closed."""

    page_size = 1000
    keeps_connections = True

    def __init__(self, server: GraphServer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.server = server
        self.monkeypatch = monkeypatch
        self._failure = Fault("")
        self._planned = 0
        self.site = server.state.site("sites/handbook", "Handbook")
        self.drive = self.site.library(LIBRARY, "Shared Documents")
        server.state.knobs.slow_after = 1_500_000
        self.credential = server.credential()

    @property
    def secret(self) -> str:  # type: ignore[override]
        return self.credential.fields["client_secret"]

    def connector(self, *, max_size: int | None = None) -> BaseConnector:
        return PlainKeys(SETTINGS, max_size=max_size, credentials=FakeCredentials(self.credential))

    def put(self, name: str, content: bytes) -> None:
        self.drive.put(name, content)

    def replace(self, name: str, content: bytes) -> None:
        self.drive.remove(name)
        self.drive.put(name, content)

    def rename(self, name: str, new_name: str) -> None:
        self.drive.rename(name, new_name)

    def remove(self, name: str) -> None:
        self.drive.remove(name)

    def close_part(self, name: str) -> None:
        library = self.site.library(name)
        for item in self.drive.children(self.drive.at(name).item_id):
            library.put(item.name, item.read())
        self.drive.remove(name)
        library.status = (403, "accessDenied")

    def interrupt(self, failure: Failure, *, skip: int, times: int) -> None:
        self.server.state.knobs.largest_page = SMALL_PAGE // 3
        if failure == "timeout":
            self.monkeypatch.setattr(graph, "TIMEOUT", (10, TIMEOUT_SECONDS))
            times = 1
        options: dict[str, Any] = {"skip": skip, "times": times, **FAULTS[failure]}
        self._failure = Fault("", **options)
        self._planned = times
        self.server.state.faults.append(self._failure)

    def recover(self) -> bool:
        self.server.state.faults.remove(self._failure)
        self.monkeypatch.setattr(graph, "TIMEOUT", READ_TIMEOUT)
        return self._failure.times < self._planned

    def lock_out(self) -> None:
        self.server.state.knobs.sign_in_error = ("AADSTS7000222", "The provided client secret keys are expired.")
        self.server.state.revoke_tokens()

    def let_in(self) -> None:
        self.server.state.knobs.sign_in_error = None
        self.server.state.apps[CLIENT_ID]["secret"] = "renewed-client-secret"
        self.credential.fields["client_secret"] = "renewed-client-secret"

    def forbid(self, name: str) -> None:
        item = self.drive.at(name)
        self.server.state.fail(f"/items/{item.item_id}", status=403, code="accessDenied", times=1000)

    def throttle_next(self, times: int, *, retry_after: float | None = None) -> None:
        code = "activityLimitReached"
        self.server.state.fail("", status=429, code=code, retry_after=retry_after, times=times)

    def cut_next(self, after: int) -> None:
        self.server.state.fail("", action="cut", after=after)
        self.server.state.knobs.cut_after = after
        self.server.state.knobs.cut_times = 1

    def unplug(self) -> None:
        self.credential.fields["graph_url"] = "http://127.0.0.1:9"
        self.credential.fields["authority"] = "https://localhost:9/nowhere"

    def wrong_settings(self) -> list[dict[str, Any]]:
        return [
            {},
            {"site": "https://contoso.sharepoint.com/sites/x"},
            {"site": "", "credential": "c"},
            {"site": "not an address", "credential": "c"},
            {"site": "https://contoso-admin.sharepoint.com/", "credential": "c"},
            {**SETTINGS, "novelty": 1},
            {**SETTINGS, "library": "Documents"},
            {**SETTINGS, "folder": "../elsewhere"},
            {**SETTINGS, "reconcile_days": -1},
        ]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GraphServer]:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.ca_bundle(tmp_path)))
    with GraphServer() as running:
        yield running


class TestSharePointConnector(RemoteConnectorSuite):
    """SharePoint through Microsoft Graph."""

    covers = SharePointConnector

    @pytest.fixture
    def site(self, server: GraphServer, monkeypatch: pytest.MonkeyPatch) -> RemoteSite:
        return SharePointSite(server, monkeypatch)

    def test_source_test_goes_through_its_steps(self, site: RemoteSite) -> None:  # type: ignore[override]
        """`source test` signs in, finds the site and its libraries, lists and reads, and stops where it fails."""
        site.put("a.txt", b"one")
        names = ["sign in", "site", "libraries", "list", "read"]
        assert [(step.name, step.ok) for step in site.connector().test_steps()] == [(name, True) for name in names]
        connector = site.connector()
        site.lock_out()
        steps = list(connector.test_steps())
        assert [(step.name, step.ok) for step in steps] == [("sign in", False)]
        assert "docs/sharepoint.md" in steps[0].hint

    def test_interrupted_listing_goes_on_from_its_last_page(self, site: SharePointSite) -> None:  # type: ignore[override]
        """It has asked for everything before its first page; what it asked for before a failure is not asked again."""
        for position in range(900):
            site.put(f"{position:05}.txt", b"x")
        connector = site.connector()
        connector.memory = VolatileMemory()
        site.server.state.knobs.largest_page = 200
        site.server.state.fail("delta", status=429, code="activityLimitReached", skip=2)
        with pytest.raises(TransientSourceError):
            listed(connector)
        site.server.state.forget_requests()
        assert len(listed(connector)[0]) == 900
        first_asked = site.server.state.requests("graph", "delta")[0]
        assert "token" in first_asked.target

    def test_wrong_credential_is_read_anew(self, server: GraphServer, monkeypatch: pytest.MonkeyPatch) -> None:
        """After a refused sign-in, trying again can help only when the credential has changed; then it does."""
        SharePointSite(server, monkeypatch)
        credential = server.credential(client_secret="wrong")
        connector = SharePointConnector(SETTINGS, credentials=FakeCredentials(credential))
        with pytest.raises(SourceAccessError):
            asyncio.run(connector.authenticate())
        assert connector.reauthenticate() is False
        with pytest.raises(SourceAccessError):
            asyncio.run(connector.authenticate())
        credential.fields["client_secret"] = "planted-client-secret"
        assert connector.reauthenticate() is True
        assert asyncio.run(connector.authenticate()) is True
