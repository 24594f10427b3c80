"""A full disk: the job waits, everything stays readable, and it resumes by itself when there is room again."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from ingest_tui.execution import local as local_execution
from ingest_tui.index.full_text import FullText
from ingest_tui.model.errors import DiskFullError
from ingest_tui.model.extraction import ParseResult
from ingest_tui.model.job import Manifest
from ingest_tui.services.documents.uploads import upload_files
from ingest_tui.services.jobs.jobs import cancel_job, pause_job, resume_job
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.listing_scratch import ListingScratch
from ingest_tui.store.catalogue.queries import search_text
from ingest_tui.store.documents import DocumentStore
from ingest_tui.store.fs.atomic import write_all
from ingest_tui.store.fs.disk import DEFAULT_RESERVE_BYTES, Room, room_in
from ingest_tui.store.jobs import JobStore
from ingest_tui.store.records.journal import Journal
from ingest_tui.store.staging import StagingArea
from ingest_tui.store.workspace import Workspace, open_workspace_at
from ingest_tui.worker import engine as engine_module
from tests.faults.crash_lab import leftovers_of, new_workspace, queue_sync, quicken, run_queue, state_of, sync
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

WORDS = ("common", "number1")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with one document taken in, and three more at the source."""
    quicken(monkeypatch)
    workspace = new_workspace(tmp_path / "ws", tmp_path / "docs")
    (tmp_path / "docs" / "0.txt").write_text("common number0")
    sync(workspace)
    for number in (1, 2, 3):
        (tmp_path / "docs" / f"{number}.txt").write_text(f"common number{number}")
    return workspace


class Disk:
    """Stands in for the room on the disk."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_full = True
        monkeypatch.setattr(Workspace, "room", lambda _workspace: Room(0 if self.is_full else 1 << 40, 1000))


def run_aside(workspace: Workspace) -> threading.Thread:
    """Work off the queue in a thread."""
    thread = threading.Thread(target=run_queue, args=(workspace,))
    thread.start()
    return thread


def wait_for(workspace: Workspace, job_id: str, is_so: Callable[[Manifest], bool]) -> Manifest:
    """Return the manifest once it is as wanted."""

    def wanted() -> Manifest | None:
        manifest = workspace.jobs.load(job_id)
        return manifest if is_so(manifest) else None

    found = wait_until(wanted)
    assert found is not None
    return found


def test_a_job_waits_for_room_and_goes_on(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below the reserve nothing is staged, the job is paused with the reason, search answers, then it succeeds."""
    disk = Disk(monkeypatch)
    job_id = queue_sync(workspace).job_id
    worker = run_aside(workspace)
    paused = wait_for(workspace, job_id, lambda manifest: manifest.state == "paused")
    assert paused.transitions[-1].reason == "disk_full"
    assert [hit.uri for hit in search_text(workspace.catalogue, "number0")]
    assert not list(workspace.jobs.paths(job_id).staging.iterdir())
    disk.is_full = False
    worker.join()
    ended = workspace.jobs.load(job_id)
    assert (ended.state, ended.counters.items_ingested) == ("succeeded", 3)
    assert ended.attempt == 1
    assert leftovers_of(workspace.root) == []


def test_a_job_that_waits_goes_on_when_less_is_kept_free(workspace: Workspace) -> None:
    """Who lowers `disk_reserve`, as the hints say, need not end the worker for it."""
    workspace.settings = workspace.settings.model_copy(update={"disk_reserve": 1 << 60})
    job_id = queue_sync(workspace).job_id
    worker = run_aside(workspace)
    wait_for(workspace, job_id, lambda manifest: manifest.waits_for_space)
    smaller = workspace.settings.model_copy(update={"disk_reserve": 1})
    workspace.layout.settings.write_text(smaller.model_dump_json())
    worker.join(20)
    ended = workspace.jobs.load(job_id)
    assert (ended.state, ended.counters.items_ingested) == ("succeeded", 3)


