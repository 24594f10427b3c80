"""help: the help of a command by its name, and the manual page of the program."""

from __future__ import annotations

import click

from ingest_tui.cli import output


@click.command("help")
@click.argument("topic", metavar="[COMMAND]...", nargs=-1)
@click.option("--man", is_flag=True, help="Print the manual page of the program: roff, for 'man -l'.")
@click.pass_context
def help_(ctx: click.Context, topic: tuple[str, ...], man: bool) -> None:
    """Show the help of COMMAND; of the program without one."""
    root = ctx.find_root()
    if man:
        from ingest_tui.cli.manual_page import manual_page

        output.raw_text(manual_page(root))
        return
    command, context = root.command, root
    for word in topic:
        if not isinstance(command, click.Group):
            raise click.UsageError(f"{context.command_path!r} has no commands of its own.", context)
        name, found, _rest = command.resolve_command(context, [word])
        assert found is not None, "resolve_command raises what is wrong"  # noqa: S101
        command, context = found, click.Context(found, parent=context, info_name=name)
    output.block(command.get_help(context))
