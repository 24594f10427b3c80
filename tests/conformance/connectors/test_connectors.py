"""The suite, run over each connector."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Self

import pytest

from ingest_tui.connectors import registry
from ingest_tui.connectors.base import BaseConnector
from ingest_tui.connectors.git.address_connector import GitAddressConnector
from ingest_tui.connectors.git.connector import GitConnector
from ingest_tui.connectors.local.connector import LocalConnector
from ingest_tui.connectors.mail.connector import MailConnector
from ingest_tui.connectors.rclone.connector import RcloneConnector
from ingest_tui.connectors.registry import connector_class, get_connector, source_types
from ingest_tui.connectors.s3.connector import S3Connector
from ingest_tui.connectors.web.connector import WebConnector
from ingest_tui.model.descriptor import ListingEnd
from ingest_tui.model.errors import ItemError, SourceAccessError, TransientItemError, TransientSourceError
from tests.conformance.connectors.connector_suite import (
    LIMIT,
    ConnectorSuite,
    RemoteConnectorSuite,
    RemoteSite,
    Site,
    fetched,
    listed,
)
from tests.conformance.connectors.git_address_site import GitAddressSite, served
from tests.conformance.connectors.git_site import GitSite
from tests.conformance.connectors.interruptions import Failure
from tests.conformance.connectors.mail_site import MailSite
from tests.conformance.connectors.memory_connector import PAGE, SOURCES, Item, MemoryConnector, new_source
from tests.conformance.connectors.rclone_site import RcloneSite, Served
from tests.conformance.connectors.s3_site import S3Site
from tests.conformance.connectors.test_confluence_connector import TestConfluenceCloud as _ConfluenceSuite
from tests.conformance.connectors.test_sharepoint_connector import TestSharePointConnector as _SharePointSuite
from tests.conformance.connectors.web_site import WebSite
from tests.servers.fault_proxy import FaultProxy
from tests.servers.web_site import WebSiteServer

TICK_SECONDS = 0.012
"""Longer than a step of the clock that file times come from (4 ms at 250 Hz, 10 ms at 100 Hz)."""


class MemorySite(RemoteSite):
    """A dictionary that fails like a network."""

    page_size = PAGE
    secret = "canary of the memory"

    def __init__(self) -> None:
        self.settings = new_source()
        self.source = SOURCES[self.settings["source"]]

    def connector(self, *, max_size: int | None = None) -> BaseConnector:
        return MemoryConnector(self.settings, max_size=max_size)

    def put(self, name: str, content: bytes) -> None:
        item = self.source.items.setdefault(name, Item(content))
        item.content = content
        item.revision += 1

    def replace(self, name: str, content: bytes) -> None:
        self.source.items[name] = Item(content)

    def rename(self, name: str, new_name: str) -> None:
        self.source.items[new_name] = self.source.items.pop(name)

    def remove(self, name: str) -> None:
        del self.source.items[name]

    def close_part(self, name: str) -> None:
        self.source.closed.add(name)

    def forbid(self, name: str) -> None:
        self.source.forbidden.add(name)

    def interrupt(self, failure: Failure, *, skip: int, times: int) -> None:
        may_pass = failure not in {"forbidden", "malformed", "empty"}
        self.source.failing = (skip, times, TransientSourceError if may_pass else SourceAccessError)
        self.source.has_failed = False

    def recover(self) -> bool:
        self.source.failing = None
        return self.source.has_failed

    def lock_out(self) -> None:
        self.source.lets_us_in = False

    def let_in(self) -> None:
        self.source.lets_us_in = True

    def throttle_next(self, times: int, *, retry_after: float | None = None) -> None:
        self.source.throttled += [retry_after] * times

    def cut_next(self, after: int) -> None:
        self.source.cut_after = after

    def unplug(self) -> None:
        self.source.is_there = False

    def wrong_settings(self) -> list[dict[str, Any]]:
        return [{}, {"source": ""}, {"source": 3}, {"source": "x", "novelty": 1}]


FOLDER_ERRORS: dict[Failure, int] = {
    "throttled": errno.EMFILE,
    "broken": errno.EIO,
    "timeout": errno.ETIMEDOUT,
    "closed": errno.ENOTCONN,
    "cut": errno.ESTALE,
    "forbidden": errno.EACCES,
    "malformed": errno.EBADMSG,
    "empty": errno.ENOMEM,
}


class FailingFolders:
    """``os.scandir`` on a file system that fails when folders are opened and while they are read."""

    def __init__(self, number: int, skip: int, times: int) -> None:
        self.original = os.scandir
        self.has_failed = False
        self._number = number
        self._skip = skip
        self._times = times

    def fail(self) -> None:
        if self._skip > 0:
            self._skip -= 1
        elif self._times > 0:
            self._times -= 1
            self.has_failed = True
            raise OSError(self._number, os.strerror(self._number))

    def scandir(self, path: Any) -> FailingEntries:
        self.fail()
        return FailingEntries(self, self.original(path))


class FailingEntries:
    """What `FailingFolders.scandir` returns: an iterator that is a context."""

    def __init__(self, folders: FailingFolders, entries: Any) -> None:
        self._folders = folders
        self._entries = entries
        self.close = entries.close

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        self._folders.fail()
        return next(self._entries)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


class LocalSite(Site):
    """A folder."""

    page_size = 1000

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.monkeypatch = monkeypatch
        root.mkdir()

    def connector(self, *, max_size: int | None = None) -> BaseConnector:
        return LocalConnector({"path": str(self.root)}, max_size=max_size)

    def put(self, name: str, content: bytes) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            time.sleep(TICK_SECONDS)
        path.write_bytes(content)

    def replace(self, name: str, content: bytes) -> None:
        path = self.root / name
        status = path.stat()
        other = path.with_name("other")
        other.write_bytes(content)
        os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
        other.rename(path)

    def rename(self, name: str, new_name: str) -> None:
        (self.root / new_name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).rename(self.root / new_name)

    def remove(self, name: str) -> None:
        (self.root / name).unlink()

    def close_part(self, name: str) -> None:
        # Permissions do not stop the superuser, as whom tests may run.
        scandir, closed = os.scandir, os.fsencode(self.root / name)

        def guarded(path: Any) -> Any:
            if os.fsencode(path) == closed:
                raise PermissionError(errno.EACCES, "Permission denied")
            return scandir(path)

        self.monkeypatch.setattr(os, "scandir", guarded)

    def forbid(self, name: str) -> None:
        # As above: the superuser may read everything.
        opening, closed = os.open, os.fsencode(self.root / name)

        def guarded(path: Any, *more: Any, **named: Any) -> int:
            if path == closed:
                raise PermissionError(errno.EACCES, "Permission denied")
            return opening(path, *more, **named)

        self.monkeypatch.setattr(os, "open", guarded)

    def interrupt(self, failure: Failure, *, skip: int, times: int) -> None:
        self.failing = FailingFolders(FOLDER_ERRORS[failure], skip, times)
        self.monkeypatch.setattr(os, "scandir", self.failing.scandir)

    def recover(self) -> bool:
        self.monkeypatch.setattr(os, "scandir", self.failing.original)
        return self.failing.has_failed

    def lock_out(self) -> None:
        shutil.rmtree(self.root)

    def wrong_settings(self) -> list[dict[str, Any]]:
        return [
            {},
            {"path": ""},
            {"path": 3},
            {"path": "a\0b"},
            {"path": "/x", "novelty": 1},
            {"path": "/x", "include": "*.md"},
        ]


class TestLocalConnector(ConnectorSuite):
    """Local folders."""

    covers = LocalConnector

    @pytest.fixture
    def site(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
        return LocalSite(tmp_path / "source", monkeypatch)

    def test_fingerprint_survives_a_rename(self, site: Site) -> None:
        """Files of a renamed folder keep their fingerprint; a renamed file gets another one, so its bytes are read."""
        site.put("folder/a.txt", b"one")
        before = listed(site.connector())[0]["folder/a.txt"]
        site.rename("folder", "other")
        moved = listed(site.connector())[0]["other/a.txt"]
        assert moved.fingerprint == before.fingerprint
        assert moved.uri != before.uri
        time.sleep(TICK_SECONDS)
        site.rename("other/a.txt", "other/b.txt")
        assert listed(site.connector())[0]["other/b.txt"].fingerprint != before.fingerprint


class TestGitConnector(ConnectorSuite):
    """Git repositories, read by a real git."""

    covers = GitConnector

    @pytest.fixture
    def site(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
        return GitSite(tmp_path, monkeypatch)


@pytest.mark.slow
class TestGitAddressConnector(RemoteConnectorSuite):
    """Git repositories at an address, served by git's own program."""

    covers = GitAddressConnector

    @pytest.fixture
    def site(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RemoteSite]:
        with served(tmp_path) as server, FaultProxy(server.port) as proxy:
            site = GitAddressSite(server, proxy, monkeypatch)
            yield site
            site.close()


