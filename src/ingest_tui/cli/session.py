"""What a command needs of its call: the workspace, and how to print."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from ingest_tui.cli.formats import format_options
from ingest_tui.cli.read_only import on_read_only_disk, refuse_change
from ingest_tui.cli.remote_commands import refusal_of
from ingest_tui.model.safe_text import safe_display

if TYPE_CHECKING:
    import threading

    from ingest_tui.model.job import Manifest
    from ingest_tui.model.mcp_options import McpOptions
    from ingest_tui.model.serving import ServeOptions
    from ingest_tui.services.client import Client
    from ingest_tui.services.jobs.source_claims import WaitPolicy
    from ingest_tui.store.workspace import Workspace


class RunTui(Protocol):
    """Opens the TUI on a workspace and returns its exit code."""

    def __call__(self, root: Path, *, slow_link: bool, read_only: bool, theme: str | None) -> int: ...


class RunServer(Protocol):
    """Serves a workspace over HTTP until a signal, or ``until``, asks it to end; returns its exit code."""

    def __call__(self, root: Path, options: ServeOptions, until: threading.Event | None = None) -> int: ...


class RunMcp(Protocol):
    """Serves the agent that started this process until it goes, and returns the exit code."""

    def __call__(self, options: McpOptions) -> int: ...


@dataclass(frozen=True)
class OtherFaces:
    """The faces that a command starts: the command line knows none of them."""

    run_tui: RunTui | None = None
    run_server: RunServer | None = None
    run_mcp: RunMcp | None = None


class Given(IntEnum):
    """Where an option has its value from; what is larger takes precedence."""

    NOWHERE = 0
    ENVIRONMENT = 1
    CALL = 2


def given_in(context: click.Context, option: str) -> Given:
    """Return where an option of the root has its value from."""
    match context.get_parameter_source(option):
        case click.core.ParameterSource.COMMANDLINE:
            return Given.CALL
        case click.core.ParameterSource.ENVIRONMENT:
            return Given.ENVIRONMENT
        case _:
            return Given.NOWHERE


@dataclass
class Session:
    """The options that every call takes, wherever they are in it; what a call names counts before the environment."""

    root: Path
    debug: bool = False
    faces: OtherFaces = OtherFaces()
    credentials_path: Path | None = None
    log_format: str | None = None
    read_only: bool = False
    verbose: int = 0
    quiet: bool = False
    no_color: bool = False
    root_given: Given = Given.NOWHERE
    server: str | None = None
    server_given: Given = Given.NOWHERE
    token_ref: str | None = None
    ca_cert: Path | None = None
    opened_by: str = ""
    """The command that has opened the workspace, by its path."""

    @property
    def is_remote(self) -> bool:
        """Whether the workspace is that of a server."""
        return self.server is not None and self.server_given >= self.root_given

    @property
    def names_two_workspaces(self) -> bool:
        """Whether the same place names a workspace of this machine and a server."""
        return self.is_remote and self.server_given == self.root_given

    @cached_property
    def client(self) -> Client:
        """What the commands call the services through: on the workspace of this call, or over the network."""
        if self.server is None or not self.is_remote:
            from ingest_tui.services.open_client import OpenWorkspaceClient

            return OpenWorkspaceClient(self.root, lambda: self.workspace)
        from ingest_tui.services.remote.client import RemoteClient, connect

        if self.read_only:
            refuse_change(click.get_current_context())
        return RemoteClient(connect(self.server, token_reference=self.token_ref, ca_file=self.ca_cert))

    @cached_property
    def workspace(self) -> Workspace:
        """The workspace of this call, opened when first used."""
        from ingest_tui.cli.rebuild_progress import shown_on_stderr
        from ingest_tui.services.workspaces import open_at

        if self.is_remote:
            raise refusal_of(click.get_current_context())
        context = click.get_current_context()
        self.opened_by = context.command_path.partition(" ")[2]
        if self.read_only:
            refuse_change(context)
        workspace = open_at(self.root, self.credentials_path)
        workspace.on_rebuild = shown_on_stderr()
        workspace.is_read_only = self.read_only
        return workspace

    def cause_of(self, error: Exception) -> Exception:
        """Return what a failure comes from, a contradiction of the catalogue or a read-only disk, else the failure."""
        if "workspace" not in self.__dict__ or isinstance(error, click.ClickException | click.exceptions.Exit):
            return error
        if not self.read_only and (read_only_disk := on_read_only_disk(error, self.opened_by)):
            return read_only_disk
        from ingest_tui.services.workspaces import failure_of_catalogue

        return failure_of_catalogue(self.workspace, error) or error


def hand_over_credentials(session: Session) -> None:
    """Let a face that opens the workspace for each of its calls, and starts workers, use the same credentials file."""
    if session.credentials_path is not None:
        os.environ["INGEST_TUI_CREDENTIALS"] = os.path.abspath(session.credentials_path)  # noqa: PTH100


def confirm(question: str, *, yes: bool, as_json: bool) -> None:
    """Ask before something is taken away; refused where nobody can answer."""
    import sys

    from ingest_tui.model.errors import RefusedError

    question = safe_display(question)
    if yes:
        return
    refusal = RefusedError(f"{question} Nobody is there to answer.", hint="--yes does it without asking")
    if as_json:
        raise refusal
    try:
        agreed = click.confirm(safe_display(question), err=True)
    except click.exceptions.Abort:
        if sys.stdin.isatty():
            raise
        click.echo(err=True)  # ends the line of the question, so that the error begins one
        raise refusal from None
    if not agreed:
        raise click.exceptions.Abort


dry_run_option = click.option(
    "--dry-run", "-n", is_flag=True, is_eager=True, help="Show what would be done, and change nothing."
)
"""Read before the workspace is opened, so that a dry run is allowed with --read-only: see `refuse_change`."""


def report_dry_run(text: str, data: dict[str, Any], *, as_json: bool) -> None:
    """Print what a command would have done: sentences, or the data that it prints when it does so."""
    from ingest_tui.cli import output

    if as_json:
        output.data(data | {"dry_run": True})
    else:
        output.block(text)


def wait_options(command: Any) -> Any:
    """Add ``--wait`` and ``--timeout`` to a command that takes something away; `wait_policy_of` reads them."""
    command = click.option(
        "--timeout", type=click.FloatRange(0), metavar="SECONDS", help="With --wait: give up after this long."
    )(command)
    return click.option("--wait", is_flag=True, help="Wait until no job works on it, then do it.")(command)


def wait_policy_of(workspace: Workspace, *, wait: bool, timeout: float | None) -> WaitPolicy | None:
    """Return how long a call waits for jobs, and say on stderr for which; None when it does not."""
    from ingest_tui.cli import diagnostics
    from ingest_tui.model.errors import UsageError
    from ingest_tui.services.jobs.source_claims import WaitPolicy
    from ingest_tui.services.workers import is_worked_on, worker_status

    if not wait:
        if timeout is not None:
            raise UsageError("--timeout is for --wait", hint="give both, or neither")
        return None

    def report(job: Manifest) -> None:
        diagnostics.say(f"waiting for job {job.job_id} ({job.state}); Ctrl-C leaves everything as it is")
        if job.state == "paused":
            diagnostics.say(f"hint: 'ingest-tui job resume {job.job_id}' resumes it")
        elif not is_worked_on(workspace, job.job_id) and not worker_status(workspace):
            diagnostics.say("hint: no worker is running; 'ingest-tui worker start' starts one")

    return WaitPolicy(timeout, report)


pass_session = click.make_pass_decorator(Session)
json_option = format_options
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


def removal_options(users: str, name_type: click.ParamType[str]) -> Callable[[Any], Any]:
    """Add what `remove` of something that ``users`` may need has: NAME, ``--force``, ``-n``, ``--yes``, ``--json``."""
    name_argument = click.argument("name", type=name_type)
    force_option = click.option("--force", is_flag=True, help=f"Even while {users} use it.")

    def add_options(command: Any) -> Any:
        for option in (pass_session, json_option, yes_option, dry_run_option, force_option, name_argument):
            command = option(command)
        return command

    return add_options
