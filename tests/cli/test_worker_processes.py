"""Workers as processes: started, stopped, killed, watching; and several programs on one workspace."""

from __future__ import annotations

import contextlib
import fcntl
import json
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import Cli, assert_counters_add_up, descendants, lives
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

QUICK = {"rescan_seconds": 1.0, "stable_seconds": 0.3}


def ended(cli: Cli) -> list[dict[str, Any]]:
    """Return the manifests of the jobs that are over."""
    return [manifest for manifest in cli.manifests() if manifest["finished_at"]]


def jobs_of(cli: Cli, source: str) -> list[dict[str, Any]]:
    """Return the manifests of the jobs of a source."""
    return [manifest for manifest in cli.manifests() if manifest["source_id"] == source]


def fill(cli: Cli, number: int, folder: str = "") -> None:
    """Write many small files, each findable by a word of its own."""
    for index in range(number):
        cli.write(f"{folder}{index:05}.txt", f"common words of file number{index:05} {folder}\n" * 30)


def test_a_worker_can_be_started_seen_and_stopped(cli: Cli) -> None:
    """`worker start` returns at once, a second one is refused, jobs run in it, and `worker stop` ends it soon."""
    cli.write("a.txt", "alpha")
    cli.init()
    pid = cli.run("worker", "start", "--json").json["pid"]
    assert [(item["pid"], item["mode"]) for item in cli.run("worker", "status", "--json").json] == [(pid, "watch")]
    assert "worker stop" in cli.run("worker", "start", code=5).err
    manifest = cli.sync()
    assert manifest["worker"]["pid"] == pid
    started = time.monotonic()
    assert cli.run("worker", "stop", "--json").json == {"stopped": 1, "remaining": []}
    assert time.monotonic() - started < 5
    assert not lives(pid)
    assert cli.run("worker", "status").out.startswith("no worker")
    assert cli.run("worker", "stop").out == "no worker was running\n"
    assert "worker started" in (cli.workspace / "worker.log").read_text()


def test_the_headless_worker_follows_a_folder(cli: Cli) -> None:
    """--watch takes in a new file, an edit and a deletion, one job a burst, and ends with 0 on SIGTERM."""
    cli.write("a.txt", "alpha")
    cli.init("--watch", rescan_seconds=60.0, stable_seconds=0.4)
    worker = cli.start("--log-format", "json", "--watch")
    wait_until(lambda: len(ended(cli)) == 1, what="the sync at the start")
    time.sleep(0.6)  # the watch is at rest
    for number in range(10):
        cli.write(f"new{number}.txt", f"burst number{number}")
        time.sleep(0.03)  # a burst: each file comes before the one in front of it has been at rest for long enough
    wait_until(lambda: len(ended(cli)) == 2, what="the sync after a burst")
    assert ended(cli)[1]["counters"]["items_ingested"] == 10
    assert ended(cli)[1]["trigger"] == "watch"
    cli.write("new1.txt", "edited now")
    wait_until(lambda: len(ended(cli)) == 3, what="the sync after an edit")
    assert cli.found("edited") == {"new1.txt"}
    (cli.docs / "new2.txt").unlink()
    wait_until(lambda: len(ended(cli)) == 4, what="the sync after a deletion")
    assert ended(cli)[3]["counters"]["items_retired"] == 1
    time.sleep(1.2)  # three times as long as files have to be at rest
    assert len(cli.manifests()) == 4, "nothing changed, so nothing was queued"
    below = list(descendants(worker.pid))
    assert cli.end(worker) == 0
    wait_until(lambda: not any(lives(pid) for pid in below), what="no parser outlives its worker")
    events = [json.loads(line) for line in cli.output_of(worker).splitlines()]
    assert events[0]["message"] == "worker started"
    assert events[-1]["message"] == "worker ended"
    assert sum(event["message"] == "job succeeded" for event in events) == 4
    assert all({"at", "message"} <= set(event) for event in events)


def test_a_watched_source_that_is_added_late_is_noticed(cli: Cli) -> None:
    """A source added, edited to watch, or removed while the worker runs is taken up without a restart."""
    cli.init(**QUICK)
    worker = cli.start("--watch")
    wait_until(lambda: "worker started" in cli.output_of(worker))
    cli.write("a.txt", "alpha")
    assert cli.manifests() == []
    cli.run("source", "edit", "docs", "--watch")
    wait_until(lambda: ended(cli), what="the sync of a source that is watched from now on")
    cli.run("source", "disable", "docs")
    late = cli.workspace.parent / "late"
    late.mkdir()
    (late / "a.txt").write_text("alpha")
    cli.run("source", "add", "local", "late", "--path", late, "--watch")
    wait_until(lambda: len(jobs_of(cli, "late")) == 1, what="the worker has looked at the list of its sources")
    number = len(jobs_of(cli, "docs"))
    cli.write("b.txt", "beta")
    (late / "b.txt").write_text("beta")
    wait_until(lambda: len(jobs_of(cli, "late")) == 2, what="a change after that of docs was noticed")
    assert len(jobs_of(cli, "docs")) == number
    assert cli.end(worker) == 0
    for line in cli.output_of(worker).splitlines():
        assert line.startswith("20"), "one line an event, each with its time"


