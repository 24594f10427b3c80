"""The options of every call. They may be anywhere in it: before the command, after it, between its arguments."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from ingest_tui.cli.read_only import refuse_to_make
from ingest_tui.cli.remote_commands import check_command, two_workspaces
from ingest_tui.cli.session import Given, Session
from ingest_tui.cli.verbosity import put_verbosity

LATE_ROOT = f"{__name__}.root"
LATE_CREDENTIALS = f"{__name__}.credentials_path"
"""Where the workspace that is named after a command is found while a shell completes, when there is no session."""
_LATE = "global_"
"""Begins the names of these options where they are given after a command."""
_GIVEN = ("root", "server")
"""The options of which a call needs to know where they have their value from."""

_OPTIONS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (
        ("--workspace", "-w", "root"),
        {
            "type": click.Path(path_type=Path, file_okay=False),
            "envvar": "INGEST_TUI_WORKSPACE",
            "default": Path("workspace"),
            "show_default": "./workspace",
            "help": "The workspace folder.",
        },
    ),
    (
        ("--credentials", "credentials_path"),
        {
            "type": click.Path(path_type=Path, dir_okay=False),
            "envvar": "INGEST_TUI_CREDENTIALS",
            "show_default": "credentials.json next to the workspace",
            "help": "The credentials file.",
        },
    ),
    (
        ("--server",),
        {
            "metavar": "URL",
            "envvar": "INGEST_TUI_SERVER",
            "help": "Work with the workspace of an 'ingest-tui serve': https://HOST, http://127.0.0.1:8765, unix:///PATH.",
        },
    ),
    (
        ("--token-ref",),
        {
            "metavar": "REF",
            "envvar": "INGEST_TUI_TOKEN_REF",
            "help": "Where the token for --server is: env:NAME or file:PATH.",
        },
    ),
    (
        ("--ca-cert",),
        {
            "type": click.Path(path_type=Path, dir_okay=False),
            "envvar": "INGEST_TUI_CA_CERT",
            "help": "The PEM file of who signed the certificate of --server, where the system does not know them.",
        },
    ),
    (("--read-only",), {"is_flag": True, "help": "Change nothing: commands that would are refused."}),
    (("--verbose", "-v"), {"count": True, "help": "Show the log of jobs that are followed; -vv: all of it."}),
    (("--quiet", "-q"), {"is_flag": True, "help": "No progress, notes or hints; warnings and errors stay."}),
    (("--no-color",), {"is_flag": True, "help": "No colours or styles, as with NO_COLOR."}),
    (("--debug",), {"is_flag": True, "help": "Show tracebacks."}),
)
"""Each with the name that its field has in `Session`."""


def global_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to the root."""
    for names, attributes in reversed(_OPTIONS):
        command = click.option(*names, **attributes)(command)
    return command


def take_global_options(command: click.Command) -> click.Command:
    """Let a command take the options, too, but for those of whose names it has its own; returns the command."""
    own = {option for param in command.params for option in param.opts}
    for names, attributes in _OPTIONS:
        flags = [name for name in names if name.startswith("-")]
        if not own & set(flags):
            field = next((name for name in names if not name.startswith("-")), flags[0].strip("-").replace("-", "_"))
            command.params.append(_late(flags, field, attributes))
    return command


def _late(flags: list[str], field: str, attributes: dict[str, Any]) -> click.Option:
    """Return the option as it is after a command: it says nothing unless it is given, and then before all others."""
    kept = {name: value for name, value in attributes.items() if name not in {"envvar", "default", "show_default"}}

    def put(ctx: click.Context, param: click.Parameter, value: Any) -> None:
        session = ctx.find_object(Session)
        given = ctx.get_parameter_source(param.name or "") is click.core.ParameterSource.COMMANDLINE
        if session is not None and given:
            setattr(session, field, value)
            if field in _GIVEN:
                setattr(session, f"{field}_given", Given.CALL)
            apply(session, ctx)
        elif given:
            ctx.meta[f"{__name__}.{field}"] = value
        elif session is not None and field == "server":  # nothing after the command says otherwise
            refuse_elsewhere(session, ctx)

    return click.Option([*flags, _LATE + field], hidden=True, is_eager=True, expose_value=False, callback=put, **kept)


def apply(session: Session, ctx: click.Context) -> None:
    """Do what the options ask for before a command begins."""
    if session.no_color:
        os.environ["NO_COLOR"] = "1"  # rich and the TUI look there, too
    put_verbosity(ctx, verbose=session.verbose, quiet=session.quiet)
    if session.read_only:
        refuse_to_make(ctx)
    refuse_elsewhere(session, ctx)


def refuse_elsewhere(session: Session, ctx: click.Context) -> None:
    """Raise an error for a call with --server that cannot be one."""
    if not session.is_remote:
        return
    if session.names_two_workspaces:
        raise two_workspaces()
    if ctx.parent is not None or ctx.invoked_subcommand is None:
        check_command(ctx)


def workspace_named_in(args: Sequence[str]) -> Path | None:
    """Return the workspace that arguments name which nobody has parsed yet; None where they name none."""
    for place, argument in enumerate(args):
        if argument.startswith("--workspace="):
            return Path(argument.partition("=")[2])
        if argument in {"-w", "--workspace"} and place + 1 < len(args):
            return Path(args[place + 1])
    return None
