"""What is being embedded is not removed, and documents and sources show how far their embedding is."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.embedding.base import TextRefusedError
from ingest_tui.embedding.static import StaticBackend
from ingest_tui.model.errors import BusyError
from ingest_tui.model.job import JobState, Manifest
from ingest_tui.model.source import Source
from ingest_tui.pipeline.embed import embedding as embedding_module
from ingest_tui.services.client import Client
from ingest_tui.services.collections.page import list_pages
from ingest_tui.services.documents.documents import list_documents, remove_documents
from ingest_tui.services.documents.search import vectors_missing
from ingest_tui.services.embedding import enqueue_embedding
from ingest_tui.services.embedding_states import (
    states_in_next_generation,
    states_of_documents,
    states_of_sources,
)
from ingest_tui.services.generations import Scope, discard_generation, reembed
from ingest_tui.services.jobs.jobs import cancel_job, pause_job, resume_job
from ingest_tui.services.jobs.source_claims import WaitPolicy
from ingest_tui.services.overview import overview
from ingest_tui.services.sources.sources import remove_source
from ingest_tui.services.verify.repair import verify_and_repair
from ingest_tui.services.verify.verify import VerifyScope
from ingest_tui.store.vector_rows import ENTRIES
from ingest_tui.store.workspace import Workspace, open_workspace_at
from ingest_tui.tui.views.documents.document_query import DocumentQuery
from ingest_tui.tui.views.documents.document_search import search_answers
from ingest_tui.worker.submit import submit_sync
from tests.unit.pipeline.embed.embedding_lab import EmbeddingLab


@pytest.fixture
def lab(tmp_path: Path) -> EmbeddingLab:
    """A source with three documents that nobody has embedded yet."""
    lab = EmbeddingLab(tmp_path, is_automatic=False)
    folder = tmp_path / "docs"
    folder.mkdir()
    for name in ("fox", "leave", "rain"):
        (folder / f"{name}.md").write_text(f"# {name}\n\nThe lazy {name} and water.\n")
    source = Source(source_id="docs", name="Docs", source_type="local", source_config={"path": str(folder)})
    lab.workspace.sources.save(source)
    lab.run(submit_sync(lab.workspace, source, trigger="manual", by="test").job_id)
    return lab


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch, lab: EmbeddingLab) -> Callable[[Callable[[Workspace], object]], None]:
    """Have something done once, by somebody else, after the first document was embedded and while the model works."""
    monkeypatch.setattr(embedding_module, "_DOCUMENTS_AT_ONCE", 1)

    def do(action: Callable[[Workspace], object]) -> None:
        original, calls = StaticBackend.vectors, 0

        def acting(self: StaticBackend, texts: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == 3:  # the probe was the first, the first document the second
                other = open_workspace_at(lab.workspace.root)
                action(other)
                other.close()
            return original(self, texts)

        monkeypatch.setattr(StaticBackend, "vectors", acting)

    return do


def states(workspace: Workspace) -> list[str]:
    """Return the states of all documents, sorted."""
    return sorted(states_of_documents(workspace, list_documents(workspace)).values())


def waiting(workspace: Workspace) -> int | None:
    """Return how many documents the overview says are to be embedded."""
    return next(one.to_embed for one in overview(workspace).collections if one.collection_id == "default")


def of_source(workspace: Workspace) -> str:
    """Return the state of the source."""
    return states_of_sources(workspace, workspace.sources.all())["docs"]


@pytest.mark.parametrize("builds", [False, True], ids=["embed", "reembed"])
def test_what_is_being_embedded_is_not_removed(
    lab: EmbeddingLab, meanwhile: Callable[[Callable[[Workspace], object]], None], *, builds: bool
) -> None:
    """Neither by itself nor with its source, naming the job; what has its vectors already is, and so is all later."""
    if builds:
        lab.embed()
        manifest = reembed(lab.workspace, Scope("default"))
    else:
        manifest = enqueue_embedding(lab.workspace, "default")
    ids = sorted(document.document_id for document in list_documents(lab.workspace))
    refusals: list[str] = []

    def remove(workspace: Workspace) -> None:
        attempts: list[Callable[[], object]] = [
            lambda: remove_documents(workspace, [ids[1]]),
            lambda: remove_documents(workspace, ids),
            lambda: remove_source(workspace, "docs"),
        ]
        for attempt in attempts:
            with pytest.raises(BusyError, match=f"job {manifest.job_id} embeds documents") as caught:
                attempt()
            refusals.append(caught.value.hint)
        assert remove_documents(workspace, [ids[0]]) == 1

    meanwhile(remove)
    assert lab.run(manifest.job_id).state is JobState.SUCCEEDED
    assert len(refusals) == 3
    assert all("--wait" in hint and f"job cancel {manifest.job_id}" in hint for hint in refusals)
    assert remove_documents(lab.workspace, ids[1:]) == 2


def test_who_waits_removes_it_when_the_job_has_ended(
    lab: EmbeddingLab, meanwhile: Callable[[Callable[[Workspace], object]], None]
) -> None:
    """With a wait policy the call reports the job that it waits for, and removes the document after it."""
    manifest = enqueue_embedding(lab.workspace, "default")
    [document_id, *_] = sorted((one.document_id for one in list_documents(lab.workspace)), reverse=True)
    reported = threading.Event()
    waited_for: list[Manifest] = []
    removed: list[int] = []

    def report(job: Manifest) -> None:
        waited_for.append(job)
        reported.set()

    def remove() -> None:
        workspace = open_workspace_at(lab.workspace.root)
        removed.append(remove_documents(workspace, [document_id], wait_policy=WaitPolicy(60, report)))
        workspace.close()

    thread = threading.Thread(target=remove)

    def begin(_workspace: Workspace) -> None:
        thread.start()
        assert reported.wait(30)

    meanwhile(begin)
    assert lab.run(manifest.job_id).state is JobState.SUCCEEDED
    thread.join(30)
    assert (removed, [job.job_id for job in waited_for]) == ([1], [manifest.job_id])


def test_documents_and_sources_show_how_far_they_are(
    lab: EmbeddingLab, meanwhile: Callable[[Callable[[Workspace], object]], None]
) -> None:
    """Nothing asked for, queued, running, done; changed since; cancelled; and the collection without an embedder."""
    workspace = lab.workspace
    assert (states(workspace), of_source(workspace)) == (["", "", ""], "")
    assert waiting(workspace) == 3
    manifest = enqueue_embedding(workspace, "default")
    assert (states(workspace), of_source(workspace)) == (["queued"] * 3, "queued")
    pause_job(workspace, manifest.job_id)
    assert (states(workspace), of_source(workspace)) == (["running"] * 3, "running")
    resume_job(workspace, manifest.job_id)
    seen: list[Any] = []
    meanwhile(lambda other: seen.append((states(other), of_source(other))))
    lab.run(manifest.job_id)
    assert seen == [(["running", "running", "succeeded"], "running")]
    assert (states(workspace), of_source(workspace)) == (["succeeded"] * 3, "succeeded")
    assert waiting(workspace) == 0
    [first, *_] = list_documents(workspace)
    assert Client(workspace.root).documents.embedding(first.document_id) == "succeeded"
    (lab.root / "docs" / "fox.md").write_text("Another fox, and an apple.\n")
    lab.run(submit_sync(workspace, workspace.sources.get("docs"), trigger="manual", by="test").job_id)
    assert (states(workspace), of_source(workspace)) == (["", "succeeded", "succeeded"], "")
    assert waiting(workspace) == 1
    cancel_job(workspace, enqueue_embedding(workspace, "default").job_id)
    assert (states(workspace), of_source(workspace)) == (["cancelled", "succeeded", "succeeded"], "cancelled")
    lab.embed()
    assert of_source(workspace) == "succeeded"


def test_what_failed_is_shown_where_it_failed(lab: EmbeddingLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document of which a chunk was refused, its source, and all that a job has not come to."""
    original = StaticBackend.vectors

    def picky(self: StaticBackend, texts: Any) -> Any:
        if any("lazy fox" in text for text in texts):
            raise TextRefusedError("no foxes here")
        return original(self, texts)

    with monkeypatch.context() as patched:
        patched.setattr(StaticBackend, "vectors", picky)
        assert lab.embed().state is JobState.PARTIAL
    assert states(lab.workspace) == ["failed", "succeeded", "succeeded"]
    assert of_source(lab.workspace) == "failed"
    assert lab.embed(everything=True).state is JobState.SUCCEEDED
    assert states(lab.workspace) == ["succeeded"] * 3
    (lab.root / "docs" / "new.md").write_text("Apple and pear.\n")
    lab.run(submit_sync(lab.workspace, lab.workspace.sources.get("docs"), trigger="manual", by="test").job_id)
    shutil.rmtree(lab.model)
    assert lab.embed().state is JobState.FAILED
    assert states(lab.workspace) == ["failed", "succeeded", "succeeded", "succeeded"]
    assert of_source(lab.workspace) == "failed"


