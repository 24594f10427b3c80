"""Jobs that embed: what is due, what is done again, what fails alone, and what is never mixed."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.embedding import static as static_module
from ingest_tui.embedding.base import TextRefusedError
from ingest_tui.embedding.static import StaticBackend
from ingest_tui.model.errors import StoreError, UsageError
from ingest_tui.model.job import JobState
from ingest_tui.pipeline.embed import embedding as embedding_module
from ingest_tui.services.documents.documents import remove_documents
from ingest_tui.services.documents.trash import empty_trash, list_trash
from ingest_tui.services.embedders import add_embedder, remove_embedder
from ingest_tui.services.embedding import choose_embedder, enqueue_embedding
from ingest_tui.services.jobs.jobs import cancel_job, job_items, retry_job
from ingest_tui.services.workspaces import rebuild
from ingest_tui.store import vector_files
from ingest_tui.store.layout import vectors_name
from ingest_tui.store.workspace import open_workspace_at
from ingest_tui.worker.submit import queue_due_embeddings, queue_embedding_after
from tests.made_models import make_static_model
from tests.unit.pipeline.embed.embedding_lab import EmbeddingLab

TEXTS = {
    "fox.md": "# Fox\n\nThe quick brown fox.\n",
    "leave.md": "# Leave\n\nHow do I request holiday days off?\n\n## Policy\n\nThe handbook.\n",
    "rain.md": "A rain gauge and water.\n",
}


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[EmbeddingLab]:
    """A workspace with three documents and a tiny model."""
    made = EmbeddingLab(tmp_path)
    for name, text in TEXTS.items():
        made.put(name, text)
    yield made
    made.workspace.close()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that the model was asked for."""
    texts: list[str] = []
    original = StaticBackend.vectors

    def listening(self: StaticBackend, some: Any) -> Any:
        texts.extend(some)
        return original(self, some)

    monkeypatch.setattr(StaticBackend, "vectors", listening)
    return texts


def outcomes(lab: EmbeddingLab, job_id: str) -> dict[str, str]:
    """Return what became of each document of a job, by its name."""
    return {outcome.uri: outcome.outcome for outcome, _ in job_items(lab.workspace, job_id)}


def test_all_chunks_of_a_collection_get_their_vectors(lab: EmbeddingLab) -> None:
    """Next to the documents and for search; the manifest counts documents and chunks in its one phase."""
    job = lab.embed()
    assert job.state is JobState.SUCCEEDED
    lab.assert_whole()
    number = len(lab.chunks())
    assert list(job.phases) == ["embed"]
    assert (job.phases["embed"].state, job.phases["embed"].done) == ("done", number)
    assert job.counters.items_embedded == job.counters.descriptors_listed == job.counters.listed_accounted_for == 3
    assert job.counters.chunks_embedded == number
    assert set(outcomes(lab, job.job_id).values()) == {"embedded"}
    assert job.progress.percent == 100.0


def test_only_what_has_changed_is_embedded_again(lab: EmbeddingLab, asked: list[str]) -> None:
    """A job follows the change feed: nothing changed, nothing asked; a new version asks for its new texts only."""
    lab.embed()
    asked.clear()
    again = lab.embed()
    assert (asked, again.counters.descriptors_listed) == ([], 0)
    lab.put("leave.md", TEXTS["leave.md"] + "\n## Payment\n\nInvoice payment.\n")
    job = lab.embed()
    assert (job.counters.descriptors_listed, job.counters.items_embedded) == (1, 1)
    assert sum("Invoice payment." in text for text in asked) == 1
    assert not any("The quick" in text for text in asked if "lazy" not in text)
    lab.assert_whole()
    asked.clear()
    everything = lab.embed(everything=True)
    assert (asked, everything.counters.items_skipped_incremental) == ([], 3)


def test_vectors_go_with_their_document(lab: EmbeddingLab) -> None:
    """Into the trash, out of it without the model being asked, and away for good with a purge."""
    lab.embed()
    document_id = lab.put("gone.md", "Bucket sync.\n")
    lab.embed()
    digests = set(lab.chunks([document_id]))
    remove_documents(lab.workspace, [document_id])
    trashed = lab.workspace.layout.trashed("default", document_id) / "v0001" / vectors_name(lab.space.space_id)
    assert trashed.exists()
    lab.embed()
    empty_trash(lab.workspace, list(list_trash(lab.workspace)))
    assert not trashed.exists()
    job = lab.embed()
    assert job.state is JobState.SUCCEEDED
    assert not digests & set(lab.digests_in_rows()), "nothing that search reads has them any more"
    lab.assert_whole()


