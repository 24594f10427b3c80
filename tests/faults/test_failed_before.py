"""Bytes that cannot be read are fetched once: again only when they, the settings, the parsers or a person say so."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui.connectors.local.connector import LocalConnector
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.errors import ItemError
from ingest_tui.model.job import JobState, Manifest
from ingest_tui.pipeline.plan import rules as plan_rules
from ingest_tui.services.documents.explain import explain
from ingest_tui.services.jobs.error_inbox import list_open_issues, retry_issues
from ingest_tui.services.jobs.jobs import get_job, job_items, retry_job
from ingest_tui.services.sources.sources import edit_source
from ingest_tui.store.catalogue.queries import find_documents
from ingest_tui.store.workspace import Workspace
from tests.faults.crash_lab import UNREADABLE, new_workspace, quicken, run_queue, sync

pytestmark = pytest.mark.slow

BROKEN = UNREADABLE.encode()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    quicken(monkeypatch)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A folder with a good and a broken file, synced once."""
    folder = tmp_path / "source"
    workspace = new_workspace(tmp_path / "ws", folder)
    (folder / "good.md").write_text("# good\n\nThe weather.\n")
    (folder / "broken.pdf").write_bytes(BROKEN)
    first = sync(workspace)
    assert (first.state, first.counters.items_failed) == (JobState.PARTIAL, 1)
    yield workspace
    workspace.close()


def seen(job: Manifest) -> tuple[int, int, int]:
    """Return how many items were fetched, skipped and failed, once the counters have been added up."""
    counters = job.counters
    assert counters.descriptors_listed == counters.listed_accounted_for
    return counters.items_fetched, counters.items_skipped_incremental, counters.items_failed


def test_an_unchanged_broken_file_is_passed_over(workspace: Workspace) -> None:
    """It is skipped with its reason, alone makes no job partial, and stays among the errors and explained."""
    for _ in range(2):
        job = sync(workspace)
        assert (job.state, seen(job)) == (JobState.SUCCEEDED, (0, 2, 0))
        reasons = {outcome.key: outcome.reason for outcome, _ in job_items(workspace, job.job_id)}
        assert reasons == {"good.md": "same_fingerprint", "broken.pdf": "failed_before"}
    assert [(one.key, one.reason) for one in list_open_issues(workspace)] == [("broken.pdf", "malformed")]
    story = explain(workspace, workspace.sources.get("docs").source_config["path"] + "/broken.pdf")
    assert not story.here
    assert "malformed" in " ".join(story.lines())


def test_other_bytes_are_tried(workspace: Workspace, tmp_path: Path) -> None:
    """A file that was written again is fetched, whether it is still broken or not."""
    path = tmp_path / "source" / "broken.pdf"
    path.write_bytes(BROKEN + b" still")
    assert seen(sync(workspace)) == (1, 1, 1)
    path.write_text("a text by now, whatever its name says\n")
    assert seen(sync(workspace))[0] == 1


def test_other_settings_or_parsers_try_again(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """What decides how it is read has changed: it may be readable now."""
    edit_source(workspace, "docs", max_size="40MB")
    assert seen(sync(workspace)) == (1, 1, 1)
    assert seen(sync(workspace)) == (0, 2, 0)
    monkeypatch.setattr(plan_rules, "versions", lambda: "newer")
    assert seen(sync(workspace)) == (1, 1, 1)
    assert seen(sync(workspace)) == (0, 2, 0)


def test_a_person_has_it_tried_again(workspace: Workspace) -> None:
    """By --force, by a retry of a job that passed it over, and by the list of errors."""
    assert sync(workspace, force=True).counters.items_failed == 1
    passed_over = sync(workspace)
    asked = [
        retry_job(workspace, passed_over.job_id, failed_only=True).job_id,
        *retry_issues(workspace, list_open_issues(workspace)).jobs,
    ]
    run_queue(workspace)
    for job_id in asked:
        job = get_job(workspace, job_id)
        assert (job.counters.items_fetched, job.counters.items_failed) == (1, 1)
    assert seen(sync(workspace)) == (0, 2, 0)


def test_what_may_pass_is_tried_by_each_sync(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that could not be had says nothing about its bytes, whatever the reason is called."""
    (tmp_path / "source" / "new.md").write_text("# new\n\nThe weather.\n")
    genuine = LocalConnector.fetch

    @contextlib.contextmanager
    def locked(self: LocalConnector, descriptor: Descriptor, offset: int = 0) -> Iterator[Iterator[bytes]]:
        if descriptor.key == "new.md":
            raise ItemError("somebody has it open", hint="", code="malformed")
        with genuine(self, descriptor, offset) as pieces:
            yield pieces

    with monkeypatch.context() as patched:
        patched.setattr(LocalConnector, "fetch", locked)
        for _ in range(2):
            assert sync(workspace).counters.items_failed == 1
    assert sync(workspace).counters.items_ingested == 1


def test_a_broken_edit_keeps_its_document_and_is_read_once(workspace: Workspace, tmp_path: Path) -> None:
    """The last good version stays searchable, and stays when its file is passed over."""
    path = tmp_path / "source" / "page.pdf"
    path.write_text("a text, whatever its name says\n")
    sync(workspace)
    here = {document.key for document in find_documents(workspace.catalogue)}
    path.write_bytes(BROKEN + b" too")
    assert seen(sync(workspace)) == (1, 2, 1)
    job = sync(workspace)
    assert (job.state, seen(job)) == (JobState.SUCCEEDED, (0, 3, 0))
    assert {document.key for document in find_documents(workspace.catalogue)} == here
