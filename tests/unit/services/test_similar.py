"""What is similar: the nearest vectors, of what is there now and may be found."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui.embedding.base import EmbedderError
from ingest_tui.index import vectors as index
from ingest_tui.model.collection import Collection
from ingest_tui.model.errors import NotFoundError, UsageError
from ingest_tui.services import nearest, similar
from ingest_tui.services.documents.documents import remove_documents, restore_document
from ingest_tui.services.embedding import choose_embedder
from ingest_tui.services.open_models import LastModel
from ingest_tui.services.similar import similar_to_document, similar_to_text
from ingest_tui.store import vector_log
from ingest_tui.store.graph_file import checked
from tests.made_models import make_static_model
from tests.unit.pipeline.embed.embedding_lab import EmbeddingLab

TEXTS = {
    "fox": "The quick brown fox jumps over the lazy dog.",
    "dog": "The lazy dog and the quick fox.",
    "leave": "How do I request holiday days off? Leave policy handbook.",
    "rain": "Rain gauge water plants.",
    "money": "Invoice payment 30 tage netto.",
}


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[EmbeddingLab]:
    """Five documents, embedded."""
    made = EmbeddingLab(tmp_path, is_automatic=False)
    for name, text in TEXTS.items():
        made.put(name, text)
    made.embed()
    yield made
    made.workspace.close()


def names(hits: list[object]) -> list[str]:
    """Return what hits are of."""
    return [hit.uri for hit in hits]  # type: ignore[attr-defined]


def found(lab: EmbeddingLab, text: str, **choice: object) -> list[str]:
    """Return the documents that are similar to a text, best first."""
    return names([*similar_to_text(lab.workspace, text, **choice)])  # type: ignore[arg-type]


def test_the_nearest_come_first_each_once(lab: EmbeddingLab) -> None:
    """A text finds what says the same, a document what is like it and never itself; scores go down."""
    assert found(lab, "lazy fox and dog")[:2] == ["dog", "fox"]
    assert found(lab, "invoice netto")[0] == "money"
    fox = next(one.document_id for one in lab.workspace.catalogue.all_documents() if one.uri == "fox")
    hits = similar_to_document(lab.workspace, fox)
    assert names([*hits])[0] == "dog"
    assert "fox" not in names([*hits])
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    long = "\n\n".join(f"# Part {number}\n\nRain gauge {'water ' * number}." for number in range(1, 9))
    lab.put("long", long)
    lab.embed()
    hits = similar_to_text(lab.workspace, "rain gauge water", limit=3)
    assert len({hit.document_id for hit in hits}) == len(hits) == 3


def test_only_what_is_there_now_is_found(lab: EmbeddingLab) -> None:
    """Not what is in the trash, nor a text that has changed since it was embedded; what is restored is found again."""
    money = next(one.document_id for one in lab.workspace.catalogue.all_documents() if one.uri == "money")
    remove_documents(lab.workspace, [money])
    assert "money" not in found(lab, "invoice netto")
    restore_document(lab.workspace, money)
    assert found(lab, "invoice netto")[0] == "money"
    lab.put("money", "Apple and pear.")
    assert "money" not in found(lab, "invoice netto"), "its vector is of the version before"
    lab.embed()
    assert found(lab, "apple pear")[0] == "money"


def test_documents_are_only_gone_through_where_some_are_chosen(
    lab: EmbeddingLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a filter no ids of the collection are asked for, and a document is not similar to itself."""

    def refuse(*_given: object) -> None:
        raise AssertionError("all documents of the collection are gone through")

    monkeypatch.setattr(similar, "ChosenDocuments", refuse)
    fox = next(one.document_id for one in lab.workspace.catalogue.all_documents() if one.uri == "fox")
    for limit in (0, 1, 2, -1):
        hits = similar_to_document(lab.workspace, fox, limit=limit)
        assert fox not in {hit.document_id for hit in hits}
        assert len(hits) == limit or limit < 0
    assert "fox" in found(lab, "the quick fox")


