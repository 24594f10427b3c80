"""Completion in real shells: commands, options, values, and the names of a workspace, without heavy imports."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from ingest_tui.cli.completion import COMPLETE_VARIABLE
from ingest_tui.services.completion import NameKind, names_beginning
from tests.cli.running import SOURCE_TREE, Cli
from tests.cli.test_lazy_imports import CONNECTORS, PARSERS

Complete = Callable[[str], list[str]]


def has_shell(name: str) -> pytest.MarkDecorator:
    """Run a test where the shell is installed."""
    return pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not installed")


@pytest.fixture
def home(cli: Cli) -> Path:
    """A folder with the program, as `ingest-tui` on PATH, a workspace with names of all kinds, and the scripts."""
    for name in ("alpha.txt", "alpine way.txt", "beta.txt", "gamma, delta.txt", "of 3:15 pm.txt", "q'\"$x.txt"):
        cli.write(name, name)
    cli.init()
    cli.run("collection", "add", "papers")
    cli.run("credential", "add", "keys", "--type", "basic", "--set", "username=me", "--secret", "password=env:SECRET")
    cli.sync()
    program = cli.home / "bin" / "ingest-tui"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH={SOURCE_TREE} exec {shlex.quote(sys.executable)} -m ingest_tui "$@"\n')
    program.chmod(0o755)
    for shell in ("bash", "zsh", "fish"):
        (cli.home / f"complete.{shell}").write_text(cli.run("completion", shell).out)
    cli.environment["PATH"] = f"{program.parent}:{os.environ['PATH']}"
    return cli.home


def run_shell(cli: Cli, *command: str) -> list[str]:
    """Return the lines that a shell prints."""
    ended = subprocess.run(
        command, cwd=cli.home, env=cli.environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 0, ended.stderr
    assert not ended.stderr, ended.stderr
    return ended.stdout.splitlines()


def in_bash(cli: Cli, line: str) -> list[str]:
    """Return what bash completes the last piece of a line with; blanks, colons and equals signs end one."""
    pieces = [
        piece
        for word in re.split(r"(?<!\\) ", line)
        for piece in re.split("(?<=[:=])|(?=[:=])", word)
        if piece or not word
    ]
    words = " ".join(map(shlex.quote, pieces))
    script = f"""
        source complete.bash
        COMP_LINE={shlex.quote(line)}; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        _ingest_tui_completion ingest-tui 2>/dev/null
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    return run_shell(cli, "bash", "--norc", "-c", script)


def in_fish(cli: Cli, line: str) -> list[str]:
    """Return what fish completes a line with."""
    return run_shell(cli, "fish", "--no-config", "-c", f"source complete.fish; complete -C {shlex.quote(line)}")


def names_of(cli: Cli, shell: str, line: str) -> list[str]:
    """Return the completions, without their explanations."""
    return [one.partition("\t")[0] for one in (in_bash if shell == "bash" else in_fish)(cli, line)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "shell", [pytest.param("bash", marks=has_shell("bash")), pytest.param("fish", marks=has_shell("fish"))]
)
def test_a_shell_completes_what_there_is(cli: Cli, home: Path, shell: str) -> None:
    """Commands, sub-commands, options, choices and the names of sources, collections, jobs and documents."""
    assert home.is_dir()
    for line, expected in (
        ("ingest-tui ver", ["verify"]),
        ("ingest-tui source sh", ["show"]),
        ("ingest-tui job list --st", ["--state"]),
        ("ingest-tui job list --state succ", ["succeeded"]),
        ("ingest-tui source show d", ["docs"]),
        ("ingest-tui sync do", ["docs"]),
        ("ingest-tui doc list --collection p", ["papers"]),
        ("ingest-tui job show l", ["last"]),
        ("ingest-tui credential show k", ["keys"]),
        ("ingest-tui source add s3 bucket --credential k", ["keys"]),
        ("ingest-tui credential show --credentials nowhere.json k", []),
        ("ingest-tui -w nowhere source show d", []),
        ("ingest-tui doc show bet", ["beta.txt"]),
        ("ingest-tui doc list --type xls", ["xls", "xlsb", "xlsm", "xlsx"]),
        ("ingest-tui doc remove --type text/mark", ["text/markdown"]),
        ("ingest-tui source test --type sh", ["sharepoint"]),
        ("ingest-tui source test --type s3 --buc", ["--bucket"]),
        ("ingest-tui credential add k --type ba", ["basic"]),
        ("ingest-tui source edit docs --inc", ["--include"]),
        ("ingest-tui source edit docs --buc", []),
        ("ingest-tui source edit nowhere --inc", []),
        ("ingest-tui -w nowhere source edit docs --inc", []),
        ("ingest-tui reembed bet", ["beta.txt"]),
        ("ingest-tui reembed d", ["default", "docs"]),
        ("ingest-tui reembed default --dis", ["--discard"]),
    ):
        assert [one for one in names_of(cli, shell, line) if one] == expected, line
    [job] = [one for one in names_of(cli, shell, "ingest-tui job show 2") if one]
    assert (cli.workspace / "jobs" / job).is_dir()


@pytest.mark.slow
@has_shell("bash")
def test_a_name_with_spaces_is_one_word(cli: Cli, home: Path) -> None:
    """What bash puts into the line is read back as the name."""
    assert home.is_dir()
    assert [shlex.split(one) for one in names_of(cli, "bash", "ingest-tui doc show alp")] == [
        ["alpha.txt"],
        ["alpine way.txt"],
    ]


