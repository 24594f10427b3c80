"""Listing buckets: how many requests, how much memory, and that nothing is left out."""

from __future__ import annotations

import asyncio
import random
import re
import threading
from pathlib import Path

import pytest

from ingest_tui.connectors.s3 import listing as s3_listing
from ingest_tui.connectors.s3 import pages as s3_pages
from ingest_tui.connectors.s3.connector import S3Connector
from ingest_tui.connectors.s3.listing_progress import MOST_EMPTY_PAGES
from ingest_tui.model.descriptor import ListingEnd, ListingPage
from ingest_tui.model.errors import SourceAccessError, TransientSourceError
from tests.servers.fake_bucket import FakeBucket
from tests.servers.fault_proxy import Fault, FaultProxy
from tests.waiting import wait_until

MOST_REQUESTS = 12
IN_ORDER = {"listing_order": "bytes"}
"""Only of a store that is known to list in the order of bytes are several parts listed at once."""


def keys_in_folders(folders: int, each: int) -> list[bytes]:
    return [b"folder-%04d/%06d.txt" % (folder, number) for folder in range(folders) for number in range(each)]


def listed_keys(connector: S3Connector, cursor: str | None = None) -> list[str]:
    return [descriptor.key for page in connector.list(cursor) for descriptor in page.descriptors]


@pytest.mark.parametrize(
    "keys", [keys_in_folders(1, 10_000), keys_in_folders(10, 1000), keys_in_folders(7, 1428)], ids=["flat", "10", "7"]
)
def test_ten_thousand_objects_take_at_most_twelve_requests(keys: list[bytes]) -> None:
    """Authentication included, and no request for a single object, however the keys are spread over folders."""
    with FakeBucket(keys) as bucket:
        connector = S3Connector(bucket.settings)
        asyncio.run(connector.authenticate())
        assert len(listed_keys(connector)) == len(keys)
        assert bucket.listings == len(bucket.requests) <= MOST_REQUESTS


def lanes() -> int:
    """Return how many threads list."""
    return sum(thread.name.startswith("list-") for thread in threading.enumerate())


def peak_megabytes() -> float:
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


@pytest.mark.slow
def test_hundred_thousand_objects_in_constant_memory() -> None:
    """Everything is listed once, several key ranges at once, and the memory is that of a few pages."""
    keys = keys_in_folders(200, 500)
    with FakeBucket(keys) as bucket:
        connector = S3Connector(bucket.settings | IN_ORDER)
        for page in connector.list():  # what is loaded once is loaded now
            assert page.descriptors
            break
        wait_until(lambda: not lanes())
        number = 0
        threads = 0
        Path("/proc/self/clear_refs").write_text("5")
        before = peak_megabytes()
        for page in connector.list():
            number += len(page.descriptors)
            threads = max(threads, lanes())
        assert number == len(keys)
        assert threads == s3_listing.LANES
        assert peak_megabytes() - before < 30


@pytest.mark.slow
@pytest.mark.parametrize("knows_start_after", [True, False])
def test_store_with_an_order_of_its_own_is_listed_whole(knows_start_after: bool) -> None:
    """A store that does not list in the order of bytes, or cannot begin behind a name, is listed page after page."""
    keys = keys_in_folders(20, 700)
    random.Random(1).shuffle(keys)
    with FakeBucket(keys, knows_start_after=knows_start_after) as bucket:
        connector = S3Connector(bucket.settings)
        pages = list(connector.list())
        assert {descriptor.key for page in pages for descriptor in page.descriptors} == {key.decode() for key in keys}
        assert bucket.listings == 14
        seen = {descriptor.key for page in pages[:5] for descriptor in page.descriptors}
        assert seen | set(listed_keys(connector, pages[4].cursor)) == {key.decode() for key in keys}


