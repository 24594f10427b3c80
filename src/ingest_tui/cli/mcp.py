"""mcp: the server for agents."""

from __future__ import annotations

import click

from ingest_tui.cli.name_arguments import COLLECTION
from ingest_tui.cli.session import Session, hand_over_credentials, pass_session
from ingest_tui.model.errors import UsageError
from ingest_tui.model.mcp_options import McpOptions


@click.command()
@click.option("--collection", type=COLLECTION, metavar="NAME", help="Only this collection is seen.")
@click.option("--allow-write", is_flag=True, help="Also offer to sync, to approve deletions and to ignore problems.")
@pass_session
def mcp(session: Session, collection: str | None, allow_write: bool) -> int:
    """Serve agents over standard input and output: search, read and explain documents.

    A client of the Model Context Protocol starts this; docs/mcp.md shows how the usual ones are told to. Nothing is
    changed without --allow-write. Needs the extra 'serve'.
    """
    if allow_write and session.read_only:
        raise UsageError("--allow-write and --read-only contradict each other", hint="give one of them")
    if session.faces.run_mcp is None:
        raise UsageError("the server is not part of this call", hint="run 'ingest-tui mcp' or 'python -m ingest_tui'")
    hand_over_credentials(session)
    return session.faces.run_mcp(
        McpOptions(session.root, collection, allow_write, read_only=session.read_only, debug=session.debug)
    )