@pytest.mark.parametrize("loss", ["vectors", "catalogue", "both"])
def test_what_search_reads_is_made_again_without_a_model(lab: EmbeddingLab, asked: list[str], loss: str) -> None:
    """After a rebuild, and without the folder that search reads: from what is next to the documents."""
    lab.embed()
    shutil.rmtree(lab.model)
    asked.clear()
    if loss in {"vectors", "both"}:
        shutil.rmtree(lab.workspace.layout.vectors)
    if loss in {"catalogue", "both"}:
        rebuild(lab.workspace)
    job = lab.embed()
    assert (job.state, asked) == (JobState.SUCCEEDED, [])
    lab.assert_whole()


def test_damaged_vectors_are_made_again(lab: EmbeddingLab) -> None:
    """A file that cannot be read is replaced when all documents are looked at; the log says which it was."""
    lab.embed()
    document = next(iter(lab.workspace.catalogue.all_documents()))
    folder = lab.workspace.layout.version("default", document.document_id, document.version)
    path = folder / vectors_name(lab.space.space_id)
    path.write_bytes(path.read_bytes()[:-1])
    job = lab.embed(everything=True)
    assert (job.state, job.counters.items_embedded) == (JobState.SUCCEEDED, 1)
    assert "are made again" in lab.workspace.layout.job(job.job_id).log.read_text()
    lab.assert_whole()


