"""Confluence: what the suite of all connectors does not ask."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from ingest_tui.connectors.confluence import api, session
from ingest_tui.connectors.confluence.confluence_errors import AnswerError
from ingest_tui.connectors.confluence.connector import ConfluenceConnector
from ingest_tui.connectors.resilience import ResilientConnector
from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage
from ingest_tui.model.errors import AuthenticationError, ItemChangedError, SourceAccessError, TransientSourceError
from tests.confluence_server.running import CloudHandler, ConfluenceServer
from tests.graph_server.running import FakeCredentials


@pytest.fixture(params=[True, False], ids=["Cloud", "Data Center"])
def server(request: pytest.FixtureRequest) -> Iterator[ConfluenceServer]:
    """A Confluence."""
    with ConfluenceServer(is_cloud=request.param) as running:
        yield running


def connector_to(server: ConfluenceServer, **settings: Any) -> ConfluenceConnector:
    """Return a connector that signs in."""
    edition = "cloud" if server.state.is_cloud else "data-center"
    config = {"url": server.url, "credential": "wiki", "edition": edition, **settings}
    return ConfluenceConnector(config, credentials=FakeCredentials(server.credential()))


def listed(connector: ConfluenceConnector, cursor: str | None = None) -> tuple[dict[str, Descriptor], ListingEnd]:
    """List to the end."""
    found: dict[str, Descriptor] = {}
    pages = connector.list(cursor)
    while True:
        try:
            page: ListingPage = next(pages)
        except StopIteration as stop:
            return found, stop.value
        found |= {descriptor.key: descriptor for descriptor in page.descriptors}


def read(connector: ConfluenceConnector, descriptor: Descriptor) -> bytes:
    with connector.fetch(descriptor) as pieces:
        return b"".join(pieces)


@pytest.mark.parametrize(
    ("url", "is_cloud"),
    [
        ("https://example.atlassian.net/wiki/", True),
        ("https://api.atlassian.com/ex/confluence/11/wiki", True),
        ("https://wiki.example.org", False),
        ("https://atlassian.net.example.org/wiki", False),
    ],
)
def test_the_edition_follows_from_the_address(url: str, is_cloud: bool) -> None:
    """Unless it is named."""
    assert ConfluenceConnector({"url": url}).config.is_cloud is is_cloud
    assert ConfluenceConnector({"url": url, "edition": "cloud"}).config.is_cloud


def test_everything_of_the_chosen_spaces_is_listed(server: ConfluenceServer) -> None:
    """Pages, posts, comments and answers to them, attachments; by id, so that a new title changes no key or address."""
    page = server.state.page("DOC", "Travel")
    post = server.state.page("DOC", "News", kind="blogposts")
    comment = server.state.comment(page, "<p>a</p>")
    answer = server.state.comment(page, "<p>b</p>", parent=comment.entry_id)
    file = server.state.attach(post, "a/b.pdf", b"x")
    server.state.page("OTHER", "Elsewhere")
    found, end = listed(connector_to(server, space=["DOC"]))
    keys = {
        f"DOC/{page.entry_id}.confluence",
        f"DOC/{post.entry_id}.confluence",
        f"DOC/{page.entry_id}/comments/{comment.entry_id}.confluence",
        f"DOC/{page.entry_id}/comments/{answer.entry_id}.confluence",
        f"DOC/{post.entry_id}/a%2Fb.pdf",
    }
    assert (set(found), end.complete) == (keys, True)
    assert found[f"DOC/{post.entry_id}/a%2Fb.pdf"].size == 1
    assert file.entry_id in found[f"DOC/{post.entry_id}/a%2Fb.pdf"].fingerprint
    page.title = "Journeys"
    again, _ = listed(connector_to(server, space=["DOC"]))
    assert {key: one.uri for key, one in again.items()} == {key: one.uri for key, one in found.items()}
    assert set(listed(connector_to(server, take=["pages"], exclude=["OTHER/"]))[0]) == {
        f"DOC/{page.entry_id}.confluence"
    }


def test_a_space_that_cannot_be_seen_is_no_empty_one(server: ConfluenceServer) -> None:
    """Nothing is proven gone by it."""
    server.state.page("DOC", "Travel")
    with pytest.raises(SourceAccessError, match="no space GONE"):
        listed(connector_to(server, space=["DOC", "GONE"]))


def test_a_listing_goes_on_in_the_midst_of_the_files_of_a_page(server: ConfluenceServer) -> None:
    """From each page of a listing the rest is listed, whatever was deleted before it."""
    for number in range(3):
        page = server.state.page("DOC", f"Page {number}")
        for file in range(500):
            server.state.attach(page, f"{file:03}.txt", b"x")
    every = set(listed(connector_to(server))[0])
    pages = list(connector_to(server).list())
    seen: set[str] = set()
    for one in pages:
        seen |= {descriptor.key for descriptor in one.descriptors}
        rest, end = listed(connector_to(server), one.cursor)
        assert end.complete
        assert seen | set(rest) == every
        assert len(rest) <= len(every) - len(seen)


def test_a_gap_is_not_forgotten_when_the_listing_goes_on(server: ConfluenceServer) -> None:
    """Behind a gap no cursor is given: who resumes meets it again."""
    closed = server.state.page("DOC", "A page")
    closed.status = 403
    page = server.state.page("DOC", "Another")
    for file in range(450):
        server.state.attach(page, f"{file:03}.txt", b"x")
    connector = connector_to(server, take=["attachments"])
    cursors = [listing_page.cursor for listing_page in connector.list()]
    end = listed(connector)[1]
    assert ([key for key, _ in end.gaps], end.complete) == ([f"DOC/{closed.entry_id}"], False)
    assert len(cursors) > 1
    assert not any(cursors)


def test_an_old_cursor_begins_anew(server: ConfluenceServer) -> None:
    """Of another listing, of a space that is gone, or that Confluence has forgotten."""
    page = server.state.page("DOC", "Travel")
    key = f"DOC/{page.entry_id}.confluence"
    for cursor in ("nonsense", "[]", json.dumps(["GONE", "pages", "/x", "", ""])):
        assert set(listed(connector_to(server), cursor)[0]) == {key}
    server.state.fail("forgotten", service="confluence", status=400)
    forgotten = json.dumps(["DOC", "pages", "/forgotten?cursor=x", "", ""])
    pages = list(connector_to(server).list(forgotten))
    assert pages[0].restarts
    assert {one.key for page in pages for one in page.descriptors} == {key}


def test_a_part_that_counts_from_the_start_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Data Center: when a file is deleted between two parts, the listing begins again instead of passing one over."""
    with ConfluenceServer(is_cloud=False) as server:
        page = server.state.page("DOC", "Travel")
        files = [server.state.attach(page, f"{number}.txt", b"x") for number in range(30)]
        server.state.largest_part = 10
        asked = api.DataCenterApi.part
        parts = 0

        def part(self: api.DataCenterApi, link: str, kind: Any) -> api.ContentPart:
            nonlocal parts
            parts += kind == "attachments"
            if parts == 2:
                server.state.remove(files[0])
            return asked(self, link, kind)

        monkeypatch.setattr(api.DataCenterApi, "part", part)
        with pytest.raises(TransientSourceError, match="changed while it was listed"):
            listed(connector_to(server, take=["attachments"]))
        resilient = ResilientConnector(connector_to(server, take=["attachments"]), sleep=lambda _seconds: None)
        assert len([one for page in resilient.list() for one in page.descriptors]) == 29


