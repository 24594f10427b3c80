"""Every help page has examples that parse; `help` finds each page, and the manual page is made of the same texts."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import tomllib

import click
import pytest

from ingest_tui.cli.diagnostics import EXIT_UNKNOWN, EXIT_USAGE
from ingest_tui.cli.examples import EXAMPLES, examples_of
from ingest_tui.cli.main import cli as program
from ingest_tui.cli.main import run
from ingest_tui.cli.manual_page import manual_page
from ingest_tui.cli.topics import PAGES, TOPICS
from tests import REPOSITORY
from tests.cli.test_commands_in_texts import complaint_about
from tests.cli.test_output_formats import every_command

PLUG_INS = ("source add ",)
"""Their types are known when they are installed, and have no examples here unless they are built in."""


def root() -> click.Context:
    """Return the context of the program."""
    return click.Context(program, info_name="ingest-tui")


def test_each_command_has_an_example() -> None:
    """A command that is added must have one, and no example is of a command that is gone."""
    found = {
        path.partition(" ")[2]
        for path, command in every_command(program, root())
        if not isinstance(command, click.Group) or command.invoke_without_command
    }
    assert sorted(one for one in found - EXAMPLES.keys() if not one.startswith(PLUG_INS)) == []
    assert EXAMPLES.keys() - found == set()


@pytest.mark.parametrize("path", EXAMPLES)
def test_each_example_parses(path: str) -> None:
    """Commands, options and arguments of each example are there, and what is in quotes is one word."""
    for example in examples_of(f"ingest-tui {path}"):
        assert complaint_about(example) == "", example
        assert shlex.split(example)[0] == "ingest-tui"


def test_a_mistake_in_a_call_names_the_help_of_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    """An option that is not there, and one without its value, are mistakes of that command."""
    asked = 0
    for path, command in every_command(program, root()):
        words = path.split()[1:]
        valued = [one for one in command.params if isinstance(one, click.Option) and not (one.is_flag or one.count)]
        for option in ("--no-such-option", *(max(one.opts, key=len) for one in valued[:1])):
            assert run([*words, option]) == (EXIT_UNKNOWN if path == "ingest-tui health" else EXIT_USAGE), [
                *words,
                option,
            ]
            assert f"'{path} --help' shows its usage" in capsys.readouterr().err, [*words, option]
            asked += 1
    assert asked > 150


def test_examples_are_at_the_end_of_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """`COMMAND --help`, `help COMMAND` and its short name show the same, each example in its own line."""
    assert run(["doc", "remove", "--help"]) == 0
    shown = capsys.readouterr().out
    lines = [line.strip() for line in shown.splitlines()]
    assert lines[lines.index("Examples:") + 1 :] == examples_of("ingest-tui doc remove")
    for words in (["help", "doc", "remove"], ["help", "doc", "rm"]):
        assert run(words) == 0
        assert capsys.readouterr().out == shown
    assert run(["help"]) == 0
    assert "Commands:" in capsys.readouterr().out


@pytest.mark.parametrize("name", TOPICS)
def test_each_topic_has_a_text_of_the_documentation(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its page and its section are there, and links are shown without their addresses; no command is called so."""
    assert run(["help", name]) == 0
    shown = capsys.readouterr().out
    topic = TOPICS[name]
    assert shown.startswith(f"## {topic.section}\n" if topic.section else "# ")
    assert len(shown.splitlines()) > 5
    assert "](" not in shown
    if topic.section:
        assert "\n## " not in shown
    assert name not in program.list_commands(root())


def test_pages_of_topics_are_in_the_wheel() -> None:
    """Each page that a topic is of is named where the wheel is made, and no other."""
    build = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    pages = {f"docs/{topic.page}": f"ingest_tui/{PAGES}/{topic.page}" for topic in TOPICS.values()}
    assert {place: there for place, there in build["force-include"].items() if place.startswith("docs/")} == pages


def test_topics_are_listed_and_suggested(capsys: pytest.CaptureFixture[str]) -> None:
    """`help topics` has each, by the alphabet, and a misspelt one is answered with what is like it."""
    assert run(["help", "topics"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == sorted(TOPICS)
    assert run(["help", "exit-code"]) == 2
    assert "Did you mean 'exit-codes'" in capsys.readouterr().err


def test_help_of_what_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt command is answered with what is like it, and one without commands says so."""
    assert run(["help", "doc", "remov"]) == 2
    assert "Did you mean 'remove'" in capsys.readouterr().err
    assert run(["help", "sync", "docs"]) == 2
    assert "has no commands of its own" in capsys.readouterr().err


def test_the_manual_page_has_each_command() -> None:
    """Commands, options and examples are there; no line is taken for a request of roff."""
    page = manual_page(root())
    for path, _command in every_command(program, root()):
        assert f".SS {path.partition(' ')[2]}".replace("-", r"\-") in page, path
    requests = (".TH ", ".SH ", ".SS ", ".PP", ".RS", ".RE", ".EX", ".EE", ".TP")
    assert [line for line in page.splitlines() if line.startswith((".", "'")) and not line.startswith(requests)] == []


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_groff_reads_the_manual_page_without_a_warning() -> None:
    """The page is formatted as `man -l` does, and nothing in it is complained of."""
    ended = subprocess.run(
        ["groff", "-man", "-Tutf8", "-Kutf8", "-ww", "-z"],
        input=manual_page(root()),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert ended.stderr == ""
