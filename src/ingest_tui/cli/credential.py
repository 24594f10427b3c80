"""credential add, list, show, set, test, remove."""

from __future__ import annotations

import sys
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click

from ingest_tui.cli import diagnostics, output
from ingest_tui.cli.day_argument import DAY
from ingest_tui.cli.groups import CommandGroup
from ingest_tui.cli.name_arguments import CREDENTIAL, CREDENTIAL_TYPE
from ingest_tui.cli.session import Session, confirm, json_option, pass_session, removal_options, report_dry_run
from ingest_tui.cli.steps import report_steps

if TYPE_CHECKING:
    from ingest_tui.services.credentials.credentials import CredentialRow, CredentialType


@click.group(cls=CommandGroup)
def credential() -> None:
    """Add, list, try, change and remove credentials: how sources sign in, and where their secrets are kept.

    Secrets are references, looked up when they are used: env:NAME, file:PATH, keyring:SERVICE/USER, or
    command:PROGRAM … for what a program prints.
    """


def _field_options(command: Any) -> Any:
    """Add the options that fill in an entry, for `add` and `set`."""
    options = [
        click.option("--description", help="What it is for."),
        click.option("--expires", type=DAY, metavar="DAY", help="When it ends: 2027-06-30."),
        click.option("--set", "plain", multiple=True, metavar="FIELD=VALUE", help="A field that is no secret."),
        click.option(
            "--secret", multiple=True, metavar="FIELD=REFERENCE", help="Where a secret is: password=env:NAME."
        ),
        click.option("--secret-stdin", metavar="FIELD", help="Read the secret itself from stdin."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@credential.command()
@click.argument("name")
@click.option(
    "--type",
    "type_name",
    type=CREDENTIAL_TYPE,
    required=True,
    metavar="TYPE",
    help="aws, entra (or sharepoint), basic, token, api_key, oauth.",
)
@_field_options
@json_option
@pass_session
def add(session: Session, /, name: str, type_name: str, as_json: bool, **options: Any) -> None:
    """Add a credential called NAME. On a terminal it asks for what is missing, without showing secrets."""
    from ingest_tui.services.credentials.credentials import add_credential, open_registry, type_called

    workspace = session.workspace
    declared = type_called(type_name)
    open_registry(workspace).refuse_taken(name)  # before anything is asked
    fields = _given(declared, options)
    _ask_for_the_rest(declared, fields)
    added = add_credential(
        workspace,
        name,
        type_name=declared.name,
        fields=fields,
        description=options["description"] or "",
        expires=_day(options["expires"]),
    )
    if as_json:
        output.data(added.as_dict())
        return
    output.line(f"added credential {name} to {workspace.credentials_path}")
    output.line(f"next: ingest-tui credential test {name}")


@credential.command("set")
@click.argument("name", type=CREDENTIAL)
@_field_options
@click.option("--ask", multiple=True, metavar="FIELD", help="Ask for a secret, without showing it.")
@click.option("--unset", multiple=True, metavar="FIELD", help="Take a field out; expires and description too.")
@json_option
@pass_session
def set_(
    session: Session, /, name: str, ask: tuple[str, ...], unset: tuple[str, ...], as_json: bool, **options: Any
) -> None:
    """Change fields of credential NAME, as to rotate a secret; what is not named stays. Running jobs take it up."""
    from ingest_tui.model.errors import UsageError
    from ingest_tui.services.credentials.credentials import change_credential, get_credential, type_called

    workspace = session.workspace
    seen = get_credential(workspace, name).summary
    declared = type_called(seen.type)
    fields = _given(declared, options)
    for field in ask:
        _refuse_plain(declared, field)
        fields[field] = _asked_secret(field, field, is_required=True)
    if not fields and not unset and options["description"] is None and options["expires"] is None:
        raise UsageError("nothing to change", hint="'ingest-tui credential set --help' lists what can be")
    changed = change_credential(
        workspace,
        name,
        fields=fields,
        unset=unset,
        description=options["description"],
        expires=_day(options["expires"]),
        based_on=seen,
    )
    if as_json:
        output.data(changed.as_dict())
        return
    output.line(f"changed credential {name}; running jobs take it up when they sign in again")
    output.line(f"next: ingest-tui credential test {name}")


@credential.command("list")
@json_option
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List the credentials: names, types, where each is used, when it ends."""
    from ingest_tui.services.credentials.credentials import list_credentials

    rows = list_credentials(session.workspace)
    if as_json:
        output.data([row.as_dict() for row in rows])
        return
    for row in rows:
        if row.summary.problem:
            diagnostics.say(f"warning: credential {row.summary.name}: {row.summary.problem}")
    output.table(
        ("CREDENTIAL", "TYPE", "USED BY", "EXPIRES", "DESCRIPTION"),
        [
            (
                row.summary.name,
                row.summary.type if row.summary.is_known else f"{row.summary.type or '?'} (unknown)",
                ", ".join(row.used_by) or "-",
                _expiry(row),
                row.summary.description,
            )
            for row in rows
        ],
        empty="no credentials yet; 'ingest-tui credential add NAME --type TYPE' adds one",
    )


@credential.command()
@click.argument("name", type=CREDENTIAL)
@json_option
@pass_session
def show(session: Session, name: str, as_json: bool) -> None:
    """Show credential NAME: its fields, and where its secrets are kept; never a secret."""
    from ingest_tui.services.credentials.credentials import get_credential

    row = get_credential(session.workspace, name)
    if as_json:
        output.data(row.as_dict())
        return
    entry = row.summary
    shown = {
        "name": entry.name,
        "type": entry.type if entry.is_known else f"{entry.type or '?'} (unknown)",
        "description": entry.description,
        "expires": _expiry(row),
        "used by": ", ".join(row.used_by) or "-",
        **entry.fields,
    }
    for field, value in shown.items():
        output.line(f"{field:22} {value}".rstrip())
    if entry.problem:
        diagnostics.say(f"warning: {entry.problem}")
        diagnostics.say(f"hint: {entry.hint}")


@credential.command()
@click.argument("name", type=CREDENTIAL)
@json_option
@pass_session
def test(session: Session, name: str, as_json: bool) -> int:
    """Try credential NAME: is it well-formed, are its secrets there, does it grant access?"""
    from ingest_tui.services.credentials.credentials import test_credential

    steps = test_credential(session.workspace, name)
    return report_steps(steps, as_json=as_json, width=20)


@credential.command()
@removal_options("sources", CREDENTIAL)
def remove(session: Session, name: str, force: bool, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Take credential NAME out of the file. Its secrets stay where they are kept, unless they are in the file."""
    from ingest_tui.services.credentials.credentials import get_credential, remove_credential

    seen = get_credential(session.workspace, name).summary
    if dry_run:
        report_dry_run(f"would remove credential {name}", {"name": name, "removed": False}, as_json=as_json)
        return
    confirm(f"Remove credential {name}?", yes=yes, as_json=as_json)
    remove_credential(session.workspace, name, force=force, based_on=seen)
    if as_json:
        output.data({"name": name, "removed": True})
    else:
        output.line(f"removed credential {name}")


def _expiry(row: CredentialRow) -> str:
    return f"{row.summary.expires} ({row.countdown})" if row.summary.expires else "-"


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def _given(declared: CredentialType, options: dict[str, Any]) -> dict[str, str]:
    """Return the fields that the options fill in. No error quotes what was given: it may be a secret."""
    from ingest_tui.model.errors import UsageError
    from ingest_tui.services.credentials.credentials import literal, refuse_literal

    fields = {}
    for text in options["plain"]:
        field, value = _pair(text, "--set FIELD=VALUE")
        if field in declared.secret_names:
            raise UsageError(
                f"{field} is a secret",
                hint=f"--secret {field}=env:NAME refers to it, --secret-stdin {field} reads it",
                code="literal_on_argv",
            )
        fields[field] = value
    for text in options["secret"]:
        field, value = _pair(text, "--secret FIELD=REFERENCE")
        _refuse_plain(declared, field)
        fields[field] = refuse_literal(field, value)
    if options["secret_stdin"]:
        field = options["secret_stdin"]
        _refuse_plain(declared, field)
        fields[field] = literal(_piped_secret(field))
    return fields


def _pair(text: str, form: str) -> tuple[str, str]:
    from ingest_tui.model.errors import UsageError

    field, separator, value = text.partition("=")
    if not separator or not field.isidentifier():
        raise UsageError(f"not of the form {form}", hint="e.g. --set region=eu-central-1 --secret password=env:NAME")
    return field, value


def _refuse_plain(declared: CredentialType, field: str) -> None:
    from ingest_tui.model.errors import UsageError

    if field not in declared.secret_names:
        raise UsageError(
            f"{field} is no secret field of type {declared.name}",
            hint=f"secret fields: {', '.join(declared.secret_names)}; others are given by --set",
        )


def _piped_secret(field: str) -> str:
    from ingest_tui.model.errors import UsageError
    from ingest_tui.services.credentials.credentials import without_line_end

    if sys.stdin.isatty():
        return str(click.prompt(f"{field} (not shown)", hide_input=True, err=True))
    try:
        secret = without_line_end(sys.stdin.buffer.read().decode())
    except UnicodeDecodeError:
        raise UsageError(f"{field}: what came on stdin is not text in UTF-8", hint="pipe in the text alone") from None
    if not secret:
        raise UsageError(f"{field}: nothing came on stdin", hint="pipe the secret in")
    return secret


def _ask_for_the_rest(declared: CredentialType, fields: dict[str, str]) -> None:
    """Ask for required plain fields and for all secrets that are not given yet; says what is missing when it cannot."""
    missing_plain = [name for name in declared.plain_names if declared.is_required(name) and name not in fields]
    if not sys.stdin.isatty():
        _refuse_incomplete(declared, missing_plain, fields)
        return
    for name in missing_plain:
        fields[name] = str(click.prompt(name, err=True))
    for secret in declared.secrets:
        is_left_out = secret.unless in fields or (secret.with_ and secret.with_ not in fields)
        if secret.name in fields or is_left_out:
            continue
        is_last_way = bool(secret.unless) or declared.is_required(secret.name)
        given = _asked_secret(secret.name, secret.question, is_required=is_last_way)
        if given:
            fields[secret.name] = given


def _refuse_incomplete(declared: CredentialType, missing_plain: list[str], fields: dict[str, str]) -> None:
    from ingest_tui.model.errors import UsageError

    missing = [name for name in declared.secret_names if declared.is_required(name) and name not in fields]
    if missing_plain or missing:
        given = [f"--set {name}=VALUE" for name in missing_plain] + [f"--secret {name}=REFERENCE" for name in missing]
        raise UsageError(
            f"missing: {', '.join([*missing_plain, *missing])}; nobody is there to ask",
            hint=f"add {' '.join(given)}",
        )


def _asked_secret(field: str, question: str, *, is_required: bool) -> str:
    """Ask without echo; repeats when what was typed cannot be a reference."""
    from ingest_tui.model.errors import UsageError, ValidationError
    from ingest_tui.services.credentials.credentials import FORMS, describe_given

    if not sys.stdin.isatty():
        raise UsageError(f"{field}: nobody is there to ask", hint=f"--secret-stdin {field} reads it from a pipe")
    text = f"{question}\n  {FORMS}, or the secret itself; not shown"
    while True:
        given = str(
            click.prompt(text, hide_input=True, default=None if is_required else "", show_default=False, err=True)
        )
        if not given:
            return ""
        try:
            diagnostics.say(f"{field}: {describe_given(given)}")
        except ValidationError as error:
            diagnostics.say(f"{error.message}; {error.hint}")
            continue
        return given