def test_a_text_of_another_version_is_told(server: ConfluenceServer) -> None:
    """What was listed is not what would be read: the next sync takes it."""
    page = server.state.page("DOC", "Travel", "<p>old</p>")
    connector = connector_to(server)
    ((_, descriptor),) = listed(connector)[0].items()
    page.versions.append(b"<p>new</p>")
    with pytest.raises(ItemChangedError):
        read(connector, descriptor)


def test_the_record_says_who_may_read(server: ConfluenceServer) -> None:
    """A restriction of a page above holds as well; where there is none, nothing is said."""
    top = server.state.page("DOC", "Top")
    page = server.state.page("DOC", "Inner", parent=top.entry_id)
    free = server.state.page("DOC", "Free")
    top.readers, page.readers = ["@staff", "Ann Example"], ["Ann Example"]
    connector = connector_to(server, take=["pages"])
    found = listed(connector)[0]
    allowed = {}
    for entry in (top, page, free):
        descriptor = found[f"DOC/{entry.entry_id}.confluence"]
        read(connector, descriptor)
        allowed[entry.title] = connector.origin(descriptor).get("allowed")
    assert json.loads(allowed["Inner"] or "") == ["group:staff or user:Ann Example", "user:Ann Example"]
    assert json.loads(allowed["Top"] or "") == ["group:staff or user:Ann Example"]
    assert allowed["Free"] is None


