"""The durable writer and the folders it works in."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest_tui.model.document import Chunk
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.fs.atomic import (
    TEMPORARY_PREFIX,
    filled_folder,
    make_folder,
    remove_tree,
    sweep_temporaries,
    sync_filesystem,
    write_durably,
    write_new,
    write_pieces_durably,
    write_until_power_cut,
)
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.records.journal import Journal
from ingest_tui.store.staging import StagingArea
from ingest_tui.store.workspace import init_workspace

WRITERS = [write_durably, write_until_power_cut]
UMASKS = [0o000, 0o022, 0o077, 0o177, 0o277, 0o777]


@contextmanager
def umask(value: int) -> Iterator[None]:
    before = os.umask(value)
    try:
        yield
    finally:
        os.umask(before)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mask", UMASKS, ids=oct)
def test_files_are_0600_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    """A written file can be read and written by its owner and by nobody else."""
    with umask(mask):
        write_durably(tmp_path / "record.json", b"{}")
        write_until_power_cut(tmp_path / "mark.json", b"{}")
        Journal(tmp_path / "journal.jsonl").close()
        lock = FileLock(tmp_path / "a.lock")
        lock.try_acquire()
        lock.release()
    assert {path.name: oct(mode_of(path)) for path in tmp_path.iterdir()} == {
        "record.json": "0o600",
        "mark.json": "0o600",
        "journal.jsonl": "0o600",
        "a.lock": "0o600",
    }


@pytest.mark.parametrize("mask", UMASKS, ids=oct)
def test_folders_are_0700_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    """Every folder that is made, parents too, belongs to its owner alone."""
    with umask(mask):
        make_folder(tmp_path / "a" / "b")
        StagingArea(tmp_path / "a").receive("item", "txt", [b"x"])
    assert {oct(mode_of(tmp_path / name)) for name in ("a", "a/b", "a/item")} == {"0o700"}
    assert oct(mode_of(tmp_path / "a" / "item" / "raw.txt")) == "0o600"


def test_catalogue_and_its_side_files_are_0600(tmp_path: Path) -> None:
    """The write-ahead log holds the same texts as the catalogue, so it is closed to others as well."""
    with umask(0o022):
        catalogue = Catalogue(tmp_path / "catalogue.db", create=True)
        with catalogue.transaction():
            catalogue.full_text.replace((), [Chunk("d", 1, 0, "", "text")])
        modes = {path.name: oct(mode_of(path)) for path in tmp_path.iterdir()}
        catalogue.close()
    names = ("catalogue.db", "catalogue.db-wal", "catalogue.db-shm", "catalogue.mark")
    assert modes == dict.fromkeys(names, "0o600")


def test_new_workspace_is_closed_to_others(tmp_path: Path) -> None:
    """Everything that `init` makes is 0700 or 0600, under the usual umask."""
    with umask(0o022):
        workspace, is_new = init_workspace(tmp_path / "workspace")
        workspace.catalogue.value("SELECT 1")
    open_to_others = [path for path in [workspace.root, *workspace.root.rglob("*")] if mode_of(path) & 0o077]
    workspace.close()
    assert is_new
    assert open_to_others == []


@pytest.mark.parametrize("write", WRITERS)
def test_file_is_replaced_whole_and_is_a_new_one(write: Callable[[Path, bytes], None], tmp_path: Path) -> None:
    """A reader that has the old file open goes on reading the old content."""
    path = tmp_path / "record.json"
    write(path, b"old content")
    with path.open("rb") as reading:
        write(path, b"new")
        assert reading.read() == b"old content"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_target_name_of_255_bytes(tmp_path: Path) -> None:
    """The longest name a file system takes can be written: the temporary name does not derive from it."""
    path = tmp_path / ("ü" * 127 + "x")
    assert len(os.fsencode(path.name)) == 255
    write_durably(path, b"content")
    assert path.read_bytes() == b"content"


def test_target_in_a_missing_folder_leaves_nothing(tmp_path: Path) -> None:
    """Writing into a folder that is not there fails and makes nothing."""
    with pytest.raises(FileNotFoundError):
        write_durably(tmp_path / "missing" / "record.json", b"content")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("write", [write_durably, lambda path, data: write_pieces_durably(path, [data])])
def test_an_error_names_the_file_and_not_the_temporary_one(
    write: Callable[[Path, bytes], object], tmp_path: Path
) -> None:
    """What could not be written is called as people know it."""
    with pytest.raises(FileNotFoundError) as raised:
        write(tmp_path / "nowhere" / "docs.json", b"{}")
    assert raised.value.filename == str(tmp_path / "nowhere" / "docs.json")


@pytest.mark.parametrize("write", WRITERS)
def test_target_that_is_a_folder_leaves_no_temporary(write: Callable[[Path, bytes], None], tmp_path: Path) -> None:
    """When the rename is refused, the temporary file is taken away and the error is raised."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="directory"):
        write(tmp_path / "folder", b"content")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("write", WRITERS)
