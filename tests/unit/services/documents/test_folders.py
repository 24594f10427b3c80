"""Documents by folder: counts, order, pages, and what is read for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.model.errors import NotFoundError
from ingest_tui.model.folder import Folder
from ingest_tui.services.documents.folders import FolderPage, folder_named, page_of_folder
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.workspace import Workspace, init_workspace
from tests.unit.store.catalogue_rows import document

KEYS = {
    "docs": ["b.md", "a.md", "2019/one.md", "2019/two.md", "2019/deep/three.md", "2019.md", "2019-b/x.md", "é%_/y.md"],
    "wiki": ["a.md", "/odd.md", "odd//z.md"],
}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with documents of two sources in folders, one of them in the trash."""
    opened, _ = init_workspace(tmp_path / "ws")
    rows = [
        document(f"{source}-{number}", source_id=source, key=key, uri=f"file:///{source}/{key}", bytes=100 + number,
                 updated_at=f"2026-01-{number + 1:02d}T00:00:00.000Z")
        for source, keys in KEYS.items()
        for number, key in enumerate(keys)
    ]  # fmt: skip
    rows.append(document("gone", key="2019/gone.md", state="retired"))
    with closing(opened):
        with opened.catalogue.transaction():
            opened.catalogue.put_documents(rows)
        yield opened


def names(page: FolderPage) -> list[str]:
    """Return what is in a page: folders with the number of their documents, and documents."""
    return [f"{one.folder}={one.documents}" for one in page.folders] + [one.key for one in page.documents]


@pytest.mark.parametrize(
    ("folder", "content"),
    [
        (Folder(), ["docs/=8", "wiki/=3"]),
        (Folder("docs"), ["docs/2019-b/=1", "docs/2019/=3", "docs/é%_/=1", "2019.md", "a.md", "b.md"]),
        (Folder("docs", "2019/"), ["docs/2019/deep/=1", "2019/one.md", "2019/two.md"]),
        (Folder("docs", "2019/deep/"), ["2019/deep/three.md"]),
        (Folder("docs", "é%_/"), ["é%_/y.md"]),
        (Folder("wiki"), ["wiki//=1", "wiki/odd/=1", "a.md"]),
        (Folder("wiki", "odd/"), ["wiki/odd//=1"]),
        (Folder("wiki", "odd//"), ["odd//z.md"]),
        (Folder("docs", "nowhere/"), []),
    ],
)
def test_a_folder_has_its_folders_with_all_below_them_then_its_documents(
    workspace: Workspace, folder: Folder, content: list[str]
) -> None:
    """Each document is counted in all folders above it and listed in one; names are taken as they are."""
    page = page_of_folder(workspace, folder=folder, limit=100)
    assert names(page) == content
    assert page.total == len(content)


def test_folders_say_how_large_they_are_and_when_they_changed(workspace: Workspace) -> None:
    """Bytes of all documents below, and the time of the last change of one."""
    deep, *_ = page_of_folder(workspace, folder=Folder("docs", "2019/"), limit=10).folders
    assert (deep.bytes, deep.updated_at) == (104, "2026-01-05T00:00:00.000Z")
    docs, _wiki = page_of_folder(workspace, folder=Folder(), limit=10).folders
    assert (docs.bytes, docs.updated_at) == (sum(range(100, 108)), "2026-01-08T00:00:00.000Z")


@pytest.mark.parametrize("limit", [1, 2, 4, 5])
def test_pages_follow_each_other_without_a_gap(workspace: Workspace, limit: int) -> None:
    """A page may end with folders and go on with documents; together they are everything, once."""
    whole = names(page_of_folder(workspace, folder=Folder("docs"), limit=100))
    pages = [
        page_of_folder(workspace, folder=Folder("docs"), limit=limit, offset=at) for at in range(0, len(whole), limit)
    ]
    assert [name for page in pages for name in names(page)] == whole
    assert {page.total for page in pages} == {len(whole)}
    assert all(len(names(page)) <= limit for page in pages)


def test_a_choice_leaves_out_folders_too(workspace: Workspace) -> None:
    """By words, by source, and what is in the trash; the order is that of the documents."""
    assert names(page_of_folder(workspace, folder=Folder("docs"), limit=9, contains="t")) == ["docs/2019/=2"]
    assert names(page_of_folder(workspace, folder=Folder(), limit=9, outcome="failed")) == []
    assert names(page_of_folder(workspace, folder=Folder(), limit=9, state="retired")) == ["docs/=1"]
    newest = page_of_folder(workspace, folder=Folder("docs", "2019/"), limit=9, order="newest")
    assert names(newest) == ["docs/2019/deep/=1", "2019/two.md", "2019/one.md"]
    backwards = page_of_folder(workspace, folder=Folder("docs"), limit=9, backwards=True)
    assert names(backwards)[3:] == ["b.md", "a.md", "2019.md"]


def test_what_a_page_needs_is_read_from_an_index_alone(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """With 100,000 documents looking each one up takes seconds; also where a collection is chosen."""
    asked: list[tuple[str, Any]] = []
    execute = Catalogue.execute

    def noted(catalogue: Catalogue, sql: str, values: Any = ()) -> Any:
        asked.append((sql, values))
        return execute(catalogue, sql, values)

    monkeypatch.setattr(Catalogue, "execute", noted)
    for collection_id in (None, "default"):
        for folder in (Folder(), Folder("docs"), Folder("docs", "2019/")):
            page_of_folder(workspace, folder=folder, limit=10, collection_id=collection_id)
    counting = [(sql, values) for sql, values in asked if "count(" in sql and "WHERE 0" not in sql]
    assert len(counting) >= 2 * 5
    for sql, values in counting:
        plan = [row[3] for row in execute(workspace.reading, f"EXPLAIN QUERY PLAN {sql}", values)]
        assert any("COVERING INDEX documents_by_source" in line for line in plan), (sql, plan)


def test_a_folder_is_named_as_people_write_it(workspace: Workspace) -> None:
    """Source and path, with a slash at the end or not; one without documents is reported."""
    assert folder_named(workspace, "") == folder_named(workspace, "/") == Folder()
    assert folder_named(workspace, "docs") == Folder("docs")
    assert folder_named(workspace, "docs/2019") == folder_named(workspace, "docs/2019/") == Folder("docs", "2019/")
    for name in ("docs/nowhere", "nobody", "docs/a.md"):
        with pytest.raises(NotFoundError, match="no document is in folder"):
            folder_named(workspace, name)