def test_titles_and_names_are_asked_for_once(server: ConfluenceServer) -> None:
    """However many pages link to one page or mention one person."""
    link = '<ac:link><ri:page ri:content-title="Home"/></ac:link><ac:link><ri:user ri:account-id="abc"/></ac:link>'
    for number in range(3):
        server.state.page("DOC", f"Page {number}", f"<p>{link}</p>")
    home = server.state.page("DOC", "Home")
    connector = connector_to(server, take=["pages"])
    texts = [read(connector, descriptor).decode() for descriptor in listed(connector)[0].values()]
    assert sum('title="Home" address="' in text and home.entry_id in text for text in texts) == 3
    assert len(server.state.requests("confluence", "title=Home")) == 1
    assert len(server.state.requests("confluence", "api/user[?]")) == 1


def test_a_secret_is_sent_to_its_confluence_alone() -> None:
    """Cloud redirects downloads to another host, which answers 400 to whoever sends it."""
    with ConfluenceServer(is_cloud=True) as server:
        page = server.state.page("DOC", "Travel")
        server.state.attach(page, "a.txt", b"words")
        connector = connector_to(server, take=["attachments"])
        ((_, descriptor),) = listed(connector)[0].items()
        assert read(connector, descriptor) == b"words"
        (asked,) = server.state.requests("media")
        assert "authorization" not in asked.headers


@pytest.mark.parametrize("place", ["http://wiki.example.org/a", "file:///etc/passwd", "https://[broken"])
def test_a_download_stays_on_tls(place: str) -> None:
    """And leads to no file of this machine."""
    with pytest.raises(AnswerError):
        session._redirected("https://wiki.example.org/download/1", place)
    assert session._redirected("https://wiki.example.org/download/1", "/b") == "https://wiki.example.org/b"


def test_answers_that_lead_to_themselves_are_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A comment that is below itself ends; it is listed once."""
    with ConfluenceServer(is_cloud=True) as server:
        page = server.state.page("DOC", "Travel")
        comment = server.state.comment(page, "<p>a</p>")
        answer = server.state.comment(page, "<p>b</p>", parent=comment.entry_id)
        genuine = CloudHandler.answers

        def answers(self: CloudHandler, asked: dict[str, str], comment_id: str) -> None:
            genuine(self, asked, comment.entry_id if comment_id == answer.entry_id else comment_id)

        monkeypatch.setattr(CloudHandler, "answers", answers)
        assert len(listed(connector_to(server, take=["comments"]))[0]) == 2


@pytest.mark.parametrize("links", [{}, {"_links": None}, {"_links": ["next"]}])
def test_a_part_that_does_not_say_whether_it_is_the_last_proves_nothing(links: dict[str, Any]) -> None:
    """Each part of a listing has links, the last one too."""
    with pytest.raises(TransientSourceError):
        api._following({"results": [], **links})
    assert api._following({"results": [], "_links": {}}) is None


def test_a_link_to_another_host_is_not_followed(server: ConfluenceServer) -> None:
    """A listing goes on only within the Confluence that was named."""
    server.state.page("DOC", "Travel")
    for following in ("http://elsewhere.example.org/x", "//elsewhere.example.org/x", 7):
        with pytest.raises(TransientSourceError):
            api._following({"_links": {"next": following}})


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"url": "http://wiki.example.org"}, "https"),
        ({"credential": "store"}, "type 'aws'"),
    ],
)
def test_a_secret_that_could_be_read_on_the_way_is_not_sent(settings: dict[str, Any], said: str) -> None:
    """Nor is a credential of another type tried."""
    with ConfluenceServer(is_cloud=False) as server:
        entry = server.credential()
        store = server.credential()
        store.name, store.type = "store", "aws"
        connector = ConfluenceConnector(
            {"url": server.url, "credential": "wiki", **settings}, credentials=FakeCredentials(entry, store)
        )
        with pytest.raises(AuthenticationError, match=said):
            connector.validate_config()


def test_an_address_of_a_page_is_that_of_its_document(server: ConfluenceServer) -> None:
    """`doc explain ADDRESS` takes what the browser shows, with the title behind the id."""
    if server.state.is_cloud:
        connector = connector_to(server)
        assert connector.key_of(f"{server.url}/spaces/DOC/pages/12/A+title") == "DOC/12.confluence"
        assert connector.key_of(f"{server.url}/spaces/DOC/blog/12") is None
    assert connector_to(server).key_of("https://elsewhere.example.org/spaces/DOC/pages/12") is None


@pytest.mark.slow
def test_fifty_thousand_pages_in_flat_memory() -> None:
    """What a listing needs does not grow with what it lists."""
    with ConfluenceServer(is_cloud=False) as server:
        for number in range(50_000):
            server.state.page("DOC", f"Page {number}")
        pages = connector_to(server, take=["pages"]).list()
        tracemalloc.start()
        try:
            count = sum(len(next(pages).descriptors) for _ in range(20))
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            count += sum(len(page.descriptors) for page in pages)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert count == 50_000
        assert peak - before < 8_000_000
