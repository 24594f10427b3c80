"""Preferences that cut documents otherwise: said beforehand, done from the stored text, each document at once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest_tui import IngestedDocument, open_workspace
from ingest_tui.model.errors import ValidationError
from ingest_tui.model.job import RECHUNK, JobState, Manifest
from ingest_tui.pipeline.job.run import run_job
from ingest_tui.pipeline.rechunk import RECHUNKED
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.collections.collections import add_collection
from ingest_tui.services.collections.preferences import (
    plan_preferences,
    preview_chunks,
    rechunk_collection,
    save_preferences,
    unknown_columns,
)
from ingest_tui.services.documents.documents import document_chunks, document_versions, ingestion_record, made_by
from ingest_tui.services.documents.pruning import versions_to_prune
from ingest_tui.services.documents.rollback import roll_back_document
from ingest_tui.services.documents.upload_files import file_at
from ingest_tui.services.documents.uploads import upload_files
from ingest_tui.services.jobs.jobs import job_items, list_jobs, retry_job
from ingest_tui.services.workers import follow_job
from ingest_tui.services.workspaces import rebuild
from ingest_tui.store.change import StoreWriter

SENTENCES = " ".join(f"Sentence number {number} is about rain and snow." for number in range(40))
REPORT = f"A report. {SENTENCES}"
SMALL = {"chunk_size": 300}


@pytest.fixture
def handle(tmp_path: Path) -> Iterator[WorkspaceHandle]:
    """A workspace with a long and a short file of a source, and the same long text in another collection."""
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "long.txt").write_text(SENTENCES)
    (folder / "short.txt").write_text("A short one about hail.")
    with open_workspace(tmp_path / "workspace") as opened:
        add_collection(opened.workspace, "other")
        opened.add_source("docs", path=str(folder))
        opened.sync("docs")
        opened.register("other", IngestedDocument(content=SENTENCES, unique_id="other", source_type="api"))
        yield opened


def named(handle: WorkspaceHandle, name: str) -> Any:
    return next(one for one in handle.documents if one.uri.endswith(name))


def chunks(handle: WorkspaceHandle, name: str) -> list[str]:
    return [one.text for one in document_chunks(handle.workspace, named(handle, name).document_id)]


def run(handle: WorkspaceHandle, job: Manifest | None) -> Manifest:
    assert job is not None
    return follow_job(handle.workspace, job.job_id, lambda _manifest: None, run_here=True)


def queued(handle: WorkspaceHandle, **values: Any) -> Manifest:
    saved = save_preferences(handle.workspace, plan_preferences(handle.workspace, "default", values))
    assert saved.job is not None
    return saved.job


def test_a_change_says_what_it_touches_and_saves_nothing_yet(handle: WorkspaceHandle) -> None:
    """Only what decides chunks re-chunks; the words say how many documents, and that nothing is fetched."""
    workspace = handle.workspace
    assert plan_preferences(workspace, "default", SMALL).in_words == "re-chunks 2 documents, nothing is fetched"
    assert plan_preferences(workspace, "other", SMALL).in_words == "re-chunks 1 document, nothing is fetched"
    assert plan_preferences(workspace, "default", {"embed": "manual"}).rechunks == 0
    assert workspace.collections.get("default").preferences.chunk_size is None
    with pytest.raises(ValidationError, match="tokenizer"):
        plan_preferences(workspace, "default", {"chunk_unit": "tokens", "tokenizer": "/nowhere/tokenizer.json"})


def test_documents_are_cut_again_without_their_source(handle: WorkspaceHandle) -> None:
    """The source is gone, and still each document whose chunks come out otherwise has a version with the new ones."""
    shutil.rmtree(handle.workspace.root.parent / "docs")
    before = named(handle, "long.txt")
    other = [(hit.chunk_id, hit.text) for hit in handle.search("snow", collection_id="other", all_chunks=True)]

    ended = run(handle, queued(handle, **SMALL))

    assert (ended.kind, ended.state) == (RECHUNK, JobState.SUCCEEDED)
    assert (ended.counters.items_ingested, ended.counters.items_skipped_incremental) == (1, 1)
    assert [outcome.reason for outcome, _depth in job_items(handle.workspace, ended.job_id)] == [RECHUNKED]
    after = named(handle, "long.txt")
    assert (after.version, named(handle, "short.txt").version) == (before.version + 1, 1)
    assert after.content_hash == before.content_hash
    texts = chunks(handle, "long.txt")
    assert max(map(len, texts)) <= 300
    assert len(texts) == after.chunks > before.chunks
    record = ingestion_record(handle.workspace, after.document_id)
    assert (record["chunking"]["size"], record["chunks"], record["rechunked_from"]) == (300, after.chunks, 1)
    assert [one["version"] for one in document_versions(handle.workspace, after.document_id)] == [2, 1]
    assert {hit.version for hit in handle.search("snow", collection_id="default")} == {2}
    hits = handle.search("snow", collection_id="other", all_chunks=True)
    assert [(hit.chunk_id, hit.text) for hit in hits] == other


def test_a_rebuild_and_a_sync_find_what_was_cut_again(handle: WorkspaceHandle) -> None:
    """The folders say the same as the catalogue, and the source has nothing new: no version is made by either."""
    run(handle, queued(handle, **SMALL))
    before = named(handle, "long.txt"), chunks(handle, "long.txt")

    assert not rebuild(handle.workspace).problems
    assert handle.sync("docs").counters.items_skipped_incremental == 2
    handle.sync("docs", force=True)

    assert (named(handle, "long.txt")._replace(updated_at=""), chunks(handle, "long.txt")) == (
        before[0]._replace(updated_at=""),
        before[1],
    )


def test_old_chunks_answer_until_a_killed_attempt_was_resumed(
    handle: WorkspaceHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that fails in the middle of its commit leaves the old chunks; a retry cuts what is left."""
    before = chunks(handle, "long.txt")

    def fail(*_arguments: object) -> None:
        raise RuntimeError("in the middle")

    job = queued(handle, **SMALL)
    with monkeypatch.context() as patched:
        patched.setattr(StoreWriter, "_write_rows", fail)
        assert run(handle, job).state == JobState.FAILED
    assert chunks(handle, "long.txt") == before
    assert not rebuild(handle.workspace).problems

    ended = run(handle, retry_job(handle.workspace, job.job_id))

    assert ended.state == JobState.SUCCEEDED
    assert max(map(len, chunks(handle, "long.txt"))) <= 300


