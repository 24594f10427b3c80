"""What a verification looks at, next to whom, and what it leaves alone."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui import IngestedDocument, open_workspace
from ingest_tui.cli.main import run
from ingest_tui.model.errors import NotFoundError, UsageError
from ingest_tui.model.inconsistency import KINDS, Inconsistency, Remedy
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.collections.preferences import plan_preferences, save_preferences
from ingest_tui.services.verify import second_look
from ingest_tui.services.verify.repair import verify_and_repair
from ingest_tui.services.verify.verify import VerifyScope, verify
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.consistency import KnownDocument
from ingest_tui.store.commit_lock import CommitLock
from ingest_tui.store.job_notices import NoticeStore
from ingest_tui.store.verify import document_check
from ingest_tui.store.verify.document_check import DocumentCheck
from tests.unit.services.verify.corruption_lab import run_queue

SOURCE = Path(second_look.__file__).parents[2]


@pytest.fixture
def handle(tmp_path: Path) -> Iterator[WorkspaceHandle]:
    """A workspace with two registered documents."""
    with open_workspace(tmp_path / "workspace") as opened:
        for number in range(2):
            opened.register("default", IngestedDocument(f"words {number}", f"script:{number}", "script"))
        yield opened


def normalized(handle: WorkspaceHandle, number: int) -> Path:
    document = next(one for one in handle.documents if one.uri == f"script:{number}")
    return handle.workspace.layout.version("default", document.document_id, 1) / "normalized.md"


def test_hashes_are_compared_only_when_asked_for(handle: WorkspaceHandle) -> None:
    """A text of the same size is found by the deep look alone."""
    normalized(handle, 1).write_text("swords")
    assert list(verify(handle.workspace)) == []
    [found] = verify(handle.workspace, VerifyScope(deep=True))
    assert (found.code, found.version) == ("version_damaged", 1)


def test_a_document_that_moved_before_it_was_cut_again_is_no_finding(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """Its new version has the address where it is, and the record of what was fetched the one where it was."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "a.md").write_text("\n\n".join(f"a paragraph of number {number} with words" for number in range(60)))
    handle.add_source("docs", "local", path=str(docs))
    handle.sync("docs")
    (docs / "a.md").rename(docs / "moved.md")
    handle.sync("docs")
    save_preferences(handle.workspace, plan_preferences(handle.workspace, "default", {"chunk_size": "400"}))
    run_queue(handle.workspace)
    [document] = [one for one in handle.documents if one.key == "moved.md"]
    assert document.version == 2
    assert list(verify(handle.workspace, VerifyScope(deep=True))) == []


