"""Whatever keys a bucket has, and wherever its listing is interrupted, nothing is left out."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest_tui.connectors.s3 import listing as s3_listing
from ingest_tui.connectors.s3.client import BucketClient, Query
from ingest_tui.connectors.s3.config import S3Config
from ingest_tui.connectors.s3.listing import BucketListing
from ingest_tui.connectors.s3.pages import PageReader
from ingest_tui.connectors.s3.s3_errors import Explainer
from tests.servers.fake_bucket import FakeBucket


class ReaderWithoutNetwork(PageReader):
    """Reads the pages of a fake bucket without asking for them over a network."""

    def __init__(self, bucket: FakeBucket) -> None:
        client = BucketClient(S3Config(bucket="fake"), None, connections=1)
        super().__init__(client, Explainer("fake", "", anonymous=True, versions=False), versions=False, page_size=3)
        self._bucket = bucket

    def _ask(self, query: Query) -> bytes:
        return self._bucket.page({name: quote(value) for name, value in query.items()}).encode()


SEGMENTS = st.text(st.sampled_from("ab-./é\x01"), min_size=1, max_size=4)
KEYS = st.lists(st.lists(SEGMENTS, min_size=1, max_size=3).map("/".join).map(str.encode), max_size=60, unique=True)


@given(keys=KEYS, interrupted_after=st.integers(0, 30), prefix=st.sampled_from([b"", b"a", b"a/"]))
def test_listing_in_parts_that_is_interrupted_names_everything(
    keys: list[bytes], interrupted_after: int, prefix: bytes
) -> None:
    """The same where the store is known to list in order, so that parts are listed at once and resumed by names."""
    reader = ReaderWithoutNetwork(FakeBucket(sorted(keys)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(s3_listing, "PAGES_IN_A_ROW", 2)
        found: set[bytes] = set()
        cursor = None
        for number, (objects, after) in enumerate(BucketListing(reader, prefix, lanes=3, is_ordered=True).pages()):
            if number == interrupted_after:
                break
            found.update(listed.key for listed in objects)
            cursor = after
        for objects, _ in BucketListing(reader, prefix, lanes=3, is_ordered=True).pages(cursor):
            found.update(listed.key for listed in objects)
    assert found == {key for key in keys if key.startswith(prefix)}


@example(keys=[b".", b"/", b"a/a", b"a"], is_sorted=False, interrupted_after=1, prefix=b"")
@given(
    keys=KEYS, is_sorted=st.booleans(), interrupted_after=st.integers(0, 30), prefix=st.sampled_from([b"", b"a", b"a/"])
)
def test_interrupted_and_resumed_listing_names_everything(
    keys: list[bytes], is_sorted: bool, interrupted_after: int, prefix: bytes
) -> None:
    """Wherever a listing stops, what came before and what its cursor leads to is the whole, and nothing else."""
    reader = ReaderWithoutNetwork(FakeBucket(sorted(keys) if is_sorted else keys))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(s3_listing, "PAGES_IN_A_ROW", 2)
        found: set[bytes] = set()
        cursor = None
        for number, (objects, after) in enumerate(BucketListing(reader, prefix, lanes=3).pages()):
            if number == interrupted_after:
                break
            found.update(listed.key for listed in objects)
            cursor = after
        for objects, _ in BucketListing(reader, prefix, lanes=3).pages(cursor):
            found.update(listed.key for listed in objects)
    assert found == {key for key in keys if key.startswith(prefix)}
