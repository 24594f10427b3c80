"""Names from outside: ingested, explained, and never acting on a terminal."""

from __future__ import annotations

import os

import pytest

from tests.cli.running import Cli

pytestmark = pytest.mark.slow

NAMES: dict[str, bytes] = {
    "escape": b"\x1b[31mred\x1b[0m.txt",
    "title": b"\x1b]0;owned\x07.txt",
    "clipboard": b"\x1b]52;c;ZXZpbA==\x07.txt",
    "newline": b"two\nlines\r.txt",
    "right-to-left": "\u202efdp.txt".encode(),
    "c1": "\u009b31m\u0085.txt".encode(),
    "latin-1": b"caf\xe9.txt",
    "raw c1": b"\x9b31mraw.txt",
    "markup": b"[bold red]x[-] [link=file:].txt",
    "long": b"n" * 251 + b".txt",
    "dash": b"--help.txt",
    "percent": b"%2e%2e%00 #?.txt",
    "prefix": b"bytes:%41.txt",
    "backslash": b"x\\..\\..\\.txt",
    "spaces": b"  .txt",
    "emoji": "🌧️ e\u0301 zero\u200bwidth.txt".encode(),
    "brackets": b"[/].txt",
    "quote": b"'\";$(touch owned).txt",
}
assert len(NAMES["long"]) == 255


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A workspace that has ingested a file of every name, each in a folder of a hostile name too."""
    cli = Cli(tmp_path_factory.mktemp("hostile"))
    for number, name in enumerate(NAMES.values()):
        cli.write(b"d\x1b[2J\xff/" + name, f"payload number{number}")
    cli.init()
    assert cli.sync()["counters"]["items_ingested"] == len(NAMES)
    return cli


def test_no_listing_lets_a_name_act(hostile: Cli) -> None:
    """No command that lists writes a raw control character, with or without --json (checked after every call)."""
    commands = [
        ("doc", "list"), ("job", "items", "last"), ("job", "errors", "last"), ("job", "logs", "last"),
        ("search", "payload", "--limit", "50"), ("plan", "docs", "--all", "--force"), ("source", "list"), ("audit",),
        ("job", "show", "last"), ("source", "test", "docs"),
    ]  # fmt: skip
    assert all(result.out for result in hostile.run_each(*commands))
    hostile.run_each(*((*arguments, "--json") for arguments in commands))
    assert len(hostile.run("doc", "list").out.splitlines()) == len(NAMES) + 1
    assert len(hostile.run("search", "payload", "--limit", "50", "--json").json) == len(NAMES)


def test_every_name_can_be_named(hostile: Cli) -> None:
    """The text of a file of any name can be asked for by its path."""
    calls = [("doc", "text", "--", b"docs/d\x1b[2J\xff/" + name) for name in NAMES.values()]
    for number, result in enumerate(hostile.run_each(*calls)):
        assert result.out == f"payload number{number}\n"


def test_explain_json_of_a_name_that_is_not_utf8(hostile: Cli) -> None:
    """`doc explain` and `doc show` of a non-UTF-8 path tell the story, as text and as JSON."""
    path = b"docs/d\x1b[2J\xff/" + NAMES["latin-1"]
    assert hostile.run("doc", "explain", "--", path).out.startswith("here: ")
    story = hostile.run("doc", "explain", "--json", "--", path).json
    assert story["here"] is True
    assert story["document"]["uri"].endswith("/caf%E9.txt")
    assert hostile.run("doc", "show", "--json", "--", path).json["document"]["key"].startswith("bytes:")


def test_uploads_of_hostile_names(cli: Cli) -> None:
    """Uploaded files of hostile names become documents too."""
    cli.init()
    paths = []
    for number, name in enumerate(NAMES.values()):
        path = cli.home / "up" / os.fsdecode(name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"upload number{number}")
        paths.append(path)
    manifest = cli.run("upload", "--json", "--", *paths).json
    assert manifest["counters"]["items_ingested"] == len(NAMES)
    cli.run("doc", "list")
    cli.run("job", "items", "last")


def test_hostile_arguments_do_not_act_either(cli: Cli) -> None:
    """What a person pastes into a call comes back harmless in errors, as text and as JSON."""
    cli.init()
    calls: list[tuple[str | bytes, ...]] = []
    for word in (b"\x1b[31m[/bold]\n", "\u009b31m\u202eevil".encode(), b"\xff\xfe"):
        calls += [
            ("source", "show", word), ("job", "show", word), ("doc", "show", word), ("doc", "explain", word),
            ("upload", word), ("search", word), (word,), ("source", "add", "local", "x", "--path", word),
        ]  # fmt: skip
    told = cli.run_each(*calls, code=None)
    as_json = cli.run_each(*((*arguments, "--json") for arguments in calls), code=None)
    for arguments, text, record in zip(calls, told, as_json, strict=True):
        assert text.code == record.code, (arguments, text, record)
        assert text.code in {0, 1, 2, 4}, (arguments, text)
        assert record.error["message"] if record.code else record.out


def test_sources_in_folders_of_hostile_names(cli: Cli) -> None:
    """A source folder whose own name is not UTF-8 or holds escapes is added, listed and synced, or refused in words."""
    cli.run("init")
    for number, name in enumerate((b"docs \x1b[1m", "d\u202eocs".encode(), b"caf\xe9")):
        folder = cli.home / os.fsdecode(name)
        folder.mkdir()
        (folder / "a.txt").write_text(f"folder number{number}")
        added = cli.run("source", "add", "local", f"s{number}", "--path", folder, code=None)
        if added.code:
            assert added.code == 2
            assert "UTF-8" in added.err
            continue
        cli.run("sync", f"s{number}")
        assert cli.found(f"number{number}") == {"a.txt"}
    cli.run("source", "list")
    cli.run("source", "list", "--json")


def test_titles_and_texts_cannot_act(cli: Cli) -> None:
    """A title, a heading and a text that hold escapes are shown harmless in every listing and in `doc text`."""
    evil = "\x1b]0;owned\x07\x1b[2J \u009b31m \u202eevil [/bold]"
    cli.write("a.md", f"# Title {evil}\n\nwords {evil} words" + "\nand plain words, as logs have them" * 30)
    cli.write("b.csv", f"name{evil},other\n" + "words,2\n" * 100)
    cli.write("c.html", f"<html><head><title>{evil}</title></head><body><h1>x</h1><p>words {evil}</p></body></html>")
    cli.init()
    cli.sync()
    for name in ("a.md", "b.csv", "c.html"):
        cli.run("doc", "text", f"docs/{name}")
        cli.run("doc", "show", f"docs/{name}")
        cli.run("doc", "show", f"docs/{name}", "--json")
    cli.run("doc", "list")
    assert cli.run("search", "words").out
    assert cli.run("search", "words", "--json").json
