"""Pruning a workspace: what goes, what stays, and when a worker does it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.model.clock import utc_now
from ingest_tui.model.errors import BusyError
from ingest_tui.model.job import HeldDeletions, Manifest
from ingest_tui.pipeline.workspace_prune import PruneKind, find_prunable, prune
from ingest_tui.services.documents.documents import document_versions
from ingest_tui.services.documents.rollback import roll_back_document
from ingest_tui.services.verify.verify import VerifyScope, verify
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.records.prune_note import PruneNote, read_prune_note, write_prune_note
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.daily_prune import DailyPrune
from tests.faults.crash_lab import new_workspace, queue_sync, quicken, sync


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A workspace over an empty folder, whose jobs run in this process."""
    quicken(monkeypatch)
    opened = new_workspace(tmp_path / "ws", tmp_path / "docs")
    yield opened
    opened.close()


def write(workspace: Workspace, text: str, name: str = "a.md") -> None:
    (workspace.root.parent / "docs" / name).write_text(text)


def names(workspace: Workspace, kind: PruneKind, now: datetime | None = None) -> list[str]:
    return [one.name for one in find_prunable(workspace, kinds=[kind], now=now)]


def in_days(number: int) -> datetime:
    return utc_now() + timedelta(days=number)


def set_retention(workspace: Workspace, **values: Any) -> None:
    workspace.settings = workspace.settings.model_copy(update=values)


def test_jobs_go_by_age_and_the_newest_of_a_source_stay(workspace: Workspace) -> None:
    """Old jobs go but for the newest ones, that of the last look, and one that cannot be read; the audit names them."""
    jobs = [sync(workspace).job_id for _ in range(4)]
    set_retention(workspace, job_days=7, keep_jobs=2)
    assert names(workspace, "jobs") == []
    found = list(find_prunable(workspace, kinds=["jobs"], now=in_days(8)))
    assert [one.name for one in found] == [jobs[1], jobs[0]]
    assert all(one.bytes > 0 for one in found)
    report = prune(workspace, found)
    assert (report.items["jobs"], report.total_bytes) == (2, sum(one.bytes for one in found))
    assert workspace.jobs.ids() == [jobs[3], jobs[2]]
    assert list(workspace.audit.entries())[-1]["details"]["jobs"] == [jobs[1], jobs[0]]
    assert not list(workspace.root.glob(".tmp.*"))
    workspace.jobs.paths(jobs[2]).manifest.write_text("damaged")
    set_retention(workspace, job_days=0, keep_jobs=1)
    assert names(workspace, "jobs", in_days(8)) == []


def test_a_job_that_changes_after_it_was_chosen_stays(workspace: Workspace) -> None:
    """What somebody works on, or what was written since, is not deleted by a prune that chose it before."""
    jobs = [sync(workspace).job_id for _ in range(3)]
    set_retention(workspace, job_days=0, keep_jobs=1)
    found = list(find_prunable(workspace, kinds=["jobs"], now=in_days(1)))
    assert [one.name for one in found] == [jobs[1], jobs[0]]
    workspace.jobs.save(workspace.jobs.load(jobs[0]))
    lock = workspace.jobs.lock(jobs[1])
    assert lock.try_acquire()
    with lock:
        assert prune(workspace, found).total_items == 0
    assert sorted(workspace.jobs.ids()) == jobs


def hold(workspace: Workspace, job_id: str) -> Manifest:
    manifest = workspace.jobs.load(job_id)
    manifest.held = HeldDeletions(documents=3, known=4, reason="many")
    workspace.jobs.save(manifest)
    return manifest


def test_jobs_with_held_deletions_stay_until_they_need_no_answer(workspace: Workspace) -> None:
    """A job that waits for a person stays while it is that of the last look, and goes when a later job asks instead."""
    first = sync(workspace).job_id
    hold(workspace, first)
    set_retention(workspace, job_days=0, keep_jobs=1)
    look = workspace.looks.get("docs")
    later = sync(workspace).job_id
    workspace.looks.save(look)
    assert names(workspace, "jobs", in_days(1)) == []
    workspace.looks.save(look.model_copy(update={"job_id": later}))
    assert names(workspace, "jobs", in_days(1)) == [first]