@contextlib.contextmanager
def commits_held_up(cli: Cli) -> Iterator[None]:
    """Hold the lock that every commit takes, so that a job stays in the middle for as long as a test needs."""
    with (cli.workspace / "locks" / "commit.lock").open("ab") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@pytest.mark.parametrize("when", ["while committing", "while paused"])
def test_a_killed_worker_loses_nothing(cli: Cli, when: str) -> None:
    """After kill -9 in the middle the next sync continues the job: every file once, no parser left over."""
    total = 1500
    fill(cli, total)
    cli.init()
    worker = cli.start("sync", "docs")

    def halfway() -> bool:
        return any(path.stat().st_size for path in cli.workspace.glob("jobs/*/outcomes.jsonl"))

    with contextlib.ExitStack() as held:
        if when == "while paused":
            held.enter_context(commits_held_up(cli))
            wait_until(lambda: cli.manifests() and cli.manifests()[0]["state"] == "running")
            cli.run("job", "pause", "last")
            wait_until(lambda: cli.manifests()[0]["state"] == "paused")
        else:
            wait_until(halfway, what="a job in the middle")
        below = list(descendants(worker.pid))
        assert below, "parsing happens in processes of its own"
        assert cli.end(worker, signal.SIGKILL) == -signal.SIGKILL
    wait_until(lambda: not any(lives(pid) for pid in below), what="no orphan parser processes")
    assert cli.manifests()[0]["finished_at"] is None
    if when == "while paused":
        assert cli.run("job", "show", "last", "--json").json["state"] == "paused"
        cli.run("job", "resume", "last")
    else:
        assert cli.run("job", "show", "last", "--json").json["state"] == "interrupted"

    cli.run("sync", "docs")
    first, second = cli.manifests()
    assert (first["state"], first["attempt"], second["state"]) == ("succeeded", 2, "succeeded")
    assert_counters_add_up(first)
    assert (first["counters"]["items_ingested"], second["counters"]["items_skipped_incremental"]) == (total, total)
    outcomes = Counter(line["key"] for line in cli.run("job", "items", first["job_id"], "--json").lines)
    assert len(outcomes) == total
    assert set(outcomes.values()) == {1}
    assert len(list(cli.workspace.glob("documents/*/*/*/v*"))) == total
    assert len(cli.found("common")) == total
    assert list(cli.workspace.glob("documents/**/.tmp*")) == []
    assert "problem" not in cli.run("doctor", code=None).out


def test_an_interrupted_sync_can_go_on(cli: Cli) -> None:
    """Ctrl-C ends a foreground sync with 130 and words on how to continue; the next sync finishes the job."""
    fill(cli, 1500)
    cli.init()
    worker = cli.start("sync", "docs")
    wait_until(lambda: cli.manifests() and cli.manifests()[0]["phases"]["stage"]["done"])
    below = list(descendants(worker.pid))
    assert cli.end(worker, signal.SIGINT) == 130
    told = cli.output_of(worker)
    assert "hint: " in told
    assert "Traceback" not in told
    wait_until(lambda: not any(lives(pid) for pid in below), what="no orphan parser processes")
    assert cli.run("job", "show", "last", "--json").json["state"] == "interrupted"
    cli.run("sync", "docs")
    assert [manifest["state"] for manifest in cli.manifests()] == ["succeeded", "succeeded"]
    assert cli.run("doc", "list", "--limit", "1").out.endswith("1 of 1500; --limit shows more\n")


def test_a_polite_end_leaves_the_job_for_the_next_worker(cli: Cli) -> None:
    """SIGTERM in the middle of a job ends the worker with 0 within seconds, and the next one finishes the job."""
    fill(cli, 1500)
    cli.init()
    cli.run("sync", "docs", "--detach")
    worker = cli.start("--watch")
    wait_until(lambda: cli.manifests()[0]["state"] == "running")
    started = time.monotonic()
    assert cli.end(worker) == 0
    assert time.monotonic() - started < 5
    assert cli.run("job", "show", "last", "--json").json["state"] == "interrupted"
    again = cli.start("--watch")
    wait_until(lambda: cli.manifests()[0]["finished_at"])
    assert cli.end(again) == 0
    manifest = cli.manifests()[0]
    assert_counters_add_up(manifest)
    assert manifest["counters"]["items_ingested"] == 1500


