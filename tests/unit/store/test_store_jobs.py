"""Jobs on disk: the revision fence, the queue, requests, and files of a newer program."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import apsw
import orjson
import pytest

from ingest_tui.model.errors import NotFoundError, SchemaVersionError, StaleWriterError, StoreError, ValidationError
from ingest_tui.model.identifiers import check_identifier
from ingest_tui.model.job import JobState, Manifest
from ingest_tui.model.source import Source
from ingest_tui.services.jobs.jobs import list_jobs
from ingest_tui.store import jobs as store_jobs
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.jobs import JobStore, new_job_id
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.json_files import write_record
from ingest_tui.store.workspace import Workspace, init_workspace, open_workspace_at
from ingest_tui.worker.submit import submit_sync


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace, _ = init_workspace(tmp_path / "workspace")
    return workspace


@pytest.fixture
def jobs(workspace: Workspace) -> JobStore:
    return workspace.jobs


def make(jobs: JobStore, job_id: str, *, priority: int = 100, at: str = "2026-01-01", source: str = "docs") -> Manifest:
    manifest = queued(job_id, priority=priority, at=at, source=source)
    jobs.create(manifest)
    return manifest


def queued(job_id: str, *, priority: int = 100, at: str = "2026-01-01", source: str = "docs") -> Manifest:
    manifest = Manifest(
        job_id=job_id, source_id=source, collection_id="default", created_at=at, updated_at=at, priority=priority
    )
    manifest.move_to(JobState.QUEUED, at=at, by="test")
    return manifest


def test_job_comes_back_as_it_was_written(jobs: JobStore) -> None:
    """A new job is on disk, in the queue, with its folders, and equals what was written."""
    manifest = make(jobs, "20260101-000000-docs-aaaa")
    assert jobs.load(manifest.job_id) == manifest
    assert jobs.queued_ids() == jobs.ids() == [manifest.job_id]
    paths = jobs.paths(manifest.job_id)
    assert {path.name for path in paths.folder.iterdir()} == {"manifest.json", "requests", "staging"}
    assert orjson.loads(paths.manifest.read_bytes())["transitions"][0]["from"] is None


@pytest.mark.parametrize("durable", [True, False])
def test_late_writer_is_refused(jobs: JobStore, durable: bool) -> None:
    """Whoever holds an older revision than the one on disk lost the job, and what it writes is not taken."""
    make(jobs, "20260101-000000-docs-aaaa")
    early, late = jobs.load("20260101-000000-docs-aaaa"), jobs.load("20260101-000000-docs-aaaa")
    late.priority = 1
    jobs.save(late, durable=durable)
    before = jobs.paths(late.job_id).manifest.read_bytes()
    early.priority = 2
    with pytest.raises(StaleWriterError, match="taken over"):
        jobs.save(early, durable=durable)
    assert jobs.paths(late.job_id).manifest.read_bytes() == before
    assert jobs.load(late.job_id).priority == 1


def test_owner_saves_again_and_again(jobs: JobStore) -> None:
    """Each save is one revision on, durable or not, and leaves one file of mode 0600 and no temporary one."""
    manifest = make(jobs, "20260101-000000-docs-aaaa")
    for number in range(1, 7):
        jobs.save(manifest, durable=number % 2 == 0)
        assert jobs.load(manifest.job_id).rev == manifest.rev == number
    folder = jobs.paths(manifest.job_id).folder
    assert stat.S_IMODE((folder / "manifest.json").stat().st_mode) == 0o600
    assert not list(folder.glob(".tmp.*"))


def test_queue_runs_by_priority_then_age(jobs: JobStore) -> None:
    """Lower priority goes first, the older of equals before the younger; jobs that do not wait have no position."""
    make(jobs, "20260101-000003-docs-cccc", priority=100, at="2026-01-03")
    make(jobs, "20260101-000001-docs-aaaa", priority=100, at="2026-01-01")
    make(jobs, "20260101-000004-docs-dddd", priority=5, at="2026-01-04")
    running = make(jobs, "20260101-000002-docs-bbbb", priority=1, at="2026-01-02")
    running.move_to(JobState.RUNNING, at="2026-01-05", by="test")
    jobs.save(running)
    order = [manifest.job_id[-4:] for manifest in jobs.waiting()]
    assert order == ["dddd", "aaaa", "cccc"]
    assert [
        jobs.queue_position(f"20260101-00000{n}-docs-{tail}") for n, tail in ((4, "dddd"), (1, "aaaa"), (3, "cccc"))
    ] == [1, 2, 3]
    assert jobs.queue_position(running.job_id) is None
    assert jobs.queue_position("20260101-000009-docs-zzzz") is None


def test_job_that_left_the_queue_is_still_there(jobs: JobStore) -> None:
    """Leaving the queue twice is as good as once, and the job itself stays."""
    manifest = make(jobs, "20260101-000000-docs-aaaa")
    jobs.leave_queue(manifest.job_id)
    jobs.leave_queue(manifest.job_id)
    assert jobs.queued_ids() == []
    assert jobs.waiting() == []
    assert jobs.load(manifest.job_id).state is JobState.QUEUED


def test_job_that_leaves_the_queue_leaves_nothing_behind(jobs: JobStore) -> None:
    """What an ended job has staged, what was still asked of it and what a killed writer left go; its journals stay."""
    manifest = make(jobs, "20260101-000000-docs-aaaa")
    paths = jobs.paths(manifest.job_id)
    (paths.staging / "item").mkdir()
    (paths.staging / "item" / "raw.md").write_text("text")
    (paths.staging / "stray").write_text("text")
    jobs.leave_request(manifest.job_id, "pause", by="ann")
    (paths.requests / ".tmp.0123").touch()
    (paths.folder / ".tmp.progress.1.2").touch()
    paths.outcomes.touch()
    jobs.leave_queue(manifest.job_id)
    left = sorted(str(path.relative_to(paths.folder)) for path in paths.folder.rglob("*"))
    assert left == ["manifest.json", "outcomes.jsonl", "requests", "staging"]


def test_several_take_a_job_out_of_the_queue_at_once(jobs: JobStore) -> None:
    """Workers that tidy up after the same ended job do not trip over each other."""
    manifest = make(jobs, "20260101-000000-docs-aaaa")
    staging = jobs.paths(manifest.job_id).staging
    for _ in range(20):
        for number in range(30):
            (staging / f"item-{number}" / "deep").mkdir(parents=True)
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(jobs.leave_queue, [manifest.job_id] * 8))
        assert list(staging.iterdir()) == []


def test_queue_passes_over_what_cannot_be_read(jobs: JobStore, workspace: Workspace) -> None:
    """A queue entry without a manifest, or with a damaged one, does not stop the others."""
    make(jobs, "20260101-000000-docs-aaaa")
    damaged = make(jobs, "20260101-000001-docs-bbbb")
    jobs.paths(damaged.job_id).manifest.write_bytes(b"{")
    workspace.layout.queue_entry("20260101-000002-docs-cccc").touch()
    assert [manifest.job_id[-4:] for manifest in jobs.waiting()] == ["aaaa"]
    assert [manifest.job_id[-4:] for manifest in jobs.active_for_source("docs")] == ["aaaa"]


def test_active_jobs_are_those_of_the_source_that_have_not_ended(jobs: JobStore) -> None:
    """Other sources' jobs and ended ones are not active."""
    make(jobs, "20260101-000000-docs-aaaa")
    make(jobs, "20260101-000001-mail-bbbb", source="mail")
    ended = make(jobs, "20260101-000002-docs-cccc")
    ended.move_to(JobState.CANCELLED, at="x", by="test")
    jobs.save(ended)
    assert [manifest.job_id[-4:] for manifest in jobs.active_for_source("docs")] == ["aaaa"]


