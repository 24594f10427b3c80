"""Rerankers in a workspace: registered, tried, used by a search, and what happens without them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.cli.main import run
from ingest_tui.embedding import cross_encoder
from ingest_tui.embedding.base import EmbedderError
from ingest_tui.embedding.cross_encoder import CrossEncoder
from ingest_tui.model.errors import NotFoundError, RefusedError, UsageError
from ingest_tui.services.api import WorkspaceHandle, open_workspace
from ingest_tui.services.documents.search import search
from ingest_tui.services.rerankers import add_reranker, list_rerankers, remove_reranker, reranker_problems
from ingest_tui.services.rerankers import test_reranker as try_reranker
from tests.made_models import make_cross_encoder
from tests.servers.embedding_server import embedding_process

QUERY = "rain gauge of the station"


@pytest.fixture
def handle(tmp_path: Path) -> Iterator[WorkspaceHandle]:
    """A workspace in which words alone rank the longer document first."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "often.md").write_text("# Often\n\n" + "gauge rain gauge rain gauge rain. " * 5)
    (docs / "all.md").write_text("# All\n\nThe rain falls. A gauge is read. The roof of the station is red.\n" * 2)
    (docs / "other.md").write_text("# Other\n\nSnow is measured with a gauge.\n")
    with open_workspace(tmp_path / "ws") as opened:
        opened.add_source("docs", path=str(docs))
        opened.sync("docs")
        yield opened


@pytest.fixture
def endpoint() -> Iterator[str]:
    """The address of an endpoint in a process of its own."""
    with embedding_process() as address:
        yield f"{address}/v1"


def prefer(handle: WorkspaceHandle, reranker: str, collection_id: str = "default") -> None:
    """Choose a reranker for a collection."""
    collection = handle.workspace.collections.get(collection_id)
    preferences = collection.preferences.model_copy(update={"reranker": reranker})
    handle.workspace.collections.save(collection.model_copy(update={"preferences": preferences}), based_on=collection)


def test_a_reranker_puts_the_best_hits_in_its_order(handle: WorkspaceHandle, endpoint: str) -> None:
    """The hits are those of the search, ordered by the model, whose score is the last that explains each."""
    add_reranker(handle.workspace, backend="endpoint", name="Near", settings={"endpoint": endpoint})
    prefer(handle, "near")
    ranked = search(handle.workspace, QUERY)
    plain = search(handle.workspace, QUERY, rerank=False)
    assert {hit.document_id for hit in ranked} == {hit.document_id for hit in plain}
    assert ranked[0].title == "All"
    assert [hit.score for hit in ranked] == sorted((hit.score for hit in ranked), reverse=True)
    assert (ranked[0].why[-1].term, ranked[0].why[-1].weight) == ("(reranker near)", ranked[0].score)
    assert [hit.title for hit in search(handle.workspace, QUERY, limit=1)] == ["All"]
    assert not any("reranker" in one.term for hit in plain for one in hit.why)
    assert len(search(handle.workspace, "type:md")) == 3, "without words there is nothing to rank by"


def test_a_search_answers_without_its_reranker(handle: WorkspaceHandle, tmp_path: Path, endpoint: str) -> None:
    """A reranker that is gone, cannot be opened or does not answer is a warning; the hits are as they were found."""
    plain = search(handle.workspace, QUERY)
    folder = make_cross_encoder(tmp_path / "cross")
    add_reranker(handle.workspace, backend="onnx", name="cross", settings={"path": str(folder)})
    add_reranker(handle.workspace, backend="endpoint", name="near", settings={"endpoint": endpoint})
    record = handle.workspace.rerankers.path("near")
    record.write_text(record.read_text().replace(endpoint, "http://127.0.0.1:9/v1"))
    shutil.rmtree(folder)
    for name, message in (("cross", "there is no folder"), ("near", "cannot be reached"), ("none", "no reranker")):
        prefer(handle, name)
        for rerank in (None, True):
            with pytest.warns(UserWarning, match=f"not ranked again: .*{message}"):
                assert search(handle.workspace, QUERY, rerank=rerank) == plain
    problems = {name: message for level, name, message, _ in reranker_problems(handle.workspace) if level == "problem"}
    assert "there is no folder" in problems["reranker cross"]
    assert problems["collection default"] == "its reranker none is not there"