def test_two_syncs_at_once_do_everything_once(cli: Cli) -> None:
    """Two processes that sync one source at the same time run one after the other, or one job, and double nothing."""
    fill(cli, 300)
    cli.init()
    both = [cli.start("sync", "docs") for _ in range(2)]
    assert [process.wait(30) for process in both] == [0, 0]
    first, *others = sorted(cli.manifests(), key=lambda manifest: str(manifest["started_at"]))
    assert first["counters"]["items_ingested"] == 300
    assert len(others) <= 1  # none where the job still waited when the second process came: it has joined it
    assert [other["counters"]["items_skipped_incremental"] for other in others] == [300] * len(others)
    assert all(first["finished_at"] <= other["started_at"] for other in others)
    assert len(list(cli.workspace.glob("documents/*/*/*/v*"))) == 300
    assert {manifest["attempt"] for manifest in (first, *others)} == {1}


def test_at_most_three_jobs_run_at_once_in_order_of_priority(cli: Cli) -> None:
    """Of many queued jobs at most three run at once; with one slot they run by priority, then first in, first out."""
    cli.run("init")
    for number in range(6):
        fill(cli, 60, f"s{number}/")
        cli.run("source", "add", "local", f"s{number}", "--path", f"docs/s{number}", f"--priority={9 - number // 2}")
    cli.run("sync", "--all", "--detach")
    worker = cli.start("--watch")
    wait_until(lambda: len(ended(cli)) == 6)
    assert cli.end(worker) == 0
    spans = [(manifest["started_at"], manifest["finished_at"]) for manifest in cli.manifests()]
    at_once = [sum(start <= moment < end for start, end in spans) for moment, _ in spans]
    assert 2 <= max(at_once) <= 3, spans

    cli.change_settings(max_running_jobs=1)
    cli.run("sync", "--all", "--detach")
    worker = cli.start("--watch")
    wait_until(lambda: len(ended(cli)) == 12)
    assert cli.end(worker) == 0
    later = sorted(cli.manifests(), key=lambda manifest: str(manifest["created_at"]))[6:]
    order = [manifest["source_id"] for manifest in sorted(later, key=lambda manifest: str(manifest["started_at"]))]
    assert order == ["s4", "s5", "s2", "s3", "s0", "s1"]


def test_a_running_job_can_be_cancelled(cli: Cli) -> None:
    """A job that runs in another process is cancelled within a second or two; what is committed stays."""
    fill(cli, 1000)
    cli.init()
    worker = cli.start("sync", "docs")
    with commits_held_up(cli):
        wait_until(lambda: cli.manifests() and cli.manifests()[0]["state"] == "running")
        cli.run("job", "cancel", "last")
        wait_until(lambda: not list(cli.workspace.glob("jobs/*/requests/*")), what="the request is taken")
    assert worker.wait(10) == 1
    [manifest] = cli.manifests()
    assert manifest["state"] == "cancelled"
    assert list((cli.workspace / "queue").iterdir()) == []
    assert cli.sync()["counters"]["items_ingested"] == 1000 - manifest["counters"]["items_ingested"]


def test_readers_are_not_kept_waiting_by_a_job(cli: Cli) -> None:
    """Listing and searching work at once while a job commits."""
    fill(cli, 200)
    cli.init()
    worker = cli.start("sync", "docs")
    with commits_held_up(cli):
        wait_until(lambda: cli.manifests() and cli.manifests()[0]["state"] == "running")
        started = time.monotonic()
        cli.run("search", "common")
        assert cli.run("status", "last", "--json").json["state"] == "running"
        assert time.monotonic() - started < 5
        assert "works on source" in cli.run("source", "remove", "docs", "--yes", code=5).err
    assert worker.wait(30) == 0


def test_a_job_that_breaks_in_an_unforeseen_way_ends_as_failed(cli: Cli) -> None:
    """An error nobody foresaw ends the job as failed with words; no endless attempts, no traceback."""
    cli.write("a.txt", "alpha")
    cli.init()
    cli.sync()
    _drop_a_table(cli.workspace / "catalogue.db")
    cli.write("b.txt", "beta")
    try:
        told = cli.run("sync", "docs", code=1, timeout=8)
    finally:
        attempts = cli.manifests()[-1]["attempt"]
    assert "error: " in told.err
    assert attempts <= 5
    assert cli.manifests()[-1]["state"] == "failed"


def _drop_a_table(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("DROP TABLE locations")
        database.commit()