def test_a_job_that_a_waiting_one_names_stays(workspace: Workspace) -> None:
    """A sync that approves deletions or retries a job still needs what that job has written."""
    old = [sync(workspace).job_id for _ in range(3)]
    set_retention(workspace, job_days=0, keep_jobs=1)
    queue_sync(workspace, approves=old[1])
    assert names(workspace, "jobs", in_days(1)) == [old[0]]


def test_logs_and_leftovers_of_ended_jobs_go(workspace: Workspace) -> None:
    """Logs go by an age of their own, what an ended job left staged goes at once; the job itself stays."""
    job_id = sync(workspace).job_id
    paths = workspace.jobs.paths(job_id)
    (paths.staging / "left").mkdir()
    (paths.staging / "left" / "raw.md").write_text("left")
    assert names(workspace, "staging") == [job_id]
    assert names(workspace, "logs", in_days(1000)) == []
    set_retention(workspace, job_log_days=7)
    report = prune(workspace, list(find_prunable(workspace, now=in_days(8))))
    assert (report.items["staging"], report.items["logs"], report.bytes["staging"]) == (1, 1, 4)
    assert workspace.jobs.ids() == [job_id]
    assert not paths.log.exists()
    assert list(paths.staging.iterdir()) == []


def versions(workspace: Workspace) -> list[int]:
    [document] = workspace.reading.select_documents("WHERE state = 'active'", ())
    return [int(one["version"]) for one in document_versions(workspace, document.document_id)]


def test_versions_go_also_of_documents_that_did_not_change(workspace: Workspace) -> None:
    """Earlier versions go by the policy that is in force now, whatever it was when they were made."""
    for number in range(4):
        write(workspace, f"heron {number}")
        sync(workspace)
    set_retention(workspace, version_days=7)
    assert names(workspace, "versions") == []
    set_retention(workspace, version_days=7, keep_versions=2)
    report = prune(workspace, list(find_prunable(workspace, kinds=["versions"], now=in_days(8))))
    assert report.items["versions"] == 2
    assert versions(workspace) == [4, 3]


def test_what_a_rollback_names_and_the_last_good_version_stay(workspace: Workspace) -> None:
    """The versions that the current one was made from and left stay, and all where the current one is damaged."""
    for number in range(4):
        write(workspace, f"heron {number}")
        sync(workspace)
    [document] = workspace.reading.select_documents("WHERE state = 'active'", ())
    set_retention(workspace, version_days=0)
    roll_back_document(workspace, document.document_id, 2)
    assert [name[-2:] for name in names(workspace, "versions", in_days(1))] == ["v3", "v1"]
    newest = workspace.layout.version("default", document.document_id, 5)
    (newest / "normalized.md").unlink()
    assert names(workspace, "versions", in_days(1)) == []


def test_overdue_documents_of_the_trash_go(workspace: Workspace) -> None:
    """What is in the trash for longer than trash_days is found, with its size, and deleted."""
    write(workspace, "heron")
    write(workspace, "otter", "b.md")
    sync(workspace)
    (workspace.root.parent / "docs" / "a.md").unlink()
    sync(workspace)
    assert names(workspace, "trash") == []
    found = list(find_prunable(workspace, kinds=["trash"], now=in_days(31)))
    assert [one.bytes > 0 for one in found] == [True]
    assert prune(workspace, found).items["trash"] == 1
    assert not list(workspace.layout.trash.rglob("v*"))


