"""The root of the command line: options before the command, errors, exit codes."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any, NoReturn

import click

from ingest_tui.cli import diagnostics, output
from ingest_tui.cli.formats import wants_json
from ingest_tui.cli.global_options import apply, global_options
from ingest_tui.cli.lazy import LazyGroup
from ingest_tui.cli.session import OtherFaces, Session, given_in, hand_over_credentials
from ingest_tui.model.errors import IngestError, UsageError
from ingest_tui.model.interrupts import noting_ctrl_c
from ingest_tui.model.serving import DEFAULT_PORT
from ingest_tui.model.theme_names import THEME_NAMES
from ingest_tui.version import __version__

_COMMANDS = {
    "init": ("ingest_tui.cli.first_steps:init", "Make a workspace."),
    "demo": ("ingest_tui.cli.first_steps:demo", "Show the main job on example documents."),
    "doctor": ("ingest_tui.cli.first_steps:doctor", "Check the installation and the workspace."),
    "source": ("ingest_tui.cli.source:source", "Add, list, test, edit and remove sources."),
    "plan": ("ingest_tui.cli.sync:plan", "Show what a sync would do, and why."),
    "sync": ("ingest_tui.cli.sync:sync", "Bring documents up to date with their sources."),
    "upload": ("ingest_tui.cli.sync:upload", "Add files by hand."),
    "job": ("ingest_tui.cli.job:job", "See, cancel, pause, retry and approve jobs."),
    "logs": ("ingest_tui.cli.logs:logs", "Print or follow the logs of the worker and of jobs."),
    "status": ("ingest_tui.cli.status:status", "Print what needs you, or the state of a job."),
    "doc": ("ingest_tui.cli.doc:doc", "List, show, explain, export, remove and restore documents."),
    "trash": ("ingest_tui.cli.trash:trash", "List, restore and delete retired documents."),
    "prune": ("ingest_tui.cli.prune:prune", "Delete what need not be kept any more."),
    "errors": ("ingest_tui.cli.errors:errors", "See, retry and ignore what went wrong, over all jobs."),
    "search": ("ingest_tui.cli.search:search", "Find text in the documents."),
    "eval": ("ingest_tui.cli.evaluation:evaluate", "Measure how well the search answers judged queries."),
    "embed": ("ingest_tui.cli.embedding:embed", "Make the vectors of a collection."),
    "reembed": ("ingest_tui.cli.reembedding:reembed", "Make vectors again, and switch to them when they are complete."),
    "similar": ("ingest_tui.cli.embedding:similar", "Find documents that are similar to one, or to a text."),
    "export": ("ingest_tui.cli.export:export", "Take documents out: JSON lines, CSV or a folder."),
    "credential": ("ingest_tui.cli.credential:credential", "Add, list, try, change and remove credentials."),
    "embedder": ("ingest_tui.cli.embedder:embedder", "Add, list, try and remove models that embed text."),
    "reranker": ("ingest_tui.cli.reranker:reranker", "Add, list, try and remove models that rank hits again."),
    "collection": ("ingest_tui.cli.collection:collection", "Add, list, change, use and remove collections."),
    "worker": ("ingest_tui.cli.worker:worker", "Start, stop and see workers."),
    "stats": ("ingest_tui.cli.monitoring:stats", "Show figures, also for Prometheus."),
    "health": ("ingest_tui.cli.monitoring:health", "Say in one line whether somebody has to look."),
    "serve": ("ingest_tui.cli.serve:serve", "Serve the workspace over HTTP."),
    "mcp": ("ingest_tui.cli.mcp:mcp", "Let agents search, read and explain documents."),
    "service": ("ingest_tui.cli.service:service", "Have systemd run the worker."),
    "audit": ("ingest_tui.cli.audit:audit", "Print or export who did what, when."),
    "verify": ("ingest_tui.cli.verify:verify", "Check everything of the workspace against everything."),
    "backup": ("ingest_tui.cli.backup:backup", "Write a backup of the workspace, next to a running worker."),
    "restore": ("ingest_tui.cli.backup:restore", "Make a workspace of a backup, or check that one is whole."),
    "config": ("ingest_tui.cli.config:config", "See and change the settings of the workspace."),
    "help": ("ingest_tui.cli.help:help_", "Show the help of a command or topic, or the manual page."),
    "completion": ("ingest_tui.cli.completion:completion", "Let bash, zsh or fish complete commands and names."),
    "rebuild": ("ingest_tui.cli.first_steps:rebuild", "Make the catalogue again from the documents."),
}


class _Commands(LazyGroup):
    """The commands; what fails because the catalogue contradicts itself says so."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            cause = ctx.obj.cause_of(error) if isinstance(ctx.obj, Session) else error
            if cause is error:
                raise
            raise cause from error


@click.group(
    cls=_Commands,
    commands_at=_COMMANDS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="ingest-tui")
