"""serve, and the tokens of its clients."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import click

from ingest_tui.cli import diagnostics, output
from ingest_tui.cli.groups import CommandGroup
from ingest_tui.cli.name_arguments import COLLECTION
from ingest_tui.cli.selector_options import Age
from ingest_tui.cli.session import Session, hand_over_credentials, json_option, pass_session
from ingest_tui.model.access_token import SCOPES, AccessToken, TokenScope
from ingest_tui.model.errors import UsageError
from ingest_tui.model.serving import DEFAULT_HOST, DEFAULT_PORT, ServeOptions

_FILE = click.Path(path_type=Path, dir_okay=False)
_LARGEST_PORT = 65_535


@click.group(cls=CommandGroup, invoke_without_command=True)
@click.option("--host", default=DEFAULT_HOST, show_default=True, help="The address to listen at.")
@click.option(
    "--port", type=click.IntRange(0, _LARGEST_PORT), default=DEFAULT_PORT, show_default=True, help="0: any free one."
)
@click.option("--socket", type=_FILE, help="Listen at this Unix socket instead; only you can connect to it.")
@click.option("--tls-cert", "certificate", type=_FILE, help="The certificate, PEM.")
@click.option("--tls-key", "private_key", type=_FILE, help="Its private key, PEM.")
@click.option("--allowed-host", "allowed_hosts", multiple=True, metavar="NAME", help="A further name to be called by.")
@click.option("--origin", "origins", multiple=True, metavar="URL", help="Let the pages of this site use it (CORS).")
@click.pass_context
def serve(ctx: click.Context, /, **options: Any) -> int | None:
    """Serve the workspace over HTTP until SIGTERM.

    On this machine no token is needed until there is one; any other address needs tokens. A browser gets a page
    at /, and GET /docs describes the rest.
    """
    session = ctx.ensure_object(Session)
    if ctx.invoked_subcommand is not None:
        return None
    if session.faces.run_server is None:
        raise UsageError("the server is not part of this call", hint="run 'ingest-tui serve' or 'python -m ingest_tui'")
    hand_over_credentials(session)
    return session.faces.run_server(session.root, ServeOptions(read_only=session.read_only, **options))


@serve.group(cls=CommandGroup)
def token() -> None:
    """Add, list and revoke the tokens of clients."""


@token.command()
@click.argument("name")
@click.option("--scope", type=click.Choice(SCOPES), default="read", show_default=True, help="What it may do.")
@click.option("--collection", type=COLLECTION, metavar="NAME", help="It sees this collection alone.")
@click.option("--expires", type=Age(), help="For how long it is valid: 12h, 90d, 52w; for good if not given.")
@json_option
@pass_session
def add(
    session: Session, name: str, scope: str, collection: str | None, expires: timedelta | None, as_json: bool
) -> None:
    """Make a token and print it. It is shown once: only its hash is kept."""
    from ingest_tui.services.access_tokens import add_token

    made = add_token(
        session.workspace, name, scope=cast("TokenScope", scope), collection=collection, valid_for=expires
    )  # fmt: skip
    if as_json:
        output.data({**_as_dict(made.token), "token": made.secret})
    else:
        output.line(made.secret)
        diagnostics.say("note: this is shown once; only its hash is kept")


@token.command("list")
@json_option
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List the tokens; their secrets are nowhere."""
    from ingest_tui.services.access_tokens import list_tokens

    found = list_tokens(session.workspace)
    if as_json:
        output.data([_as_dict(one) for one in found])
        return
    rows = [(one.name, one.scope, one.collection_id, one.created_at, one.expires_at) for one in found]
    empty = "no tokens; 'ingest-tui serve token add NAME' makes one"
    output.table(("NAME", "SCOPE", "COLLECTION", "MADE", "EXPIRES"), rows, empty=empty)


@token.command()
@click.argument("name")
@json_option
@pass_session
def revoke(session: Session, name: str, as_json: bool) -> None:
    """Make a token invalid: a running server refuses it from now on."""
    from ingest_tui.services.access_tokens import list_tokens, revoke_token

    gone = revoke_token(session.workspace, name)
    if as_json:
        output.data(_as_dict(gone))
    else:
        output.line(f"token {gone.name} is not valid any more")
        if not list_tokens(session.workspace):
            diagnostics.say("note: no token is left; at a port nobody is let in until there is another one")


def _as_dict(one: AccessToken) -> dict[str, Any]:
    return one.model_dump(exclude={"digest"})
