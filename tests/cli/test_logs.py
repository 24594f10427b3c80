"""Logs of jobs and of the worker: JSON lines that say what they are about, text for people, and no secrets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.running import SAMPLES, Cli
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

SECRET = "hunter2-Correct-Horse"


def with_a_failure(cli: Cli) -> None:
    """Make a workspace whose job has good and bad files."""
    cli.write("a.md", "# alpha")
    cli.write("broken.docx", (SAMPLES / "special-cases" / "broken.docx").read_bytes())
    cli.init()
    cli.sync(code=3)


def job_lines(cli: Cli) -> list[dict[str, Any]]:
    [path] = cli.workspace.glob("jobs/*/log.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_line_of_a_job_says_what_it_is_about(cli: Cli) -> None:
    """Each line carries time, level, message, job and source; those of an item its document and phase too."""
    with_a_failure(cli)
    lines = job_lines(cli)
    [job_id] = {line["job"] for line in lines}
    assert job_id == cli.manifests()[0]["job_id"]
    assert {line["source"] for line in lines} == {"docs"}
    assert all(line["at"].endswith("Z") and line["message"] for line in lines)
    [failure] = [line for line in lines if line["level"] == "warning"]
    assert failure["document"].endswith("/broken.docx")
    assert failure["phase"] == "extract"


def test_a_job_that_cannot_begin_says_where(cli: Cli) -> None:
    """An error of the whole job is in the log with its code."""
    cli.init()
    cli.docs.rmdir()
    cli.run("sync", "docs", code=1)
    error = next(line for line in job_lines(cli) if line["level"] == "error")
    assert error["code"]
    assert error["source"] == "docs"


def test_logs_are_text_for_people_and_json_for_programs(cli: Cli) -> None:
    """`job logs` prints one line of text an event, --json the lines as they are, --level only what matters."""
    with_a_failure(cli)
    told = cli.run("job", "logs", "last").out.splitlines()
    lines = cli.run("job", "logs", "last", "--json").lines
    assert lines == job_lines(cli)
    assert len(told) == len(lines)
    assert told[0].startswith(lines[0]["at"])
    assert "job started" in told[0]
    for level, number in (("debug", len(lines)), ("info", len(lines)), ("warning", 1), ("error", 0)):
        assert len(cli.run("job", "logs", "last", "--level", level, "--json").lines) == number
    assert "broken.docx" in cli.run("job", "logs", "last", "--level", "warning").out


def test_logs_can_be_followed_to_the_end(cli: Cli) -> None:
    """--follow prints what is there, then what comes, and ends with the job."""
    cli.write("a.md", "# alpha")
    cli.init()
    job_id = cli.run("sync", "docs", "--detach", "--json").json["job_id"]
    following = cli.start("job", "logs", job_id, "--follow", "--json")
    cli.run("sync", "docs")
    assert following.wait(20) == 0
    messages = [json.loads(line)["message"] for line in cli.output_of(following).splitlines()]
    assert (messages[0], messages[-1]) == ("job started", "job succeeded")


def test_the_log_of_a_worker_is_json_unless_text_is_asked_for(cli: Cli) -> None:
    """`worker start` writes JSON lines with level, job and source; --log-format text writes them for people."""
    cli.write("a.md", "# alpha")
    cli.init()
    log = cli.workspace / "worker.log"
    cli.run("worker", "start")
    cli.run("sync", "docs")
    wait_until(lambda: "job succeeded" in log.read_text())
    cli.run("worker", "stop")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["message"] for line in lines] == ["worker started", "job started", "job succeeded", "worker ended"]
    assert all(line["at"] and line["level"] == "info" for line in lines)
    assert [(line["job"], line["source"]) for line in lines[1:3]] == [(cli.manifests()[0]["job_id"], "docs")] * 2
    log.unlink()
    cli.run("--log-format", "text", "worker", "start")
    cli.run("worker", "stop")
    assert [line.split(maxsplit=2)[1] for line in log.read_text().splitlines()] == ["info", "info"]


def test_a_failure_nobody_foresaw_is_one_line_of_the_worker(cli: Cli) -> None:
    """A thread of the worker that breaks leaves a JSON line with where it broke, and no traceback that quotes data."""
    cli.write("a.md", "# alpha")
    cli.init()
    breaking = (
        "import ingest_tui.worker.engine as engine\n"
        f"def broken(job): raise RuntimeError('password={SECRET}')\n"
        "engine.run_job = broken\n"
    )
    (cli.home / "sitecustomize.py").write_text(breaking)
    cli.environment["PYTHONPATH"] += f":{cli.home}"
    worker = cli.start("--log-format", "json", "--watch")
    cli.run("sync", "docs", "--detach")
    wait_until(lambda: "unexpected RuntimeError" in cli.output_of(worker), what="the line of the failure")
    cli.end(worker)
    lines = [json.loads(line) for line in cli.output_of(worker).splitlines()]
    failure = next(line for line in lines if "unexpected RuntimeError" in line.get("error", ""))
    assert (failure["level"], failure["kind"]) == ("error", "RuntimeError")
    assert any(place.startswith("broken:") for place in failure["places"])
    assert SECRET not in cli.output_of(worker)


def test_errors_on_stderr_hold_no_secrets(cli: Cli) -> None:
    """What was typed wrongly is repeated without what looks like a secret, as text, as JSON, and with --debug."""
    cli.init()
    address = f"https://me:{SECRET}@host/x?sig={SECRET}"
    for options in ((), ("--json",)):
        told = cli.run("doc", "show", address, *options, code=4).err
        assert SECRET not in told
        assert "[redacted]" in told
    told = cli.run("--debug", "doc", "show", address, code=1).err
    assert "Traceback" in told
    assert SECRET not in told


def test_the_logs_of_all_jobs_are_printed_in_the_order_of_their_times(cli: Cli) -> None:
    """`job logs` without a job is what the TUI's view of logs shows: every job, and the worker."""
    with_a_failure(cli)
    cli.run("sync", "docs", "--force", code=3)
    lines = cli.run("job", "logs", "--json").lines
    assert len({line["job"] for line in lines}) == 2
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    warnings = cli.run("job", "logs", "--level", "warning", "--json").lines
    assert [line["document"].rpartition("/")[2] for line in warnings] == ["broken.docx"] * 2
    assert len(cli.run("job", "logs").out.splitlines()) == len(lines)


