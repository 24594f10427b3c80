"""A catalogue that is missing, empty, damaged or behind says nothing about the documents on disk: none is lost."""

from __future__ import annotations

import multiprocessing
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from ingest_tui.model.errors import DiskFullError, IngestError, StoreError
from ingest_tui.services import workspaces
from ingest_tui.services.api import WorkspaceHandle, open_workspace
from ingest_tui.services.documents import documents as document_services
from ingest_tui.services.documents import uploads
from ingest_tui.services.sources import sources as source_services
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.connection import LOST
from ingest_tui.store.catalogue.known_good import open_known_good
from ingest_tui.store.catalogue.opening import open_catalogue
from ingest_tui.store.verify import verify_store
from tests import REPOSITORY
from tests.faults.crash_lab import quicken, run_queue

pytestmark = pytest.mark.slow


class Place:
    """A workspace with one source of two files, one of which has three versions, and one document in the trash."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.root = home / "workspace"
        self.source = home / "source"
        self.older_copy = home / "older.db"
        self.older_mark = home / "older.mark"
        self.source.mkdir()
        self.write("kept.md", "a word that is kept")
        self.write("gone.md", "a word that is gone")
        with self.opened() as handle:
            handle.add_source("docs", path=str(self.source))
            for word in ("alphaword", "betaword", "gammaword"):
                self.write("a.md", f"version {word}")
                handle.sync("docs")
                if word == "alphaword":
                    shutil.copy(self.catalogue, self.older_copy)
                    shutil.copy(self.root / "catalogue.mark", self.older_mark)
            gone = next(document for document in handle.documents if document.key == "gone.md")
            document_services.remove_documents(handle.workspace, [gone.document_id])

    @property
    def catalogue(self) -> Path:
        return self.root / "catalogue.db"

    def opened(self) -> WorkspaceHandle:
        return open_workspace(self.root)

    def write(self, name: str, text: str) -> None:
        (self.source / name).write_text(f"# {name}\n\n{text}\n")

    def remove_catalogue(self) -> None:
        for path in self.root.glob("catalogue.db*"):
            path.unlink()

    def files(self) -> dict[str, bytes]:
        """Return every original file in documents/ and trash/, by its path."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for base in ("documents", "trash")
            for path in (self.root / base).rglob("raw.*")
        }


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def missing(place: Place) -> None:
    place.remove_catalogue()


def zero_bytes(place: Place) -> None:
    place.remove_catalogue()
    place.catalogue.touch()