@pytest.mark.slow
def test_store_that_cannot_begin_behind_a_name_is_listed_whole() -> None:
    """It looks well ordered until the listing is cut; then it is listed again, page after page."""
    keys = keys_in_folders(20, 700)
    with FakeBucket(keys, knows_start_after=False) as bucket:
        pages = list(S3Connector(bucket.settings | IN_ORDER).list())
        assert keys_after_restart(pages) == {key.decode() for key in keys}


@pytest.mark.slow
def test_order_that_holds_for_many_pages_proves_nothing() -> None:
    """Where nobody says that a store lists in the order of bytes, a key that it lists late is not lost to a cut."""
    keys = [*keys_in_folders(20, 700), b"folder-0012.txt", b"a"]
    with FakeBucket(keys) as bucket:
        assert set(listed_keys(S3Connector(bucket.settings))) == {key.decode() for key in keys}
        assert not any("start-after" in request for request in bucket.requests)


@pytest.mark.slow
def test_order_that_was_said_and_does_not_hold_starts_the_listing_over() -> None:
    """What was listed until then is declared void, because nobody knows what was passed over."""
    keys = keys_in_folders(20, 700)
    random.Random(1).shuffle(keys)
    with FakeBucket(keys) as bucket:
        pages = list(S3Connector(bucket.settings | IN_ORDER).list())
        assert any(page.restarts for page in pages)
        assert keys_after_restart(pages) == {key.decode() for key in keys}


def test_aws_is_known_to_list_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS documents the order; another endpoint, wherever it is named, and somebody's own function do not."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    aws = {"bucket": "any", "anonymous": True}
    for settings, expected in (
        (aws, True),
        (aws | {"endpoint_url": "http://127.0.0.1:9000"}, False),
        (aws | {"endpoint_url": "http://127.0.0.1:9000"} | IN_ORDER, True),
        (aws | {"bucket": "alias--ol-s3"}, False),
    ):
        assert S3Connector(settings)._lists_in_order() is expected


def keys_after_restart(pages: list[ListingPage]) -> set[str]:
    """Return what a listing names, as its consumers keep it."""
    found: set[str] = set()
    for page in pages:
        if page.restarts:
            found.clear()
        found.update(descriptor.key for descriptor in page.descriptors)
    return found


@pytest.mark.parametrize("is_sorted", [True, False])
def test_listing_is_resumed_by_the_token_of_the_store(is_sorted: bool) -> None:
    """After an interruption the next page is asked for by the store's own token, and nothing is listed again."""
    keys = keys_in_folders(3, 700)
    if not is_sorted:
        random.Random(1).shuffle(keys)
    with FakeBucket(keys) as bucket:
        connector = S3Connector(bucket.settings)
        first = next(connector.list())
        bucket.requests.clear()
        rest = listed_keys(connector, first.cursor)
        assert bucket.listings == 2
    assert {descriptor.key for descriptor in first.descriptors} | set(rest) == {key.decode() for key in keys}


@pytest.mark.parametrize(
    "cursor",
    ['[["folder-0001/000000.txt", null, null]]', '[["", "folder-0001", null]]', "not a cursor", "[[1, 2, 3]]", "null"],
    ids=["name", "end", "text", "numbers", "null"],
)
def test_cursor_that_leads_nowhere_starts_the_listing_over(cursor: str) -> None:
    """A name is no place in a store whose order nobody knows; what was listed before is declared void."""
    keys = keys_in_folders(3, 700)
    with FakeBucket(keys) as bucket:
        pages = list(S3Connector(bucket.settings).list(cursor))
    assert pages[0].restarts
    assert keys_after_restart(pages) == {key.decode() for key in keys}


def test_token_that_has_expired_starts_the_listing_over() -> None:
    """A store may forget its tokens; then the listing begins again, and what was kept of it is declared void."""
    keys = keys_in_folders(3, 1000)
    with FakeBucket(keys) as bucket:
        connector = S3Connector(bucket.settings)
        first = next(connector.list())
        bucket.refused_tokens.add("1000")
        generator = connector.list(first.cursor)
        assert next(generator) == ListingPage([], restarts=True)
        next(generator)
        with pytest.raises(SourceAccessError, match="its own token") as caught:
            list(generator)
        assert not caught.value.retryable
        bucket.refused_tokens.clear()
        assert len(listed_keys(connector)) == len(keys)


