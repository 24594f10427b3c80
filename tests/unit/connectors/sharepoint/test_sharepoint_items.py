"""What items are, where they are, and which of them are not to be fetched."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_tui.connectors.sharepoint.items import DriveItem, decode_item, encode_item, fingerprint_of, read_item
from ingest_tui.connectors.sharepoint.tree import FolderTree
from ingest_tui.model.descriptor import ListingEnd
from tests.graph_server.items import Drive
from tests.graph_server.running import GraphServer
from tests.unit.connectors.sharepoint.sharepoint_lab import Site, connector_to, fetched, keys, listed

EMPTY_HASH = "AAAAAAAAAAAAAAAAAAAAAAAAAAA="

# Refusals that the listing knows of


def lay_over(drive: Drive, path: str, **extra: Any) -> None:
    """Lay properties over the JSON of an item."""
    drive.at(path).extra |= extra
    drive.change(drive.at(path))


def test_notebook_is_refused_and_not_looked_into(server: GraphServer, drive: Drive) -> None:
    """A OneNote notebook has both facets; it is one refused item, and the sections in it are not listed."""
    drive.put("Notes/Section.one", b"one")
    drive.put("Notes/Group/Other.one", b"one")
    lay_over(drive, "Notes", package={"type": "oneNote"})
    found, end = listed(connector_to(server))
    assert {key: (descriptor.refusal or ("", ""))[0] for key, descriptor in found.items()} == {
        "Documents/Notes": "onenote_package"
    }
    assert end == ListingEnd(complete=True)


def test_other_packages_are_refused_under_their_type(server: GraphServer, drive: Drive) -> None:
    """What Microsoft will think of next is refused by what it calls it."""
    drive.make_folder("Board")
    lay_over(drive, "Board", package={"type": "white\x1bboard"})
    ((_, descriptor),) = listed(connector_to(server))[0].items()
    reason, detail = descriptor.refusal or ("", "")
    assert reason == "package"
    assert "white\\x1bboard" in detail


def test_malware_and_shortcuts_are_refused_by_the_listing(server: GraphServer, drive: Drive) -> None:
    """What Microsoft found infected, and what leads elsewhere, is never fetched."""
    drive.put("bad.docx", b"x")
    lay_over(drive, "bad.docx", malware={"description": "Virus:Test"})
    drive.put("link", b"x")
    lay_over(drive, "link", file=None, remoteItem={"id": "1", "folder": {}, "parentReference": {"driveId": "2"}})
    found = listed(connector_to(server))[0]
    assert {key: (descriptor.refusal or ("", ""))[0] for key, descriptor in found.items()} == {
        "Documents/bad.docx": "malware",
        "Documents/link": "shortcut",
    }


def test_item_without_any_facet_is_refused(server: GraphServer, drive: Drive) -> None:
    """What is neither file nor folder cannot be fetched."""
    drive.put("odd", b"x")
    lay_over(drive, "odd", file=None)
    assert (listed(connector_to(server))[0]["Documents/odd"].refusal or ("",))[0] == "special_file"


def test_zero_byte_file_is_an_ordinary_item(server: GraphServer, drive: Drive) -> None:
    """An empty file is listed and fetched; that there is nothing in it is found where text is looked for."""
    drive.put("empty.txt", b"")
    connector = connector_to(server)
    descriptor = listed(connector)[0]["Documents/empty.txt"]
    assert (descriptor.size, descriptor.refusal) == (0, None)
    assert fetched(connector, descriptor) == b""


def test_cleaned_file_is_taken_again(server: GraphServer, drive: Drive) -> None:
    """When the finding is gone, so is the refusal."""
    site = Site(server)
    drive.put("bad.docx", b"x")
    lay_over(drive, "bad.docx", malware={})
    assert site.listed()["Documents/bad.docx"].refusal
    lay_over(drive, "bad.docx", malware=None)
    assert site.listed()["Documents/bad.docx"].refusal is None


# Fingerprints


def test_background_work_changes_no_fingerprint(server: GraphServer, drive: Drive) -> None:
    """A new eTag without new content, as indexing and labels give, is no change where there is a hash."""
    site = Site(server)
    drive.put("a.docx", b"content")
    before = site.listed()["Documents/a.docx"]
    drive.change(drive.at("a.docx"))
    after = site.listed()["Documents/a.docx"]
    assert after.fingerprint == before.fingerprint
    assert (after.metadata or {})["etag"] != (before.metadata or {})["etag"]


def test_without_hashes_the_etag_tells(server: GraphServer, drive: Drive) -> None:
    """Every hash is optional: without one, whatever changes the eTag is a change."""
    server.state.knobs.hashes = False
    site = Site(server)
    drive.put("a.docx", b"content")
    before = site.listed()["Documents/a.docx"]
    assert site.listed()["Documents/a.docx"].fingerprint == before.fingerprint
    drive.put("a.docx", b"CONTENT")
    assert site.listed()["Documents/a.docx"].fingerprint != before.fingerprint


def test_fingerprint_names_hash_size_and_item() -> None:
    """Same size and other content, same content and other size, same both and other item: all differ."""
    item = DriveItem("p", "n", "file", 3, None, "h", "e")
    others = [item._replace(content_hash="i"), item._replace(size=4), item._replace(content_hash="")]
    assert len({fingerprint_of(one, "1") for one in (item, *others)} | {fingerprint_of(item, "2")}) == 5


# Reading JSON in which anything may be missing

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.slow
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "id": st.text(),
            "name": st.text() | st.none(),
            "size": json_values,
            "eTag": st.text() | st.none(),
            "lastModifiedDateTime": json_values,
            "parentReference": st.none() | st.fixed_dictionaries({}, optional={"id": st.text(), "driveId": st.text()}),
            "file": st.none() | st.fixed_dictionaries({}, optional={"hashes": st.none() | st.just({})}),
            "folder": st.none() | st.just({}),
            "package": st.none() | st.fixed_dictionaries({}, optional={"type": st.text()}),
            "remoteItem": st.none() | st.fixed_dictionaries({}, optional={"id": st.text(), "folder": st.just({})}),
            "malware": st.none() | st.just({}),
        },
    )
)
def test_any_item_can_be_read_and_remembered(raw: dict[str, Any]) -> None:
    """However little Graph tells, an item comes of it, and its compact form gives the same item back."""
    item = read_item(raw)
    assert decode_item(encode_item(item)) == item
    assert encode_item(item).isascii()


def test_lone_surrogates_in_names_survive() -> None:
    """Half an emoji in a name is kept as it is, in ASCII."""
    item = read_item({"id": "1", "name": "half \ud83d.txt", "file": {}})
    assert decode_item(encode_item(item)).name == "half \ud83d.txt"


# Paths


@pytest.mark.parametrize(
    "name",
    [
        "#1.txt", "100%.txt", "100%25.txt", "a+b & c.txt", "it's.txt", "semi;colon,comma=.txt", "~$owner.docx",
        "trailing dot..txt", "日本語.txt", "👩‍👩‍👧 family.txt", "e\u0301 combining.txt", "right\u202eleft.txt",
        "new\nline\x1b[2J.txt", "half \ud83d.txt", "..", ".hidden", "x" * 250 + ".txt", "Forms", "con.txt",
    ],
)  # fmt: skip
def test_hostile_names_are_data(server: GraphServer, drive: Drive, name: str) -> None:
    """Whatever a file or folder is called: listed, addressed in ASCII, fetched, and browsed."""
    drive.put(f"{name}/{name}", b"content")
    connector = connector_to(server)
    ((key, descriptor),) = listed(connector)[0].items()
    assert key.encode().decode() == key
    assert descriptor.uri.isascii()
    assert descriptor.uri.isprintable()
    assert " " not in descriptor.uri
    assert fetched(connector, descriptor) == b"content"
    (folder,) = connector.browse("Documents")
    (file,) = connector.browse(folder.path)
    assert file.path == key
    if name.isprintable():
        assert key == f"Documents/{name}/{name}"


def test_longest_path_is_listed(server: GraphServer, drive: Drive) -> None:
    """A path of 400 characters, the most that SharePoint allows, is nothing special."""
    path = "/".join(["folder name"] * 33) + "/x.txt"
    assert len(path) >= 400
    drive.put(path, b"x")
    assert keys(connector_to(server)) == {f"Documents/{path}"}


def test_two_items_at_one_path_get_two_keys(server: GraphServer, drive: Drive) -> None:
    """A tree oddity gives the second item a name of its own, the same at every listing."""
    site = Site(server)
    drive.put("a/same.txt", b"first")
    for number in range(3):
        drive.put_apart(drive.at("a"), "same.txt", f"other {number}".encode())
    first = site.listed()
    assert len(first) == 4
    assert "Documents/a/same.txt" in first
    assert all(key.endswith(".txt") for key in first)
    assert site.listed() == first
    connector = site.connector()
    assert len({fetched(connector, descriptor) for descriptor in first.values()}) == 4


def test_folder_that_graph_forgot_to_tell_of_is_asked_for(server: GraphServer, drive: Drive) -> None:
    """A parent that the delta never named is looked up by its id, once, and remembered."""
    site = Site(server)
    drive.put("a/b/c.txt", b"x")
    for path in ("a", "a/b"):
        drive.at(path).sequence = 10_000
    assert site.names() == {"Documents/a/b/c.txt"}
    assert len(server.state.requests("graph", "/items/")) == 2
    server.state.forget_requests()
    assert site.names() == {"Documents/a/b/c.txt"}
    assert server.state.requests("graph", "/items/") == []


def test_items_whose_folder_is_gone_are_gone(server: GraphServer, drive: Drive) -> None:
    """A parent that is deleted takes its items with it, also when only Graph's lookup says so."""
    site = Site(server)
    drive.put("a/b.txt", b"x")
    drive.put("c.txt", b"x")
    folder = drive.at("a")
    drive.items.pop(folder.item_id)
    assert site.names() == {"Documents/c.txt"}


