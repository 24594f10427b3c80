"""help: the help of a command by its name, topics of the documentation, and the manual page of the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ingest_tui.cli import output
from ingest_tui.cli.topics import TOPICS, topic_list, topic_text

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_LIST = "topics"


class _Topic(click.ParamType[str]):
    """A command or a topic, which shells complete."""

    name = "topic"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:  # noqa: ARG002
        """Return the commands and topics that begin like this."""
        from click.shell_completion import CompletionItem

        root = ctx.find_root()
        assert isinstance(root.command, click.Group)  # noqa: S101 - the program is one
        names = sorted({*root.command.list_commands(root), *TOPICS, _LIST})
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _refuse_unknown(word: str, program: click.Group, context: click.Context) -> None:
    """Raise a usage error for what is neither a command nor a topic, with what is like it."""
    from ingest_tui.model.similar_names import did_you_mean

    known = program.list_commands(context)
    if word not in known and program.get_command(context, word) is None:
        meant = did_you_mean(word, [*known, *TOPICS]).strip()
        asked = f"{meant[:1].upper()}{meant[1:]} " if meant else ""
        raise click.UsageError(
            f"No such command or topic {word!r}. {asked}'ingest-tui help topics' lists the topics.", context
        )


@click.command("help")
@click.argument("topic", metavar="[COMMAND|TOPIC]...", nargs=-1, type=_Topic())
@click.option("--man", is_flag=True, help="Print the manual page of the program: roff, for 'man -l'.")
@click.pass_context
def help_(ctx: click.Context, topic: tuple[str, ...], man: bool) -> None:
    """Show the help of COMMAND, or what the documentation says on TOPIC; of the program without one.

    'ingest-tui help topics' lists the topics.
    """
    root = ctx.find_root()
    if man:
        from ingest_tui.cli.manual_page import manual_page

        output.raw_text(manual_page(root))
        return
    if topic == (_LIST,):
        output.block(topic_list())
        return
    if len(topic) == 1 and topic[0] in TOPICS:
        output.block(topic_text(topic[0]))
        return
    command, context = root.command, root
    for word in topic:
        if not isinstance(command, click.Group):
            raise click.UsageError(f"{context.command_path!r} has no commands of its own.", context)
        if command is root.command:
            _refuse_unknown(word, command, context)
        name, found, _rest = command.resolve_command(context, [word])
        assert found is not None, "resolve_command raises what is wrong"  # noqa: S101
        command, context = found, click.Context(found, parent=context, info_name=name)
    output.block(command.get_help(context))
