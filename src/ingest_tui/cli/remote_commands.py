"""``--server``: which commands work against a server. What is not named here is refused."""

from __future__ import annotations

import click

from ingest_tui.model.errors import RefusedError, UsageError

REMOTE_COMMANDS = frozenset(
    {
        "collection list",
        "collection show",
        "doc chunks",
        "doc diff",
        "doc explain",
        "doc export",
        "doc links",
        "doc list",
        "doc restore",
        "doc show",
        "doc text",
        "doc versions",
        "job approve",
        "job cancel",
        "job errors",
        "job items",
        "job list",
        "job logs",
        "job pause",
        "job priority",
        "job refuse",
        "job resume",
        "job retry",
        "job show",
        "job wait",
        "job withdraw",
        "plan",
        "search",
        "similar",
        "source list",
        "source show",
        "source test",
        "status",
        "sync",
        "upload",
    }
)
"""Commands by their path."""
_WITHOUT_WORKSPACE = frozenset({"help", "completion", "source types"})


def check_command(context: click.Context) -> None:
    """Raise `RefusedError` for a command that a server is no workspace for; a group of commands is none itself."""
    path = context.command_path.partition(" ")[2]
    is_group = isinstance(context.command, click.Group) and context.parent is not None
    if not is_group and path not in REMOTE_COMMANDS | _WITHOUT_WORKSPACE:
        raise refusal_of(context)


def refusal_of(context: click.Context) -> RefusedError:
    """Return the error of a command, or of the options that it was given, for which the workspace must be here."""
    command = context.command_path.partition(" ")[2]
    if command in REMOTE_COMMANDS:
        return RefusedError(
            f"'{command}' does not do this with --server",
            hint="run it where the workspace is, or without the options that need it there",
            code="not_remote",
        )
    return RefusedError(
        f"'{command or 'ingest-tui'}' does not work with --server: it needs the workspace on this machine",
        hint=f"run it where the workspace is; with --server there are: {', '.join(_in_short())}",
        code="not_remote",
    )


def two_workspaces() -> UsageError:
    """Return the error of a call that names a workspace here and a server."""
    return UsageError(
        "--workspace and --server name two workspaces",
        hint="give one of them; INGEST_TUI_WORKSPACE and INGEST_TUI_SERVER count, too",
    )


def _in_short() -> list[str]:
    """Return the commands, those of a group together: ``job list|show``."""
    groups: dict[str, list[str]] = {}
    for command in sorted(REMOTE_COMMANDS):
        group, _, name = command.partition(" ")
        groups.setdefault(group, []).append(name)
    return [f"{group} {'|'.join(names)}".strip() for group, names in groups.items()]
