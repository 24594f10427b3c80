"""Options of sources: those of every source, and those that follow from the settings of a connector.

A connector's settings are a pydantic model; each field becomes an option: `endpoint_url` → `--endpoint-url`, a tuple
may be given several times, a bool gets a `--no-` form, a Literal its choices, the description is the help. A field's
``json_schema_extra={"metavar": …}`` names its value. So a new type of source needs nothing here, and its connector is
imported only when that type is called for.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

import click

from ingest_tui.cli.global_options import workspace_named_in
from ingest_tui.cli.groups import CommandGroup
from ingest_tui.cli.name_arguments import COLLECTION, CREDENTIAL, workspace_of_completion
from ingest_tui.model.attachments import AttachmentsSetting
from ingest_tui.model.ocr import OcrEngineName, OcrMode

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

    from ingest_tui.model.schedule import Schedule

_PREFIX = "setting_"
_SETTING = re.compile(r"(^|; |^[\w-]+ source: )([a-z_]+)(?:\.[\w.]+)?:")
WORKSPACE_SETTINGS = ("attachments", "ocr", "ocr_languages", "ocr_engine")
"""Those that a source may leave to its workspace."""
SCHEDULE_SETTINGS = ("every", "cron", "tz", "jitter", "quiet_hours")
HOLD_SETTINGS = ("hold_items", "hold_share", "hold_always_share")
_METAVARS = {"include": "GLOB", "exclude": "GLOB"}


def common_options(command: Any) -> Any:
    """Add the options that every source has, for `add` and `edit`."""
    options: list[Callable[[Any], Any]] = [
        click.option("--collection", type=COLLECTION, metavar="NAME", help="The collection that the documents go to."),
        filter_options,
        click.option("--priority", type=click.IntRange(0, 1000), help="Lower runs first (default 100)."),
        click.option("--watch/--no-watch", default=None, help="Sync when something changes, while a worker runs."),
        click.option(
            "--containers",
            type=click.Choice(["documents", "refuse"]),
            help="Take what is in archives as documents of their own (default), or refuse archives.",
        ),
        click.option(
            "--attachments",
            type=click.Choice([*get_args(AttachmentsSetting), "default"]),
            help="Files attached to mails and PDFs: part of the text (inline), documents of their own, or names alone.",
        ),
        click.option("--backend", help="Extract everything with this backend, e.g. unstructured."),
        click.option("--backend-for", multiple=True, metavar="TYPE=BACKEND", help="A backend for one type."),
        click.option(
            "--schema", "schema_file", metavar="FILE", help="Check documents: a JSON Schema, or a Table Schema."
        ),
        click.option(
            "--schema-violations",
            type=click.Choice(["report", "reject"]),
            help="Report what does not follow the schema (default), or reject the document.",
        ),
        *_ocr_options(),
        click.option(
            "--set",
            "assigned",
            multiple=True,
            metavar="KEY=VALUE",
            help="Choose a preference for this source in place of its collection, e.g. chunk_size=800.",
        ),
        *_hold_options(),
        *_schedule_options(),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def _ocr_options() -> list[Callable[[Any], Any]]:
    """Return the options of OCR; 'default' is as in the workspace."""
    return [
        click.option(
            "--ocr",
            type=click.Choice([*get_args(OcrMode), "default"]),
            help="Read images, and PDF pages without text (auto) or all pages (always), by OCR; default: never.",
        ),
        click.option("--ocr-languages", metavar="LANGS", help="Languages that OCR reads, e.g. eng+deu (default eng)."),
        click.option(
            "--ocr-engine",
            type=click.Choice([*get_args(OcrEngineName), "default"]),
            help="Read with this engine (default tesseract; rapidocr is an extra).",
        ),
    ]


def _schedule_options() -> list[Callable[[Any], Any]]:
    """Return the options of the schedule; an empty value clears one, and empty --every or --cron the schedule."""
    return [
        click.option("--every", metavar="TIME", help="Sync so often, while a worker runs: 15m, 6h, 1d; '' ends it."),
        click.option(
            "--cron", metavar="FIELDS", help="Sync at the times of five cron fields, e.g. '30 6 * * MON-FRI'."
        ),
        click.option("--tz", metavar="ZONE", help="The time zone of --cron and --quiet-hours, e.g. Europe/Berlin."),
        click.option("--jitter", metavar="TIME", help="Begin up to so much later, e.g. 2m, not all at once."),
        click.option("--quiet-hours", metavar="FROM-TO", help="Begin no scheduled sync then, e.g. 22:00-06:00."),
    ]


def schedule_settings(options: dict[str, Any], before: Schedule | None = None) -> dict[str, Any]:
    """Return the schedule that options make of the one before, as a field of a source; empty where none is given."""
    from ingest_tui.model.errors import UsageError
    from ingest_tui.model.schedule import changed_schedule

    given = {name: options[name] for name in SCHEDULE_SETTINGS if options[name] is not None}
    if not given:
        return {}
    try:
        return {"schedule": changed_schedule(before, **given)}
    except ValueError as error:
        raise UsageError(str(error), hint="give --every TIME or --cron FIELDS") from None


def workspace_settings(options: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that options give in place of the workspace's; 'default' and empty languages clear one."""
    given = {name: options[name] for name in WORKSPACE_SETTINGS if options.get(name) is not None}
    nothing = {"ocr_languages": ""}
    return {name: nothing.get(name) if value == "default" else value for name, value in given.items()}


