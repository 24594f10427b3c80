"""What every connector owes. A new one gets a `Site` that can do to it what these tests need, and one subclass.

A connector that declares ``remote`` gets a `RemoteSite` and a subclass of `RemoteConnectorSuite`, which asks for more.
The suite never skips: what a connector does not claim in its capabilities it must not do by halves either.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import pytest

from ingest_tui.connectors.base import BaseConnector
from ingest_tui.connectors.resilience import ResilientConnector
from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage
from ingest_tui.model.errors import (
    AuthenticationError,
    IngestError,
    ItemError,
    SourceAccessError,
    TransientItemError,
    TransientSourceError,
    UsageError,
    ValidationError,
)
from tests.conformance.connectors.interruptions import INTERRUPTIONS, LONGER_THAN_RETRIES, Failure, KeptListing

LIMIT = 1000
SMALL_PAGE = 25

_IS_LISTENING = (socket.SOL_SOCKET, socket.SO_ACCEPTCONN)


class Site(ABC):
    """The other side of a connector: a source whose content a test can change."""

    page_size: int
    """At most so many items come in one page."""

    keeps_connections = False
    """Whether a connector of it goes over the network of this machine."""

    reads_what_was_fetched = False
    """Whether listing an item fetches it, too, so that nobody is asked when it is read."""

    @abstractmethod
    def connector(self, *, max_size: int | None = None) -> BaseConnector:
        """Return a new connector to this site."""

    @abstractmethod
    def put(self, name: str, content: bytes) -> None:
        """Make an item, or change it in place."""

    @abstractmethod
    def replace(self, name: str, content: bytes) -> None:
        """Put another item in the place of one."""

    @abstractmethod
    def rename(self, name: str, new_name: str) -> None:
        """Give an item another name."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Take an item away."""

    @abstractmethod
    def close_part(self, name: str) -> None:
        """Make the part of the source called ``name`` unreadable, as a whole."""

    @abstractmethod
    def forbid(self, name: str) -> None:
        """Let one item be listed, but not read."""

    @abstractmethod
    def interrupt(self, failure: Failure, *, skip: int, times: int) -> None:
        """Let listings fail ``times`` times, after ``skip`` more of their requests have been answered."""

    @abstractmethod
    def recover(self) -> bool:
        """Undo `interrupt`; returns whether it came to a failure."""

    @abstractmethod
    def lock_out(self) -> None:
        """Let the source refuse us from now on."""

    @abstractmethod
    def wrong_settings(self) -> list[dict[str, Any]]:
        """Return settings that cannot be right."""


class RemoteSite(Site):
    """A site behind a network."""

    secret: str
    """What the connector signs in with; must never be shown."""

    @abstractmethod
    def let_in(self) -> None:
        """Undo `lock_out`, as if the credential had been renewed."""

    @abstractmethod
    def throttle_next(self, times: int, *, retry_after: float | None = None) -> None:
        """Let the source ask to slow down, for so many requests from now on."""

    @abstractmethod
    def cut_next(self, after: int) -> None:
        """Cut the next answer after so many bytes of its body."""

    @abstractmethod
    def unplug(self) -> None:
        """Let connectors that are made from now on find nobody at the other end."""


def connected_sockets() -> set[tuple[int, int]]:
    """Return the connections of this process to servers within it: own port and that of the server.

    Servers run in threads, which may close a socket at any time; a number of a descriptor is then given again.
    """
    served, connected = set(), set()
    for one in [one for one in gc.get_objects() if isinstance(one, socket.socket)]:
        with contextlib.suppress(OSError):  # closed, or not connected
            if one.family != socket.AF_INET:
                continue
            if one.getsockopt(*_IS_LISTENING):
                served.add(one.getsockname()[1])
            else:
                connected.add((one.getsockname()[1], one.getpeername()[1]))
    return {(own, other) for own, other in connected if other in served}


def listed(connector: BaseConnector) -> tuple[dict[str, Descriptor], ListingEnd, list[ListingPage]]:
    """List to the end; fails when an item is named twice."""
    pages: list[ListingPage] = []
    generator = connector.list()
    while True:
        try:
            pages.append(next(generator))
        except StopIteration as stop:
            end = stop.value
            break
    found: dict[str, Descriptor] = {}
    for page in pages:
        for descriptor in page.descriptors:
            assert descriptor.key not in found, f"{descriptor.key} is listed twice"
            found[descriptor.key] = descriptor
    assert isinstance(end, ListingEnd)
    return found, end, pages


