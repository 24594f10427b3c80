"""Fetching files: from addresses that do not last, over connections that break, of files that change."""

from __future__ import annotations

import logging
import random

import pytest

from ingest_tui.connectors.sharepoint.connector import SharePointConnector
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.errors import AuthenticationError, IngestError, ItemChangedError, ItemError, TransientItemError
from tests.graph_server.items import Drive
from tests.graph_server.running import GraphServer
from tests.unit.connectors.sharepoint.sharepoint_lab import Site, connector_to, fetched, listed

CONTENT = random.Random(1).randbytes(3_072_000)

Item = tuple[SharePointConnector, Descriptor]


@pytest.fixture
def item(server: GraphServer, drive: Drive) -> Item:
    """A file of 3 MB, listed."""
    drive.put("big.bin", CONTENT)
    connector = connector_to(server)
    return connector, listed(connector)[0]["Documents/big.bin"]


def failure(item: Item, offset: int = 0) -> ItemError:
    """Fetch, which must fail; no address is named in what is said."""
    with pytest.raises(ItemError) as caught:
        fetched(*item, offset)
    error = caught.value
    assert "tempauth" not in f"{error!r} {error.as_dict()} {error.__cause__!r}"
    assert error.__suppress_context__ or error.__context__ is None
    assert error.message.isprintable()
    return error


def received_before_failing(item: Item, offset: int = 0) -> tuple[bytes, ItemError]:
    """Fetch until it fails; returns what came and the error."""
    connector, descriptor = item
    came: list[bytes] = []
    with connector.fetch(descriptor, offset) as pieces, pytest.raises(ItemError) as caught:
        came.extend(pieces)
    assert "tempauth" not in f"{caught.value!r}"
    return b"".join(came), caught.value


# Addresses that do not last


def test_each_fetch_gets_an_address_of_its_own(server: GraphServer, item: Item) -> None:
    """An address is asked for when it is needed: however long a listing waits, the first bytes come."""
    server.state.expire_downloads()
    for _ in range(2):
        assert fetched(*item) == CONTENT
    assert len(server.state.requests("downloads")) == 2


@pytest.mark.parametrize("status", [401, 403, 404])
def test_refused_address_is_refreshed_once(server: GraphServer, item: Item, status: int) -> None:
    """An address that is refused before it could be used is asked for again, once."""
    server.state.fail("/download", service="downloads", status=status)
    assert fetched(*item) == CONTENT
    server.state.fail("/download", service="downloads", status=status, times=5)
    error = failure(item)
    assert error.reason == "forbidden"
    assert str(status) in error.message


def test_missing_address_is_taken_from_the_redirect(server: GraphServer, item: Item) -> None:
    """Where the item does not name an address, its content redirects to one."""
    server.state.knobs.name_download_address = False
    assert fetched(*item) == CONTENT
    assert len(server.state.requests("graph", "/content")) == 1


def test_expired_address_in_the_middle_is_resumed(server: GraphServer, item: Item) -> None:
    """A body that breaks off is reported as cut; continuing from there gets a new address and only the rest."""
    server.state.knobs.cut_after = 1_500_000
    came, error = received_before_failing(item)
    assert isinstance(error, TransientItemError)
    assert error.reason == "network"
    assert 0 < len(came) < len(CONTENT)
    server.state.expire_downloads()
    server.state.forget_requests()
    assert came + fetched(*item, len(came)) == CONTENT
    (asked,) = server.state.requests("downloads")
    assert asked.headers["range"] == f"bytes={len(came)}-"


def test_resume_can_break_off_again(server: GraphServer, item: Item) -> None:
    """However often the connection is cut, what came is kept and the rest follows."""
    server.state.knobs.cut_after, server.state.knobs.cut_times = 1_200_000, 2
    came, _ = received_before_failing(item)
    more, _ = received_before_failing(item, len(came))
    assert more
    assert came + more + fetched(*item, len(came) + len(more)) == CONTENT


@pytest.mark.parametrize("offset", [1, 1_000_000, len(CONTENT) - 1])
def test_ignored_range_is_skipped(server: GraphServer, item: Item, offset: int) -> None:
    """A 200 to a range brings everything again, of which the known part is passed over."""
    server.state.knobs.ignore_range = True
    assert fetched(*item, offset) == CONTENT[offset:]


def test_range_behind_the_end_is_the_end(server: GraphServer, item: Item) -> None:
    """Everything was there when the connection broke: the 416 says so."""
    assert fetched(*item, len(CONTENT)) == b""
    assert failure(item, len(CONTENT) + 1).reason == "changed_while_read"


def test_range_of_something_else_is_refused(server: GraphServer, drive: Drive, item: Item) -> None:
    """The rest of a file that changed since is not joined to the beginning of the old one."""
    server.state.knobs.cut_after = 1_500_000
    came, _ = received_before_failing(item)
    drive.put("big.bin", CONTENT[::-1])
    assert failure(item, len(came)).reason == "changed_while_read"


# What comes is checked