def test_a_search_names_the_vectors_that_are_missing(lab: EmbeddingLab) -> None:
    """None is missing of what is embedded; of what came later its own are, after a repair of the rows all of them."""
    workspace, client = lab.workspace, Client(lab.workspace.root)

    def missing() -> list[str]:
        return [str(one) for one in vectors_missing(workspace)]

    lacks = "of collection 'default' {} missing, and a search by meaning does not find {}"
    several, makes = lacks.format("are", "them"), "'ingest-tui embed default' makes"
    assert missing() == [f"vectors of 3 chunks {several}: {makes} them"]
    lab.embed()
    assert missing() == []
    lab.put("new", "# New\n\nA new fox.\n")
    assert missing() == [f"the vector of 1 chunk {lacks.format('is', 'it')}: {makes} it"]
    assert vectors_missing(workspace, "text") == vectors_missing(workspace, query="type:md") == []
    assert vectors_missing(workspace, query="fox type:md")
    *_, filtered = search_answers(client, "type:md", DocumentQuery(), lambda: False)
    assert (bool(filtered.hits), filtered.remarks) == (True, ())
    (lab.folder / ENTRIES).unlink()
    list(verify_and_repair(workspace, VerifyScope()))
    [queued] = workspace.jobs.waiting()
    assert missing() == [f"vectors of 4 chunks {several}: job {queued.job_id} (queued) makes them"]
    *_, answer = search_answers(client, "fox ", DocumentQuery(), lambda: False)
    assert (len(answer.hits), answer.remarks) == (2, tuple(missing()))
    lab.run(queued.job_id)
    assert missing() == []
    *_, answer = search_answers(client, "fox ", DocumentQuery(), lambda: False)
    assert answer.remarks == ()


