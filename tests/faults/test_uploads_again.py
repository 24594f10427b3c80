"""What a failed upload has left staged can be taken in again: the files may be nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui.model.errors import IngestError, UsageError
from ingest_tui.model.job import JobState, Manifest
from ingest_tui.pipeline.job import run as run_job_module
from ingest_tui.services.documents.uploads import upload_files
from ingest_tui.services.jobs.jobs import retry_job
from ingest_tui.store.catalogue.queries import search_text
from ingest_tui.store.verify import verify_store
from ingest_tui.store.workspace import Workspace, init_workspace
from tests.faults.crash_lab import leftovers_of, quicken, run_queue

pytestmark = pytest.mark.slow


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A workspace without sources."""
    quicken(monkeypatch)
    workspace, _ = init_workspace(tmp_path / "workspace")
    yield workspace
    workspace.close()


@pytest.fixture
def failed(workspace: Workspace, tmp_path: Path) -> Manifest:
    """An upload of two files, since removed, that failed before it took any of them in."""

    def fail(*_arguments: object, **_options: object) -> None:
        raise IngestError("it cannot be")

    paths = [tmp_path / "a letter.md", tmp_path / "b"]
    for path in paths:
        path.write_text(f"# {path.stem}\n\nThe weather in {path.stem}.\n")
    manifest = upload_files(workspace, paths)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(run_job_module, "_run_steps", fail)
        run_queue(workspace)
    for path in paths:
        path.unlink()
    manifest = workspace.jobs.load(manifest.job_id)
    assert manifest.state is JobState.FAILED
    return manifest


def test_a_failed_upload_is_taken_in_by_its_retry(workspace: Workspace, failed: Manifest) -> None:
    """Each file is found, at the address it was uploaded from; the failed job keeps nothing then."""
    retried = retry_job(workspace, failed.job_id)
    run_queue(workspace)
    assert workspace.jobs.load(retried.job_id).counters.items_ingested == 2
    hits = search_text(workspace.catalogue, "weather")
    assert {hit.uri.rpartition("/")[2] for hit in hits} == {"a%20letter.md", "b"}
    assert verify_store(workspace.layout, workspace.catalogue, deep=True) == []
    assert leftovers_of(workspace.root) == []
    with pytest.raises(UsageError, match="nothing of upload"):
        retry_job(workspace, failed.job_id)


def test_without_a_plan_the_files_stay_where_they_are(workspace: Workspace, failed: Manifest) -> None:
    """Nobody knows then what they are: the refusal names the folder."""
    paths = workspace.jobs.paths(failed.job_id)
    paths.plan.write_bytes(paths.plan.read_bytes()[:-20])
    with pytest.raises(UsageError) as caught:
        retry_job(workspace, failed.job_id)
    assert str(paths.staging) in caught.value.hint
    assert len(list(paths.staging.iterdir())) == 2
