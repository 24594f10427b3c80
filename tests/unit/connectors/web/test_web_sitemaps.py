"""Sitemaps: what they name is found, and those that mean harm, or are not whole, make nothing go."""

from __future__ import annotations

import gzip

import pytest

from ingest_tui.connectors.memory import VolatileMemory
from ingest_tui.connectors.web import sitemaps
from ingest_tui.connectors.web.config import WebConfig
from ingest_tui.model.descriptor import ListingEnd
from ingest_tui.model.errors import TransientSourceError
from tests.servers.web_site import Page, WebSiteServer
from tests.unit.connectors.web.conftest import Connect
from tests.unit.connectors.web.test_web_listing import linked, listed

LOOP = "/loop.xml"


def sitemap(*addresses: str, kind: str = "urlset", entry: str = "url") -> Page:
    """A sitemap, or an index of sitemaps."""
    entries = "".join(f"<{entry}>\n<loc> {one} </loc><lastmod>2026-01-01</lastmod></{entry}>" for one in addresses)
    text = f'<?xml version="1.0"?><{kind} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</{kind}>\n'
    return Page(text.encode(), "application/xml")


def index(*addresses: str) -> Page:
    """An index of sitemaps."""
    return sitemap(*addresses, kind="sitemapindex", entry="sitemap")


def test_pages_that_no_link_leads_to_are_found(server: WebSiteServer, connect: Connect) -> None:
    """By a sitemap at its usual place, an index, packed ones, escaped; those of other hosts and folders are left."""
    server.generate = lambda target: linked() if target.startswith("/docs/") else None
    server.pages |= {
        "/robots.txt": Page(
            f"Sitemap: {server.url}/index.xml\nSitemap: https://example.org/s.xml".encode(), "text/plain"
        ),
        "/sitemap.xml": sitemap(f"{server.url}/docs/a", f"{server.url}/other", "https://example.org/docs/x"),
        "/index.xml": index(f"{server.url}/packed.xml.gz", f"{server.url}/index.xml", LOOP),
        LOOP: index("/index.xml", LOOP),
        "/packed.xml.gz": Page(
            gzip.compress(sitemap(f"{server.url}/docs/b?x=1&amp;y=2", f"<![CDATA[{server.url}/docs/c]]>").content),
            "application/gzip",
        ),
    }
    found, end = listed(connect(url=f"{server.url}/docs/"))
    assert set(found) == {"/", "a", "b?x=1&y=2", "c"}
    assert (end.complete, end.gaps) == (True, ())
    assert len(server.asked()) == len(set(server.asked()))
    assert set(listed(connect(url=f"{server.url}/docs/", sitemap="none"))[0]) == {"/"}
    named = connect(url=f"{server.url}/docs/", sitemap=f"{server.url}/sitemap.xml")
    assert set(listed(named)[0]) == {"/", "a"}


@pytest.mark.parametrize(
    "broken",
    [
        Page(status=404),
        Page(status=403),
        Page(status=500),
        Page(b"<html>Welcome</html>"),
        Page(b"<urlset><url><loc>/docs/a</loc></url>", "application/xml"),
        Page(gzip.compress(b"<urlset></urlset>")[:-4], "application/gzip"),
        Page(b""),
    ],
)
def test_a_sitemap_that_is_not_whole_proves_nothing(server: WebSiteServer, connect: Connect, broken: Page) -> None:
    """One that was read before, or that robots.txt names, is a gap then; one that nobody spoke of may be missing."""
    server.pages |= {"/": linked(), "/a": linked(), "/sitemap.xml": sitemap(f"{server.url}/a")}
    memory = VolatileMemory()
    first, second, third = connect(), connect(), connect()
    first.memory = second.memory = memory
    assert set(listed(first)[0]) == {"/", "a"}
    server.pages["/sitemap.xml"] = broken
    found, end = listed(second)
    assert "/" in found
    assert (end.complete, end.bounded) == (False, True)
    assert [key for key, _why in end.gaps] == [f"{server.url}/sitemap.xml"]
    assert not second.is_gone("a")
    if broken.status in {403, 404}:
        assert listed(third)[1].complete
    server.pages["/robots.txt"] = Page(f"Sitemap: {server.url}/sitemap.xml".encode(), "text/plain")
    assert listed(connect())[1].bounded


@pytest.mark.parametrize(
    "leading",
    [
        Page(status=302, headers={"Location": "https://login.example.org/?next=sitemap"}),
        Page(status=302, headers={"Location": "/sitemap.xml"}),
        Page(status=302, headers={"Location": "/round.xml"}),
        index("https://cdn.example.org/s.xml"),
    ],
)
@pytest.mark.parametrize("is_named", [False, True])
def test_a_sitemap_that_leads_away_proves_nothing(
    server: WebSiteServer, connect: Connect, leading: Page, is_named: bool
) -> None:
    """To another host, or round: what it named before may be there still, however often the site is listed so."""
    server.pages |= {"/": linked(), "/a": linked(), "/sitemap.xml": sitemap(f"{server.url}/a")}
    server.pages["/round.xml"] = Page(status=302, headers={"Location": "/sitemap.xml"})
    if is_named:
        server.pages["/robots.txt"] = Page(f"Sitemap: {server.url}/sitemap.xml".encode(), "text/plain")
    memory = VolatileMemory()
    ends = []
    for page in (server.pages["/sitemap.xml"], leading, leading):
        server.pages["/sitemap.xml"] = page
        connector = connect()
        connector.memory = memory
        found, end = listed(connector)
        assert "/" in found
        ends.append((end.complete, end.bounded))
    assert ends == [(True, False), (False, True), (False, True)]