def test_the_next_vectors_have_states_of_their_own(
    lab: EmbeddingLab, meanwhile: Callable[[Callable[[Workspace], object]], None]
) -> None:
    """While another generation is built each source and document says how far it is there; those that answer stay."""
    workspace = lab.workspace
    lab.embed()
    assert states_in_next_generation(workspace, "default") == {}
    job = reembed(workspace, Scope("default"), switches=False)
    lab.run(job.job_id)
    assert states_in_next_generation(workspace, "default") == {"docs": "succeeded"}
    (lab.root / "docs" / "new.md").write_text("Apple and pear.\n")
    lab.run(submit_sync(workspace, workspace.sources.get("docs"), trigger="manual", by="test").job_id)
    assert states_in_next_generation(workspace, "default") == {"docs": "queued"}
    discard_generation(workspace, "default")
    assert states_in_next_generation(workspace, "default") == {}

    def look(other: Workspace) -> None:
        rows = list_documents(other)
        next_ones = states_of_documents(other, rows, in_next=True)
        seen.append((states_in_next_generation(other, "default"), sorted(next_ones.values())))

    seen: list[Any] = []
    meanwhile(look)
    lab.run(reembed(workspace, Scope("default"), switches=False).job_id)
    assert seen == [({"docs": "running"}, ["running"] * 3 + ["succeeded"])]
    [page] = list_pages(workspace)
    assert [(one.source_id, one.documents, one.next_embedding) for one in page.sources] == [("docs", 4, "succeeded")]
    assert [str(one.state) for one in page.generations][-1] == "ready"


@pytest.mark.parametrize(("end", "state"), [("cancelled", "cancelled"), ("failed", "failed"), ("partial", "failed")])
def test_a_build_that_ended_early_says_how(lab: EmbeddingLab, end: str, state: str) -> None:
    """What a job that builds vectors did not come to is at what the job is at."""
    workspace = lab.workspace
    lab.embed()
    job = lab.run(reembed(workspace, Scope("default"), switches=False).job_id)
    (lab.root / "docs" / "new.md").write_text("Apple and pear.\n")
    lab.run(submit_sync(workspace, workspace.sources.get("docs"), trigger="manual", by="test").job_id)
    workspace.jobs.save(job.model_copy(update={"state": JobState(end)}))
    assert states_in_next_generation(workspace, "default") == {"docs": state}
    assert state in states_of_documents(workspace, list_documents(workspace), in_next=True).values()
