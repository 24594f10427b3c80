"""A change of catalogue and folders is whole or not at all, wherever it is cut off."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from ingest_tui.model.document import Chunk, Document
from ingest_tui.model.errors import StoreError
from ingest_tui.model.hashing import compute_content_hash
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.rows import VersionRow
from ingest_tui.store.change import PlacedVersion, StoreChange, StoreWriter, committing, repair_if_free
from ingest_tui.store.documents import DocumentStore
from ingest_tui.store.fs.atomic import make_folder
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.intents import IntentJournal, placing
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.journal import Journal
from ingest_tui.store.verify import verify_store
from tests.unit.store.catalogue_rows import location

STEPS = [
    *((DocumentStore, name) for name in ("sync", "place", "bring_back", "note_retirement", "note_locations")),
    *((DocumentStore, name) for name in ("move_to_trash", "clear_retirement", "purge")),
    *((Journal, name) for name in ("append_lines", "clear")),
]


class DiedError(BaseException):
    """Stands for the death of the process: nothing may be done after it."""


class Store:
    """A workspace's documents without the rest of it."""

    def __init__(self, root: Path) -> None:
        self.layout = Layout(root)
        for folder in self.layout.folders:
            make_folder(folder)
        self.documents = DocumentStore(self.layout)
        self.catalogue = Catalogue(self.layout.catalogue, create=True)

    def open_catalogue(self) -> Catalogue:
        return Catalogue(self.layout.catalogue)

    def writing(self) -> contextlib.AbstractContextManager[StoreWriter]:
        return committing(self.layout, self.catalogue, self.documents)

    def carry_out(self, change: StoreChange) -> None:
        with self.writing() as writer:
            writer.carry_out(change)

    def built(self, row: Document) -> PlacedVersion:
        """Return a version that waits in the staging folder of a job that has not ended."""
        self.layout.queue_entry("job").touch()
        folder = self.layout.job("job").staging / f"item-{row.document_id}-{row.version}"
        make_folder(folder)
        (folder / "raw.md").write_bytes(_text(row))
        (folder / "normalized.md").write_bytes(_text(row))
        record = {"file_size": row.bytes, "mime_type": row.media_type, "ingested_at": row.updated_at}
        origin = {"fingerprint": "", "size": row.bytes, "modified_ns": None}
        self.documents.write_ingestion(folder, row._asdict() | record | {"backend_version": "", "origin": origin})
        return PlacedVersion(folder, row)

    def add(self, change: StoreChange, row: Document) -> None:
        """Let a change bring a version."""
        change.placed.append(self.built(row))
        change.documents[row.document_id] = row
        change.versions.append(VersionRow.of_current(row))
        change.rechunked.add(row.document_id)
        change.chunks[row.document_id] = [Chunk(row.document_id, row.version, 0, "", _text(row).decode())]
        change.put_location(location(row.key, row.document_id, uri=row.uri, version=row.version))

    def state(self) -> tuple[Any, ...]:
        """Return what catalogue and folders hold. document.json may be there or not; the checker reads it."""
        tables = ("documents", "versions", "locations", "chunks")
        rows = [self.catalogue.execute(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]
        folders = sorted(
            str(path.relative_to(self.layout.root))
            for base in (self.layout.documents, self.layout.trash)
            for path in base.rglob("*")
            if path.is_file() and path.name != "document.json"
        )
        return rows, folders


def _text(row: Document) -> bytes:
    return f"text of {row.document_id} {row.version}".encode()


def row_of(name: str, version: int = 1, state: str = "active", key: str = "") -> Document:
    key = key or f"{name}.md"
    digest = compute_content_hash(f"text of {name}{name} {version}")
    return Document(
        name * 2, "default", "docs", "local", f"file:///{key}", key, key, key, "text/markdown", version, digest, digest,
        len(f"text of {name}{name} {version}"), 1, "plain 1", state, "2026-01-01", "2026-01-01", "job",
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Documents aa, bb and dd are here, cc and ee in the trash."""
    store = Store(tmp_path / "workspace")
    first = StoreChange(at="2026-01-01", by="job")
    for name in "abcde":
        store.add(first, row_of(name))
    store.carry_out(first)
    second = StoreChange(at="2026-01-02", by="me", reason="removed")
    for name in "ce":
        second.documents[name * 2] = row_of(name, state="retired")
        second.forgotten.add(("docs", f"{name}.md"))
    store.carry_out(second)
    assert verify_store(store.layout, store.catalogue) == []
    yield store
    store.catalogue.close()


def everything_at_once(store: Store) -> StoreChange:
    """Return a change of each kind: a new version, a new document, one retired, restored, moved and purged."""
    change = StoreChange(at="2026-01-03", by="job", reason="not_listed")
    store.add(change, row_of("a", version=2))
    store.add(change, row_of("f"))
    change.noted.add("ff")
    change.forgotten.add(("docs", "b.md"))
    change.left.add("bb")
    change.documents["cc"] = row_of("c")
    change.returned.add("cc")
    change.put_location(location("c.md", "cc", uri="file:///c.md"))
    change.chunks["cc"] = [Chunk("cc", 1, 0, "", "text of cc 1")]
    moved = row_of("d", key="moved.md")
    change.documents["dd"] = moved
    change.forgotten.add(("docs", "d.md"))
    change.put_location(location("moved.md", "dd", uri=moved.uri))
    change.noted.add("dd")
    change.purged.append(row_of("e", state="retired"))
    return change


@contextlib.contextmanager
def cut_off(before: int, error: Callable[[], BaseException]) -> Iterator[list[str]]:
    """Raise before step number ``before``; yields the names of the steps that were begun."""
    begun: list[str] = []
    with pytest.MonkeyPatch.context() as patch:

        def step(name: str) -> None:
            begun.append(name)
            if len(begun) == before:
                raise error()

        def watch(owner: Any, attribute: str, when: Callable[..., bool] = lambda *_: True) -> None:
            genuine = getattr(owner, attribute)

            def watched(*arguments: Any, **options: Any) -> Any:
                if when(*arguments):
                    step(attribute)
                return genuine(*arguments, **options)

            patch.setattr(owner, attribute, watched)

        for owner, attribute in STEPS:
            watch(owner, attribute)
        watch(Catalogue, "execute", lambda _self, sql, *_values: sql == "COMMIT")
        if error is DiedError:
            patch.setattr(StoreWriter, "repair", lambda _self: None)
        yield begun


def test_a_change_of_each_kind_is_carried_out(store: Store) -> None:
    """Afterwards catalogue and folders agree, notes and trash included, and no intent is left."""
    store.carry_out(everything_at_once(store))
    assert verify_store(store.layout, store.catalogue, deep=True) == []
    assert {row.state for row in store.catalogue.documents(["aa", "cc", "dd", "ff"]).values()} == {"active"}
    note = orjson.loads((store.layout.trashed("default", "bb") / "retired.json").read_bytes())
    assert (note["reason"], note["by"], note["retired_at"]) == ("not_listed", "job", "2026-01-03")
    assert not store.layout.trashed("default", "ee").exists()
    assert store.catalogue.documents(["ee"]) == {}
    assert not IntentJournal(store.layout).is_pending()


@pytest.mark.parametrize("error", [DiedError, lambda: OSError(28, "No space left on device")], ids=["death", "error"])
def test_a_change_cut_off_before_any_step_is_whole_or_undone(
    store: Store, tmp_path: Path, error: Callable[[], BaseException]
) -> None:
    """After a repair everything is as before the change, or as after it; what was built is back where it was."""
    before, undisturbed = store.state(), _copy(store, tmp_path / "undisturbed")
    undisturbed.carry_out(everything_at_once(undisturbed))
    after = undisturbed.state()
    number, reached, endings = 0, True, set()
    while reached:
        number += 1
        trial = _copy(store, tmp_path / f"trial-{number}")
        change = everything_at_once(trial)
        with cut_off(number, error) as begun, contextlib.suppress(DiedError, OSError):
            trial.carry_out(change)
        reached = len(begun) >= number
        repair_if_free(trial.layout, trial.open_catalogue, trial.documents)
        assert not IntentJournal(trial.layout).is_pending()
        assert verify_store(trial.layout, trial.catalogue, deep=True) == [], begun
        is_undone = trial.state() == before
        assert is_undone or trial.state() == after, begun
        waiting = {path.name for path in trial.layout.job("job").staging.iterdir()}
        assert waiting == ({"item-aa-2", "item-ff-1"} if is_undone else set()), begun
        endings.add(is_undone)
        trial.catalogue.close()
    assert endings == {True, False}
    assert number > 15, "fewer steps than a change of each kind has"


def _copy(store: Store, root: Path) -> Store:
    store.catalogue.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copytree(store.layout.root, root)
    return Store(root)


def test_a_repair_that_fails_leaves_the_intents_to_the_next(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that refuses both change and repair costs nothing once it works: the next change repairs first."""
    with monkeypatch.context() as patch:
        patch.setattr(DocumentStore, "sync", _broken_disk)
        with pytest.raises(OSError, match="Input/output"):
            store.carry_out(everything_at_once(store))
    assert IntentJournal(store.layout).is_pending()
    with store.writing() as writer:
        assert not IntentJournal(store.layout).is_pending()
        assert verify_store(store.layout, store.catalogue) == []
        writer.carry_out(everything_at_once(store))
    assert verify_store(store.layout, store.catalogue) == []


def _broken_disk(_self: DocumentStore) -> None:
    raise OSError(5, "Input/output error")


def test_a_version_on_disk_that_the_catalogue_does_not_know_is_kept(store: Store) -> None:
    """Placing a version where one is fails before anything is touched, and keeps both."""
    folder = store.layout.version("default", "aa", 2)
    make_folder(folder)
    store.documents.write_ingestion(folder, {"document_id": "aa", "version": 2})
    before = store.state()
    with pytest.raises(StoreError, match="does not know") as raised:
        store.carry_out(everything_at_once(store))
    assert "rebuild" in raised.value.hint
    assert store.state() == before
    assert (store.layout.job("job").staging / "item-aa-2" / "raw.md").exists()


def test_what_was_built_for_a_job_that_has_ended_is_dropped(store: Store) -> None:
    """Nobody would continue with it; a version that cannot go back is kept and named in the audit."""
    for name, ended in (("f", True), ("g", False)):
        built = store.built(row_of(name))
        store.documents.place(built.folder, "default", name * 2, 1)
        if ended:
            store.layout.queue_entry("job").unlink()
        else:
            store.layout.job("job").staging.rename(store.layout.job("job").folder / "elsewhere")
        with store.writing() as writer:
            folder = str(Path(built.folder).relative_to(store.layout.root))
            writer.undo([placing("default", name * 2, 1, folder)])
        assert not Path(built.folder).exists()
    assert not store.layout.document("default", "ff").exists()
    assert store.layout.version("default", "gg", 1).exists()
    assert "documents/default/gg/gg/v0001 is not in the catalogue" in store.layout.audit.read_text()


def test_nobody_repairs_while_a_change_is_under_way(store: Store) -> None:
    """Opening a workspace does not wait for who commits, nor interfere."""
    lock = FileLock(store.layout.lock("commit"))
    assert lock.try_acquire()
    with lock:
        IntentJournal(store.layout).announce([placing("default", "aa", 1, "jobs/job/staging/item")])
        repair_if_free(store.layout, store.open_catalogue, store.documents)
        assert IntentJournal(store.layout).is_pending()
    repair_if_free(store.layout, store.open_catalogue, store.documents)
    assert not IntentJournal(store.layout).is_pending()
    assert store.layout.version("default", "aa", 1).exists()


def test_retired_places_are_remembered_in_the_trash(store: Store) -> None:
    """retired.json holds what the places of a document became, for a rebuild."""
    change = StoreChange(at="2026-01-03", by="me", reason="removed")
    change.documents["aa"] = row_of("a", state="retired")
    removed = location("a.md", None, outcome="retired", reason="removed")
    change.put_location(removed)
    change.remembered["aa"] = [removed]
    store.carry_out(change)
    note = orjson.loads((store.layout.trashed("default", "aa") / "retired.json").read_bytes())
    assert note["locations"] == [removed._asdict()]


def test_a_document_that_returns_is_noted_with_the_places_it_has_now(store: Store) -> None:
    """Its document.json came back with it, and names the places it had before it was retired."""
    first = StoreChange(at="2026-01-03", by="job", noted={"aa"})
    first.put_location(location("copy.md", "aa"))
    store.carry_out(first)
    second = StoreChange(at="2026-01-04", by="me", forgotten={("docs", "a.md"), ("docs", "copy.md")}, left={"aa"})
    store.carry_out(second)
    back = StoreChange(at="2026-01-05", by="me", returned={"aa"}, documents={"aa": row_of("a")})
    back.put_location(location("a.md", "aa"))
    back.chunks["aa"] = [Chunk("aa", 1, 0, "", "text of aa 1")]
    store.carry_out(back)
    note = orjson.loads((store.layout.document("default", "aa") / "document.json").read_bytes())
    assert [place["key"] for place in note["locations"]] == ["a.md"]
    assert verify_store(store.layout, store.catalogue) == []


@pytest.mark.parametrize(
    "planted", ["../precious", "jobs/../../../precious", "jobs/link/staging/item", "trash", "/tmp"]
)
def test_an_intent_moves_and_removes_nothing_outside_of_where_versions_are_built(
    store: Store, tmp_path: Path, planted: str
) -> None:
    """A journal that somebody has planted leads nowhere: what it names stays, and the audit says so."""
    precious = tmp_path / "precious"
    (precious / "staging" / "item").mkdir(parents=True)
    (precious / "staging" / "item" / "file").write_text("precious")
    (store.layout.jobs / "link").symlink_to(precious)
    before = store.state()
    with store.writing() as writer:
        writer.undo([placing("default", "zz", 1, planted)])
    assert (precious / "staging" / "item" / "file").read_text() == "precious"
    assert store.state() == before
    assert "is no folder where versions are built" in store.layout.audit.read_text()
