"""What every connector owes. A new one gets a `Site` that can do to it what these tests need, and one subclass.

The suite never skips: what a connector does not claim in its capabilities it must not do by halves either.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Any

import pytest

from ingest_tui.connectors.base import BaseConnector
from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage
from ingest_tui.model.errors import ItemError, SourceAccessError, ValidationError

LIMIT = 1000


class Site(ABC):
    """The other side of a connector: a source whose content a test can change."""

    page_size: int
    """At most so many items come in one page."""

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
    def lock_out(self) -> None:
        """Let the source refuse us from now on."""

    @abstractmethod
    def wrong_settings(self) -> list[dict[str, Any]]:
        """Return settings that cannot be right."""


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
    """Subclasses give the fixture ``site``."""

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
        assert end == ListingEnd(complete=True)

    def test_empty_source_is_a_complete_listing(self, site: Site) -> None:
        """A source without items lists none, completely; whether that is plausible is for others to judge."""
        assert listed(site.connector())[:2] == ({}, ListingEnd(complete=True))

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

    def test_listing_again_says_the_same(self, site: Site) -> None:
        """Without a change, another connector lists the very same descriptors."""
        site.put("a.txt", b"alpha")
        site.put("b/c.txt", b"beta")
        assert listed(site.connector())[0] == listed(site.connector())[0]

    def test_closed_part_makes_the_listing_incomplete(self, site: Site) -> None:
        """What cannot be looked into is named as a gap, the rest is listed, and the listing proves nothing gone."""
        site.put("open/a.txt", b"x")
        site.put("closed/b.txt", b"x")
        site.close_part("closed")
        found, end, _ = listed(site.connector())
        assert set(found) == {"open/a.txt"}
        assert not end.complete
        assert [key for key, _ in end.gaps] == ["closed"]
        assert end.gaps[0][1]

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
        for change in (
            lambda: site.put("a.txt", b"two"),
            lambda: site.put("a.txt", b"three"),
            lambda: site.replace("a.txt", b"seven"),
        ):
            change()
            seen.append(listed(site.connector())[0]["a.txt"].fingerprint)
        assert len(set(seen)) == len(seen)

    def test_fingerprint_survives_a_rename(self, site: Site) -> None:
        """A renamed item keeps its fingerprint, so that a move is told from a new item without reading it."""
        site.put("a.txt", b"one")
        before = listed(site.connector())[0]["a.txt"]
        site.rename("a.txt", "folder/b.txt")
        after = listed(site.connector())[0]
        assert set(after) == {"folder/b.txt"}
        assert after["folder/b.txt"].fingerprint == before.fingerprint
        assert after["folder/b.txt"].uri != before.uri

    def test_items_of_the_same_content_have_fingerprints_of_their_own(self, site: Site) -> None:
        """Two items are never taken for one because they happen to be equal."""
        site.put("a.txt", b"same")
        site.put("b.txt", b"same")
        found = listed(site.connector())[0]
        assert found["a.txt"].fingerprint != found["b.txt"].fingerprint

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
        with pytest.raises(ItemError) as caught:
            fetched(connector, descriptor)
        assert caught.value.reason == "not_found"

    def test_item_that_changes_while_it_is_read_is_told(self, site: Site) -> None:
        """What was read of a changing item is not taken for the item."""
        site.put("a.txt", b"x" * 3_000_000)
        connector = site.connector()
        descriptor = listed(connector)[0]["a.txt"]
        with connector.fetch(descriptor) as pieces:
            next(pieces)
            site.put("a.txt", b"y" * 3_000_000)
            with pytest.raises(ItemError) as caught:
                list(pieces)
        assert caught.value.reason == "changed_while_read"

    def test_errors_of_items_name_no_other_reason_than_known_ones(self, site: Site) -> None:
        """A failed item carries a stable reason and a sentence for people without control characters."""
        site.put("\x1b[2J.txt", b"one")
        connector = site.connector()
        ((_, descriptor),) = listed(connector)[0].items()
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
        assert [(step.name, step.ok) for step in steps] == [("reach", True), ("list", True), ("read", True)]
        connector = site.connector()
        site.lock_out()
        assert [(step.name, step.ok) for step in connector.test_steps()] == [("reach", False)]

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
