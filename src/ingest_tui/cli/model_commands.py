"""What the commands of embedders and of rerankers have in common: `add TYPE`, `test` and `remove`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple, Protocol

import click

from ingest_tui.cli import diagnostics, output
from ingest_tui.cli.groups import CommandGroup
from ingest_tui.cli.session import Session, confirm, json_option, pass_session, removal_options, report_dry_run
from ingest_tui.cli.steps import report_steps

if TYPE_CHECKING:
    from ingest_tui.credentials.steps import Step
    from ingest_tui.store.workspace import Workspace


class RemoveModel(Protocol):
    """Forgets a model; refused while a collection uses it, unless ``force``."""

    def __call__(self, workspace: Workspace, identifier: str, /, *, force: bool = False) -> None:
        """Forget it."""


class ModelServices(NamedTuple):
    """The services of one kind of model, loaded when a command runs."""

    id_of: Callable[[Workspace, str], str]
    test: Callable[[Workspace, str], Iterable[Step]]
    remove: RemoveModel
    losses: Callable[[Workspace, str], list[str]] = lambda _workspace, _identifier: []
    """What is lost when one is removed, in sentences."""


def test_command(services: Callable[[], ModelServices], name_type: click.ParamType[str], *, text: str) -> click.Command:
    """Return `test NAME`; ``text`` is its help."""

    @click.command("test", help=text)
    @click.argument("name", type=name_type)
    @json_option
    @pass_session
    def test(session: Session, name: str, as_json: bool) -> int:
        called = services()
        steps = called.test(session.workspace, called.id_of(session.workspace, name))
        return report_steps(steps, as_json=as_json, width=12)

    return test


def remove_command(noun: str, services: Callable[[], ModelServices], name_type: click.ParamType[str]) -> click.Command:
    """Return `remove NAME`."""

    @click.command("remove", help=f"Forget {noun} NAME. Its model stays where it is.")
    @removal_options("collections", name_type)
    def remove(session: Session, name: str, force: bool, dry_run: bool, yes: bool, as_json: bool) -> None:
        called = services()
        identifier = called.id_of(session.workspace, name)
        losses = called.losses(session.workspace, identifier)
        sentences = [f"{loss[:1].upper()}{loss[1:]}." for loss in losses]
        if dry_run:
            planned = {"name": identifier, "removed": False, "lost": losses}
            report_dry_run(" ".join([*sentences, f"would remove {noun} {identifier}"]), planned, as_json=as_json)
            return
        confirm(" ".join([*sentences, f"Remove {noun} {identifier}?"]), yes=yes, as_json=as_json)
        called.remove(session.workspace, identifier, force=force)
        if as_json:
            output.data({"name": identifier, "removed": True, "lost": losses})
            return
        output.line(f"removed {noun} {identifier}")
        for loss in losses if yes else ():
            diagnostics.say(f"warning: {loss}")

    return remove


class ModelTypes(CommandGroup):
    """The types of models of one kind, looked up when somebody asks for them."""

    def __init__(
        self,
        noun: str,
        types: Callable[[], list[tuple[str, str]]],
        command_for: Callable[[str], click.Command],
    ) -> None:
        """``types`` returns name and summary of each, ``command_for`` the command that adds one of a type.

        Both may raise `UsageError`.
        """
        article = "an" if noun[0] in "aeiou" else "a"
        super().__init__(
            "add",
            help=f"Add {article} {noun} of a TYPE under a NAME; the model is tried first.",
            subcommand_metavar="TYPE NAME [OPTIONS]...",
            no_args_is_help=True,
        )
        self._types = types
        self._command_for = command_for

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the types."""
        return [name for name, _summary in self._types()]

    def find_command(self, ctx: click.Context, cmd_name: str) -> click.Command:  # noqa: ARG002
        """Make the command of a type; raises `UsageError` for an unknown one."""
        return self._command_for(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of types."""
        with formatter.section("Types"):
            formatter.write_dl(self._types())
