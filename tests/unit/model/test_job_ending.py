"""A manifest whose job has stopped, paused or ended says so throughout."""

from __future__ import annotations

import pytest

from ingest_tui.model.job import JobState, Manifest, Phase

AT = "2026-11-21T12:00:00.000Z"


def running() -> Manifest:
    """A job in the middle of its work."""
    manifest = Manifest(job_id="j", source_id="s", collection_id="default", created_at=AT, updated_at=AT)
    manifest.move_to(JobState.QUEUED, at=AT, by="user@host")
    manifest.move_to(JobState.RUNNING, at=AT, by="worker")
    manifest.phases["list"] = Phase(state="done", done=3, total=3, started_at=AT, finished_at=AT)
    manifest.phases["extract"] = Phase(state="running", done=1, total=3, started_at=AT)
    manifest.progress.eta_seconds = 9.0
    return manifest


@pytest.mark.parametrize("state", [JobState.CANCELLED, JobState.FAILED])
def test_no_phase_runs_on_when_the_job_has_ended(state: JobState) -> None:
    """The one that ran is stopped, at the time when the job ended; what was done stays done."""
    manifest = running()
    manifest.move_to(state, at="2026-11-21T12:00:05.000Z", by="worker")
    assert {name: phase.state for name, phase in manifest.phases.items() if phase.state != "pending"} == {
        "list": "done",
        "extract": "stopped",
    }
    assert manifest.phases["extract"].finished_at == "2026-11-21T12:00:05.000Z"


@pytest.mark.parametrize("state", [JobState.PAUSED, JobState.INTERRUPTED, JobState.CANCELLED])
def test_what_does_not_run_has_no_time_left(state: JobState) -> None:
    """A time that is left is told of a job that comes closer to its end."""
    manifest = running()
    manifest.move_to(state, at=AT, by="worker")
    assert manifest.progress.eta_seconds is None
    assert manifest.phases["extract"].state == ("stopped" if manifest.ended else "running")
