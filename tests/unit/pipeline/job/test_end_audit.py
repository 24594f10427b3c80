"""The audit log has how a job ended that a person has queued, next to who queued it."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.model.errors import IngestError
from ingest_tui.model.job import JobState, Manifest
from ingest_tui.pipeline.job import run as run_job_module
from ingest_tui.services.collections.preferences import rechunk_collection
from ingest_tui.services.documents.upload_files import file_from
from ingest_tui.services.documents.uploads import upload_files
from ingest_tui.services.jobs.jobs import cancel_job
from ingest_tui.store.records.audit import AuditLog
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.engine import fail_before_it_began
from ingest_tui.worker.submit import submit_rechunking
from tests.faults.crash_lab import KILLER, new_workspace, quicken, run_queue, sync


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A workspace with a source of no files."""
    quicken(monkeypatch)
    workspace = new_workspace(tmp_path / "workspace", tmp_path / "docs")
    yield workspace
    workspace.close()


def upload(workspace: Workspace, *contents: str) -> Manifest:
    files = [file_from(BytesIO(content.encode()), f"{number}.md") for number, content in enumerate(contents)]
    return upload_files(workspace, files)


def endings(workspace: Workspace) -> list[dict[str, Any]]:
    return [line for line in workspace.audit.entries() if line["action"] == "job.end"]


def test_an_upload_that_went_well(workspace: Workspace) -> None:
    """Its end names the job, who asked for it, and what came of it."""
    queued = upload(workspace, "heron", "otter")
    assert endings(workspace) == []
    run_queue(workspace)
    [line] = endings(workspace)
    assert (line["target"], line["by"], line["outcome"]) == (queued.job_id, queued.requested_by, "done")
    assert line["at"] == workspace.jobs.load(queued.job_id).finished_at
    counters = line["details"].pop("counters")
    assert line["details"] == {"kind": "upload", "collection": "default"}
    assert counters["items_ingested"] == 2
    assert "items_failed" not in counters


def test_an_upload_of_which_a_part_was_not_taken_in(workspace: Workspace) -> None:
    """It ended in part, and its counters say of how many files."""
    upload(workspace, "heron", KILLER)
    run_queue(workspace)
    [line] = endings(workspace)
    assert (line["outcome"], line["details"]["counters"]["items_failed"]) == ("partial", 1)


def test_an_upload_that_failed(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is there."""

    def fail(*_arguments: object, **_options: object) -> None:
        raise IngestError("it cannot be")

    monkeypatch.setattr(run_job_module, "_run_steps", fail)
    upload(workspace, "heron")
    run_queue(workspace)
    [line] = endings(workspace)
    assert (line["outcome"], line["details"]["reason"]) == ("failed", "it cannot be")


def test_a_job_that_cannot_begin(workspace: Workspace) -> None:
    """It has an end all the same."""
    queued = upload(workspace, "heron")
    fail_before_it_began(workspace, queued, IngestError("its collection is gone"))
    [line] = endings(workspace)
    assert (line["outcome"], line["details"]["reason"]) == ("failed", "its collection is gone")


@pytest.mark.slow
def test_jobs_that_a_person_has_queued_have_an_end(workspace: Workspace) -> None:
    """Cutting a collection again on request has one; what follows from a sync by itself has none, nor has a sync."""
    sync(workspace)
    submit_rechunking(workspace, "default", trigger="sync", by="a job")
    run_queue(workspace)
    assert endings(workspace) == []
    queued = rechunk_collection(workspace, "default")
    run_queue(workspace)
    [line] = endings(workspace)
    assert (line["target"], line["details"]["kind"], line["outcome"]) == (queued.job_id, "rechunk", "done")


def test_a_job_that_is_cancelled_while_it_waits_has_the_line_of_that(workspace: Workspace) -> None:
    """It never ran: who cancelled it is how it ended."""
    cancel_job(workspace, upload(workspace, "heron").job_id)
    assert [line["action"] for line in workspace.audit.entries()][-1] == "job.cancel"


def test_a_job_ends_where_the_audit_cannot_be_written(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job is what counts; its log says that the line is missing."""
    queued = upload(workspace, "heron")

    def fail(*_arguments: object, **_values: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(AuditLog, "add", fail)
    run_queue(workspace)
    assert workspace.jobs.load(queued.job_id).state is JobState.SUCCEEDED
    assert "the end of the job is not in it" in workspace.jobs.paths(queued.job_id).log.read_text()
