"""Two workers, the TUI's feed and calls of the command line on one workspace at the same time."""

from __future__ import annotations

import contextlib
import fcntl
import signal
import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from typing import Any, Self

import pytest

from ingest_tui import open_workspace
from ingest_tui.services.client import Client
from ingest_tui.tui.client.feed import Feed, FeedUpdate
from tests.cli.running import Cli, assert_counters_add_up
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

FILES = 500
MANY_FILES = 4000


class FeedReader:
    """Follows a workspace as the TUI does and keeps the states that each job was seen in."""

    def __init__(self, cli: Cli) -> None:
        self.states: dict[str, list[str]] = defaultdict(list)
        self.lock = threading.Lock()
        self._root = cli.workspace

    def _take(self, update: FeedUpdate) -> None:
        with self.lock:
            for row in update.changed:
                if self.states[row.job_id][-1:] != [row.state]:
                    self.states[row.job_id].append(row.state)

    def __enter__(self) -> Self:
        self._feed = Feed(self._root, self._take)
        self._feed.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._feed.stop()


@contextlib.contextmanager
def commits_held_up(cli: Cli) -> Iterator[None]:
    """Hold the lock that every commit takes, so that a job stays in the middle for as long as a test needs."""
    with (cli.workspace / "locks" / "commit.lock").open("ab") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def add_sources(cli: Cli, *names: str, files: int, **settings: Any) -> None:
    """Make the workspace with a folder of small files for each source."""
    cli.run("init")
    cli.change_settings(**settings)
    for name in names:
        for number in range(files):
            cli.write(f"{name}/{number:04}.txt", f"common words of {name} number{number:04}\n" * 5)
    cli.run_each(*[("source", "add", "local", name, "--path", f"docs/{name}") for name in names])


def job_of(cli: Cli, source: str) -> dict[str, Any]:
    """Return the newest job of a source."""
    return [manifest for manifest in cli.manifests() if manifest["source_id"] == source][-1]


def _ingested(cli: Cli, source: str) -> int:
    return int(job_of(cli, source)["counters"]["items_ingested"])


def seconds_until(condition: Any, *, what: str) -> float:
    """Return how long it takes from now until ``condition`` holds."""
    started = time.monotonic()
    wait_until(condition, what=what)
    return time.monotonic() - started


def assert_nothing_is_half_done(cli: Cli) -> None:
    """Version folders and catalogue agree; nothing is staged, queued or asked for, and no name is temporary."""
    wait_until(lambda: not list((cli.workspace / "queue").iterdir()), what="ended jobs leave the queue")
    with open_workspace(cli.workspace) as handle:
        known = handle.workspace.catalogue.value("SELECT count(*) FROM versions")
    assert len(list(cli.workspace.glob("documents/*/*/*/v*"))) == known
    assert [*cli.workspace.glob("jobs/*/staging/*"), *cli.workspace.glob("jobs/*/requests/*")] == []
    assert list(cli.workspace.glob("jobs/**/.tmp*")) == []


def test_requests_are_answered_while_everybody_works(cli: Cli) -> None:
    """With both workers at it, a running job is paused, resumed and reordered within a second, and goes on complete."""
    add_sources(cli, "s0", "s1", "s2", files=FILES, max_running_jobs=3)
    workers = [cli.start("--watch") for _ in range(2)]
    wait_until(lambda: len(cli.run("worker", "status", "--json").json) == 2)
    answers = []
    with FeedReader(cli) as feed, commits_held_up(cli):
        cli.run("sync", "--all", "--detach")
        wait_until(lambda: {job["state"] for job in cli.manifests()} == {"running"}, what="all three run")
        jobs = {source: job_of(cli, source)["job_id"] for source in ("s0", "s1", "s2")}
        for source in ("s0", "s1"):
            cli.run("job", "pause", jobs[source])
            answers.append(seconds_until(lambda name=source: job_of(cli, name)["state"] == "paused", what="a pause"))
        cli.run_each(("search", "common"), ("job", "list"), ("job", "priority", jobs["s0"], "7"))
        answers.append(seconds_until(lambda: job_of(cli, "s0")["priority"] == 7, what="a priority"))
        cli.run("job", "resume", jobs["s0"])
        answers.append(seconds_until(lambda: job_of(cli, "s0")["state"] == "running", what="a resume"))
    assert statistics.median(answers) < 1, answers
    assert max(answers) < 3, answers
    wait_until(lambda: job_of(cli, "s0")["finished_at"] and job_of(cli, "s2")["finished_at"])
    cli.run("upload", cli.docs / "s0" / "0000.txt")  # a whole job, in which the batch ends that is on its way
    committed = job_of(cli, "s1")["counters"]["items_ingested"]  # but no further one
    cli.run("upload", cli.docs / "s0" / "0001.txt")  # and another, in which a job that is not paused would commit again
    assert (job_of(cli, "s1")["state"], job_of(cli, "s1")["counters"]["items_ingested"]) == ("paused", committed)
    with feed:
        cli.run("job", "resume", jobs["s1"])
        wait_until(lambda: all(feed.states[job_id][-1:] == ["succeeded"] for job_id in jobs.values()))
        assert [feed.states[jobs["s1"]].count(state) for state in ("paused", "succeeded")] == [1, 1]
    assert {job_of(cli, source)["counters"]["items_ingested"] for source in jobs} == {FILES}
    assert_nothing_is_half_done(cli)
    assert [cli.end(worker) for worker in workers] == [0, 0]


