"""Backups: what is in them, next to whom they are written, and what becomes of them."""

from __future__ import annotations

import errno
import io
import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ingest_tui import IngestedDocument, open_workspace
from ingest_tui.model.clock import utc_now
from ingest_tui.model.errors import BusyError, IngestError, RefusedError, StoreError, UsageError, ValidationError
from ingest_tui.pipeline.workspace_prune import find_prunable
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.backup import back_up, check_backup, restore_backup, stream_backup
from ingest_tui.services.documents.documents import remove_documents
from ingest_tui.services.documents.erasure import erase_documents, plan_erasure
from ingest_tui.services.documents.pruning import prune_documents, versions_to_prune
from ingest_tui.services.documents.uploads import upload_files
from ingest_tui.services.jobs.audit_trail import list_audit
from ingest_tui.services.verify.verify import VerifyScope, verify
from ingest_tui.services.workspace_prune import prune_workspace
from ingest_tui.store.backup.unfinished import hold_unfinished, remove_unfinished
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.workspace import Workspace, init_workspace, open_workspace_at

ZSTD = b"\x28\xb5\x2f\xfd"


@pytest.fixture
def handle(tmp_path: Path) -> Iterator[WorkspaceHandle]:
    """A workspace with six registered documents, one of them in two versions, one in the trash."""
    with open_workspace(tmp_path / "workspace") as opened:
        for number in range(6):
            opened.register("default", document(number))
        opened.register("default", document(1, "other words"))
        remove_documents(opened.workspace, [ids(opened.workspace)["script:2"]])
        yield opened


def document(number: int, words: str = "words") -> IngestedDocument:
    return IngestedDocument(f"{words} {number}", f"script:{number}", "script")


def ids(workspace: Workspace) -> dict[str, str]:
    return dict(workspace.reading.execute("SELECT uri, document_id FROM documents"))


def findings(root: Path) -> list[str]:
    """Return what a deep verification finds in a workspace."""
    workspace = open_workspace_at(root)
    try:
        return [f"{one.code} {one.message}" for one in verify(workspace, VerifyScope(deep=True))]
    finally:
        workspace.close()


def texts(root: Path) -> set[str]:
    with open_workspace(root) as opened:
        return {opened.text(one.document_id) for one in opened.documents}


