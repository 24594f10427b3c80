"""From a pasted address to site, libraries and folder; and what is said when one of them is not there."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ingest_tui.connectors.base import Place
from ingest_tui.connectors.registry import get_connector
from ingest_tui.model.errors import SourceAccessError, TransientSourceError
from tests.graph_server.items import Drive
from tests.graph_server.running import GraphServer
from tests.unit.connectors.sharepoint.sharepoint_lab import SITE, connector_to, keys, listed


@pytest.fixture(autouse=True)
def libraries(server: GraphServer, drive: Drive) -> None:
    """Two libraries of the site, one of a subsite, one of the root site."""
    drive.put("Policies/2026/leave.txt", b"leave")
    drive.put("Policies/old.txt", b"old")
    drive.put("a.txt", b"a")
    server.state.site("sites/handbook").library("Archive", "Archive Library").put("b.txt", b"b")
    server.state.site("sites/handbook/payroll", "Payroll").library("Documents", "Shared Documents").put("p.txt", b"p")
    server.state.site("", "Home").library("Documents", "Shared Documents").put("home.txt", b"h")


def refused(server: GraphServer, **settings: Any) -> SourceAccessError:
    """Authenticate, which must fail with a way out."""
    with pytest.raises(SourceAccessError) as caught:
        asyncio.run(connector_to(server, **settings).authenticate())
    assert caught.value.hint
    return caught.value


def test_all_libraries_are_taken_when_none_is_named(server: GraphServer) -> None:
    """A site without further settings is all of its libraries, under their names."""
    assert keys(connector_to(server)) == {
        "Documents/Policies/2026/leave.txt", "Documents/Policies/old.txt", "Documents/a.txt", "Archive/b.txt"
    }  # fmt: skip


@pytest.mark.parametrize("name", ["Archive", "archive", "Archive Library"])
def test_library_is_found_by_name_and_by_address(server: GraphServer, name: str) -> None:
    """A library goes by its name and by what its address says, whatever the case."""
    assert keys(connector_to(server, library=[name])) == {"Archive/b.txt"}


def test_several_libraries_can_be_named(server: GraphServer) -> None:
    """Naming libraries takes these, each once."""
    assert len(keys(connector_to(server, library=["Archive", "Documents", "Shared Documents"]))) == 4


def test_unknown_library_names_those_there_are(server: GraphServer) -> None:
    """A library that is not there is an error naming the others, and never the default one."""
    error = refused(server, library=["Documnets"])
    assert error.reason == "library_not_found"
    assert "'Documnets'" in error.message
    assert "Documents, Archive" in error.hint


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("/Archive%20Library", {"Archive/b.txt"}),
        ("/archive%20library/Forms/AllItems.aspx", {"Archive/b.txt"}),
        ("/Shared%20Documents/Policies", {"Documents/Policies/2026/leave.txt", "Documents/Policies/old.txt"}),
        (
            "/Shared%20Documents/Forms/AllItems.aspx?id=%2Fsites%2Fhandbook%2FShared%20Documents%2Fpolicies%2F2026",
            {"Documents/Policies/2026/leave.txt"},
        ),
        ("/payroll", {"Documents/p.txt"}),
        ("/payroll/Shared%20Documents", {"Documents/p.txt"}),
    ],
)
def test_link_takes_what_it_shows(server: GraphServer, rest: str, expected: set[str]) -> None:
    """The address of a library, a folder or a subsite takes just that, with everything below it."""
    assert keys(connector_to(server, site=SITE + rest)) == expected


def test_root_site_and_its_library(server: GraphServer) -> None:
    """The site at the top of the host has no path."""
    for address in ("https://contoso.sharepoint.com", "contoso.sharepoint.com/Shared%20Documents/Forms/AllItems.aspx"):
        assert keys(connector_to(server, site=address)) == {"Documents/home.txt"}


def test_site_id_is_an_address_too(server: GraphServer) -> None:
    """Graph's own id of a site, as administrators have it, leads there."""
    site_id = server.state.site("sites/handbook").site_id
    assert "Archive/b.txt" in keys(connector_to(server, site=site_id))


