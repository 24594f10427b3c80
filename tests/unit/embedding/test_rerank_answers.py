"""Answers of rerankers that are none, and models that do not fit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui.embedding.base import BackendContext, EmbedderError
from ingest_tui.embedding.registry import open_reranker
from ingest_tui.model.errors import IngestError, TransientSourceError
from ingest_tui.transport.retrying import RetryPolicy
from tests.made_models import make_cross_encoder, make_onnx_model
from tests.servers.embedding_server import embedding_process

QUICK = BackendContext(sleep=lambda _seconds: None, policy=RetryPolicy(attempts=2, first_wait=0.01, longest_wait=0.02))


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The address of an endpoint in a process of its own."""
    with embedding_process() as address:
        yield f"{address}/v1"


@pytest.mark.parametrize("form", ["cohere", "tei"])
@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        ("throttled", TransientSourceError, "answered 429: slow down"),
        ("one-short", EmbedderError, "gave 1 score for 2 texts"),
        ("one-twice", EmbedderError, "no ranking of the texts"),
        ("no-numbers", EmbedderError, "a score that is no number"),
        ("no-list", EmbedderError, "no ranking of the texts"),
        ("no-object", EmbedderError, "no ranking of the texts"),
    ],
)
def test_answers_that_are_none_have_a_name(
    endpoint: str, form: str, model: str, error: type[IngestError], message: str
) -> None:
    """Each way in which an endpoint can fail is an error with a message of its own."""
    reranker = open_reranker("endpoint", {"endpoint": endpoint, "model": model, "form": form}, QUICK)
    with pytest.raises(error, match=message):
        reranker.scores("fox", ["fox", "dog"])


def test_an_address_without_a_reranker_says_so(endpoint: str) -> None:
    """The hint names the page that is asked for."""
    reranker = open_reranker("endpoint", {"endpoint": f"{endpoint}/embeddings/x", "model": "unknown"}, QUICK)
    assert reranker.scores("fox", ["fox"]) == [1.0]
    with pytest.raises(IngestError, match="cannot be reached"):
        open_reranker("endpoint", {"endpoint": "http://127.0.0.1:9/v1"}, QUICK).scores("fox", ["fox"])


def test_a_model_that_is_no_cross_encoder_is_refused(tmp_path: Path) -> None:
    """A model that gives a vector for each token, a damaged one and an empty folder are errors with a name."""
    embedder = open_reranker("onnx", {"path": str(make_onnx_model(tmp_path / "embedder"))})
    with pytest.raises(EmbedderError, match="gives no number for each text"):
        embedder.scores("fox", ["dog"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(EmbedderError, match="there is no ONNX file"):
        open_reranker("onnx", {"path": str(tmp_path / "empty")})
    damaged = make_cross_encoder(tmp_path / "damaged")
    (damaged / "model.onnx").write_bytes(b"none")
    with pytest.raises(EmbedderError, match="cannot be read"):
        open_reranker("onnx", {"path": str(damaged)})
