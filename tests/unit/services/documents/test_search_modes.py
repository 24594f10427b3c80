"""Searching by words, by meaning, and by both."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.embedding.base import EmbedderError
from ingest_tui.embedding.static import StaticBackend
from ingest_tui.index.full_text import FullText
from ingest_tui.model.collection import Collection
from ingest_tui.model.document import Chunk
from ingest_tui.model.errors import IngestError, UnknownWordsError, UsageError
from ingest_tui.model.folder import Folder
from ingest_tui.model.ranking import ChunkScorer
from ingest_tui.model.relevance import JudgedQuery
from ingest_tui.services import nearest
from ingest_tui.services.documents import search_modes
from ingest_tui.services.documents.documents import remove_documents
from ingest_tui.services.documents.evaluation import Variant, evaluate
from ingest_tui.services.documents.search import search
from ingest_tui.services.embedding import choose_embedder
from ingest_tui.services.open_models import LastModel
from ingest_tui.store.workspace import Workspace
from tests.made_models import make_static_model
from tests.unit.pipeline.embed.embedding_lab import EmbeddingLab

TEXTS = {
    "fox": "The quick brown fox jumps over the lazy dog.",
    "dog": "The lazy dog and the quick fox.",
    "leave": "How do I request holiday days off? Leave policy handbook.",
    "rain": "Rain gauge water plants.",
    "named": "Xylophone 4711.",
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


def found(lab: EmbeddingLab, query: str, **how: Any) -> list[str]:
    """Return the addresses of the hits, best first."""
    return [hit.uri for hit in search(lab.workspace, query, **how)]


def test_each_mode_finds_in_its_way(lab: EmbeddingLab) -> None:
    """Words find what has them; vectors rank everything; both together have what either has, the agreed first."""
    assert found(lab, "xylophone", mode="text") == ["named"]
    assert found(lab, "gauge plants", mode="vector")[0] == "rain"
    assert set(found(lab, "lazy fox", mode="vector", limit=50)) == set(TEXTS)
    nearest = search(lab.workspace, "lazy fox", mode="vector")[0]
    assert nearest.why == (("(cosine)", 0, {}, nearest.score),)
    hybrid = search(lab.workspace, "lazy fox", mode="hybrid", limit=50)
    assert {hit.uri for hit in hybrid[:2]} == {"fox", "dog"}
    assert {hit.uri for hit in hybrid} == set(TEXTS)
    assert [hit.score for hit in hybrid] == sorted((hit.score for hit in hybrid), reverse=True)
    assert "\x02" in hybrid[0].snippet, "what the words found is shown with its marks"
    why = [one for one in hybrid[0].why if one.term.startswith("(rank")]
    assert {one.term.rpartition(" ")[2] for one in why} == {"words)", "meaning)"}, "what the score is made of"
    assert sum(one.weight for one in why) == pytest.approx(hybrid[0].score, abs=0.001)
    assert found(lab, "xylophone 4711")[0] == "named", "both is what is usual here"
    assert len(found(lab, "xylophone 4711")) > 1


def test_without_vectors_the_words_answer(lab: EmbeddingLab) -> None:
    """No embedder, or nothing embedded yet: the usual mode is by words, and nothing is said of it."""
    choose_embedder(lab.workspace, "default", None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert found(lab, "xylophone") == ["named"]
    for mode in ("vector", "hybrid"):
        with pytest.raises(UsageError, match="has an embedder"):
            found(lab, "fox", mode=mode)
    with pytest.raises(UsageError, match="'default' has no embedder"):
        found(lab, "fox", mode="vector", collection_id="default")
    choose_embedder(lab.workspace, "default", "tiny")
    shutil.rmtree(lab.workspace.layout.vectors)
    assert found(lab, "xylophone") == ["named"]
    with pytest.raises(UsageError, match="no vectors yet"):
        found(lab, "fox", mode="hybrid")


def test_a_mode_that_cannot_be_used_is_no_bad_answer(lab: EmbeddingLab) -> None:
    """eval compares modes where they can be; without vectors it fails rather than count nothing as found."""
    queries = [JudgedQuery(1, "quick fox", ("fox",))]
    variants = [Variant("default", "text"), Variant("default", "hybrid")]
    assert [len(one.answers[0].found) > 0 for one in evaluate(lab.workspace, queries, variants)] == [True, True]
    choose_embedder(lab.workspace, "default", None)
    with pytest.raises(UsageError, match="has no embedder"):
        evaluate(lab.workspace, queries, variants)


def test_a_model_that_fails_leaves_the_words(lab: EmbeddingLab) -> None:
    """The usual mode answers by words and warns; a mode that was asked for fails with the reason."""
    shutil.rmtree(lab.model)
    make_static_model(lab.model, seed=8)
    with pytest.warns(UserWarning, match="searched by words alone"):
        assert found(lab, "xylophone") == ["named"]
    with pytest.raises(EmbedderError, match="another model"):
        found(lab, "fox", mode="hybrid")


def test_words_that_the_model_does_not_know_are_found_as_words(lab: EmbeddingLab) -> None:
    """In hybrid, with a warning, and so in eval; by meaning alone there is nothing to ask for."""
    lab.put("odd", "Nobody knows a xyzzy.")
    lab.embed()
    for mode in (None, "hybrid"):
        with pytest.warns(UserWarning, match="knows nothing of these words"):
            assert found(lab, "xyzzy", mode=mode) == ["odd"]
    with pytest.raises(UnknownWordsError, match="knows nothing"):
        found(lab, "xyzzy", mode="vector")
    with pytest.warns(UserWarning, match="knows nothing"):
        [both] = evaluate(lab.workspace, [JudgedQuery(1, "xyzzy", ("odd",))], [Variant("default", "hybrid")])
    assert len(both.answers[0].found) == 1


def test_one_model_that_knows_the_words_is_enough(lab: EmbeddingLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The collections of the others are asked by words."""
    second = Collection(collection_id="second", name="Second")
    lab.workspace.collections.add(second)
    choose_embedder(lab.workspace, "second", "tiny")
    known = nearest.query_vector
    asked = nearest.vectors_of(lab.workspace, "default")
    monkeypatch.setattr(
        nearest, "vectors_of", lambda _workspace, collection_id, *_: asked._replace(collection_id=collection_id)
    )

    def only_the_first(workspace: Workspace, searched: nearest.SearchedVectors, text: str) -> object:
        if searched.collection_id == "second":
            raise UnknownWordsError("the model knows nothing of these words")
        return known(workspace, searched, text)

    monkeypatch.setattr(nearest, "query_vector", only_the_first)
    assert "fox" in found(lab, "quick fox", mode="vector")


