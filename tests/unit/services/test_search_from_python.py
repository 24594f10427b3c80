"""What the Python API finds: by words, by meaning, by both, ranked again, and what is similar."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui.model.errors import UsageError
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.rerankers import add_reranker
from tests.made_models import make_cross_encoder
from tests.unit.pipeline.embed.embedding_lab import EmbeddingLab


@pytest.fixture
def handle(tmp_path: Path) -> Iterator[WorkspaceHandle]:
    """Three documents with vectors of a static model."""
    lab = EmbeddingLab(tmp_path, is_automatic=False)
    lab.put("fox", "The quick brown fox jumps over the lazy dog.")
    lab.put("dog", "The lazy dog and the quick fox.")
    lab.put("money", "Invoice payment 30 tage netto.")
    lab.embed()
    yield WorkspaceHandle(lab.workspace)
    lab.workspace.close()


@pytest.mark.parametrize("mode", [None, "text", "vector", "hybrid"])
def test_every_mode_finds(handle: WorkspaceHandle, mode: str | None) -> None:
    """The best hit is the same by words, by meaning and by both; how it was found is said."""
    hits = handle.search("invoice netto", mode=mode, collection_id="default")
    assert hits[0].uri == "money"
    assert (len(hits) > 1) == (mode != "text"), "by meaning the others are near, too"


def test_an_unknown_mode_names_the_ones_there_are(handle: WorkspaceHandle) -> None:
    """What a terminal would act on is not shown as it is."""
    with pytest.raises(UsageError) as caught:
        handle.search("fox", mode="\x1b[31mnear")
    assert "\x1b" not in caught.value.message
    assert caught.value.hint == "modes: text, vector, hybrid"


def test_hits_are_ranked_again_by_a_named_model(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """A reranker that the collection has not chosen ranks when it is named; one that is not there is an error."""
    folder = make_cross_encoder(tmp_path / "cross")
    add_reranker(handle.workspace, backend="onnx", name="cross", settings={"path": str(folder)})
    assert "(reranker cross)" in {one.term for hit in handle.search("fox", rerank="cross") for one in hit.why}
    with pytest.raises(Exception, match="no reranker"):
        handle.search("fox", rerank="nobody")


def test_what_is_similar(handle: WorkspaceHandle) -> None:
    """To a document, never itself, or to a text; one of both has to be given."""
    fox = next(one.document_id for one in handle.documents if one.uri == "fox")
    assert [hit.uri for hit in handle.similar(fox, limit=1)] == ["dog"]
    assert handle.similar(text="invoice netto")[0].uri == "money"
    for document_id, text in ((None, ""), (fox, "invoice")):
        with pytest.raises(UsageError, match="give a document or a text"):
            handle.similar(document_id, text=text)
