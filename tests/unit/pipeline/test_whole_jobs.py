"""Whole jobs in this process, with a connector that misbehaves as told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest_tui import open_workspace
from ingest_tui.connectors import resilience
from ingest_tui.connectors.local.connector import LocalConnector
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.errors import SourceAccessError, TransientSourceError, ValidationError
from ingest_tui.model.job import Manifest
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.jobs.jobs import enqueue_sync, job_items, job_plan
from ingest_tui.services.sources.sources import edit_source
from ingest_tui.services.workers import follow_job
from ingest_tui.transport.retrying import RetryPolicy


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[WorkspaceHandle]:
    """A workspace with one source of six files."""
    docs = tmp_path / "docs"
    docs.mkdir()
    for number in range(6):
        (docs / f"{number}.txt").write_text(f"common number{number}")
    with open_workspace(tmp_path / "ws") as handle:
        handle.add_source("docs", path=str(docs))
        yield handle


def accounted(manifest: Manifest) -> bool:
    """Tell whether every listed item has an outcome."""
    return manifest.counters.descriptors_listed == manifest.counters.listed_accounted_for


def test_an_unchanged_source_is_never_fetched(workspace: WorkspaceHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second sync calls fetch for nothing, and the plan gives the reason for each item."""
    workspace.sync("docs")

    def forbidden(_self: LocalConnector, descriptor: Descriptor, _offset: int = 0) -> None:
        raise AssertionError(descriptor.key)

    monkeypatch.setattr(LocalConnector, "fetch", forbidden)
    manifest = workspace.sync("docs")
    assert (manifest.state, manifest.counters.items_skipped_incremental) == ("succeeded", 6)
    lines = list(job_plan(workspace.workspace, manifest.job_id))
    assert {(line.action, line.reason) for line in lines} == {("skip", "same_fingerprint")}


def test_a_file_that_changes_while_it_is_read_is_tried_again(
    workspace: WorkspaceHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that grows under the reader fails as changed_while_read, nothing torn is kept, the next sync takes it."""
    genuine = LocalConnector.fetch
    grown = tmp_path / "docs" / "3.txt"

    @contextmanager
    def growing(self: LocalConnector, descriptor: Descriptor, offset: int = 0) -> Iterator[Iterator[bytes]]:
        with genuine(self, descriptor, offset) as pieces:
            if descriptor.key == "3.txt":
                grown.write_text("common number3 and more than before")
            yield pieces

    monkeypatch.setattr(LocalConnector, "fetch", growing)
    manifest = workspace.sync("docs")
    assert (manifest.state, manifest.counters.items_failed) == ("partial", 1)
    assert accounted(manifest)
    [failed] = [outcome for outcome, _ in job_items(workspace.workspace, manifest.job_id, outcomes={"failed"})]
    assert (failed.key, failed.reason) == ("3.txt", "changed_while_read")
    monkeypatch.undo()
    again = workspace.sync("docs")
    assert (again.state, again.counters.items_fetched, again.counters.items_ingested) == ("succeeded", 1, 1)
    assert len(workspace.search("more than before")) == 1


def test_a_file_that_vanishes_between_listing_and_reading(
    workspace: WorkspaceHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file gone after the listing fails as not_found; the next sync just does not list it."""
    genuine = LocalConnector.fetch

    def vanishing(self: LocalConnector, descriptor: Descriptor, offset: int = 0) -> object:
        (tmp_path / "docs" / "2.txt").unlink(missing_ok=True)
        return genuine(self, descriptor, offset)

    monkeypatch.setattr(LocalConnector, "fetch", vanishing)
    manifest = workspace.sync("docs")
    assert manifest.counters.items_failed == 1
    assert manifest.errors[0].code == "not_found"
    assert accounted(manifest)
    again = workspace.sync("docs")
    assert (again.state, again.counters.items_skipped_incremental, again.counters.items_retired) == ("succeeded", 5, 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    "error", [SourceAccessError("the share is gone", hint="mount it"), TransientSourceError("busy")]
)
def test_a_source_that_fails_for_some_items_fails_these(
    workspace: WorkspaceHandle, monkeypatch: pytest.MonkeyPatch, error: SourceAccessError
) -> None:
    """What the source refuses to give fails with its words, the rest is taken, and a later sync completes it."""
    monkeypatch.setattr(resilience, "POLICY", RetryPolicy(attempts=2, first_wait=0.01))
    genuine = LocalConnector.fetch
    fetched: list[str] = []

    def failing(self: LocalConnector, descriptor: Descriptor, offset: int = 0) -> object:
        fetched.append(descriptor.key)
        if len(fetched) > 3:
            raise error
        return genuine(self, descriptor, offset)

    monkeypatch.setattr(LocalConnector, "fetch", failing)
    manifest = workspace.sync("docs")
    assert (manifest.state, manifest.counters.items_ingested, manifest.counters.items_failed) == ("partial", 3, 3)
    assert manifest.errors[-1].message == error.message
    assert accounted(manifest)
    monkeypatch.undo()
    again = workspace.sync("docs")
    assert again.state == "succeeded"
    assert accounted(again)
    assert len(workspace.documents) == 6


def test_an_unforeseen_error_fails_the_job(workspace: WorkspaceHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug of our own ends the job as failed instead of leaving it to be claimed for ever."""
    polls: list[str] = []

    def broken(*_arguments: object, **_options: object) -> None:
        raise RuntimeError("a bug")

    def impatient(manifest: Manifest) -> None:
        polls.append(manifest.state)
        if len(polls) > 60:
            raise TimeoutError("the job never ends")

    monkeypatch.setattr("ingest_tui.pipeline.job.run.extract_item", broken)
    monkeypatch.setattr("threading.excepthook", lambda _details: None)
    queued = enqueue_sync(workspace.workspace, "docs")
    manifest = follow_job(workspace.workspace, queued.job_id, impatient, run_here=True, poll=0.05)
    assert (manifest.state, manifest.errors[-1].code) == ("failed", "error")
    assert manifest.attempt <= 5


def test_a_listing_that_is_cut_short_retires_nothing(
    workspace: WorkspaceHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listing that ends early, or raises, keeps every document that it did not name."""
    workspace.sync("docs")
    (tmp_path / "docs" / "0.txt").unlink()

    def cut_short(_self: LocalConnector, _cursor: str | None = None) -> Iterator[object]:
        raise SourceAccessError("the share went away")
        yield

    monkeypatch.setattr(LocalConnector, "list", cut_short)
    assert workspace.sync("docs").state == "failed"
    assert len(workspace.search("common")) == 6


@pytest.mark.slow
def test_what_is_older_than_its_source_is_not_taken(workspace: WorkspaceHandle, tmp_path: Path) -> None:
    """With --since, what was last changed before that day is rejected unread, and taken once the day is changed."""
    old = tmp_path / "docs" / "0.txt"
    os.utime(old, (1_600_000_000, 1_600_000_000))
    edit_source(workspace.workspace, "docs", since="2026-01-01")
    manifest = workspace.sync("docs")
    assert (manifest.counters.items_ingested, manifest.counters.items_rejected) == (5, 1)
    [rejected] = [outcome for outcome, _ in job_items(workspace.workspace, manifest.job_id, outcomes={"rejected"})]
    assert (rejected.key, rejected.reason) == ("0.txt", "too_old")
    assert "2026-01-01" in rejected.detail
    edit_source(workspace.workspace, "docs", since=None)
    assert workspace.sync("docs").counters.items_ingested == 1
    with pytest.raises(ValidationError, match="since"):
        edit_source(workspace.workspace, "docs", since="yesterday")
