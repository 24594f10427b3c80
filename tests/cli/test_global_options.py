"""Options of every call are taken anywhere in it; short names and suggestions work in every group; tables keep ids."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from ingest_tui.cli.global_options import workspace_named_in
from ingest_tui.cli.groups import ALIASES, CommandGroup
from ingest_tui.cli.main import cli as program
from ingest_tui.cli.main import run
from ingest_tui.cli.tables import table_lines
from ingest_tui.store.workspace import init_workspace
from tests.cli.running import Cli
from tests.cli.test_output_formats import every_command
from tests.cli.test_terminal import on_a_terminal

GLOBAL = {
    "--workspace",
    "-w",
    "--credentials",
    "--read-only",
    "--verbose",
    "-v",
    "--quiet",
    "-q",
    "--no-color",
    "--debug",
}
JOB = "20261121-063105-a-source-with-a-very-long-name-7k3q"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace that is not the default one."""
    monkeypatch.chdir(tmp_path)
    init_workspace(tmp_path / "ws")[0].close()
    return tmp_path / "ws"


def test_every_command_takes_the_options_of_every_call() -> None:
    """Also commands and groups that somebody adds later; each group is of the one kind."""
    for path, command in every_command(program, click.Context(program, info_name="ingest-tui")):
        options = {option for param in command.params for option in param.opts}
        assert options >= GLOBAL, path
        assert isinstance(command, CommandGroup) or not isinstance(command, click.Group), path


@pytest.mark.parametrize(
    "words",
    [
        ["-w", "ROOT", "source", "list"],
        ["source", "-w", "ROOT", "list"],
        ["source", "list", "-w", "ROOT"],
        ["source", "list", "--workspace=ROOT", "--json"],
        ["source", "ls", "-w", "nowhere", "-w", "ROOT"],
    ],
)
def test_the_workspace_may_be_named_anywhere(root: Path, words: list[str]) -> None:
    """Before the command, within, and after; the last one counts."""
    assert run([word.replace("ROOT", str(root)) for word in words]) == 0


def test_what_depends_on_the_workspace_sees_the_one_that_is_named_late(root: Path) -> None:
    """Names of sources, and options that a source has by its type, are those of the workspace that comes after them."""
    (root.parent / "docs").mkdir()
    at = ["-w", str(root)]
    assert run(["source", "add", "local", "Our Docs", "--path", "docs", *at]) == 0
    assert run(["source", "edit", "Our Docs", "--exclude", "*.tmp", *at]) == 0
    assert run(["source", "show", "Our Docs", *at]) == 0
    assert workspace_named_in(["a", "--workspace=b"]) == Path("b")
    assert workspace_named_in(["a", "-w"]) is None


