"""Generations of vectors: one is built next to the one that answers, then one switch; back again while it is kept."""

from __future__ import annotations

import shutil
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.embedding.base import TextRefusedError
from ingest_tui.embedding.static import StaticBackend
from ingest_tui.model.clock import utc_now
from ingest_tui.model.errors import BusyError, NotFoundError, UsageError
from ingest_tui.model.generation import Generation, GenerationState
from ingest_tui.model.job import JobState, Manifest
from ingest_tui.pipeline.embed import embedding as embedding_module
from ingest_tui.pipeline.embed.discarding import discard_overdue
from ingest_tui.pipeline.embed.generations import known_generations
from ingest_tui.services.embedders import add_embedder, removal_in_words, remove_embedder
from ingest_tui.services.embedding import choose_embedder, enqueue_embedding
from ingest_tui.services.generations import (
    Scope,
    discard_generation,
    list_generations,
    reembed,
    revert_generation,
    scope_of,
    switch_generation,
)
from ingest_tui.services.jobs.jobs import cancel_job, pause_job, resume_job, retry_job
from ingest_tui.services.similar import hint_without_hits, similar_to_document, similar_to_text
from ingest_tui.store.layout import vectors_name
from ingest_tui.store.workspace import open_workspace_at
from ingest_tui.worker.submit import queue_due_embeddings
from tests.made_models import make_static_model
from tests.unit.pipeline.embed.embedding_lab import EmbeddingLab
from tests.waiting import wait_until

WHOLE = Scope("default")


@pytest.fixture
def lab(tmp_path: Path) -> EmbeddingLab:
    """A collection that is embedded, and a second model that is registered."""
    lab = EmbeddingLab(tmp_path)
    for name in ("fox", "leave", "rain"):
        lab.put(f"{name}.md", f"# {name}\n\nThe quick {name}.\n\n## More\n\nThe lazy {name} and water.\n")
    lab.embed()
    folder = make_static_model(tmp_path / "other", seed=3)
    add_embedder(lab.workspace, backend="static", name="other", settings={"path": str(folder)})
    return lab


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the models are asked for."""
    texts: list[str] = []
    original = StaticBackend.vectors

    def recording(self: StaticBackend, found: Any) -> Any:
        texts.extend(found)
        return original(self, found)

    monkeypatch.setattr(StaticBackend, "vectors", recording)
    return texts


def built(lab: EmbeddingLab, scope: Scope = WHOLE, **options: Any) -> Manifest:
    """Build a generation to the end of its job."""
    return lab.run(reembed(lab.workspace, scope, **options).job_id)


def states(lab: EmbeddingLab) -> dict[int, str]:
    """Return the state of each generation."""
    return {one.number: str(one.state) for one in list_generations(lab.workspace, "default")}


def answering(lab: EmbeddingLab) -> Generation:
    """Return the generation that answers."""
    found = known_generations(lab.workspace, "default").answering
    assert found is not None
    return found


def assert_whole(lab: EmbeddingLab, generation: Generation) -> None:
    """Check that a generation has the vectors of all chunks, next to the documents and for search."""
    lab.space, lab.key = generation.space, generation.key
    lab.folder = lab.workspace.layout.vector_log("default", generation.key)
    lab.assert_whole()


def test_the_old_generation_answers_until_the_new_one_is_complete(
    lab: EmbeddingLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another model embeds, the vectors of before are searched; afterwards those of the new one."""
    original = StaticBackend.vectors
    seen: list[str] = []

    def looking(self: StaticBackend, texts: Any) -> Any:
        if not threading.current_thread().name.startswith("job-"):
            return original(self, texts)
        seen.append(answering(lab).embedder.embedder_id)
        return original(self, texts)

    monkeypatch.setattr(StaticBackend, "vectors", looking)
    job = built(lab, embedder_id="other")
    assert (job.state, set(seen)) == (JobState.SUCCEEDED, {"tiny"})
    assert answering(lab).embedder.embedder_id == "other"
    assert states(lab) == {1: "kept", 2: "answering"}
    assert lab.workspace.collections.get("default").preferences.embedder == "other"
    assert_whole(lab, answering(lab))
    assert similar_to_text(lab.workspace, "lazy rain")
    assert queue_due_embeddings(lab.workspace) == [], "nothing is left to do"


def test_the_same_model_is_asked_again_for_everything(lab: EmbeddingLab, asked: list[str]) -> None:
    """Without another embedder the texts are embedded again, into files of their own; the old ones stay whole."""
    first = answering(lab)
    job = built(lab)
    assert job.counters.chunks_embedded == len(lab.chunks())
    assert job.progress.percent == 100.0
    second = answering(lab)
    assert (second.space, second.key) == (first.space, f"{first.key}-2")
    assert_whole(lab, first)
    assert_whole(lab, second)