def test_a_job_that_waits_for_room_can_be_cancelled(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelling needs no room."""
    Disk(monkeypatch)
    job_id = queue_sync(workspace).job_id
    worker = run_aside(workspace)
    wait_for(workspace, job_id, lambda manifest: manifest.state == "paused")
    cancel_job(workspace, job_id)
    worker.join(2.0)
    assert workspace.jobs.load(job_id).state == "cancelled"


def test_a_person_can_pause_what_waits_for_room(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause that a person asked for outlasts the full disk, until that person resumes."""
    disk = Disk(monkeypatch)
    job_id = queue_sync(workspace).job_id
    worker = run_aside(workspace)
    wait_for(workspace, job_id, lambda manifest: manifest.waits_for_space)
    pause_job(workspace, job_id)
    wait_for(workspace, job_id, lambda manifest: manifest.transitions[-1].reason == "asked for")
    disk.is_full = False
    wait_until(lambda: "there is room again" in workspace.jobs.paths(job_id).log.read_text())
    assert workspace.jobs.load(job_id).state == "paused"
    resume_job(workspace, job_id)
    worker.join(5.0)
    assert workspace.jobs.load(job_id).state == "succeeded"


def test_the_next_worker_takes_up_what_waits_for_room(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that ends while the disk is full leaves a job that another one continues unasked."""
    disk = Disk(monkeypatch)
    job_id = queue_sync(workspace).job_id
    with engine_module.Engine(workspace) as engine:
        engine.start_ready_jobs()
        wait_for(workspace, job_id, lambda manifest: manifest.waits_for_space)
    assert workspace.jobs.load(job_id).waits_for_space
    disk.is_full = False
    run_queue(workspace)
    assert workspace.jobs.load(job_id).state == "succeeded"


def no_room(*_arguments: Any, **_options: Any) -> Any:
    """Be refused by the system for want of room."""
    raise OSError(28, "No space left on device")


def no_room_for_sqlite(*_arguments: Any, **_options: Any) -> Any:
    """Be refused by SQLite for want of room."""
    raise apsw.FullError


PLACES: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "listing": (ListingScratch, "add", no_room_for_sqlite),
    "plan": (Journal, "append_lines", no_room),
    "staging": (StagingArea, "receive", no_room),
    "record": (DocumentStore, "write_ingestion", no_room),
    "place": (DocumentStore, "place", no_room),
    "sync": (DocumentStore, "sync", no_room),
    "catalogue": (Catalogue, "put_documents", no_room_for_sqlite),
    "chunks": (FullText, "replace", no_room_for_sqlite),
    "manifest": (JobStore, "save", no_room),
}


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("place", PLACES)
def test_wherever_room_runs_out_the_job_goes_on(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, times: int
) -> None:
    """A write that is refused for want of room, at any step, once or several times, changes nothing in the end."""
    undisturbed = tmp_path / "undisturbed"
    shutil.copytree(workspace.root, undisturbed)
    expected_workspace = open_workspace_at(undisturbed)
    sync(expected_workspace)
    owner, method, refusal = PLACES[place]
    genuine = getattr(owner, method)
    refusals: list[int] = []

    def refusing(*arguments: Any, **options: Any) -> Any:
        if len(refusals) < times:
            refusals.append(1)
            return refusal()
        return genuine(*arguments, **options)

    job_id = queue_sync(workspace).job_id
    monkeypatch.setattr(owner, method, refusing)
    run_queue(workspace)
    assert len(refusals) == times
    ended = workspace.jobs.load(job_id)
    assert (ended.state, ended.counters.items_ingested, ended.counters.items_failed) == ("succeeded", 3, 0)
    seen, expected = state_of(workspace.root, WORDS), state_of(undisturbed, WORDS)
    for rows, rows_expected in ((seen.documents, expected.documents), (seen.locations, expected.locations)):
        assert [row | {"job_id": ""} for row in rows] == [row | {"job_id": ""} for row in rows_expected]
    assert (seen.folders, seen.texts, seen.answers) == (expected.folders, expected.texts, expected.answers)
    assert [sorted(rows) for rows in list(seen.outcomes.values())[1:]] == [
        sorted(rows) for rows in list(expected.outcomes.values())[1:]
    ]
    assert leftovers_of(workspace.root) == []


def test_a_parser_without_room_makes_the_job_wait(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document whose text could not be written for want of room is not failed: it is done again with room."""
    pool: Any = vars(local_execution)["ParserPool"]  # whatever it is replaced with
    genuine = pool.submit
    refused: list[str] = []

    def submit(self: Any, task: Any, on_result: Any) -> None:
        if not refused:
            refused.append(task.task_id)
            on_result(ParseResult(task.task_id, "failed", "disk_full", "No space left on device"))
        else:
            genuine(self, task, on_result)

    monkeypatch.setattr(pool, "submit", submit)
    manifest = sync(workspace)
    assert (manifest.state, manifest.counters.items_ingested, manifest.counters.items_failed) == ("succeeded", 3, 0)


def test_an_upload_without_room_is_refused(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Uploading says so at once and leaves nothing behind."""
    Disk(monkeypatch)
    jobs = workspace.jobs.ids()
    with pytest.raises(DiskFullError, match="no room"):
        upload_files(workspace, [tmp_path / "docs" / "1.txt"])
    assert workspace.jobs.ids() == jobs


def test_half_a_journal_line_swallows_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a full disk cut off is passed over, and the next record is whole."""
    from ingest_tui.store.records import journal as journal_module
    from ingest_tui.store.records.journal import read_journal

    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.append([{"n": 1}])

        def half(descriptor: int, data: bytes) -> None:
            os.write(descriptor, data[: len(data) // 2])
            no_room()

        monkeypatch.setattr(journal_module, "write_all", half)
        with pytest.raises(OSError, match="No space"):
            journal.append([{"n": 2}])
        monkeypatch.setattr(journal_module, "write_all", write_all)
        journal.append([{"n": 3}])
    assert [record["n"] for record in read_journal(path)] == [1, 3]


def test_the_reserve_is_500_mb_or_5_percent(tmp_path: Path) -> None:
    """A small disk keeps a twentieth free and at least 8 MB, a large one 500 MB; a setting overrides both."""
    total = shutil.disk_usage(tmp_path).total
    assert room_in(tmp_path).reserve == max(8_000_000, min(DEFAULT_RESERVE_BYTES, int(total * 0.05)))
    assert room_in(tmp_path, 7).reserve == 7
    assert Room(free=100, reserve=40).has(60)
    assert not Room(free=100, reserve=40).has(61)


# A disk that is really full


@pytest.fixture
def small_disk(superuser: None, tmp_path: Path) -> Iterator[Path]:
    """A file system of 32 MB; skipped where none can be mounted."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("nothing may be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True, capture_output=True)


def test_a_disk_that_others_fill_to_the_last_byte(small_disk: Path, tmp_path: Path) -> None:
    """Even then the job says that it is paused, it can be cancelled, and what is there can be read."""
    docs = tmp_path / "docs"
    workspace = new_workspace(small_disk / "ws", docs)
    (docs / "0.txt").write_text("common number0")
    sync(workspace)
    (docs / "1.txt").write_text("common number1")
    job_id = queue_sync(workspace).job_id
    fill_to_the_last_byte(small_disk)
    with a_worker(workspace):
        wait_for(workspace, job_id, lambda manifest: manifest.waits_for_space)
        assert search_text(workspace.catalogue, "number0")
        cancel_job(workspace, job_id)
        wait_for(workspace, job_id, lambda manifest: manifest.state == "cancelled")


def fill_to_the_last_byte(folder: Path) -> None:
    """Write until the system refuses."""
    with (folder / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while filler.write(b"x" * 4096):
            pass


@pytest.mark.parametrize("reserve", [None, 0])
def test_a_disk_that_is_really_full(small_disk: Path, tmp_path: Path, reserve: int | None) -> None:
    """A worker process on a 32 MB disk with 30 MB to take in waits, survives kill -9, and ends once there is room.

    With a reserve of 0 the writes themselves are refused.
    """
    docs = tmp_path / "docs"
    docs.mkdir()
    for number in range(60):
        line = f"common number{number} " + "filler words to take up room. " * 30 + "\n"
        (docs / f"{number:02}.txt").write_text(line * (500_000 // len(line)))
    workspace = new_workspace(small_disk / "ws", docs)
    if reserve is not None:
        settings = workspace.settings.model_copy(update={"disk_reserve": reserve})
        workspace.layout.settings.write_text(settings.model_dump_json())
    job_id = queue_sync(workspace).job_id
    with a_worker(workspace) as worker:
        wait_for(workspace, job_id, lambda manifest: manifest.waits_for_space)
        taken = workspace.jobs.load(job_id).counters.items_ingested
        assert len(search_text(workspace.open_catalogue(), "common", limit=100)) >= min(taken, 1)
        worker.send_signal(signal.SIGKILL)
    with a_worker(workspace):
        time.sleep(1.5)  # in which a job that takes a full disk for an error would end; no room to note a sign of life
        assert not workspace.jobs.load(job_id).ended
        subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
        wait_until(lambda: workspace.jobs.load(job_id).ended, seconds=60)
    ended = workspace.jobs.load(job_id)
    assert (ended.state, ended.counters.items_ingested, ended.counters.items_failed) == ("succeeded", 60, 0)
    assert leftovers_of(workspace.root) == []
    found = {
        hit.uri.rpartition("/")[2]
        for number in range(60)
        for hit in search_text(workspace.catalogue, f"number{number}")
    }
    workspace.close()
    assert len(found) == 60


@contextlib.contextmanager
def a_worker(workspace: Workspace) -> Iterator[subprocess.Popen[bytes]]:
    """Run a headless worker process."""
    command = [sys.executable, "-m", "ingest_tui", "-w", str(workspace.root), "--watch"]
    worker = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        yield worker
    finally:
        worker.terminate()
        worker.wait(15)