class TestMemoryConnector(RemoteConnectorSuite):
    """The smallest connector: shows that the suite asks for nothing that only others have."""

    covers = MemoryConnector

    @pytest.fixture
    def site(self) -> RemoteSite:
        return MemorySite()


class TestS3Connector(RemoteConnectorSuite):
    """S3, on a moto server behind a proxy."""

    covers = S3Connector

    @pytest.fixture
    def site(self, moto_port: int, moto_proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> RemoteSite:
        return S3Site(moto_port, moto_proxy, monkeypatch)


class TestWebConnector(RemoteConnectorSuite):
    """Web sites, on a server of this machine."""

    covers = WebConnector

    @pytest.fixture
    def site(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[RemoteSite]:
        with WebSiteServer().serving() as server:
            yield WebSite(server, monkeypatch)

    def test_fingerprint_survives_a_rename(self, site: Site) -> None:
        """A tag says something of one address only: under another one the bytes are read, and known by them."""
        site.put("a.txt", b"one")
        before = listed(site.connector())[0]["a.txt"]
        site.rename("a.txt", "folder/b.txt")
        after = listed(site.connector())[0]
        assert set(after) == {"folder/b.txt"}
        assert after["folder/b.txt"].fingerprint != before.fingerprint


class TestMailConnector(RemoteConnectorSuite):
    """Mailboxes, on a small server that takes any bytes; `tests/cli/test_mail_story.py` has a real one."""

    covers = MailConnector

    @pytest.fixture
    def site(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailSite]:
        site = MailSite(monkeypatch)
        with site.server:
            yield site

    def test_fingerprint_survives_a_rename(self, site: Site) -> None:
        """A message that is moved is another one for the protocol: it is read, and known by its content."""
        site.put("a.txt", b"one")
        before = listed(site.connector())[0]["a.txt"]
        site.rename("a.txt", "folder/b.txt")
        after = listed(site.connector())[0]["folder/b.txt"]
        assert after.fingerprint != before.fingerprint
        assert fetched(site.connector(), after) == b"one"

    def test_item_that_grew_over_the_limit_is_refused_when_it_is_fetched(self, site: Site) -> None:
        """A message never grows; where a server lists too small a size, the limit holds for what is read."""
        site.put("a.txt", b"x" * (LIMIT + 1))
        connector = site.connector(max_size=LIMIT)
        descriptor = listed(connector)[0]["a.txt"]._replace(size=1, refusal=None)
        with pytest.raises(ItemError, match="limit") as caught:
            fetched(connector, descriptor)
        assert caught.value.reason == "too_large"
        assert "1.0 kB" in caught.value.message

    def test_source_can_be_walked_or_says_that_it_cannot(self, site: Site) -> None:
        """The folders of the mailbox, INBOX among them, and in each its folders and messages."""
        site.put("a.txt", b"alpha")
        site.put("folder/b.txt", b"bb")
        connector = site.connector()
        assert [(place.name, place.kind) for place in connector.browse()] == [("INBOX", "folder"), ("folder", "folder")]
        inner = list(connector.browse("folder"))
        assert [(place.name, place.kind, place.size) for place in inner] == [("b.txt", "item", 2)]


@pytest.mark.slow
class TestRcloneConnector(RemoteConnectorSuite):
    """Remotes of rclone: a real rclone asks a WebDAV server, which knows neither checksums nor ids, behind a proxy."""

    covers = RcloneConnector

    @pytest.fixture
    def site(self, webdav: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RemoteSite]:
        with FaultProxy(webdav.port) as proxy, RcloneSite(webdav, proxy, tmp_path, monkeypatch) as site:
            yield site

    def test_fingerprint_survives_a_rename(self, site: Site) -> None:
        """Without a checksum and an id it does not: what has a new name is read, and known by its bytes."""
        site.put("a.txt", b"one")
        before = listed(site.connector())[0]["a.txt"]
        site.rename("a.txt", "folder/b.txt")
        after = listed(site.connector())[0]
        assert set(after) == {"folder/b.txt"}
        assert after["folder/b.txt"].fingerprint != before.fingerprint
        assert after["folder/b.txt"].uri != before.uri

    def test_throttled_listing_says_when_to_come_back(self, site: RemoteSite) -> None:
        """rclone has waited as the storage asked, and tells no wait when it gives up; later the listing is whole."""
        site.put("a.txt", b"one")
        site.throttle_next(1, retry_after=7)
        connector = site.connector()
        with pytest.raises(TransientSourceError) as caught:
            listed(connector)
        assert (caught.value.reason, caught.value.retry_after) == ("throttled", None)
        assert listed(connector)[:2] == (listed(site.connector())[0], ListingEnd(complete=True))

    def test_throttled_fetch_says_when_to_come_back(self, site: RemoteSite) -> None:
        """As above; the same fetch works later."""
        site.put("a.txt", b"one")
        connector = site.connector()
        descriptor = listed(connector)[0]["a.txt"]
        site.throttle_next(1, retry_after=7)
        with pytest.raises(TransientItemError) as caught:
            fetched(connector, descriptor)
        assert (caught.value.reason, caught.value.retry_after) == ("throttled", None)
        assert fetched(connector, descriptor) == b"one"

    def test_interrupted_listing_goes_on_from_its_last_page(self, site: RemoteSite) -> None:
        """rclone lists from the start: an interrupted listing gives no cursor, and another one is whole."""
        names = {f"{position % 3}/{position:05}.txt" for position in range(site.page_size * 3 + 1)}
        for name in names:
            site.put(name, b"x")
        connector = site.connector()
        generator = connector.list()
        assert next(generator).cursor is None
        generator.close()
        site.close_part("2")
        with pytest.raises(SourceAccessError, match="2: error listing"):
            listed(connector)
        site.let_in()
        assert set(listed(connector)[0]) == names


def test_registry_knows_the_local_connector_by_both_names() -> None:
    """A folder is a `local` source, and a `directory` one for those who call it that."""
    assert connector_class("local") is connector_class("directory") is LocalConnector
    assert {"local", "directory"} <= set(source_types())


def test_unknown_type_names_the_known_ones() -> None:
    """A type that nobody provides is a ValueError that lists what there is."""
    with pytest.raises(ValueError, match=r"unknown source type 'ftp'; known types: .*local"):
        get_connector("ftp", {})


def test_every_built_in_connector_has_its_suite() -> None:
    """A connector of this package without a class in this file fails here, and a remote one needs the longer suite."""
    suites = {kind.covers: kind for kind in globals().values() if isinstance(kind, type) and hasattr(kind, "covers")}
    suites |= {suite.covers: suite for suite in (_ConfluenceSuite, _SharePointSuite)}
    ours = {kind for name in source_types() if (kind := connector_class(name)).__module__.startswith("ingest_tui.")}
    ours |= {getattr(import_module(module), name) for module, name in (path.split(":") for path in registry._SERVING)}
    assert ours <= set(suites)
    assert all(issubclass(suites[kind], RemoteConnectorSuite) for kind in ours if kind.capabilities.remote)