def test_a_pruned_workspace_is_consistent(workspace: Workspace) -> None:
    """Nothing that refers to what was pruned is found wrong, also after a worker has left its notes."""
    for number in range(3):
        write(workspace, f"heron {number}")
        write(workspace, f"otter {number}", "b.md")
        sync(workspace)
    (workspace.root.parent / "docs" / "a.md").unlink()
    sync(workspace)
    set_retention(workspace, job_days=0, keep_jobs=1, keep_versions=1, job_log_days=0, trash_days=0)
    report = prune(workspace, list(find_prunable(workspace, now=in_days(1))))
    assert report.items == {"trash": 1, "versions": 2, "jobs": 3, "logs": 1, "staging": 0}
    Days(workspace).after(hours=1)
    assert list(verify(workspace, VerifyScope(deep=True))) == []


def test_one_prune_runs_at_a_time(workspace: Workspace) -> None:
    """A second prune is refused while one runs."""
    lock = FileLock(workspace.layout.lock("prune"))
    assert lock.try_acquire()
    with lock, pytest.raises(BusyError):
        prune(workspace, [])


class Days:
    """A worker's prune, looked at from day to day by a clock that is set."""

    def __init__(self, workspace: Workspace) -> None:
        self.events: list[dict[str, Any]] = []
        self.busy = False
        self.workspace = workspace
        self.now = utc_now()

    def after(self, **passed: float) -> PruneNote | None:
        self.now += timedelta(**passed)
        worker = DailyPrune(self.workspace, lambda _message, fields: self.events.append(fields), lambda: self.busy)
        worker.step(self.now)
        return read_prune_note(self.workspace.layout)


def test_a_worker_prunes_once_a_day(workspace: Workspace) -> None:
    """It prunes at the first look and a day later, but for the trash, and reports what went."""
    for _ in range(3):
        sync(workspace)
    set_retention(workspace, job_days=1, keep_jobs=1)
    clock = Days(workspace)
    first = clock.after(hours=1)
    assert first is not None
    assert clock.events == []
    assert clock.after(hours=22) == first
    second = clock.after(hours=3)
    assert second is not None
    assert (second.items, len(clock.events), len(workspace.jobs.ids())) == (2, 1, 1)


def test_jobs_put_a_prune_off_for_two_days_at_most(workspace: Workspace) -> None:
    """While jobs run or wait nothing is pruned; after two more days it is all the same."""
    clock = Days(workspace)
    first = clock.after(hours=1)
    clock.busy = True
    for _ in range(3):
        assert clock.after(hours=23) == first
    assert clock.after(hours=23) != first


def test_a_clock_that_jumps_prunes_nothing(workspace: Workspace) -> None:
    """After a jump forward by years nothing goes until the clock was steady for a day."""
    for _ in range(3):
        sync(workspace)
    set_retention(workspace, job_days=30, keep_jobs=1)
    clock = Days(workspace)
    clock.after(hours=1)
    for hours in (24 * 900, 8, 8):
        clock.after(hours=hours)
        assert len(workspace.jobs.ids()) == 3
    clock.after(hours=9)
    assert len(workspace.jobs.ids()) == 1


def test_a_prune_stops_between_batches(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that is queued meanwhile gets its turn: the rest waits for the next time."""
    monkeypatch.setattr("ingest_tui.pipeline.workspace_prune._BATCH", 1)
    for _ in range(4):
        sync(workspace)
    set_retention(workspace, job_days=0, keep_jobs=1)
    found = list(find_prunable(workspace, kinds=["jobs"], now=in_days(1)))
    report = prune(workspace, found, should_stop=lambda: len(workspace.jobs.ids()) < 4)
    assert (report.is_complete, report.items["jobs"]) == (False, 1)


def test_a_note_that_cannot_be_read_says_nothing(workspace: Workspace) -> None:
    """A damaged note of the last prune counts as none."""
    write_prune_note(workspace.layout, PruneNote(utc_now(), 3, 5))
    assert read_prune_note(workspace.layout) is not None
    workspace.layout.prune_note.write_text('{"schema_version": 1, "pruned_at": "lately"}')
    assert read_prune_note(workspace.layout) is None
