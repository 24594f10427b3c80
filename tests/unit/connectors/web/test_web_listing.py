"""What a listing of a web site names, and when it says that there may be more."""

from __future__ import annotations

import asyncio
import json
import threading
import tracemalloc

import pytest

from ingest_tui.connectors.memory import VolatileMemory
from ingest_tui.connectors.resilience import ResilientConnector
from ingest_tui.connectors.web import failures
from ingest_tui.connectors.web.config import LARGEST_PAGE
from ingest_tui.connectors.web.connector import WebConnector
from ingest_tui.connectors.web.records import PageRecord, PageRecords
from ingest_tui.model.descriptor import Descriptor, ListingEnd
from ingest_tui.model.errors import AuthenticationError, SourceAccessError, TransientSourceError
from ingest_tui.transport.retrying import RetryPolicy
from tests.servers.web_site import Page, SiteFault, WebSiteServer
from tests.unit.connectors.web.conftest import Connect

NONE_BETWEEN = RetryPolicy(attempts=6, first_wait=0.0, longest_wait=0.0)


def linked(*targets: str, more: str = "") -> Page:
    """A page with links."""
    links = "".join(f'<a href="{one}">x</a>' for one in targets)
    return Page(f"<html>{more}{links}</html>".encode())


def listed(connector: WebConnector) -> tuple[dict[str, Descriptor], ListingEnd]:
    """List to the end, trying again what may pass, as a job does."""
    resilient = ResilientConnector(connector, sleep=lambda _seconds: None, policy=NONE_BETWEEN)
    pages = resilient.list()
    found: dict[str, Descriptor] = {}
    while True:
        try:
            page = next(pages)
        except StopIteration as end:
            return found, end.value
        found = {} if page.restarts else found
        found |= {descriptor.key: descriptor for descriptor in page.descriptors}


def test_pages_and_files_within_the_folder_are_found(server: WebSiteServer, connect: Connect) -> None:
    """Links are followed below the start, each address once; other folders, hosts and schemes are left alone."""
    server.pages |= {
        "/docs/": linked("a", "b.pdf", "/docs/a#part", "../other", "https://example.org/docs/a", "mailto:x@y"),
        "/docs/a": linked("c/", "b.pdf?download=1"),
        "/docs/c/": linked("../a"),
        "/docs/b.pdf": Page(b"%PDF", "application/pdf", headers={"Last-Modified": "Mon, 01 Jun 2026 10:00:00 GMT"}),
        "/docs/b.pdf?download=1": Page(b"%PDF", "application/pdf", has_tag=False),
    }
    found, end = listed(connect(url=f"{server.url}/docs/"))
    assert set(found) == {"/", "a", "c/", "b.pdf", "b.pdf?download=1"}
    assert (end.complete, end.bounded, end.gaps) == (True, False, ())
    assert found["a"].uri == f"{server.url}/docs/a"
    assert found["a"].media_type == "text/html"
    assert found["b.pdf"].modified_ns == 1_780_308_000_000_000_000
    assert len(server.asked()) == len(set(server.asked()))


