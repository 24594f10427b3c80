"""Listing by delta: as few requests as possible, never less than the whole truth."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from ingest_tui.connectors.memory import VolatileMemory
from ingest_tui.connectors.sharepoint.delta import DriveDelta
from ingest_tui.connectors.sharepoint.graph import GraphSession
from ingest_tui.connectors.sharepoint.listing import PAGE
from ingest_tui.connectors.sharepoint.mirror import DriveMirror
from ingest_tui.model.descriptor import ListingEnd
from ingest_tui.model.errors import AuthenticationError, IngestError, SourceAccessError, TransientSourceError
from tests.graph_server.items import Drive
from tests.graph_server.running import GraphServer
from tests.unit.connectors.sharepoint.sharepoint_lab import Site, connector_to, keys, listed

DAY = 86_400


@pytest.fixture
def site(server: GraphServer) -> Site:
    """A source over the library "Documents", whose memory lasts."""
    return Site(server)


def fill(drive: Drive, number: int = 30) -> set[str]:
    """Put files in three folders; returns their keys."""
    for position in range(number):
        drive.put(f"f{position % 3}/{position:03}.txt", f"content {position}".encode())
    return {f"Documents/f{position % 3}/{position:03}.txt" for position in range(number)}


def interrupted(site: Site, server: GraphServer, after_pages: int, *, match: str = "/root/delta") -> None:
    """List, but the network fails after some pages."""
    server.state.fail(match, status=503, skip=after_pages)
    with pytest.raises(TransientSourceError):
        listed(site.connector())
    server.state.faults.clear()
    server.state.forget_requests()


# What a second listing costs and sees


def test_unchanged_library_costs_one_delta_request(site: Site, drive: Drive) -> None:
    """When nothing changed, one request says so, and everything is listed from memory."""
    expected = fill(drive)
    first = site.listed()
    site.delta_requests()
    second = site.listed()
    assert set(first) == expected
    assert second == first
    assert len(site.delta_requests()) == 1


def test_changes_are_seen_and_nothing_else_is_asked_for(site: Site, drive: Drive) -> None:
    """A new, a changed, a renamed, a moved and a deleted file: all seen, with one request."""
    fill(drive, 6)
    before = site.listed()
    site.delta_requests()
    drive.put("new.txt", b"new")
    drive.put("f0/000.txt", b"changed")
    drive.rename("f1/001.txt", "f1/renamed.txt")
    drive.rename("f2/002.txt", "f0/002.txt")
    drive.remove("f0/003.txt")
    after = site.listed()
    assert set(after) == {
        "Documents/new.txt",
        "Documents/f0/000.txt",
        "Documents/f1/renamed.txt",
        "Documents/f0/002.txt",
        "Documents/f1/004.txt",
        "Documents/f2/005.txt",
    }
    assert after["Documents/f0/000.txt"].fingerprint != before["Documents/f0/000.txt"].fingerprint
    assert after["Documents/f1/renamed.txt"].fingerprint == before["Documents/f1/001.txt"].fingerprint
    assert after["Documents/f0/002.txt"].identity == before["Documents/f2/002.txt"].identity
    assert len(site.delta_requests()) == 1


def test_renamed_folder_moves_what_is_in_it(site: Site, drive: Drive) -> None:
    """Graph tells of the folder alone; keys and addresses of everything below follow, fingerprints stay."""
    drive.put("a/b/c/deep.txt", b"x")
    drive.put("a/top.txt", b"x")
    before = site.listed()
    drive.rename("a", "elsewhere/z")
    after = site.listed()
    assert set(after) == {"Documents/elsewhere/z/b/c/deep.txt", "Documents/elsewhere/z/top.txt"}
    deep = after["Documents/elsewhere/z/b/c/deep.txt"]
    assert deep.fingerprint == before["Documents/a/b/c/deep.txt"].fingerprint
    assert deep.uri.endswith("/Shared%20Documents/elsewhere/z/b/c/deep.txt")


@pytest.mark.parametrize("tell_all", [False, True])
def test_deleted_folder_takes_everything_with_it(site: Site, drive: Drive, tell_all: bool) -> None:
    """Whether or not Graph tells of what was in a deleted folder, it is gone, completely and without further asking."""
    drive.put("a/b/c.txt", b"x")
    drive.put("a/d.txt", b"x")
    drive.put("stays.txt", b"x")
    site.listed()
    drive.remove("a", tell_all=tell_all)
    site.server.state.forget_requests()
    assert site.names() == {"Documents/stays.txt"}
    assert site.server.state.requests("graph", "/items/") == []


@pytest.mark.parametrize("with_names", [False, True])
def test_deletes_without_a_name_are_understood(site: Site, drive: Drive, with_names: bool) -> None:
    """A delete is told by id, with or without a name."""
    site.server.state.knobs.deleted_with_names = with_names
    fill(drive, 3)
    site.listed()
    drive.remove("f0/000.txt")
    assert site.names() == {"Documents/f1/001.txt", "Documents/f2/002.txt"}


def test_folder_that_comes_back_brings_its_files(site: Site, drive: Drive) -> None:
    """A folder that was deleted and made again under the same name is another folder."""
    drive.put("a/old.txt", b"x")
    site.listed()
    drive.remove("a")
    assert site.names() == set()
    drive.put("a/new.txt", b"x")
    assert site.names() == {"Documents/a/new.txt"}


@pytest.mark.parametrize("page_size", [4, 1000])
def test_repeated_items_count_once_with_their_last_word(site: Site, drive: Drive, page_size: int) -> None:
    """An item that is told of twice, first as it was long ago, is what was said last, on one page or on two."""
    site.server.state.knobs.delta_repeats = True
    site.server.state.knobs.largest_page = page_size
    assert fill(drive, 40) == site.names()
    drive.put("f0/000.txt", b"changed")
    drive.put("f0/003.txt", b"changed")
    assert "Documents/f0/000.txt" in site.names()


@pytest.mark.parametrize("in_parentheses", [False, True])
def test_links_are_followed_as_they_are(site: Site, drive: Drive, in_parentheses: bool) -> None:
    """Tokens come as ``?token=`` or as ``(token='…')``; a link is never taken apart."""
    site.server.state.knobs.delta_token_in_parentheses = in_parentheses
    site.server.state.knobs.largest_page = 7
    expected = fill(drive)
    assert site.names() == expected
    drive.put("new.txt", b"x")
    assert site.names() == expected | {"Documents/new.txt"}


def test_listing_asks_for_no_addresses(site: Site, drive: Drive) -> None:
    """Pre-authenticated addresses are not even asked for by a listing, and nothing of one is remembered."""
    fill(drive, 3)
    found = site.listed()
    assert site.server.state.downloads == {}
    remembered = repr(site.memory.__dict__)
    assert "tempauth" not in remembered
    assert "tempauth" not in repr(found)


def test_pages_of_the_listing_are_bounded(server: GraphServer, drive: Drive) -> None:
    """However Graph pages, no page of ours is larger than it may be."""
    drive.generate(PAGE * 2 + 1, 3)
    sizes = [len(page.descriptors) for page in connector_to(server).list()]
    assert sizes == [PAGE, PAGE, 1]


def test_without_a_memory_everything_is_listed(server: GraphServer, drive: Drive) -> None:
    """A connector without a memory lists all, each time."""
    expected = fill(drive, 5)
    assert keys(connector_to(server)) == expected
    assert keys(connector_to(server)) == expected


# Interruptions


@pytest.mark.parametrize("pages", [0, 1, 3])
def test_interrupted_first_listing_goes_on_where_it_was(
    site: Site, server: GraphServer, drive: Drive, pages: int
) -> None:
    """A first listing that breaks off is an error, and the next one asks only for the pages that are missing."""
    server.state.knobs.largest_page = 10
    expected = fill(drive, 46)
    interrupted(site, server, pages)
    assert site.names() == expected
    assert len(site.delta_requests()) == 5 - pages


def test_interrupted_changes_go_on_where_they_were(site: Site, server: GraphServer, drive: Drive) -> None:
    """The same for what changed since the last listing, of which the kept part is not asked for again."""
    fill(drive, 5)
    site.listed()
    server.state.knobs.largest_page = 10
    drive.remove("f0/000.txt")
    expected = fill(drive, 46) - {"Documents/f0/000.txt"}
    drive.remove("f0/000.txt")
    interrupted(site, server, 2)
    assert site.names() == expected
    assert len(site.delta_requests()) < 5


def test_what_changes_during_an_interruption_is_seen(site: Site, server: GraphServer, drive: Drive) -> None:
    """Between the pages of one enumeration things change; the same listing or the next one tells."""
    server.state.knobs.largest_page = 10
    expected = fill(drive, 40)
    interrupted(site, server, 2)
    drive.remove("f0/000.txt")
    drive.put("late.txt", b"x")
    expected = expected - {"Documents/f0/000.txt"} | {"Documents/late.txt"}
    site.names()
    assert site.names() == expected


def test_process_that_is_killed_between_pages_loses_nothing(server: GraphServer, drive: Drive, site: Site) -> None:
    """Each page and its link are kept in one step: a memory that dies before or after any of them goes on soundly."""
    server.state.knobs.largest_page = 10
    expected = fill(drive, 46)

    class DyingError(Exception):
        pass

    for deadly in range(1, 8):
        mortal = Site(server)
        genuine, calls = mortal.memory.apply, 0

        def dying(_deadly: int = deadly, _genuine: Any = genuine, **changes: Any) -> None:
            nonlocal calls
            calls += 1
            if calls == _deadly:
                raise DyingError
            _genuine(**changes)

        mortal.memory.apply = dying  # type: ignore[method-assign]
        try:
            listed(mortal.connector())
        except DyingError:
            mortal.memory.apply = genuine  # type: ignore[method-assign]
        assert mortal.names() == expected, deadly


def test_page_without_a_link_is_not_the_end(site: Site, server: GraphServer, drive: Drive) -> None:
    """A first page that comes without any link is not taken for the whole: nothing may be deleted by that."""
    expected = fill(drive, 30)
    site.listed()
    server.state.knobs.largest_page = 10
    server.state.expire_delta_tokens()
    server.state.knobs.delta_page_without_link = 1
    with pytest.raises(TransientSourceError, match="broke off"):
        listed(site.connector())
    server.state.knobs.delta_page_without_link = 0
    assert site.names() == expected


def test_link_to_another_host_is_neither_followed_nor_kept(site: Site, server: GraphServer, drive: Drive) -> None:
    """An answer that leads elsewhere is refused, and the next listing is not poisoned by it."""
    expected = fill(drive, 30)
    server.state.knobs.largest_page = 10
    connector = site.connector()
    genuine = server.state.graph_url
    server.state.graph_url = "https://graph.evil.example"
    with pytest.raises(SourceAccessError) as caught:
        listed(connector)
    assert caught.value.reason == "foreign_link"
    server.state.graph_url = genuine
    assert site.names() == expected


# Tokens that are too old


@pytest.mark.parametrize("code", ["resyncChangesApplyDifferences", "resyncChangesUploadDifferences"])
@pytest.mark.parametrize("location", [True, False])
def test_expired_token_lists_again_and_keeps_the_truth(
    site: Site, server: GraphServer, drive: Drive, code: str, location: bool
) -> None:
    """After a 410 everything is enumerated again, from where Graph says; what vanished meanwhile is found gone."""
    expected = fill(drive, 30)
    first = site.listed()
    drive.remove("f0/000.txt")
    drive.put("new.txt", b"x")
    server.state.knobs.resync_code, server.state.knobs.resync_location = code, location
    server.state.expire_delta_tokens()
    second = site.listed()
    assert set(second) == expected - {"Documents/f0/000.txt"} | {"Documents/new.txt"}
    assert second["Documents/f1/001.txt"] == first["Documents/f1/001.txt"]


def test_nothing_is_forgotten_before_the_new_enumeration_is_complete(
    site: Site, server: GraphServer, drive: Drive
) -> None:
    """A resync that breaks off leaves what was known as it was, next to what it has so far, and resumes there."""
    expected = fill(drive, 46)
    site.listed()
    server.state.expire_delta_tokens()
    server.state.knobs.largest_page = 10
    known = dict(site.memory.entries())
    interrupted(site, server, 3)
    assert known.items() <= dict(site.memory.entries()).items()
    assert site.names() == expected
    assert len(site.delta_requests()) == 3
    assert len(dict(site.memory.entries())) == len(known)


def test_token_that_expires_within_an_enumeration(site: Site, server: GraphServer, drive: Drive) -> None:
    """A 410 in the middle of a first listing starts it over, and leaves nothing half done behind."""
    server.state.knobs.largest_page = 10
    expected = fill(drive, 46)
    interrupted(site, server, 2)
    drive.remove("f0/000.txt")
    server.state.expire_delta_tokens()
    assert site.names() == expected - {"Documents/f0/000.txt"}


def test_endless_resync_ends(site: Site, server: GraphServer, drive: Drive) -> None:
    """A Graph that answers 410 for ever does not keep us for ever."""
    fill(drive, 3)
    server.state.fail("/root/delta", status=410, code="resyncRequired", times=1000)
    with pytest.raises(SourceAccessError, match="410"):
        listed(site.connector())
    assert len(site.delta_requests()) <= 4


def test_token_that_cannot_be_read_any_more_starts_over(site: Site, server: GraphServer, drive: Drive) -> None:
    """A 400 to a remembered token is no dead end."""
    expected = fill(drive, 3)
    site.listed()
    server.state.fail("token=", status=400, code="invalidRequest")
    assert site.names() == expected


def test_damaged_memory_starts_over(site: Site, drive: Drive) -> None:
    """Notes that make no sense count as none."""
    expected = fill(drive, 3)
    site.listed()
    site.memory.apply(notes={f"full:{drive.drive_id}": "x", f"generation:{drive.drive_id}": "y"})
    assert site.names() == expected


# Now and then everything


def test_everything_is_enumerated_now_and_then(
    site: Site, server: GraphServer, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the set number of days the mirror is made again, which repairs whatever Graph never reported."""
    fill(drive, 6)
    site.listed()
    # A change that the delta never tells of.
    item = drive.at("f0/000.txt")
    drive.items.pop(item.item_id)
    assert "Documents/f0/000.txt" in site.names()
    clock = time.time()
    monkeypatch.setattr("time.time", lambda: clock + 6.9 * DAY)
    assert "Documents/f0/000.txt" in site.names()
    monkeypatch.setattr("time.time", lambda: clock + 7.1 * DAY)
    assert "Documents/f0/000.txt" not in site.names()
    site.delta_requests()
    site.listed()
    assert "token=" in site.delta_requests()[0]


