"""collection add, list."""

from __future__ import annotations

import click

from ingest_tui.cli import diagnostics, output
from ingest_tui.cli.session import Session, json_option, pass_session


@click.group()
def collection() -> None:
    """Add and list collections: groups of documents that are searched and deduplicated together."""


@collection.command()
@click.argument("name")
@click.option("--description", default="", help="What it is for.")
@json_option
@pass_session
def add(session: Session, name: str, description: str, as_json: bool) -> None:
    """Make a collection called NAME."""
    from ingest_tui.services.workspaces import add_collection

    made = add_collection(session.workspace, name, description=description)
    if as_json:
        output.data(made)
    else:
        output.line(f"made collection {made.collection_id}")


@collection.command("list")
@json_option
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List the collections."""
    from ingest_tui.services.workspaces import list_collections

    found = list_collections(session.workspace)
    for name in session.workspace.collections.unreadable():
        diagnostics.say(f"warning: collection {name} cannot be read; 'ingest-tui doctor' reports why")
    if as_json:
        output.data([item.model_dump(mode="json") | {"documents": number} for item, number in found])
        return
    rows = [(item.collection_id, item.name, number, item.description) for item, number in found]
    output.table(("COLLECTION", "NAME", "DOCUMENTS", "DESCRIPTION"), rows, empty="no collections")