def test_a_chunk_that_is_refused_harms_no_other(lab: EmbeddingLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """One text that the model does not take is an outcome with its reason; all others get their vectors."""
    original = StaticBackend.vectors
    refused = True

    def picky(self: StaticBackend, texts: Any) -> Any:
        if refused and any("handbook" in text for text in texts):
            raise TextRefusedError("no handbooks here", hint="leave it out")
        return original(self, texts)

    monkeypatch.setattr(StaticBackend, "vectors", picky)
    job = lab.embed()
    assert job.state is JobState.PARTIAL
    assert outcomes(lab, job.job_id) == {"fox.md": "embedded", "rain.md": "embedded", "leave.md": "failed"}
    assert job.errors[0].message == "1 of 2 chunks have no vector: chunk 1: no handbooks here"
    assert (job.errors[0].phase, job.errors[0].code) == ("embed", "text_refused")
    assert job.counters.chunks_not_embedded == 1
    assert len(lab.digests_on_disk()) == len(lab.chunks()) - 1
    refused = False
    again = retry_job(lab.workspace, job.job_id)
    assert lab.run(again.job_id).state is JobState.SUCCEEDED
    lab.assert_whole()


def test_a_text_that_means_nothing_to_the_model_is_no_failure(lab: EmbeddingLab) -> None:
    """A document of unknown signs is empty, and the job succeeds."""
    lab.put("signs.md", "§§ ¶¶ ††\n")
    job = lab.embed()
    assert job.state is JobState.SUCCEEDED
    assert outcomes(lab, job.job_id)["signs.md"] == "empty"


def test_a_model_that_was_exchanged_is_refused(lab: EmbeddingLab) -> None:
    """Other files in its folder, or other vectors from the same files: nothing is written."""
    lab.embed()
    lab.put("new.md", "Apple and pear.\n")
    shutil.rmtree(lab.model)
    make_static_model(lab.model, seed=9)
    job = lab.embed()
    assert (job.state, job.errors[-1].code) == (JobState.FAILED, "model_changed")
    assert len(lab.digests_on_disk()) == len(lab.chunks()) - 1


def test_other_vectors_from_the_same_model_are_refused(lab: EmbeddingLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint may serve another model by the same name: its answer for the probe text gives it away."""
    lab.embed()
    lab.put("new.md", "Apple and pear.\n")
    original = StaticBackend.vectors
    monkeypatch.setattr(StaticBackend, "vectors", lambda self, texts: original(self, texts)[:, ::-1])
    job = lab.embed()
    assert (job.state, job.errors[-1].code) == (JobState.FAILED, "model_changed")
    assert "like itself" in job.errors[-1].message


def test_two_models_never_share_vectors(lab: EmbeddingLab, tmp_path: Path) -> None:
    """A collection that changes its embedder has vectors of both, each in files of its own."""
    lab.embed()
    first = lab.digests_in_rows()
    add_embedder(
        lab.workspace, backend="static", name="other", settings={"path": str(make_static_model(tmp_path / "o", seed=3))}
    )
    choose_embedder(lab.workspace, "default", "other")
    assert lab.embed().state is JobState.SUCCEEDED
    assert lab.digests_in_rows() == first
    other = lab.workspace.embedders.get("other").space
    assert other.space_id != lab.space.space_id
    assert lab.workspace.layout.vector_log("default", other.space_id).is_dir()


def test_a_job_without_embedder_or_model_fails_with_what_to_do(lab: EmbeddingLab) -> None:
    """No choice, a removed embedder, a folder that is gone: the job fails, and what was embedded stays."""
    lab.embed()
    digests = lab.digests_on_disk()
    lab.put("new.md", "Apple and pear.\n")
    shutil.rmtree(lab.model)
    job = lab.embed()
    assert (job.state, job.errors[-1].code) == (JobState.FAILED, "model_missing")
    remove_embedder(lab.workspace, "tiny", force=True)
    job = lab.embed()
    assert (job.state, job.errors[-1].code) == (JobState.FAILED, "not_found")
    choose_embedder(lab.workspace, "default", None)
    with pytest.raises(UsageError, match="has no embedder"):
        enqueue_embedding(lab.workspace, "default")
    assert lab.digests_on_disk() == digests


def test_a_job_is_queued_by_itself_after_one_that_changed_something(lab: EmbeddingLab, tmp_path: Path) -> None:
    """Once, while none waits, and only where the collection embeds by itself and something is due."""
    from ingest_tui.model.source import Source
    from ingest_tui.worker.submit import submit_sync

    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "pear.md").write_text("Apple and pear.\n")
    workspace = lab.workspace
    workspace.sources.save(
        Source(source_id="docs", name="Docs", source_type="local", source_config={"path": str(folder)})
    )
    lab.embed()
    ended = lab.run(submit_sync(workspace, workspace.sources.get("docs"), trigger="manual", by="test").job_id)
    queued = [job for job in workspace.jobs.readable(workspace.jobs.ids()) if job.trigger == "sync"]
    assert [(job.kind, job.collection_id) for job in queued] == [("embed", "default")]
    assert lab.run(queued[0].job_id).state is JobState.SUCCEEDED
    lab.assert_whole()
    assert queue_embedding_after(workspace, ended) is None, "nothing is due any more"
    lab.put("more.md", "Bucket sync.\n")
    first = queue_embedding_after(workspace, ended)
    assert first is not None
    assert queue_embedding_after(workspace, ended) is None, "one waits already"
    cancel_job(workspace, first.job_id)
    choose_embedder(workspace, "default", "tiny", is_automatic=False)
    assert queue_embedding_after(workspace, ended) is None


def test_a_worker_queues_what_no_job_has_caused(lab: EmbeddingLab) -> None:
    """Registered and purged documents are followed too; a job that failed is not tried again and again."""
    workspace = lab.workspace
    first = queue_due_embeddings(workspace)
    assert [job.collection_id for job in first] == ["default"]
    assert queue_due_embeddings(workspace) == [], "one waits already"
    lab.run(first[0].job_id)
    lab.assert_whole()
    assert queue_due_embeddings(workspace) == []
    document_id = lab.put("gone.md", "Bucket sync.\n")
    lab.embed()
    digests = set(lab.chunks([document_id]))
    remove_documents(workspace, [document_id])
    lab.embed()
    empty_trash(workspace, list(list_trash(workspace)))
    [purged] = queue_due_embeddings(workspace)
    lab.run(purged.job_id)
    assert not digests & set(lab.digests_in_rows())
    lab.put("new.md", "Apple and pear.\n")
    shutil.rmtree(lab.model)
    [failing] = queue_due_embeddings(workspace)
    assert lab.run(failing.job_id).state is JobState.FAILED
    assert queue_due_embeddings(workspace) == []


def test_two_jobs_of_a_collection_run_one_after_the_other(lab: EmbeddingLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """First in, first out; jobs of other collections run at the same time, up to the setting, next to syncs."""
    from ingest_tui.model.collection import Collection
    from ingest_tui.worker.queue import claim_next

    workspace = lab.workspace
    for name in ("a", "b", "c"):
        workspace.collections.add(Collection(collection_id=name, name=name))
        choose_embedder(workspace, name, "tiny")
    workspace.settings.max_embedding_jobs = 2
    jobs = [enqueue_embedding(workspace, name).job_id for name in ("a", "a", "b", "c")]
    first, second = claim_next(workspace), claim_next(workspace)
    assert first is not None
    assert second is not None
    assert [first.manifest.job_id, second.manifest.job_id] == [jobs[0], jobs[2]]
    assert claim_next(workspace) is None, "two at once"
    second.release()
    third = claim_next(workspace, only_lane="embed/c")
    assert third is not None
    assert third.manifest.job_id == jobs[3]
    third.release()
    first.release()


def test_a_cancelled_job_keeps_what_it_has_embedded(lab: EmbeddingLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that was committed stays; the next job does the rest."""
    monkeypatch.setattr(embedding_module, "_TEXTS_AT_ONCE", 1)
    original = StaticBackend.vectors
    calls: list[int] = []
    job_id = enqueue_embedding(lab.workspace, "default").job_id

    def cancelling(self: StaticBackend, texts: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:  # the probe was the first
            cancel_job(open_workspace_at(lab.workspace.root), job_id)
            _wait_until_taken(lab, job_id)
        return original(self, texts)

    monkeypatch.setattr(StaticBackend, "vectors", cancelling)
    assert lab.run(job_id).state is JobState.CANCELLED
    assert 0 < len(lab.digests_on_disk()) < len(lab.chunks())
    assert lab.embed().state is JobState.SUCCEEDED
    lab.assert_whole()


@pytest.mark.parametrize(("seconds", "writes"), [(0.0, 6), (3600.0, 1)])
def test_the_vectors_of_a_large_document_are_not_written_for_each_batch(
    lab: EmbeddingLab, monkeypatch: pytest.MonkeyPatch, seconds: float, writes: int
) -> None:
    """One file has them all: it is written when they are there, and before that only now and then."""
    lab.embed()
    lab.put("large.md", "\n\n".join(f"# Part {number}\n\nThe handbook of {number}." for number in range(12)))
    monkeypatch.setattr(embedding_module, "_TEXTS_AT_ONCE", 2)
    monkeypatch.setattr(embedding_module, "_SECONDS_BETWEEN_WRITES", seconds)
    written: list[int] = []
    original = vector_files.write_vectors

    def counting(files: Any, *arguments: Any) -> Any:
        written.append(len(files))
        return original(files, *arguments)

    monkeypatch.setattr(embedding_module, "write_vectors", counting)
    assert lab.embed().state is JobState.SUCCEEDED
    lab.assert_whole()
    assert written == [1] * writes


def _wait_until_taken(lab: EmbeddingLab, job_id: str) -> None:
    from tests.waiting import wait_until

    requests = lab.workspace.layout.job(job_id).requests
    wait_until(lambda: not list(requests.glob("cancel.json")), seconds=10, what="the request is answered")


def test_a_document_that_changes_meanwhile_gets_no_vectors_of_before(
    lab: EmbeddingLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new version that comes while the model works is left to the next job; the old texts are not put next to it."""
    original = StaticBackend.vectors
    changed = threading.Event()

    def changing(self: StaticBackend, texts: Any) -> Any:
        if any("rain gauge" in text for text in texts) and not changed.is_set():
            changed.set()
            thread = threading.Thread(target=lab.put, args=("rain.md", "Nothing but apple.\n"))
            thread.start()
            thread.join()
        return original(self, texts)

    monkeypatch.setattr(StaticBackend, "vectors", changing)
    job = lab.embed()
    assert job.state is JobState.SUCCEEDED
    assert job.counters.listed_accounted_for == job.counters.descriptors_listed
    assert lab.embed().counters.items_embedded == 1
    lab.assert_whole()


def test_a_file_of_vectors_that_cannot_be_written_fails_the_job(
    lab: EmbeddingLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that fails is a failure of the job, which leaves no half file behind; a retry does it."""

    def failing(*_arguments: Any) -> Any:
        raise StoreError("the store is not as it must be")

    with monkeypatch.context() as patched:
        patched.setattr(embedding_module, "write_vectors", failing)
        job = lab.embed()
        assert (job.state, job.errors[-1].code) == (JobState.FAILED, "store")
    assert lab.digests_on_disk() == set()
    assert lab.run(retry_job(lab.workspace, job.job_id).job_id).state is JobState.SUCCEEDED
    lab.assert_whole()


def test_rows_of_chunks_that_are_no_more_do_not_pile_up(lab: EmbeddingLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once most of what search reads is of old versions, it is made again from what is next to the documents."""
    monkeypatch.setattr(embedding_module, "_FEW_ROWS", 0)
    for number in range(12):
        lab.put("rain.md", f"A rain gauge and water {'fox ' * number}.\n")
        lab.embed()
    rows = lab.rows()
    assert rows is not None
    assert rows.state.rows <= 2 * len(lab.chunks()) + 1
    lab.assert_whole()


def test_nothing_is_loaded_or_asked_where_nothing_is_due(lab: EmbeddingLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model is opened with the first text that needs it."""
    lab.embed()
    monkeypatch.setattr(static_module, "ModelFolder", None)
    assert lab.embed().state is JobState.SUCCEEDED


def test_what_means_nothing_is_not_counted_as_embedded_again(lab: EmbeddingLab) -> None:
    """A document with one chunk that the model knows nothing of is unchanged when a job looks at it again."""
    lab.put("half", "rain gauge " * 200 + "\n\n" + "zzz " * 500)
    lab.embed()
    again = lab.embed(everything=True).counters
    assert (again.items_embedded, again.items_skipped_incremental) == (0, again.descriptors_listed)