@pytest.mark.parametrize("chunked", [False, True])
def test_cut_body_is_never_taken_for_the_file(server: GraphServer, item: Item, chunked: bool) -> None:
    """A body that ends too early is an error, at whatever byte, and whether or not its length was announced."""
    server.state.knobs.chunked = chunked
    assert fetched(*item) == CONTENT
    for cut in (1, 65_536, 2_000_000, len(CONTENT) - 1):
        server.state.knobs.cut_after, server.state.knobs.cut_times = cut, 1
        assert failure(item).reason == "network"


@pytest.mark.parametrize("hashes", [True, False])
def test_change_while_reading_is_reported(server: GraphServer, drive: Drive, hashes: bool) -> None:
    """A file that changes under the reader, keeping its size, is reported, with checksums and without."""
    server.state.knobs.hashes = hashes
    server.state.knobs.slow_after = 1_500_000
    drive.put("big.bin", CONTENT)
    connector = connector_to(server)
    descriptor = listed(connector)[0]["Documents/big.bin"]
    with connector.fetch(descriptor) as pieces:
        next(pieces)
        drive.put("big.bin", CONTENT[::-1])
        with pytest.raises(ItemError) as caught:
            list(pieces)
    assert caught.value.reason == "changed_while_read"


def test_change_since_the_listing_is_fetched_as_what_it_is_now(server: GraphServer, drive: Drive, item: Item) -> None:
    """Other bytes are never given for the listed ones: the error describes the item as it is, to be fetched instead."""
    drive.put("big.bin", b"now")
    connector, descriptor = item
    with pytest.raises(ItemChangedError) as caught:
        fetched(connector, descriptor)
    now = caught.value.now
    assert now is not None
    assert now == listed(connector)[0]["Documents/big.bin"]
    assert fetched(connector, now) == b"now"


@pytest.mark.parametrize(
    "lie",
    [
        {"size": 17},
        {"file": {"hashes": {"quickXorHash": f"{'B' * 27}="}}},
        {"size": 5_000_000, "file": {"hashes": {"quickXorHash": f"{'C' * 27}="}}},
    ],
)
def test_rewritten_office_file_does_not_loop(server: GraphServer, drive: Drive, lie: dict[str, object]) -> None:
    """SharePoint names another size or checksum than it gives: the bytes are taken, and unchanged is unchanged."""
    site = Site(server)
    drive.put("report.docx", b"as it was rewritten on upload")
    drive.at("report.docx").extra |= lie
    first = site.listed()["Documents/report.docx"]
    server.state.forget_requests()
    assert fetched(site.connector(), first) == b"as it was rewritten on upload"
    assert len(server.state.requests("downloads")) == 1
    assert site.listed()["Documents/report.docx"].fingerprint == first.fingerprint


@pytest.mark.parametrize(
    ("lie", "reason"),
    [
        ({"file": {"hashes": {"quickXorHash": f"{'B' * 27}="}}}, "checksum_mismatch"),
        ({"size": 17, "file": {"hashes": {}}}, "checksum_mismatch"),
        ({"size": 17}, None),
    ],
    ids=["checksum", "size", "size with a right checksum"],
)
def test_damaged_file_is_not_taken_however_often_it_comes_like_that(
    server: GraphServer, drive: Drive, lie: dict[str, object], reason: str | None
) -> None:
    """What SharePoint does not rewrite has to have the checksum that it names, or the size where it names none."""
    drive.put("notes.txt", b"as it is")
    drive.at("notes.txt").extra |= lie
    connector = connector_to(server)
    descriptor = listed(connector)[0]["Documents/notes.txt"]
    for _ in range(3):
        if reason is None:
            assert fetched(connector, descriptor) == b"as it is"
            continue
        with pytest.raises(ItemError) as caught:
            fetched(connector, descriptor)
        assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("name", "extra", "expected"),
    [
        ("a.txt", {}, "quickxor"),
        ("a.txt", {"file": {"hashes": {}}}, "none"),
        ("a.docx", {"file": {"hashes": {"quickXorHash": f"{'B' * 27}="}}}, "differs"),
        ("a.docx", {}, "quickxor"),
    ],
)
def test_record_says_what_was_compared(
    server: GraphServer, drive: Drive, name: str, extra: dict[str, object], expected: str
) -> None:
    """The origin names the sum that the bytes have, or says that there was none, or that they differ from it."""
    drive.put(name, b"as it is")
    drive.at(name).extra |= extra
    connector = connector_to(server)
    descriptor = listed(connector)[0][f"Documents/{name}"]
    assert fetched(connector, descriptor) == b"as it is"
    assert connector.origin(descriptor)["checksum"] == expected
    assert connector.origin(descriptor) == descriptor.metadata, "it is said once"