def test_a_sitemap_that_leads_to_another_is_read_there(server: WebSiteServer, connect: Connect) -> None:
    """Also where robots.txt names that one, too; the usual address that leads away on a site without one is none."""
    server.pages |= {
        "/": linked(),
        "/a": linked(),
        "/sitemap.xml": Page(status=301, headers={"Location": "/index.xml"}),
        "/index.xml": sitemap(f"{server.url}/a"),
    }
    memory = VolatileMemory()
    for rules in (b"", f"Sitemap: {server.url}/index.xml".encode()):
        server.pages["/robots.txt"] = Page(rules, "text/plain")
        connector = connect()
        connector.memory = memory
        found, end = listed(connector)
        assert set(found) == {"/", "a"}
        assert end.complete
    server.pages |= {
        "/robots.txt": Page(status=404),
        "/sitemap.xml": Page(status=302, headers={"Location": "https://example.org/"}),
    }
    assert listed(connect())[1].complete


@pytest.mark.parametrize("status", [404, 410])
def test_a_site_that_removes_its_sitemap_goes_by_links(server: WebSiteServer, connect: Connect, status: int) -> None:
    """Once each page that it named is asked for by itself; then the sitemap is forgotten, a crawl that broke apart."""
    server.pages |= {"/": linked("b"), "/a": linked(), "/b": linked(), "/sitemap.xml": sitemap(f"{server.url}/a")}
    memory = VolatileMemory()

    def end() -> ListingEnd:
        connector = connect()
        connector.memory = memory
        return listed(connector)[1]

    assert end().complete
    server.pages |= {"/sitemap.xml": Page(status=status), "/b": Page(status=429)}
    with pytest.raises(TransientSourceError):
        end()
    server.pages["/b"] = linked()
    assert end().bounded
    assert [end().complete for _ in range(2)] == [True, True]
    server.pages["/sitemap.xml"] = sitemap(f"{server.url}/a")
    assert end().complete
    server.pages["/sitemap.xml"] = Page(status=403)
    assert [end().bounded for _ in range(3)] == [True] * 3


def test_a_site_that_names_its_sitemap_needs_none_at_the_usual_place(server: WebSiteServer, connect: Connect) -> None:
    """Nothing is missed there; when it is named no more, its pages are asked for by themselves."""
    server.pages |= {"/": linked(), "/a": linked(), "/index.xml": sitemap(f"{server.url}/a")}
    named = Page(f"Sitemap: {server.url}/index.xml".encode(), "text/plain")
    memory = VolatileMemory()

    def end(rules: Page) -> ListingEnd:
        server.pages["/robots.txt"] = rules
        connector = connect()
        connector.memory = memory
        return listed(connector)[1]

    assert [end(named).complete for _ in range(2)] == [True, True]
    assert [end(Page(status=404)).bounded for _ in range(2)] == [True, True]
    server.pages["/sitemap.xml"] = sitemap(f"{server.url}/a")
    assert [end(Page(status=404)).complete for _ in range(2)] == [False, True]


@pytest.mark.parametrize(
    ("address", "is_taken"),
    [
        ("https://example.org/s.xml", True),
        ("http://example.org/s.xml", True),
        ("https://Example.org:443/s.xml", True),
        ("none", True),
        ("https://cdn.example.org/s.xml", False),
        ("https://example.org:8443/s.xml", False),
        ("https://example.org.evil.example/s.xml", False),
    ],
)
def test_a_sitemap_of_another_host_is_refused(address: str, is_taken: bool) -> None:
    """It would not be read: the settings say so, and not a listing that lacks its pages."""
    settings = {"url": "https://example.org/docs/", "sitemap": address}
    if is_taken:
        assert WebConfig.model_validate(settings).sitemap == address
        return
    with pytest.raises(ValueError, match="of the same host as url"):
        WebConfig.model_validate(settings)


def test_sitemaps_made_to_harm_end(server: WebSiteServer, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """Indexes that name ever more indexes, entities that stand for each other, and bombs."""
    monkeypatch.setattr(sitemaps, "MOST_FILES", 30)
    monkeypatch.setattr(sitemaps, "LARGEST", 1 << 20)
    server.pages["/"] = linked("a")
    server.pages["/a"] = linked()
    server.pages["/sitemap.xml"] = index("/s1", "/s2")
    server.generate = lambda target: index(f"{target}1", f"{target}2") if target.startswith("/s") else None
    found, end = listed(connect())
    assert set(found) == {"/", "a"}
    assert end.bounded
    assert len(server.asked()) < 40
    server.generate = lambda _target: None
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 20))
    bomb = f'<!DOCTYPE urlset [<!ENTITY e0 "x">{entities}]><urlset><url><loc>&e19;</loc></url></urlset>'
    server.pages["/sitemap.xml"] = Page(bomb.encode(), "application/xml")
    found, _end = listed(connect())
    assert len(found) <= 3
    server.pages["/sitemap.xml"] = Page(gzip.compress(bytes(5_000_000)), "application/gzip")
    found, end = listed(connect(sitemap=f"{server.url}/sitemap.xml"))
    assert set(found) == {"/", "a"}
    assert [why for _key, why in end.gaps] == ["a sitemap is larger than one may be"]