def test_a_source_and_a_time_narrow_it(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """What is of another source, or has not changed since, is left out; a name or a time that is none is refused."""
    normalized(handle, 1).unlink()
    (tmp_path / "docs").mkdir()
    handle.add_source("docs", "local", path=str(tmp_path / "docs"))
    assert list(verify(handle.workspace, VerifyScope(source_id="docs"))) == []
    assert list(verify(handle.workspace, VerifyScope(since="2999-01-01"))) == []
    assert len(list(verify(handle.workspace, VerifyScope(since="2020-01-01")))) == 1
    with pytest.raises(NotFoundError):
        list(verify(handle.workspace, VerifyScope(source_id="nobody")))
    with pytest.raises(UsageError):
        VerifyScope(since="yesterday")


def test_what_is_whole_when_the_lock_is_free_is_no_finding(handle: WorkspaceHandle) -> None:
    """A change that somebody makes under the commit lock is looked at when it is made."""
    path = normalized(handle, 1)
    text = path.read_text()
    lock = CommitLock(handle.workspace.layout).held()
    lock.__enter__()
    path.unlink()
    found: list[object] = []
    looking = threading.Thread(target=lambda: found.extend(_verified_in_own_connection(handle)))
    looking.start()
    looking.join(0.2)  # it waits for the lock by then, or it looks later: both are right
    path.write_text(text)
    path.chmod(0o600)
    lock.__exit__(None, None, None)
    looking.join()
    assert found == []


@pytest.mark.parametrize(("folder", "remedy"), [("queue", Remedy.DERIVE), ("sources", Remedy.PERSON)])
def test_the_remedy_of_a_folder_is_what_a_repair_does(handle: WorkspaceHandle, folder: str, remedy: Remedy) -> None:
    """One that holds nothing that is needed is made again; of another one only a person knows what was in it."""
    (handle.workspace.root / folder).rmdir()
    [found] = verify(handle.workspace)
    assert (found.subject, found.remedy, found.as_dict()["repair"]) == (folder, remedy, remedy.value)
    left = [one for one in verify_and_repair(handle.workspace, VerifyScope()) if isinstance(one, Inconsistency)]
    assert bool(left) == (remedy is Remedy.PERSON)


def test_the_remedy_of_missing_outcomes_is_what_a_repair_does(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """A line that the catalogue knows is written again; one that a later job has looked at again needs a person."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "a.md").write_text("words")
    handle.add_source("docs", "local", path=str(docs))
    outcomes = handle.workspace.jobs.paths(handle.sync("docs").job_id).outcomes
    outcomes.unlink()
    [found] = verify(handle.workspace)
    assert (found.code, found.remedy, found.as_dict()["repair"]) == ("outcomes_missing", Remedy.DERIVE, Remedy.DERIVE)
    assert _left(handle) == []
    outcomes.unlink()
    (docs / "a.md").write_text("other words")
    handle.sync("docs")
    assert [(one.code, one.remedy) for one in _left(handle)] == [("outcomes_missing", Remedy.PERSON)]


def _verified_in_own_connection(handle: WorkspaceHandle) -> list[object]:
    with open_workspace(handle.workspace.root) as other:
        return list(verify(other.workspace))


def test_the_command_has_exit_codes_json_and_no_changes_with_read_only(
    handle: WorkspaceHandle, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 where all is well, 3 for findings, 6 for a repair that is not allowed; --json has one value."""
    root = str(handle.workspace.root)
    assert run(["-w", root, "verify"]) == 0
    normalized(handle, 1).unlink()
    capsys.readouterr()
    assert run(["-w", root, "--read-only", "verify", "--json"]) == 3
    answer = json.loads(capsys.readouterr().out)
    assert (answer["clean"], [one["code"] for one in answer["findings"]]) == (False, ["version_damaged"])
    assert run(["-w", root, "--read-only", "verify", "--repair"]) == 6
    assert not normalized(handle, 1).exists()
    assert run(["-w", root, "verify", "--repair", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["clean"]
    assert normalized(handle, 1).read_text() == "words 1"
    assert [line["action"] for line in handle.workspace.audit.entries()][-1] == "verify.repair"


def _left(handle: WorkspaceHandle) -> list[Inconsistency]:
    """Repair, and return what is left."""
    return [one for one in verify_and_repair(handle.workspace, VerifyScope()) if isinstance(one, Inconsistency)]


def _document_id(handle: WorkspaceHandle, number: int) -> str:
    return normalized(handle, number).parents[1].name


@pytest.mark.parametrize("wrong", [{"key": {}}, {"source_id": ["x"]}, {"version": True}, {"origin": {"size": "1"}}])
def test_a_value_of_another_type_is_damage_of_its_version(handle: WorkspaceHandle, wrong: dict[str, object]) -> None:
    """It is found, the other document is looked at, and the record is made again from the catalogue."""
    path = normalized(handle, 0).with_name("ingestion.json")
    record = json.loads(path.read_text())
    if isinstance(wrong.get("origin"), dict):
        wrong = {"origin": record["origin"] | wrong["origin"]}
    path.write_text(json.dumps(record | wrong))
    normalized(handle, 1).unlink()
    found = {(one.code, one.subject) for one in verify(handle.workspace)}
    assert found == {("version_damaged", _document_id(handle, number)) for number in range(2)}
    assert _left(handle) == []


def test_a_version_of_a_note_that_is_text_is_damage_of_the_note(handle: WorkspaceHandle) -> None:
    """It cannot be compared with a number, and ends no verification."""
    place = {"source_id": "x", "key": "y", "version": "1"}
    note = {"schema_version": 1, "locations": [place]}
    path = normalized(handle, 0).parents[1] / "document.json"
    path.write_text(json.dumps(note))
    path.chmod(0o600)
    assert [one.code for one in verify(handle.workspace)] == ["note_damaged"]


def test_what_no_check_expects_ends_neither_a_verification_nor_a_repair(
    handle: WorkspaceHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The document is named, and the next one is looked at and repaired."""
    odd, right = _document_id(handle, 0), DocumentCheck.of

    def of(self: DocumentCheck, catalogue: Catalogue, known: KnownDocument) -> Iterator[Inconsistency]:
        if known.document.document_id == odd:
            raise TypeError("unhashable type: 'dict'")
        yield from right(self, catalogue, known)

    monkeypatch.setattr(DocumentCheck, "of", of)
    normalized(handle, 1).unlink()
    left = _left(handle)
    assert [(one.code, one.subject) for one in left] == [("version_damaged", odd)]
    assert "TypeError: unhashable" in left[0].message
    assert normalized(handle, 1).exists()


def test_a_version_folder_that_cannot_be_listed_is_damage_of_that_version(
    handle: WorkspaceHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The document has its folder; its other versions and its notes are looked at as ever."""
    handle.register("default", IngestedDocument("second words", "script:0", "script"))
    folder = normalized(handle, 0).parents[1]
    (folder / "v0002" / "normalized.md").unlink()
    right = document_check._entries

    def entries(path: Path) -> dict[str, os.DirEntry[str]]:
        if path == folder / "v0001":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return right(path)

    monkeypatch.setattr(document_check, "_entries", entries)
    found = [(one.code, one.version, one.message) for one in verify(handle.workspace)]
    assert found == [
        ("version_damaged", 1, "v0001: its folder cannot be read (Permission denied)"),
        ("version_damaged", 2, "v0002: there is no normalized.md"),
    ]


def test_a_notice_is_left_alone_while_a_worker_has_its_lock(handle: WorkspaceHandle) -> None:
    """A repair moves and writes it under the same lock, and leaves none of a notice that is not written again."""
    notices, job_id = NoticeStore(handle.workspace.layout), "20261121-080000-docs-aaaa"
    lock = notices.lock(job_id)
    assert lock.try_acquire()
    path = handle.workspace.layout.notice(job_id)
    path.write_text("{")
    path.chmod(0o600)
    with lock:
        assert [one.code for one in _left(handle)] == ["notice_damaged"]
        assert path.read_text() == "{"
    assert (_left(handle), list(handle.workspace.layout.notices.iterdir())) == ([], [])


def test_every_code_is_a_kind_and_every_kind_is_used() -> None:
    """No check can name what no repair knows, and no kind is left over."""
    texts = "\n".join(
        path.read_text() for folder in ("services/verify", "store") for path in (SOURCE / folder).rglob("*.py")
    )
    assert [code for code in KINDS if f'"{code}"' not in texts] == []