def test_download_that_was_cut_is_checked_as_a_whole(server: GraphServer, drive: Drive) -> None:
    """What came before a cut and what came after it are compared together: damage needs more than a cut to get in."""
    drive.put("big.bin", CONTENT)
    connector = connector_to(server)
    descriptor = listed(connector)[0]["Documents/big.bin"]
    server.state.knobs.cut_after, server.state.knobs.cut_times = 2_000_000, 1
    arrived: list[bytes] = []
    with pytest.raises(TransientItemError), connector.fetch(descriptor) as pieces:
        arrived.extend(pieces)
    begun = b"".join(arrived)
    with connector.fetch(descriptor, len(begun)) as pieces:
        assert begun + b"".join(pieces) == CONTENT
    assert connector.origin(descriptor)["checksum"] == "quickxor"


def test_matching_checksum_costs_no_further_request(server: GraphServer, item: Item) -> None:
    """An ordinary fetch is one question to Graph and one download."""
    server.state.forget_requests()
    fetched(*item)
    assert [asked.service for asked in server.state.asked] == ["graph", "downloads"]


# Items that cannot be had


@pytest.mark.parametrize(
    ("status", "code", "reason", "passing"),
    [
        (423, "resourceLocked", "locked", True),
        (403, "accessDenied", "forbidden", False),
        (404, "itemNotFound", "not_found", False),
    ],
)
def test_item_that_cannot_be_had_is_an_outcome(
    drive: Drive, item: Item, status: int, code: str, reason: str, passing: bool
) -> None:
    """One locked, forbidden or vanished item fails for itself, with a hint where there is something to do."""
    drive.at("big.bin").status = (status, code)
    error = failure(item)
    assert (error.reason, error.retryable) == (reason, passing)
    assert reason == "not_found" or error.hint


def test_malware_found_since_the_listing(server: GraphServer, drive: Drive, item: Item) -> None:
    """An infected file is reported as such, whether its properties or its content say so."""
    drive.at("big.bin").extra["malware"] = {}
    assert failure(item).reason == "malware"
    del drive.at("big.bin").extra["malware"]
    server.state.fail("/items/", status=400, code="invalidRequest", inner_code="malwareDetected")
    assert failure(item).reason == "malware"


def test_file_that_became_a_folder(drive: Drive, item: Item) -> None:
    """An id that stands for something else now is not found as a file."""
    drive.at("big.bin").extra |= {"file": None, "folder": {}}
    assert failure(item).reason == "not_found"


def test_refused_token_while_fetching_is_the_error_of_the_source(server: GraphServer, item: Item) -> None:
    """A token that expired within the run is refused once; with a new one everything goes on."""
    connector, descriptor = item
    server.state.revoke_tokens()
    with pytest.raises(AuthenticationError):
        fetched(connector, descriptor)
    assert connector.reauthenticate() is True
    assert fetched(connector, descriptor) == CONTENT


@pytest.mark.parametrize("service", ["graph", "downloads"])
def test_throttled_fetch_says_how_long(server: GraphServer, item: Item, service: str) -> None:
    """Both hosts throttle, and both say for how long."""
    server.state.fail("/", service=service, status=429, retry_after=9)
    error = failure(item)
    assert isinstance(error, TransientItemError)
    assert (error.reason, error.retry_after) == ("throttled", 9)
    assert fetched(*item) == CONTENT


@pytest.mark.parametrize("service", ["graph", "downloads"])
@pytest.mark.parametrize("fault", [{"action": "close"}, {"status": 500}, {"status": 503}])
def test_failing_fetch_may_work_later(server: GraphServer, item: Item, service: str, fault: dict[str, object]) -> None:
    """A broken connection or a failing server while one item is fetched concerns that item, for now."""
    server.state.fail("/", service=service, **fault)
    assert failure(item).retryable
    assert fetched(*item) == CONTENT


def test_download_host_out_of_reach(server: GraphServer, item: Item) -> None:
    """A firewall that lets Graph through and not SharePoint is named as the place that fails."""
    server.state.downloads_url = "http://127.0.0.1:1"
    error = failure(item)
    assert error.retryable
    assert "download service" in error.message


def test_no_error_names_an_address(server: GraphServer, item: Item, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever fails wherever, neither error nor log holds a pre-authenticated address."""
    caplog.set_level(logging.DEBUG)
    for service in ("graph", "downloads"):
        for status in (400, 401, 402, 403, 404, 409, 410, 418, 423, 429, 500, 502, 503, 504, 509):
            server.state.faults.clear()
            server.state.fail("/", service=service, status=status, times=3)
            with pytest.raises(IngestError) as caught:
                fetched(*item)
            assert "tempauth" not in f"{caught.value!r}{caught.value.as_dict()}{caught.value.__cause__!r}"
    assert "tempauth" not in caplog.text


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(server: GraphServer, drive: Drive) -> None:
    """A large file passes in pieces: what is held at once is a few of them."""
    import tracemalloc

    drive.put("huge.bin", b"x" * 20_000_000)
    connector = connector_to(server)
    descriptor = listed(connector)[0]["Documents/huge.bin"]
    with connector.fetch(descriptor) as pieces:
        next(pieces)
        tracemalloc.start()
        total = sum(len(piece) for piece in pieces)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert total > 18_000_000
    assert peak < 8_000_000