def test_names_for_a_job(jobs: JobStore) -> None:
    """A job is found by its id, a unique beginning or ending, or `last`; anything else says so."""
    make(jobs, "20260101-000000-docs-aaaa")
    make(jobs, "20260102-000000-docs-bbbb")
    assert jobs.resolve("last") == jobs.resolve("bbbb") == jobs.resolve("20260102") == "20260102-000000-docs-bbbb"
    assert jobs.resolve("20260101-000000-docs-aaaa") == "20260101-000000-docs-aaaa"
    jobs.paths("20260103-000000-docs-cccc").folder.mkdir()  # being made right now
    jobs.paths("zz").folder.with_name("zz not a job").mkdir()
    assert jobs.resolve("last") == "20260102-000000-docs-bbbb"
    for name, message in (("2026", "several"), ("", "no job"), ("zzzz", "no job"), ("\x1b[2J", r"\\x1b")):
        with pytest.raises(NotFoundError, match=message):
            jobs.resolve(name)


def test_reading_all_jobs_passes_over_what_is_no_job(workspace: Workspace) -> None:
    """Damaged, newer, half-made and foreign entries keep no reader from the others, in the list and in the queue."""
    jobs = workspace.jobs
    good, damaged, newer = (make(jobs, f"2026010{day}-000000-docs-aaaa") for day in (1, 2, 3))
    jobs.paths(damaged.job_id).manifest.write_text("{")
    jobs.paths(newer.job_id).manifest.write_text('{"schema_version": 99}')
    half_made = "20260104-000000-docs-aaaa"
    jobs.paths(half_made).folder.mkdir()
    workspace.layout.queue_entry(half_made).touch()
    (workspace.layout.jobs / "not a job").mkdir()
    (workspace.layout.queue / "not a job").touch()
    missing: list[str] = []
    unreadable: list[tuple[str, type[Exception]]] = []
    found = jobs.readable(
        jobs.ids(),
        on_missing=missing.append,
        on_unreadable=lambda job_id, error: unreadable.append((job_id, type(error))),
    )
    assert [job.job_id for job in found] == [good.job_id]
    assert missing == [half_made]
    assert sorted(unreadable) == [
        (damaged.job_id, StoreError), (newer.job_id, SchemaVersionError), ("not a job", ValidationError)
    ]  # fmt: skip
    assert [job.job_id for job in jobs.of_source("docs")] == [good.job_id]
    assert [job.job_id for job in jobs.waiting()] == [good.job_id]
    assert [job.job_id for job in jobs.active_for_source("docs")] == [good.job_id]
    assert [job.job_id for job in list_jobs(workspace)] == [good.job_id]


