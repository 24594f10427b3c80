"""`--read-only` holds for every command: what is not known to read only is refused."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from ingest_tui.cli.main import cli as root
from ingest_tui.cli.read_only import READING_COMMANDS
from tests.cli.running import Cli

pytestmark = pytest.mark.slow

# Each with arguments that it would take.
CHANGING = {
    "init": [],
    "demo": [],
    "rebuild": [],
    "sync": ["docs"],
    "upload": ["a.txt"],
    "source add": ["--from-file", "-"],
    "source add local": ["more", "--path", "."],
    "source edit": ["docs", "--priority", "5"],
    "source remove": ["docs", "--yes"],
    "source enable": ["docs"],
    "source disable": ["docs"],
    "job cancel": ["last"],
    "job pause": ["last"],
    "job resume": ["last"],
    "job priority": ["last", "5"],
    "job retry": ["last"],
    "job approve": ["last"],
    "job refuse": ["last"],
    "job withdraw": ["last"],
    "doc remove": ["a.txt", "--yes"],
    "doc restore": ["a.txt"],
    "doc rollback": ["a.txt"],
    "doc prune-versions": ["a.txt", "--yes"],
    "doc purge": ["a.txt", "--yes"],
    "prune": ["--yes"],
    "restore": ["FILE", "FOLDER"],
    "errors ignore": ["a.txt"],
    "errors unignore": ["a.txt"],
    "errors retry": ["a.txt"],
    "config set": ["trash_days", "5"],
    "config unset": ["trash_days"],
    "collection add": ["more"],
    "collection edit": ["default", "--description", "more"],
    "collection use": ["default"],
    "collection remove": ["more", "--yes"],
    "collection restore": ["more"],
    "credential add": ["c", "--type", "basic"],
    "credential set": ["c"],
    "credential remove": ["c", "--yes"],
    "embedder add static": ["more", "--path", "."],
    "embedder use": ["more", "--collection", "default"],
    "embed": ["default"],
    "reembed": ["default"],
    "embedder remove": ["more", "--yes"],
    "reranker add onnx": ["more", "--path", "."],
    "reranker remove": ["more", "--yes"],
    "serve token add": ["reader"],
    "serve token revoke": ["reader"],
    "service install": ["--user"],
    "service uninstall": ["--user"],
    "trash empty": ["--yes"],
    "trash restore": ["a.txt"],
    "worker start": [],
    "worker stop": [],
}


def leaves(command: click.Command, path: str, context: click.Context) -> Iterator[str]:
    """Yield the paths of all commands that do something."""
    if not isinstance(command, click.Group):
        yield path
        return
    if command.invoke_without_command and path:
        yield path
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None
        yield from leaves(inner, f"{path} {name}".strip(), context)


def test_every_command_is_known_to_read_or_to_change() -> None:
    """A command that is added must be sorted in: as one that reads, or into the list of this test."""
    found = set(leaves(root, "", click.Context(root)))
    adding = {path for path in found if path.startswith(("source add ", "embedder add ", "reranker add "))}
    credentials = {path for path in found if path.startswith("credential add ")}
    changing = {path for path in CHANGING if " add " not in path} | adding | credentials
    assert sorted(found - READING_COMMANDS - changing) == []


@pytest.mark.parametrize("path", CHANGING)
def test_changing_command_is_refused(path: str, cli: Cli) -> None:
    """A command that changes the workspace ends with 6 under --read-only, before it does anything."""
    cli.init()
    cli.write("a.txt", "alpha")
    before = sorted((item, item.stat().st_mtime_ns) for item in cli.workspace.rglob("*"))
    result = cli.run("--read-only", *path.split(), *CHANGING[path], code=6)
    assert f"'{path}' changes the workspace, and this call is --read-only" in result.err
    assert sorted((item, item.stat().st_mtime_ns) for item in cli.workspace.rglob("*")) == before


def test_reading_commands_go_on_working(cli: Cli) -> None:
    """What only reads does so under --read-only."""
    cli.write("a.txt", "alpha")
    cli.init()
    cli.sync()
    for command in (["search", "alpha"], ["doc", "list"], ["job", "list"], ["source", "list"], ["plan", "docs"]):
        assert cli.run("--read-only", *command, "--json").out
    assert cli.run("--read-only", "--watch", code=6).err