def fetched(connector: BaseConnector, descriptor: Descriptor) -> bytes:
    with connector.fetch(descriptor) as pieces:
        return b"".join(pieces)


class ConnectorSuite:
    """Subclasses give the fixture ``site`` and name the connector that they cover."""

    covers: type[BaseConnector]

    @pytest.fixture
    def site(self) -> Site:
        raise NotImplementedError

    # Listing

    def test_every_item_is_listed_once(self, site: Site) -> None:
        """A complete listing names each item with its size and an address of its own."""
        contents = {"a.txt": b"alpha", "folder/b.txt": b"", "folder/deeper/c.txt": b"x" * 300}
        for name, content in contents.items():
            site.put(name, content)
        found, end, _ = listed(site.connector())
        assert {key: descriptor.size for key, descriptor in found.items()} == {
            name: len(content) for name, content in contents.items()
        }
        assert len({descriptor.uri for descriptor in found.values()}) == len(found)
        assert all(descriptor.fingerprint and descriptor.refusal is None for descriptor in found.values())
        assert (end.complete, end.gaps) == (True, ())

    def test_empty_source_is_a_complete_listing(self, site: Site) -> None:
        """A source without items lists none, completely; whether that is plausible is for others to judge."""
        found, end, _pages = listed(site.connector())
        assert (found, end.complete, end.gaps) == ({}, True, ())

    def test_listing_streams_in_pages(self, site: Site) -> None:
        """The first page comes before the last item is looked at, and no page is larger than it may be."""
        number = site.page_size * 2 + 1
        for position in range(number):
            site.put(f"{position:05}.txt", b"x")
        generator = site.connector().list()
        first = next(generator)
        assert 0 < len(first.descriptors) <= site.page_size
        generator.close()
        found, _, pages = listed(site.connector())
        assert len(found) == number
        assert len(pages) >= 3
        assert all(0 < len(page.descriptors) <= site.page_size for page in pages)

    def test_cursor_is_honoured_or_not_given(self, site: Site) -> None:
        """A connector that can resume goes on exactly behind a page; one that cannot gives no cursor to resume from."""
        for position in range(site.page_size + 5):
            site.put(f"{position:05}.txt", b"x")
        connector = site.connector()
        found, _, pages = listed(connector)
        if not connector.capabilities.resumes_listing:
            assert all(page.cursor is None for page in pages)
            return
        first = {descriptor.key for descriptor in pages[0].descriptors}
        rest = [descriptor.key for page in site.connector().list(pages[0].cursor) for descriptor in page.descriptors]
        assert sorted(rest) == sorted(set(found) - first)

    def test_removed_item_is_no_longer_listed(self, site: Site) -> None:
        """A complete listing without an item is the proof that it is gone."""
        site.put("a.txt", b"alpha")
        site.put("b.txt", b"beta")
        site.remove("a.txt")
        found, end, _ = listed(site.connector())
        assert (set(found), end.complete, end.gaps) == ({"b.txt"}, True, ())

    def test_listing_again_says_the_same(self, site: Site) -> None:
        """Without a change, another connector lists the very same descriptors."""
        site.put("a.txt", b"alpha")
        site.put("b/c.txt", b"beta")
        assert listed(site.connector())[0] == listed(site.connector())[0]

    def test_closed_part_makes_the_listing_incomplete(self, site: Site) -> None:
        """What cannot be looked into is named as a gap and the rest is listed, or all fails: nothing is proven gone."""
        site.put("open/a.txt", b"x")
        site.put("closed/b.txt", b"x")
        site.close_part("closed")
        if site.connector().capabilities.lists_all_or_nothing:
            with pytest.raises(SourceAccessError):
                listed(site.connector())
            return
        found, end, _ = listed(site.connector())
        assert set(found) == {"open/a.txt"}
        assert not end.complete
        assert [key for key, _ in end.gaps] == ["closed"]
        assert end.gaps[0][1]

    @pytest.mark.parametrize(("failure", "times"), INTERRUPTIONS)
    def test_interrupted_listing_is_the_whole_or_says_that_it_is_not(
        self, site: Site, failure: Failure, times: int
    ) -> None:
        """Interrupted at each of its requests, for a moment or until the job ends, a listing that claims to be complete
        names what an undisturbed one does; so does the one that another process resumes."""
        for position in range(site.page_size * 2 + 5 if site.page_size <= SMALL_PAGE else SMALL_PAGE):
            site.put(f"{position % 4}/{position:05}.txt", b"x")
        undisturbed = set(listed(site.connector())[0])
        is_interrupted, requests = True, 0
        while is_interrupted:
            kept = KeptListing()
            site.interrupt(failure, skip=requests, times=times)
            end = kept.try_to_list(site.connector())
            is_interrupted = site.recover()
            assert not end.complete or kept.keys == undisturbed, f"{failure} at request {requests}"
            end = kept.list(site.connector())
            assert (end.complete, kept.keys) == (True, undisturbed), f"resumed after {failure} at request {requests}"
            requests += 1
        assert requests > 1, "no request was interrupted"

    @pytest.mark.parametrize("failure", ["closed", "forbidden"])
    def test_what_stays_is_never_lost_to_an_interruption(self, site: Site, failure: Failure) -> None:
        """What changes between an interruption and the resumption hides nothing that was there all the time."""
        number = site.page_size * 2 + 5 if site.page_size <= SMALL_PAGE else SMALL_PAGE
        for position in range(number):
            site.put(f"{position % 4}/{position:05}.txt", b"x")
        stays = set(listed(site.connector())[0])
        is_interrupted, requests = True, 0
        while is_interrupted and requests < number:
            kept = KeptListing()
            site.interrupt(failure, skip=requests, times=LONGER_THAN_RETRIES)
            kept.try_to_list(site.connector())
            is_interrupted = site.recover()
            gone = f"{requests % 4}/{requests:05}.txt"
            site.remove(gone)
            site.put(f"{requests % 4}/{requests:05}-new.txt", b"x")
            stays.discard(gone)
            assert kept.list(site.connector()).complete
            assert stays <= kept.keys, f"{failure} at request {requests}"
            requests += 1

    @pytest.mark.parametrize(
        "name",
        [
            "ü.txt",
            "with space.txt",
            "100%.txt",
            "#?&+;.txt",
            "new\nline.txt",
            "\x1b[2J.txt",
            "日本/語.txt",
            "bytes:x.txt",
        ],
    )
    def test_odd_name_is_listed_and_fetched(self, site: Site, name: str) -> None:
        """A name is data: whatever is in it, the item is listed, its address is plain ASCII, and its bytes come."""
        site.put(name, b"content")
        connector = site.connector()
        ((_, descriptor),) = listed(connector)[0].items()
        assert descriptor.uri.isascii()
        assert descriptor.uri.isprintable()
        assert fetched(connector, descriptor) == b"content"

    # Identity

    def test_fingerprint_changes_with_the_content(self, site: Site) -> None:
        """An edit, one that keeps the size within the same second, and a replacement each change the fingerprint."""
        site.put("a.txt", b"one")
        seen = [listed(site.connector())[0]["a.txt"].fingerprint]
        for change, content in ((site.put, b"two"), (site.put, b"three"), (site.replace, b"seven")):
            change("a.txt", content)
            seen.append(listed(site.connector())[0]["a.txt"].fingerprint)
        assert len(set(seen)) == len(seen)

    def test_fingerprint_survives_a_rename(self, site: Site) -> None:
        """A renamed item keeps its fingerprint, so that a move is distinguished from a new item without reading it."""
        site.put("a.txt", b"one")
        before = listed(site.connector())[0]["a.txt"]
        site.rename("a.txt", "folder/b.txt")
        after = listed(site.connector())[0]
        assert set(after) == {"folder/b.txt"}
        assert after["folder/b.txt"].fingerprint == before.fingerprint
        assert after["folder/b.txt"].uri != before.uri

    def test_equal_items_share_a_fingerprint_only_when_it_follows_from_the_content(self, site: Site) -> None:
        """Two items are never taken for one because they happen to be equal, unless their bytes are compared."""
        site.put("a.txt", b"same")
        site.put("b.txt", b"same")
        connector = site.connector()
        found = listed(connector)[0]
        is_shared = found["a.txt"].fingerprint == found["b.txt"].fingerprint
        assert is_shared == connector.capabilities.content_fingerprints

    def test_origin_is_short_text(self, site: Site) -> None:
        """What the record of a version keeps of its origin is text, and little of it."""
        site.put("a.txt", b"one")
        connector = site.connector()
        origin = connector.origin(listed(connector)[0]["a.txt"])
        assert all(isinstance(name, str) and isinstance(value, str) for name, value in origin.items())
        assert sum(map(len, [*origin, *origin.values()])) < 1000

    # Fetching

    @pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 3_000_001])
    def test_fetch_gives_every_byte_in_pieces(self, site: Site, size: int) -> None:
        """The bytes come whole and in order, in pieces that fit into memory, and an empty item has none."""
        content = bytes(position % 251 for position in range(min(size, 5000))) * (size // 5000 + 1)
        content = content[:size]
        site.put("a.txt", content)
        connector = site.connector()
        with connector.fetch(listed(connector)[0]["a.txt"]) as stream:
            pieces = list(stream)
        assert b"".join(pieces) == content
        assert all(0 < len(piece) <= 4 << 20 for piece in pieces)

    def test_fetch_can_be_given_up_and_done_again(self, site: Site) -> None:
        """Leaving a fetch in the middle, or not reading at all, spoils nothing."""
        site.put("a.txt", b"x" * 3_000_000)
        connector = site.connector()
        descriptor = listed(connector)[0]["a.txt"]
        with connector.fetch(descriptor):
            pass
        with connector.fetch(descriptor) as pieces:
            next(pieces)
        assert len(fetched(connector, descriptor)) == 3_000_000

    def test_fetch_from_an_offset(self, site: Site) -> None:
        """Where a connector claims ranges, an offset gives the rest; claimed or not, 0 gives all."""
        site.put("a.txt", b"0123456789")
        connector = site.connector()
        descriptor = listed(connector)[0]["a.txt"]
        with connector.fetch(descriptor, 0) as pieces:
            assert b"".join(pieces) == b"0123456789"
        if connector.capabilities.ranged_fetch:
            with connector.fetch(descriptor, 4) as pieces:
                assert b"".join(pieces) == b"456789"

    def test_vanished_item_is_not_found(self, site: Site) -> None:
        """An item that went after it was listed is an outcome of its own, not a failure of the source."""
        site.put("a.txt", b"one")
        connector = site.connector()
        descriptor = listed(connector)[0]["a.txt"]
        site.remove("a.txt")
        if connector.capabilities.keeps_what_was_listed:
            assert fetched(connector, descriptor) == b"one"
            return
        with pytest.raises(ItemError) as caught:
            fetched(connector, descriptor)
        assert caught.value.reason == "not_found"

    def test_item_that_changes_while_it_is_read_is_told(self, site: Site) -> None:
        """What is read is the item that was listed, whole; or the change is reported: never a mixture."""
        # Not one byte repeated: sums that are made by XOR do not tell such contents from mixtures of them.
        before, after = random.Random(1).randbytes(3_000_000), random.Random(2).randbytes(3_000_000)
        site.put("a.txt", before)
        connector = site.connector()
        descriptor = listed(connector)[0]["a.txt"]
        with connector.fetch(descriptor) as pieces:
            received = next(pieces)
            site.put("a.txt", after)
            try:
                received += b"".join(pieces)
            except ItemError as error:
                assert error.reason == "changed_while_read"  # noqa: PT017 - one of two ways to be right
            else:
                assert received == before

    def test_rest_of_a_changed_item_is_refused(self, site: Site) -> None:
        """Where a connector claims ranges, nothing of a new content is put behind the beginning of an old one."""
        site.put("a.txt", b"0123456789")
        connector = site.connector()
        descriptor = listed(connector)[0]["a.txt"]
        site.put("a.txt", b"abcdefghij")
        if connector.capabilities.ranged_fetch:
            if connector.capabilities.keeps_what_was_listed:
                with connector.fetch(descriptor, 4) as pieces:
                    assert b"".join(pieces) == b"456789"
                return
            with pytest.raises(ItemError) as caught, connector.fetch(descriptor, 4) as pieces:
                list(pieces)
            assert caught.value.reason == "changed_while_read"

    def test_forbidden_item_is_an_outcome_of_its_own(self, site: Site) -> None:
        """An item that we may not read fails alone, with what to do; the others are read."""
        site.put("open.txt", b"one")
        site.put("closed.txt", b"two")
        site.forbid("closed.txt")
        connector = site.connector()
        found = listed(connector)[0]
        if site.reads_what_was_fetched:
            assert fetched(connector, found["closed.txt"]) == b"two"
            return
        with pytest.raises(ItemError) as caught:
            fetched(connector, found["closed.txt"])
        assert (caught.value.reason, caught.value.retryable) == ("forbidden", False)
        assert caught.value.hint
        assert fetched(connector, found["open.txt"]) == b"one"

    def test_errors_of_items_name_no_other_reason_than_known_ones(self, site: Site) -> None:
        """A failed item carries a stable reason and a sentence for people without control characters."""
        site.put("\x1b[2J.txt", b"one")
        connector = site.connector()
        ((_, descriptor),) = listed(connector)[0].items()
        if site.reads_what_was_fetched:
            descriptor = descriptor._replace(size=4)
        elif connector.capabilities.keeps_what_was_listed:
            site.forbid("\x1b[2J.txt")
        else:
            site.remove("\x1b[2J.txt")
        with pytest.raises(ItemError) as caught:
            fetched(connector, descriptor)
        assert caught.value.message.isprintable()

    # Limits

    def test_too_large_is_refused_by_the_listing(self, site: Site) -> None:
        """An item over the limit is refused unread, with a sentence that names the limit; one at it is let in."""
        site.put("fits.txt", b"x" * LIMIT)
        site.put("large.txt", b"x" * (LIMIT + 1))
        found = listed(site.connector(max_size=LIMIT))[0]
        assert found["fits.txt"].refusal is None
        reason, detail = found["large.txt"].refusal or ("", "")
        assert reason == "too_large"
        assert "1.0 kB" in detail

    def test_item_that_grew_over_the_limit_is_refused_when_it_is_fetched(self, site: Site) -> None:
        """The limit holds for what is read, not only for what was listed, and is named again."""
        site.put("a.txt", b"x")
        connector = site.connector(max_size=LIMIT)
        descriptor = listed(connector)[0]["a.txt"]
        site.put("a.txt", b"x" * (LIMIT + 1))
        if connector.capabilities.keeps_what_was_listed:
            assert fetched(connector, descriptor) == b"x"
            return
        with pytest.raises(ItemError, match="limit") as caught:
            fetched(connector, descriptor)
        assert caught.value.reason == "too_large"
        assert "1.0 kB" in caught.value.message

    # Access and settings

    def test_source_that_lets_us_in(self, site: Site) -> None:
        """Authentication succeeds with True, and settings that work pass."""
        connector = site.connector()
        connector.validate_config()
        assert asyncio.run(connector.authenticate()) is True
        assert ResilientConnector(connector).authenticate_now() is True

    def test_source_that_refuses_us(self, site: Site) -> None:
        """A source that does not let us in is an error of the source with a way out, in listing too."""
        site.put("a.txt", b"one")
        connector = site.connector()
        site.lock_out()
        with pytest.raises(SourceAccessError) as caught:
            asyncio.run(connector.authenticate())
        assert caught.value.hint
        with pytest.raises(SourceAccessError):
            listed(connector)

    def test_nothing_stays_connected_when_it_is_closed(self, site: Site) -> None:
        """Of a connector that has worked; one that did nothing can be closed too, and one that is closed."""
        site.put("a.txt", b"a")
        gc.collect()
        others = connected_sockets()
        connector = site.connector()
        connector.close()
        items, _end, _pages = listed(connector)
        for descriptor in items.values():
            with connector.fetch(descriptor) as pieces:
                assert b"".join(pieces) == b"a"
        assert bool(connected_sockets() - others) == site.keeps_connections
        connector.close()
        connector.close()
        assert not connected_sockets() - others

    def test_wrong_settings_are_named(self, site: Site) -> None:
        """Settings that cannot be right are refused when the connector is made, with the settings there are."""
        kind = type(site.connector())
        for settings in site.wrong_settings():
            with pytest.raises(ValidationError) as caught:
                kind(settings)
            assert next(iter(kind.config_model.model_fields)) in caught.value.hint

    # What is built on it

    def test_source_test_goes_through_its_steps(self, site: Site) -> None:
        """`source test` reaches, lists and reads, and stops at the step that fails."""
        site.put("a.txt", b"one")
        steps = list(site.connector().test_steps())
        signing = [("auth", True)] if site.connector().check_credential() else []
        assert [(step.name, step.ok) for step in steps] == [*signing, ("reach", True), ("list", True), ("read", True)]
        assert all(step.message.isprintable() and step.milliseconds >= 0 for step in steps)
        connector = site.connector()
        site.lock_out()
        steps = list(connector.test_steps())
        assert [(step.name, step.ok) for step in steps] == [*signing, ("reach", False)]
        assert steps[-1].hint, "a step that failed says what to do"

    def test_source_can_be_walked_or_says_that_it_cannot(self, site: Site) -> None:
        """`source browse` shows folders and items of one place, and walks into a folder by the path it gave."""
        site.put("a.txt", b"alpha")
        site.put("folder/b.txt", b"bb")
        connector = site.connector()
        try:
            places = {place.name: place for place in connector.browse()}
        except UsageError as error:
            assert error.hint  # noqa: PT017 - one of two ways to be right
            return
        assert {name: place.kind for name, place in places.items()} == {"a.txt": "item", "folder": "folder"}
        assert places["a.txt"].size == 5
        inner = list(connector.browse(places["folder"].path))
        assert [(place.name, place.kind, place.size) for place in inner] == [("b.txt", "item", 2)]

    def test_documents_are_loaded_for_scripts(self, site: Site) -> None:
        """`load_documents` yields the text of each readable item under its address, and passes over the others."""
        site.put("a.txt", b"the rain")
        site.put("b/c.txt", b"the snow")
        site.put("large.txt", b"x" * (LIMIT + 1))

        async def load() -> dict[str, str]:
            connector = site.connector(max_size=LIMIT)
            return {document.unique_id: document.content.strip() async for document in connector.load_documents()}

        found = listed(site.connector())[0]
        assert asyncio.run(load()) == {found["a.txt"].uri: "the rain", found["b/c.txt"].uri: "the snow"}


class RemoteConnectorSuite(ConnectorSuite):
    """What a connector owes whose source is behind a network. It never retries by itself."""

    @pytest.fixture
    def site(self) -> RemoteSite:
        raise NotImplementedError

    def test_remote_connector_says_so(self, site: RemoteSite) -> None:
        """A connector that may wait for a network declares it."""
        assert site.connector().capabilities.remote

    def test_throttled_listing_says_when_to_come_back(self, site: RemoteSite) -> None:
        """A listing that is throttled says so, with the wait that the source named; later it is whole."""
        site.put("a.txt", b"one")
        site.throttle_next(1, retry_after=7)
        connector = site.connector()
        with pytest.raises(TransientSourceError) as caught:
            listed(connector)
        assert (caught.value.reason, caught.value.retry_after) == ("throttled", 7)
        assert listed(connector)[:2] == (listed(site.connector())[0], ListingEnd(complete=True))

    def test_throttled_fetch_says_when_to_come_back(self, site: RemoteSite) -> None:
        """A fetch that is throttled says so; the same fetch works later."""
        site.put("a.txt", b"one")
        connector = site.connector()
        descriptor = listed(connector)[0]["a.txt"]
        site.throttle_next(1, retry_after=7)
        if site.reads_what_was_fetched:
            assert fetched(connector, descriptor) == b"one"
            return
        with pytest.raises(TransientItemError) as caught:
            fetched(connector, descriptor)
        assert (caught.value.reason, caught.value.retry_after) == ("throttled", 7)
        assert fetched(connector, descriptor) == b"one"

    def test_throttling_without_a_wait_names_none(self, site: RemoteSite) -> None:
        """Where the source names no wait, none is made up."""
        site.throttle_next(1)
        with pytest.raises(TransientSourceError) as caught:
            asyncio.run(site.connector().authenticate())
        assert caught.value.retry_after is None

    def test_interrupted_listing_goes_on_from_its_last_page(self, site: RemoteSite) -> None:
        """What was listed before a failure and what is listed from the cursor on is everything."""
        for position in range(site.page_size * 3 + 1):
            site.put(f"{position:05}.txt", b"x")
        connector = site.connector()
        generator = connector.list()
        first, second = next(generator), next(generator)
        site.throttle_next(1)
        if site.reads_what_was_fetched:
            names = {descriptor.key for page in (first, second, *generator) for descriptor in page.descriptors}
            assert names == {f"{position:05}.txt" for position in range(site.page_size * 3 + 1)}
            return
        with pytest.raises(TransientSourceError):
            next(generator)
        cursor = second.cursor if connector.capabilities.resumes_listing else None
        rest = [descriptor.key for page in connector.list(cursor) for descriptor in page.descriptors]
        seen = {descriptor.key for page in (first, second) for descriptor in page.descriptors}
        assert seen | set(rest) == {f"{position:05}.txt" for position in range(site.page_size * 3 + 1)}

    def test_cut_listing_never_ends_as_complete(self, site: RemoteSite) -> None:
        """A page that is cut in the middle is a failure that may pass, not a shorter listing."""
        for position in range(5):
            site.put(f"{position:05}.txt", b"x")
        site.cut_next(200)
        connector = site.connector()
        with pytest.raises(TransientSourceError) as caught:
            listed(connector)
        assert caught.value.reason == "network"
        assert len(listed(connector)[0]) == 5

    def test_cut_item_is_resumed_where_it_stopped(self, site: RemoteSite) -> None:
        """A body that is cut may be had later; with ranges the rest of it completes what came before."""
        content = bytes(position % 251 for position in range(1_500_000))
        site.put("a.bin", content)
        connector = site.connector()
        descriptor = listed(connector)[0]["a.bin"]
        site.cut_next(1_000_000)
        if site.reads_what_was_fetched:
            assert fetched(connector, descriptor) == content
            return
        arrived: list[bytes] = []
        with pytest.raises(TransientItemError) as caught, connector.fetch(descriptor) as pieces:
            arrived.extend(pieces)
        received = b"".join(arrived)
        assert caught.value.reason == "network"
        assert content.startswith(received)
        assert len(received) >= 500_000
        if connector.capabilities.ranged_fetch:
            with connector.fetch(descriptor, len(received)) as pieces:
                assert received + b"".join(pieces) == content

    def test_unreachable_source_may_be_reached_later(self, site: RemoteSite) -> None:
        """Nobody at the other end is a failure of the network, which may pass."""
        site.unplug()
        connector = site.connector()
        with pytest.raises(TransientSourceError) as caught:
            asyncio.run(connector.authenticate())
        assert caught.value.reason == "network"
        with pytest.raises(TransientSourceError):
            listed(connector)

    def test_refused_credential_can_be_renewed(self, site: RemoteSite) -> None:
        """A credential that is refused in the middle is an error of the source; once renewed, work goes on."""
        site.put("a.txt", b"one")
        connector = site.connector()
        descriptor = listed(connector)[0]["a.txt"]
        site.lock_out()
        for call in _calls(site, connector, descriptor):
            with pytest.raises(AuthenticationError) as caught:
                call()
            assert caught.value.hint
        site.let_in()
        assert connector.reauthenticate()
        assert fetched(connector, descriptor) == b"one"

    def test_account_is_that_of_the_credential(self, site: RemoteSite) -> None:
        """Connectors of one source share an account, so that they share waits and limits."""
        assert site.connector().account() == site.connector().account()

    def test_secret_is_never_shown(self, site: RemoteSite) -> None:
        """No error, test step or text form of the connector holds what it signs in with."""
        site.put("a.txt", b"one")
        connector = site.connector()
        descriptor = listed(connector)[0]["a.txt"]
        shown = [repr(connector), repr(connector.config), connector.account(), *_messages(connector)]
        site.lock_out()
        shown += _messages(site.connector())
        for call in _calls(site, connector, descriptor):
            with pytest.raises(IngestError) as caught:
                call()
            shown += [repr(caught.value), repr(caught.value.as_dict()), repr(caught.value.__cause__)]
        assert not [text for text in shown if site.secret in text]


def _calls(site: Site, connector: BaseConnector, descriptor: Descriptor) -> list[Callable[[], object]]:
    """Return what asks the source."""
    listing: list[Callable[[], object]] = [lambda: listed(connector)]
    return listing if site.reads_what_was_fetched else [*listing, lambda: fetched(connector, descriptor)]


def _messages(connector: BaseConnector) -> list[str]:
    return [step.message for step in connector.test_steps()]
