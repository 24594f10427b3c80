"""The command line against a server: each command prints and ends as it does on the workspace itself."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import Cli, Result
from tests.servers.certificates import own_certificate
from tests.servers.running_server import running_server
from tests.waiting import wait_until


class RemoteCli(Cli):
    """Calls of the program in the folder of others, on the workspace that a server has."""

    def __init__(self, cli: Cli, *options: str | Path) -> None:
        super().__init__(cli.home)
        self.environment = dict(cli.environment)
        self._options = options

    def command(self, *arguments: str | bytes | Path) -> list[bytes]:
        """Return the whole command line of a call."""
        program, module, name, *_workspace = super().command()
        return [program, module, name, *(os.fsencode(part) for part in (*self._options, *arguments))]


CALLS: tuple[tuple[str, ...], ...] = (
    ("status",),
    ("status", "--json"),
    ("status", "last", "--json"),
    ("status", "last"),
    ("job", "list"),
    ("job", "list", "--json"),
    ("job", "list", "--state", "partial", "--source", "docs", "-o", "yaml"),
    ("job", "list", "--source", "nobody"),
    ("job", "show", "last"),
    ("job", "show", "last", "--json"),
    ("job", "show", "none-of-these"),
    ("job", "items", "last"),
    ("job", "items", "last", "-o", "csv"),
    ("job", "items", "last", "--outcome", "failed", "--outcome", "rejected"),
    ("job", "items", "last", "--warnings"),
    ("job", "items", "last", "--held", "--json"),
    ("job", "errors", "last"),
    ("job", "errors", "last", "--by-reason"),
    ("job", "errors", "last", "--by-reason", "--json"),
    ("job", "logs", "last"),
    ("job", "logs", "last", "--level", "info", "--json"),
    ("job", "wait", "last"),
    ("job", "wait", "last", "--json"),
    ("job", "cancel", "last", "--dry-run"),
    ("job", "cancel", "last"),
    ("job", "cancel", "last", "--json"),
    ("job", "pause", "last"),
    ("job", "resume", "last"),
    ("job", "priority", "last", "5"),
    ("job", "approve", "last"),
    ("job", "refuse", "last"),
    ("job", "withdraw", "last"),
    ("source", "list"),
    ("source", "list", "--json"),
    ("source", "show", "docs"),
    ("source", "show", "docs", "--json"),
    ("source", "show", "nobody"),
    ("source", "test", "docs"),
    ("source", "test", "docs", "--json"),
    ("source", "test", "nobody"),
    ("plan", "docs"),
    ("plan", "docs", "--all", "--json"),
    ("sync", "docs", "--dry-run"),
    ("sync", "nobody"),
    ("sync", "docs", "--all"),
    ("collection", "list"),
    ("collection", "list", "--json"),
    ("collection", "show", "default"),
    ("collection", "show", "default", "--json"),
    ("collection", "show", "DEFAULT"),
    ("doc", "list"),
    ("doc", "list", "--json"),
    ("doc", "list", "--type", "md", "--source", "docs", "-o", "csv"),
    ("doc", "list", "--limit", "1", "--sort", "largest"),
    ("doc", "list", "--outcome", "ingested", "--since", "2026-01-01"),
    ("doc", "list", "--retired"),
    ("doc", "list", "--type", "nothing"),
    ("doc", "list", "--collection", "nothing"),
    ("doc", "list", "--folder", "docs"),
    ("doc", "list", "--folder", "docs/nothing"),
    ("doc", "list", "--folder", "nobody/nothing"),
    ("search", "moon", "--folder", "docs"),
    ("doc", "show", "weather.md"),
    ("doc", "show", "weather.md", "--json"),
    ("doc", "show", "nothing.md"),
    ("doc", "text", "tide.txt"),
    ("doc", "text", "tide.txt", "--json"),
    ("doc", "text", "tide.txt", "--version", "7"),
    ("doc", "chunks", "towns.csv"),
    ("doc", "chunks", "towns.csv", "--json"),
    ("doc", "versions", "tide.txt"),
    ("doc", "versions", "tide.txt", "--json"),
    ("doc", "diff", "tide.txt"),
    ("doc", "diff", "weather.md"),
    ("doc", "diff", "tide.txt", "--json"),
    ("doc", "explain", "broken.docx"),
    ("doc", "explain", "weather.md", "--json"),
    ("doc", "links", "weather.md"),
    ("doc", "links", "tide.txt", "--incoming"),
    ("doc", "links", "tide.txt", "--incoming", "--json"),
    ("doc", "links", "--broken"),
    ("doc", "restore", "weather.md"),
    ("doc", "restore", "--source", "docs", "--dry-run"),
    ("search", "barometer"),
    ("search", "barometer", "moon", "--explain", "--all-chunks"),
    ("search", "barometer", "--json"),
    ("search", "barometr", "source:nobody"),
    ("search", "moon", "--path", "*.txt", "--after", "2020"),
    ("search", "moon", "--after", "never"),
    ("search", "moon", "--mode", "vector"),
    ("similar", "tide.txt"),
    ("similar", "--text", "rain"),
    ("similar",),
)


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, ...], tuple[Result, Result]]]:
    """What each call comes to on the workspace, and what over its server: all calls in one process each."""
    cli = Cli(tmp_path_factory.mktemp("remote"))
    try:
        make_workspace(cli)
        with running_server(cli) as (_process, address):
            here = cli.run_each(*CALLS, code=None)
            there = RemoteCli(cli, "--server", address).run_each(*CALLS, code=None)
        yield dict(zip(CALLS, zip(here, there, strict=True), strict=True))
    finally:
        cli.close()


def make_workspace(cli: Cli) -> None:
    """Sync documents of several kinds, one of which cannot be read."""
    cli.write("weather.md", "# Weather\n\nThe barometer falls before a storm. See [the tide](tide.txt).\n")
    cli.write("tide.txt", "The tide follows the moon.\n")
    cli.write("towns.csv", "city,people\nBern,140000\nChur,40000\n")
    cli.write("broken.docx", b"PK\x03\x04 this is no document")
    cli.init()
    cli.sync(code=None)
    cli.write("tide.txt", "The tide follows the moon, and the sun a little.\n")
    cli.sync(code=None)


def without_times(text: str) -> str:
    """Return an output without how long the steps of a trial took."""
    return re.sub(r' *[\d.]+ ms|(?<="milliseconds":)[ \d.]+', "TIME", text)


def values_in(text: str) -> list[Any]:
    """Return the JSON values that a text holds one after the other."""
    found, rest = [], text.strip()
    while rest:
        value, end = json.JSONDecoder().raw_decode(rest)
        found.append(value)
        rest = rest[end:].lstrip()
    return found


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_a_call_is_the_same_over_a_server(
    compared: dict[tuple[str, ...], tuple[Result, Result]], call: tuple[str, ...]
) -> None:
    """Output, exit code, errors and hints are those of the same call on the workspace."""
    here, there = compared[call]
    assert there.err == here.err
    if call[:2] == ("source", "test"):
        assert without_times(there.out) == without_times(here.out)
    elif "--json" in call and here.out:
        assert values_in(there.out) == values_in(here.out)
    else:
        assert there.out == here.out
    assert there.code == here.code


def test_a_workspace_here_and_a_server_are_one_too_many(cli: Cli) -> None:
    """--workspace next to --server is refused; the environment gives way to what a call names; the rest is refused."""
    here, there = ("--workspace", "w"), ("--server", "http://127.0.0.1:9")
    calls = RemoteCli(cli)
    both, late, env, local, unknown, option, tui, bad = calls.run_each(
        (*here, *there, "status"),
        ("status", *there, *here),
        (*there, "init"),
        ("worker", "start", *there),
        (*there, "source", "add", "local", "x", "--path", "."),
        (*there, "help", "remote"),
        there,
        ("--server", "http://me:secret@host", "status"),
        code=None,
    )
    assert [one.code for one in (both, late)] == [2, 2]
    assert [one.code for one in (env, local, unknown, tui)] == [6, 6, 6, 6]
    assert "doc chunks|diff" in env.err
    assert option.code == 0
    assert "--token-ref" in option.out
    assert bad.code == 2
    assert "secret" not in bad.err
    calls.environment |= {"INGEST_TUI_SERVER": "http://127.0.0.1:9"}
    cli.environment |= {"INGEST_TUI_SERVER": "http://127.0.0.1:9"}
    nobody, made = calls.run("status", code=1), cli.run("init")
    assert "nothing listens" in nobody.err
    assert "made" in made.out or made.code == 0


@pytest.mark.slow
def test_documents_are_brought_in_over_a_server(cli: Cli) -> None:
    """With a token by reference: sync, upload, label, export, remove there and restore, hold and approve; a worker does
    the jobs. A token that only reads may not."""
    make_workspace(cli)
    cli.write("tide.txt", "The tide follows nothing.\n")
    worker = cli.start("--watch")
    secrets = {
        name: cli.run("serve", "token", "add", name, "--scope", name, "--json").json for name in ("read", "admin")
    }
    for name, made in secrets.items():
        (cli.home / name).write_text(made["token"])
        (cli.home / name).chmod(0o600)
    (cli.home / "outbox").mkdir()
    (cli.home / "outbox" / 'new "1".txt').write_text("The hygrometer is made of hair.\n")
    with running_server(cli) as (_process, address):
        remote = RemoteCli(cli, "--server", address, "--token-ref", "file:admin")
        assert remote.run("sync", "docs", code=None).out.startswith("docs: ")
        assert remote.run("doc", "text", "tide.txt").out == "The tide follows nothing.\n"
        uploaded = remote.run(
            "upload", 'outbox/new "1".txt', "--label", "first", "--set", "chunk_size=900", "--json"
        ).json
        assert uploaded["state"] == "succeeded"
        assert remote.run("upload", "-", "--name", "typed.txt", typed="The anemometer turns.\n").code == 0
        assert 'new "1".txt' in remote.run("search", "hygrometer").out
        for wrong, code in ((("nothing.txt",), 4), (('outbox/new "1".txt', "--label", "x" * 101), 2), ((".",), 2)):
            assert remote.run("upload", *wrong, code=code).err == cli.run("upload", *wrong, code=code).err
        remote.run("doc", "export", "broken.docx", "--what", "raw", "--to", "x", code=4)
        remote.run("doc", "export", 'new "1".txt', "--what", "raw", "--to", "copy.txt")
        assert (cli.home / "copy.txt").read_text() == "The hygrometer is made of hair.\n"
        assert remote.run("doc", "export", "typed.txt", "--to", "copy.txt", code=6).err
        cli.run("doc", "remove", "typed.txt", "--yes")
        assert "restored" in remote.run("doc", "restore", "typed.txt").out
        job = remote.run("sync", "docs", "--detach", "--json").json
        waited = remote.run("job", "wait", job["job_id"], code=None)
        assert waited.code == cli.run("job", "wait", job["job_id"], code=None).code
        reads = RemoteCli(cli, "--server", address, "--token-ref", "file:read")
        assert "scope" in reads.run("sync", "docs", "--json", code=6).error["code"]
        assert reads.run("job", "list", "--json").json
        nobody = RemoteCli(cli, "--server", address).run("status", code=2)
        assert "--token-ref" in nobody.err
        assert "token:admin" in {line["by"].partition("@")[0] for line in cli.run("audit", "--json").lines}
    assert cli.end(worker, seconds=30) == 0


@pytest.mark.slow
def test_a_socket_and_a_certificate_lead_to_a_server_too(cli: Cli) -> None:
    """unix:// needs no token; https:// trusts who --ca-cert names, and nobody else."""
    make_workspace(cli)
    at_socket = cli.start("serve", "--socket", "s.sock")
    wait_until(lambda: "serving at" in cli.output_of(at_socket), seconds=60)
    socket_calls = RemoteCli(cli, "--server", f"unix://{cli.home}/s.sock")
    assert socket_calls.run("search", "barometer").out == cli.run("search", "barometer").out
    assert cli.end(at_socket, seconds=30) == 0
    assert "nothing listens" in socket_calls.run("status", code=1).err
    _context, certificate = own_certificate(cli.home)
    key = certificate.with_name("key.pem")
    with running_server(cli, "--tls-cert", certificate, "--tls-key", key) as (_process, address):
        trusting = RemoteCli(cli, "--server", address, "--ca-cert", certificate)
        assert trusting.run("job", "list").out == cli.run("job", "list").out
        refused = RemoteCli(cli, "--server", address).run("job", "list", code=1)
        assert "--ca-cert" in refused.err
        plain = RemoteCli(cli, "--server", address.replace("https:", "http:")).run("job", "list", code=1)
        assert "hint:" in plain.err