def test_folder_limits_the_library(server: GraphServer) -> None:
    """A folder by name takes what is in it and below, whatever the case of its name."""
    assert keys(connector_to(server, library=["Documents"], folder="/policies/2026/")) == {
        "Documents/Policies/2026/leave.txt"
    }


def test_opaque_sharing_link_is_resolved_by_graph(server: GraphServer, drive: Drive) -> None:
    """A link that says nothing is asked about; one that leads to a file, or to nothing for us, is reported."""
    folder, file = drive.at("Policies/2026"), drive.at("a.txt")
    folder.extra["webUrl"] = f"{SITE}/Shared%20Documents/Policies/2026"
    links = [f"https://contoso.sharepoint.com/:f:/s/handbook/{name}" for name in ("Efolder", "Efile", "Eother")]
    server.state.shares = {links[0]: (drive, folder), links[1]: (drive, file)}
    assert keys(connector_to(server, site=f"{links[0]}?e=a1")) == {"Documents/Policies/2026/leave.txt"}
    assert "leads to a file" in refused(server, site=links[1]).message
    error = refused(server, site=links[2])
    assert "403 accessDenied" in error.message
    assert "browser" in error.hint


def test_link_to_a_file_is_no_source(server: GraphServer) -> None:
    """The address of a document is refused with what to give instead."""
    assert "not a folder" in refused(server, site=f"{SITE}/Shared%20Documents/a.txt").message


def test_folder_that_is_gone_is_reported(server: GraphServer) -> None:
    """A renamed folder is an error, not an empty source."""
    error = refused(server, library=["Documents"], folder="Policies/2025")
    assert error.reason == "folder_not_found"
    assert "nothing was deleted" in error.hint


def test_contradictions_are_reported(server: GraphServer) -> None:
    """A folder of several libraries, and an address that says something else than the settings."""
    assert refused(server, folder="Policies").reason == "folder_ambiguous"
    link = f"{SITE}/Shared%20Documents/Policies"
    assert refused(server, site=link, library=["Archive"]).reason == "library_conflict"
    assert refused(server, site=link, folder="Other").reason == "folder_conflict"
    assert len(keys(connector_to(server, site=link, library=["Documents"], folder="policies"))) == 2


def test_unknown_site_host_and_segment_are_reported(server: GraphServer) -> None:
    """What is not there is named as it was asked for, with Graph's own words."""
    error = refused(server, site="https://contoso.sharepoint.com/sites/nowhere")
    assert "contoso.sharepoint.com/sites/nowhere" in error.message
    assert "404 itemNotFound" in error.message
    assert "Invalid hostname" in refused(server, site="https://fabrikam.sharepoint.com").message
    assert refused(server, site=f"{SITE}/Nothing").reason == "library_not_found"


def test_missing_grant_is_reported(server: GraphServer) -> None:
    """With Sites.Selected and no grant for the site, the hint says so."""
    server.state.site("sites/handbook").granted = False
    error = refused(server)
    assert error.reason == "forbidden"
    assert "not granted" in error.hint
    assert "docs/sharepoint.md#grant" in error.hint
    server.state.knobs.roles = ["Sites.Read.All"]
    server.state.revoke_tokens()
    assert keys(connector_to(server))


def test_missing_permission_is_reported(server: GraphServer) -> None:
    """Without any permission in the token, the hint names the one to add."""
    server.state.knobs.roles = []
    assert "Sites.Selected" in refused(server).hint


def test_site_of_another_cloud_is_reported_before_asking(server: GraphServer) -> None:
    """A host of GCC High with a worldwide credential cannot work, and says why."""
    error = refused(server, site="https://contoso.sharepoint.us/sites/handbook")
    assert error.reason == "wrong_cloud"
    assert "gcc-high" in error.hint
    assert server.state.requests("graph") == []


