"""service print, install, status, uninstall."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ingest_tui.cli import diagnostics, output
from ingest_tui.cli.groups import CommandGroup
from ingest_tui.cli.session import Session, confirm, json_option, pass_session, yes_option
from ingest_tui.model.errors import ConflictError

if TYPE_CHECKING:
    from ingest_tui.model.service_unit import ServiceScope

_UNIT = "ingest-tui"


@click.group(cls=CommandGroup)
def service() -> None:
    """Have systemd run the worker of a workspace, for months."""


def _scope_options(command: Any) -> Any:
    """Add ``--user`` and ``--system``, which become ``scope``."""
    command = click.option("--system", "scope", flag_value="system", help="For the machine; the default for root.")(
        command
    )
    return click.option("--user", "scope", flag_value="user", help="For your user; the default for others.")(command)


_metrics_option = click.option(
    "--metrics",
    metavar="PORT|FILE",
    help="Figures for Prometheus, as those of --watch; '' for none. Default: as installed.",
)
_name_option = click.option("--name", default=_UNIT, show_default=True, help="Of the unit, without '.service'.")
_overwrite_option = click.option("--overwrite", is_flag=True, help="Also a unit file that somebody edited; asks.")


def _chosen(scope: str | None) -> ServiceScope:
    from ingest_tui.services.service_units import usual_scope

    return "user" if scope == "user" else "system" if scope == "system" else usual_scope()


@service.command(name="print")
@_scope_options
@_metrics_option
@pass_session
def print_unit(session: Session, scope: str | None, metrics: str | None) -> None:
    """Print the unit file, and write nothing."""
    from ingest_tui.services.service_units import service_unit

    output.block(service_unit(session.workspace, _chosen(scope), metrics or ""))


@service.command()
@_scope_options
@_name_option
@_metrics_option
@_overwrite_option
@yes_option
@json_option
@pass_session
def install(
    session: Session, scope: str | None, name: str, metrics: str | None, overwrite: bool, yes: bool, as_json: bool
) -> None:
    """Write the unit file and say how to enable it; it is not started.

    Exit code 5: somebody edited the file, see --overwrite. Exit code 6: nobody agreed.
    """
    from ingest_tui.services.service_units import install_service

    try:
        done = install_service(session.workspace, _chosen(scope), name, metrics=metrics)
    except ConflictError:
        if not overwrite:
            raise
        confirm(f"Overwrite the edited unit {name}.service?", yes=yes, as_json=as_json)
        done = install_service(session.workspace, _chosen(scope), name, metrics=metrics, overwrite=True)
    if done.verified:
        diagnostics.say(f"warning: systemd-analyze says: {done.verified}")
    if as_json:
        output.data(done.as_dict())
        return
    output.line(f"{'wrote' if done.changed else 'unchanged:'} {done.path}")
    for command in done.commands:
        output.line(f"next: {command}")


@service.command()
@_scope_options
@_name_option
@json_option
@pass_session
def status(session: Session, scope: str | None, name: str, as_json: bool) -> int | None:
    """Show which unit file is installed, and what systemd says of it. Exit code 4: there is none."""
    from ingest_tui.services.service_units import service_status

    found = service_status(session.workspace, _chosen(scope), name)
    if as_json:
        output.data(found.as_dict())
    else:
        output.line(f"{found.path}: {found.file}")
        if found.file == "missing":
            output.line("'ingest-tui service install' writes it")
        elif found.file == "outdated":
            output.line("'ingest-tui service install' brings it up to date")
        for key, value in found.manager.items():
            output.line(f"{key}: {value or '-'}")
        if found.file != "missing" and not found.manager:
            output.line("systemd does not answer")
    return diagnostics.EXIT_NOT_FOUND if found.file == "missing" else None


@service.command()
@_scope_options
@_name_option
@_overwrite_option
@yes_option
@json_option
@pass_session
def uninstall(session: Session, scope: str | None, name: str, overwrite: bool, yes: bool, as_json: bool) -> None:
    """Remove the unit file of a service that is stopped and disabled; the workspace stays as it is."""
    from ingest_tui.services.service_units import uninstall_service

    if overwrite:
        confirm(f"Remove the unit {name}.service, also if it was edited?", yes=yes, as_json=as_json)
    path = uninstall_service(session.workspace, _chosen(scope), name, overwrite=overwrite)
    if as_json:
        output.data({"removed": path})
    else:
        output.line(f"removed {path}")
