"""Options of sources: those of every source, and those that follow from the settings of a connector.

A connector's settings are a pydantic model; each field becomes an option: `endpoint_url` → `--endpoint-url`, a tuple
may be given several times, a bool gets a `--no-` form, a Literal its choices, the description is the help. A field's
``json_schema_extra={"metavar": …}`` names its value. So a new type of source needs nothing here, and its connector is
imported only when that type is called for.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

import click

from ingest_tui.cli.name_arguments import COLLECTION

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

_PREFIX = "setting_"
HOLD_SETTINGS = ("hold_items", "hold_share", "hold_always_share")
_METAVARS = {"include": "GLOB", "exclude": "GLOB"}


def common_options(command: Any) -> Any:
    """Add the options that every source has, for `add` and `edit`."""
    options: list[Callable[[Any], Any]] = [
        click.option("--collection", type=COLLECTION, metavar="NAME", help="The collection that the documents go to."),
        filter_options,
        click.option("--priority", type=click.IntRange(0, 1000), help="Lower runs first (default 100)."),
        click.option("--watch/--no-watch", default=None, help="Sync when something changes, while a worker runs."),
        click.option("--backend", help="Extract everything with this backend, e.g. unstructured."),
        click.option("--backend-for", multiple=True, metavar="TYPE=BACKEND", help="A backend for one type."),
        *_hold_options(),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def _hold_options() -> list[Callable[[Any], Any]]:
    """Return the options that say how many deletions at once wait for approval; 'default' is as the workspace says."""
    share = "share of the known documents (0 to 1)"
    return [
        click.option("--hold-items", metavar="N", help="Hold deletions of more documents than this (default 10) …"),
        click.option("--hold-share", metavar="SHARE", help=f"… that are more than this {share} (default 0.1)."),
        click.option("--hold-always-share", metavar="SHARE", help=f"Hold more than this {share} always (default 0.5)."),
    ]


def hold_settings(options: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a source that the hold options give; 'default' clears one."""
    given = {name: options[name] for name in HOLD_SETTINGS if options[name] is not None}
    return {name: None if value == "default" else value for name, value in given.items()}