@pytest.mark.slow
@has_shell("bash")
def test_bash_completes_the_piece_that_it_replaces(cli: Cli, home: Path) -> None:
    """Of a name with a colon what is after it; within quotes that are open, what they need and no more."""
    assert home.is_dir()
    for typed, written in (
        ("of", "of\\ 3:15\\ pm.txt"),
        ("of\\ 3:", "15\\ pm.txt"),
        ("of\\ 3:1", "15\\ pm.txt"),
        ("'alpi", "alpine way.txt"),
        ("gam", "gamma\\,\\ delta.txt"),
        ("q", "q\\'\\\"\\$x.txt"),
        ('"q', "q'\\\"\\$x.txt"),
        ("'q", "q'\\''\"$x.txt"),
    ):
        assert names_of(cli, "bash", f"ingest-tui doc show {typed}") == [written], typed
    assert names_of(cli, "bash", "ingest-tui doc list --collection=p") == ["papers"]


@pytest.mark.slow
@has_shell("fish")
def test_fish_completes_a_name_with_a_comma(cli: Cli, home: Path) -> None:
    """The whole of it, and names with blanks, colons and quotes likewise."""
    assert home.is_dir()
    for typed, name in (("gam", "gamma, delta.txt"), ("of", "of 3:15 pm.txt"), ("q", "q'\"$x.txt")):
        assert names_of(cli, "fish", f"ingest-tui doc show {typed}") == [name]


@pytest.mark.slow
@has_shell("zsh")
def test_zsh_knows_whom_to_ask(cli: Cli, home: Path) -> None:
    """The script of zsh registers its function, which gets names and explanations in the form that it reads."""
    assert home.is_dir()
    script = "autoload -U compinit; compinit -D; source ./complete.zsh; print $_comps[ingest-tui]"
    assert run_shell(cli, "zsh", "-fc", script) == ["_ingest_tui_completion"]
    for words, expected in (
        ("ingest-tui source show d", ["docs"]),
        ("ingest-tui source edit docs --inc", ["--include"]),
        ("ingest-tui doc list --type docx", ["docx"]),
        ("ingest-tui reembed d", ["default", "docs"]),
    ):
        cli.environment |= {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" ")), COMPLETE_VARIABLE: "zsh_complete"}
        answered = run_shell(cli, "ingest-tui")
        assert (answered[0::3], answered[1::3]) == (["plain"] * len(expected), expected)


@pytest.mark.slow
def test_completion_loads_next_to_nothing(cli: Cli, home: Path) -> None:
    """To complete a name loads neither records nor libraries of sources, and no parser: it must be there at once."""
    assert home.is_dir()
    program = "import sys, atexit; atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
    program += "from ingest_tui.__main__ import main\nsys.argv = ['ingest-tui']\nmain()"
    for words in (
        "ingest-tui sour",
        "ingest-tui source show d",
        "ingest-tui job show 2",
        "ingest-tui doc show alp",
        "ingest-tui credential show k",
        "ingest-tui doc list --type pd",
    ):
        environment = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" ")), COMPLETE_VARIABLE: "bash_complete"}
        ended = subprocess.run(
            [sys.executable, "-c", program],
            cwd=cli.home,
            env=cli.environment | environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert ended.stdout.startswith("plain,")
        loaded = {name.partition(".")[0] for name in ended.stderr.split()}
        assert loaded & {*PARSERS, *CONNECTORS, "pydantic", "textual", "rich"} == set(), words


def test_names_that_would_act_are_left_out(tmp_path: Path) -> None:
    """A file that somebody put among the sources cannot write to the terminal of who presses Tab."""
    folder = tmp_path / "sources"
    folder.mkdir()
    for name in ("docs", "d\x1b[2J", "d\u202ex", ".hidden"):
        (folder / f"{name}.json").touch()
    assert names_beginning(tmp_path, "source", "d") == ["docs"]
    assert names_beginning(tmp_path, "source", "") == ["docs"]
    assert names_beginning(tmp_path, "document", "") == []
    assert names_beginning(tmp_path, "credential", "", credentials=tmp_path / "none.json") == []
    assert names_beginning(tmp_path / "nowhere", "job", "") == ["last"]


@pytest.mark.parametrize("kind", get_args(NameKind))
def test_every_kind_of_name_is_completed(tmp_path: Path, kind: NameKind) -> None:
    """Each kind has names where there are some, in their order, and none where the workspace is away."""
    for folder in ("sources", "collections", "embedders", "rerankers"):
        (tmp_path / folder).mkdir()
        for name in ("beta", "alpha"):
            (tmp_path / folder / f"{name}.json").touch()
    file = tmp_path / "credentials.json"
    file.write_text('{"schema_version": 1, "credentials": {"beta": {}, "alpha": {}}}')
    file.chmod(0o600)
    expected = {"job": ["last"], "document": [], "retired document": []}.get(kind, ["alpha", "beta"])
    if kind == "type":  # these are of the program
        assert {"pdf", "md", "docx"} <= set(names_beginning(tmp_path, kind, ""))
        assert names_beginning(tmp_path, kind, "application/pd") == ["application/pdf"]
        return
    assert names_beginning(tmp_path, kind, "", credentials=file) == expected
    assert names_beginning(tmp_path / "nowhere" / "workspace", kind, "alp") == []


def test_a_credentials_file_that_others_may_read_completes_nothing(tmp_path: Path) -> None:
    """What no command would read is not read at a press of Tab either."""
    file = tmp_path / "credentials.json"
    file.write_text('{"schema_version": 1, "credentials": {"alpha": {}}}')
    file.chmod(0o644)
    assert names_beginning(tmp_path / "workspace", "credential", "") == []
    file.chmod(0o600)
    assert names_beginning(tmp_path / "workspace", "credential", "") == ["alpha"]