def test_the_newest_job_is_the_one_made_last(jobs: JobStore) -> None:
    """Of jobs that were made within one second, whatever their sources are called, `last` is the one made last."""
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    made = [
        new_job_id(name, moment + timedelta(milliseconds=step))
        for step, name in enumerate(("zebra", "apple", "upload", "mango", "a"))
    ]
    for job_id in sorted(made):
        make(jobs, job_id)
    assert jobs.ids() == made[::-1]
    assert jobs.queued_ids() == made
    assert jobs.resolve("last") == made[-1]
    assert [job.job_id for job in jobs.waiting()] == made


def test_job_ids_sort_by_time_and_are_identifiers() -> None:
    """A later job has a greater id, and the id of a source with the longest name is an identifier."""
    early = new_job_id("docs", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    late = new_job_id("a", datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC))
    assert early < late
    assert early.startswith("20260102-030405-docs-")
    for source_id in ("x" * 64, "a" * 31 + "-b", "a." * 20 + "a"):
        check_identifier(new_job_id(source_id, datetime.now(UTC)))


def test_requests_are_taken_once(jobs: JobStore) -> None:
    """What other processes ask is yielded with who asked, and then gone; the same wish twice is one wish."""
    manifest = make(jobs, "20260101-000000-docs-aaaa")
    jobs.leave_request(manifest.job_id, "priority", by="ann", priority=3)
    jobs.leave_request(manifest.job_id, "priority", by="bob", priority=7)
    jobs.leave_request(manifest.job_id, "cancel", by="ann")
    taken = {request["request"]: request for request in jobs.take_requests(manifest.job_id)}
    assert taken["priority"]["priority"] == 7
    assert taken["priority"]["by"] == "bob"
    assert set(taken) == {"cancel", "priority"}
    assert list(jobs.take_requests(manifest.job_id)) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b"\xff"])
