"""`ingest-tui serve` as a process: where it listens, who is let in, how it ends, how much it can take."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import ssl
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.cli.running import Cli
from tests.servers.certificates import own_certificate
from tests.servers.running_server import running_server
from tests.waiting import wait_until

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def connection(address: str) -> http.client.HTTPConnection:
    """Return a connection to a server."""
    parts = urlsplit(address)
    return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)


def ask(address: str, path: str, method: str = "GET", body: Any = None, **headers: str) -> tuple[int, Any]:
    """Return the status and the JSON that a server answers."""
    with closing(connection(address)) as asking:
        return ask_by(asking, path, method, body, **headers)


def ask_by(
    asking: http.client.HTTPConnection, path: str, method: str = "GET", body: Any = None, **headers: str
) -> tuple[int, Any]:
    """Ask over a connection that is there."""
    sent = None if body is None else json.dumps(body).encode()
    asking.request(method, path, sent, {"Content-Type": "application/json", **headers} if sent else headers)
    answer = asking.getresponse()
    return answer.status, json.loads(answer.read())


@contextmanager
def short_path(folder: Path) -> Iterator[Path]:
    """Give a folder a path that is short enough for the address of a socket."""
    descriptor = os.open(folder, os.O_PATH)
    try:
        yield Path(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


def ask_at(path: Path, what: str) -> tuple[int, Any]:
    """Ask at a Unix socket."""
    with closing(http.client.HTTPConnection("localhost", timeout=60)) as asking:
        asking.sock = socket.socket(socket.AF_UNIX)
        with short_path(path.parent) as folder:
            asking.sock.connect(str(folder / path.name))
        return ask_by(asking, what)


def serving_at(cli: Cli, name: str) -> subprocess.Popen[bytes]:
    """Serve at a Unix socket in the folder of the calls."""
    process = cli.start("serve", "--socket", name)
    wait_until(lambda: "serving at" in cli.output_of(process), seconds=60)
    return process


@pytest.mark.slow
def test_a_server_serves_until_it_is_asked_to_end(cli: Cli) -> None:
    """It says where it is, answers, refuses other names, and ends with 0 at SIGTERM, also with who follows jobs."""
    cli.write("a.txt")
    cli.init()
    job_id = cli.sync()["job_id"]
    with running_server(cli) as (process, address):
        assert ask(address, f"/ingest/{job_id}")[1]["state"] == "succeeded"
        assert ask(address, "/sources", Host="evil.example")[0] == 421
        taken = cli.run("serve", "--port", str(urlsplit(address).port), code=5)
        assert "cannot listen" in taken.err
        with closing(connection(address)) as following:
            following.request("GET", "/events")
            answer = following.getresponse()
            assert b"retry" in answer.readline()
            events = iter(answer.readline, b"")
            assert any(job_id.encode() in line for line in events)
            assert cli.end(process, seconds=30) == 0


@pytest.mark.slow
def test_a_job_is_seen_to_its_end_by_who_follows_it(cli: Cli) -> None:
    """A sync that is asked for over HTTP is done by a worker, and its last event says how it ended."""
    cli.write("a.txt")
    cli.init()
    with running_server(cli) as (_process, address):
        status, job = ask(address, "/sources/docs/sync", "POST", {})
        assert status == 202
        worker = cli.start("--watch")
        with closing(connection(address)) as following:
            following.request("GET", f"/jobs/{job['job_id']}/events")
            lines = following.getresponse().read().decode().splitlines()
        states = [json.loads(line[6:])["state"] for line in lines if line.startswith("data: ")]
        assert states[-1] == "succeeded"
        assert cli.end(worker) == 0


@pytest.mark.slow
def test_a_worker_serves_too(cli: Cli) -> None:
    """With --watch --serve a file is uploaded, taken in and found over HTTP; a second one stands by; both end well."""
    cli.init()
    worker = cli.start("--watch", "--serve", "0")
    place = re.compile(r"serving at (\S+)")
    address = wait_until(lambda: place.search(cli.output_of(worker)), seconds=60)[1]  # type: ignore[index]
    sent = {"documents": [{"name": "storm.txt", "content": "the barometer falls"}]}
    job = ask(address, "/ingest", "POST", sent)[1]
    wait_until(lambda: ask(address, f"/ingest/{job['job_id']}")[1]["state"] == "succeeded", seconds=60)
    assert ask(address, "/search?q=barometer")[1]["items"][0]["title"] == "storm.txt"
    port = urlsplit(address).port
    second = cli.start("--watch", "--serve", str(port))
    wait_until(lambda: "the server cannot be started" in cli.output_of(second), seconds=60)
    assert cli.end(worker, seconds=30) == 0
    wait_until(lambda: place.search(cli.output_of(second)), seconds=60)
    assert ask(address, "/health")[0] == 200
    assert cli.end(second, seconds=30) == 0
    assert "--serve goes with --watch" in cli.run("--serve", "1", "status", code=2).err


@pytest.mark.slow
def test_a_socket_is_its_owners(cli: Cli) -> None:
    """A Unix socket needs no token, though there is one; only its owner may open it; it is gone afterwards."""
    cli.init()
    cli.run("serve", "token", "add", "agent")
    with socket.socket(socket.AF_UNIX) as dead, short_path(cli.home) as folder:
        dead.bind(str(folder / "dead.sock"))
    for name in ("s.sock", "dead.sock"):
        process = serving_at(cli, name)
        assert stat.S_IMODE((cli.home / name).stat().st_mode) == 0o600
        assert ask_at(cli.home / name, "/audit")[0] == 200
        assert cli.run("serve", "--socket", name, code=5).err.startswith("error: another server")
        assert cli.end(process) == 0
        assert not (cli.home / name).exists()
    (cli.home / "file").write_text("mine")
    assert cli.run("serve", "--socket", "file", code=2).err.startswith("error:")
    assert (cli.home / "file").read_text() == "mine"


@pytest.mark.slow
def test_other_machines_need_tokens(cli: Cli) -> None:
    """An address that others reach is refused while nobody has a token; with one, TLS is missed, or used."""
    cli.init()
    refused = cli.run("serve", "--host", "0.0.0.0", "--port", "0", code=2)
    assert "nobody has a token" in refused.err
    secret = cli.run("serve", "token", "add", "agent", "--json").json["token"]
    with running_server(cli, "--host", "0.0.0.0") as (process, address):
        assert "without TLS" in cli.output_of(process)
        here = address.replace("0.0.0.0", "127.0.0.1")
        assert ask(here, "/jobs")[0] == 401
        assert ask(here, "/jobs", Authorization=f"Bearer {secret}")[0] == 200
        cli.run("serve", "token", "revoke", "agent")
        assert ask(here, "/jobs", Authorization=f"Bearer {secret}")[0] == 401


@pytest.mark.slow
def test_tls_is_used_or_refused_at_the_start(cli: Cli) -> None:
    """With a certificate and its key it is HTTPS; half of them, nonsense or a missing file is refused at once."""
    cli.init()
    _context, certificate = own_certificate(cli.home)
    key = certificate.with_name("key.pem")
    with running_server(cli, "--tls-cert", certificate, "--tls-key", key) as (_process, address):
        assert address.startswith("https://")
        parts = urlsplit(address)
        trusted = ssl.create_default_context(cafile=str(certificate))
        with closing(http.client.HTTPSConnection("127.0.0.1", parts.port, timeout=60, context=trusted)) as asking:
            assert ask_by(asking, "/health")[0] == 200
    wrong = cli.home / "wrong.pem"
    wrong.write_text("no certificate")
    for options in (
        ("--tls-cert", certificate),
        ("--tls-cert", wrong, "--tls-key", key),
        ("--tls-cert", "none", "--tls-key", key),
    ):
        assert cli.run("serve", "--port", "0", *options, code=2).err.startswith("error:")


@pytest.mark.slow
def test_without_the_extra_the_command_says_what_to_install(cli: Cli) -> None:
    """No traceback: which package is missing, and what brings it."""
    cli.init()
    (cli.home / "uvicorn.py").write_text("raise ModuleNotFoundError('no', name='uvicorn')")
    cli.environment["PYTHONPATH"] = f"{cli.home}:{cli.environment['PYTHONPATH']}"
    failed = cli.run("serve", code=1)
    assert "uvicorn" in failed.err
    assert "ingest-tui[serve]" in failed.err


@pytest.mark.slow
def test_two_hundred_clients_at_once(cli: Cli) -> None:
    """Each of 200 clients that read and write at once gets right answers, and memory does not grow with them."""
    cli.write("storm.md", "# Storm\n\nThe barometer falls before a storm.\n")
    cli.init()
    cli.sync()
    with running_server(cli) as (process, address):
        ready = threading.Barrier(200)

        def client(number: int) -> list[int]:
            found = []
            with closing(connection(address)) as asking:
                ready.wait(120)
                for turn in range(3):
                    status, answer = ask_by(asking, "/search?q=barometer")
                    assert [hit["title"] for hit in answer["items"]] == ["Storm"]
                    found.append(status)
                    name = {"unique_id": f"note-{number}", "content": f"note {number} of turn {turn}"}
                    found.append(ask_by(asking, "/documents", "POST", name)[0])
                    found.append(ask_by(asking, "/jobs?limit=5")[0])
            return found

        def turn() -> list[int]:
            with ThreadPoolExecutor(200) as clients:
                return [status for found in clients.map(client, range(200)) for status in found]

        assert set(turn()) == {200, 201}
        before = resident_megabytes(process)
        assert set(turn()) == {200, 201}
        assert resident_megabytes(process) - before < 100
        total = ask(address, "/documents?contains=note-&limit=1")[1]["total"]
        assert total == 200


def resident_megabytes(process: subprocess.Popen[bytes]) -> float:
    """Return how much memory a process has."""
    text = Path(f"/proc/{process.pid}/status").read_text()
    (line,) = (line for line in text.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


@pytest.mark.slow
def test_requests_that_a_tester_makes_up_break_nothing(cli: Cli) -> None:
    """Schemathesis makes requests, valid and not, of the OpenAPI document: no 5xx, no answer that it does not allow."""
    cli.write("a.txt")
    cli.init()
    cli.sync()
    with running_server(cli) as (_process, address):
        tested = subprocess.run(
            [
                *(sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"),
                *("run", f"{address}/openapi.json", "--no-color"),
                *("--checks", CHECKS, "--phases", "fuzzing", "--max-examples", "6", "--generation-deterministic"),
                *("--exclude-path", "/events"),
            ],
            cwd=cli.home,
            env=cli.environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert tested.returncode == 0, tested.stdout[-6000:] + tested.stderr[-2000:]
        assert cli.output_of(_process).count("error: unexpected") == 0
