"""The suite, run over the Confluence connector and the servers of the tests: files attached to pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ingest_tui.connectors.base import BaseConnector, Listing, Place
from ingest_tui.connectors.confluence import listing
from ingest_tui.connectors.confluence.connector import ConfluenceConnector
from ingest_tui.model.descriptor import Descriptor, ListingEnd
from ingest_tui.transport import connections
from tests.confluence_server.running import ConfluenceServer
from tests.confluence_server.state import Entry
from tests.conformance.connectors.connector_suite import SMALL_PAGE, RemoteConnectorSuite, RemoteSite
from tests.conformance.connectors.interruptions import Failure
from tests.graph_server.running import FakeCredentials
from tests.graph_server.state import Fault

pytestmark = pytest.mark.slow

TIMEOUT_SECONDS = 0.5
FAULTS: dict[Failure, dict[str, Any]] = {
    "throttled": {"status": 429},
    "broken": {"status": 500},
    "timeout": {"action": "silence", "after": TIMEOUT_SECONDS * 2},
    "closed": {"action": "close"},
    "cut": {"action": "cut", "after": 10},
    "forbidden": {"status": 403},
    "malformed": {"action": "html"},
    "empty": {"action": "bare"},
}
SPACE = "DOC"
ROOT = "the page of all that is in no folder"


class FolderKeys(ConfluenceConnector):
    """The connector with the folders of the suite in the place of space and page."""

    folders: dict[str, str]
    """By id of a page what the suite calls it, with a slash, nothing for the root."""

    def list(self, cursor: str | None = None) -> Listing:
        pages = super().list(cursor)
        while True:
            try:
                page = next(pages)
            except StopIteration as stop:
                end: ListingEnd = stop.value
                gaps = tuple((self._named(key).rstrip("/"), said) for key, said in end.gaps)
                return end._replace(gaps=gaps)
            yield page._replace(descriptors=[self._plain(one) for one in page.descriptors])

    def _plain(self, descriptor: Descriptor) -> Descriptor:
        _space, page_id, name = descriptor.key.removeprefix("bytes:").split("/", 2)
        if descriptor.key.startswith("bytes:"):
            return descriptor
        return descriptor._replace(key=f"{self.folders[page_id]}{name}")

    def _named(self, key: str) -> str:
        return self.folders[key.partition("/")[2]]

    def browse(self, path: str = "") -> Iterator[Place]:
        """Yield what is on the page of the root, and the others as folders."""
        page_id = next(one for one, folder in self.folders.items() if folder == (f"{path}/" if path else ""))
        found = [*super().browse(f"{SPACE}/{page_id}")][1:]
        yield from found
        if not path:
            yield from (Place(one.rstrip("/"), one.rstrip("/"), "folder") for one in self.folders.values() if one)


class ConfluenceSite(RemoteSite):
    """A space; a folder is a page, and what is in it is attached to it."""

    page_size = listing.PAGE + 100
    keeps_connections = True

    def __init__(self, server: ConfluenceServer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.server = server
        self.state = server.state
        self.monkeypatch = monkeypatch
        self.pages: dict[str, Entry] = {}
        self._failure = Fault("")
        self._planned = 0
        self.url = server.url
        self.credential = server.credential()
        self._page("")

    @property
    def secret(self) -> str:  # type: ignore[override]
        return self.state.token

    def connector(self, *, max_size: int | None = None) -> BaseConnector:
        settings = {
            "url": self.url,
            "credential": "wiki",
            "space": [SPACE],
            "take": ["attachments"],
            "edition": "cloud" if self.state.is_cloud else "data-center",
        }
        made = FolderKeys(settings, max_size=max_size, credentials=FakeCredentials(self.credential))
        made.folders = {page.entry_id: folder for folder, page in self.pages.items()}
        return made

    def _page(self, folder: str) -> Entry:
        if folder not in self.pages:
            self.pages[folder] = self.state.page(SPACE, folder or ROOT)
        return self.pages[folder]

    def _split(self, name: str) -> tuple[Entry, str]:
        folder, slash, title = name.rpartition("/")
        return self._page(folder + slash), title

    def _attachment(self, name: str) -> Entry:
        found = self.state.attachment(*self._split(name))
        assert found is not None
        return found

    def put(self, name: str, content: bytes) -> None:
        page, title = self._split(name)
        self.state.attach(page, title, content)

    def replace(self, name: str, content: bytes) -> None:
        self.remove(name)
        self.put(name, content)

    def rename(self, name: str, new_name: str) -> None:
        entry = self._attachment(name)
        page, entry.title = self._split(new_name)
        self.state.move(entry, page.entry_id)

    def remove(self, name: str) -> None:
        self.state.remove(self._attachment(name))

    def close_part(self, name: str) -> None:
        self.pages[f"{name}/"].status = 403

    def forbid(self, name: str) -> None:
        self._attachment(name).status = 403

    def interrupt(self, failure: Failure, *, skip: int, times: int) -> None:
        self.state.largest_part = SMALL_PAGE // 3
        self.monkeypatch.setattr(listing, "PAGE", SMALL_PAGE // 3)
        if failure == "timeout":
            self.monkeypatch.setattr(connections, "READ_SECONDS", TIMEOUT_SECONDS)
            times = 1
        self._failure = Fault("", service="confluence", skip=skip, times=times, **FAULTS[failure])
        self._planned = times
        self.state.faults.append(self._failure)

    def recover(self) -> bool:
        self.state.faults.remove(self._failure)
        self.monkeypatch.setattr(connections, "READ_SECONDS", 60)
        return self._failure.times < self._planned

    def lock_out(self) -> None:
        self.state.token = "another-token"

    def let_in(self) -> None:
        self.state.token = "renewed-token"
        self.credential.fields.update(self.server.credential().fields)

    def throttle_next(self, times: int, *, retry_after: float | None = None) -> None:
        self.state.fail("", service="confluence", status=429, retry_after=retry_after, times=times)

    def cut_next(self, after: int) -> None:
        self.state.knobs.cut_after, self.state.knobs.cut_times = after, 1
        self.state.fail("api", service="confluence", action="cut", after=10)

    def unplug(self) -> None:
        self.url = "http://127.0.0.1:9"

    def wrong_settings(self) -> list[dict[str, Any]]:
        right = {"url": "https://wiki.example.org"}
        return [
            {},
            {"url": ""},
            {"url": "not an address"},
            {"url": "https://ann:secret@wiki.example.org"},
            {"url": "https://wiki.example.org/?os_username=x"},
            {**right, "novelty": 1},
            {**right, "space": "DOC"},
            {**right, "space": ["a/b"]},
            {**right, "take": []},
            {**right, "take": ["labels"]},
            {**right, "edition": "server"},
        ]


class _Suite(RemoteConnectorSuite):
    is_cloud: bool

    @pytest.fixture
    def site(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[RemoteSite]:
        with ConfluenceServer(is_cloud=self.is_cloud) as server:
            yield ConfluenceSite(server, monkeypatch)


class TestConfluenceCloud(_Suite):
    """Confluence Cloud."""

    covers = ConfluenceConnector
    is_cloud = True


class TestConfluenceDataCenter(_Suite):
    """Confluence Data Center."""

    covers = ConfluenceConnector
    is_cloud = False