def _hold_options() -> list[Callable[[Any], Any]]:
    """Return the options that say how many deletions at once wait for approval; 'default' is as in the workspace."""
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
    text = CREDENTIAL if name == "credential" else click.STRING
    return click.Option(
        [_PREFIX + name, f"--{dashed}"], type=number or text, metavar=None if number else metavar, help=shown
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


@contextmanager
def named_as_options(ctx: click.Context) -> Iterator[None]:
    """Let errors about settings name the options of a command, which is what a person has typed."""
    from ingest_tui.model.errors import ValidationError

    options = {str(one.name).removeprefix(_PREFIX): one.opts[0] for one in ctx.command.get_params(ctx) if one.name}
    try:
        yield
    except ValidationError as error:
        error.message = _SETTING.sub(lambda match: match[1] + options.get(match[2], match[2]) + ":", error.message)
        raise


class SourceTypes(CommandGroup):
    """A group with a command for each type of source, made when it is called for by ``make(source_type)``."""

    def __init__(self, name: str, *, make: Callable[[str], click.Command], without_type: click.Command) -> None:
        """Make the group; ``without_type`` is done where no type is named, with its options and its help."""
        super().__init__(
            name,
            help=without_type.help,
            callback=without_type.callback,
            params=without_type.params,
            invoke_without_command=True,
            subcommand_metavar="[TYPE NAME [OPTIONS]...]",
            no_args_is_help=True,
        )
        self._make = make

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the types of sources."""
        from ingest_tui.services.sources.sources import source_types

        return source_types()

    def find_command(self, ctx: click.Context, cmd_name: str) -> click.Command:  # noqa: ARG002
        """Make the command of a type; raises `UsageError` for an unknown one."""
        return self._make(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of types."""
        from ingest_tui.services.sources.kinds import describe_source_type

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
    from ingest_tui.services.sources.sources import get_source

    session = ctx.find_object(Session)
    words = [argument for argument in args if not argument.startswith("-")]
    if (
        session is None
        or session.is_remote
        or not words
        or any(argument.partition("=")[0] == "--type" for argument in args)
    ):
        return
    meant: IngestError | None = None
    for word in sorted(words, key=lambda word: word != (args[0] if args[0] in words else words[-1])):
        try:
            get_source(session.workspace, word)
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
    if session is None:
        return _types_for_completion(ctx, words)
    named = workspace_named_in(args)
    if named is not None:
        session.root = named
    if session.is_remote:
        return []  # of a source elsewhere no setting is tried otherwise
    return types_of_sources(session.workspace, words) if words else []


def _types_for_completion(ctx: click.Context, words: Sequence[str]) -> list[str]:
    """Return the same of a line that is being typed; an unknown type has no options there."""
    from ingest_tui.services.completion import types_of_named
    from ingest_tui.services.sources.sources import source_types

    root = workspace_of_completion(ctx) if ctx.resilient_parsing else None
    return [] if root is None else [found for found in types_of_named(root, words) if found in source_types()]