def test_a_lost_line_is_written_by_the_next_attempt(handle: WorkspaceHandle) -> None:
    """A document that a job has committed without its line in the journal is cut once, and has its line."""
    job = queued(handle, **SMALL)
    run(handle, job)
    workspace, document = handle.workspace, named(handle, "long.txt")
    workspace.jobs.paths(job.job_id).outcomes.write_bytes(b"")
    again = workspace.jobs.load(job.job_id).model_copy(update={"state": JobState.INTERRUPTED})
    workspace.jobs.save(again)
    workspace.layout.queue_entry(job.job_id).touch()

    ended = run(handle, again)

    assert named(handle, "long.txt") == document
    assert [outcome.document_id for outcome, _depth in job_items(workspace, ended.job_id)] == [document.document_id]


def test_a_damaged_text_is_a_failure_of_its_document(handle: WorkspaceHandle) -> None:
    """The others are cut, and the damaged one keeps what answers for it."""
    workspace, damaged = handle.workspace, named(handle, "short.txt")
    folder = workspace.document_store.folder("default", damaged.document_id, 1)
    (folder / "normalized.md").write_text("something else")

    ended = run(handle, queued(handle, **SMALL))

    assert ended.state == JobState.PARTIAL
    assert (ended.counters.items_ingested, ended.counters.items_failed) == (1, 1)
    assert handle.search("hail")[0].version == 1


def test_one_waiting_job_is_enough(handle: WorkspaceHandle) -> None:
    """Changes after one another are cut once, by what is chosen when the job begins."""
    first = queued(handle, **SMALL)
    assert queued(handle, chunk_size=600).job_id == first.job_id
    assert rechunk_collection(handle.workspace, "default").job_id == first.job_id
    run(handle, first)
    assert 300 < max(map(len, chunks(handle, "long.txt"))) <= 600


