"""Symbolic links in a local source: not followed unless asked, never out of the folder, never round in circles."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.connectors.local.connector import LocalConnector
from ingest_tui.model.descriptor import Descriptor, ListingEnd
from ingest_tui.model.errors import ItemError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A source next to a folder that it must not read."""
    (tmp_path / "root" / "docs").mkdir(parents=True)
    (tmp_path / "root" / "docs" / "a.md").write_bytes(b"inside")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.md").write_bytes(b"secret")
    (tmp_path / "root-too").mkdir()
    (tmp_path / "root-too" / "a.md").write_bytes(b"secret")
    return tmp_path / "root"


def listing(root: Path, **config: Any) -> tuple[dict[str, Descriptor], ListingEnd]:
    found: dict[str, Descriptor] = {}
    generator = LocalConnector({"path": str(root), **config}).list()
    while True:
        try:
            page = next(generator)
        except StopIteration as stop:
            return found, stop.value
        found |= {descriptor.key: descriptor for descriptor in page.descriptors}


def read(root: Path, descriptor: Descriptor, **config: Any) -> bytes:
    with LocalConnector({"path": str(root), **config}).fetch(descriptor) as pieces:
        return b"".join(pieces)


def test_links_are_passed_over_by_default(root: Path) -> None:
    """Neither a link to a file nor one to a folder is listed, wherever it leads, and that is no gap."""
    (root / "file.md").symlink_to(root / "docs" / "a.md")
    (root / "folder").symlink_to(root / "docs")
    (root / "out.md").symlink_to(root.parent / "outside" / "a.md")
    (root / "dangling").symlink_to("nowhere")
    found, end = listing(root)
    assert set(found) == {"docs/a.md"}
    assert end.complete


def test_links_within_the_folder_are_followed_when_asked(root: Path) -> None:
    """Links to files and folders of the source are listed under their own names, and read."""
    (root / "file.md").symlink_to("docs/a.md")
    (root / "folder").symlink_to(root / "docs")
    found, end = listing(root, follow_symlinks=True)
    assert set(found) == {"docs/a.md", "file.md", "folder/a.md"}
    assert end.complete
    assert {read(root, descriptor, follow_symlinks=True) for descriptor in found.values()} == {b"inside"}


@pytest.mark.parametrize(
    "target", ["../outside/a.md", "../outside", "../root-too", "/etc/passwd", "docs/../../outside/a.md"]
)
def test_link_out_of_the_folder_is_refused(root: Path, target: str) -> None:
    """A link that leads out is listed as refused, with the reason, and nothing behind it is looked at."""
    (root / "out").symlink_to(target)
    found, end = listing(root, follow_symlinks=True)
    assert set(found) == {"docs/a.md", "out"}
    assert (found["out"].refusal or ("", ""))[0] == "symlink_outside"
    assert end.complete


def test_link_out_through_another_link_is_refused(root: Path) -> None:
    """A chain of links counts by where it ends."""
    (root / "first").symlink_to("second")
    (root / "second").symlink_to("../outside")
    found, _ = listing(root, follow_symlinks=True)
    assert {key for key, descriptor in found.items() if descriptor.refusal} == {"first", "second"}


@pytest.mark.parametrize(
    "links",
    [
        {"self": "self"},
        {"one": "two", "two": "one"},
        {"up": "."},
        {"docs/up": ".."},
        {"docs/here": "."},
        {"docs/other": "../more", "more/back": "../docs"},
        {"deep/er/still/link": "../../../docs", "docs/back": "../deep"},
    ],
    ids=str,
)
def test_loops_end(root: Path, links: dict[str, str]) -> None:
    """However links go round, the listing ends, is complete, and names no file often."""
    for name, target in links.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(target)
    found, end = listing(root, follow_symlinks=True)
    assert "docs/a.md" in found
    assert len(found) < 10
    assert (end.complete, end.gaps) == (True, ())


def test_dangling_link_is_passed_over_when_links_are_followed(root: Path) -> None:
    """A link to nothing is nothing: no item and no gap."""
    (root / "dangling").symlink_to("nowhere")
    found, end = listing(root, follow_symlinks=True)
    assert set(found) == {"docs/a.md"}
    assert end.complete


def test_link_to_a_folder_whose_name_begins_alike_is_followed(root: Path) -> None:
    """`docs-more/link` to `docs` is no loop, although the one name begins with the other."""
    (root / "docs-more").mkdir()
    (root / "docs-more" / "link").symlink_to("../docs")
    found, _ = listing(root, follow_symlinks=True)
    assert set(found) == {"docs/a.md", "docs-more/link/a.md"}


def test_root_may_be_a_link(root: Path) -> None:
    """A source may be named by a link: people do that on purpose."""
    (root.parent / "named").symlink_to(root)
    found, end = listing(root.parent / "named")
    assert set(found) == {"docs/a.md"}
    assert end.complete
    followed, _ = listing(root.parent / "named", follow_symlinks=True)
    assert read(root.parent / "named", followed["docs/a.md"], follow_symlinks=True) == b"inside"


@pytest.mark.parametrize("follow_symlinks", [False, True])
def test_file_that_became_a_link_to_the_outside_is_not_read(root: Path, follow_symlinks: bool) -> None:
    """A file replaced by a link after the listing does not lead the reader out."""
    descriptor = listing(root)[0]["docs/a.md"]
    (root / "docs" / "a.md").unlink()
    (root / "docs" / "a.md").symlink_to(root.parent / "outside" / "a.md")
    with pytest.raises(ItemError) as caught:
        read(root, descriptor, follow_symlinks=follow_symlinks)
    assert caught.value.reason in {"special_file", "symlink_outside"}


@pytest.mark.parametrize("follow_symlinks", [False, True])
def test_folder_that_became_a_link_to_the_outside_is_not_read(root: Path, follow_symlinks: bool) -> None:
    """Nor does a folder on the way to the file that was replaced by a link after the listing."""
    descriptor = listing(root)[0]["docs/a.md"]
    (root / "docs").rename(root / "gone")
    (root / "docs").symlink_to(root.parent / "outside")
    with pytest.raises(ItemError):
        read(root, descriptor, follow_symlinks=follow_symlinks)


@pytest.mark.parametrize("follow_symlinks", [False, True])
def test_link_in_the_source_that_was_turned_elsewhere_is_not_read(root: Path, follow_symlinks: bool) -> None:
    """A link that was valid when it was listed and now leads out is refused when it is read."""
    (root / "file.md").symlink_to("docs/a.md")
    descriptor = listing(root, follow_symlinks=True)[0]["file.md"]
    (root / "file.md").unlink()
    (root / "file.md").symlink_to(root.parent / "root-too" / "a.md")
    with pytest.raises(ItemError):
        read(root, descriptor, follow_symlinks=follow_symlinks)


def test_hidden_and_excluded_links_are_not_looked_at(root: Path) -> None:
    """Patterns and hiding hold for links as for files, also for those that lead out."""
    (root / ".hidden").symlink_to("../outside/a.md")
    (root / "out.txt").symlink_to("../outside/a.md")
    (root / "folder").symlink_to("docs")
    found, end = listing(root, follow_symlinks=True, exclude=["*.txt", "folder/"])
    assert set(found) == {"docs/a.md"}
    assert end.complete


def test_hard_links_are_listed_each(root: Path) -> None:
    """Two names of one file are two items."""
    os.link(root / "docs" / "a.md", root / "docs" / "b.md")
    assert set(listing(root)[0]) == {"docs/a.md", "docs/b.md"}
