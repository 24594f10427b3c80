"""Erasing documents: nothing of them is left, and nothing brings them back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ingest_tui.cli.main import run
from ingest_tui.model.clock import utc_now
from ingest_tui.model.errors import NotFoundError, RefusedError, UsageError
from ingest_tui.services.documents.documents import get_document, remove_documents
from ingest_tui.services.documents.erasure import erase_documents, plan_erasure
from ingest_tui.services.verify.verify import VerifyScope, verify
from ingest_tui.store.quarantine import QuarantineFolder
from ingest_tui.store.workspace import Workspace
from tests.faults.crash_lab import answers, new_workspace, quicken, sync


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """Two documents, one of them with two versions."""
    quicken(monkeypatch)
    opened = new_workspace(tmp_path / "ws", tmp_path / "docs")
    for text in ("a heron in the first text", "a heron in the second text"):
        (tmp_path / "docs" / "a.md").write_text(text)
        (tmp_path / "docs" / "b.md").write_text("an otter")
        sync(opened)
    yield opened
    opened.close()


def files_with(root: Path, word: bytes) -> list[str]:
    """Return the files of a workspace, but for the catalogue, in which a word is."""
    found = [path for path in root.rglob("*") if path.is_file() and not path.name.startswith("catalogue")]
    return [str(path.relative_to(root)) for path in found if word in path.read_bytes()]


@pytest.mark.parametrize("in_trash", [False, True])
def test_nothing_of_an_erased_document_is_left(workspace: Workspace, tmp_path: Path, in_trash: bool) -> None:
    """Raw bytes, texts and versions are gone, no search or sync finds it again, and the record says what."""
    if in_trash:
        remove_documents(workspace, [get_document(workspace, "a.md").document_id])
    [planned] = plan_erasure(workspace, ["a.md", "a.md"])
    record = tmp_path / "erased.jsonl"
    assert erase_documents(workspace, [planned], record=record).document_ids == [planned.document.document_id]
    [line] = map(json.loads, record.read_text().splitlines())
    assert (line["document_id"], len(line["versions"])) == (planned.document.document_id, 2)
    assert "heron" not in record.read_text()
    assert files_with(workspace.root, b"heron") == []
    assert answers(workspace.catalogue, "heron") == []
    assert len(answers(workspace.catalogue, "otter")) == 1
    assert sync(workspace).counters.items_ingested == 0
    assert list(verify(workspace, VerifyScope(deep=True))) == []
    with pytest.raises(NotFoundError):
        get_document(workspace, planned.document.document_id)


def test_a_record_that_cannot_be_written_erases_nothing(workspace: Workspace, tmp_path: Path) -> None:
    """A record in the workspace, or over a file that is there, is refused before anything is deleted."""
    found = plan_erasure(workspace, ["a.md"])
    (tmp_path / "there.jsonl").write_text("mine")
    with pytest.raises(RefusedError):
        erase_documents(workspace, found, record=tmp_path / "there.jsonl")
    with pytest.raises(UsageError):
        erase_documents(workspace, found, record=workspace.root / "erased.jsonl")
    assert get_document(workspace, "a.md").state == "active"


def test_pages_that_ocr_has_read_go_too(workspace: Workspace) -> None:
    """The cache of OCR is emptied where a page of the document may be in it, and only then."""
    pages = workspace.layout.ocr_pages / "aa"
    pages.mkdir(parents=True)
    (pages / "page.json").write_text("a heron that OCR has read")
    erase_documents(workspace, plan_erasure(workspace, ["b.md"]))
    assert pages.exists()
    document = get_document(workspace, "a.md")
    path = workspace.layout.version(document.collection_id, document.document_id, 1) / "ingestion.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"ocr": {"engine": "tesseract"}}))
    erase_documents(workspace, plan_erasure(workspace, ["a.md"]))
    assert not pages.exists()


def test_what_a_repair_moved_away_goes_too(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """Entries from its folder, and files that are its text, are deleted; a catalogue is named, all else is kept."""
    document = get_document(workspace, "a.md")
    folder = workspace.layout.version(document.collection_id, document.document_id, 1)
    quarantine = QuarantineFolder(workspace.layout, utc_now())
    (folder / "normalized.md").write_text("a heron, garbled")
    quarantine.take(folder / "normalized.md", "the text was not what was read")
    staging = workspace.root / "jobs" / "gone"
    staging.mkdir()
    (staging / "staged").write_text("a heron in the second text")
    (staging / "another").write_text("an otter that is nowhere else")
    place = workspace.root / quarantine.take(staging, "a job whose manifest cannot be read")
    kept = quarantine.copy(workspace.layout.catalogue, "the catalogue before it was made again")
    assert run(["--workspace", str(workspace.root), "doc", "purge", "a.md", "--yes"]) == 0
    assert f"{kept} is a catalogue" in capsys.readouterr().err
    left = {str(path.relative_to(workspace.root)) for path in workspace.layout.quarantine.rglob("*")}
    assert [name for name in files_with(workspace.root, b"heron") if not name.startswith(kept)] == []
    assert {f"{kept}/catalogue.db", str((place / "gone" / "another").relative_to(workspace.root))} <= left


def test_a_title_is_not_in_the_record(workspace: Workspace) -> None:
    """The heading that a document has as its title is its content."""
    [planned] = plan_erasure(workspace, ["a.md"])
    assert "heron" not in json.dumps(replace(planned, document=planned.document._replace(title="A heron")).as_dict())


def test_the_command_asks_and_shows(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """The dry run erases nothing, without --yes it is refused where nobody can answer, with it the document is gone."""
    root = ["--workspace", str(workspace.root), "doc", "purge", "a.md"]
    assert run([*root, "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["documents"][0]["versions"][0]["version"] == 2
    assert run([*root, "--json"]) == 6
    assert get_document(workspace, "a.md").state == "active"
    capsys.readouterr()
    assert run([*root, "--yes"]) == 0
    assert "erased 1 document\n" in capsys.readouterr().out