def test_throttled_while_looking_for_the_site(server: GraphServer) -> None:
    """Throttling is throttling wherever it comes."""
    for match in ("/sites/contoso", "/drives", "root:/Policies"):
        server.state.fail(match, status=429, retry_after=3)
        with pytest.raises(TransientSourceError) as caught:
            asyncio.run(connector_to(server, library=["Documents"], folder="Policies").authenticate())
        assert caught.value.retry_after == 3


def test_many_libraries_come_on_several_pages(server: GraphServer) -> None:
    """All libraries of a site are taken, however many."""
    site = server.state.site("sites/many")
    for number in range(30):
        site.library(f"Library {number}").put("a.txt", b"x")
    assert len(keys(connector_to(server, site="https://contoso.sharepoint.com/sites/many"))) == 30


def test_browsing_goes_from_libraries_into_folders(server: GraphServer, drive: Drive) -> None:
    """Libraries first, then what is directly in a folder, with odd names as they are; no listing is made."""
    drive.put("Policies/100% #1.txt", b"x")
    connector = connector_to(server)
    assert [place.path for place in connector.browse()] == ["Documents", "Archive"]
    assert [(place.name, place.kind) for place in connector.browse("Documents")] == [
        ("Policies", "folder"), ("a.txt", "item")
    ]  # fmt: skip
    inside = list(connector.browse("Documents/Policies"))
    assert [place.path for place in inside] == [
        "Documents/Policies/100% #1.txt", "Documents/Policies/2026", "Documents/Policies/old.txt"
    ]  # fmt: skip
    assert isinstance(inside[0], Place)
    assert inside[0].size == 1
    assert server.state.requests("graph", "delta") == []


def test_browsing_pages_lazily(server: GraphServer, drive: Drive) -> None:
    """A folder with very many items is asked for page by page."""
    for number in range(500):
        drive.put(f"many/{number:04}.txt", b"")
    places = connector_to(server).browse("Documents/many")
    assert next(places).name == "0000.txt"
    assert len(server.state.requests("graph", "children")) == 1
    assert len(list(places)) == 499


def test_browsing_what_is_not_there_is_reported(server: GraphServer) -> None:
    """An unknown library names the others; an unknown folder is not found."""
    with pytest.raises(SourceAccessError, match="no library 'Nothing'"):
        list(connector_to(server).browse("Nothing"))
    with pytest.raises(SourceAccessError, match="404 itemNotFound"):
        list(connector_to(server).browse("Documents/Nothing"))


def test_source_test_shows_what_it_found(server: GraphServer) -> None:
    """The steps name permissions, site and libraries; none of them goes through a whole library."""
    steps = {step.name: step.message for step in connector_to(server).test_steps()}
    assert "Sites.Selected" in steps["sign in"]
    assert "Handbook" in steps["site"]
    assert "2 of 2: Documents, Archive" in steps["libraries"]
    assert len(server.state.requests("graph", "delta")) == 1


def test_source_test_of_a_folder_reads_from_it(server: GraphServer) -> None:
    """With a folder, the sample comes from the folder."""
    connector = connector_to(server, library=["Documents"], folder="Policies")
    steps = {step.name: step.message for step in connector.test_steps()}
    assert "folder Policies" in steps["libraries"]
    assert "old.txt" in steps["read"]


def test_source_test_stops_where_it_fails(server: GraphServer, drive: Drive) -> None:
    """A wrong library fails at the site, a closed one at the listing, each with its hint."""
    steps = list(connector_to(server, library=["x"]).test_steps())
    assert [(step.name, step.ok) for step in steps] == [("sign in", True), ("site", False)]
    assert "Documents, Archive" in steps[-1].hint
    drive.status = (403, "accessDenied")
    steps = list(connector_to(server, library=["Documents"]).test_steps())
    assert [(step.name, step.ok) for step in steps][-1] == ("list", False)


