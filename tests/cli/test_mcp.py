"""`ingest-tui mcp` as clients start it: a process of its own, asked over its standard input and output."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.cli.running import Cli
from tests.servers.mcp_agent import Agent
from tests.waiting import wait_until

INITIALIZE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a synced workspace."""
    calls = Cli(tmp_path_factory.mktemp("mcp"))
    calls.write("tide.txt", "The tide follows the moon.")
    calls.init()
    calls.run("sync", "docs")
    calls.close()
    return calls.home


@pytest.fixture
def synced(made: Path, tmp_path: Path) -> Iterator[Cli]:
    """Calls on a copy of it."""
    shutil.copytree(made / "workspace", tmp_path / "workspace")
    calls = Cli(tmp_path)
    yield calls
    calls.close()


def agent_of(cli: Cli, *options: str, mode: str = "legacy") -> Agent:
    """Return an agent that starts the server for each of its questions."""
    command, *arguments = map(os.fsdecode, cli.command("mcp", *options))
    errors = (cli.home / "stderr").open("a+")
    return Agent(
        lambda: stdio_client(
            StdioServerParameters(command=command, args=arguments, env=cli.environment, cwd=cli.home), errlog=errors
        ),
        mode=mode,
    )


class Talk:
    """Lines to and from a server, without a library between."""

    def __init__(self, cli: Cli, *options: str) -> None:
        self.process = subprocess.Popen(
            cli.command("mcp", *options),
            cwd=cli.home,
            env=cli.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def write(self, line: bytes) -> None:
        """Write a line to it."""
        assert self.process.stdin
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """Return its next line."""
        assert self.process.stdout
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        assert found["jsonrpc"] == "2.0"
        return found

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Ask and return the answer."""
        self.write(json.dumps({"jsonrpc": "2.0", "id": method, "method": method, "params": params}).encode())
        found = self.answer()
        assert found["id"] == method
        return found

    def begin(self) -> None:
        """Shake hands."""
        assert "result" in self.ask("initialize", **INITIALIZE)
        self.write(b'{"jsonrpc": "2.0", "method": "notifications/initialized"}')


@pytest.fixture
def talk(synced: Cli) -> Iterator[Talk]:
    """A server that has been greeted."""
    made = Talk(synced)
    made.begin()
    yield made
    made.process.kill()
    made.process.wait()
    for stream in (made.process.stdin, made.process.stdout, made.process.stderr):
        assert stream
        with contextlib.suppress(BrokenPipeError):
            stream.close()


@pytest.mark.parametrize("mode", ["legacy", pytest.param("2026-07-28", marks=pytest.mark.slow)])
def test_an_agent_that_starts_it_finds_and_reads_documents(synced: Cli, mode: str) -> None:
    """The client of the official SDK lists the tools, searches, reads a document and a resource; stderr stays empty."""
    agent = agent_of(synced, mode=mode)

    async def story(client: Any) -> None:
        tools = {one.name for one in (await client.list_tools()).tools}
        assert {"search", "fetch", "freshness", "explain"} <= tools
        assert "sync" not in tools
        found = (await client.call_tool("search", {"query": "tide"})).structured_content
        document_id = found["results"][0]["id"]
        page = (await client.call_tool("fetch", {"id": document_id})).structured_content
        assert page["text"].strip() == "The tide follows the moon."
        contents = (await client.read_resource(f"document://{document_id}")).contents
        assert contents[1].text.strip() == "The tide follows the moon."

    agent.ask(story)
    assert (synced.home / "stderr").read_text() == ""


@pytest.mark.slow
def test_what_an_agent_may_write_is_done_by_a_worker_and_audited(synced: Cli) -> None:
    """A sync that an agent asked for brings the new document in; the audit says that it was an agent."""
    synced.docs.mkdir(exist_ok=True)
    synced.run("source", "add", "local", "more", "--path", synced.docs)
    synced.write("new.txt", "A comet was seen.")
    job = agent_of(synced, "--allow-write").get("sync", source_id="more")
    assert job["has_worker"] is False
    synced.run("worker", "start")
    synced.run("job", "wait", job["job_id"])
    assert agent_of(synced).get("search", query="comet")["results"]
    lines = synced.run("audit", "--json").lines
    assert any(one["by"].startswith("mcp:") and one["target"] == job["job_id"] for one in lines)


@pytest.mark.slow
def test_it_sees_one_collection_and_changes_nothing_when_told_so(synced: Cli) -> None:
    """--collection takes an identifier or a name, --read-only goes with it."""
    synced.run("collection", "add", "Other things")
    assert agent_of(synced, "--collection", "Other things").get("search", query="tide")["results"] == []
    assert agent_of(synced, "--collection", "default", "--read-only").get("search", query="tide")["results"]


@pytest.mark.slow
def test_what_is_wrong_is_said_before_anything_is_served(synced: Cli) -> None:
    """No workspace, no such collection, options that contradict each other: nothing is on stdout."""
    for arguments, code, word in (
        (("mcp", "--collection", "nowhere"), 4, "nowhere"),
        (("mcp", "--allow-write", "--read-only"), 2, "contradict"),
        (("mcp", "--workspace", synced.home / "nowhere"), 4, "nowhere"),
    ):
        ended = synced.run(*arguments, code=code)
        assert ended.out == ""
        assert word in ended.err
        assert "hint:" in ended.err


@pytest.mark.slow
def test_without_the_extra_it_says_how_to_install_it(synced: Cli) -> None:
    """Where the SDK is not installed the error names the extra, and nothing else is needed to run the rest."""
    program = (
        "import sys; sys.modules['mcp'] = None\n"
        f"sys.argv = ['ingest-tui', '--workspace', {str(synced.workspace)!r}, 'mcp']\n"
        "from ingest_tui.__main__ import main; main()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], env=synced.environment, capture_output=True, text=True, check=False, timeout=40
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "mcp, which is not installed" in ended.stderr
    assert "pip install 'ingest-tui[serve]'" in ended.stderr


def test_only_the_protocol_is_on_stdout(talk: Talk) -> None:
    """Each line that is no JSON, no request or no text is refused by its id; the next one is answered."""
    for line, request_id in (
        (b"not json", None),
        (b"\xff\xfe\x00", None),
        (b"[]", None),
        (b'{"jsonrpc": "2.0"}', None),
        (b'{"jsonrpc": "2.0", "id": 1.5, "method": "tools/list"}', None),
        (b'{"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": []}', 3),
        (b'{"jsonrpc": "2.0", "id": 4, "method": "tools/call", "params": {"name": "\\ud800"}}', 4),
        (b'{"jsonrpc": "2.0", "id": "s", "method": "tools/call", "params": {"arguments": {"q": "\\ud800"}}}', "s"),
    ):
        talk.write(line)
        answer = talk.answer()
        assert "error" in answer, line
        assert answer["id"] == request_id
    talk.write(b"")
    assert talk.ask("tools/list")["result"]["tools"]


@pytest.mark.slow
def test_it_ends_with_its_client(talk: Talk) -> None:
    """At the end of stdin it ends with 0, whatever it was asked before, and says nothing."""
    talk.write(b'{"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": {"name": "list_sources"}}')
    _, errors = talk.process.communicate(timeout=30)
    assert (talk.process.returncode, errors) == (0, b"")


@pytest.mark.slow
def test_it_ends_quietly_when_nobody_reads_its_answers(talk: Talk) -> None:
    """A client that died cannot be answered: that is no failure."""
    assert talk.process.stdin
    assert talk.process.stdout
    assert talk.process.stderr
    talk.process.stdout.close()
    talk.write(b'{"jsonrpc": "2.0", "id": 9, "method": "tools/list"}')
    talk.process.stdin.close()
    assert talk.process.wait(30) == 0
    assert talk.process.stderr.read() == b""


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_signals_end_it_though_its_client_is_there(talk: Talk, number: signal.Signals, code: int) -> None:
    """It does not wait for a line on stdin that may never come."""
    talk.process.send_signal(number)
    assert talk.process.wait(30) == code


@pytest.mark.slow
def test_a_person_who_runs_it_is_told_what_it_waits_for(synced: Cli) -> None:
    """In a terminal it says so on stderr; Ctrl-C ends it."""
    leader, follower = os.openpty()
    process = subprocess.Popen(
        synced.command("mcp"), cwd=synced.home, env=synced.environment, stdin=follower, stderr=subprocess.PIPE
    )
    assert process.stderr
    try:
        said = process.stderr.readline().decode()
        assert "Ctrl-C" in said
        process.send_signal(signal.SIGINT)
        wait_until(lambda: process.poll() is not None)
        assert process.returncode == 130
    finally:
        process.kill()
        process.communicate()
        os.close(leader)
        os.close(follower)
