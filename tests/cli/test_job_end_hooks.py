"""Commands and webhooks at the end of a job, through real processes and a real server."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.model.job_end_hook import signature_of
from tests.cli.running import Cli
from tests.servers.webhook_receiver import Receiver
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

SECRET = "canary-of-a-webhook-0451"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().serving() as server:
        yield server


@pytest.fixture
def watched(cli: Cli) -> Cli:
    cli.init("--no-watch")
    cli.write("a.txt", "alpha")
    cli.environment["HOOK_SECRET"] = SECRET
    return cli


def hook(**fields: Any) -> dict[str, Any]:
    return {"name": "chat", "states": [], **fields}


def notes(cli: Cli) -> list[dict[str, Any]]:
    return [line for line in cli.run("audit", "--json").lines if line["action"] == "job.notify"]


def test_a_webhook_is_called_signed_and_called_again(watched: Cli, receiver: Receiver) -> None:
    """A worker signs what it sends, tries again what may pass, and keeps the secret out of every file."""
    receiver.answers = [HTTPStatus.SERVICE_UNAVAILABLE]
    watched.change_settings(on_job_end=[hook(url=receiver.url, secret="env:HOOK_SECRET")])
    worker = watched.start("--watch")
    wait_until(lambda: "worker started" in watched.output_of(worker))
    manifest = watched.sync()
    wait_until(lambda: len(receiver.calls) == 2, what="it is called again after 503")
    wait_until(lambda: "told that the job has ended" in watched.output_of(worker))
    assert watched.end(worker) == 0
    for headers, body in receiver.calls:
        event = json.loads(body)
        assert (event["type"], event["job_id"], event["state"]) == ("job.end", manifest["job_id"], "succeeded")
        assert headers["webhook-id"] == manifest["job_id"]
        expected = signature_of(SECRET, headers["webhook-id"], int(headers["webhook-timestamp"]), body)
        assert headers["webhook-signature"] == expected
    assert notes(watched) == []
    assert SECRET not in watched.output_of(worker)
    written = [path for path in watched.workspace.rglob("*") if path.is_file()]
    assert not [path for path in written if SECRET.encode() in path.read_bytes()]


def test_a_receiver_that_does_not_answer_holds_up_nothing(watched: Cli, receiver: Receiver) -> None:
    """While a webhook hangs, the next jobs run; when the worker is stopped it ends all the same."""
    receiver.is_open.clear()
    watched.change_settings(on_job_end=[hook(url=receiver.url)])
    worker = watched.start("--watch")
    wait_until(lambda: "worker started" in watched.output_of(worker))
    watched.sync()
    watched.write("b.txt", "beta")
    watched.sync()
    watched.write("c.txt", "gamma")
    watched.sync()
    assert receiver.calls == []
    assert watched.end(worker, seconds=30) == 0


def test_what_refuses_is_not_asked_again_and_is_in_the_audit(watched: Cli, receiver: Receiver) -> None:
    """A refusal and a redirect are failures: logged, in the audit, and no reason for the job to fail."""
    receiver.answers = [HTTPStatus.NOT_FOUND, HTTPStatus.FOUND]
    watched.change_settings(on_job_end=[hook(url=receiver.url)])
    told = watched.run("sync", "docs").err
    assert "nobody was told that the job has ended: chat: it answered 404" in told
    watched.run("sync", "docs")
    assert len(receiver.calls) == 2, "neither again nor to where it was redirected"
    assert [(note["outcome"], note["details"]["reason"]) for note in notes(watched)] == [
        ("failed", "it answered 404"),
        ("failed", "it answered 302"),
    ]
    assert [manifest["state"] for manifest in watched.manifests()] == ["succeeded", "succeeded"]


def test_a_chat_gets_a_text_and_a_url_may_be_secret(watched: Cli, receiver: Receiver) -> None:
    """With ``body`` text only a line for people is sent; the url comes from the environment and is shown nowhere."""
    watched.environment["CHAT_URL"] = receiver.url
    watched.change_settings(on_job_end=[hook(url="env:CHAT_URL", body="text")])
    job = watched.sync()["job_id"]
    [(headers, body)] = receiver.calls
    assert json.loads(body) == {"text": f"sync of docs: succeeded (1 ingested), job {job}"}
    assert "webhook-signature" not in headers
    del watched.environment["CHAT_URL"]
    assert "env:CHAT_URL is not set" in watched.run("sync", "docs").err


def test_a_command_gets_the_event_and_no_secrets(watched: Cli) -> None:
    """It reads the event from its input and finds the words of a mail in its environment, which is not ours."""
    out = watched.home / "told.json"
    program = (
        "import json, os, sys; "
        f"open({str(out)!r}, 'w').write(json.dumps([json.load(sys.stdin), dict(os.environ), sys.argv[1:]]))"
    )
    watched.change_settings(on_job_end=[hook(command=[sys.executable, "-c", program, "$(id) ; *"])])
    job = watched.sync()["job_id"]
    event, environment, arguments = json.loads(out.read_text())
    assert event["job_id"] == job
    assert environment["INGEST_TUI_JOB_TEXT"] == event["text"]
    assert environment["INGEST_TUI_JOB_STATE"] == "succeeded"
    assert arguments == ["$(id) ; *"], "no shell reads it"
    assert SECRET not in environment.values()


def test_a_command_that_fails_or_hangs_is_noted(watched: Cli) -> None:
    """An exit code, a program that is not there, and one that does not end are failures of the hook alone."""
    hooks = [
        hook(name="failing", command=["/bin/false"]),
        hook(name="missing", command=["/nowhere/program"]),
        hook(name="hanging", command=["/bin/sleep", "600"], seconds=0.2),
    ]
    watched.change_settings(on_job_end=hooks)
    assert watched.sync()["state"] == "succeeded"
    reasons = {note["details"]["hook"]: note["details"]["reason"] for note in notes(watched)}
    assert reasons == {
        "failing": "the command ended with 1",
        "missing": "the command cannot be started: No such file or directory",
        "hanging": "the command took longer than 0.2 s and was ended",
    }


def waiting_for(cli: Cli) -> dict[str, list[str]]:
    """Return the hooks that are still to be told, by job."""
    found = {}
    for path in (cli.workspace / "notices").glob("*.json"):
        notice = json.loads(path.read_text())
        found[notice["job_id"]] = [one["name"] for one in notice["waiting"]]
    return found


def test_what_a_worker_that_ends_has_not_told_the_next_one_tells(watched: Cli, receiver: Receiver) -> None:
    """Commands and receivers that hang keep others from being told: all are told later, and no program is left."""
    receiver.is_open.clear()
    program = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(600)"
    pid = watched.home / "pid"
    hanging = hook(name="program", command=[sys.executable, "-c", program, str(pid)], seconds=500)
    others = [hook(name="receiver", url=receiver.url, seconds=500), hook(name="waits", command=["/bin/true"])]
    watched.change_settings(on_job_end=[hanging, *others])
    worker = watched.start("--watch")
    wait_until(lambda: "worker started" in watched.output_of(worker))
    job = watched.sync()["job_id"]
    wait_until(lambda: pid.exists() and pid.read_text())
    assert watched.end(worker, seconds=60) == 0
    assert "not told yet that the job has ended" in watched.output_of(worker)
    assert waiting_for(watched) == {job: ["program", "receiver", "waits"]}
    assert not Path("/proc", pid.read_text()).exists()
    watched.change_settings(on_job_end=[hook(name="program", command=["/bin/true"]), *others])
    receiver.is_open.set()
    worker = watched.start("--watch")
    wait_until(lambda: waiting_for(watched) == {}, what="the next worker tells all of them")
    assert json.loads(receiver.calls[-1][1])["id"] == job
    assert watched.end(worker) == 0
    assert notes(watched) == []


def test_a_killed_worker_loses_no_call(watched: Cli, receiver: Receiver) -> None:
    """kill -9 while a receiver holds the line: it hears of the job from the next process, with the same id."""
    receiver.is_open.clear()
    watched.change_settings(on_job_end=[hook(url=receiver.url, seconds=500)])
    worker = watched.start("--watch")
    wait_until(lambda: "worker started" in watched.output_of(worker))
    job = watched.sync()["job_id"]
    wait_until(lambda: waiting_for(watched) == {job: ["chat"]})
    worker.kill()
    worker.wait()
    receiver.is_open.set()
    watched.write("b.txt", "beta")
    watched.run("sync", "docs")
    jobs = {manifest["job_id"] for manifest in watched.manifests()}
    assert len(jobs) == 2
    assert {json.loads(body)["id"] for _headers, body in receiver.calls} == jobs
    assert {headers["webhook-id"] for headers, _body in receiver.calls} == jobs
    assert list((watched.workspace / "notices").iterdir()) == []


def test_hooks_that_cannot_work_are_named(watched: Cli) -> None:
    """A secret that is written into workspace.json is refused with the words for it."""
    watched.change_settings(on_job_end=[hook(url="https://chat.example.org/", secret="plain")])
    told = watched.run("job", "list", code=None)
    assert told.code != 0
    assert "on_job_end" in told.err
    assert "Traceback" not in told.err


def test_an_entry_is_tried_before_a_job_ends(watched: Cli, receiver: Receiver) -> None:
    """The command is run, the webhook called and signed, once; what fails, and a name that is none, is said."""
    log = watched.home / "told.json"
    command = [sys.executable, "-c", f"import sys; open({str(log)!r}, 'w').write(sys.stdin.read())"]
    chat = hook(url=receiver.url, secret="env:HOOK_SECRET")
    watched.change_settings(on_job_end=[chat, {"name": "mail", "command": command, "states": ["failed"]}])
    assert watched.run("--read-only", "config", "test", "mail").out.startswith(
        "mail was told: trial of default: failed"
    )
    assert json.loads(log.read_text())["job_id"] == "trial"
    assert watched.run("config", "test", "chat", "--json").json["name"] == "chat"
    [(headers, body)] = receiver.calls
    assert headers["webhook-signature"] == signature_of(SECRET, "trial", int(headers["webhook-timestamp"]), body)
    receiver.answers = [HTTPStatus.SERVICE_UNAVAILABLE]
    assert "503" in watched.run("config", "test", "chat", code=1).err
    assert "mail" in watched.run("config", "test", "mial", code=4).err
    watched.change_settings(on_job_end=[hook(url="http://127.0.0.1:1/hook"), {"name": "no", "command": ["/bin/false"]}])
    assert "error: " in watched.run("config", "test", "chat", code=1).err
    assert "ended with 1" in watched.run("config", "test", "no", code=1).err
    assert watched.manifests() == []