def test_symbolic_link_is_replaced_not_followed(write: Callable[[Path, bytes], None], tmp_path: Path) -> None:
    """A link planted at the target is replaced; what it points to stays untouched."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / "record.json").symlink_to(victim)
    write(tmp_path / "record.json", b"content")
    assert victim.read_bytes() == b"precious"
    assert not (tmp_path / "record.json").is_symlink()


def test_new_file_never_replaces_or_follows(tmp_path: Path) -> None:
    """`write_new` refuses a name that is taken, also by a dangling link."""
    (tmp_path / "taken").write_bytes(b"precious")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("taken", "link"):
        with pytest.raises(FileExistsError):
            write_new(tmp_path / name, b"content")
    assert (tmp_path / "taken").read_bytes() == b"precious"
    assert not (tmp_path / "elsewhere").exists()


def test_writers_side_by_side_leave_one_whole_content(tmp_path: Path) -> None:
    """Of many threads that write the same file, one wins; no mixture and no temporary file stays."""
    path = tmp_path / "record.json"
    contents = [bytes([65 + number]) * (1000 * number + 1) for number in range(8)]
    threads = [threading.Thread(target=write_durably, args=(path, content)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [path]


def test_sweep_takes_temporaries_only(tmp_path: Path) -> None:
    """The sweep removes what interrupted writers left and nothing else."""
    (tmp_path / f"{TEMPORARY_PREFIX}left").write_bytes(b"")
    (tmp_path / "record.json").write_bytes(b"")
    (tmp_path / ".hidden").write_bytes(b"")
    assert [path.name for path in sweep_temporaries(tmp_path)] == [f"{TEMPORARY_PREFIX}left"]
    assert {path.name for path in tmp_path.iterdir()} == {"record.json", ".hidden"}


def test_removing_a_tree_that_is_not_there(tmp_path: Path) -> None:
    """Removing twice is as good as removing once, and a link's target survives the removal of the link's folder."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_bytes(b"precious")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "link").symlink_to(tmp_path / "kept")
    remove_tree(tmp_path / "tree")
    remove_tree(tmp_path / "tree")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept" / "file").exists()


def test_sync_of_a_file_system_reports_a_folder_that_is_gone(tmp_path: Path) -> None:
    """Durability for a batch is asked of a folder that exists; anything else is an error, not silence."""
    sync_filesystem(tmp_path)
    with pytest.raises(FileNotFoundError):
        sync_filesystem(tmp_path / "missing")


@pytest.mark.parametrize("mask", UMASKS, ids=oct)
def test_pieces_become_a_file_of_0600(tmp_path: Path, mask: int) -> None:
    """What comes in pieces is written whole, whatever the umask, and its size is reported."""
    with umask(mask):
        assert write_pieces_durably(tmp_path / "a", iter([b"one ", b"", b"two"])) == 7
    assert (tmp_path / "a").read_bytes() == b"one two"
    assert oct(mode_of(tmp_path / "a")) == "0o600"


def test_pieces_that_end_in_an_error_change_nothing(tmp_path: Path) -> None:
    """The old content stays and nothing temporary is left when the pieces raise."""
    (tmp_path / "a").write_bytes(b"old")

    def pieces() -> Iterator[bytes]:
        yield b"new"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_pieces_durably(tmp_path / "a", pieces())
    assert (tmp_path / "a").read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


def test_a_filled_folder_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    """The old folder is there until the new one is whole, then it is gone; nothing temporary is left."""
    target = tmp_path / "out"
    for number in range(2):
        with filled_folder(target) as folder:
            assert sorted(path.name for path in target.glob("*")) == [f"{old}" for old in range(number)]
            write_new(folder / f"{number}", b"x")
        (target / "0").touch()
    assert sorted(path.name for path in target.iterdir()) == ["0", "1"]
    assert list(tmp_path.iterdir()) == [target]
    assert oct(mode_of(target)) == "0o700"


@pytest.mark.parametrize("failing_rename", [None, 1, 2])
def test_a_folder_that_is_not_filled_changes_nothing(
    tmp_path: Path, failing_rename: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error while it is filled, or at either rename, leaves the old folder in its place and nothing else."""
    target = tmp_path / "out"
    with filled_folder(target) as folder:
        write_new(folder / "old", b"x")
    genuine, calls = os.rename, []

    def rename(source: Path, destination: Path) -> None:
        calls.append(source)
        if len(calls) == failing_rename:
            raise OSError(5, "Input/output error")
        genuine(source, destination)

    monkeypatch.setattr(os, "rename", rename)

    def fill_again() -> None:
        with filled_folder(target) as folder:
            write_new(folder / "new", b"x")
            if failing_rename is None:
                raise OSError(28, "the disk is full")

    with pytest.raises(OSError, match=r"error|full"):
        fill_again()
    assert [path.name for path in target.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [target]