def test_a_sync_that_began_before_a_change_is_followed_by_cutting(
    handle: WorkspaceHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a job has cut by the rules it began with does not stay so."""

    def change_meanwhile(job: Any) -> Manifest:
        if job.manifest.kind == "sync":
            change = plan_preferences(handle.workspace, "default", SMALL)
            handle.workspace.collections.save(change.after, change.before)
        return run_job(job)

    (handle.workspace.root.parent / "docs" / "new.txt").write_text(f"{SENTENCES} And a new one.")
    monkeypatch.setattr("ingest_tui.worker.engine.run_job", change_meanwhile)
    handle.sync("docs")

    waiting = [job for job in list_jobs(handle.workspace) if job.kind == RECHUNK]
    assert len(waiting) == 1
    run(handle, waiting[0])
    assert max(map(len, chunks(handle, "new.txt"))) <= 300


def test_a_preview_shows_chunks_and_keeps_nothing(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """Of a document by its address, and of a file that is none, by the rules that would be saved."""
    workspace = handle.workspace
    change = plan_preferences(workspace, "default", SMALL)
    file = tmp_path / "unknown.txt"
    file.write_text(SENTENCES)

    shown = [one.text for one in preview_chunks(workspace, change, named(handle, "long.txt").uri)]

    assert max(map(len, shown)) <= 300
    assert [one.text for one in preview_chunks(workspace, change, str(file))] == shown
    assert chunks(handle, "long.txt") != shown
    run(handle, save_preferences(workspace, change).job)
    assert chunks(handle, "long.txt") == shown


def test_python_sets_preferences_and_waits(handle: WorkspaceHandle) -> None:
    """The API takes values as they are, returns what is in force, and the documents are cut when it returns."""
    seen: list[str] = []
    chosen = handle.set_preferences(chunk_size=300, text_columns=("a", "b"), progress=lambda job: seen.append(job.kind))

    assert (chosen.chunk_size, chosen.text_columns) == (300, ("a", "b"))
    assert set(seen) == {RECHUNK}
    assert max(map(len, chunks(handle, "long.txt"))) <= 300
    assert handle.set_preferences(unset=["chunk_size"]).chunk_size is None
    assert handle.preferences("other").chunk_size is None
    actions = [line["action"] for line in handle.workspace.audit.entries()]
    assert actions.count("collection.prefs") == actions.count("job.rechunk") == 2


def test_a_preview_prefers_the_document_of_its_collection(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """Where the same file is in two collections, the preview is of the one whose preferences are looked at."""
    report = tmp_path / "report.txt"
    for collection, text in (("default", "of the default"), ("other", "of the other")):
        report.write_text(text)
        run(handle, upload_files(handle.workspace, [file_at(report)], collection_id=collection))
    change = plan_preferences(handle.workspace, "other", {})
    assert [one.text for one in preview_chunks(handle.workspace, change, str(report))] == ["of the other"]


def test_columns_that_no_table_has_are_named(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """A misspelt column is reported, where there is a table that could have it."""
    workspace = handle.workspace
    typed = {"text_columns": "City, cty", "context_columns": "people"}
    assert unknown_columns(workspace, plan_preferences(workspace, "default", typed)) == []
    (tmp_path / "docs" / "cities.csv").write_text("City,people\nBern,134\n")
    handle.sync("docs")
    assert unknown_columns(workspace, plan_preferences(workspace, "default", typed)) == ["cty"]
    assert unknown_columns(workspace, plan_preferences(workspace, "default", SMALL)) == []


def uploaded(handle: WorkspaceHandle, text: str, label: str = "") -> None:
    path = handle.workspace.root.parent / "report.txt"
    path.write_text(text)
    assert handle.upload(path, label=label).state == JobState.SUCCEEDED


def test_versions_say_what_made_them_and_keep_their_labels(handle: WorkspaceHandle) -> None:
    """A rollback and a re-chunk of it are told apart, what a person called the content is kept, and so is the way back.

    A rollback to a version that was cut again is a rollback.
    """
    uploaded(handle, REPORT, label="approved")
    uploaded(handle, f"{REPORT} And hail.")
    document_id = named(handle, "report.txt").document_id
    roll_back_document(handle.workspace, document_id)
    job = queued(handle, **SMALL)
    run(handle, job)
    uploaded(handle, "Only snow.", label="short")
    roll_back_document(handle.workspace, document_id, 4)

    versions = document_versions(handle.workspace, document_id)

    assert [(one["version"], one["version_label"]) for one in versions] == [
        (6, "approved"),
        (5, "short"),
        (4, "approved"),
        (3, "approved"),
        (2, "report.txt (version 2)"),
        (1, "approved"),
    ]
    assert [made_by(one) for one in versions] == [
        "rollback from v5 to v4",
        f"job {versions[1]['job_id']}",
        f"job {job.job_id}, v3 cut again",
        "rollback from v2 to v1",
        f"job {versions[4]['job_id']}",
        f"job {versions[5]['job_id']}",
    ]
    assert [(one["rolled_back"], one["rechunked_from"]) for one in versions[2:4]] == [
        (None, 3),
        ({"from": 2, "to": 1}, None),
    ]


def test_the_way_back_from_a_rollback_is_kept_after_a_rechunk(handle: WorkspaceHandle) -> None:
    """What was left by going back, and what it went back to, are not let go because chunks were made again."""
    uploaded(handle, REPORT)
    uploaded(handle, f"{REPORT} And hail.")
    document_id = named(handle, "report.txt").document_id
    roll_back_document(handle.workspace, document_id)
    run(handle, queued(handle, **SMALL, keep_versions=1))
    assert versions_to_prune(handle.workspace, [document_id]) == []