class MisleadingBucket(FakeBucket):
    """A bucket whose pages do not lead to an end, in one of several ways."""

    way = "same token"

    def page(self, query: dict[str, str]) -> str:
        number = len(self.requests)
        assert number < 1500, "the listing goes on for ever"
        text = super().page({"max-keys": query["max-keys"], **self._place(query, number)})
        return self._with_token(text, number)

    def _place(self, query: dict[str, str], number: int) -> dict[str, str]:
        if self.way == "same page":
            return {"continuation-token": "2"}
        if self.way == "backwards":
            return {"continuation-token": str(number * 2 % 6)}
        if self.way == "circle of odd length":
            return {"continuation-token": str(number * 2 % 7)}
        return {name: value for name, value in query.items() if name == "continuation-token"}

    def _with_token(self, text: str, number: int) -> str:
        if self.way == "empty":
            text = re.sub(r"<Contents>.*</Contents>", "", text)
        token = "2" if self.way == "same token" else str(number)
        tail = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>"
        text = re.sub(r"<NextContinuationToken>\d+</NextContinuationToken>", "", text)
        return re.sub(r"<IsTruncated>\w+</IsTruncated>", tail, text)


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{}, IN_ORDER], ids=["unknown order", "in order"])
@pytest.mark.parametrize("way", ["same token", "same page", "backwards", "circle of odd length", "empty"])
def test_listing_that_leads_to_no_end_is_a_failure(way: str, settings: dict[str, str]) -> None:
    """Tokens that repeat or lead back, pages that come again or stay empty: the listing fails, and soon."""
    with MisleadingBucket([b"%d" % number for number in range(8)]) as bucket:
        bucket.way = way
        connector = S3Connector(bucket.settings | settings)
        connector.page_size = 2
        with pytest.raises(SourceAccessError) as caught:
            listed_keys(connector)
        assert (caught.value.reason, caught.value.retryable) == ("listing_stuck", False)
        assert "nothing was deleted" in caught.value.hint
        assert len(bucket.requests) <= MOST_EMPTY_PAGES + 10


@pytest.mark.slow
def test_some_empty_pages_are_passed_over() -> None:
    """A store may send empty pages for what was deleted; the listing goes on behind them."""

    class Gappy(FakeBucket):
        def page(self, query: dict[str, str]) -> str:
            text = super().page(query)
            return text if int(query.get("continuation-token", 0)) in {0, 98} else re.sub("<Contents>.*>", end, text)

    end = "</ListBucketResult>"
    with Gappy([b"%03d" % number for number in range(100)]) as bucket:
        connector = S3Connector(bucket.settings)
        connector.page_size = 2
        assert listed_keys(connector) == ["000", "001", "098", "099"]


def test_objects_outside_the_prefix_are_no_listing_of_it() -> None:
    """A store that ignores the prefix did not answer what it was asked."""

    class Heedless(FakeBucket):
        def page(self, query: dict[str, str]) -> str:
            return super().page({name: value for name, value in query.items() if name != "prefix"})

    with Heedless([b"a/1", b"b/2"]) as bucket, pytest.raises(SourceAccessError, match="outside the prefix"):
        listed_keys(S3Connector(bucket.settings | {"prefix": "a/"}))


def test_browsing_a_store_that_leads_in_circles_ends() -> None:
    """Looking around ends like a listing."""
    with MisleadingBucket([b"%d" % number for number in range(8)]) as bucket:
        with pytest.raises(SourceAccessError, match="does not lead to an end"):
            list(S3Connector(bucket.settings).browse())
        assert len(bucket.requests) <= 3


