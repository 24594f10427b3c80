"""The group that every group of commands is: short names of commands, suggestions, and global options everywhere."""

from __future__ import annotations

from typing import Any

import click

from ingest_tui.cli.examples import epilog_of
from ingest_tui.cli.global_options import take_global_options

ALIASES = {"ls": "list", "rm": "remove", "delete": "remove", "del": "remove", "info": "show", "get": "show"}
"""What people type out of habit, for groups that have the other and not this one."""


class CommandGroup(click.Group):
    """A group of commands."""

    aliases = ALIASES

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name or alias, with the global options and its examples."""
        command = self.find_command(ctx, cmd_name)
        if command is None:
            return None
        command.epilog = epilog_of(f"{ctx.command_path} {cmd_name}")
        return take_global_options(command)

    def find_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name; for groups that make theirs when they are asked for."""
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the first argument names; raises a usage error with the names that are alike."""
        name, *rest = args
        known = self.list_commands(ctx)
        if name not in known and self.aliases.get(name) in known:
            name = self.aliases[name]
        if name not in known and not name.startswith("-") and self.get_command(ctx, name) is None:
            raise click.UsageError(f"No such command {name!r}.{_suggestion(name, known)}", ctx)
        return super().resolve_command(ctx, [name, *rest])

    def invoke(self, ctx: click.Context) -> Any:
        """Call the command that is named. A mistake in its call is one of that command.

        click says so of every mistake but of an option without its value.
        """
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            if error.ctx is None and ctx.invoked_subcommand:
                command = self.get_command(ctx, ctx.invoked_subcommand)
                error.ctx = click.Context(command, ctx, ctx.invoked_subcommand) if command else ctx
            raise


CommandGroup.group_class = CommandGroup


def _suggestion(name: str, known: list[str]) -> str:
    from ingest_tui.model.similar_names import did_you_mean

    return f" {question[:1].upper()}{question[1:].strip()}" if (question := did_you_mean(name, known)) else ""