def test_cancel_stops_a_job_in_full_flight(cli: Cli) -> None:
    """A job that is cancelled in the TUI while it commits ends within two seconds; the next sync does the rest."""
    add_sources(cli, "s0", "s1", files=MANY_FILES)
    workers = [cli.start("--watch") for _ in range(2)]
    took, kept = [], {}
    for source in ("s0", "s1"):
        cli.run("sync", source, "--detach")
        wait_until(partial(_ingested, cli, source), what="a job in the middle")
        Client(cli.workspace).jobs.cancel(job_of(cli, source)["job_id"])
        took.append(seconds_until(lambda name=source: job_of(cli, name)["finished_at"], what="the end of the job"))
        assert job_of(cli, source)["state"] == "cancelled"
        kept[source] = job_of(cli, source)["counters"]["items_ingested"]
        assert_nothing_is_half_done(cli)
    assert min(took) < 2, took  # a machine that has other things to do may need longer for the batch that it is at
    assert min(kept.values()) < MANY_FILES
    cli.run("sync", "s0")
    assert job_of(cli, "s0")["counters"]["items_ingested"] == MANY_FILES - kept["s0"]
    assert [cli.end(worker) for worker in workers] == [0, 0]


def test_pause_outlives_the_worker(cli: Cli) -> None:
    """A paused job whose worker is killed stays paused although another worker is there, until it is resumed."""
    add_sources(cli, "s0", files=300)
    workers = [cli.start("--watch") for _ in range(2)]
    with commits_held_up(cli):
        cli.run("sync", "s0", "--detach")
        wait_until(lambda: job_of(cli, "s0")["state"] == "running")
        cli.run("job", "pause", "last")
        wait_until(lambda: job_of(cli, "s0")["state"] == "paused")
        owner = next(worker for worker in workers if worker.pid == job_of(cli, "s0")["worker"]["pid"])
        assert cli.end(owner, signal.SIGKILL) == -signal.SIGKILL
    cli.write("s1/0.txt", "alpha")
    cli.run("source", "add", "local", "s1", "--path", "docs/s1")
    cli.run("sync", "s1", "--detach")
    wait_until(lambda: job_of(cli, "s1")["finished_at"], what="the other worker has looked at the queue")
    assert job_of(cli, "s0")["state"] == "paused"
    cli.run("job", "resume", job_of(cli, "s0")["job_id"])
    wait_until(lambda: job_of(cli, "s0")["finished_at"])
    manifest = job_of(cli, "s0")
    assert (manifest["state"], manifest["attempt"]) == ("succeeded", 2)
    assert_counters_add_up(manifest)
    assert_nothing_is_half_done(cli)


def test_cancel_outlives_the_worker(cli: Cli) -> None:
    """A worker that is killed as it is asked to cancel leaves a job that is cancelled, by it or by the next one.

    That the next one does it is held by `test_cancel_is_not_forgotten_when_the_worker_dies_of_it` in tests/faults.
    """
    add_sources(cli, "s0", files=300)
    worker = cli.start("--watch")
    with commits_held_up(cli):
        cli.run("sync", "s0", "--detach")
        wait_until(lambda: job_of(cli, "s0")["phases"]["extract"]["done"] == 300, what="all waits to be committed")
        cli.run("job", "cancel", "last")
        wait_until(lambda: not list(cli.workspace.glob("jobs/*/requests/*")), what="the request is taken")
        cli.end(worker, signal.SIGKILL)
    cli.start("--watch")
    wait_until(lambda: job_of(cli, "s0")["finished_at"])
    assert (job_of(cli, "s0")["state"], job_of(cli, "s0")["counters"]["items_ingested"]) == ("cancelled", 0)
    assert_nothing_is_half_done(cli)


def test_priority_reorders_what_waits(cli: Cli) -> None:
    """A job that is moved to the front while it waits runs next, and its place in the queue says so at once."""
    add_sources(cli, "s0", "s1", "s2", "s3", files=20, max_running_jobs=1)
    workers = [cli.start("--watch") for _ in range(2)]
    with commits_held_up(cli):
        cli.run("sync", "--all", "--detach")
        wait_until(lambda: job_of(cli, "s0")["state"] == "running")
        assert cli.run("status", job_of(cli, "s3")["job_id"], "--json").json["queue_position"] == 3
        cli.run("job", "priority", job_of(cli, "s3")["job_id"], "1")
        assert cli.run("status", job_of(cli, "s3")["job_id"], "--json").json["queue_position"] == 1
    wait_until(lambda: all(job["finished_at"] for job in cli.manifests()))
    in_order = sorted(cli.manifests(), key=lambda manifest: str(manifest["started_at"]))
    assert [manifest["source_id"] for manifest in in_order] == ["s0", "s3", "s1", "s2"]
    assert [cli.end(worker) for worker in workers] == [0, 0]