def test_clock_that_went_back_enumerates_again(site: Site, drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    """A last enumeration in the future is no reason to trust the mirror for years."""
    fill(drive, 3)
    clock = time.time()
    monkeypatch.setattr("time.time", lambda: clock + 1000 * DAY)
    site.listed()
    site.delta_requests()
    monkeypatch.setattr("time.time", lambda: clock)
    site.listed()
    assert "token=" not in site.delta_requests()[0]


def test_always_everything_when_asked(server: GraphServer, drive: Drive) -> None:
    """``reconcile_days`` 0 enumerates at every listing."""
    site = Site(server, reconcile_days=0)
    fill(drive, 3)
    for _ in range(2):
        site.listed()
        assert "token=" not in site.delta_requests()[0]


# Other clouds, other libraries, other failures


def test_cloud_without_delta_is_listed_folder_by_folder(site: Site, server: GraphServer, drive: Drive) -> None:
    """Where there is no delta, the folders are gone through, with the same keys and fingerprints, each time."""
    expected = fill(drive, 30)
    with_delta = site.listed()
    server.state.knobs.delta_supported = False
    elsewhere = Site(server)
    assert elsewhere.listed() == with_delta
    drive.remove("f0/000.txt")
    drive.rename("f1", "g1")
    assert elsewhere.names() == {key.replace("/f1/", "/g1/") for key in expected - {"Documents/f0/000.txt"}}


def test_interrupted_crawl_leaves_nothing_behind(site: Site, server: GraphServer, drive: Drive) -> None:
    """A listing folder by folder that breaks off starts over, without items that are gone since."""
    server.state.knobs.delta_supported = False
    expected = fill(drive, 9)
    interrupted(site, server, 2, match="/children")
    gone = {"f0/000.txt", "f1/001.txt", "f2/002.txt"}
    for path in gone:
        drive.remove(path)
    assert site.names() == expected - {f"Documents/{path}" for path in gone}


def test_library_that_vanishes_from_the_site_is_asked_for(
    site: Site, server: GraphServer, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A library that the site no longer names proves nothing gone, unless it has been gone itself for a day.

    Graph says 404 for what it hides as well: a permission that was taken by mistake has a day to come back.
    """
    archive = server.state.site("sites/handbook").library("Archive")
    archive.put("b.txt", b"x")
    drive.put("a.txt", b"x")
    site.listed()
    archive.hidden = True
    for status in (None, (403, "accessDenied")):
        archive.status = status
        found, end = listed(site.connector())
        assert set(found) == {"Documents/a.txt"}
        assert not end.complete
        assert [key for key, _ in end.gaps] == ["Archive"]
    drives = server.state.site("sites/handbook").drives
    drives.remove(archive)
    assert [key for key, _ in listed(site.connector())[1].gaps] == ["Archive"]
    drives.append(archive)
    archive.hidden, archive.status = False, None
    assert site.names() == {"Documents/a.txt", "Archive/b.txt"}
    drives.remove(archive)
    start = time.time()
    for hours, is_complete in ((0, False), (23, False), (25, True)):
        monkeypatch.setattr(time, "time", lambda later=start + hours * 3600: later)
        assert listed(site.connector())[1].complete is is_complete
    assert site.names() == {"Documents/a.txt"}
    assert not any(drive_id.startswith(archive.drive_id) for drive_id, _ in site.memory.entries())


def test_one_library_after_the_other_is_caught_up_before_any_is_listed(
    site: Site, server: GraphServer, drive: Drive
) -> None:
    """All of Graph is asked before the first page comes, so that a failing network does not leave half a listing."""
    server.state.site("sites/handbook").library("Archive").put("b.txt", b"x")
    drive.put("a.txt", b"x")
    server.state.fail(f"{server.state.drive('Archive').drive_id}/root/delta", status=503)
    pages = site.connector().list()
    with pytest.raises(TransientSourceError):
        next(pages)
    assert site.names() == {"Documents/a.txt", "Archive/b.txt"}


def test_expired_token_in_the_middle_is_the_error_of_the_source(site: Site, server: GraphServer, drive: Drive) -> None:
    """A 401 within a listing is an authentication error; with the token dropped, the listing resumes where it was."""
    server.state.knobs.largest_page = 10
    expected = fill(drive, 46)
    connector = site.connector()
    server.state.fail("/root/delta", status=401, code="InvalidAuthenticationToken", skip=2)
    with pytest.raises(AuthenticationError):
        listed(connector)
    server.state.revoke_tokens()
    assert connector.reauthenticate()
    server.state.forget_requests()
    found, end = listed(connector)
    assert set(found) == expected
    assert end == ListingEnd(complete=True)
    assert len(site.delta_requests()) == 3


@pytest.mark.parametrize("status", [401, 403, 404, 410, 423, 429, 500, 503])
def test_listing_that_fails_never_looks_complete(site: Site, server: GraphServer, drive: Drive, status: int) -> None:
    """Whatever goes wrong on whatever page, the listing is an error or names a gap: it proves nothing gone."""
    expected = fill(drive, 30)
    site.listed()
    server.state.knobs.largest_page = 10
    for page in range(3):
        server.state.expire_delta_tokens()
        server.state.fail("/root/delta", status=status, skip=page + 1, times=5)
        try:
            found, end = listed(site.connector())
        except IngestError:
            pass
        else:
            assert not end.complete or set(found) == expected
        server.state.faults.clear()
    assert site.names() == expected


# Answers that prove nothing


class ScriptedSession(GraphSession):
    """Answers each request with what a function makes of its number."""

    def __init__(self, answer: Callable[[int], dict[str, Any]]) -> None:
        self._answer = answer
        self.requests = 0

    def get(self, address: str) -> dict[str, Any]:
        self.requests += 1
        assert self.requests < 1000, "the listing goes on for ever"
        return self._answer(self.requests)

    def check_link(self, link: str | None) -> None:
        """Any link is taken."""


def catch_up(answer: Callable[[int], dict[str, Any]]) -> tuple[SourceAccessError, int]:
    """Enumerate a drive; returns the error and the number of requests. Nothing of it may have become whole."""
    session, memory = ScriptedSession(answer), VolatileMemory()
    with pytest.raises(SourceAccessError) as caught:
        DriveDelta(session, "d", DriveMirror(memory, "d"), 7).catch_up(time.time())
    assert memory.note("generation:d") is None
    return caught.value, session.requests


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"value": None},
        {"value": {}},
        {"value": ["a"]},
        {"value": [{"name": "no id"}]},
        {"value": []},
        {"value": [{"id": "1", "name": "a.txt", "file": {}}]},
    ],
    ids=["bare", "null", "object", "text", "no id", "no root", "items without the root"],
)
def test_answer_that_is_no_page_is_never_the_end(answer: dict[str, Any]) -> None:
    """A last page without its items, or an enumeration that names no root, completes nothing."""
    error, _ = catch_up(lambda _number: {**answer, "@odata.deltaLink": "https://graph/delta"})
    assert error.retryable
    assert "nothing was deleted" in error.hint


@pytest.mark.parametrize("items", [[], [{"id": "1", "name": "a.txt", "file": {}}]], ids=["empty", "the same"])
def test_pages_that_bring_nothing_end_as_a_failure(items: list[dict[str, Any]]) -> None:
    """Links that are new each time and lead to nothing new: the listing fails, and begins from its start later."""
    error, requests = catch_up(lambda number: {"value": items, "@odata.nextLink": f"https://graph/{number}"})
    assert (error.reason, error.retryable) == ("listing_stuck", False)
    assert requests <= 203