def test_filters_choose_before_the_nearest_are_taken(lab: EmbeddingLab) -> None:
    """Even one document among many is found when it is the only one that may be."""
    assert found(lab, "the quick fox", contains="rain", limit=1) == ["rain"]
    assert found(lab, "the quick fox", media_type="image/") == []
    with pytest.raises(NotFoundError):
        found(lab, "fox", source_id="none")


def test_chunks_that_stay_the_same_answer_before_a_new_version_is_embedded(lab: EmbeddingLab) -> None:
    """A new version is found by the vectors of the texts it has kept, as a chunk of its own; not by those it lost."""
    kept = "# Fox\n\nThe quick brown fox jumps over the lazy dog.\n\n"
    lab.put("two", f"{kept}# Rain\n\nRain gauge water plants.\n")
    lab.embed()
    lab.put("two", f"# New\n\nInvoice payment.\n\n{kept}")
    (hit,) = similar_to_text(lab.workspace, "the quick brown fox jumps", contains="two")
    assert (hit.version, hit.heading_path, hit.chunk_id.rpartition(":")[2]) == (2, "Fox", "1")
    lab.embed()
    assert found(lab, "the quick brown fox jumps", contains="two") == ["two"]


def _with_another_bit(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def test_the_graph_gives_what_brute_force_gives(lab: EmbeddingLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a graph, a damaged one, or none, the answer is the same."""
    wanted = found(lab, "the quick fox", limit=3)
    monkeypatch.setattr(vector_log, "EXACT_BELOW", 1)
    monkeypatch.setattr(vector_log, "_FEW_UNINDEXED", 0)
    monkeypatch.setattr(index, "EXACT_BELOW", 1)
    lab.embed()
    rows = lab.rows()
    assert rows is not None
    assert rows.state.graph is not None
    assert rows.state.graph.rows == rows.state.rows
    assert found(lab, "the quick fox", limit=3) == wanted
    for damaged in (b"torn", _with_another_bit((rows.folder / rows.state.graph.file).read_bytes())):
        (rows.folder / rows.state.graph.file).write_bytes(damaged)
        assert found(lab, "the quick fox", limit=3) == wanted
        lab.embed()  # makes it again, although nothing is due
        rows = lab.rows()
        assert rows is not None
        assert rows.state.graph is not None
        assert checked(rows.folder, rows.state.graph) == rows.state.graph
    for number in range(30):
        lab.put(f"more-{number}", f"Bucket sync {'pear ' * number}.")
    lab.embed()
    assert found(lab, "the quick fox", limit=3) == wanted


def test_what_cannot_be_answered_says_why(lab: EmbeddingLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """No words, words that mean nothing, no vectors yet, no embedder, two collections, another model."""
    workspace = lab.workspace
    for text, message in (("  ", "is empty"), ("xyzzy", "knows nothing")):
        with pytest.raises(UsageError, match=message):
            similar_to_text(workspace, text)
    new = lab.put("new", "Apple.")
    with pytest.raises(UsageError, match="no vectors yet"):
        similar_to_document(workspace, new)
    workspace.collections.add(Collection(collection_id="second", name="Second"))
    with pytest.raises(UsageError, match="has no embedder"):
        similar_to_text(workspace, "fox", collection_id="second")
    choose_embedder(workspace, "second", "tiny")
    with pytest.raises(UsageError, match="default, second"):
        similar_to_text(workspace, "fox")
    with pytest.raises(UsageError, match="no vectors yet"):
        similar_to_text(workspace, "fox", collection_id="second")
    shutil.rmtree(lab.model)
    make_static_model(lab.model, seed=4)
    monkeypatch.setattr(nearest, "_model", LastModel())
    with pytest.raises(EmbedderError, match="another model"):
        similar_to_text(workspace, "fox", collection_id="default")
