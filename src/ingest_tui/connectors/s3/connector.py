"""S3 buckets: AWS and every store that speaks its language."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import quote_from_bytes, unquote_to_bytes

import humanize
from pydantic import BaseModel

from ingest_tui.connectors.base import BaseConnector, Capabilities, Credentials, Listing, Place
from ingest_tui.connectors.filtering import build_filter
from ingest_tui.connectors.s3.access import check_packages, check_type
from ingest_tui.connectors.s3.client import BucketClient
from ingest_tui.connectors.s3.config import S3Config
from ingest_tui.connectors.s3.listing import LANES, BucketListing, ObjectPage
from ingest_tui.connectors.s3.listing_progress import ForwardCheck
from ingest_tui.connectors.s3.notifications import NotificationQueue
from ingest_tui.connectors.s3.pages import PAGE_SIZE, ListedObject, PageReader, StartOverError
from ingest_tui.connectors.s3.reading import ObjectReader, WantedObject
from ingest_tui.connectors.s3.s3_errors import Explainer
from ingest_tui.model.argument_types import checks_types
from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage
from ingest_tui.model.errors import ItemError
from ingest_tui.model.keys import bytes_from_key, key_from_bytes

CONCURRENCY = 32
_ARCHIVES = {"GLACIER", "DEEP_ARCHIVE"}
_NO_VERSION = "null"
_SAFE_IN_URIS = "/-_.~"


class S3Connector(BaseConnector):
    """S3 buckets: AWS, MinIO, R2, Wasabi and every other store that speaks its language.

    The key of an item is the whole key of the object, so that it stays the same when the prefix is edited; patterns
    apply to the part below the prefix. The fingerprint is size and ETag, which are opaque: an object that is
    written again with the same bytes keeps it, a copy has that of its original.
    """

    source_type: ClassVar[str] = "s3"
    config_model: ClassVar[type[BaseModel]] = S3Config
    capabilities: ClassVar[Capabilities] = Capabilities(
        fetch_concurrency=CONCURRENCY,
        resumes_listing=True,
        ranged_fetch=True,
        remote=True,
        lists_all_or_nothing=True,
        content_fingerprints=True,
        notifies=True,
    )
    config: S3Config
    page_size = PAGE_SIZE

    def __init__(
        self, config: dict[str, Any], *, max_size: int | None = None, credentials: Credentials | None = None
    ) -> None:
        super().__init__(config, max_size=max_size, credentials=credentials)
        settings = self.config
        self._prefix = settings.prefix.encode()
        self._filter = build_filter(settings.include, settings.exclude)
        self._filters = bool(settings.include or settings.exclude)
        self._uri_start = f"s3://{settings.bucket}/"
        self._client = BucketClient(settings, credentials, connections=CONCURRENCY + LANES)
        self._explainer = Explainer(
            settings.bucket, settings.prefix, anonymous=settings.anonymous, versions=settings.versions
        )
        self._reader = ObjectReader(self._client, self._explainer, opaque_etags=settings.opaque_etags)
        self._queue = None if settings.sqs is None else self._queue_at(settings.sqs)

    # Access

    def validate_config(self) -> None:
        """The packages and the credential must be there, so that it shows when the source is added."""
        check_packages()
        if self.config.credential is not None and self.credentials is not None:
            check_type(self.credentials.get(self.config.credential))

    def check_credential(self) -> str:
        """Find the credential, without asking the store."""
        check_packages()
        return f"signs as {self._client.access().shown}"

    async def authenticate(self) -> bool:
        """Ask for one key of the bucket."""
        self.check_credential()
        self._pages().page(self._prefix, limit=1)
        return True

    def reauthenticate(self) -> bool:
        """Read the credential again at the next request."""
        self._client.forget_access()
        if self._queue is not None:
            self._queue.forget_access()
        return not self.config.anonymous

    def close(self) -> None:
        """Close the connections to the store and to its queue."""
        self._client.close()
        if self._queue is not None:
            self._queue.close()

    def account(self) -> str:
        """Return the store and the credential: stores throttle by account."""
        settings = self.config
        who = settings.credential or settings.profile or ("anonymous" if settings.anonymous else "default")
        kind = "profile" if settings.profile else "credential"
        return f"s3:{settings.endpoint_url or 'aws'}:{kind}:{who}"

    # Listing

    def _pages(self, *, versions: bool | None = None) -> PageReader:
        wanted = self.config.versions if versions is None else versions
        return PageReader(self._client, self._explainer, versions=wanted, page_size=self.page_size)

    def list(self, cursor: str | None = None) -> Listing:
        """List the bucket below the prefix; fails as a whole when a page cannot be had."""
        check_packages()
        listing = BucketListing(self._pages(), self._prefix, is_ordered=self._lists_in_order())
        try:
            yield from self._described(listing.pages(cursor))
        except StartOverError:
            yield ListingPage([], restarts=True)
            yield from self._described(BucketListing(self._pages(), self._prefix).pages())
        return ListingEnd(complete=True)

    def _lists_in_order(self) -> bool:
        """Whether the store is known to list in the order of the bytes of keys: AWS documents it, others may not."""
        if self.config.listing_order == "bytes":
            return True
        # What an access point for Object Lambda lists is up to somebody's function.
        return self._client.access().endpoint_url is None and not self.config.bucket.endswith("--ol-s3")

    def _described(self, pages: Iterator[ObjectPage]) -> Iterator[ListingPage]:
        for objects, after in pages:
            yield ListingPage([self._describe(listed) for listed in objects if self._takes(listed)], after)

    def _takes(self, listed: ListedObject) -> bool:
        if listed.size == 0 and listed.key.endswith(b"/"):
            return False  # what consoles and tools make to show an empty folder
        return not self._filters or self._matches(listed.key)

    def _matches(self, key: bytes) -> bool:
        return self._filter.takes(key[len(self._prefix) :].lstrip(b"/"))

    def _describe(self, listed: ListedObject) -> Descriptor:
        version = listed.version_id
        return Descriptor(
            key_from_bytes(listed.key),
            self._uri_start + quote_from_bytes(listed.key, _SAFE_IN_URIS),
            # Without an ETag the time is all there is to see an edit by.
            f"{listed.size:x}-{listed.etag or f'@{listed.modified_ns}'}",
            listed.size,
            listed.modified_ns,
            self._refusal(listed),
            metadata={"version_id": version} if version and version != _NO_VERSION else None,
        )

    def _refusal(self, listed: ListedObject) -> tuple[str, str] | None:
        if self.max_size is not None and listed.size > self.max_size:
            return "too_large", f"{humanize.naturalsize(listed.size)}; {self._limit()}"
        if listed.storage_class in _ARCHIVES and not listed.restored:
            return "archived", f"its storage class is {listed.storage_class} and it is not restored"
        return None

    def _limit(self) -> str:
        return f"the limit of this source is {humanize.naturalsize(self.max_size or 0)}"

    def browse(self, path: str = "") -> Iterator[Place]:
        """Yield the folders and objects directly in a folder, page by page."""
        check_packages()
        folder = bytes_from_key(path) if path else self._prefix
        if folder and folder != self._prefix and not folder.endswith(b"/"):
            folder += b"/"
        pages = self._pages(versions=False)
        forward = ForwardCheck()
        token = None
        while True:
            page = pages.page(folder, token=token, delimiter="/")
            forward.check(page)
            for name in page.folders:
                yield Place(key_from_bytes(name[len(folder) :].rstrip(b"/")), key_from_bytes(name), "folder")
            for listed in page.objects:
                if listed.key != folder:
                    name = listed.key[len(folder) :]
                    yield Place(
                        key_from_bytes(name), key_from_bytes(listed.key), "item", listed.size, listed.modified_ns
                    )
            token = page.token
            if token is None:
                return

    @classmethod
    def browse_for_settings(cls, config: dict[str, Any], path: str, credentials: Credentials | None) -> Iterator[Place]:
        """Yield what is in the bucket, from its top; without one the buckets, whose paths begin with their names."""
        check_packages()
        in_bucket = {name: value for name, value in config.items() if name != "prefix"}
        if config.get("bucket"):
            yield from cls(in_bucket, credentials=credentials).browse(path)
            return
        if not path:
            from ingest_tui.connectors.s3.buckets import list_buckets

            yield from list_buckets(in_bucket, credentials)
            return
        bucket, _, inner = path.partition("/")
        for place in cls(in_bucket | {"bucket": bucket}, credentials=credentials).browse(inner):
            yield replace(place, path=f"{bucket}/{place.path}")

    @classmethod
    def settings_of_place(cls, config: dict[str, Any], path: str) -> dict[str, Any]:
        """Return bucket and prefix. A key that is not UTF-8 can be no prefix: the settings check says so."""
        bucket, prefix = (str(config["bucket"]), path) if config.get("bucket") else path.partition("/")[::2]
        return {"bucket": bucket, "prefix": prefix}

    def key_of(self, address: str) -> str | None:
        """Return the key of an address in the bucket, percent-encoded or not; None for other places."""
        if not address.startswith(self._uri_start):
            return None
        return key_from_bytes(unquote_to_bytes(address.removeprefix(self._uri_start)))

    def explain_left_out(self, key: str) -> str | None:
        """Return why an object of this bucket would not be listed, or None when it would."""
        name = bytes_from_key(key)
        if not name.startswith(self._prefix):
            return f"it is not below the prefix {self.config.prefix!r}"
        if not self._matches(name):
            return "it does not match the include and exclude patterns"
        return None

    # Reading

    @checks_types
    @contextmanager
    def fetch(self, descriptor: Descriptor, offset: int = 0) -> Iterator[Iterator[bytes]]:
        """Read what was listed: another version of the object is refused by the store, or seen in what it sends."""
        wanted = _wanted(descriptor)
        try:
            with self._reader.open(wanted, offset) as pieces:
                yield pieces
        except ItemError as error:
            if error.reason == "changed_while_read" and self.max_size is not None:
                size = self._reader.size_now(wanted)
                if size is not None and size > self.max_size:
                    grown = f"it grew to {humanize.naturalsize(size)}; {self._limit()}"
                    raise ItemError(grown, code="too_large", uri=descriptor.uri) from None
            raise

    def origin(self, descriptor: Descriptor) -> dict[str, str]:
        """Return ETag, version id, and by which sum its bytes were checked (``none``: only its size could be)."""
        checksum = self._reader.checks.origin_of(descriptor.uri)
        return {"etag": _wanted(descriptor).etag, **checksum, **(descriptor.metadata or {})}

    # Watching

    def _queue_at(self, url: str) -> NotificationQueue:
        return NotificationQueue(
            url, self.config.bucket, belongs=lambda key: key.startswith(self._prefix), matters=self._matches
        )

    def wait_for_hint(self, timeout: float) -> bool | None:
        """Wait for a notification about something that this source takes, where a queue is named."""
        if self._queue is None:
            return None
        return self._queue.wait(self._client.access(), timeout)


def _wanted(descriptor: Descriptor) -> WantedObject:
    size, _, etag = descriptor.fingerprint.partition("-")
    return WantedObject(
        bytes_from_key(descriptor.key),
        descriptor.uri,
        int(size, 16),
        "" if etag.startswith("@") else etag,
        (descriptor.metadata or {}).get("version_id"),
    )
