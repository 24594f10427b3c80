"""What every backend has to do, whatever its model is: the same suite over all of them, with tiny models."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest_tui.embedding.base import EmbeddingBackend
from ingest_tui.embedding.registry import BACKENDS, open_backend
from tests.made_models import make_onnx_model, make_static_model
from tests.servers.embedding_server import embedding_process

Opener = Callable[..., EmbeddingBackend[Any]]
TEXTS = ["the quick brown fox", "request leave", "water the plants", "", "the quick brown fox"]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The address of an endpoint in a process of its own."""
    with embedding_process() as address:
        yield f"{address}/v1"


@pytest.fixture(params=sorted(BACKENDS))
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Open one of the backends on its tiny model, with further settings."""
    name = request.param
    if name == "openai":
        given = {"endpoint": request.getfixturevalue("endpoint"), "model": "tiny"}
    else:
        make = {"onnx": make_onnx_model, "static": make_static_model}[name]
        given = {"path": str(make(tmp_path / "model"))}
    return lambda **settings: open_backend(name, {**given, **settings})


def test_vectors_are_of_unit_length_and_one_for_each_text(opener: Opener) -> None:
    """Each text has its row, of the dimensions that the space names, of length 1 or of nothing but zeros."""
    with closing(opener()) as model:
        rows = model.embed_documents(TEXTS)
        assert rows.shape == (len(TEXTS), model.space.dimensions)
        assert rows.dtype == np.float32
        for length in np.linalg.norm(rows, axis=1):
            assert length == pytest.approx(1.0, abs=1e-5) or length == 0.0


def test_a_text_has_one_vector_whatever_its_company(opener: Opener) -> None:
    """The vector of a text does not depend on the batch that it is in, nor on its place there."""
    with closing(opener()) as model:
        rows = model.embed_documents(TEXTS)
        assert rows[0] == pytest.approx(rows[4], abs=1e-5)
        for text, row in zip(TEXTS, rows, strict=True):
            assert model.embed_documents([text])[0] == pytest.approx(row, abs=1e-5)


def test_other_texts_have_other_vectors_and_nothing_has_none(opener: Opener) -> None:
    """Different texts are apart; a batch of no texts is no mistake."""
    with closing(opener()) as model:
        rows = model.embed_documents(TEXTS)
        assert float(rows[0] @ rows[1]) < 0.999
        assert model.embed_documents([]).shape == (0, model.space.dimensions)


def test_two_models_opened_alike_are_in_one_space(opener: Opener) -> None:
    """Opening the same model again gives the same space and the same vectors."""
    with closing(opener()) as first, closing(opener()) as second:
        assert first.space == second.space
        assert first.embed_documents(TEXTS) == pytest.approx(second.embed_documents(TEXTS), abs=1e-6)


def test_prefixes_are_put_before_texts_and_queries(opener: Opener) -> None:
    """A document's prefix changes its vectors and their space; a query's prefix only the query."""
    with closing(opener()) as plain, closing(opener(document_prefix="leave ", query_prefix="rain ")) as prefixed:
        assert plain.space.space_id != prefixed.space.space_id
        assert prefixed.embed_documents(["fox"])[0] == pytest.approx(plain.embed_documents(["leave fox"])[0], abs=1e-5)
        assert prefixed.embed_query("fox") == pytest.approx(plain.embed_query("rain fox"), abs=1e-5)


def test_text_that_is_no_unicode_is_embedded_all_the_same(opener: Opener) -> None:
    """A lone surrogate, a NUL and a very long text raise nothing."""
    with closing(opener()) as model:
        rows = model.embed_documents(["fox \ud800 dog", "fox\0dog", "fox " * 60_000])
        assert np.isfinite(rows).all()


def test_one_thread_after_another_may_use_a_model(opener: Opener) -> None:
    """A model that one thread opened can be asked by another one."""
    found: list[Any] = []
    with closing(opener()) as model:
        thread = threading.Thread(target=lambda: found.append(model.embed_documents(TEXTS)))
        thread.start()
        thread.join()
        assert found[0] == pytest.approx(model.embed_documents(TEXTS), abs=1e-6)
