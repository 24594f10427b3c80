"""config list, get, set, unset, test, schema: the settings of a workspace."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ingest_tui.cli import output
from ingest_tui.cli.groups import CommandGroup
from ingest_tui.cli.session import Session, json_option, pass_session

if TYPE_CHECKING:
    from ingest_tui.services.settings import SettingRow


@click.group(cls=CommandGroup)
def config() -> None:
    """See and change the settings of the workspace. A running worker reads them again when it gets SIGHUP.

    A variable INGEST_TUI_<NAME> takes precedence over workspace.json, and that over the default.
    """


class SettingName(click.ParamType[str]):
    """The name of a setting, which shells complete; the services refuse what is none."""

    name = "setting"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:  # noqa: ARG002
        """Return the names that begin like this."""
        from click.shell_completion import CompletionItem

        from ingest_tui.services.settings import CONFIGURABLE

        return [CompletionItem(name) for name in CONFIGURABLE if name.startswith(incomplete)]


@config.command("list")
@json_option
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List all settings: their values, where these come from, and what each takes."""
    from ingest_tui.services.settings import list_settings

    rows = list_settings(session.workspace)
    if as_json:
        output.data([row.as_dict() for row in rows])
        return
    output.table(
        ("NAME", "VALUE", "FROM", "TAKES"),
        [(row.name, _shown(row), row.origin, row.takes) for row in rows],
        empty="",
    )


@config.command()
@click.argument("name", type=SettingName())
@json_option
@pass_session
def get(session: Session, name: str, as_json: bool) -> None:
    """Print the value of setting NAME as it is now."""
    from ingest_tui.services.settings import get_setting

    row = get_setting(session.workspace, name)
    if as_json:
        output.data(row.as_dict())
    else:
        output.line(_shown(row))


@config.command("set")
@click.argument("name", type=SettingName())
@click.argument("value")
@json_option
@pass_session
def set_(session: Session, name: str, value: str, as_json: bool) -> None:
    """Write VALUE for setting NAME into workspace.json: 5, 2GiB, true, null for none, JSON for lists and objects."""
    from ingest_tui.services.settings import set_setting

    row = set_setting(session.workspace, name, value)
    if row.name == "ocr_languages":
        _warn_of_missing_languages(session)
    _report(row, as_json=as_json)


def _warn_of_missing_languages(session: Session) -> None:
    from ingest_tui.cli import diagnostics
    from ingest_tui.services.sources.ocr_data import missing_for_ocr_languages

    settings = session.workspace.read_settings()
    if settings.ocr_engine != "rapidocr":
        diagnostics.say_what_ocr_lacks(missing_for_ocr_languages(settings.ocr_languages))


@config.command()
@click.argument("name", type=SettingName())
@json_option
@pass_session
def unset(session: Session, name: str, as_json: bool) -> None:
    """Leave setting NAME as it is by default."""
    from ingest_tui.services.settings import unset_setting

    _report(unset_setting(session.workspace, name), as_json=as_json)


@config.command()
@click.argument("name")
@json_option
@pass_session
def test(session: Session, name: str, as_json: bool) -> None:
    """Try entry NAME of on_job_end: run its command, or call its webhook, once, as if a job had ended.

    The job is made up, and its identifier, kind and trigger are 'trial'. Exit code 1: it failed; the error says why.
    """
    from ingest_tui.services.job_end_trials import try_job_end_hook

    told = try_job_end_hook(session.workspace, name)
    if as_json:
        output.data({"name": name, "told": told})
    else:
        output.line(f"{name} was told: {told}")


@config.command()
@json_option
def schema(as_json: bool) -> None:  # noqa: ARG001 - a schema is data in any case
    """Print the JSON Schema of workspace.json, for editors and for checks."""
    from ingest_tui.services.settings import settings_schema

    output.data(settings_schema())


def _report(row: SettingRow, *, as_json: bool) -> None:
    if as_json:
        output.data(row.as_dict())
        return
    output.line(f"{row.name} is {_shown(row)} ({row.origin})")
    if row.origin == "environment":
        output.line(f"the variable {row.variable} takes precedence over workspace.json")


def _shown(row: SettingRow) -> str:
    return row.value if isinstance(row.value, str) else json.dumps(row.value)