def cut(place: Place) -> None:
    data = place.catalogue.read_bytes()
    place.catalogue.write_bytes(data[: len(data) // 3])


def garbled(place: Place) -> None:
    place.catalogue.write_bytes(b"garbage " * 4096)


def emptied(place: Place) -> None:
    place.remove_catalogue()
    with closing(Catalogue(place.catalogue, create=True, marked=False)):
        pass


def rows_deleted(place: Place) -> None:
    (place.root / "catalogue.mark").unlink()
    with closing(Catalogue(place.catalogue, marked=False)) as catalogue, catalogue.transaction():
        for table in ("documents", "versions", "locations", "chunks"):
            catalogue.execute(f"DELETE FROM {table}")


def older(place: Place) -> None:
    place.remove_catalogue()
    shutil.copy(place.older_copy, place.catalogue)


def older_without_mark(place: Place) -> None:
    """A copy that was kept without the note next to it, and put back together with nothing."""
    older(place)
    (place.root / "catalogue.mark").unlink()


def older_with_its_mark(place: Place) -> None:
    """A backup of all that is named after the catalogue, put back."""
    older(place)
    shutil.copy(place.older_mark, place.root / "catalogue.mark")


def without_its_log(place: Place) -> None:
    with closing(Catalogue(place.catalogue)) as catalogue:
        kept = place.catalogue.read_bytes()
        with catalogue.transaction():
            catalogue.execute("UPDATE documents SET title = title || '!'")
    place.remove_catalogue()
    place.catalogue.write_bytes(kept)


LOSSES: list[Callable[[Place], None]] = [
    missing,
    zero_bytes,
    cut,
    garbled,
    emptied,
    rows_deleted,
    older,
    older_without_mark,
    older_with_its_mark,
    without_its_log,
]


@pytest.mark.parametrize("lose", LOSSES, ids=lambda lose: lose.__name__)
def test_versions_are_kept_and_the_next_one_follows(place: Place, lose: Callable[[Place], None]) -> None:
    """However the catalogue was lost, a sync keeps every version, adds the next, and finds the document once."""
    before = place.files()
    lose(place)
    with pytest.raises(StoreError):
        open_known_good(place.opened().workspace.layout)
    place.write("a.md", "version deltaword")
    with place.opened() as handle:
        assert handle.sync("docs").state == "succeeded"
        assert before.items() <= place.files().items()
        (hit,) = handle.search("deltaword")
        assert hit.version == 4
        assert [found.version for found in handle.search("kept")] == [1]
        assert handle.search("gone") == []  # removed by a person: it stays removed, and its file is still there
        assert verify_store(handle.workspace.layout, handle.workspace.catalogue, deep=True) == []
        counters = handle.sync("docs").counters
        assert (counters.items_fetched, counters.items_retired) == (0, 0)


@pytest.mark.parametrize("lose", LOSSES, ids=lambda lose: lose.__name__)
def test_nothing_is_fetched_again(place: Place, lose: Callable[[Place], None]) -> None:
    """What has not changed since is unchanged to the next sync, also what a person removed."""
    lose(place)
    with place.opened() as handle:
        counters = handle.sync("docs").counters
    assert (counters.items_skipped_incremental, counters.items_fetched, counters.items_retired) == (3, 0, 0)


def commands() -> Iterator[tuple[str, Callable[[Place, WorkspaceHandle], object]]]:
    """Yield what can be done with a workspace, each by its name."""

    def upload(place: Place, handle: WorkspaceHandle) -> None:
        path = place.home / "uploaded.md"
        path.write_text("an uploaded word")
        manifest = uploads.upload_files(handle.workspace, [path])
        from ingest_tui.services.workers import follow_job

        follow_job(handle.workspace, manifest.job_id, lambda _manifest: None, run_here=True)

    def remove_first(_place: Place, handle: WorkspaceHandle) -> None:
        document_services.remove_documents(handle.workspace, [handle.documents[0].document_id])

    def restore(_place: Place, handle: WorkspaceHandle) -> None:
        (retired,) = document_services.list_documents(handle.workspace, state="retired")
        document_services.restore_document(handle.workspace, retired.document_id)

    yield "upload", upload
    yield "doc remove", remove_first
    yield "doc restore", restore
    yield "source remove", lambda _place, handle: source_services.remove_source(handle.workspace, "docs")
    yield (
        "source remove --keep-documents",
        lambda _place, handle: source_services.remove_source(handle.workspace, "docs", keep_documents=True),
    )
    yield "search", lambda _place, handle: handle.search("kept")
    yield "doc list", lambda _place, handle: handle.documents
    yield "rebuild", lambda _place, handle: workspaces.rebuild(handle.workspace)


@pytest.mark.parametrize(("name", "command"), [pytest.param(*pair, id=pair[0]) for pair in commands()])
def test_each_command_works_on_what_is_on_disk(
    place: Place, name: str, command: Callable[[Place, WorkspaceHandle], object]
) -> None:
    """Whatever is done first, every original file is still there, and catalogue and folders agree afterwards."""
    del name
    before = sorted(place.files().values())
    place.remove_catalogue()
    with place.opened() as handle:
        command(place, handle)
        after = sorted(place.files().values())
        assert [content for content in before if content not in after] == []
        assert verify_store(handle.workspace.layout, handle.workspace.catalogue, deep=True) == []


def test_doctor_reports_it_and_changes_nothing(place: Place) -> None:
    """A lost catalogue is a problem with its command, not one without documents."""
    place.remove_catalogue()
    (check,) = [check for check in workspaces.doctor(place.root) if check.name == "catalogue"]
    assert check.level == "problem"
    assert "rebuild" in check.hint
    assert not place.catalogue.exists()


def test_where_it_cannot_be_made_again_it_is_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workspace that cannot be written says so, with the command; nothing is taken for empty."""
    place.remove_catalogue()

    def refuse(*_arguments: object, **_options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("ingest_tui.store.catalogue.rebuild._Builder", refuse)
    with place.opened() as handle, pytest.raises(StoreError, match="Permission denied") as caught:
        assert handle.documents
    assert caught.value.reason == LOST
    assert "rebuild" in caught.value.hint


def test_on_a_full_disk_room_is_what_is_asked_for(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rebuild that finds no room leaves nothing behind, and each command says what to do."""
    place.remove_catalogue()

    def full(*_arguments: object) -> None:
        raise apsw.FullError

    monkeypatch.setattr("ingest_tui.store.catalogue.rebuild.RebuiltRows", full)
    with place.opened() as handle:
        for attempt in (lambda: handle.documents, lambda: handle.search("kept"), handle.workspace.open_catalogue):
            with pytest.raises(DiskFullError, match="no room") as caught:
                attempt()
            assert "free some space" in caught.value.hint
    assert not list(place.root.glob("catalogue.*db*"))


def test_a_folder_in_its_place_is_named(place: Place) -> None:
    """Nothing of somebody else's is removed: people are asked to move it away."""
    place.remove_catalogue()
    place.catalogue.mkdir()
    (place.catalogue / "of somebody").touch()
    with place.opened() as handle:
        for attempt in (lambda: handle.documents, lambda: workspaces.rebuild(handle.workspace)):
            with pytest.raises(StoreError, match="is a folder") as caught:
                attempt()
            assert "move catalogue.db away" in caught.value.hint
        shutil.rmtree(place.catalogue)
        assert len(handle.documents) == 2


def test_a_workspace_without_documents_gets_a_new_catalogue(tmp_path: Path) -> None:
    """Where nothing is on disk there is nothing to lose: the catalogue is made."""
    with open_workspace(tmp_path / "workspace") as handle:
        handle.workspace.layout.catalogue.unlink()
        assert handle.documents == []


def test_a_catalogue_that_is_removed_meanwhile_is_followed(place: Place) -> None:
    """Whoever has the catalogue open when it is removed writes nothing into the file that is gone."""
    with place.opened() as handle:
        held = handle.workspace.open_catalogue()
        place.remove_catalogue()
        with pytest.raises(StoreError, match="missing"), held.transaction():
            held.execute("UPDATE documents SET title = 'lost'")
        with closing(open_catalogue(handle.workspace.layout)), held.transaction():
            held.execute("UPDATE documents SET title = 'kept' WHERE key = 'a.md'")
        assert [document.title for document in handle.documents if document.key == "a.md"] == ["kept"]
        held.close()


def _open_and_count(root: str, results: multiprocessing.SimpleQueue[object]) -> None:
    try:
        with open_workspace(root) as handle:
            results.put(len(handle.documents))
    except IngestError as error:
        results.put(repr(error))


def test_many_processes_find_it_missing_at_once(place: Place) -> None:
    """One of them makes it again, the others wait for that, and all see the same."""
    place.remove_catalogue()
    context = multiprocessing.get_context("spawn")
    results = context.SimpleQueue()
    processes = [context.Process(target=_open_and_count, args=(str(place.root), results)) for _ in range(4)]
    for process in processes:
        process.start()
    assert [results.get() for _ in processes] == [2] * 4
    for process in processes:
        process.join()


KILLED_AFTER_TEN = """
import os, signal, sys
from pathlib import Path
import pytest
sys.path.insert(0, sys.argv[1])
from tests.faults.crash_lab import quicken, run_queue
from ingest_tui.pipeline.commit import batch, committer
from ingest_tui.store.workspace import open_workspace_at

quicken(pytest.MonkeyPatch())
committer.BATCH_ITEMS = 10
genuine, batches = batch.CommitBatch.commit, []

def dying(self, *arguments):
    if batches:
        os.kill(os.getpid(), signal.SIGKILL)
    batches.append(arguments)
    return genuine(self, *arguments)

batch.CommitBatch.commit = dying
run_queue(open_workspace_at(Path(sys.argv[2])))
"""


def test_an_upload_that_was_killed_goes_on_after_the_catalogue_was_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What had been committed stays, nothing is deleted, and the rest is taken in, each file once."""
    quicken(monkeypatch)
    paths = []
    for number in range(30):
        paths.append(tmp_path / f"{number:02}.md")
        paths[-1].write_text(f"# {number}\n\nword{number:02} and uploaded\n")
    with open_workspace(tmp_path / "workspace") as handle:
        root, layout = handle.workspace.root, handle.workspace.layout
        manifest = uploads.upload_files(handle.workspace, paths)
    laboratory = [sys.executable, "-c", KILLED_AFTER_TEN, str(REPOSITORY), str(root)]
    killed = subprocess.run(laboratory, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    committed = {path: path.read_bytes() for path in layout.documents.rglob("raw.*")}
    assert len(committed) == 10
    for path in root.glob("catalogue*.db*"):
        path.unlink()
    with open_workspace(root) as handle:
        run_queue(handle.workspace)
        assert handle.workspace.jobs.load(manifest.job_id).state == "succeeded"
        assert {path: path.read_bytes() for path in committed} == committed
        assert sorted(hit.title for hit in handle.search("uploaded", limit=100)) == [path.name for path in paths]
        assert verify_store(layout, handle.workspace.catalogue, deep=True) == []
        counters = handle.workspace.jobs.load(manifest.job_id).counters
        assert (counters.items_ingested, counters.items_failed) == (30, 0)
        log = layout.job(manifest.job_id).log.read_text()
        assert "rebuilding the catalogue" in log


def test_damage_that_is_met_later_is_repaired_by_the_next_who_opens(place: Place) -> None:
    """A catalogue whose first page is whole opens; who meets the damage is refused, and the next one has it rebuilt."""
    before = place.files()
    with closing(Catalogue(place.catalogue)) as catalogue:
        catalogue.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        sql = "SELECT rootpage FROM sqlite_schema WHERE name IN ('documents', 'versions', 'chunks')"
        pages = [row[0] for row in catalogue.execute(sql)]
    data = bytearray(place.catalogue.read_bytes())
    for page in pages:
        data[(page - 1) * 4096 : (page - 1) * 4096 + 64] = b"\xff" * 64
    place.catalogue.write_bytes(data)
    with place.opened() as handle, pytest.raises(StoreError, match="damaged"):
        handle.workspace.open_catalogue().execute("SELECT * FROM documents")
    with place.opened() as handle:
        assert handle.sync("docs").state == "succeeded"
        assert place.files() == before
        assert verify_store(handle.workspace.layout, handle.workspace.catalogue, deep=True) == []
