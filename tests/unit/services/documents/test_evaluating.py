"""Judged queries over a workspace: names of documents, comparisons, and what the command prints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest_tui import IngestedDocument, open_workspace
from ingest_tui.cli.main import run
from ingest_tui.model.document import SearchHit
from ingest_tui.model.errors import NotFoundError, UsageError
from ingest_tui.model.relevance import JudgedQuery
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.collections.collections import add_collection
from ingest_tui.services.documents import evaluation
from ingest_tui.services.documents.evaluation import Variant, evaluate, read_queries

ALL = Variant(None, "text")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[WorkspaceHandle]:
    """Three documents in one collection, and one in another."""
    with open_workspace(tmp_path / "ws") as handle:
        for name, text in (
            ("/a/rain.md", "rain falls"),
            ("/b/rain.md", "rain and snow"),
            ("/a/sun set.md", "sun sets"),
        ):
            handle.register("default", IngestedDocument(text, f"file://{name.replace(' ', '%20')}", "script"))
        add_collection(handle.workspace, "other")
        handle.register("other", IngestedDocument("hail", "file:///c/hail.md", "script"))
        yield handle


def test_documents_are_named_by_the_end_of_their_address(workspace: WorkspaceHandle) -> None:
    """Whole parts of an address are enough, where they are of one document; so is its id."""
    (document_id,) = {hit.document_id for hit in workspace.search("snow")}
    for name in ("b/rain.md", "/b/rain.md", "file:///b/rain.md", document_id):
        (result,) = evaluate(workspace.workspace, [JudgedQuery(1, "snow", (name,))], [ALL])
        assert (result.evaluation.ndcg, result.evaluation.mrr, result.evaluation.no_hit) == (1, 1, 0)


def test_the_time_of_the_first_variant_is_measured_as_that_of_the_others(
    workspace: WorkspaceHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All queries are asked by their words first, then the first one of each variant once more than it is counted."""
    asked: list[tuple[str | None, str]] = []

    def counted(_workspace: object, query: str, **how: Any) -> list[SearchHit]:
        asked.append((how["collection_id"], query))
        return []

    monkeypatch.setattr(evaluation, "search", counted)
    queries = [JudgedQuery(1, "snow", ("b/rain.md",)), JudgedQuery(2, "sun", ("a/rain.md",))]
    results = evaluate(workspace.workspace, queries, [Variant("default", "text"), Variant(None, "text")])
    assert asked[:4] == [("default", "snow"), ("default", "sun"), (None, "snow"), (None, "sun")]
    assert asked[4:7] == [("default", "snow"), ("default", "snow"), ("default", "sun")]
    assert asked[7:] == [(None, "snow"), (None, "snow"), (None, "sun")]
    assert [len(one.answers) for one in results] == [2, 2]


def test_a_document_has_the_names_of_all_its_places(workspace: WorkspaceHandle) -> None:
    """The same content at another address is the same document."""
    workspace.register("default", IngestedDocument("rain and snow", "copies/again.md", "script"), source_id="docs")
    (result,) = evaluate(workspace.workspace, [JudgedQuery(1, "snow", ("again.md", "b/rain.md"))], [ALL])
    assert (result.evaluation.recall, len(result.answers[0].relevant)) == (1, 1)


@pytest.mark.parametrize("name", ["ain.md", "c/rain.md", "b", "missing.md", "\x1b[2J"])
def test_a_name_that_no_document_has_is_an_error_with_its_line(workspace: WorkspaceHandle, name: str) -> None:
    """A part of a name is not one; nothing is measured meanwhile."""
    with pytest.raises(NotFoundError, match="line 7: there is no document") as refused:
        evaluate(workspace.workspace, [JudgedQuery(7, "snow", (name,))], [ALL])
    assert "\x1b" not in refused.value.message


def test_a_name_of_several_documents_is_an_error(workspace: WorkspaceHandle) -> None:
    """Which one is right cannot be guessed."""
    with pytest.raises(UsageError, match=r"line 2: 2 documents in the workspace are called 'rain.md'"):
        evaluate(workspace.workspace, [JudgedQuery(2, "snow", ("rain.md",))], [ALL])


def test_names_are_resolved_in_the_collection_that_is_searched(workspace: WorkspaceHandle) -> None:
    """What is compared has the same names; a query without a word finds nothing and is no error."""
    queries = [JudgedQuery(1, "hail", ("hail.md",)), JudgedQuery(2, "…", ("hail.md",))]
    (result,) = evaluate(workspace.workspace, queries, [Variant("other", "text")])
    assert (result.evaluation.mrr, result.evaluation.no_hit) == (0.5, 0.5)
    with pytest.raises(NotFoundError, match="in collection 'default'"):
        evaluate(workspace.workspace, queries, [Variant("other", "text"), Variant("default", "text")])


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b'{"query": "x"}\n'])
def test_a_file_that_holds_no_queries_is_named(tmp_path: Path, content: bytes) -> None:
    """The message has the path, and the line where one is wrong."""
    path = tmp_path / "queries.jsonl"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"queries\.jsonl"):
        read_queries(path)


def test_the_command_prints_collections_side_by_side(
    workspace: WorkspaceHandle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A column for each, the measures below each other; JSON has the same numbers."""
    path = tmp_path / "queries.jsonl"
    path.write_text('\ufeff{"query": "hail", "relevant": ["hail.md"]}\n')
    workspace.register("default", IngestedDocument("hail\n\n" + "hail " * 9, "file:///d/hail.md", "script"))
    command = [
        "-w",
        str(workspace.workspace.root),
        "eval",
        str(path),
        "--collection",
        "default",
        "--collection",
        "other",
    ]
    assert run([*command, "--each"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["default", "·", "text", "other", "·", "text"]
    assert lines[2].split() == ["nDCG@10", "1.000", "1.000"]
    assert lines[-1].split() == ["hail", "1", "1"]
    assert run([*command, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [(one["collection"], one["mode"], one["mrr"]) for one in printed["results"]] == [
        ("default", "text", 1.0), ("other", "text", 1.0),
    ]  # fmt: skip