def test_damaged_request_is_answered_all_the_same(jobs: JobStore, content: bytes) -> None:
    """A request file that somebody wrote by hand and badly is an object with its kind, and does not stay."""
    manifest = make(jobs, "20260101-000000-docs-aaaa")
    (jobs.paths(manifest.job_id).requests / "cancel.json").write_bytes(content)
    assert [request.get("request") for request in jobs.take_requests(manifest.job_id)] == ["cancel"]
    assert list(jobs.take_requests(manifest.job_id)) == []


def test_request_without_a_valid_number_names_none(jobs: JobStore) -> None:
    """A priority that is no number is left out, so that the worker keeps the one it has."""
    manifest = make(jobs, "20260101-000000-docs-aaaa")
    folder = jobs.paths(manifest.job_id).requests
    (folder / "priority.json").write_text('{"request": "cancel", "priority": "soon"}')
    assert list(jobs.take_requests(manifest.job_id)) == [{"request": "priority"}]


def test_request_stays_until_it_is_answered(jobs: JobStore) -> None:
    """An owner that dies while it answers leaves the request to the next one."""
    manifest = make(jobs, "20260101-000000-docs-aaaa")
    jobs.leave_request(manifest.job_id, "pause", by="ann")
    dying = jobs.take_requests(manifest.job_id)
    assert next(dying)["request"] == "pause"
    del dying
    assert [request["request"] for request in jobs.take_requests(manifest.job_id)] == ["pause"]
    assert list(jobs.take_requests(manifest.job_id)) == []


@pytest.mark.parametrize(("first", "last"), [("pause", "resume"), ("resume", "pause")])
def test_last_of_opposite_wishes_counts(jobs: JobStore, first: str, last: str) -> None:
    """Who pauses and at once resumes, or the other way round, gets what was asked for last."""
    manifest = make(jobs, "20260101-000000-docs-aaaa")
    jobs.leave_request(manifest.job_id, first, by="ann")
    jobs.leave_request(manifest.job_id, last, by="ann")
    assert [request["request"] for request in jobs.take_requests(manifest.job_id)] == [last]


def test_unknown_request_is_refused(jobs: JobStore) -> None:
    """A kind of request that no worker answers is an error of the caller."""
    manifest = make(jobs, "20260101-000000-docs-aaaa")
    with pytest.raises(ValueError, match="dance"):
        jobs.leave_request(manifest.job_id, "dance", by="ann")


def test_owner_of_a_job(jobs: JobStore) -> None:
    """A job has an owner exactly while its lock is held."""
    manifest = make(jobs, "20260101-000000-docs-aaaa")
    assert not jobs.has_owner(manifest.job_id)
    lock = jobs.lock(manifest.job_id)
    lock.acquire(1.0, what="it")
    assert jobs.has_owner(manifest.job_id)
    lock.release()
    assert not jobs.has_owner(manifest.job_id)


@pytest.mark.parametrize("job_id", ["../../etc", "a/b", "..", "", "A", "x" * 65, "a\x00"])
def test_job_id_never_becomes_another_path(jobs: JobStore, job_id: str) -> None:
    """What is no identifier is refused before it becomes a path."""
    with pytest.raises(Exception, match="not usable as a name"):
        jobs.load(job_id)


# Files of a newer program


def _one_newer(path: Path) -> bytes:
    record = orjson.loads(path.read_bytes())
    record["schema_version"] += 1
    record["novelty"] = True
    path.write_bytes(orjson.dumps(record))
    return path.read_bytes()


def test_newer_workspace_is_refused_and_left_untouched(workspace: Workspace) -> None:
    """A workspace.json of a newer program is refused with what to do, and not a byte of it changes."""
    workspace.close()
    before = _one_newer(workspace.layout.settings)
    for opening in (open_workspace_at, init_workspace):
        with pytest.raises(SchemaVersionError, match="newer") as caught:
            opening(workspace.root)
        assert caught.value.hint == "upgrade ingest-tui"
    assert workspace.layout.settings.read_bytes() == before


