"""Removing sources and documents while a job works on them: refused, or waited for with --wait."""

from __future__ import annotations

import contextlib
import fcntl
import signal
import subprocess
from collections.abc import Iterator

import pytest

from tests.cli.running import Cli
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

REMOVALS = {"source": ("source", "remove", "docs", "--yes"), "doc": ("doc", "remove", "docs/first.txt", "--yes")}


@contextlib.contextmanager
def job_in_the_middle(cli: Cli) -> Iterator[subprocess.Popen[bytes]]:
    """A sync that has taken in ``first.txt`` before and cannot commit ``second.txt`` until the block is left."""
    cli.write("first.txt", "alpha")
    cli.init()
    cli.sync()
    cli.write("second.txt", "beta")
    with (cli.workspace / "locks" / "commit.lock").open("ab") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        worker = cli.start("sync", "docs")
        wait_until(lambda: len(cli.manifests()) == 2, seconds=40, what="the second job")
        wait_until(lambda: cli.manifests()[-1]["phases"]["stage"]["done"], seconds=40, what="a job in the middle")
        yield worker


def everything(cli: Cli) -> tuple[str, str]:
    return cli.run("source", "list", "--json").json[0]["source_id"], cli.run("doc", "list", "--json").out


@pytest.mark.parametrize("what", REMOVALS)
def test_removal_is_refused_with_the_job_and_both_ways_out(cli: Cli, what: str) -> None:
    """Without --wait the call ends with 5, names the job, and says how to wait for it or end it."""
    with job_in_the_middle(cli) as worker:
        before = everything(cli)
        told = cli.run(*REMOVALS[what], code=5).err
        job_id = cli.manifests()[-1]["job_id"]
        assert f"job {job_id} works on source 'docs'" in told
        assert "--wait" in told
        assert f"job cancel {job_id}" in told
        late = cli.run(*REMOVALS[what], "--wait", "--timeout", "0.3", "--json", code=5)
        assert late.error["details"]["job_id"] == job_id
        assert everything(cli) == before
    assert worker.wait(40) == 0


@pytest.mark.parametrize("what", REMOVALS)
def test_removal_waits_for_the_end_of_the_job(cli: Cli, what: str) -> None:
    """With --wait it says once for which job it waits, and removes what is there when the job has ended."""
    with job_in_the_middle(cli) as worker:
        waiting = cli.start(*REMOVALS[what], "--wait")
        wait_until(lambda: "waiting for job" in cli.output_of(waiting), seconds=40, what="waiting")
        assert waiting.poll() is None
    assert (worker.wait(40), waiting.wait(40)) == (0, 0)
    told = cli.output_of(waiting)
    assert told.count("waiting for job") == 1
    assert cli.manifests()[-1]["job_id"] in told
    assert cli.manifests()[-1]["state"] == "succeeded"
    retired = {document["key"] for document in cli.run("doc", "list", "--retired", "--json").json}
    assert retired == ({"first.txt", "second.txt"} if what == "source" else {"first.txt"})
    assert len(cli.run("source", "list", "--json").json) == (0 if what == "source" else 1)


@pytest.mark.parametrize("what", REMOVALS)
def test_interrupted_waiting_leaves_everything_as_it_was(cli: Cli, what: str) -> None:
    """Ctrl-C while it waits ends with 130; source, documents and the job stay."""
    with job_in_the_middle(cli) as worker:
        before = everything(cli)
        waiting = cli.start(*REMOVALS[what], "--wait")
        wait_until(lambda: "waiting for job" in cli.output_of(waiting), seconds=40, what="waiting")
        assert cli.end(waiting, signal.SIGINT) == 130
        assert everything(cli) == before
    assert worker.wait(40) == 0
    assert cli.found("alpha") == {"first.txt"}


def test_waiting_without_a_worker_says_so(cli: Cli) -> None:
    """A queued job that nobody will run is reported, with what to do; --timeout alone is a mistake."""
    cli.write("first.txt", "alpha")
    cli.init()
    cli.run("sync", "docs", "--detach")
    told = cli.run("source", "remove", "docs", "--yes", "--wait", "--timeout", "0.2", code=5).err
    assert "worker start" in told
    cli.run("job", "pause", "last")
    told = cli.run("source", "remove", "docs", "--yes", "--wait", "--timeout", "0.2", code=5).err
    assert "job resume" in told
    assert "--wait" in cli.run("source", "remove", "docs", "--yes", "--timeout", "3", code=2).err
