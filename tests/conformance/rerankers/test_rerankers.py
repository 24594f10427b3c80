"""What every reranker has to do, whatever its model is: the same suite over all of them, with tiny models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.embedding.registry import RERANKERS, open_reranker
from ingest_tui.embedding.reranking import Reranker
from ingest_tui.model.errors import MissingDependencyError, UsageError, ValidationError
from tests.made_models import make_cross_encoder
from tests.servers.embedding_server import embedding_process

Opener = Callable[..., Reranker[Any]]
TEXTS = ["the quick brown fox", "request leave", "water the plants", "", "the quick brown fox"]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The address of an endpoint in a process of its own."""
    with embedding_process() as address:
        yield f"{address}/v1"


@pytest.fixture(params=["cohere", "tei", "one class", "two classes"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Open one of the rerankers on its tiny model, with further settings."""
    if request.param in {"cohere", "tei"}:
        given = {"endpoint": request.getfixturevalue("endpoint"), "form": request.param}
        return lambda **settings: open_reranker("endpoint", {**given, **settings})
    folder = make_cross_encoder(tmp_path / "model", classes=1 if request.param == "one class" else 2)
    return lambda **settings: open_reranker("onnx", {"path": str(folder), **settings})


def test_each_text_has_its_score(opener: Opener) -> None:
    """There is a number for each text, in their order, which depends on the text and the query alone."""
    with closing(opener()) as model:
        scores = model.scores("quick fox", TEXTS)
        assert len(scores) == len(TEXTS)
        assert scores[0] == pytest.approx(scores[4])
        assert len(set(scores)) > 1
        assert model.scores("quick fox", TEXTS[:1]) == pytest.approx(scores[:1], abs=1e-5)


def test_whatever_a_text_is_it_has_a_score(opener: Opener) -> None:
    """No text, very long ones, and what no request could carry are no error."""
    with closing(opener(max_characters=1000)) as model:
        assert model.scores("fox", []) == []
        assert len(model.scores("fox " * 5000, ["fox " * 50_000, "\ud800", "\0", ""])) == 4


def test_settings_are_checked(opener: Opener) -> None:
    """A setting that is not known is refused before a model is opened."""
    with pytest.raises(ValidationError, match="colour"):
        opener(colour="red")
    with pytest.raises(ValidationError, match="candidates"):
        opener(candidates=1)


def test_what_is_missing_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown type, a setting that is needed and a package that is not installed are reported with what to do."""
    with pytest.raises(UsageError, match="unknown type of reranker"):
        open_reranker("magic", {})
    with pytest.raises(ValidationError, match="a reranker of type onnx needs --path"):
        open_reranker("onnx", {})
    monkeypatch.setattr("ingest_tui.embedding.registry.missing_packages", lambda _packages: ["onnxruntime"])
    for name in RERANKERS.kinds:
        with pytest.raises(MissingDependencyError, match=f"rerankers of type {name} need") as found:
            open_reranker(name, {"path": "x"} if name == "onnx" else {"endpoint": "http://127.0.0.1:9"})
        assert "pip install" in found.value.hint