def test_newer_source_is_refused_and_left_untouched(workspace: Workspace) -> None:
    """A source of a newer program is refused by name; a list of all passes over it and names it as unreadable."""
    workspace.sources.save(Source(source_id="docs", name="Docs", source_type="local"))
    before = _one_newer(workspace.layout.source("docs"))
    with pytest.raises(SchemaVersionError, match="'docs' was written by a newer"):
        workspace.sources.get("docs")
    assert workspace.sources.all() == []
    assert workspace.sources.unreadable() == ["docs"]
    assert workspace.layout.source("docs").read_bytes() == before


def test_newer_collection_is_refused_and_left_untouched(workspace: Workspace) -> None:
    """A collection of a newer program is refused."""
    before = _one_newer(workspace.layout.collection("default"))
    with pytest.raises(SchemaVersionError):
        workspace.collections.get("default")
    assert workspace.layout.collection("default").read_bytes() == before


def test_newer_job_is_refused_and_left_untouched(jobs: JobStore) -> None:
    """A manifest of a newer program is neither loaded nor overwritten."""
    manifest = make(jobs, "20260101-000000-docs-aaaa")
    path = jobs.paths(manifest.job_id).manifest
    before = _one_newer(path)
    with pytest.raises(SchemaVersionError):
        jobs.load(manifest.job_id)
    assert jobs.waiting() == []
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_newer_catalogue_is_refused_and_left_untouched(tmp_path: Path, mode: str) -> None:
    """A catalogue of a newer program is refused, and its file stays as it is, down to its journal mode."""
    path = Layout(tmp_path).catalogue
    connection = apsw.Connection(str(path))
    connection.execute(f"PRAGMA journal_mode = {mode}")
    connection.execute("CREATE TABLE novelty (x)")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(SchemaVersionError, match="schema 99"):
        Catalogue(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "schema_version"),
        (b"{}", "schema_version"),
        (b'{"schema_version": "1"}', "schema_version"),
        (b'{"schema_version": 1, "source_id": 3}', "not valid"),
    ],
)
def test_damaged_record_is_a_clear_error(workspace: Workspace, content: bytes, message: str) -> None:
    """A file that is no record says which file it is and what is wrong with it, and stays as it is."""
    path = workspace.layout.source("docs")
    path.write_bytes(content)
    with pytest.raises(StoreError, match=message) as caught:
        workspace.sources.get("docs")
    assert "'docs'" in caught.value.message
    assert caught.value.hint
    assert path.read_bytes() == content


def test_damaged_catalogue_names_the_way_out(tmp_path: Path) -> None:
    """A catalogue that is no database says that `rebuild` makes it again."""
    (tmp_path / "catalogue.db").write_bytes(b"this is not a database" * 100)
    with pytest.raises(StoreError, match="damaged") as caught:
        Catalogue(tmp_path / "catalogue.db")
    assert "rebuild" in caught.value.hint


