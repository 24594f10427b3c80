"""The commands of documents, from the words that are typed to what is printed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.shell_completion import ShellComplete

from ingest_tui.cli.main import cli, run
from ingest_tui.services.completion import names_beginning
from tests.faults.crash_lab import KILLER, quicken

Command = Callable[..., str]


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command on an empty workspace; returns what it wrote."""
    root = tmp_path / "workspace"

    def call(*words: str | Path, code: int = 0) -> str:
        capsys.readouterr()
        assert run(["--workspace", str(root), *map(str, words)]) == code
        written = capsys.readouterr()
        return written.out + written.err

    call("init")
    return call


def answer(command: Command, *words: str | Path) -> Any:
    return json.loads(command(*words, "--json"))


def test_an_upload_reports_what_its_job_did_not_take_in(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that the check has let in may fail in the job: it is named, and the exit code says so."""
    quicken(monkeypatch)
    (tmp_path / "a.txt").write_text("heron")
    (tmp_path / "b.bin").write_text(KILLER)
    told = command("upload", tmp_path / "a.txt", tmp_path / "b.bin", code=3)
    assert "error: b.bin was not taken in: the parser died" in told
    assert "1 ingested" in told


def test_removing_says_how_many_went(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One document is one, and none where all that was named is in the trash already."""
    quicken(monkeypatch)
    for name in ("a.txt", "b.txt", "c.txt"):
        (tmp_path / name).write_text(f"heron of {name}")
    command("upload", *(tmp_path / name for name in ("a.txt", "b.txt", "c.txt")))
    first, *others = [document["document_id"] for document in answer(command, "doc", "list")]
    assert command("doc", "remove", first, "--yes").startswith("retired 1 document;")
    assert command("doc", "remove", *others, "--yes").startswith("retired 2 documents;")
    assert command("doc", "remove", first, "--yes").startswith("nothing was retired: ")


def test_a_folder_narrows_down(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists, exports and searches are of a folder however far below it; one without documents is an error."""
    quicken(monkeypatch)
    for name in ("a.txt", "reports/b.txt", "reports/2026/c.txt", "reports-old/d.txt"):
        (tmp_path / "notes" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "notes" / name).write_text(f"heron of {name}")
    command("source", "add", "local", "notes", "--path", tmp_path / "notes")
    command("sync", "notes")

    def keys(*words: str) -> set[str]:
        return {str(document["key"]) for document in answer(command, *words)}

    below = {"reports/b.txt", "reports/2026/c.txt"}
    assert keys("doc", "list", "--folder", "notes/reports") == below
    assert keys("doc", "list", "--folder", "notes") == {"a.txt", *below, "reports-old/d.txt"}
    assert keys("doc", "list", "--folder", "notes/reports/2026/") == {"reports/2026/c.txt"}
    exported = command("export", "--folder", "notes/reports").splitlines()
    assert {json.loads(line)["document"]["key"] for line in exported} == below
    found = answer(command, "search", "heron", "--folder", "notes/reports")
    assert {Path(hit["uri"]).name for hit in found} == {"b.txt", "c.txt"}
    assert "no document is in folder 'notes/nothing'" in command("doc", "list", "--folder", "notes/nothing", code=4)

    def offered(beginning: str) -> list[str]:
        return names_beginning(tmp_path / "workspace", "folder", beginning)

    assert offered("no") == ["notes"]
    assert offered("notes/") == ["notes/reports", "notes/reports-old"]
    assert offered("notes/reports/") == offered("notes/reports/2") == ["notes/reports/2026"]


def test_a_source_is_removed_with_as_many_documents_as_was_said(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that has a place in another source, too, stays; the answer and what was said before it count alike."""
    quicken(monkeypatch)
    for source, texts in {"one": ("shared", "first"), "two": ("shared", "second")}.items():
        (tmp_path / source).mkdir()
        for text in texts:
            (tmp_path / source / f"{text}.txt").write_text(text)
        command("source", "add", "local", source, "--path", tmp_path / source)
        command("sync", source)
    assert "retire 1 document to the trash" in command("source", "remove", "two", "--dry-run")
    assert answer(command, "source", "remove", "two", "--yes")["retired"] == 1
    assert "retire 2 documents to the trash" in command("source", "remove", "one", "--dry-run")
    assert answer(command, "source", "remove", "one", "--yes")["retired"] == 2


def test_what_is_restored_is_completed_by_the_trash(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other commands complete every document, `doc restore` and `trash restore` only what they can bring back."""
    quicken(monkeypatch)
    for name in ("report.txt", "remarks.txt"):
        (tmp_path / name).write_text(name)
        command("upload", tmp_path / name)
    command("doc", "remove", "report.txt", "--yes")

    def offered(*words: str) -> list[str]:
        given = ["--workspace", str(tmp_path / "workspace"), *words]
        return [one.value for one in ShellComplete(cli, {}, "ingest-tui", "_").get_completions(given, "re")]

    assert offered("doc", "show") == ["remarks.txt", "report.txt"]
    assert offered("doc", "restore") == offered("trash", "restore") == ["report.txt"]


def test_pruning_says_why_nothing_is_deleted(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There may be nothing earlier; or it is kept for the way back, and then an explicit number deletes it."""
    quicken(monkeypatch)
    report = tmp_path / "report.txt"
    report.write_text("heron")
    command("upload", report)
    assert "nothing to delete: there is no earlier version" in command("doc", "prune-versions", "report.txt", "--yes")
    report.write_text("otter")
    command("upload", report)
    refused = command("doc", "prune-versions", "report.txt", "--yes", code=2)
    assert "keeps all versions" in refused
    assert "--all-old" in refused
    assert "would" not in refused
    contradiction = command("doc", "prune-versions", "report.txt", "--all-old", "--keep", "2", "--yes", code=2)
    assert "contradict" in contradiction
    command("collection", "prefs", "default", "--set", "keep_versions=1")
    command("doc", "rollback", "report.txt")
    for words in (["--dry-run"], ["--yes"]):
        told = command("doc", "prune-versions", "report.txt", *words)
        assert "nothing to delete: what is earlier is kept" in told
        assert "rollback" in told
    assert "deleted 2 versions" in command("doc", "prune-versions", "report.txt", "--all-old", "--yes")


@pytest.mark.slow
def test_an_upload_reports_what_it_replaced(command: Command, tmp_path: Path) -> None:
    """It names file and versions that are deleted, or says that nothing was replaced; a rollback names its origin."""
    report = tmp_path / "report.txt"
    for text in ("heron", "otter"):
        report.write_text(text)
        command("upload", report)
    [document] = answer(command, "doc", "list")
    rolled_back = command("doc", "rollback", document["document_id"])
    assert "is v3 now (rollback from v2 to v1)" in rolled_back
    assert "rollback from v2 to v1" in command("doc", "versions", document["document_id"]).splitlines()[1]
    report.write_text("ibis")
    replaced = command("upload", report, "--replace")
    assert "1 ingested, 3 earlier versions deleted" in replaced
    assert "deleted for good: v1, v2, v3 of report.txt" in replaced
    assert "nothing was replaced" in command("upload", report, "--replace")
