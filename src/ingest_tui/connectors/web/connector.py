"""Web sites, read from page to page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel

from ingest_tui.connectors.base import BaseConnector, Capabilities, Credentials, Listing
from ingest_tui.connectors.filtering import build_filter
from ingest_tui.connectors.memory import VolatileMemory
from ingest_tui.connectors.web.addresses import SiteScope, path_of
from ingest_tui.connectors.web.config import LARGEST_PAGE, WebConfig
from ingest_tui.connectors.web.failures import Failures
from ingest_tui.connectors.web.records import PageRecord, PageRecords
from ingest_tui.connectors.web.sign_in import entry_of, header_of
from ingest_tui.connectors.web.web_errors import RequestFailedError, item_error, source_error
from ingest_tui.model.argument_types import checks_types
from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage
from ingest_tui.model.safe_text import safe_display

if TYPE_CHECKING:
    from ingest_tui.connectors.web.client import WebClient
    from ingest_tui.connectors.web.robots import Robots

CONCURRENCY = 2
PAGE_SIZE = 100
_FIRST_PAGE = 10
"""Items: `source test` and previews show something soon, at the pace of the site."""


class WebConnector(BaseConnector):
    """Web sites, read from page to page by their links.

    A listing asks for each page again, and is told by most sites that it is unchanged; what is remembered of a page
    says then where it leads. One that came to a limit, or was led away, is bounded: see `ListingEnd`.
    """

    source_type: ClassVar[str] = "web"
    config_model: ClassVar[type[BaseModel]] = WebConfig
    capabilities: ClassVar[Capabilities] = Capabilities(
        fetch_concurrency=CONCURRENCY, remote=True, remembers_listing=True, bounded_listings=True
    )
    config: WebConfig

    def __init__(
        self, config: dict[str, Any], *, max_size: int | None = None, credentials: Credentials | None = None
    ) -> None:
        super().__init__(config, max_size=max_size, credentials=credentials)
        self._scope = SiteScope(self.config.url)
        self._filter = build_filter(self.config.include, self.config.exclude)
        self._failures = Failures()
        self._own_memory = VolatileMemory()
        self._robots: Robots | None = None

    @cached_property
    def _client(self) -> WebClient:
        """What asks the site; made when it is asked first, since urllib3 takes 25 ms to load."""
        from ingest_tui.connectors.web.client import WebClient

        return WebClient(
            self._scope.origin,
            allow_private=self.config.allow_private,
            delay=self.config.delay,
            sign_in=self._sign_in,
        )

    def _sign_in(self) -> dict[str, str]:
        name = self.config.credential
        return header_of(entry_of(name, self.config.url, self.credentials)) if name else {}

    def check_credential(self) -> str | None:
        """Return the name and type of the credential."""
        name = self.config.credential
        if not name:
            return None
        entry = entry_of(name, self.config.url, self.credentials)
        header_of(entry)
        return f"{safe_display(name)} ({entry.type})"

    def reauthenticate(self) -> bool:
        """The credential is read again for each request."""
        return self.config.credential is not None

    def account(self) -> str:
        """Return the host: all that ask it share its limits."""
        return f"web:{self._scope.host}"

    def close(self) -> None:
        """Close the connections."""
        if "_client" in vars(self):
            self._client.close()

    async def authenticate(self) -> bool:
        """Ask for the rules of the site, and for its first page."""
        self._begin(always=True)
        return True

    def _begin(self, *, always: bool = False) -> Robots:
        """Ask for the rules of the site and, where it may lead to its own folder or ``always``, for its first page."""
        from ingest_tui.connectors.web.start import find_start

        robots = self._rules(again=True)
        with self._failing_as_a_source():
            find_start(self._client, self._scope, always=always)
        self._check_allowed(robots)
        return robots

    def _rules(self, *, again: bool = False) -> Robots:
        if self._robots is None or again:
            from ingest_tui.connectors.web.robots import robots_of

            with self._failing_as_a_source():
                self._robots = robots_of(self._client, self._scope.origin)
            self._client.delay = max(self.config.delay, self._robots.delay)
            self._check_allowed(self._robots)
        return self._robots

    def _check_allowed(self, robots: Robots) -> None:
        if not robots.allows(self._scope.start_address):
            with self._failing_as_a_source():
                raise RequestFailedError("robots.txt of the site forbids to read it", reason="robots")

    @contextmanager
    def _failing_as_a_source(self) -> Iterator[None]:
        try:
            yield
        except RequestFailedError as failure:
            raise source_error(failure, safe_display(self.config.url, limit=200)) from None

    # Listing

    def list(self, cursor: str | None = None) -> Listing:  # noqa: ARG002 - pages that were read are remembered instead
        """Follow the links of the site, streaming.

        What this crawl has read is not asked for again when it was interrupted and begins again.
        """
        from ingest_tui.connectors.web.crawl import Crawl

        robots = self._begin()
        records = PageRecords(self.memory or self._own_memory)
        crawl = Crawl(self.config, self._scope, self._client, robots, records, self._filter, self._failures)
        page, most = [], _FIRST_PAGE
        for key, record in crawl.found():
            page.append(self._describe(key, record))
            if len(page) >= most:
                yield ListingPage(page)
                page, most = [], PAGE_SIZE
        if page:
            yield ListingPage(page)
        is_bounded = crawl.is_bounded or bool(crawl.gaps)
        return ListingEnd(complete=not is_bounded, gaps=tuple(crawl.gaps), bounded=is_bounded)

    def _describe(self, key: str, record: PageRecord) -> Descriptor:
        said = {"content_type": record.media_type, "etag": record.etag, "last_modified": record.last_modified}
        return Descriptor(
            key,
            self._scope.address_of(key),
            record.fingerprint,
            record.size,
            record.modified_ns,
            refusal=self._refusal(record),
            media_type=record.media_type or None,
            metadata={name: safe_display(value, limit=200) for name, value in said.items() if value} or None,
        )

    def _refusal(self, record: PageRecord) -> tuple[str, str] | None:
        most = self.max_size
        if record.kind == "page":
            most = LARGEST_PAGE if most is None else min(most, LARGEST_PAGE)
        if most is None or record.size is None or record.size <= most:
            return None
        import humanize  # for what is too large only

        return "too_large", f"{humanize.naturalsize(record.size)}; the limit is {humanize.naturalsize(most)}"

    def is_gone(self, key: str) -> bool:
        """Ask for one address: whether the site says that there is no such page; not being let in says nothing."""
        address = self._scope.address_of(key)
        if not self._rules().allows(address):
            return False
        try:
            with self._client.get(address):
                return False
        except RequestFailedError as failure:
            return failure.is_gone

    # Reading

    @checks_types
    @contextmanager
    def fetch(self, descriptor: Descriptor, offset: int = 0) -> Iterator[Iterator[bytes]]:  # noqa: ARG002 - no ranges
        """Read an item, which is compared with what the listing said of it."""
        from ingest_tui.connectors.web.client import FILE_SECONDS
        from ingest_tui.connectors.web.content import ItemContent

        try:
            with self._client.get(descriptor.uri, seconds=FILE_SECONDS) as answer:
                content = ItemContent(descriptor, answer, self.max_size)
                yield content.pieces(again=lambda: self._client.get(descriptor.uri))
        except RequestFailedError as failure:
            raise item_error(failure, descriptor.uri) from None

    # Asking

    def key_of(self, address: str) -> str | None:
        """Return the key of an address of the source; None for others."""
        found = self._scope.resolve(address, address)
        return self._scope.key_of(found) if found else None

    def explain_left_out(self, key: str) -> str | None:
        """Return why an address would not be listed although a page leads to it, or None."""
        if not self._filter.takes(path_of(key)) or not self._filter.enters(path_of(key)):
            return "it does not match the include and exclude patterns"
        return None