def test_job_that_cannot_be_made_leaves_nothing(jobs: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error while a job is being made takes away its folder and its place in the queue."""

    def no_room(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("ingest_tui.store.jobs.write_record", no_room)
    with pytest.raises(OSError, match="No space"):
        make(jobs, "20260101-000000-docs-aaaa")
    assert jobs.ids() == jobs.queued_ids() == []


def test_job_that_begins_to_be_made_while_it_is_looked_at_has_lost_nothing(
    jobs: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its mark comes between the look for it and the look for files: there is no such job yet, and none is damaged."""
    paths = jobs.paths("20260101-000000-docs-aaaa")
    paths.folder.mkdir()
    rglob = Path.rglob

    def marked_first(folder: Path, pattern: str) -> Iterator[Path]:
        paths.being_made.touch()
        return iter(rglob(folder, pattern))

    monkeypatch.setattr(Path, "rglob", marked_first)
    with pytest.raises(NotFoundError):
        jobs.load("20260101-000000-docs-aaaa")


def test_job_whose_maker_died_is_swept(jobs: JobStore) -> None:
    """What a crash left of a job that was being made goes; what somebody is making stays."""
    job_id = "20260101-000000-docs-aaaa"
    child = os.fork()
    if child == 0:
        with jobs.being_made(queued(job_id)) as paths:
            (paths.staging / "raw.md").write_text("# half")
            os._exit(0)
    os.waitpid(child, 0)
    assert jobs.ids() == jobs.queued_ids() == [job_id]
    jobs.sweep_half_made(job_id)
    assert jobs.ids() == jobs.queued_ids() == []
    with jobs.being_made(queued(job_id)):
        jobs.sweep_half_made(job_id)
        assert jobs.queued_ids() == [job_id]
    assert jobs.load(job_id).state is JobState.QUEUED
    jobs.sweep_half_made(job_id)
    assert jobs.queued_ids() == [job_id]


def test_a_place_in_the_queue_without_a_job_is_swept(jobs: JobStore) -> None:
    """A kill between the removal of a half-made job and that of its place in the queue leaves the latter alone."""
    job_id = "20260101-000000-docs-aaaa"
    make(jobs, job_id)
    shutil.rmtree(jobs.paths(job_id).folder)
    assert jobs.queued_ids() == [job_id]
    jobs.sweep_half_made(job_id)
    assert jobs.queued_ids() == []


def test_a_half_made_job_that_is_being_swept_is_no_damaged_one(jobs: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads it while its files go one after the other is told that there is no such job."""
    job_id = "20260101-000000-docs-aaaa"
    child = os.fork()
    if child == 0:
        with jobs.being_made(queued(job_id)) as paths:
            for number in range(20):
                (paths.staging / f"{number}.md").write_text("staged")
                (paths.folder / f"{number}.json").write_text("{}")
            os._exit(0)
    os.waitpid(child, 0)
    genuine, seen = os.unlink, []

    def looked_at(*arguments: Any, **options: Any) -> None:
        genuine(*arguments, **options)
        with pytest.raises(NotFoundError):
            jobs.load(job_id)
        seen.append(arguments)

    with monkeypatch.context() as patched:
        patched.setattr(os, "unlink", looked_at)
        jobs.sweep_half_made(job_id)
    assert len(seen) > 40
    assert jobs.ids() == []


def test_a_request_that_meets_the_end_of_its_job_is_no_error(jobs: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner of a job that ends clears its requests, also one that is being written in that moment."""
    job = make(jobs, "20260101-000000-docs-aaaa")
    genuine = os.rename

    def ended_before(source: str | Path, target: str | Path) -> None:
        jobs.leave_queue(job.job_id)
        genuine(source, target)

    monkeypatch.setattr("ingest_tui.store.fs.atomic.os.rename", ended_before)
    jobs.leave_request(job.job_id, "pause", by="tester")
    assert list(jobs.paths(job.job_id).requests.iterdir()) == []


def test_a_job_that_ends_before_it_is_wholly_made_is_no_error(jobs: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker may claim and end a job as soon as its manifest is there, and clears the mark of its making."""

    def ended_at_once(path: Path, record: Manifest) -> None:
        write_record(path, record)
        jobs.leave_queue(record.job_id)

    monkeypatch.setattr(store_jobs, "write_record", ended_at_once)
    job = make(jobs, "20260101-000000-docs-aaaa")
    assert jobs.load(job.job_id).job_id == job.job_id


def test_job_that_is_made_between_two_looks_is_no_lost_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A manifest that appears after it was looked for in vain is read, instead of being reported as missing."""
    workspace, _ = init_workspace(tmp_path / "made-meanwhile")
    source = Source(source_id="docs", name="Docs", source_type="local", source_config={"path": str(tmp_path)})
    workspace.sources.save(source)
    job_id = submit_sync(workspace, source, trigger="manual", by="test").job_id
    path = workspace.jobs.paths(job_id).manifest
    aside = path.rename(tmp_path / "manifest.json")

    def made_meanwhile(_store: JobStore, _job_id: str) -> bool:
        aside.rename(path)
        return False

    monkeypatch.setattr(JobStore, "_is_half_made", made_meanwhile)
    assert workspace.jobs.load(job_id).job_id == job_id
