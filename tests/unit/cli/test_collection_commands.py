"""The commands of collections, from the words that are typed to what is printed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest_tui import IngestedDocument, open_workspace
from ingest_tui.cli.main import run

Command = Callable[..., str]


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command on a workspace with a document in ``default`` and two in ``reports``; returns what it wrote."""
    root = tmp_path / "workspace"

    def call(*words: str, code: int = 0) -> str:
        capsys.readouterr()
        assert run(["--workspace", str(root), *words]) == code
        written = capsys.readouterr()
        return written.out + written.err

    with open_workspace(root) as handle:
        handle.register("default", IngestedDocument(content="here", unique_id="a", source_type="api"))
        call("collection", "add", "Reports")
        for name in ("b", "c"):
            handle.register("reports", IngestedDocument(content=name * 9, unique_id=name, source_type="api"))
    return call


def answer(command: Command, *words: str) -> Any:
    return json.loads(command(*words, "--json"))


def test_a_collection_is_shown_changed_and_used(command: Command) -> None:
    """By its name or identifier; the list marks the one in use, and an empty one says what to do next."""
    assert "documents        2 (2 chunks), 0 in the trash" in command("collection", "show", "Reports")
    command("collection", "edit", "reports", "--name", "Annual reports", "--description", "of all years")
    assert answer(command, "collection", "show", "Annual reports")["description"] == "of all years"
    assert "nothing to change" in command("collection", "edit", "reports", code=2)
    command("collection", "use", "reports")
    assert [(one["collection_id"], one["in_use"]) for one in answer(command, "collection", "list")] == [
        ("default", False),
        ("reports", True),
    ]
    assert "reports *" in command("collection", "list")
    command("collection", "add", "empty")
    assert "--collection empty" in command("collection", "show", "empty")


def test_an_upload_goes_to_the_collection_in_use(command: Command, tmp_path: Path) -> None:
    """Where none is named it is the one that was chosen last; a named one takes precedence."""
    file = tmp_path / "note.txt"
    file.write_text("a note")

    def target(*words: str) -> str:
        return str(answer(command, "upload", str(file), "--detach", *words)["collection_id"])

    assert target() == "default"
    command("collection", "use", "reports")
    assert target() == "reports"
    assert target("--collection", "default") == "default"


def test_what_a_source_overrides_is_shown(command: Command, tmp_path: Path) -> None:
    """The source shows where its values come from, and the collection which source overrides what."""
    command("source", "add", "local", "docs", "--path", str(tmp_path), "--set", "chunk_size=800", "--set", "ocr=auto")
    command("collection", "prefs", "default", "--set", "keep_versions=3")
    shown = answer(command, "source", "show", "docs")["preferences"]

    assert shown["chunk_size"] == {"value": "800", "from": "source"}
    assert shown["ocr"] == {"value": "auto", "from": "source"}
    assert shown["keep_versions"] == {"value": "3", "from": "collection"}
    assert "800   (chosen for the source)" in command("source", "show", "docs")
    assert "source docs overrides chunk_size=800, ocr=auto" in command("collection", "prefs", "default")
    command("source", "edit", "docs", "--unset", "chunk_size")
    assert answer(command, "source", "show", "docs")["preferences"]["chunk_size"]["from"] == "usual"
    assert "of a whole collection" in command("source", "edit", "docs", "--set", "embed=manual", code=2)


def test_removing_asks_and_says_what_goes(command: Command) -> None:
    """Nobody can answer here, so it is refused with what would go; --yes removes it, and restore brings it back."""
    refused = command("collection", "remove", "reports", "--json", code=6)
    assert "retire 2 documents" in refused
    assert answer(command, "collection", "remove", "reports", "--yes") == {
        "collection_id": "reports",
        "retired": 2,
        "sources": [],
    }
    assert "collection restore reports" in command("collection", "show", "reports", code=4)
    assert answer(command, "collection", "restore", "reports")["restored"] == 2
    assert answer(command, "collection", "show", "reports")["documents"] == 2
    assert "default" in command("collection", "remove", "default", "--yes", code=6)


def test_preferences_are_shown_and_changed(command: Command) -> None:
    """What would be cut otherwise is said before it is done; a wrong key or value changes nothing."""
    refused = command("collection", "prefs", "reports", "--set", "chunk_size=300", "--json", code=6)
    assert "re-chunks 2 documents, nothing is fetched" in refused
    assert answer(command, "collection", "prefs", "reports")["chunk_size"] is None
    changing = ("collection", "prefs", "reports", "--set", "chunk_size=300", "--set", "text_columns=a,b", "--yes")
    assert "rechunk reports: succeeded · 2 listed: 2 unchanged" in command(*changing)
    assert answer(command, "collection", "prefs", "reports")["text_columns"] == ["a", "b"]
    assert "chosen" in command("collection", "prefs", "reports")
    unset = answer(command, "collection", "prefs", "reports", "--unset", "chunk_size", "--yes", "--detach")
    assert (unset["changed"], unset["rechunks"]) == (["chunk_size"], 2)
    assert unset["job_id"] in command("job", "list")
    assert answer(command, "collection", "prefs", "reports")["chunk_size"] is None
    assert "there is no preference 'size'" in command("collection", "prefs", "reports", "--set", "size=3", code=2)
    assert "default" not in command("collection", "prefs", "reports")


def test_a_preview_prints_the_chunks(command: Command) -> None:
    """Of a document, by the preferences that are given; nothing is changed."""
    assert "1 chunk; nothing was changed" in command("collection", "prefs", "reports", "--preview", "b")
    shown = answer(command, "collection", "prefs", "reports", "--set", "chunk_size=300", "--preview", "b")
    assert [one["text"] for one in shown] == ["b" * 9]
    assert answer(command, "collection", "prefs", "reports")["chunk_size"] is None
    assert "no document and no file" in command("collection", "prefs", "reports", "--preview", "nowhere", code=4)


def test_who_only_reads_changes_no_preferences(command: Command) -> None:
    """With --read-only preferences are shown, and refused to be set."""
    assert "chunk_size" in command("--read-only", "collection", "prefs", "reports")
    assert "--read-only" in command("--read-only", "collection", "prefs", "reports", "--set", "embed=manual", code=6)


def test_what_is_shown_of_a_collection_says_where_its_documents_are_from(command: Command) -> None:
    """Each source with its number and the state of its vectors; without an embedder nothing is said of vectors."""
    shown = answer(command, "collection", "show", "reports")
    [source] = shown["source_states"]
    assert (source["documents"], source["embedding"], source["next_embedding"]) == (2, "", "")
    assert shown["embedding"] == {"to_embed": None, "generations": []}
    assert "to embed" not in command("collection", "show", "reports")
