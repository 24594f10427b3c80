"""``--read-only``: which commands leave a workspace as it is. What is not named here is refused."""

from __future__ import annotations

import errno

import click

from ingest_tui.model.errors import RefusedError, StoreError
from ingest_tui.model.foreign_errors import as_ingest_error

READING_COMMANDS = frozenset(
    {
        "audit",
        "audit check",
        "audit export",
        "backup",
        "collection list",
        "collection prefs",
        "collection show",
        "completion",
        "config get",
        "config list",
        "config schema",
        "config test",
        "credential list",
        "credential show",
        "credential test",
        "doc chunks",
        "doc columns",
        "doc diff",
        "doc explain",
        "doc export",
        "doc folders",
        "doc links",
        "doc list",
        "doc show",
        "doc text",
        "doc trace",
        "doc versions",
        "doctor",
        "embedder list",
        "embedder test",
        "errors list",
        "eval",
        "export",
        "health",
        "help",
        "job errors",
        "job items",
        "job list",
        "job logs",
        "job show",
        "job wait",
        "logs",
        "mcp",
        "plan",
        "prune",
        "reranker list",
        "reranker test",
        "search",
        "serve",
        "serve token list",
        "service print",
        "service status",
        "similar",
        "source browse",
        "source export",
        "source list",
        "source preview",
        "source show",
        "source test",
        "source types",
        "stats",
        "status",
        "trash list",
        "verify",
        "worker status",
    }
)
"""Commands by their path. `export` and its like write where they are told to, never into the workspace."""


_MAKING = frozenset({"init", "demo"})
"""Commands that make a workspace rather than open one."""


def refuse_change(context: click.Context) -> None:
    """Raise `RefusedError` unless the command that is being run only reads, as all do with --dry-run."""
    command = context.command_path.partition(" ")[2]
    if command not in READING_COMMANDS and not context.params.get("dry_run"):
        raise refusal(command or "ingest-tui --watch")


def refuse_to_make(context: click.Context) -> None:
    """Raise `RefusedError` for a command that makes a workspace rather than open one, and for the worker."""
    path = context.command_path.split()[1:]
    command = path[0] if path else context.invoked_subcommand
    if command in _MAKING or (command is None and context.params.get("watch")):
        raise refusal(command or "--watch")


def on_read_only_disk(error: Exception, command: str) -> StoreError | None:
    """Return the error of a command that would do what it does with --read-only too, on a disk that can only be read.

    None for any other failure, and for a command that changes the workspace.
    """
    if not (isinstance(error, OSError) and error.errno == errno.EROFS) or command not in READING_COMMANDS:
        return None
    meant = as_ingest_error(error)
    hint = f"'ingest-tui --read-only {command}' writes nothing into the workspace"
    return StoreError(meant.message if meant is not None else str(error), hint=hint)


def refusal(command: str) -> RefusedError:
    """Return the error of a command that would change the workspace; some only read unless they are given options."""
    return RefusedError(
        f"'{command}' changes the workspace, and this call is --read-only",
        hint="run it without --read-only",
        code="read_only",
    )