def test_following_a_job_ends_with_its_exit_code(cli: Cli) -> None:
    """A job with failed items ends what follows it with 3; without --follow the log was printed, which is 0."""
    with_a_failure(cli)
    assert cli.run("logs", "last", "--follow", code=3).out == cli.run("job", "logs", "last").out
    cli.run("logs", "last", "--job", "last", code=2)


def test_lines_of_all_logs_are_chosen(cli: Cli) -> None:
    """By source, document and time, also those that are not at the ends of the logs."""
    with_a_failure(cli)
    assert [line["level"] for line in cli.run("logs", "--document", "broken", "--json").lines] == ["warning"]
    assert len(cli.run("logs", "--source", "docs", "--json").lines) == len(job_lines(cli))
    assert cli.run("logs", "--since", "2990", "--json").lines == []
    cli.run("logs", "--since", "yesterday", code=2)
    cli.run("logs", "--source", "nobody", code=4)


def test_logs_of_a_worker_and_its_jobs_do_not_grow_for_ever(cli: Cli) -> None:
    """With small limits the logs are put aside, and what is printed has no gap at its end."""
    for number in range(60):
        cli.write(f"{number}.docx", (SAMPLES / "special-cases" / "broken.docx").read_bytes())
    cli.init(log_size=4096, log_files=2)
    cli.sync(code=3)
    [job] = (cli.workspace / "jobs").iterdir()
    assert len(list(job.glob("log.*"))) == 2
    lines = cli.run("logs", "last", "--json").lines
    assert lines[-1]["message"] == "job partial"
    assert 10 < len(lines) < 60
    assert cli.run("verify", "--deep").code == 0


def test_the_journal_has_levels_and_no_times(cli: Cli) -> None:
    """Where systemd says that stderr is its journal, lines begin with the level, and have no time of their own."""
    cli.write("a.md", "# alpha")
    cli.init()
    told = cli.run("--log-format", "journal", "sync", "docs", "--json")
    assert told.json["state"] == "succeeded"
    cli.run("source", "disable", "docs")
    worker = cli.start("--log-format", "journal", "--watch")
    wait_until(lambda: "worker started" in cli.output_of(worker))
    cli.end(worker)
    assert all(line.startswith("<6>") and "T" not in line[:8] for line in cli.output_of(worker).splitlines())