@pytest.mark.parametrize("status", [403, 500])
def test_items_whose_folder_cannot_be_told_make_a_gap(server: GraphServer, drive: Drive, status: int) -> None:
    """If nobody can say where an item is, the listing is not complete, and nothing is taken for gone."""
    drive.put("a/b.txt", b"x")
    drive.put("c.txt", b"x")
    folder = drive.at("a")
    folder.sequence = 10_000
    folder.status = (status, "accessDenied")
    found, end = listed(connector_to(server))
    assert set(found) == {"Documents/c.txt"}
    assert [key for key, _ in end.gaps] == ["Documents"]
    assert "1 item of it is" in end.gaps[0][1]


def test_folders_in_a_circle_end() -> None:
    """A tree that bites its tail is left out, and does not hang."""
    tree = FolderTree()
    tree.add("1", DriveItem("2", "one", "folder"))
    tree.add("2", DriveItem("1", "two", "folder"))
    assert tree.place("1").status == "gone"


# What is taken


@pytest.fixture
def forest(drive: Drive) -> None:
    """Some files in folders."""
    for path in ("a.txt", "a.docx", "Drafts/b.txt", "Handbook/Drafts/c.txt", "Handbook/d.txt", "Handbook 2/e.txt"):
        drive.put(path, b"x")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"include": ["*.docx"]}, {"a.docx"}),
        ({"exclude": ["*.txt"]}, {"a.docx"}),
        ({"exclude": ["Drafts/"]}, {"a.txt", "a.docx", "Handbook/d.txt", "Handbook 2/e.txt"}),
        ({"include": ["Documents/Handbook/"]}, {"Handbook/Drafts/c.txt", "Handbook/d.txt"}),
        (
            {"exclude": ["Documents/Drafts/", "!b.txt", "*.docx"]},
            {"a.txt", "Handbook/Drafts/c.txt", "Handbook/d.txt", "Handbook 2/e.txt"},
        ),
        ({"library": ["Documents"], "folder": "Handbook"}, {"Handbook/Drafts/c.txt", "Handbook/d.txt"}),
        ({"library": ["Documents"], "folder": "Handbook", "exclude": ["Drafts/"]}, {"Handbook/d.txt"}),
        ({"exclude": ["Documents/"]}, set()),
    ],
)  # fmt: skip
def test_settings_decide_what_is_taken(
    server: GraphServer, forest: None, settings: dict[str, Any], expected: set[str]
) -> None:
    """Patterns as in .gitignore over whole keys; a folder means that folder, with all below it and no neighbour."""
    connector = connector_to(server, **settings)
    assert keys(connector) == {f"Documents/{path}" for path in expected}
    everything = keys(connector_to(server))
    for key in everything:
        assert (connector.explain_left_out(key) is None) == (key.removeprefix("Documents/") in expected), key


def test_folder_is_followed_by_its_id_when_one_above_is_renamed(server: GraphServer, drive: Drive) -> None:
    """What is in a chosen folder is found by where it is now."""
    site = Site(server, library=["Documents"], folder="Handbook/Current")
    drive.put("Handbook/Current/x/a.txt", b"x")
    drive.put("Handbook/old.txt", b"x")
    assert site.names() == {"Documents/Handbook/Current/x/a.txt"}
    drive.rename("Handbook/Current", "Current")
    drive.rename("Current", "Handbook/Current")
    drive.rename("Handbook/Current/x", "Handbook/Current/y")
    assert site.names() == {"Documents/Handbook/Current/y/a.txt"}
