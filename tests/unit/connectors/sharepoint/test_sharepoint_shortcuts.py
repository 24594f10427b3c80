"""Shortcuts to other libraries, for sources that follow them."""

from __future__ import annotations

import pytest

from ingest_tui.model.errors import TransientSourceError
from tests.graph_server.items import Drive, Item
from tests.graph_server.running import GraphServer
from tests.unit.connectors.sharepoint.sharepoint_lab import Site, connector_to, fetched, keys, listed


@pytest.fixture
def other(server: GraphServer) -> Drive:
    """A library of another site."""
    other = server.state.site("sites/other", "Other").library("Shared")
    other.put("Project/plan.txt", b"plan")
    other.put("Project/deep/er.txt", b"deeper")
    other.put("Project/deep/er.tmp", b"tmp")
    other.put("single.txt", b"single")
    return other


def add_shortcut(drive: Drive, name: str, other: Drive, target: Item) -> Item:
    """Put a shortcut to an item of another library."""
    shortcut = drive.put(name, b"")
    facet = "folder" if target.folder else "file"
    shortcut.extra = {
        "file": None,
        "remoteItem": {"id": target.item_id, facet: {}, "parentReference": {"driveId": other.drive_id}},
    }
    return shortcut


def test_shortcuts_are_followed_only_when_asked(server: GraphServer, drive: Drive, other: Drive) -> None:
    """Without the setting a shortcut is one refused item; with it, what it leads to is under its name."""
    add_shortcut(drive, "links/Project", other, other.at("Project"))
    add_shortcut(drive, "links/single.txt", other, other.at("single.txt"))
    plain = listed(connector_to(server, library=["Documents"]))[0]
    assert {key: (one.refusal or ("",))[0] for key, one in plain.items()} == {
        "Documents/links/Project": "shortcut",
        "Documents/links/single.txt": "shortcut",
    }
    connector = connector_to(server, follow_shortcuts=True, exclude=["*.tmp"])
    found = listed(connector)[0]
    assert {key: fetched(connector, descriptor) for key, descriptor in found.items()} == {
        "Documents/links/Project/plan.txt": b"plan",
        "Documents/links/Project/deep/er.txt": b"deeper",
        "Documents/links/single.txt": b"single",
    }
    assert len({descriptor.uri for descriptor in found.values()}) == 3


def test_excluded_folder_behind_a_shortcut_is_left_out(server: GraphServer, drive: Drive, other: Drive) -> None:
    """Patterns hold behind shortcuts as everywhere."""
    add_shortcut(drive, "Project", other, other.at("Project"))
    assert keys(connector_to(server, follow_shortcuts=True, exclude=["deep/"])) == {"Documents/Project/plan.txt"}


def test_shortcuts_in_circles_end(server: GraphServer, drive: Drive, other: Drive) -> None:
    """A shortcut behind a shortcut is not followed, so nothing leads round in circles."""
    add_shortcut(drive, "Project", other, other.at("Project"))
    add_shortcut(other, "Project/back", drive, drive.root)
    found = listed(connector_to(server, follow_shortcuts=True))[0]
    assert (found["Documents/Project/back"].refusal or ("",))[0] == "shortcut"


def test_changes_behind_a_shortcut_are_seen(server: GraphServer, drive: Drive, other: Drive) -> None:
    """What a shortcut leads to is looked at by every listing, because no delta tells of it."""
    site = Site(server, follow_shortcuts=True)
    add_shortcut(drive, "Project", other, other.at("Project"))
    before = site.listed()
    other.put("Project/plan.txt", b"new plan")
    other.remove("Project/deep")
    after = site.listed()
    assert set(after) == {"Documents/Project/plan.txt"}
    key = "Documents/Project/plan.txt"
    assert after[key].fingerprint != before[key].fingerprint


def test_dangling_shortcut_is_refused(server: GraphServer, drive: Drive, other: Drive) -> None:
    """What a shortcut leads to is gone: that is no gap, and no end of the listing."""
    add_shortcut(drive, "Project", other, other.at("Project"))
    other.remove("Project")
    found, end = listed(connector_to(server, follow_shortcuts=True))
    assert end.complete
    assert "gone" in (found["Documents/Project"].refusal or ("", ""))[1]


@pytest.mark.parametrize("status", [(403, "accessDenied"), (423, "resourceLocked")])
def test_closed_target_is_a_gap(server: GraphServer, drive: Drive, other: Drive, status: tuple[int, str]) -> None:
    """A target that we may not look into proves nothing gone."""
    add_shortcut(drive, "Project", other, other.at("Project"))
    drive.put("a.txt", b"x")
    other.status = status
    found, end = listed(connector_to(server, follow_shortcuts=True))
    assert set(found) == {"Documents/a.txt"}
    assert [key for key, _ in end.gaps] == ["Documents/Project"]


def test_shortcut_that_says_nothing_is_a_gap(server: GraphServer, drive: Drive) -> None:
    """A shortcut without a target is named."""
    drive.put("Project", b"").extra = {"file": None, "remoteItem": {}}
    _, end = listed(connector_to(server, follow_shortcuts=True))
    assert [key for key, _ in end.gaps] == ["Documents/Project"]


def test_throttled_target_is_tried_again(server: GraphServer, drive: Drive, other: Drive) -> None:
    """Throttling behind a shortcut is throttling, not a gap."""
    add_shortcut(drive, "Project", other, other.at("Project"))
    server.state.fail("/children", status=429, retry_after=4)
    with pytest.raises(TransientSourceError) as caught:
        listed(connector_to(server, follow_shortcuts=True))
    assert caught.value.retry_after == 4
