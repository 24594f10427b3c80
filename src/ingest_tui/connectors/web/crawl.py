"""From page to page by their links: what is asked for, in which order, and what that says of the listing."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from ingest_tui.connectors.filtering import PathFilter
from ingest_tui.connectors.web.addresses import SiteScope, path_of
from ingest_tui.connectors.web.answers import is_named_as_a_file, record_of
from ingest_tui.connectors.web.client import WebClient
from ingest_tui.connectors.web.config import WebConfig
from ingest_tui.connectors.web.failures import Failures
from ingest_tui.connectors.web.records import PageRecord, PageRecords
from ingest_tui.connectors.web.robots import Robots
from ingest_tui.connectors.web.sitemaps import SitemapWalk
from ingest_tui.connectors.web.start import leads_out, target_of
from ingest_tui.connectors.web.web_errors import NOT_FOUND, TOO_MANY, RequestFailedError, source_error
from ingest_tui.model.safe_text import safe_display

_MOST_GAPS = 1000


class Crawl:
    """One crawl of a source, from its start.

    ``gaps`` are pages that could not be read, as of a `ListingEnd`. ``is_bounded``: there may be pages of the source
    that it does not name, since it came to a limit or was led away.
    """

    def __init__(
        self,
        config: WebConfig,
        scope: SiteScope,
        client: WebClient,
        robots: Robots,
        records: PageRecords,
        filter_: PathFilter,
        failures: Failures,
    ) -> None:
        self.gaps: list[tuple[str, str]] = []
        self.is_bounded = False
        self._config = config
        self._scope = scope
        self._client = client
        self._robots = robots
        self._records = records
        self._filter = filter_
        self._failures = failures
        self._sitemaps: frozenset[str] = frozenset()
        self._seen: set[str] = set()
        self._waiting: deque[tuple[str, int]] = deque()

    def found(self) -> Iterator[tuple[str, PageRecord]]:
        """Yield each item with its key. Raises `SourceAccessError` where the site as a whole fails."""
        self._add(self._scope.start_key, 0)
        self._read_sitemaps()
        while self._waiting:
            key, depth = self._waiting.popleft()
            record = self._answer(key)
            if record is None:
                continue
            for link in (record.target, *record.links):
                if link:
                    self._add(link, depth + 1)
            self.is_bounded = self.is_bounded or record.is_cut or record.kind == "redirect"
            if record.kind in {"page", "file"} and record.is_listed and self._filter.takes(path_of(key)):
                yield key, record
        self._records.end(self._sitemaps)

    def _read_sitemaps(self) -> None:
        """Take what the site lists itself; what it leaves out is found by links."""
        walk = SitemapWalk(self._client, self._scope, self._robots, self._config.sitemap)
        before = self._records.sitemaps
        is_removed = False
        for address in walk.addresses():
            if not self._robots.allows(address):
                self.is_bounded = True
                continue
            try:
                for key in walk.keys_in(address):
                    self._add(key, 0)
            except RequestFailedError as failure:
                if not walk.is_guess(address) or failure.may_pass or "guess" in before:
                    self._settle_sitemap(address, failure)
                is_removed = is_removed or (walk.is_guess(address) and failure.is_gone)
        is_named_no_more = "named" in before and walk.goes_by_guess
        self.is_bounded = self.is_bounded or walk.misses_some(had_one=bool(before)) or is_named_no_more
        self._records.note_sitemaps(before | walk.read)
        # One that is gone for good counts for this crawl to its end: the next one goes by links.
        gone = {"guess"} if is_removed else {"named"} if is_named_no_more and walk.read else set()
        self._sitemaps = (before - gone) | walk.read

    def _settle_sitemap(self, address: str, failure: RequestFailedError) -> None:
        if failure.status == TOO_MANY or (failure.may_pass and not self._failures.is_given_up(address)):
            raise source_error(failure, safe_display(address, limit=200))
        self.is_bounded = True
        self.gaps.append((address, failure.what))

    def _add(self, key: str, depth: int) -> None:
        if key in self._seen or not self._follows(key):
            return
        if depth > self._config.depth or len(self._seen) >= self._config.max_pages:
            self.is_bounded = True
            return
        self._seen.add(key)
        if not self._robots.allows(self._scope.address_of(key)):
            self.is_bounded = True
            return
        self._waiting.append((key, depth))

    def _follows(self, key: str) -> bool:
        """Whether a page is asked for: one that ``include`` does not name may lead to what it names."""
        return key == self._scope.start_key or self._filter.enters(path_of(key))

    def _answer(self, key: str) -> PageRecord | None:
        """Return what an address answers; None where it cannot be read, which is noted."""
        before = self._records.get(key)
        if before is not None and before.crawl == self._records.crawl:
            return before
        try:
            record = self._ask(key, before)
        except RequestFailedError as failure:
            return self._settle(key, before, failure)
        self._failures.in_a_row = 0
        if key == self._scope.start_key and record.kind == "gone":
            gone = RequestFailedError("the site has no such page", reason="not_found", status=NOT_FOUND)
            raise source_error(gone, safe_display(self._config.url, limit=200))
        self._records.put([(key, record)])
        return record

    def _ask(self, key: str, before: PageRecord | None) -> PageRecord:
        address = self._scope.address_of(key)
        try:
            with self._client.get(address, before.conditions if before else None) as answer:
                if answer.leads_to is not None:
                    return self._redirect(key, answer.leads_to)
                if answer.is_unchanged and before is not None:
                    return self._records.asked_now(before)
                return record_of(key, address, answer, self._scope, self._records.crawl)
        except RequestFailedError as failure:
            if failure.is_gone:
                return PageRecord(self._records.crawl, "gone")
            raise

    def _redirect(self, key: str, leads_to: str) -> PageRecord:
        target = target_of(self._scope, key, leads_to)
        if target is None and key == self._scope.start_key:
            raise leads_out(self._scope, leads_to)
        return PageRecord(self._records.crawl, "redirect", target=target or "")

    def _settle(self, key: str, before: PageRecord | None, failure: RequestFailedError) -> PageRecord | None:
        """Decide about an address that cannot be read: again later, an item that fails by itself, or a gap."""
        is_start = key == self._scope.start_key
        is_broken = failure.may_pass and not self._failures.is_given_up(key)
        if is_start or is_broken or failure.reason in {"private_address", "certificate"} or failure.status == TOO_MANY:
            raise source_error(failure, safe_display(self._scope.address_of(key), limit=200))
        self.is_bounded = True
        if before is not None and before.kind == "file":
            return before
        if is_named_as_a_file(key):
            return PageRecord("", "file")
        if len(self.gaps) < _MOST_GAPS:
            self.gaps.append((key.rstrip("/") or key, failure.what))
        return None