@pytest.mark.slow
def test_failure_of_one_stretch_ends_the_listing_and_its_cursor_goes_on() -> None:
    """A key range that fails fails the listing, which never ends as complete; its last cursor misses nothing."""
    keys = keys_in_folders(40, 500)
    with FakeBucket(keys) as bucket, FaultProxy(int(bucket.settings["endpoint_url"].rpartition(":")[2])) as proxy:
        connector = S3Connector(bucket.settings | IN_ORDER | {"endpoint_url": proxy.url})
        slow_down = Fault(lambda request: "start-after=folder-0030" in request.target, times=1, status=503)
        proxy.add(slow_down)
        found: set[str] = set()
        cursor = None
        generator = connector.list()
        with pytest.raises(TransientSourceError):  # noqa: PT012 - what came before the failure is looked at below
            for page in generator:
                found.update(descriptor.key for descriptor in page.descriptors)
                cursor = page.cursor
        assert len(found) < len(keys)
        assert found | set(listed_keys(connector, cursor)) == {key.decode() for key in keys}


@pytest.mark.slow
def test_listing_that_is_given_up_leaves_no_thread_behind() -> None:
    """Closing the generator ends its lanes."""
    with FakeBucket(keys_in_folders(40, 500)) as bucket:
        generator = S3Connector(bucket.settings | IN_ORDER).list()
        for _ in range(13):
            next(generator)
        generator.close()
        wait_until(lambda: not lanes())


@pytest.mark.slow
def test_large_flat_bucket_costs_few_requests_more() -> None:
    """Where no folder shows where to cut, looking for one is given up more and more."""
    with FakeBucket([b"%06d" % number for number in range(50_000)]) as bucket:
        assert len(listed_keys(S3Connector(bucket.settings | IN_ORDER))) == 50_000
        assert bucket.listings <= 53


def test_last_cursor_leads_to_an_end() -> None:
    """A job that was interrupted after the last page has nothing left to list, and its listing is complete."""
    with FakeBucket([b"a", b"b"]) as bucket:
        connector = S3Connector(bucket.settings)
        (page,) = connector.list()
        generator = connector.list(page.cursor)
        with pytest.raises(StopIteration) as caught:
            next(generator)
        assert caught.value.value == ListingEnd(complete=True)


# What a page says of an object


def test_archived_objects_are_refused_and_restored_ones_are_not() -> None:
    """The listing alone tells archived objects from those that were restored."""
    with FakeBucket([b"cold", b"warm"], storage_class="DEEP_ARCHIVE", restored=frozenset({b"warm"})) as bucket:
        (page,) = S3Connector(bucket.settings).list()
    refusals = {descriptor.key: descriptor.refusal for descriptor in page.descriptors}
    assert refusals["warm"] is None
    assert refusals["cold"] is not None
    assert refusals["cold"][0] == "archived"
    assert "DEEP_ARCHIVE" in refusals["cold"][1]


def test_classes_that_can_be_read_at_once_are_taken() -> None:
    """Instant retrieval is no archive, whatever it is called."""
    with FakeBucket([b"a"], storage_class="GLACIER_IR") as bucket:
        (page,) = S3Connector(bucket.settings).list()
    assert page.descriptors[0].refusal is None


def test_store_that_does_not_know_restore_status_is_listed_without() -> None:
    """One request more for the first page, none for the others."""
    with FakeBucket(keys_in_folders(1, 3000), refuses_restore_status=True) as bucket:
        assert len(listed_keys(S3Connector(bucket.settings))) == 3000
        assert bucket.listings == 4


def test_folder_markers_are_no_items_but_content_is() -> None:
    """An empty object whose name ends in a slash shows a folder; with content it is an item."""
    with FakeBucket([b"folder/"], size=0) as bucket:
        assert listed_keys(S3Connector(bucket.settings)) == []
    with FakeBucket([b"folder/"], size=1) as bucket:
        assert listed_keys(S3Connector(bucket.settings)) == ["folder/"]


