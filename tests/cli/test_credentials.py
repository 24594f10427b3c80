"""Credentials on the command line: added without echo, listed, shown, tried, rotated, removed; never printed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import Cli
from tests.cli.talking import talk

pytestmark = pytest.mark.slow


@pytest.fixture
def home(cli: Cli) -> Cli:
    """A workspace without sources."""
    cli.run("init")
    return cli


def stored(cli: Cli) -> dict[str, Any]:
    """Return the entries as they are in the file."""
    return dict(json.loads((cli.home / "credentials.json").read_text())["credentials"])


def use(cli: Cli, source_id: str, credential: str) -> None:
    """Write a source that names a credential."""
    record = {
        "schema_version": 1, "source_id": source_id, "name": source_id, "source_type": "wiki",
        "source_config": {"credential": credential},
    }  # fmt: skip
    (cli.workspace / "sources" / f"{source_id}.json").write_text(json.dumps(record))


def test_a_credential_is_added_listed_shown_tried_changed_and_removed(home: Cli) -> None:
    """The whole life of a credential whose secret is a reference."""
    added = home.run(
        "credential", "add", "wiki", "--type", "basic", "--set", "username=reader", "--secret", "password=env:WIKI",
        "--description", "the reading account", "--expires", "2099-12-31",
    )  # fmt: skip
    assert "next: ingest-tui credential test wiki" in added.out
    assert stored(home)["wiki"] == {
        "type": "basic",
        "description": "the reading account",
        "expires": "2099-12-31",
        "username": "reader",
        "password": "env:WIKI",
    }
    assert (home.home / "credentials.json").stat().st_mode & 0o777 == 0o600
    use(home, "handbook", "wiki")
    listed = home.run("credential", "list").out
    assert all(word in listed for word in ("wiki", "basic", "handbook", "2099-12-31 (in ", "the reading account"))
    assert "password               env:WIKI" in home.run("credential", "show", "wiki").out
    failed = home.run("credential", "test", "wiki", code=1)
    assert "FAILED  password" in failed.out
    home.environment["WIKI"] = "hunter22"
    tried = home.run("credential", "test", "wiki")
    assert [line.split()[:2] for line in tried.out.splitlines()] == [
        ["ok", "entry"],
        ["ok", "password"],
        ["ok", "sign-in"],
    ]
    home.run("credential", "set", "wiki", "--secret", "password=command:pass show wiki", "--unset", "expires")
    assert (stored(home)["wiki"]["password"], "expires" in stored(home)["wiki"]) == ("command:pass show wiki", False)
    refused = home.run("credential", "remove", "wiki", "--yes", code=6)
    assert "used by handbook" in refused.err
    home.run("credential", "remove", "wiki", code=6)
    home.run("credential", "remove", "wiki", "--force", "--yes")
    assert stored(home) == {}
    actions = [line["action"] for line in home.run("audit", "--json").lines]
    assert actions[1:] == ["credential.add", "credential.set", "credential.remove"]


def test_every_credential_command_prints_json(home: Cli) -> None:
    """With --json each command prints one value, `test` a line for each step; errors too."""
    add = ("credential", "add", "wiki", "--type", "token", "--secret", "token=env:WIKI", "--json")
    assert home.run(*add).json["fields"] == {"token": "env:WIKI"}
    assert home.run(*add, code=2).error["code"] == "usage"
    assert home.run("credential", "list", "--json").json[0]["used_by"] == []
    assert home.run("credential", "show", "wiki", "--json").json["type"] == "token"
    changed = home.run("credential", "set", "wiki", "--expires", "2099-01-01", "--json").json
    assert (changed["expires"], changed["days_left"] > 0) == ("2099-01-01", True)
    steps = home.run("credential", "test", "wiki", "--json", code=1).lines
    assert [(step["step"], step["ok"]) for step in steps] == [("entry", True), ("token", False)]
    assert home.run("credential", "show", "nobody", "--json", code=4).error["code"] == "not_found"
    assert home.run("credential", "remove", "wiki", "--yes", "--json").json == {"name": "wiki", "removed": True}
    assert home.run("credential", "list", "--json").json == []


@pytest.mark.parametrize(
    "options",
    [
        ("--secret", "password=hunter22"),
        ("--secret", "password=literal:hunter22"),
        ("--secret", "password=vault:hunter22"),
        ("--set", "password=hunter22"),
        ("--secret", "hunter22"),
        ("--set", "hunter22"),
        ("--secret", "hunter22 =env:X"),
        ("--secret", "password=env:hunter22!"),
    ],
    ids=range(8),
)
def test_a_secret_on_the_command_line_is_refused_and_not_repeated(home: Cli, options: tuple[str, str]) -> None:
    """Other users see the command line: a literal there is refused with a hint, and nothing quotes it."""
    for as_json in ((), ("--json",)):
        add = ("credential", "add", "wiki", "--type", "basic", "--set", "username=me", *options, *as_json)
        ended = home.run(*add, code=2)
        assert "hunter22" not in ended.out + ended.err
        assert "secret" in ended.err or "reference" in ended.err
    assert not (home.home / "credentials.json").exists()


def test_a_secret_comes_from_a_pipe(home: Cli) -> None:
    """--secret-stdin takes the text as it is, without its line end; it is never taken for a reference, nor shown."""
    add = ("credential", "add", "--type", "token", "--secret-stdin", "token")
    told = home.run(*add, "plain", typed="hunter22\n")
    told_json = home.run(*add, "odd", "--json", typed="env:PATH\n")
    assert (stored(home)["plain"]["token"], stored(home)["odd"]["token"]) == ("hunter22", "literal:env:PATH")
    assert "hunter22" not in told.out + told.err
    assert told_json.json["fields"] == {"token": "literal"}
    assert "nothing came on stdin" in home.run(*add, "none", code=2).err
    home.run("credential", "set", "plain", "--secret-stdin", "token", typed="hunter23")
    assert stored(home)["plain"]["token"] == "hunter23"
    shown = home.run("credential", "show", "plain")
    assert "hunter23" not in shown.out
    assert "token                  literal" in shown.out


def test_without_a_terminal_what_is_missing_is_named(home: Cli) -> None:
    """Nobody is asked in a script: the error names the fields and the options that give them."""
    ended = home.run("credential", "add", "portal", "--type", "oauth", code=2)
    assert "missing: token_url, client_id, client_secret" in ended.err
    assert "--set token_url=VALUE --set client_id=VALUE --secret client_secret=REFERENCE" in ended.err
    ended = home.run(
        "credential", "add", "app", "--type", "entra", "--set", "tenant_id=t", "--set", "client_id=c", code=2
    )
    assert "takes either certificate or client_secret" in ended.err
    home.run("credential", "add", "wiki", "--type", "token", "--secret", "token=env:X")
    assert "nobody is there to ask" in home.run("credential", "set", "wiki", "--ask", "token", code=2).err
    assert "nothing to change" in home.run("credential", "set", "wiki", code=2).err
    wrong = home.run("credential", "set", "wiki", "--secret", "header=env:X", code=2)
    assert "secret fields: token" in wrong.err
    assert "known types: aws, entra" in home.run("credential", "add", "x", "--type", "kerberos", code=2).err


def test_secrets_are_asked_without_echo(home: Cli) -> None:
    """On a terminal each secret is asked for, what is typed is not shown, and what was understood is reported."""
    answers = [
        ("access key id", "env:KEY_ID"),
        ("secret access key", "typed-by-hand"),
        ("session token (only for temporary keys)", ""),
    ]
    unseen = [(question + "\r\n  env:NAME, file:PATH, keyring:SERVICE/USER or command:PROGRAM …, or the secret itself;"
               " not shown", answer) for question, answer in answers]  # fmt: skip
    code, screen = talk(home, unseen, "credential", "add", "keys", "--type", "aws", "--set", "region=eu-central-1")
    assert code == 0, screen
    assert "typed-by-hand" not in screen
    assert "access_key_id: taken from env:KEY_ID" in screen
    assert "secret_access_key: kept in the credentials file itself" in screen
    assert stored(home)["keys"] == {
        "type": "aws",
        "region": "eu-central-1",
        "access_key_id": "env:KEY_ID",
        "secret_access_key": "typed-by-hand",
    }


def test_questions_follow_from_answers(home: Cli) -> None:
    """Plain fields are asked for openly; without a certificate its password is left out and the secret asked for."""
    answers = [
        ("tenant_id", "contoso"),
        ("client_id", "app"),
        ("certificate with its key", ""),
        ("client secret\r\n", "env:not a name"),
        ("client secret\r\n", "file:secret"),  # again: what is typed before a hidden question is thrown away
    ]
    code, screen = talk(home, answers, "credential", "add", "app", "--type", "sharepoint")
    assert code == 0, screen
    assert "env: takes the name of an environment variable" in screen
    assert "password of the certificate" not in screen
    assert stored(home)["app"] == {
        "type": "entra",
        "tenant_id": "contoso",
        "client_id": "app",
        "client_secret": "file:secret",
    }
    code, screen = talk(home, [("not shown", "typed-later")], "credential", "set", "app", "--ask", "client_secret")
    assert code == 0, screen
    assert "typed-later" not in screen
    assert stored(home)["app"]["client_secret"] == "typed-later"
    code, screen = talk(home, [], "credential", "add", "app", "--type", "entra")
    assert code == 2, "a taken name is refused before anything is asked"
    assert "already there" in screen


def test_a_file_that_others_can_read_is_refused_by_every_command(home: Cli) -> None:
    """Each command refuses a file that is not private with exit code 6 and the command that fixes it."""
    home.run("credential", "add", "wiki", "--type", "token", "--secret", "token=env:X")
    path = home.home / "credentials.json"
    path.chmod(0o640)
    for arguments in (
        ("list",),
        ("show", "wiki"),
        ("test", "wiki"),
        ("remove", "wiki", "--yes"),
        ("set", "wiki", "--description", "x"),
        ("add", "other", "--type", "token", "--secret", "token=env:X"),
    ):
        ended = home.run("credential", *arguments, code=None)
        assert (ended.code, arguments) == (6, arguments)
        assert f"hint: chmod 600 {path}" in ended.err
    assert "chmod 600" in home.run("doctor", code=1).out


def test_another_file_can_be_named(home: Cli) -> None:
    """--credentials and INGEST_TUI_CREDENTIALS name another file, and a worker that is started is told."""
    other = home.home / "elsewhere" / "keys.json"
    add = ("credential", "add", "wiki", "--type", "token", "--secret", "token=env:X")
    home.run("--credentials", "elsewhere/keys.json", *add)
    assert json.loads(other.read_text())["credentials"].keys() == {"wiki"}
    assert home.run("credential", "list", "--json").json == []
    home.environment["INGEST_TUI_CREDENTIALS"] = str(other)
    assert home.run("credential", "list", "--json").json[0]["name"] == "wiki"
    pid = home.run("--credentials", "elsewhere/keys.json", "worker", "start", "--json").json["pid"]
    arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    assert arguments[arguments.index(b"--credentials") + 1] == os.fsencode(other)
    home.run("worker", "stop")


def test_a_rotated_file_is_seen_at_once(home: Cli) -> None:
    """A file that another program replaces is what the next call sees; entries it does not know are kept."""
    home.run("credential", "add", "wiki", "--type", "token", "--secret", "token=env:X")
    path = home.home / "credentials.json"
    content = json.loads(path.read_text())
    content["credentials"] |= {"wiki": {"type": "token", "token": "file:new"}, "later": {"type": "kerberos", "a": "b"}}
    path.write_text(json.dumps(content))
    assert "file:new" in home.run("credential", "show", "wiki").out
    listed = home.run("credential", "list")
    assert "kerberos (unknown)" in listed.out
    assert "unknown credential type 'kerberos'" in listed.err
    assert "unknown credential type" in home.run("credential", "test", "later", code=1).out
    home.run("credential", "set", "wiki", "--description", "x")
    assert stored(home)["later"] == {"type": "kerberos", "a": "b"}


def test_names_in_the_file_cannot_act_on_a_terminal(home: Cli) -> None:
    """Names, types, fields and descriptions of a hostile file are printed with their controls written out."""
    name = "\x1b[2J\x1b]0;owned\x07"
    path = home.home / "credentials.json"
    entries = {name: {"type": name, "description": name, name: name}, "b": {"type": "token", "token": f"env:{name}"}}
    path.write_text(json.dumps({"schema_version": 1, "credentials": entries}))
    path.chmod(0o600)
    calls = [("list",), ("show", name), ("show", "b"), ("test", name), ("test", "b"), ("set", name, "--unset", "x")]
    for as_json in ((), ("--json",)):
        told = home.run_each(*(("credential", *arguments, *as_json) for arguments in calls), code=None)
        assert [result.code for result in told] == [0, 0, 0, 1, 1, 2]
    home.run("credential", "remove", "c" + name, code=4)


def test_doctor_prints_what_it_finds(home: Cli) -> None:
    """Findings that can wait are warnings and leave the exit code at 0."""
    home.run("credential", "add", "wiki", "--type", "token", "--secret-stdin", "token", typed="hunter22")
    ended = home.run("doctor")
    assert "warning  credential wiki: the secret itself is in the file: token" in ended.out
    assert "warning  credential wiki: is used by no source" in ended.out
    assert "hunter22" not in ended.out