def test_a_model_in_a_folder_stays_open(
    handle: WorkspaceHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is opened once for all searches of a process, and again with other settings."""
    opened = []

    class Counted(CrossEncoder):
        def __init__(self, *given: Any) -> None:
            opened.append(given)
            super().__init__(*given)

    settings = {"path": str(make_cross_encoder(tmp_path / "cross"))}
    for name, further in (("cross", {}), ("shorter", {"max_tokens": 8})):
        add_reranker(handle.workspace, backend="onnx", name=name, settings={**settings, **further})
    monkeypatch.setattr(cross_encoder, "CrossEncoder", Counted)
    for name, times in (("cross", 1), ("cross", 1), ("shorter", 2)):
        assert search(handle.workspace, QUERY, rerank=name)[0].why[-1].term == f"(reranker {name})"
        assert len(opened) == times


def test_a_named_reranker_is_needed(handle: WorkspaceHandle, tmp_path: Path, endpoint: str) -> None:
    """A search by a reranker that it names fails without that; it needs no collection to have chosen one."""
    add_reranker(handle.workspace, backend="endpoint", name="Near by", settings={"endpoint": endpoint})
    assert search(handle.workspace, QUERY, rerank="Near by")[0].title == "All"
    with pytest.raises(NotFoundError):
        search(handle.workspace, QUERY, rerank="none")
    add_reranker(
        handle.workspace, backend="onnx", name="cross", settings={"path": str(make_cross_encoder(tmp_path / "cross"))}
    )
    shutil.rmtree(tmp_path / "cross")
    with pytest.raises(EmbedderError, match="there is no folder"):
        search(handle.workspace, QUERY, rerank="cross")


def test_one_that_is_asked_for_has_to_be_chosen(handle: WorkspaceHandle) -> None:
    """Asking for a reranker where no collection has one is an error that says how to choose one."""
    with pytest.raises(UsageError, match="no searched collection has a reranker") as found:
        search(handle.workspace, QUERY, rerank=True)
    assert "--set reranker=NAME" in found.value.hint


def test_an_evaluation_compares_with_a_reranker(
    handle: WorkspaceHandle, tmp_path: Path, endpoint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`eval --rerank` measures what is found as it is and ranked again, each by its name."""
    add_reranker(handle.workspace, backend="endpoint", name="near", settings={"endpoint": endpoint})
    queries = tmp_path / "queries.jsonl"
    queries.write_text(json.dumps({"query": QUERY, "relevant": ["all.md"]}))
    command = ["-w", str(handle.workspace.root), "eval", str(queries), "--rerank", "near", "--json"]
    assert run(command) == 0
    as_found, ranked = json.loads(capsys.readouterr().out)["results"]
    assert (as_found.get("reranker"), ranked["reranker"]) == (None, "near")
    assert as_found["queries"] == ranked["queries"] == 1
    assert run(command[:-1]) == 0
    assert capsys.readouterr().out.splitlines()[0].split() == [
        "all",
        "·",
        "text",
        "all",
        "·",
        "text",
        "·",
        "reranker",
        "near",
    ]


def test_a_reranker_is_tried_and_kept_while_it_is_used(handle: WorkspaceHandle, tmp_path: Path, endpoint: str) -> None:
    """What does not work is not registered; what a collection uses is removed by force alone."""
    add_reranker(handle.workspace, backend="endpoint", name="near", settings={"endpoint": endpoint})
    with pytest.raises(UsageError, match="already there"):
        add_reranker(handle.workspace, backend="endpoint", name="Near", settings={"endpoint": endpoint})
    with pytest.raises(EmbedderError, match="there is no folder"):
        add_reranker(handle.workspace, backend="onnx", name="gone", settings={"path": str(tmp_path / "gone")})
    prefer(handle, "near")
    assert [(row.reranker.reranker_id, row.used_by) for row in list_rerankers(handle.workspace)] == [
        ("near", ("default",))
    ]
    assert [step.ok for step in try_reranker(handle.workspace, "near")] == [True, True, True]
    assert [level for level, *_ in reranker_problems(handle.workspace)] == ["ok"]
    with pytest.raises(RefusedError, match="is used by default"):
        remove_reranker(handle.workspace, "near")
    remove_reranker(handle.workspace, "near", force=True)
    assert handle.workspace.rerankers.names() == []
