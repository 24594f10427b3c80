"""How often the manifest of a running job is written, and what is in it when much goes wrong."""

from __future__ import annotations

import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest

from ingest_tui import open_workspace
from ingest_tui.model.job import Manifest
from ingest_tui.services.jobs.jobs import job_items
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.jobs import JobStore


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, bool]]:
    """When a manifest was replaced (monotonic seconds) and whether it was for more than progress."""
    moments: list[tuple[float, bool]] = []
    save = JobStore.save

    def noting(self: JobStore, manifest: Manifest, *, durable: bool = True) -> None:
        moments.append((time.monotonic(), durable))
        save(self, manifest, durable=durable)

    monkeypatch.setattr(JobStore, "save", noting)
    return moments


def test_manifest_is_written_four_times_a_second_and_at_changes(
    tmp_path: Path, written: list[tuple[float, bool]]
) -> None:
    """A job of two seconds writes its progress every quarter of a second, and its state a fixed number of times."""
    (tmp_path / "docs").mkdir()
    for number in range(200):
        (tmp_path / "docs" / f"{number}.txt").write_text(f"words of number{number}")
    with open_workspace(tmp_path / "ws") as handle:
        handle.add_source("docs", path=str(tmp_path / "docs"))
        commits = FileLock(handle.workspace.layout.lock("commit"))
        commits.acquire(1.0, what="it")
        threading.Timer(2.0, commits.release).start()
        manifest = handle.sync("docs")
        assert manifest.state == "succeeded"
    progress = [moment for moment, durable in written if not durable]
    assert len(progress) >= 5
    assert min(later - earlier for earlier, later in pairwise(progress)) > 0.24
    assert len([moment for moment, durable in written if durable]) <= 8


def test_a_job_without_work_waits_for_its_manifest_four_times(
    tmp_path: Path, written: list[tuple[float, bool]]
) -> None:
    """It begins, lists, has its plan, and ends: what is known then is on the disk, and nothing is written twice."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_text("words")
    with open_workspace(tmp_path / "ws") as handle:
        handle.add_source("docs", path=str(tmp_path / "docs"))
        handle.sync("docs")
        written.clear()
        assert handle.sync("docs").counters.items_skipped_incremental == 1
    assert len([moment for moment, durable in written if durable]) == 4


@pytest.mark.slow
def test_manifest_of_a_job_that_fails_throughout_stays_small(tmp_path: Path) -> None:
    """Of hundreds of failed items with long names the manifest keeps the last ones, the outcomes keep all."""
    (tmp_path / "docs").mkdir()
    for number in range(300):
        (tmp_path / "docs" / f"{number:03}-{'long name ' * 20}.docx").write_bytes(b"PK\x03\x04 torn")
    with open_workspace(tmp_path / "ws") as handle:
        handle.add_source("docs", path=str(tmp_path / "docs"))
        manifest = handle.sync("docs")
        assert (manifest.errors_total, manifest.counters.items_failed) == (300, 300)
        assert handle.workspace.jobs.paths(manifest.job_id).manifest.stat().st_size < 32_000
        assert 0 < len(manifest.errors) <= 50
        told = [outcome.uri for outcome, _ in job_items(handle.workspace, manifest.job_id, outcomes={"failed"})]
        assert len(told) == 300
        assert max(map(len, told)) > 200