def test_key_that_is_not_utf8_is_listed_and_fetched() -> None:
    """A store on a file system may have such names; their key stands for the bytes."""
    with FakeBucket([b"\xff\n.txt"], size=3) as bucket:
        connector = S3Connector(bucket.settings)
        (page,) = connector.list()
        (descriptor,) = page.descriptors
        assert descriptor.key == "bytes:%FF%0A.txt"
        with connector.fetch(descriptor) as pieces:
            assert b"".join(pieces) == bytes(3)
        assert bucket.requests[-1] == "GET /fake/%FF%0A.txt"


def test_patterns_apply_below_the_prefix_before_anything_is_fetched() -> None:
    """Include and exclude mean the part below the prefix, as for a folder; what is left out has a reason."""
    keys = [b"docs/a.md", b"docs/drafts/b.md", b"docs/c.txt", b"docs2/d.md", b"other/e.md"]
    with FakeBucket(keys) as bucket:
        connector = S3Connector(bucket.settings | {"prefix": "docs", "include": ("*.md",), "exclude": ("/drafts/",)})
        assert listed_keys(connector) == ["docs/a.md", "docs2/d.md"]
        reasons = {key.decode(): connector.explain_left_out(key.decode()) for key in keys}
    assert reasons["docs/a.md"] is None
    assert all("patterns" in (reasons[key] or "") for key in ("docs/drafts/b.md", "docs/c.txt"))
    assert "prefix" in (reasons["other/e.md"] or "")


@pytest.mark.parametrize(
    "body",
    [
        b"<html><body>Welcome</body></html>",
        b"Welcome",
        b"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        b"<ListBucketResult></ListBucketResult>",
        b"<ListBucketResult/>",
        b"<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
        b"<ListBucketResult><Contents><Key>a</Key><Size>many</Size></Contents></ListBucketResult>",
        b"<ListBucketResult><Contents><Key>a</Key>",
        b"<Error><Code>InternalError</Code><Message>we had to stop</Message></Error>",
        b"<Feed><Name>a</Name><IsTruncated>false</IsTruncated></Feed>",
        b"",
    ],
)
def test_what_is_no_listing_is_an_error_and_never_an_empty_bucket(body: bytes, moto_proxy: FaultProxy) -> None:
    """A login page, or a page that does not say how to continue, proves nothing about the bucket."""
    moto_proxy.add(Fault(times=9, status=200, body=body))
    connector = S3Connector({"bucket": "any", "endpoint_url": moto_proxy.url, "anonymous": True})
    with pytest.raises(SourceAccessError) as caught:
        listed_keys(connector)
    assert caught.value.reason == "not_a_listing"
    assert "nothing was deleted" in caught.value.hint


def test_endless_page_is_given_up(monkeypatch: pytest.MonkeyPatch, moto_proxy: FaultProxy) -> None:
    """What is longer than any page fills no memory."""
    monkeypatch.setattr(s3_pages, "_LONGEST_PAGE", 1 << 17)
    moto_proxy.add(Fault(status=200, body=b"<ListBucketResult>" + b" " * (1 << 20) + b"</ListBucketResult>"))
    connector = S3Connector({"bucket": "any", "endpoint_url": moto_proxy.url, "anonymous": True})
    with pytest.raises(SourceAccessError, match="longer than a page"):
        listed_keys(connector)


def test_test_of_a_source_lists_one_page_only() -> None:
    """`source test` takes three requests however large the bucket is, also when nothing on the first page matches."""
    with FakeBucket(keys_in_folders(30, 1000)) as bucket:
        connector = S3Connector(bucket.settings | {"include": ("*.pdf",)})
        steps = [(step.name, step.ok, step.message) for step in connector.test_steps()]
        assert [step[:2] for step in steps] == [("auth", True), ("reach", True), ("list", True)]
        assert "first page" in steps[-1][2]
        assert len(bucket.requests) == 2


def test_browsing_is_lazy() -> None:
    """A folder of a hundred thousand objects is shown page by page."""
    with FakeBucket([b"%06d" % number for number in range(100_000)]) as bucket:
        places = S3Connector(bucket.settings).browse()
        assert next(places).name == "000000"
        assert bucket.listings == 1
