"""Folders of documents: what is above, in and below them."""

from __future__ import annotations

import pytest

from ingest_tui.model.folder import Folder, folder_of


@pytest.mark.parametrize(
    ("folder", "above"),
    [
        (Folder(), None),
        (Folder("docs"), Folder()),
        (Folder("docs", "a/"), Folder("docs")),
        (Folder("docs", "a/b c/"), Folder("docs", "a/")),
        (Folder("docs", "/"), Folder("docs")),
    ],
)
def test_each_folder_is_in_another_up_to_all_sources(folder: Folder, above: Folder | None) -> None:
    """A path loses its last part, then the source is left."""
    assert folder.above == above


def test_a_folder_names_what_is_in_it() -> None:
    """Sources are in what is above all of them, folders have paths that end with a slash, documents their names."""
    assert Folder().inner("docs") == Folder("docs")
    assert Folder("docs", "a/").inner("b/") == Folder("docs", "a/b/")
    assert Folder("docs", "a/").name_of("a/b.md") == "b.md"
    assert (str(Folder()), str(Folder("docs")), str(Folder("docs", "a/"))) == ("/", "docs/", "docs/a/")


@pytest.mark.parametrize(("key", "path"), [("a.md", ""), ("a/b.md", "a/"), ("a/z.zip!c/d.md", "a/z.zip!c/")])
def test_a_document_is_in_the_folder_of_its_key(key: str, path: str) -> None:
    """What comes before the last slash; members of archives are in folders of these."""
    assert folder_of("docs", key) == Folder("docs", path)