@pytest.mark.parametrize("mode", ["vector", "hybrid"])
def test_what_must_and_must_not_occur_decides_in_each_mode(lab: EmbeddingLab, mode: str) -> None:
    """Exclusions, phrases and filters of the query line hold for what vectors find too."""
    assert "fox" not in found(lab, "lazy dog -jumps", mode=mode, limit=50)
    assert "dog" in found(lab, "lazy dog -jumps", mode=mode, limit=50)
    assert found(lab, '"quick brown" fox', mode=mode, limit=50) == ["fox"]
    assert found(lab, "lazy dog path:rain", mode=mode, limit=50) in (["rain"], [])
    assert found(lab, "water path:rain", mode=mode, limit=50) == ["rain"]
    assert found(lab, "water", mode=mode, contains="leave", limit=50) in (["leave"], [])


def test_no_text_is_ranked_for_what_must_and_must_not_occur(lab: EmbeddingLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """By meaning alone: which documents have the words is all that is asked; quotes that no document has are words."""

    def refuse(*_given: object) -> None:
        raise AssertionError("a text is ranked")

    monkeypatch.setattr(ChunkScorer, "score", refuse)
    assert set(found(lab, "+lazy dog", mode="vector", limit=50)) == {"fox", "dog"}
    assert found(lab, '"lazy dog" -jumps', mode="vector", limit=50) == ["dog"]
    assert set(found(lab, '"dog lazy" gauge', mode="vector", limit=50)) == {"fox", "dog", "rain"}
    assert found(lab, "+nothing dog", mode="vector", limit=50) == []


def test_documents_are_only_gone_through_where_some_are_chosen(
    lab: EmbeddingLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plain query asks for no ids of a collection, and finds nothing that is gone; an empty choice finds nothing."""
    fox = lab.put("fox", TEXTS["fox"])
    assert found(lab, "lazy fox", mode="vector", document_ids=[]) == []
    assert found(lab, "lazy fox", mode="vector", document_ids=[fox]) == ["fox"]
    remove_documents(lab.workspace, [fox])

    def refuse(*_given: object) -> None:
        raise AssertionError("all documents of the collection are gone through")

    monkeypatch.setattr(search_modes, "ChosenDocuments", refuse)
    for mode in ("vector", "hybrid"):
        assert set(found(lab, "lazy fox", mode=mode, limit=50)) == TEXTS.keys() - {"fox"}
        assert set(found(lab, "lazy fox", mode=mode, limit=50, folder=Folder())) == TEXTS.keys() - {"fox"}
        with pytest.raises(AssertionError, match="gone through"):
            found(lab, "lazy fox", mode=mode, folder=Folder("docs"))
        with pytest.raises(AssertionError, match="gone through"):
            found(lab, "lazy fox path:dog", mode=mode)


def test_of_a_document_only_the_chunks_are_read_that_rows_name(
    lab: EmbeddingLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not all of a long one; all of them only for rows of a version before, to find the text again."""
    text = "# Rain\n\nRain gauge.\n\n# Water\n\nWater plants.\n\n# Fox\n\nQuick fox.\n"
    lab.put("long", text)
    lab.embed()
    read: list[str] = []
    original = FullText.chunks_of

    def noting(self: FullText, document_id: str) -> list[Chunk]:
        read.append(document_id)
        return original(self, document_id)

    monkeypatch.setattr(FullText, "chunks_of", noting)
    hits = search(lab.workspace, "water", mode="vector", limit=50, all_chunks=True)
    assert {hit.text.split()[-1] for hit in hits if hit.uri == "long"} == {"gauge.", "plants.", "fox."}
    assert read == []
    changed = lab.put("long", f"{text}\n# Dog\n\nLazy dog.\n")
    again = search(lab.workspace, "water", mode="vector", limit=50, all_chunks=True)
    assert [hit.text for hit in again] == [hit.text for hit in hits]
    assert read == [changed]


def test_limits_and_chunks(lab: EmbeddingLab) -> None:
    """One hit a document unless all chunks are asked for; -1 is no limit, 0 nothing."""
    lab.put("long", "# Rain\n\nRain gauge.\n\n# Water\n\nWater plants.\n\n# Fox\n\nQuick fox.\n")
    lab.embed()
    assert found(lab, "water plants", mode="hybrid", limit=50).count("long") == 1
    chunks = [hit.chunk_id for hit in search(lab.workspace, "water", mode="vector", limit=50, all_chunks=True)]
    assert len(chunks) == len(set(chunks)) == len(lab.chunks())
    assert len(found(lab, "water", mode="vector", limit=-1)) == len(TEXTS) + 1
    assert found(lab, "water", mode="vector", limit=0) == []
    assert len(found(lab, "water", mode="hybrid", limit=2)) == 2


def test_the_weight_of_a_collection_counts(lab: EmbeddingLab) -> None:
    """Nothing for vectors leaves the order of the words; very much puts what is nearest first."""
    words, by_meaning = found(lab, "fox", mode="text"), found(lab, "fox", mode="vector", limit=50)

    def weighed(weight: float) -> list[str]:
        collection = lab.workspace.collections.get("default")
        preferences = collection.preferences.model_copy(update={"vector_weight": weight})
        lab.workspace.collections.save(collection.model_copy(update={"preferences": preferences}), collection)
        return found(lab, "fox", mode="hybrid", limit=50)

    assert weighed(0.0)[: len(words)] == words
    assert weighed(100.0) == by_meaning


def test_vectors_of_another_model_by_the_same_name_are_never_asked(
    lab: EmbeddingLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that answers the probe text in another way is not the one that the vectors are of."""
    monkeypatch.setattr(nearest, "_model", LastModel())
    original = StaticBackend.vectors
    monkeypatch.setattr(StaticBackend, "vectors", lambda self, texts: original(self, texts)[:, ::-1])
    with pytest.raises(EmbedderError, match="another model"):
        found(lab, "fox", mode="vector")


def test_an_unknown_mode_is_refused(lab: EmbeddingLab) -> None:
    """It names the known ones; an empty query is one in every mode."""
    with pytest.raises(UsageError, match="there is no mode 'magic'"):
        found(lab, "fox", mode="magic")
    for mode in ("text", "vector", "hybrid", None):
        with pytest.raises(IngestError, match="no word"):
            found(lab, "", mode=mode)
