"""From the command line to the TUI: every command has its action there, or a reason why it has none."""

from __future__ import annotations

import click

from ingest_tui.cli.main import cli
from ingest_tui.tui.actions.actions import ACTIONS, BY_ID
from tests.cli.test_read_only_commands import leaves

DONE_BY = {
    "credential show": "view.credentials",
    "doc export": "document.export",
    "embedder test": "embedders",
    "errors unignore": "errors.ignore",
    "health": "view.overview",
    "help": "help",
    "job withdraw": "undo",
    "logs": "view.logs",
    "reranker list": "collection.reranker",
    "source browse": "source.add",
    "source enable": "source.enable",
    "source types": "source.add",
    "stats": "view.overview",
    "trash list": "document.trash",
    "trash restore": "document.restore",
}
"""Commands that an action does which names another one, or none."""
ONLY_COMMANDS = {
    "it prepares a shell, a machine or a workspace, before anybody looks": (
        "completion", "demo", "doctor", "init", "service install", "service print", "service status",
        "service uninstall",
    ),
    "it serves other programs, or waits for them": (
        "job wait", "mcp", "serve", "serve token add", "serve token list", "serve token revoke",
    ),
    "it writes or replaces the whole workspace": ("backup", "rebuild", "restore"),
    "it deletes for good what an action only moves to the trash": ("doc prune-versions", "doc purge", "trash empty"),
    "its settings are kept by operators, who have them in files": (
        "source export",
        "config get", "config list", "config schema", "config set", "config test", "config unset",
    ),
    "it takes settings of its own for each type; the dialog of embedders names the commands": (
        "embedder add ", "embedder remove", "reranker add ", "reranker remove", "reranker test",
    ),
    "it works on a file that other programs make or keep": ("audit check", "eval"),
    "it reports to auditors and scripts": ("doc columns", "doc trace"),
    "the header of every view reports it": ("worker status",),
    "it has no view yet": ("similar",),
}  # fmt: skip


def commands() -> set[str]:
    """Return the paths of all commands."""
    return set(leaves(cli, "", click.Context(cli)))


def named_by(command: str, known: set[str]) -> set[str]:
    """Return the commands that the command line of an action is: one, or one for each TYPE."""
    before_type, _, after = command.removeprefix("ingest-tui ").partition("TYPE NAME")
    if after:
        return {path for path in known if f"{path} ".startswith(before_type)}
    words = before_type.split()
    return {next(path for end in range(len(words), 0, -1) if (path := " ".join(words[:end])) in known)}


def test_every_command_has_its_action_or_a_reason() -> None:
    """A command that is added is done by an action, or is put into the list with the reason why not."""
    known = commands()
    by_actions = {path for action in ACTIONS if action.command for path in named_by(action.command, known)}
    listed = {*DONE_BY, *(path for paths in ONLY_COMMANDS.values() for path in paths)}
    of_a_kind = tuple(path for path in listed if path.endswith(" "))
    assert sorted(path for path in known - by_actions - listed if not path.startswith(of_a_kind)) == []
    assert sorted(by_actions & listed) == []


def test_the_reasons_are_for_commands_that_there_are() -> None:
    """What is listed exists: the commands and the actions."""
    known = commands()
    listed = [*DONE_BY, *(path for paths in ONLY_COMMANDS.values() for path in paths)]
    assert [path for path in listed if not any(one.startswith(path) for one in known)] == []
    assert [action for action in DONE_BY.values() if action not in BY_ID] == []
    assert len(listed) == len(set(listed))