def test_sample_knows_a_library_by_any_of_its_names(server: GraphServer, drive: Drive) -> None:
    """By its name, by what its address says, or by its id: the same items come, and none is explained away."""
    for name in ("Documents", "documents", "Shared Documents", drive.drive_id):
        connector = connector_to(server, library=[name])
        found = [item.key for item in connector.sample()]
        assert found
        assert found == [item.key for item in connector_to(server, library=["Documents"]).sample()]
        assert [connector.explain_left_out(key) for key in found] == [None] * len(found)
        assert connector_to(server, library=[name]).explain_left_out(found[0]) is None, "before the site was asked"
        assert "only the library" in (connector.explain_left_out("Archive/b.txt") or "")


def test_key_of_an_address() -> None:
    """An address that was never listed is known to be of the source by its beginning, however it is written."""

    def key_of(address: str, site: str = SITE) -> str | None:
        return get_connector("sharepoint", {"site": site, "credential": "x"}).key_of(address)

    assert key_of(f"{SITE}/Shared%20Documents/a/b%23.md") == "Documents/a/b#.md"
    assert key_of(f"{SITE.upper()}/Archive/a.md") == "Archive/a.md"
    assert key_of(f"{SITE}/Archive/a.md", f"{SITE}/Archive") == "Archive/a.md"
    assert key_of(f"{SITE}/Shared%20Documents/a.md", f"{SITE}/Archive") is None
    for other in (
        SITE,
        f"{SITE}/Archive",
        f"{SITE}2/Archive/a.md",
        "https://x.sharepoint.com/A/b.md",
        "a",
    ):
        assert key_of(other) is None


def test_settings_explain_what_is_left_out(server: GraphServer) -> None:
    """`doc explain` learns from the settings why a key is not listed."""
    connector = connector_to(server, library=["Documents"], folder="Policies", exclude=["drafts/", "*.tmp"])
    assert "only the library Documents" in (connector.explain_left_out("Archive/b.txt") or "")
    assert "only the folder Policies" in (connector.explain_left_out("Documents/a.txt") or "")
    assert "drafts is excluded" in (connector.explain_left_out("Documents/Policies/drafts/a.txt") or "")
    assert "patterns" in (connector.explain_left_out("Documents/Policies/a.tmp") or "")
    assert connector.explain_left_out("Documents/Policies/a.txt") is None


def test_closed_library_is_a_gap_and_not_the_end(server: GraphServer, drive: Drive) -> None:
    """One locked or forbidden library does not end the others, and proves nothing gone."""
    for status, code in ((403, "accessDenied"), (423, "resourceLocked"), (404, "itemNotFound")):
        drive.status = (status, code)
        found, end = listed(connector_to(server))
        assert set(found) == {"Archive/b.txt"}
        assert not end.complete
        assert [key for key, _ in end.gaps] == ["Documents"]
        assert str(status) in end.gaps[0][1]


def test_no_readable_library_is_the_error_of_the_source(server: GraphServer, drive: Drive) -> None:
    """When every library is closed, nothing was listed, and that is said as an error."""
    drive.status = server.state.drive("Archive").status = (403, "accessDenied")
    with pytest.raises(SourceAccessError) as caught:
        listed(connector_to(server))
    assert caught.value.reason == "forbidden"


def test_a_sample_comes_folder_by_folder_without_a_listing(server: GraphServer, drive: Drive) -> None:
    """What would be taken shows itself soon: no delta is asked for, patterns, folder and size are respected."""
    connector = connector_to(server, exclude=("old.txt",))
    assert [item.key for item in connector.sample()] == [
        "Documents/a.txt", "Documents/Policies/2026/leave.txt", "Archive/b.txt"
    ]  # fmt: skip
    inside = connector_to(server, library=("Documents",), folder="Policies/2026")
    assert [item.key for item in inside.sample()] == ["Documents/Policies/2026/leave.txt"]
    assert server.state.requests("graph", "delta") == []
    listed_alike, _end = listed(connector_to(server))
    assert all(listed_alike[item.key].fingerprint == item.fingerprint for item in connector.sample())
    assert type(connector).settings_of_place({}, "Documents/Policies/2026") == {
        "library": ["Documents"], "folder": "Policies/2026"
    }  # fmt: skip
