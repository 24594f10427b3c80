"""Every command that a hint, a help text, the TUI or a page of the documentation names exists, with its options."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import click
import pytest

import ingest_tui
from ingest_tui.cli import source_options
from ingest_tui.cli.main import cli
from ingest_tui.cli.source_options import setting_options
from ingest_tui.model.errors import IngestError
from ingest_tui.services.sources.sources import connector_config_model

SOURCE = Path(ingest_tui.__file__).parent
ROOT = SOURCE.parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
NAMES = "|".join(cli.list_commands(click.Context(cli)))
HELP_OF_SWITCH = "cli/source.py"
"""Makes help texts of `source enable` and its opposite."""
HOLE = "HOLE"
"""Stands for what an f-string puts there."""
ANY_TYPE, PLUG_IN = "TYPE", "table"
"""Stands for a type of source or embedder; the type of the plug-in of docs/connectors.md, with settings of its own."""
OF_OTHERS = re.compile(r"rclone config|rclone lsf|openssl|apt-get|pip install|aws s3api|playwright|systemctl")
"""Programs that texts name, with options of their own."""
OF_GIT = {
    "--bare", "--count", "--end-of-options", "--expire", "--format", "--full-tree", "--git-dir", "--git-path",
    "--heads", "--literal-pathspecs", "--long", "--no-auto-maintenance", "--no-recurse-submodules", "--no-tags",
    "--no-write-fetch-head", "--object-format", "--progress", "--quiet", "--refs", "--shared", "--tags", "--template",
    "--depth", "--verify",
}  # fmt: skip
OF_RCLONE = {
    "--config", "--count", "--files-only", "--hash", "--hash-type", "--no-mimetype", "--rc-addr", "--rc-serve",
    "--rc-server-write-timeout",
}  # fmt: skip
OF_FISH = {"--max"}
NO_OPTIONS = {"--no-", "--x-s3", "--ol-s3"} | OF_GIT | OF_RCLONE | OF_FISH
"""A beginning, the endings of names of buckets, and what git, rclone and the shell fish are called with."""
BY_TYPE = ("confluence", "git", "local", "mail", "rclone", "s3", "sharepoint", "web")

# 'ingest-tui …' and 'job list' in quotes; "next: ingest-tui …" and a text that is a command, up to what ends one.
IN_TEXTS = re.compile(
    rf"'(ingest-tui(?: [^'\n]*)?)'|'((?:{NAMES}) [^'\n]*)'|(?:^|[:(] *)(ingest-tui(?: [^'`\n;,)…]*)?)(?:  |$|[;,)…])"
)
MAY_NAME_ONE = re.compile(rf"ingest-tui|'(?:{NAMES}) ")
"""What is in each module that names a command: most need not be parsed."""
IN_PAGES = re.compile(r"`(ingest-tui [^`\n]*)`|^(?:\$ )?(ingest-tui [^#\n|&\\]*)", re.MULTILINE)


class Named(NamedTuple):
    """A command that a text names, and where."""

    place: str
    command: str


def documentation_in(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield docstrings, and the help of options and commands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and isinstance(node.body[0], ast.Expr):
            yield node.body[0].value
        elif isinstance(node, ast.keyword) and node.arg == "help":
            yield from ast.walk(node.value)


def texts_of(path: Path, *, with_documentation: bool = True) -> Iterator[tuple[int, str]]:
    """Yield the string literals of a module; what an f-string fills in is a hole."""
    tree = ast.parse(path.read_text())
    left_out = set() if with_documentation else {id(node) for node in documentation_in(tree)}
    nodes = [node for node in ast.walk(tree) if id(node) not in left_out]
    parts = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            yield (
                node.lineno,
                "".join(str(part.value) if isinstance(part, ast.Constant) else HOLE for part in node.values),
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            yield node.lineno, node.value


@cache
def named_in_source() -> list[Named]:
    """Return the commands that the program names."""
    return [
        Named(f"{path.relative_to(SOURCE)}:{line}", next(filter(None, match.groups())))
        for path in sorted(SOURCE.rglob("*.py"))
        if MAY_NAME_ONE.search(path.read_text())
        for line, text in texts_of(path)
        for match in IN_TEXTS.finditer(text)
    ]


def named_in_pages() -> Iterator[Named]:
    """Yield the commands that the documentation names."""
    for path in PAGES:
        for match in IN_PAGES.finditer(path.read_text()):
            yield Named(path.name, next(filter(None, match.groups())))


def words_of(command: str) -> list[str]:
    """Return the words of a command; ``{job}`` of the TUI and ``…`` stand for what a person gives."""
    plain = re.sub(r"\{[a-z_]+\}|\bCOMMAND\b|(?<=--folder )…", HOLE, command).replace("…", "")
    words = shlex.split(plain.partition("   ")[0], comments=True)
    return words[1:] if words and words[0] == "ingest-tui" else words


def complaint_about(command: str, *, bare: bool = False) -> str:
    """Return what is wrong with a command: a name, an option or an argument that is not there; empty: nothing.

    ``bare``: one without any arguments stands for the command as such.
    """
    try:
        words = words_of(command)
        here: click.Command = cli
        context = click.Context(cli, info_name="ingest-tui")
        while isinstance(here, click.Group):
            words = after_options(here, context, words)
            if not words or words[0] in {HOLE, "--help"}:
                return ""
            if words[0] == PLUG_IN:
                return ""
            inner = here.get_command(context, here.list_commands(context)[0] if words[0] == ANY_TYPE else words[0])
            if inner is None:
                return f"there is no command {words[0]!r}"
            context, here, words = click.Context(inner, parent=context, info_name=words[0]), inner, words[1:]
        return "" if bare and not words else complaint_about_arguments(here, context, words)
    except click.ClickException as error:
        return error.format_message()
    except IngestError as error:
        return error.message


def after_options(group: click.Group, context: click.Context, words: list[str]) -> list[str]:
    """Return what comes after the options of a group."""
    parser = group.make_parser(context)
    parser.allow_interspersed_args = False
    return list(parser.parse_args(args=words)[1])


def complaint_about_arguments(command: click.Command, context: click.Context, words: list[str]) -> str:
    """Parse the words as the command would, without converting values."""
    if isinstance(command, source_options.TypedCommand):
        own = {option for param in command.params for option in param.opts}
        settings = {
            option.opts[0]: option
            for source_type in BY_TYPE
            for option in setting_options(connector_config_model(source_type))
            if not own & set(option.opts)
        }
        context.meta[source_options.__name__] = list(settings.values())
    if "--help" in words:
        return ""
    values, left, _order = command.make_parser(context).parse_args(args=list(words))
    if left:
        return f"too many arguments: {left}"
    missing = [
        param.human_readable_name
        for param in command.get_params(context)
        if param.required
        and isinstance(param, click.Argument)
        and param.value_is_missing(param.consume_value(context, values)[0])
    ]
    return f"arguments are missing: {missing}" if missing else ""


def complaints(named: Iterable[Named], *, bare: bool = False) -> list[str]:
    """Return what is wrong with the commands."""
    checked = [(one, complaint_about(one.command, bare=bare)) for one in named]
    assert len(checked) > 50, "the commands are not found any more"
    return [f"{one.place}: {one.command}: {wrong}" for one, wrong in checked if wrong]


def test_commands_that_the_program_names() -> None:
    """Each can be typed as it is: command, sub-command, options and the arguments that it cannot do without."""
    found = complaints(named_in_source())
    assert not found, "\n".join(found)


def test_commands_in_hints_can_be_pasted() -> None:
    """Outside help texts, where each names a command of the same program, they begin with its name."""
    bare = [
        f"{path.relative_to(SOURCE)}:{line}: {match[2]}"
        for path in sorted(SOURCE.rglob("*.py"))
        for line, text in texts_of(path, with_documentation=False)
        for match in IN_TEXTS.finditer(text)
        if match[2]
    ]
    assert not [one for one in bare if not one.startswith(HELP_OF_SWITCH)]


def test_commands_that_the_documentation_names() -> None:
    """The same holds for README and docs."""
    found = complaints(named_in_pages(), bare=True)
    assert not found, "\n".join(found)


def options_of(command: click.Command, context: click.Context) -> Iterator[str]:
    """Yield the options of a command and of all below it."""
    for param in command.get_params(context):
        yield from (*param.opts, *param.secondary_opts)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                yield from options_of(inner, click.Context(inner, parent=context, info_name=name))


def test_options_that_the_program_names() -> None:
    """Every long option in a text of the program is one of some command."""
    known = set(options_of(cli, click.Context(cli)))
    named = {
        (option, f"{path.relative_to(SOURCE)}:{line}")
        for path in sorted(SOURCE.rglob("*.py"))
        for line, text in texts_of(path)
        if not OF_OTHERS.search(text)
        for option in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*(?![\w-]*HOLE)", text)
    }
    assert len(named) > 50
    assert not [one for one in sorted(named) if one[0] not in known | NO_OPTIONS]


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        ("ingest-tui sweep", "no command 'sweep'"),
        ("ingest-tui job rety JOB", "no command 'rety'"),
        ("ingest-tui job show JOB --jsn", "No such option"),
        ("ingest-tui source edit --path P", "missing: ['SOURCE']"),
        ("ingest-tui source edit SOURCE --pth P", "No such option"),
        ("ingest-tui sync --all", ""),
        ("ingest-tui source add local NAME --path FOLDER", ""),
        ("source edit {source} --prefix docs/", ""),
    ],
)
def test_a_command_that_does_not_work_is_found(command: str, wrong: str) -> None:
    """The check finds wrong names, options and missing arguments, and passes what works."""
    assert wrong in complaint_about(command)
    assert bool(complaint_about(command)) == bool(wrong)