@global_options
@click.option("--watch", is_flag=True, help="Run headless: work off the queue and watch folders, until SIGTERM.")
@click.option(
    "--metrics",
    metavar="PORT|FILE",
    envvar="INGEST_TUI_METRICS",
    help="With --watch: figures for Prometheus, at a port of 127.0.0.1, at HOST:PORT, or in a file.",
)
@click.option(
    "--serve",
    is_flag=False,
    flag_value=str(DEFAULT_PORT),
    metavar="[HOST:]PORT",
    help="With --watch: serve over HTTP, too, at 127.0.0.1:8765 or where you say.",
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json", "journal"]),
    help="How --watch (default: text, and journal where systemd reads it) and 'worker start' (default: json) write "
    "their lines. journal: levels as systemd reads them, and no times.",
)
@click.option("--slow-link", is_flag=True, help="TUI for slow connections: fewer colours, one update a second.")
@click.option(
    "--theme", type=click.Choice(THEME_NAMES), metavar="NAME", help="Colours of the TUI; default: the setting 'theme'."
)
@click.pass_context
def cli(
    ctx: click.Context,
    /,
    watch: bool,
    metrics: str | None,
    serve: str | None,
    log_format: str | None,
    slow_link: bool,
    theme: str | None,
    **options: Any,
) -> int | None:
    """Keep search and RAG corpora fresh: folders to clean, versioned, searchable text.

    Without a command the full-screen TUI opens. Start with 'ingest-tui demo'. --workspace, --server, --credentials,
    --read-only, -v, -q, --no-color and --debug may be anywhere in a call.
    """
    ctx.obj = session = Session(faces=ctx.obj or OtherFaces(), log_format=log_format, **options)
    session.root_given, session.server_given = given_in(ctx, "root"), given_in(ctx, "server")
    apply(session, ctx)
    if ctx.get_parameter_source("metrics") is click.core.ParameterSource.COMMANDLINE and not watch:
        raise UsageError("--metrics goes with --watch", hint="'ingest-tui stats --metrics FILE' writes them once")
    if serve is not None and not watch:
        raise UsageError("--serve goes with --watch", hint="'ingest-tui serve' serves without a worker")
    if ctx.invoked_subcommand is not None:
        return None
    if watch:
        from ingest_tui.cli.worker import run_headless

        return run_headless(session, metrics, serve)
    return open_tui(session, slow_link=slow_link, read_only=session.read_only, theme=theme)


def open_tui(
    session: Session, *, slow_link: bool = False, read_only: bool = False, theme: str | None = None
) -> NoReturn:
    """Open the TUI, or say why that cannot be."""
    without = "'ingest-tui --watch' runs without one; 'ingest-tui --help' lists the commands"
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the TUI needs a terminal", hint=without)
    if os.environ.get("TERM", "dumb") in {"dumb", ""}:
        raise UsageError(
            "the TUI needs a terminal that moves its cursor, and TERM names none",
            hint=f"TERM=xterm-256color fits most terminals; {without}",
        )
    run_tui = session.faces.run_tui
    if run_tui is None:
        raise UsageError("the TUI is not part of this call", hint="run 'ingest-tui' or 'python -m ingest_tui'")
    hand_over_credentials(session)
    # Only the path is handed over: opening the workspace here would load what the first screen does not need.
    raise SystemExit(run_tui(session.root, slow_link=slow_link, read_only=read_only, theme=theme))


def _say_warning(message: Warning | str, *_where: Any, **_options: Any) -> None:
    """Show a warning of ours to people: without the line of code that Python would show, and safe for a terminal."""
    diagnostics.say(f"warning: {message}")


def run(arguments: list[str] | None = None, *, faces: OtherFaces | None = None) -> int:  # noqa: C901, PLR0911 - one branch for each way to end
    """Run a call and return its exit code. Nothing leaves here as a traceback unless --debug is given."""
    arguments = sys.argv[1:] if arguments is None else arguments
    as_json, debug = wants_json(arguments), "--debug" in arguments
    output.prepare()
    warnings.showwarning = _say_warning
    if debug:
        diagnostics.redact_tracebacks()
    try:
        with noting_ctrl_c():
            result = cli.main(args=arguments, prog_name="ingest-tui", standalone_mode=False, obj=faces)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else str(error), err=True)
        return diagnostics.EXIT_USAGE
    except click.ClickException as error:
        return diagnostics.fail_usage(error, as_json=as_json)
    except IngestError as error:
        if debug:
            raise
        return diagnostics.fail(error, as_json=as_json)
    except (KeyboardInterrupt, click.exceptions.Abort):
        diagnostics.say("interrupted")
        return diagnostics.EXIT_INTERRUPTED
    except BrokenPipeError:
        return diagnostics.silence_stdout(0)
    except OSError as error:
        if debug:
            raise
        return diagnostics.fail_os(error, as_json=as_json)
    except SystemExit as ending:
        return diagnostics.code_of_ending(ending)
    except Exception as error:
        if debug:
            raise
        return diagnostics.fail_unexpectedly(error, as_json=as_json)
    return result if isinstance(result, int) else 0