def test_only_what_was_named_is_embedded_again(lab: EmbeddingLab, asked: list[str]) -> None:
    """For a document or a source all others take their vectors over, and no model is asked for them."""
    document = lab.put("fox.md", "# fox\n\nThe quick fox.\n\n## More\n\nThe lazy fox and water.\n")
    asked.clear()
    built(lab, scope_of(lab.workspace, [document]))
    assert {text for text in asked if "The" in text and "dog" not in text} == {
        text for text in asked if "fox" in text and "dog" not in text
    }
    assert any("lazy fox" in text for text in asked)
    assert_whole(lab, answering(lab))
    with pytest.raises(UsageError, match="two models"):
        reembed(lab.workspace, scope_of(lab.workspace, [document]), embedder_id="other")


def test_documents_that_change_meanwhile_are_in_both(lab: EmbeddingLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that comes while the other model works is embedded in the new one before the switch, and in the old one."""
    original = StaticBackend.vectors
    added = threading.Event()

    def adding(self: StaticBackend, texts: Any) -> Any:
        if any("lazy" in text for text in texts) and not added.is_set():
            added.set()
            thread = threading.Thread(target=lab.put, args=("new.md", "Apple and pear.\n"))
            thread.start()
            thread.join()
        return original(self, texts)

    monkeypatch.setattr(StaticBackend, "vectors", adding)
    built(lab, embedder_id="other", switches=False)
    assert states(lab) == {1: "answering", 2: "ready"}
    [job] = queue_due_embeddings(lab.workspace)
    assert not job.builds_generation
    lab.run(job.job_id)
    for generation in list_generations(lab.workspace, "default"):
        assert_whole(lab, generation)
    lab.put("later.md", "Nothing but apple.\n")
    queued = queue_due_embeddings(lab.workspace)
    assert [one.builds_generation for one in queued] == [False, True]
    for one in queued:
        lab.run(one.job_id)
    for generation in list_generations(lab.workspace, "default"):
        assert_whole(lab, generation)
    assert states(lab) == {1: "answering", 2: "ready"}


def test_built_without_switching_then_switched_and_gone_back(lab: EmbeddingLab, asked: list[str]) -> None:
    """`--no-switch`, `--switch`, `--revert`: each answers with the vectors of one generation, all at once."""
    with pytest.raises(UsageError, match=r"no other generation.*it has: 1 \(answering, tiny\)"):
        switch_generation(lab.workspace, "default")
    with pytest.raises(UsageError, match="no earlier generation"):
        revert_generation(lab.workspace, "default")
    built(lab, embedder_id="other", switches=False)
    assert answering(lab).number == 1
    with pytest.raises(BusyError, match="ready"):
        revert_generation(lab.workspace, "default")
    with pytest.raises(BusyError, match="ready"):
        reembed(lab.workspace, WHOLE)
    asked.clear()
    assert lab.run(switch_generation(lab.workspace, "default").job_id).state is JobState.SUCCEEDED
    assert (answering(lab).number, asked) == (2, [])
    assert revert_generation(lab.workspace, "default").number == 1
    assert states(lab) == {1: "answering", 2: "kept"}
    assert lab.workspace.collections.get("default").preferences.embedder == "tiny"
    assert queue_due_embeddings(lab.workspace) == []
    assert revert_generation(lab.workspace, "default").number == 2
    lab.put("new.md", "Apple and pear.\n")
    lab.embed()
    assert_whole(lab, answering(lab))


def test_a_chosen_embedder_is_switched_to_when_it_is_complete(lab: EmbeddingLab, asked: list[str]) -> None:
    """`embedder use` alone changes nothing in what answers; the next job builds, and going back asks no model."""
    choose_embedder(lab.workspace, "default", "other")
    assert answering(lab).number == 1
    [job] = queue_due_embeddings(lab.workspace)
    assert job.builds_generation
    assert queue_due_embeddings(lab.workspace) == []
    lab.run(job.job_id)
    assert answering(lab).embedder.embedder_id == "other"
    asked.clear()
    choose_embedder(lab.workspace, "default", "tiny")
    lab.run(enqueue_embedding(lab.workspace, "default").job_id)
    assert (answering(lab).number, asked) == (1, [])


def test_a_model_that_was_replaced_is_embedded_with_as_it_is_now(lab: EmbeddingLab) -> None:
    """A new revision in the same folder: the vectors of before are not mixed with it, and stay until the switch."""
    first = answering(lab)
    shutil.rmtree(lab.model)
    make_static_model(lab.model, seed=9)
    document = lab.put("new.md", "Apple and pear.\n")
    job = lab.embed()
    assert (job.state, job.errors[-1].code) == (JobState.FAILED, "model_changed")
    assert "reembed" in job.errors[-1].hint
    assert built(lab).state is JobState.SUCCEEDED
    second = answering(lab)
    assert second.space != first.space
    assert_whole(lab, second)
    assert similar_to_document(lab.workspace, document)


def test_what_fails_keeps_the_old_one_answering(lab: EmbeddingLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that the new model refuses: not switched by itself, the job says so; `--switch` does it all the same."""
    original = StaticBackend.vectors

    def picky(self: StaticBackend, texts: Any) -> Any:
        if any("lazy fox" in text for text in texts):
            raise TextRefusedError("no foxes here")
        return original(self, texts)

    monkeypatch.setattr(StaticBackend, "vectors", picky)
    job = built(lab, embedder_id="other")
    assert job.state is JobState.PARTIAL
    assert "not switched to generation 2: 1 document has chunks" in job.warnings[0]
    assert states(lab) == {1: "answering", 2: "building"}
    assert lab.run(retry_job(lab.workspace, job.job_id).job_id).state is JobState.PARTIAL
    assert states(lab) == {1: "answering", 2: "building"}
    assert lab.run(switch_generation(lab.workspace, "default").job_id).state is JobState.PARTIAL
    assert answering(lab).number == 2


def test_a_build_is_paused_cancelled_and_retried(lab: EmbeddingLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paused, it keeps its place; cancelled, what it has stays; a retry completes the same generation and switches."""
    monkeypatch.setattr(embedding_module, "_TEXTS_AT_ONCE", 1)
    original, calls = StaticBackend.vectors, 0
    queued = reembed(lab.workspace, WHOLE, embedder_id="other")
    job_id = queued.job_id
    assert queued.lane == "embed/default/next"
    with pytest.raises(BusyError, match=job_id):
        reembed(lab.workspace, WHOLE)
    assert pause_job(lab.workspace, job_id).state is JobState.PAUSED
    assert resume_job(lab.workspace, job_id).state is not JobState.PAUSED

    def cancelling(self: StaticBackend, texts: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:  # the probe was the first
            cancel_job(open_workspace_at(lab.workspace.root), job_id)
            requests = lab.workspace.layout.job(job_id).requests
            wait_until(lambda: not list(requests.glob("cancel.json")), seconds=10, what="the request is answered")
        return original(self, texts)

    monkeypatch.setattr(StaticBackend, "vectors", cancelling)
    assert lab.run(job_id).state is JobState.CANCELLED
    assert states(lab) == {1: "answering", 2: "building"}
    assert queue_due_embeddings(lab.workspace) == [], "a person decides what becomes of it"
    again = lab.run(retry_job(lab.workspace, job_id).job_id)
    assert again.state is JobState.SUCCEEDED
    assert again.counters.chunks_embedded < len(lab.chunks()), "what it had was not asked for again"
    assert states(lab) == {1: "kept", 2: "answering"}
    assert_whole(lab, answering(lab))


def test_what_nobody_goes_back_to_is_removed(lab: EmbeddingLab) -> None:
    """A third generation removes the first, trash_days end what is kept, and --discard what is built or kept."""
    first = answering(lab)
    files = {path.name for path in lab.workspace.layout.documents.rglob("vectors-*")}
    assert files == {vectors_name(first.key)}
    built(lab, embedder_id="other")
    built(lab)
    assert states(lab) == {1: "discarded", 2: "kept", 3: "answering"}
    discard_overdue(lab.workspace)
    assert states(lab) == {2: "kept", 3: "answering"}
    assert not list(lab.workspace.layout.documents.rglob(vectors_name(first.key)))
    assert not lab.workspace.layout.vector_log("default", first.key).exists()
    discard_overdue(lab.workspace, now=utc_now() + timedelta(days=29))
    assert states(lab) == {2: "kept", 3: "answering"}
    discard_overdue(lab.workspace, now=utc_now() + timedelta(days=31))
    assert states(lab) == {3: "answering"}
    assert_whole(lab, answering(lab))
    built(lab, switches=False)
    assert discard_generation(lab.workspace, "default").number == 4
    assert states(lab) == {3: "answering"}
    with pytest.raises(UsageError, match=r"no other generation.*it has: 3 \(answering, other\)"):
        discard_generation(lab.workspace, "default")
    assert_whole(lab, answering(lab))


def test_an_embedder_that_was_removed_still_answers(lab: EmbeddingLab) -> None:
    """A generation remembers what it was made with, so that one can go back to it."""
    built(lab, embedder_id="other")
    remove_embedder(lab.workspace, "tiny")
    revert_generation(lab.workspace, "default")
    assert similar_to_text(lab.workspace, "lazy rain", collection_id="default")


def test_a_workspace_without_a_record_has_what_it_had(lab: EmbeddingLab) -> None:
    """Vectors of an earlier version of the program answer, and stay when another embedder is chosen."""
    shutil.rmtree(lab.workspace.layout.generations)
    found = answering(lab)
    assert (found.key, found.embedder.embedder_id) == (lab.space.space_id, "tiny")
    assert similar_to_text(lab.workspace, "lazy rain")
    choose_embedder(lab.workspace, "default", "other")
    assert answering(lab).embedder.embedder_id == "tiny"
    assert lab.run(enqueue_embedding(lab.workspace, "default").job_id).state is JobState.SUCCEEDED
    assert states(lab) == {1: "kept", 2: "answering"}


def test_what_a_removed_embedder_has_made_is_named_before(lab: EmbeddingLab) -> None:
    """Also a generation that is only kept: it can still be searched, and nothing new can be embedded in it."""
    assert removal_in_words(lab.workspace, "other") == []
    lab.run(reembed(lab.workspace, WHOLE, embedder_id="other").job_id)
    [loss] = removal_in_words(lab.workspace, "tiny")
    assert loss.startswith("generation 1 of collection default (kept) is of it")
    discard_generation(lab.workspace, "default")
    assert removal_in_words(lab.workspace, "tiny") == []


def test_nothing_similar_after_documents_changed_leads_to_embedding(lab: EmbeddingLab) -> None:
    """What was cut or written otherwise has no vectors until a job embeds it; then there is nothing to hint at."""
    assert hint_without_hits(lab.workspace) == ""
    for name in ("fox", "leave", "rain"):
        lab.put(f"{name}.md", f"Another {name}, cut otherwise.")
    assert similar_to_text(lab.workspace, "the quick fox") == []
    assert "'ingest-tui embed default'" in hint_without_hits(lab.workspace)
    assert hint_without_hits(lab.workspace, target="fox.md") == hint_without_hits(lab.workspace)
    lab.embed()
    assert hint_without_hits(lab.workspace, collection_id="default") == ""


def test_an_unknown_name_leads_to_what_could_be_meant(lab: EmbeddingLab) -> None:
    """It is asked what is nearly called so, and which kinds of names there are."""
    with pytest.raises(NotFoundError, match="no collection, source or document 'defualt'") as caught:
        scope_of(lab.workspace, ["defualt"])
    assert caught.value.hint.startswith("did you mean 'default'? name a collection, a source, or a document")


def test_what_is_asked_for_must_be_there_and_of_one_collection(lab: EmbeddingLab) -> None:
    """Names that are nothing, several collections, and a collection without vectors are refused by name."""
    from ingest_tui.model.collection import Collection
    from ingest_tui.model.source import Source

    lab.workspace.collections.add(Collection(collection_id="empty", name="Empty"))
    lab.workspace.sources.save(
        Source(source_id="default", name="D", source_type="local", source_config={"path": "/"}, collection_id="empty")
    )
    with pytest.raises(UsageError, match="a collection and a source"):
        scope_of(lab.workspace, ["default"])
    assert scope_of(lab.workspace, ["source:default"]) == Scope("empty", sources=("default",))
    with pytest.raises(UsageError, match="several collections"):
        scope_of(lab.workspace, ["collection:default", "empty"])
    choose_embedder(lab.workspace, "empty", "tiny")
    with pytest.raises(UsageError, match="no vectors yet"):
        reembed(lab.workspace, Scope("empty"))
    assert GenerationState.ANSWERING in {one.state for one in list_generations(lab.workspace, "default")}


def test_the_same_command_resumes_what_nobody_builds(lab: EmbeddingLab) -> None:
    """After a worker was killed, or before one came, the same command takes up the job; another plan is refused."""
    waiting = reembed(lab.workspace, WHOLE, embedder_id="other")
    assert reembed(lab.workspace, WHOLE, embedder_id="other").job_id == waiting.job_id
    killed = lab.workspace.jobs.load(waiting.job_id).model_copy(update={"state": JobState.RUNNING})
    lab.workspace.jobs.save(killed)
    with pytest.raises(BusyError, match="interrupted") as refused:
        reembed(lab.workspace, WHOLE)
    assert "a worker resumes it" in refused.value.hint
    with pytest.raises(BusyError):
        reembed(lab.workspace, WHOLE, embedder_id="other", switches=False)
    assert reembed(lab.workspace, WHOLE, embedder_id="other").job_id == waiting.job_id
    assert lab.run(waiting.job_id).state is JobState.SUCCEEDED
    assert answering(lab).embedder.embedder_id == "other"
