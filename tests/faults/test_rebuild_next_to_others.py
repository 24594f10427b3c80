"""A rebuild while others change documents: what they do is kept, and what ends it early changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ingest_tui.model.document import IngestedDocument
from ingest_tui.model.errors import BusyError
from ingest_tui.model.hashing import compute_content_hash
from ingest_tui.services import workspaces
from ingest_tui.services.api import WorkspaceHandle, open_workspace
from ingest_tui.services.documents import documents as document_services
from ingest_tui.services.sources import sources as source_services
from ingest_tui.store.catalogue import rebuild as rebuild_module
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.change_feed import changes_since
from ingest_tui.store.catalogue.rebuild_progress import RebuildProgress
from ingest_tui.store.catalogue.rebuild_rows import RebuiltRows
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.verify import verify_store

pytestmark = pytest.mark.slow

FILES = 12


class Place:
    """A workspace with a source of twelve documents, one of them in the trash."""

    def __init__(self, home: Path) -> None:
        self.root = home / "workspace"
        self.source = home / "source"
        self.source.mkdir()
        for number in range(FILES):
            self.write(f"{number:02}.md", f"word{number:02} and shared")
        with self.opened() as handle:
            handle.add_source("docs", path=str(self.source))
            handle.sync("docs")
            remove(handle, "00.md")

    def opened(self) -> WorkspaceHandle:
        return open_workspace(self.root)

    def write(self, name: str, text: str) -> None:
        (self.source / name).write_text(f"# {name}\n\n{text}\n")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(rebuild_module, "_BATCH", 3)
    return Place(tmp_path)


def remove(handle: WorkspaceHandle, key: str) -> None:
    document = next(document for document in handle.documents if document.key == key)
    document_services.remove_documents(handle.workspace, [document.document_id])


def restore(handle: WorkspaceHandle, key: str) -> None:
    retired = document_services.list_documents(handle.workspace, state="retired")
    document = next(document for document in retired if document.key == key)
    document_services.restore_document(handle.workspace, document.document_id)


def register(handle: WorkspaceHandle, text: str) -> None:
    handle.register(
        "default",
        IngestedDocument(
            content=text, unique_id=text.split(maxsplit=1)[0], source_type="script", metadata={},
            content_hash=compute_content_hash(text), file_path=None,
        ),
    )  # fmt: skip


def found(handle: WorkspaceHandle, word: str) -> list[str]:
    return sorted(hit.title for hit in handle.search(word, limit=100))


def checked(handle: WorkspaceHandle) -> None:
    assert verify_store(handle.workspace.layout, handle.workspace.catalogue, deep=True) == []


Deed = Callable[[Place, WorkspaceHandle], None]


def edit_and_sync(place: Place, handle: WorkspaceHandle) -> None:
    place.write("03.md", "newword")
    place.write("new.md", "newword too")
    (place.source / "04.md").rename(place.source / "moved.md")
    (place.source / "05.md").unlink()
    assert handle.sync("docs").state == "succeeded"


def remove_source(_place: Place, handle: WorkspaceHandle) -> None:
    source_services.remove_source(handle.workspace, "docs")


DEEDS: dict[str, tuple[Deed, str, int]] = {
    "doc remove": (lambda _place, handle: remove(handle, "07.md"), "word07", 0),
    "doc restore": (lambda _place, handle: restore(handle, "00.md"), "word00", 1),
    "register": (lambda _place, handle: register(handle, "registered words"), "registered", 1),
    "sync": (edit_and_sync, "newword", 2),
    "source remove": (remove_source, "shared", 0),
}


def rebuild_while(handle: WorkspaceHandle, deed: Callable[[], None], *, at: int) -> workspaces.RebuildReport:
    """Rebuild, and do something else in the middle of it."""
    seen: list[RebuildProgress] = []

    def listen(progress: RebuildProgress) -> None:
        seen.append(progress)
        if len(seen) == at:
            deed()

    report = workspaces.rebuild(handle.workspace, listen)
    assert len(seen) > at
    return report


@pytest.mark.parametrize("at", [1, 3, 5])
@pytest.mark.parametrize("name", DEEDS)
def test_what_others_do_meanwhile_is_kept(place: Place, name: str, at: int) -> None:
    """A change that is committed while a rebuild reads the folders is in the catalogue that it puts in force."""
    deed, word, hits = DEEDS[name]
    with place.opened() as handle, place.opened() as other:
        report = rebuild_while(handle, lambda: deed(place, other), at=at)
        assert report.problems == []
        for workspace in (handle, other):
            assert len(found(workspace, word)) == hits
        checked(other)
        counters = other.sync("docs").counters if name != "source remove" else None
        assert counters is None or (counters.items_ingested, counters.items_retired) == (0, 0)


def test_connections_that_were_open_see_the_new_catalogue_and_write_into_it(place: Place) -> None:
    """No connection is left with a file that is gone: the content changes, the file stays."""
    with place.opened() as handle, closing(handle.workspace.open_catalogue()) as held:
        epoch = changes_since(held, 0).epoch
        inode = handle.workspace.layout.catalogue.stat().st_ino
        workspaces.rebuild(handle.workspace)
        page = changes_since(held, 0)
        assert page.epoch != epoch
        assert page.changes == []
        assert handle.workspace.layout.catalogue.stat().st_ino == inode
        with held.transaction():
            held.execute("UPDATE documents SET version = version WHERE key = '01.md'")
        remove(handle, "01.md")
        assert [change.kind for change in changes_since(held, 0).changes] == ["retired"]
        assert [path.name for path in place.root.glob("catalogue.rebuild*")] == []


def test_one_rebuild_at_a_time(place: Place) -> None:
    """A second one is refused at once, and says that another process is at it."""
    with place.opened() as handle:
        lock = FileLock(handle.workspace.layout.lock("rebuild"))
        assert lock.try_acquire()
        with lock, pytest.raises(BusyError):
            workspaces.rebuild(handle.workspace)


def steps() -> Iterator[str]:
    yield from ("read_changes", "put_in_force", "_copy_into")
    yield from ("carry_over", "end", "add")


@pytest.mark.parametrize("step", steps())
def test_a_rebuild_that_ends_early_leaves_the_old_catalogue(
    place: Place, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever step it ends at, the catalogue in force is untouched, and the next rebuild sweeps what is left."""
    owner = rebuild_module._Builder if hasattr(rebuild_module._Builder, step) else RebuiltRows

    def die(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    with place.opened() as handle:
        before = changes_since(handle.workspace.catalogue, 0)
        with monkeypatch.context() as broken:
            broken.setattr(owner, step, die)
            with pytest.raises(KeyboardInterrupt):
                workspaces.rebuild(handle.workspace)
        assert changes_since(handle.workspace.catalogue, 0) == before
        (place.root / "catalogue.rebuild.db").write_bytes(b"left by a crash")
        assert workspaces.rebuild(handle.workspace).problems == []
        checked(handle)


@pytest.mark.parametrize("step", ["carry_over", "end"])
def test_a_catalogue_that_is_lost_during_a_rebuild_is_made_all_the_same(
    place: Place, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was built is in force afterwards, and not in a file that nobody can find any more."""
    original = getattr(RebuiltRows, step)

    def lose(*arguments: object, **options: object) -> object:
        for path in place.root.glob("catalogue.db*"):
            path.unlink()
        return original(*arguments, **options)

    with place.opened() as handle:
        monkeypatch.setattr(RebuiltRows, step, lose)
        assert workspaces.rebuild(handle.workspace).problems == []
    with place.opened() as handle:
        assert len(handle.documents) == FILES - 1
        checked(handle)


def version_folder(handle: WorkspaceHandle, key: str) -> Path:
    document = next(document for document in handle.documents if document.key == key)
    return handle.workspace.layout.version(document.collection_id, document.document_id, document.version)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "raw bytes": lambda folder: next(folder.glob("raw.*")).write_text("rotten"),
    "raw file gone": lambda folder: next(folder.glob("raw.*")).unlink(),
    "text": lambda folder: (folder / "normalized.md").write_text("rotten"),
    "text gone": lambda folder: (folder / "normalized.md").unlink(),
    "record": lambda folder: (folder / "ingestion.json").write_text("{"),
    "record gone": lambda folder: (folder / "ingestion.json").unlink(),
    "record of another": lambda folder: (folder / "ingestion.json").write_text(
        (folder / "ingestion.json").read_text().replace('"version": 1', '"version": 7')
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_listed_and_healed_by_the_next_sync(place: Place, damage: str) -> None:
    """A folder that is not what was committed is named, stays as it is, hides no other, and is read again."""
    with place.opened() as handle:
        folder = version_folder(handle, "06.md")
        DAMAGES[damage](folder)
        kept = {path.name: path.read_bytes() for path in folder.iterdir()}
        report = workspaces.rebuild(handle.workspace)
        assert [problem.folder for problem in report.problems] == [str(folder.relative_to(place.root))]
        assert len(found(handle, "shared")) >= FILES - 2
        assert handle.sync("docs").state == "succeeded"
        assert found(handle, "word06") == ["06.md"]
        assert kept in [
            {path.name: path.read_bytes() for path in version.iterdir()} for version in folder.parent.glob("v*")
        ]
        counters = handle.sync("docs").counters
        assert (counters.items_fetched, counters.items_retired) == (0, 0)


def test_an_empty_folder_is_no_document_and_no_damage(place: Place) -> None:
    """A crash may leave the folder of a document without a version; one that holds anything else is named."""
    with place.opened() as handle:
        folder = handle.workspace.layout.document("default", "aa00")
        folder.mkdir(parents=True)
        assert workspaces.rebuild(handle.workspace).problems == []
        (folder / "document.json").write_text("{}")
        assert len(workspaces.rebuild(handle.workspace).problems) == 1


def test_what_no_folder_can_say_is_taken_over(place: Place) -> None:
    """Places that no document came of are not looked at again, and one whose newest bytes failed stays an error."""
    (place.source / "empty.md").write_text("")
    (place.source / "program.exe").write_bytes(b"MZ\x90\x00" * 40)
    with place.opened() as handle:
        handle.sync("docs")
        before = places_without_document(handle.workspace.catalogue)
        assert len(before) == 3
        workspaces.rebuild(handle.workspace)
        assert places_without_document(handle.workspace.catalogue) == before


def places_without_document(catalogue: Catalogue) -> list[object]:
    return catalogue.execute("SELECT * FROM locations WHERE document_id IS NULL ORDER BY key")