def filter_options(command: Any) -> Any:
    """Add those of the common options that choose what is taken, for `test` and `preview` too."""
    options = [
        click.option("--max-size", metavar="SIZE", help="Largest file to take, e.g. 50MB (default)."),
        click.option("--since", metavar="DATE", help="Take only what was changed since that day, e.g. 2026-01-31."),
        click.option("--allow-type", "allow_types", multiple=True, metavar="TYPE", help="Take only these, e.g. pdf."),
        click.option("--deny-type", "deny_types", multiple=True, metavar="TYPE", help="Take none of these, e.g. docm."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def setting_options(model: type[BaseModel]) -> list[click.Parameter]:
    """Return an option for each setting of a connector; what is not given stays None or empty."""
    return [_option(name, field) for name, field in model.model_fields.items()]


def _option(name: str, field: FieldInfo) -> click.Option:
    kind, is_optional = _kind_of(field.annotation)
    dashed = name.replace("_", "-")
    description = (field.description or name.replace("_", " ")).rstrip(".")
    shown = f"{description[:1].upper()}{description[1:]}."
    if kind is bool:
        return click.Option([_PREFIX + name, f"--{dashed}/--no-{dashed}"], default=None, help=shown)
    if get_origin(kind) is Literal:
        return click.Option([_PREFIX + name, f"--{dashed}"], type=click.Choice(get_args(kind)), help=shown)
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    metavar = str(extra.get("metavar") or _METAVARS.get(name) or "TEXT")
    if get_origin(kind) is tuple:
        return click.Option([_PREFIX + name, f"--{dashed}"], multiple=True, metavar=metavar, help=shown)
    number = {int: click.INT, float: click.FLOAT}.get(kind) if not is_optional else None
    return click.Option(
        [_PREFIX + name, f"--{dashed}"], type=number or click.STRING, metavar=None if number else metavar, help=shown
    )


def _kind_of(annotation: Any) -> tuple[Any, bool]:
    """Return the type of a setting without its None, and whether it may be None."""
    if get_origin(annotation) in {Union, types.UnionType}:
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        return kinds[0], len(kinds) < len(get_args(annotation))
    return annotation, False


def settings_given(options: dict[str, Any]) -> dict[str, Any]:
    """Take the settings of the connector out of ``options`` and return those that were given.

    An empty pattern clears the patterns: --exclude ''.
    """
    found = {name: options.pop(name) for name in list(options) if name.startswith(_PREFIX)}
    given = {name.removeprefix(_PREFIX): value for name, value in found.items() if value not in (None, ())}
    return {name: [one for one in value if one] if isinstance(value, tuple) else value for name, value in given.items()}


class SourceTypes(click.Group):
    """A group with a command for each type of source, made when it is called for by ``make(source_type)``."""

    def __init__(self, name: str, *, make: Callable[[str], click.Command], summary: str) -> None:
        super().__init__(name, help=summary, subcommand_metavar="TYPE NAME [OPTIONS]...", no_args_is_help=True)
        self._make = make

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the types of sources."""
        from ingest_tui.services.sources.sources import source_types

        return source_types()

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:  # noqa: ARG002
        """Make the command of a type; raises `UsageError` for an unknown one."""
        return self._make(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of types."""
        from ingest_tui.services.sources.sources import describe_source_type

        with formatter.section("Types"):
            formatter.write_dl([(name, describe_source_type(name)) for name in self.list_commands(ctx)])


class TypedCommand(click.Command):
    """A command whose options depend on the type of the source that its arguments name.

    That is the type after ``--type``, or the types of the sources among the arguments.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Add the options of the type before the arguments are read."""
        from ingest_tui.services.sources.sources import connector_config_model

        extra: list[click.Parameter] = []
        known = {option for param in super().get_params(ctx) for option in param.opts}
        for source_type in _types_in(ctx, args):
            options = setting_options(connector_config_model(source_type))
            extra += [option for option in options if not known & set(option.opts)]
            known |= {name for option in options for name in option.opts}
        ctx.meta[__name__] = extra
        try:
            return super().parse_args(ctx, list(args))  # click takes away what it has read
        except click.NoSuchOption:
            if not extra:
                _refuse_unknown_source(ctx, args)
            raise

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the parameters of this call."""
        own = super().get_params(ctx)
        return [*own[:-1], *ctx.meta.get(__name__, []), own[-1]]


def _refuse_unknown_source(ctx: click.Context, args: Sequence[str]) -> None:
    """Raise what is wrong with the source that the arguments name: its type, which has the option, is not known.

    Where none of them is a source that lost its record, or has a damaged one, the first or the last is meant.
    """
    from ingest_tui.cli.session import Session
    from ingest_tui.model.errors import IngestError, NotFoundError, ValidationError

    session = ctx.find_object(Session)
    words = [argument for argument in args if not argument.startswith("-")]
    if session is None or not words or any(argument.partition("=")[0] == "--type" for argument in args):
        return
    meant: IngestError | None = None
    for word in sorted(words, key=lambda word: word != (args[0] if args[0] in words else words[-1])):
        try:
            session.workspace.sources.get(word)
        except (NotFoundError, ValidationError) as error:
            meant = meant or error
        except IngestError as error:
            raise error from None
    if meant is not None:
        raise meant from None


def _types_in(ctx: click.Context, args: Sequence[str]) -> list[str]:
    from ingest_tui.cli.session import Session
    from ingest_tui.services.sources.sources import types_of_sources

    for place, argument in enumerate(args):
        if argument.startswith("--type="):
            return [argument.partition("=")[2]]
        if argument == "--type" and place + 1 < len(args):
            return [args[place + 1]]
    words = [argument for argument in args if not argument.startswith("-")]
    session = ctx.find_object(Session)
    return types_of_sources(session.workspace, words) if words and session is not None else []