@pytest.mark.parametrize("command", [["collection", "add", "more"], ["init"], ["demo", "--folder", "new"]])
def test_read_only_may_come_last(root: Path, command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A command that changes something is refused wherever --read-only is."""
    assert run([*command, "-w", str(root), "--read-only"]) == 6
    assert "--read-only" in capsys.readouterr().err
    assert not Path("new").exists()


def test_quiet_keeps_errors_and_leaves_out_notes(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--quiet has no hint of what to do next, but that of an error stays."""
    (root.parent / "docs").mkdir()
    run(["-w", str(root), "source", "add", "local", "docs", "--path", "docs"])
    assert run(["-w", str(root), "sync", "docs", "--detach"]) == 0
    assert "hint: no worker is running" in capsys.readouterr().err
    assert run(["-w", str(root), "sync", "docs", "--detach", "-q"]) == 0
    assert capsys.readouterr().err == ""
    assert run(["-w", str(root), "sync", "dcs", "-q"]) == 4
    assert "hint: did you mean 'docs'?" in capsys.readouterr().err


def test_short_names_lead_to_the_command(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`ls` is list, `rm` is remove, with the same options and the same rules."""
    assert run(["-w", str(root), "collection", "ls", "-o", "csv"]) == 0
    assert capsys.readouterr().out.startswith("schema_version,")
    assert run(["-w", str(root), "--read-only", "doc", "ls"]) == 0
    assert run(["-w", str(root), "--read-only", "doc", "rm", "a"]) == 6
    assert "'doc remove' changes" in capsys.readouterr().err
    assert not set(ALIASES) & set(ALIASES.values())


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["serch", "x"], "Did you mean 'search'"),
        (["job", "lst"], "Did you mean 'list'?"),
        (["source", "add", "locl", "x"], "did you mean 'local'?"),
        (["doc", "list", "--retird"], "Did you mean '--retired'?"),
        (["job", "list", "--state", "runing"], "did you mean 'running'?"),
        (["doc", "list", "-o", "jsn"], "did you mean 'json'?"),
        (["doc", "list", "--source", "dcs"], "did you mean 'docs'?"),
        (["job", "show", "lst"], "did you mean 'last'?"),
        (["doc", "list", "--collection", "defualt"], "did you mean 'default'?"),
        (["credential", "add", "c", "--type", "basc"], "did you mean 'basic'?"),
    ],
)
def test_what_was_meant_is_asked_at_every_level(
    root: Path, words: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Commands, types, options, values and names that nothing has are answered with what is like them."""
    (root.parent / "docs").mkdir()
    run(["-w", str(root), "source", "add", "local", "docs", "--path", "docs"])
    assert run(["-w", str(root), *words]) in {2, 4}
    assert meant in capsys.readouterr().err


def test_identifiers_are_never_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """However narrow a table must be, a job is named in one line; other columns are folded."""
    monkeypatch.setenv("COLUMNS", "40")
    rows = [(JOB, "a sentence of many words that is folded into several lines")]
    lines = table_lines(("JOB", "DETAIL"), rows, is_terminal=False, bold=False)
    assert sum(JOB in line for line in lines) == 1
    assert len(lines) > 3
    assert "sentence" in "".join(lines)


def test_nothing_is_folded_or_cut_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without COLUMNS each row of a pipe is one line with all that is in it, however long."""
    monkeypatch.delenv("COLUMNS", raising=False)
    long = "x" * 9000
    assert table_lines(("KEY", "SIZE"), [(long, "1")], is_terminal=False, bold=False)[1] == f"{long}  1"


def test_columns_says_how_wide_a_table_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """COLUMNS is obeyed on a terminal and in a pipe."""
    for width, is_terminal in ((40, True), (40, False), (70, False)):
        monkeypatch.setenv("COLUMNS", str(width))
        lines = table_lines(("KEY", "DETAIL"), [("word " * 30, "more " * 30)], is_terminal=is_terminal, bold=False)
        assert width - 12 < max(map(len, lines)) <= width


@pytest.mark.slow
def test_no_color_leaves_no_escape_on_a_terminal(cli: Cli) -> None:
    """Tables and hits are plain with --no-color, wherever it is, and with NO_COLOR."""
    cli.write("a.txt", "alpha")
    cli.init()
    cli.sync()
    assert "\x1b[1m" in on_a_terminal(cli, "doc", "list")[1]
    for arguments in (["doc", "list", "--no-color"], ["search", "alpha", "--no-color"], ["--no-color", "job", "list"]):
        assert "\x1b" not in on_a_terminal(cli, *arguments)[1], arguments
    cli.environment["NO_COLOR"] = "1"
    assert "\x1b" not in on_a_terminal(cli, "doc", "list")[1]


@pytest.mark.slow
def test_verbose_shows_the_log_of_the_job(cli: Cli) -> None:
    """`sync -v` writes to stderr what the job logs, each line once; the output stays as it is."""
    cli.write("a.txt", "alpha")
    cli.init()
    said = cli.run("sync", "docs", "-v", "--json")
    assert said.json["state"] == "succeeded"
    logged = cli.run("job", "logs", "last", "--level", "info").out.splitlines()
    assert logged
    assert [line for line in said.err.splitlines() if line in logged] == logged
    assert cli.run("sync", "docs").err == ""


@pytest.mark.slow
def test_dry_runs_change_nothing(cli: Cli) -> None:
    """What removes something, and a sync, show with -n what they would do, with --read-only too, and change nothing."""
    cli.write("a.txt", "alpha")
    cli.init()
    cli.run("collection", "add", "more")
    cli.run("credential", "add", "keys", "--type", "basic", "--set", "username=me", "--secret", "password=env:SECRET")
    planned = cli.run("--read-only", "sync", "docs", "-n")
    assert planned.out == cli.run("plan", "docs").out
    assert cli.run("sync", "--all", "--dry-run", "--json").lines == cli.run("plan", "docs", "--json").lines
    cli.write("b.txt", "beta")
    cli.write("c.txt", "gamma")
    cli.sync()
    cli.write("b.txt", "beta two")
    cli.sync()
    cli.run("doc", "remove", "c.txt", "--yes")
    cli.run("sync", "docs", "--detach")
    kinds = (["source"], ["doc"], ["collection"], ["credential"], ["trash"], ["job"])
    before = [cli.run(*what, "list", "--json").json for what in kinds]
    for command, said in (
        (["source", "rm", "docs"], "would remove source docs and retire 2 documents"),
        (["collection", "remove", "more"], "would remove collection more"),
        (["credential", "remove", "keys"], "would remove credential keys"),
        (["doc", "remove", "a.txt"], "would retire"),
        (["doc", "purge", "a.txt"], "DOCUMENT"),
        (["doc", "prune-versions", "a.txt"], "nothing to delete"),
        (["trash", "empty"], "nothing"),
        (["doc", "rollback", "b.txt"], "would make v3 of document"),
        (["trash", "restore", "c.txt"], "would restore 1 document\n"),
        (["job", "cancel", "last"], "would cancel"),
        (["job", "pause", "last"], "which is queued"),
        (["job", "resume", "last"], "would resume"),
        (["prune"], "would delete"),
    ):
        assert said in cli.run("--read-only", *command, "-n").out, command
        assert cli.run(*command, "--dry-run", "--json").json["dry_run"] is True
    after = [cli.run(*what, "list", "--json").json for what in kinds]
    assert after == before


def test_a_wait_ends_with_the_code_of_the_job(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0 for a job that succeeded, 1 for one that was cancelled, 5 when the time is over, 4 for none; it runs none."""
    docs = root.parent / "docs"
    docs.mkdir()
    at = ["-w", str(root)]
    run([*at, "source", "add", "local", "docs", "--path", "docs"])
    assert run([*at, "job", "wait", "last"]) == 4
    assert run([*at, "sync", "docs", "--detach"]) == 0
    assert run([*at, "job", "wait", "last", "--timeout", "0"]) == 5
    assert "is queued after 0 s" in capsys.readouterr().err
    assert run([*at, "job", "cancel", "last"]) == 0
    assert run([*at, "--read-only", "job", "wait", "last"]) == 1
    assert run([*at, "sync", "docs"]) == 0
    capsys.readouterr()
    assert run([*at, "job", "wait", "last", "--json"]) == 0
    assert '"succeeded"' in capsys.readouterr().out
