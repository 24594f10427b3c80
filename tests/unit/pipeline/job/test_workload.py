"""What remains to be done is known from types and bytes."""

from __future__ import annotations

import pytest

from ingest_tui.model.job import Manifest
from ingest_tui.pipeline.job.progress import ProgressMeter
from ingest_tui.pipeline.job.workload import Workload


def test_a_large_pdf_is_more_than_many_notes() -> None:
    """By count a hundredth is left, by work nearly everything."""
    workload = Workload()
    for number in range(99):
        workload.add(f"{number}.txt", 1000)
    workload.add("report.pdf", 30_000_000)
    for number in range(99):
        workload.done(f"{number}.txt", 1000, 0.2)
    assert workload.remaining > 20 * workload.spent


def test_guesses_are_corrected_by_what_was_seen() -> None:
    """When the files of a type take ten times the guess, those that are left will too; other types are not touched."""
    workload = Workload()
    for number in range(4):
        workload.add(f"{number}.pdf", 300_000)
        workload.add(f"{number}.txt", 3_000)
    guess = workload.remaining
    text_guess = 4 * (0.15 + 3_000 / 30_000)
    workload.done("0.pdf", 300_000, 10 * (4.0 + 300_000 / 30_000))
    assert workload.remaining == pytest.approx(10 * 0.75 * (guess - text_guess) + text_guess)


def test_a_far_source_costs_its_bytes_too() -> None:
    """Fetching is part of the work where the source is remote."""
    near, far = Workload(), Workload(is_remote=True)
    for workload in (near, far):
        workload.add("a.txt", 50_000_000)
    assert far.remaining > near.remaining


def manifest_of(total: int) -> Manifest:
    """Return a manifest that is committing."""
    manifest = Manifest(job_id="j", source_id="s", collection_id="c", created_at="", updated_at="")
    manifest.phases["commit"].total = total
    return manifest


def test_the_eta_follows_the_work_and_not_the_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """After 99 of 100 files in ten seconds, most of the work is to come, and the ETA says so."""
    clock = [100.0]
    monkeypatch.setattr("ingest_tui.pipeline.job.progress.time.monotonic", lambda: clock[0])
    manifest = manifest_of(100)
    meter = ProgressMeter(manifest)
    for number in range(99):
        meter.workload.add(f"{number}.txt", 3000)
    meter.workload.add("large.txt", 3000 * 99 * 20)
    meter.tick()
    for number in range(99):
        clock[0] += 0.1
        meter.advance("commit", 1, 3000)
        meter.workload.done(f"{number}.txt", 3000, 0.25)
        meter.tick()
    assert manifest.progress.eta_seconds is not None
    assert 60 < manifest.progress.eta_seconds < 400
    assert manifest.progress.percent < 20
    assert manifest.progress.items_per_second == pytest.approx(10.0, abs=0.5)


def test_waiting_for_the_source_is_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the time in which somebody waited for the source counts as throttled."""
    clock = [0.0]
    monkeypatch.setattr("ingest_tui.pipeline.job.progress.time.monotonic", lambda: clock[0])
    manifest = manifest_of(10)
    meter = ProgressMeter(manifest)
    for waiting in (False, True, True, False):
        clock[0] += 0.5
        meter.tick(waiting=waiting)
    assert manifest.progress.throttled_seconds == pytest.approx(1.0)