def test_unchanged_pages_are_not_sent_again(server: WebSiteServer, connect: Connect) -> None:
    """What was remembered of a page says where it leads; a change is seen."""
    server.pages |= {"/": linked("a", "b"), "/a": linked(), "/b": linked()}
    memory = VolatileMemory()
    connectors = [connect(sitemap="none") for _ in range(3)]
    for connector in connectors:
        connector.memory = memory
    first, _ = listed(connectors[0])
    second, end = listed(connectors[1])
    assert second == first
    assert end.complete
    again = server.requests[len(server.requests) // 2 + 1 :]
    assert [("if-none-match" in headers) for _target, headers in again] == [True] * 3
    server.pages["/b"] = linked("c")
    server.pages["/c"] = linked()
    third, _ = listed(connectors[2])
    assert set(third) == {"/", "a", "b", "c"}
    assert {key for key in first if third[key] != first[key]} == {"b"}


def test_what_a_page_asks_of_robots_is_kept(server: WebSiteServer, connect: Connect) -> None:
    """noindex, nofollow, by page and by header, and what robots.txt forbids, which is not even asked for."""
    server.pages |= {
        "/robots.txt": Page(
            b"User-agent: *\nDisallow: /private/\nUser-agent: ingest-tui\nDisallow: /ours", "text/plain"
        ),
        "/": linked("hub", "leaf", "/private/x", "/ours", "plain.txt"),
        "/hub": linked("below", more='<meta name="robots" content="noindex">'),
        "/leaf": linked("never", more='<meta name="robots" content="nofollow">'),
        "/below": linked(),
        "/private/x": linked(),
        "/plain.txt": Page(b"x", "text/plain", headers={"X-Robots-Tag": "noindex"}),
    }
    found, end = listed(connect())
    assert set(found) == {"/", "leaf", "below", "private/x"}, "rules of its own are what counts for a robot"
    assert "/ours" not in server.asked()
    assert end.bounded
    assert not connect().is_gone("ours")


def test_a_page_is_known_by_its_canonical_address(server: WebSiteServer, connect: Connect) -> None:
    """One page at several addresses is one item; a canonical address elsewhere says nothing about this site."""
    server.pages |= {
        "/": linked("a?ref=1", "a?ref=2", "b"),
        "/a?ref=1": linked(more='<link rel="canonical" href="/a">'),
        "/a?ref=2": linked(more='<link rel="canonical" href="/a">'),
        "/a": linked(),
        "/b": linked(more='<link rel="canonical" href="https://example.org/b">'),
    }
    found, end = listed(connect())
    assert set(found) == {"/", "a", "b"}
    assert end.complete


def test_redirects_are_no_items_and_no_deletions(server: WebSiteServer, connect: Connect) -> None:
    """Where one leads is an item; that it leads away leaves open what became of the page."""
    server.pages |= {
        "/": linked("old", "away", "round"),
        "/old": Page(status=301, headers={"Location": "/new"}),
        "/away": Page(status=302, headers={"Location": "https://example.org/"}),
        "/round": Page(status=302, headers={"Location": "/round"}),
        "/new": linked(),
    }
    connector = connect()
    found, end = listed(connector)
    assert set(found) == {"/", "new"}
    assert (end.complete, end.bounded, end.gaps) == (False, True, ())
    assert not any(connector.is_gone(key) for key in ("old", "away", "round"))
    assert connector.is_gone("never")


def test_only_not_found_means_gone(server: WebSiteServer, connect: Connect) -> None:
    """404 and 410 say that there is no page; no access and failures do not."""
    for status in (200, 301, 401, 403, 404, 410, 418, 500, 502):
        server.pages[f"/{status}"] = Page(status=status, headers={"Location": "/404"} if status == 301 else {})
    server.faults = [SiteFault(lambda target: target == "/cut", float("inf"), cut_after=0)]
    connector = connect()
    asked = [*map(str, (200, 301, 401, 403, 404, 410, 418, 500, 502)), "cut"]
    assert [key for key in asked if connector.is_gone(key)] == ["404", "410"]


def test_a_limit_makes_a_listing_bounded(server: WebSiteServer, connect: Connect) -> None:
    """A calendar that links for ever ends at a number of pages, or of links from the start."""
    server.generate = lambda target: linked(f"{len(target)}", "next/") if len(target) < 5000 else None
    found, end = listed(connect(max_pages=50))
    assert len(found) == 50
    assert (end.complete, end.bounded) == (False, True)
    found, end = listed(connect(depth=3))
    assert max(key.count("/") for key in found) == 3
    assert end.bounded
    found, end = listed(connect(depth=0))
    assert set(found) == {"/"}


@pytest.mark.parametrize(
    ("page", "is_bounded"),
    [
        (linked(*(f"p{number % 3}" for number in range(20_001))), True),
        (linked(*(f"p{number % 3}" for number in range(20_000))), False),
        (Page(b"<p>" + b"x" * LARGEST_PAGE + b"<a href=p0>"), True),
        (linked("p" * 2100), True),
        (linked("p" * 70_000), True),
        (linked("../" * 3000 + "p0"), True),
        (linked("&#x2e;" * 700 + "/p0"), False),
        (linked("https://example.org/" + "x" * 5000, "data:text/plain," + "x" * 5000), False),
        (Page(b"<a title='" + b"x" * (1 << 16) + b"' href=p0>"), True),
        (linked("p0", more=f'<base href="/{"x" * 2100}/">'), True),
    ],
)
def test_a_page_whose_links_are_not_all_read_makes_a_listing_bounded(
    server: WebSiteServer, connect: Connect, page: Page, is_bounded: bool
) -> None:
    """Too many, too far below, too long, in a tag that is too large; each time, also when the page is unchanged."""
    server.pages |= {"/": page, **{f"/p{number}": linked() for number in range(3)}}
    memory = VolatileMemory()
    for _ in range(2):
        connector = connect(sitemap="none")
        connector.memory = memory
        found, end = listed(connector)
        assert "/" in found
        assert (end.bounded, end.complete) == (is_bounded, not is_bounded)


def test_what_an_earlier_version_remembered_of_a_page_is_asked_for_again() -> None:
    """It does not say whether all links of the page were read."""
    memory = VolatileMemory()
    records = PageRecords(memory)
    records.put([("a", PageRecord("1", "page", etag="x", links=("b",), is_cut=True))])
    kept = records.get("a")
    assert kept is not None
    assert kept.is_cut
    fields = json.loads(memory.entry("page:a") or "")
    del fields["is_cut"]
    memory.apply(put=[("page:a", json.dumps(fields))])
    assert records.get("a") is None


def test_patterns_choose_items_and_keep_from_following(server: WebSiteServer, connect: Connect) -> None:
    """What is not included may lead to what is; what is excluded is not asked for."""
    server.pages |= {
        "/": linked("a/", "drafts/", "x.pdf", "y.pdf?v=1"),
        "/a/": linked("b.pdf"),
        "/drafts/": linked("c.pdf"),
        **{f"/{name}": Page(b"%PDF", "application/pdf") for name in ("x.pdf", "a/b.pdf", "drafts/c.pdf")},
    }
    connector = connect(include=["*.pdf"], exclude=["drafts/"])
    found, end = listed(connector)
    assert set(found) == {"x.pdf", "a/b.pdf"}
    assert end.complete
    assert not any(target.startswith("/drafts") for target in server.asked())
    assert connector.explain_left_out("drafts/c.pdf")
    assert connector.explain_left_out("a/")
    assert connector.explain_left_out("x.pdf") is None


def test_a_page_that_fails_is_a_gap_and_a_file_an_item_that_fails(server: WebSiteServer, connect: Connect) -> None:
    """A page may have led further; a file is named, so that its failure is one of it alone."""
    server.pages |= {
        "/": linked("page", "file.pdf", "fine"),
        "/page": Page(b"no", status=500),
        "/file.pdf": Page(b"no", status=403),
        "/fine": linked(),
    }
    found, end = listed(connect())
    assert set(found) == {"/", "file.pdf", "fine"}
    assert [key for key, _why in end.gaps] == ["page"]
    assert (end.complete, end.bounded) == (False, True)


def test_a_site_that_begins_to_fail_is_a_failure_of_the_source(
    server: WebSiteServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not each of its pages is tried several times once many in a row have failed."""
    monkeypatch.setattr(failures, "_MOST_IN_A_ROW", 3)
    server.pages |= {"/": linked(*(f"p{number}" for number in range(30)))}
    server.generate = lambda _target: Page(status=500)
    with pytest.raises(TransientSourceError):
        listed(connect())
    assert len(server.asked()) < 40


@pytest.mark.parametrize(
    ("start", "error"),
    [
        (Page(status=404), SourceAccessError),
        (Page(status=403), SourceAccessError),
        (Page(status=401), AuthenticationError),
        (Page(status=500), TransientSourceError),
        (Page(status=301, headers={"Location": "https://example.org/"}), SourceAccessError),
        (Page(b""), SourceAccessError),
    ],
)
def test_a_start_that_cannot_be_read_is_an_error_of_the_source(
    server: WebSiteServer, connect: Connect, start: Page, error: type[Exception]
) -> None:
    """An empty listing would be the end of all that is known."""
    server.pages["/"] = start
    with pytest.raises(error) as caught:
        listed(connect())
    assert server.url in str(caught.value)


def test_a_start_without_a_slash_is_followed_to_its_folder(server: WebSiteServer, connect: Connect) -> None:
    """The site adds the slash: that is the first page, also of a crawl that goes on, and links count from there."""
    server.pages |= {
        "/docs": Page(status=301, headers={"Location": "/docs/"}),
        "/docs/": linked("a", "/docs"),
        "/docs/a": linked(),
    }
    memory = VolatileMemory()
    for fault in ([SiteFault(lambda target: target == "/docs/a", 1, page=Page(status=429))], []):
        server.faults = fault
        connector = connect(url=f"{server.url}/docs", sitemap="none")
        connector.memory = memory
        if fault:
            with pytest.raises(TransientSourceError):
                list(connector.list())
    found, end = listed(connector)
    assert {key: one.uri for key, one in found.items()} == {"/": f"{server.url}/docs/", "a": f"{server.url}/docs/a"}
    assert end.complete
    with connector.fetch(found["/"]) as pieces:
        assert b"".join(pieces) == server.pages["/docs/"].content
    assert asyncio.run(connect(url=f"{server.url}/docs").authenticate())
    server.pages["/docs/"] = Page(status=302, headers={"Location": "https://example.org/"})
    with pytest.raises(SourceAccessError, match="another site"):
        asyncio.run(connect(url=f"{server.url}/docs").authenticate())
    server.pages["/robots.txt"] = Page(b"User-agent: *\nDisallow: /docs/", "text/plain")
    with pytest.raises(SourceAccessError, match=r"robots\.txt"):
        listed(connect(url=f"{server.url}/docs"))


@pytest.mark.parametrize(
    ("leads_to", "said"),
    [
        ("https://example.org/docs/", "leads to another site"),
        ("https://{host}/docs/", "leads to another site"),
        ("/manual/", "leads to another folder of the site"),
        ("/docs", "leads to itself"),
        ("/docs#here", "leads to itself"),
    ],
)
def test_a_start_that_leads_out_says_where(server: WebSiteServer, connect: Connect, leads_to: str, said: str) -> None:
    """`source test` says the same as a listing, with a slash at the end of the start or without one."""
    for start in ("/docs", "/docs/"):
        location = leads_to.format(host=server.url.partition("//")[2])
        location = location.replace("/docs", start) if location.startswith("/docs") else location
        server.pages[start] = Page(status=302, headers={"Location": location})
        with pytest.raises(SourceAccessError, match=said):
            listed(connect(url=f"{server.url}{start}"))
        with pytest.raises(SourceAccessError, match=said):
            asyncio.run(connect(url=f"{server.url}{start}").authenticate())


@pytest.mark.parametrize("status", [429, 500, 503])
def test_rules_that_cannot_be_had_forbid_everything(server: WebSiteServer, connect: Connect, status: int) -> None:
    """A robots.txt that fails is waited for; one that is refused or not there forbids nothing."""
    server.pages |= {"/": linked(), "/robots.txt": Page(status=status)}
    with pytest.raises(TransientSourceError):
        listed(connect())
    assert "/" not in server.asked()
    for harmless in (401, 403, 404, 410):
        server.pages["/robots.txt"] = Page(status=harmless)
        assert set(listed(connect())[0]) == {"/"}
    server.pages["/robots.txt"] = Page(b"User-agent: *\nDisallow: /", "text/plain")
    with pytest.raises(SourceAccessError, match=r"robots\.txt"):
        listed(connect())


def test_a_broken_crawl_goes_on_where_it_was(server: WebSiteServer, connect: Connect) -> None:
    """What this crawl has read is not asked for again, also by another process; the next crawl asks again."""
    server.pages |= {"/": linked(*(f"p{number}" for number in range(10)))}
    server.generate = lambda target: linked() if target.startswith("/p") else None
    server.faults = [SiteFault(lambda target: target == "/p5", 1, page=Page(status=429))]
    memory = VolatileMemory()
    first, second = connect(sitemap="none"), connect(sitemap="none")
    first.memory = second.memory = memory
    with pytest.raises(TransientSourceError):
        list(first.list())
    before = len(server.requests)
    found, end = listed(second)
    assert len(found) == 11
    assert end.complete
    assert server.asked()[before:] == ["/robots.txt", *(f"/p{number}" for number in range(5, 10))]
    before = len(server.requests)
    listed(second)
    assert len(server.requests) - before == 12


def test_two_sources_of_a_host_share_its_pace(server: WebSiteServer, connect: Connect) -> None:
    """The delay of settings, or the longer one that robots.txt asks for, is between any two requests to the host."""
    server.pages |= {"/": linked(), "/robots.txt": Page(b"User-agent: *\nCrawl-delay: 0.4", "text/plain")}
    connectors = [connect(), connect()]
    threads = [threading.Thread(target=lambda one=one: listed(one)) for one in connectors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(one._client.delay == 0.4 for one in connectors)
    server.pages["/robots.txt"] = Page(b"User-agent: *\nCrawl-delay: 9999", "text/plain")
    connector = connect()
    connector._rules()
    assert connector._client.delay == 20.0


@pytest.mark.slow
def test_a_large_site_is_listed_in_little_memory(server: WebSiteServer, connect: Connect) -> None:
    """What is kept of a page is its address, however much is on it."""
    server.pages["/"] = linked(*(f"f{number}/" for number in range(5)))
    filler = "x" * 100_000
    server.generate = lambda target: (
        linked(*(f"p{number}" for number in range(40)), more=filler)
        if target.endswith("/")
        else linked(more=filler)
        if target.startswith("/f")
        else None
    )
    connector = connect()
    connector._own_memory.apply = lambda **_kept: None  # type: ignore[method-assign]
    server.requests = _Counted()
    tracemalloc.start()
    number = sum(len(page.descriptors) for page in connector.list())
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert number == 206
    assert most < 8_000_000


class _Counted(list[tuple[str, dict[str, str]]]):
    """Keeps nothing."""

    def append(self, _request: tuple[str, dict[str, str]]) -> None:
        """Forget it."""