def test_a_restored_workspace_is_the_one_that_was_backed_up(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """Documents, versions, the trash and the audit are there; nothing is wrong; and it can be worked with."""
    place, report = back_up(handle.workspace, tmp_path / "one.tar.zst")
    assert (report.documents, report.versions, report.problems) == (6, 7, [])
    assert place.stat().st_mode & 0o777 == 0o600
    restored = restore_backup(place, tmp_path / "there")
    assert restored.files == report.files
    assert findings(tmp_path / "there") == []
    assert texts(tmp_path / "there") == {f"words {number}" for number in (0, 3, 4, 5)} | {"other words 1"}
    with open_workspace(tmp_path / "there") as opened:
        before = list(list_audit(handle.workspace))
        lines = list(list_audit(opened.workspace))
        assert lines[:-1] == before[:-1]  # the backup itself is noted after it is written
        assert (before[-1]["action"], lines[-1]["action"]) == ("backup.create", "backup.restore")
        assert len(list(opened.search("words"))) == 5
        opened.register("default", document(9))
        assert [one.document_id for one in opened.documents if one.uri == "script:9"]
    assert findings(tmp_path / "there") == []


def test_a_later_backup_names_what_an_earlier_one_has(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """Versions of the earlier one are not written again, wherever their documents are now; a chain is restored."""
    first, _ = back_up(handle.workspace, tmp_path / "1.zst")
    handle.register("default", document(6))
    remove_documents(handle.workspace, [ids(handle.workspace)["script:0"]])
    second, report = back_up(handle.workspace, tmp_path / "2.zst", base=first)
    assert (report.documents, report.versions, report.carried) == (7, 8, 3 * 7)
    handle.register("default", document(7))
    third, last = back_up(handle.workspace, tmp_path / "3.zst", base=second)
    assert last.carried == 3 * 8
    assert check_backup(third, [first, second]).files == last.files
    restore_backup(third, tmp_path / "there", [second, first])
    assert findings(tmp_path / "there") == []
    assert texts(tmp_path / "there") == texts(handle.workspace.root)
    for bases in ([], [first], [second]):
        missing = [path.name for path in (second, first) if path not in bases]
        with pytest.raises(UsageError, match=rf"rests on.*: {' of .*, '.join(missing)} of \d{{4}}-"):
            restore_backup(third, tmp_path / "elsewhere", bases)
    assert not (tmp_path / "elsewhere").exists()


def test_what_changed_in_a_version_is_written_again(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """A repair may write a record anew: then all of the version is in the later backup."""
    first, _ = back_up(handle.workspace, tmp_path / "1.zst")
    record = handle.workspace.layout.version("default", ids(handle.workspace)["script:3"], 1) / "ingestion.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"language": "en"}))
    second, report = back_up(handle.workspace, tmp_path / "2.zst", base=first)
    assert report.carried == 3 * 6
    restore_backup(second, tmp_path / "there", [first])
    assert findings(tmp_path / "there") == []


def test_nothing_rests_on_a_damaged_backup(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """An earlier backup is read whole before a later one rests on it; of the later one nothing is left."""
    first, _ = back_up(handle.workspace, tmp_path / "1.zst")
    first.write_bytes(first.read_bytes()[:-7])
    with pytest.raises(ValidationError):
        back_up(handle.workspace, tmp_path / "2.zst", base=first)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.zst", "workspace"]


def test_a_backup_never_replaces_what_it_rests_on(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """By no name of the file, and however long the chain is; any other backup may be replaced."""
    first, _ = back_up(handle.workspace, tmp_path / "1.zst")
    second, _ = back_up(handle.workspace, tmp_path / "2.zst", base=first)
    (tmp_path / "link.zst").symlink_to(first)
    os.link(first, tmp_path / "name.zst")
    for target, base in ((first, first), (first, second), ("link.zst", first), ("name.zst", second)):
        with pytest.raises(RefusedError, match="would rest on"):
            back_up(handle.workspace, tmp_path / target, base=base, replace=True)
    assert check_backup(second, [first]).files
    back_up(handle.workspace, second, base=first, replace=True)
    (tmp_path / "other").write_text("no backup")
    back_up(handle.workspace, tmp_path / "other", base=second, replace=True)
    assert check_backup(tmp_path / "other", [first, second]).files


def test_a_stream_that_was_cut_is_no_backup(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """Wherever a pipe broke, nothing is restored and nothing is left."""
    stream = io.BytesIO()
    stream_backup(handle.workspace, stream)
    whole = stream.getvalue()
    assert check_backup(io.BytesIO(whole)).files > 20
    for length in range(0, len(whole), len(whole) // 40):
        with pytest.raises(ValidationError):
            restore_backup(io.BytesIO(whole[:length]), tmp_path / "there")
    assert not (tmp_path / "there").exists()


def test_a_changed_byte_is_found(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """Any byte of a stream that is changed is refused, or changes nothing that is restored."""
    stream = io.BytesIO()
    stream_backup(handle.workspace, stream)
    whole = bytearray(stream.getvalue())
    refused = 0
    for at in range(5, len(whole), len(whole) // 60):
        harmed = bytearray(whole)
        harmed[at] ^= 0x55
        try:
            check_backup(io.BytesIO(bytes(harmed)))
        except (ValidationError, StoreError):
            refused += 1
    assert refused > 55


# Next to others

Meanwhile = Callable[[WorkspaceHandle], object]


def _erase(handle: WorkspaceHandle) -> None:
    name = ids(handle.workspace)["script:5"]
    erase_documents(handle.workspace, plan_erasure(handle.workspace, [name]))


def _prune(handle: WorkspaceHandle) -> None:
    for one in versions_to_prune(handle.workspace, [ids(handle.workspace)["script:1"]], keep=1):
        prune_documents(handle.workspace, [one])


def _retire(handle: WorkspaceHandle) -> None:
    remove_documents(handle.workspace, list(ids(handle.workspace).values())[3:])


def _add(handle: WorkspaceHandle) -> None:
    for number in range(20, 40):
        handle.register("default", document(number))
    handle.register("default", document(0, "newer words"))


@pytest.mark.parametrize("change", [_erase, _prune, _retire, _add])
def test_what_changes_meanwhile_does_no_harm(
    handle: WorkspaceHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Meanwhile
) -> None:
    """After the snapshot was taken, somebody erases, prunes, retires and adds: what is restored is consistent."""
    monkeypatch.setattr("ingest_tui.store.backup.writing._AT_ONCE", 1)
    done: list[str] = []

    def on_progress(what: str, _done: int, _total: int) -> None:
        if what == "documents" and not done:
            done.append(what)
            with open_workspace(handle.workspace.root) as other:
                change(other)

    _, report = back_up(handle.workspace, tmp_path / "one.zst", on_progress=on_progress)
    assert done
    assert report.problems == []
    restore_backup(tmp_path / "one.zst", tmp_path / "there")
    assert findings(tmp_path / "there") == []


def test_nothing_of_a_backup_under_way_is_open_to_others(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """Whenever it is killed, what it leaves in the workspace is as private as all else there."""
    open_to_others: set[str] = set()
    seen: set[str] = set()

    def on_progress(_what: str, _done: int, _total: int) -> None:
        files = [path for path in handle.workspace.root.rglob("*") if path.is_file()]
        seen.update(path.name for path in files)
        open_to_others.update(str(path) for path in files if path.stat().st_mode & 0o077)

    before = os.umask(0o022)
    try:
        back_up(handle.workspace, tmp_path / "one.zst", on_progress=on_progress)
        back_up(handle.workspace, tmp_path / "two.zst", base=tmp_path / "one.zst", on_progress=on_progress)
    finally:
        os.umask(before)
    assert "contents.jsonl" in seen
    assert any(name.endswith(".contents") for name in seen)
    assert open_to_others == set()


def _part(folder: Path, letter: str, data: bytes, *, age: float) -> Path:
    path = folder / f".tmp.{letter * 32}"
    path.write_bytes(data)
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_what_killed_backups_left_goes_with_the_next(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """The part of a file and the scratch folder are removed; what another one writes, or is no backup, stays."""
    layout = handle.workspace.layout
    scratch = layout.root / ".tmp.plan-killed"
    scratch.mkdir()
    (scratch / "lock").touch()
    os.utime(scratch, (time.time() - 120,) * 2)
    left = _part(tmp_path, "a", ZSTD + b"half", age=120)
    empty = _part(tmp_path, "b", b"", age=120)  # nothing says whose
    foreign, young = _part(tmp_path, "c", b"a note", age=9999), _part(tmp_path, "d", ZSTD, age=0)
    written = _part(tmp_path, "e", ZSTD + b"half", age=120)
    with written.open("ab") as held:
        hold_unfinished(held.fileno())
        back_up(handle.workspace, tmp_path / "one.zst")
        assert [path.exists() for path in (left, scratch)] == [False, False]
        assert all(path.exists() for path in (empty, foreign, young, written))
    back_up(handle.workspace, tmp_path / "two.zst")
    assert not written.exists()


def test_a_backup_holds_its_file_while_it_is_written(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """A second backup to the same folder leaves the part of the first alone, however long that has been quiet."""
    parts: list[Path] = []

    def on_progress(what: str, _done: int, _total: int) -> None:
        if what == "documents" and not parts:
            parts.extend(tmp_path.glob(".tmp.*"))
            os.utime(parts[0], (1, 1))
            back_up(handle.workspace, tmp_path / "other.zst")

    back_up(handle.workspace, tmp_path / "one.zst", on_progress=on_progress)
    assert len(parts) == 1
    assert check_backup(tmp_path / "one.zst").files == check_backup(tmp_path / "other.zst").files


def test_a_backup_is_held_until_it_has_its_name(
    handle: WorkspaceHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No other backup takes it for a part that was left at the last moment, between its last byte and its name."""
    removed: list[list[Path]] = []
    rename = os.rename

    def renamed(old: Path, new: Path) -> None:
        if Path(new) == tmp_path / "one.zst":
            os.utime(old, (1, 1))
            removed.append(remove_unfinished(tmp_path))
        rename(old, new)

    monkeypatch.setattr("ingest_tui.store.fs.atomic.os.rename", renamed)
    place, _ = back_up(handle.workspace, tmp_path / "one.zst")
    assert removed == [[]]
    assert check_backup(place).files


def test_a_part_stays_where_there_are_no_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing says there whether somebody writes it."""

    def no_locks(_descriptor: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    part = _part(tmp_path, "a", ZSTD + b"half", age=9999)
    monkeypatch.setattr("ingest_tui.store.backup.unfinished.fcntl.flock", no_locks)
    assert remove_unfinished(tmp_path) == []
    monkeypatch.undo()
    assert remove_unfinished(tmp_path) == [part]


def test_a_prune_removes_what_killed_processes_left(handle: WorkspaceHandle) -> None:
    """Also where nothing is due: a workspace that no worker looks after is not filled up by it."""
    scratch = handle.workspace.root / ".tmp.plan-killed"
    scratch.mkdir()
    os.utime(scratch, (time.time() - 120,) * 2)
    prune_workspace(handle.workspace, [])
    assert not scratch.exists()


def test_a_leftover_that_cannot_be_removed_keeps_nothing_from_a_prune(
    handle: WorkspaceHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is due goes all the same."""

    def refused(folder: Path) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), str(folder))

    scratch = handle.workspace.root / ".tmp.plan-killed"
    scratch.mkdir()
    os.utime(scratch, (time.time() - 120,) * 2)
    monkeypatch.setattr("ingest_tui.store.fs.leftovers.remove_tree", refused)
    found = find_prunable(handle.workspace, kinds=["trash"], now=utc_now() + timedelta(days=999))
    assert prune_workspace(handle.workspace, list(found)).items["trash"] == 1
    assert scratch.exists()


def test_a_backup_of_what_is_damaged_says_so(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """What is missing or not what was fetched is named; all that is there is in the backup."""
    layout = handle.workspace.layout
    raw = next(layout.version("default", ids(handle.workspace)["script:3"], 1).glob("raw.*"))
    raw.write_bytes(b"X" * raw.stat().st_size)
    for path in (folder := layout.version("default", ids(handle.workspace)["script:4"], 1)).iterdir():
        path.unlink()
    folder.rmdir()
    _, report = back_up(handle.workspace, tmp_path / "one.zst")
    assert report.problems_total == 2
    assert "not what was fetched" in report.problems[0] + report.problems[1]
    assert "no folder" in report.problems[0] + report.problems[1]
    restore_backup(tmp_path / "one.zst", tmp_path / "there")
    assert len(findings(tmp_path / "there")) == len(list(verify(handle.workspace, VerifyScope(deep=True)))) > 0


def test_what_waits_is_restored_and_done(tmp_path: Path) -> None:
    """An upload that waits has its only copy in the workspace: the restored one takes it in."""
    with open_workspace(tmp_path / "workspace") as opened:
        (tmp_path / "letter.txt").write_text("a letter that was given by hand")
        upload_files(opened.workspace, [tmp_path / "letter.txt"])
        back_up(opened.workspace, tmp_path / "one.zst")
    restore_backup(tmp_path / "one.zst", tmp_path / "there")
    assert findings(tmp_path / "there") == []
    workspace = open_workspace_at(tmp_path / "there")
    [job_id] = workspace.jobs.queued_ids()
    assert [path.read_text() for path in workspace.jobs.paths(job_id).staging.rglob("*") if path.is_file()] == [
        "a letter that was given by hand"
    ]
    workspace.close()


def test_nothing_may_be_written_for_a_read_only_backup(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """With --read-only the workspace is left as it is; next to a worker that is refused."""
    root = handle.workspace.root
    handle.close()
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    workspace = open_workspace_at(root)
    workspace.is_read_only = True
    back_up(workspace, tmp_path / "one.zst")
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*") if "catalogue.db-" not in path.name} == {
        path: at for path, at in before.items() if "catalogue.db-" not in path.name
    }
    restore_backup(tmp_path / "one.zst", tmp_path / "there")
    assert findings(tmp_path / "there") == []
    worker = FileLock(workspace.layout.workers / "1-a.lock")
    assert worker.try_acquire()
    with worker, pytest.raises(BusyError):
        back_up(workspace, tmp_path / "two.zst")
    workspace.close()


def test_credentials_only_when_asked_for(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """The credentials file is in no backup that was not asked to have it, and replaces none."""
    names = tmp_path / "credentials.json"
    names.write_text('{"schema_version": 1, "credentials": {}}')
    names.chmod(0o600)
    back_up(handle.workspace, tmp_path / "without.zst")
    back_up(handle.workspace, tmp_path / "with.zst", with_credentials=True)
    with pytest.raises(IngestError, match="no credentials"):
        restore_backup(
            tmp_path / "without.zst", tmp_path / "there", credentials_path=tmp_path / "c.json", with_credentials=True
        )
    assert not (tmp_path / "there").exists()
    with pytest.raises(RefusedError):
        restore_backup(tmp_path / "with.zst", tmp_path / "there", with_credentials=True)
    restore_backup(
        tmp_path / "with.zst", tmp_path / "there", credentials_path=tmp_path / "c.json", with_credentials=True
    )
    assert (tmp_path / "c.json").read_bytes() == names.read_bytes()


# The folder that is restored to


def test_only_an_empty_folder_is_filled(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """A folder with anything in it, a workspace, and a file are refused, and stay as they are."""
    place, _ = back_up(handle.workspace, tmp_path / "one.zst")
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine").write_text("mine")
    for target in (other, handle.workspace.root, other / "mine"):
        with pytest.raises(RefusedError):
            restore_backup(place, target)
    assert [path.name for path in other.iterdir()] == ["mine"]
    (other / "mine").unlink()
    restore_backup(place, other)
    assert findings(other) == []


def test_no_workspace_is_made_inside_another(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """Neither restored nor new: what is not known there is moved away by a repair. Folders of other programs may be."""
    place, _ = back_up(handle.workspace, tmp_path / "one.zst")
    root = handle.workspace.root
    (tmp_path / "link").symlink_to(root / "documents")
    for inside in (root / "documents" / "new", root / "new" / "deep", tmp_path / "link" / "new"):
        with pytest.raises(RefusedError, match="inside the workspace"):
            restore_backup(place, inside)
        with pytest.raises(RefusedError, match="inside the workspace"):
            init_workspace(inside)
        assert not os.path.lexists(inside)
    assert findings(root) == []
    project = tmp_path / "project"
    project.mkdir()
    (project / "workspace.json").write_text("{}")
    (project / "documents").mkdir()
    restore_backup(place, project / "workspace")
    assert findings(project / "workspace") == []


def test_half_a_restore_is_no_workspace(
    handle: WorkspaceHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before its end it can be neither opened nor made one by init; the next restore begins anew."""
    place, _ = back_up(handle.workspace, tmp_path / "one.zst")

    def killed(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("ingest_tui.store.backup.filling._give_up", lambda *_a, **_o: None)
        patch.setattr("ingest_tui.store.backup.filling.os.rename", killed)
        with pytest.raises(KeyboardInterrupt):
            restore_backup(place, tmp_path / "there")
    assert (tmp_path / "there" / "catalogue.db").exists()
    for use in (open_workspace_at, init_workspace):
        with pytest.raises(StoreError, match="has not ended"):
            use(tmp_path / "there")
    restore_backup(place, tmp_path / "there")
    assert findings(tmp_path / "there") == []
    assert not list((tmp_path / "there").glob(".tmp.*"))


def test_a_restore_is_in_the_audit_before_it_is_a_workspace(
    handle: WorkspaceHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at any moment, no workspace is left without the line that says where it came from."""
    place, report = back_up(handle.workspace, tmp_path / "one.zst")
    lines: list[str] = []
    rename = os.rename

    def noted(old: Path, new: Path) -> None:
        lines.extend((tmp_path / "there" / "audit.jsonl").read_text().splitlines())
        rename(old, new)

    monkeypatch.setattr("ingest_tui.store.backup.filling.os.rename", noted)
    restore_backup(place, tmp_path / "there")
    assert "backup.restore" in lines[-1]
    assert report.backup_id in lines[-1]


def test_two_restores_do_not_fill_one_folder(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """The second one is refused while the first one lives."""
    place, _ = back_up(handle.workspace, tmp_path / "one.zst")
    (tmp_path / "there").mkdir()
    mark = FileLock(tmp_path / "there" / ".tmp.restore")
    assert mark.try_acquire()
    with mark, pytest.raises(BusyError):
        restore_backup(place, tmp_path / "there")
    restore_backup(place, tmp_path / "there")


def test_an_umask_and_links_in_the_workspace_change_nothing(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """Links are not followed into a backup; files are for their owner only, whatever the umask says."""
    secret = tmp_path / "secret"
    secret.write_text("of somebody else")
    (handle.workspace.root / "collections" / "x.json").symlink_to(secret)
    before = os.umask(0)
    try:
        place, _ = back_up(handle.workspace, tmp_path / "one.zst")
        restore_backup(place, tmp_path / "there")
    finally:
        os.umask(before)
    assert not (tmp_path / "there" / "collections" / "x.json").exists()
    for path in (tmp_path / "there").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_restored_catalogue_has_an_epoch_of_its_own(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """Numbers of changes come again after a restore: whoever follows the feed has to notice."""

    def epoch(workspace: Workspace) -> str:
        return str(workspace.reading.value("SELECT value FROM meta WHERE name = 'epoch'"))

    place, _ = back_up(handle.workspace, tmp_path / "one.zst")
    restore_backup(place, tmp_path / "there")
    with open_workspace(tmp_path / "there") as restored:
        assert epoch(restored.workspace) != epoch(handle.workspace)


def test_the_catalogue_is_that_of_the_snapshot(
    handle: WorkspaceHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is committed after the lock was released, and before the catalogue is copied, is not in the backup."""
    copy_to = Catalogue.copy_to

    def committed_first(catalogue: Catalogue, copy: Path) -> None:
        with open_workspace(handle.workspace.root) as other:
            other.register("default", document(8))
        copy_to(catalogue, copy)

    monkeypatch.setattr(Catalogue, "copy_to", committed_first)
    place, report = back_up(handle.workspace, tmp_path / "one.zst")
    restore_backup(place, tmp_path / "there")
    assert report.documents == 6
    assert "words 8" in texts(handle.workspace.root) - texts(tmp_path / "there")
    assert findings(tmp_path / "there") == []
