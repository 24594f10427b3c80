"""What a person removed stays removed when the trash was emptied and the catalogue is lost after that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest_tui import open_workspace
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.documents.documents import remove_documents
from ingest_tui.services.documents.trash import chosen_to_empty, empty_trash
from ingest_tui.services.sources.sources import remove_source
from ingest_tui.store.catalogue.rebuild import rebuild_catalogue
from ingest_tui.store.removals import read_removals
from tests.faults.crash_lab import quicken

pytestmark = pytest.mark.slow

KEPT, REMOVED = "kept.md", "removed.md"


class Place:
    """A source of two files, one of which a person has removed as a document; what is in the trash is gone for good."""

    def __init__(self, handle: WorkspaceHandle, folder: Path) -> None:
        self.handle = handle
        self.workspace = handle.workspace
        self.folder = folder

    def remove(self) -> None:
        [document] = [one for one in self.handle.documents if one.file_name == REMOVED]
        remove_documents(self.workspace, [document.document_id])

    def empty_trash(self) -> None:
        assert empty_trash(self.workspace, chosen_to_empty(self.workspace)) > 0

    def lose_catalogue(self) -> None:
        for path in self.workspace.root.glob("catalogue.db*"):
            path.unlink()

    def names_after_a_sync(self, *, force: bool = False) -> list[str]:
        self.handle.sync("docs", force=force)
        return sorted(one.file_name for one in self.handle.documents)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    quicken(monkeypatch)
    folder = tmp_path / "source"
    folder.mkdir()
    for name in (KEPT, REMOVED):
        (folder / name).write_text(f"# {name}\n\nThe words of {name}.\n")
    with open_workspace(tmp_path / "workspace") as handle:
        handle.add_source("docs", path=str(folder))
        place = Place(handle, folder)
        assert place.names_after_a_sync() == [KEPT, REMOVED]
        place.remove()
        yield place


def _again(place: Place, *, keeps: bool) -> None:
    remove_source(place.workspace, "docs", keep_documents=keeps)
    place.handle.add_source("docs", path=str(place.folder))


def _under_another_name(place: Place) -> None:
    (place.folder / REMOVED).rename(place.folder / "other.md")
    place.handle.sync("docs")


def _by_an_older_program(place: Place) -> None:
    place.workspace.layout.removals.unlink()


WAYS: dict[str, Callable[[Place], object]] = {
    "nothing else": lambda _place: None,
    "synced since": lambda place: place.handle.sync("docs"),
    "source removed and added again": lambda place: _again(place, keeps=False),
    "source removed without its documents": lambda place: _again(place, keeps=True),
    "renamed since": _under_another_name,
    "removed by an older program": _by_an_older_program,
    "rebuilt since": lambda place: rebuild_catalogue(place.workspace.layout),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_removal_outlives_trash_and_catalogue(place: Place, way: str) -> None:
    """Whatever happened between, the next sync does not bring the document back."""
    WAYS[way](place)
    place.empty_trash()
    place.lose_catalogue()
    assert place.names_after_a_sync() == [KEPT]
    place.lose_catalogue()
    assert place.names_after_a_sync() == [KEPT]


@pytest.mark.parametrize("loses_trash", [True, False])
def test_a_removal_that_was_ended_is_not_remembered(place: Place, *, loses_trash: bool) -> None:
    """A document that was asked for again, and left later with its file, comes in when the file returns."""
    assert place.names_after_a_sync(force=True) == [KEPT, REMOVED]
    text = (place.folder / REMOVED).read_text()
    (place.folder / REMOVED).unlink()
    assert place.names_after_a_sync() == [KEPT]
    if loses_trash:
        place.empty_trash()
    place.lose_catalogue()
    (place.folder / REMOVED).write_text(text)
    assert place.names_after_a_sync() == [KEPT, REMOVED]


def test_new_content_at_the_place_is_taken_and_ends_the_removal(place: Place) -> None:
    """The journal says so too, and the document has its place when the catalogue is made again."""
    place.empty_trash()
    (place.folder / REMOVED).write_text("# Something else\n\nOther words.\n")
    assert place.names_after_a_sync() == [KEPT, REMOVED]
    assert set(read_removals(place.workspace.layout).values()) == {None}
    place.lose_catalogue()
    assert place.names_after_a_sync() == [KEPT, REMOVED]


def test_torn_and_foreign_lines_say_nothing(place: Place) -> None:
    """A line that a crash has torn, and one of another form, are left out; the others hold."""
    place.empty_trash()
    with place.workspace.layout.removals.open("ab") as journal:
        journal.write(b'{"source_id":"docs","key":"removed.md","ended":true,"crc":"00000000"}\n{"key":')
    place.lose_catalogue()
    assert place.names_after_a_sync() == [KEPT]
