"""collection add, list; and audit."""

from __future__ import annotations

import time

import click

from ingest_tui.cli import output
from ingest_tui.cli.session import Session, json_option, pass_session

_FOLLOW_SECONDS = 0.5


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
    if as_json:
        output.data([item.model_dump(mode="json") | {"documents": number} for item, number in found])
        return
    rows = [(item.collection_id, item.name, number, item.description) for item, number in found]
    output.table(("COLLECTION", "NAME", "DOCUMENTS", "DESCRIPTION"), rows, empty="no collections")


@click.command()
@click.option("--follow", "-f", is_flag=True, help="Go on as lines are added.")
@json_option
@pass_session
def audit(session: Session, follow: bool, as_json: bool) -> None:
    """Print who did what, when, with which outcome."""
    shown = 0
    while True:
        for number, entry in enumerate(session.workspace.audit.entries()):
            if number < shown:
                continue
            shown = number + 1
            if as_json:
                output.data_line(entry)
                continue
            details = " ".join(f"{name}={value}" for name, value in entry.get("details", {}).items())
            told = "  ".join(str(entry[name]) for name in ("at", "by", "action", "target", "outcome"))
            output.line(f"{told}  {details}".rstrip())
        if not follow:
            return
        time.sleep(_FOLLOW_SECONDS)
