"""Schedules in a workspace: what is queued, what is remembered, where the next run is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.cli.main import run
from ingest_tui.model.clock import utc_now
from ingest_tui.services.sources.health import list_sources
from ingest_tui.services.sources.sources import edit_source, remove_source, set_enabled
from ingest_tui.store.jobs import JobStore
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.schedules import Schedules, next_run
from tests.faults.crash_lab import new_workspace, quicken, run_queue

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A workspace whose one source is synced every 15 minutes."""
    quicken(monkeypatch)
    opened = new_workspace(tmp_path / "ws", tmp_path / "docs")
    edit_source(opened, "docs", schedule={"every": "15m"})
    yield opened
    opened.close()


class Worker:
    """Looks at the schedules by a clock that is set."""

    def __init__(self, workspace: Workspace) -> None:
        self.now = NOON
        self.events: list[dict[str, Any]] = []
        self.schedules = Schedules(
            workspace, lambda _message, fields: self.events.append(fields), clock=lambda: self.now
        )

    def after(self, minutes: float) -> int:
        """Return how many syncs were queued since the last look."""
        self.now += timedelta(minutes=minutes)
        before = len(self.events)
        self.schedules.step()
        return len(self.events) - before


def test_a_due_schedule_queues_one_sync(workspace: Workspace) -> None:
    """It is queued when it is due, once; while it waits the next one joins it, also over a restart of the worker."""
    worker = Worker(workspace)
    assert [worker.after(minutes) for minutes in (0, 14, 1, 1)] == [0, 0, 1, 0]
    [job_id] = workspace.jobs.queued_ids()
    assert workspace.jobs.load(job_id).trigger == "schedule"
    assert worker.after(15) == 0
    run_queue(workspace)
    other = Worker(workspace)
    other.now = worker.now
    assert [other.after(minutes) for minutes in (0, 120, 1)] == [0, 1, 0]


def test_a_disabled_source_waits(workspace: Workspace) -> None:
    """Nothing is queued while the source is disabled; when it is enabled, what was missed is made up once."""
    worker = Worker(workspace)
    worker.after(0)
    set_enabled(workspace, "docs", enabled=False)
    assert worker.after(60) == 0
    assert next_run(workspace, workspace.sources.get("docs")) is None
    set_enabled(workspace, "docs", enabled=True)
    assert [worker.after(1), worker.after(1)] == [1, 0]


def test_a_removed_source_leaves_no_mark(workspace: Workspace) -> None:
    """A source that is added again under the name has nothing to make up."""
    Worker(workspace).after(0)
    assert workspace.schedule_marks.get("docs") is not None
    remove_source(workspace, "docs")
    assert workspace.schedule_marks.get("docs") is None


def test_one_source_that_fails_keeps_no_other(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be queued is raised for the supervisor after the others were, and is due again at the next look."""
    other = workspace.sources.get("docs").model_copy(update={"source_id": "zoo", "name": "zoo", "revision": 0})
    workspace.sources.add(other)
    worker = Worker(workspace)
    worker.after(0)
    create = JobStore.create

    def refusing(store: JobStore, manifest: Any) -> None:
        if manifest.source_id == "docs":
            raise OSError("the disk is away")
        create(store, manifest)

    with monkeypatch.context() as patched:
        patched.setattr(JobStore, "create", refusing)
        with pytest.raises(OSError, match="away"):
            worker.after(15)
    assert [fields["source"] for fields in worker.events] == ["zoo"]
    assert worker.after(1) == 1


def test_a_damaged_mark_counts_from_now_on(workspace: Workspace) -> None:
    """A mark that cannot be read is as none."""
    worker = Worker(workspace)
    worker.after(0)
    workspace.layout.schedule_mark("docs").write_text("{")
    assert [worker.after(60), worker.after(15)] == [0, 1]


def test_the_next_run_is_shown_in_lists(workspace: Workspace) -> None:
    """The list of sources has the time of the next run, as words and as RFC 3339, also before a worker has looked."""
    [summary] = list_sources(workspace)
    assert summary.next_run_at is not None
    at = datetime.fromisoformat(summary.next_run_at)
    assert timedelta(minutes=13) < at - utc_now() <= timedelta(minutes=15)
    assert summary.next_run == at.strftime("%m-%d %H:%MZ")


def test_options_set_and_clear_a_schedule(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """`source edit` and `source add` take a schedule, `source show` has it and its next run; what is wrong is said."""
    root = ["--workspace", str(workspace.root)]

    def call(*arguments: str, code: int = 0) -> str:
        assert run([*root, *arguments]) == code
        shown = capsys.readouterr()
        return shown.out + shown.err

    call("source", "edit", "docs", "--cron", "30 6 * * MON-FRI", "--tz", "Europe/Berlin", "--jitter", "2m")
    assert "cron 30 6 * * MON-FRI Europe/Berlin, jitter 2m" in call("source", "show", "docs")
    shown = json.loads(call("source", "show", "docs", "--json"))
    assert shown["schedule"]["every"] == ""
    assert shown["next_run_at"]
    assert json.loads(call("source", "list", "--json"))[0]["next_run_at"]
    assert "bad hour" in call("source", "edit", "docs", "--cron", "0 25 * * *", code=2)
    adding = ("source", "add", "local", "more", "--path", str(workspace.root.parent / "docs"))
    assert "no schedule" in call(*adding, "--jitter", "2m", code=2)
    call(*adding, "--every", "6h")
    assert workspace.sources.get("more").schedule is not None
    call("source", "edit", "docs", "--every", "")
    assert workspace.sources.get("docs").schedule is None
    assert json.loads(call("source", "show", "docs", "--json"))["next_run_at"] is None
