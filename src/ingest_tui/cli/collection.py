"""collection add, list, show, edit, prefs, use, remove, restore."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ingest_tui.cli import diagnostics, output
from ingest_tui.cli.collection_preferences import prefs
from ingest_tui.cli.groups import CommandGroup
from ingest_tui.cli.name_arguments import COLLECTION
from ingest_tui.cli.session import (
    Session,
    confirm,
    dry_run_option,
    json_option,
    pass_session,
    report_dry_run,
    wait_options,
    wait_policy_of,
    yes_option,
)
from ingest_tui.model.counted import counted

if TYPE_CHECKING:
    from ingest_tui.services.collections.page import CollectionPage


@click.group(cls=CommandGroup)
def collection() -> None:
    """Add, list, change, use and remove collections: groups of documents that are searched together."""


@collection.command()
@click.argument("name")
@click.option("--description", default="", help="What it is for.")
@json_option
@pass_session
def add(session: Session, name: str, description: str, as_json: bool) -> None:
    """Make a collection called NAME."""
    from ingest_tui.services.collections.collections import add_collection

    made = add_collection(session.workspace, name, description=description)
    if as_json:
        output.data(made)
    else:
        output.line(f"made collection {made.collection_id}")


@collection.command("list")
@json_option
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List the collections; * marks the one in use."""
    collections = session.client.collections
    found = collections.list()
    in_use = collections.in_use()
    for name in collections.unreadable():
        diagnostics.say(f"warning: collection {name} cannot be read; 'ingest-tui doctor' reports why")
    if as_json:
        marks = {item.collection_id: item.collection_id == in_use for item, _number in found}
        output.data(
            [
                item.model_dump(mode="json") | {"documents": number, "in_use": marks[item.collection_id]}
                for item, number in found
            ]
        )
        return
    rows = [
        (
            f"{item.collection_id} *" if item.collection_id == in_use else item.collection_id,
            item.name,
            number,
            item.description,
        )
        for item, number in found
    ]
    output.table(("COLLECTION", "NAME", "DOCUMENTS", "DESCRIPTION"), rows, empty="no collections")


@collection.command()
@click.argument("name", type=COLLECTION)
@json_option
@pass_session
def show(session: Session, name: str, as_json: bool) -> None:
    """Show what collection NAME is for, what is in it, and what was chosen for it."""
    from ingest_tui.model.preference_values import preference_rows

    page = session.client.collections.page(name)
    if as_json:
        output.data(page.as_dict())
        return
    summary = page.summary
    found = summary.collection
    chosen = {row.key: row.value for row in preference_rows(found.preferences) if row.is_chosen}
    values = {
        "collection": f"{found.collection_id}{' (in use)' if summary.is_in_use else ''}",
        "name": found.name,
        "description": found.description,
        "documents": f"{summary.documents} ({counted(summary.chunks, 'chunk')}), {summary.in_trash} in the trash",
        "sources": ", ".join(summary.source_ids) or "none",
        **_vectors_in_words(page),
        "unfinished jobs": ", ".join(summary.unfinished_jobs) or "none",
        "created": found.created_at,
        "changed": found.updated_at,
        **chosen,
    }
    for label, value in values.items():
        output.line(f"{label:16} {value}")
    if not summary.documents:
        output.line(f"next: ingest-tui source add local NAME --path FOLDER --collection {found.collection_id}")
        output.line(f"      ingest-tui upload FILE --collection {found.collection_id}")


def _vectors_in_words(page: CollectionPage) -> dict[str, str]:
    """Return what is to be said of the vectors of a collection; nothing where nothing is embedded."""
    if page.to_embed is None:
        return {}
    embedding = (f"{one.source_id} {one.next_embedding or one.embedding or '-'}" for one in page.sources)
    generations = (f"{one.number} {one.state} ({one.embedder.embedder_id})" for one in page.generations)
    return {
        "to embed": counted(page.to_embed, "document"),
        "embedding": ", ".join(embedding) or "-",
        "generations": ", ".join(generations) or "none",
    }


@collection.command()
@click.argument("name", type=COLLECTION)
@click.option("--name", "new_name", metavar="TEXT", help="What it is called; its identifier stays.")
@click.option("--description", metavar="TEXT", help="What it is for; '' for nothing.")
@json_option
@pass_session
def edit(session: Session, name: str, new_name: str | None, description: str | None, as_json: bool) -> None:
    """Change what collection NAME is called, and what it is for."""
    from ingest_tui.model.errors import UsageError
    from ingest_tui.services.collections.collections import edit_collection

    if new_name is None and description is None:
        hint = f"give --name or --description; 'ingest-tui collection prefs {name}' shows the preferences"
        raise UsageError("nothing to change", hint=hint)
    edited = edit_collection(session.workspace, name, name=new_name, description=description)
    if as_json:
        output.data(edited)
    else:
        output.line(f"changed collection {edited.collection_id}")


@collection.command()
@click.argument("name", type=COLLECTION)
@json_option
@pass_session
def use(session: Session, name: str, as_json: bool) -> None:
    """Remember collection NAME as the one in use: the TUI opens with it."""
    from ingest_tui.services.collections.collections import use_collection

    used = use_collection(session.workspace, name)
    if as_json:
        output.data(used)
    else:
        output.line(f"collection {used.collection_id} is in use: the TUI opens with it")


@collection.command()
@click.argument("name", type=COLLECTION)
@dry_run_option
@yes_option
@wait_options
@json_option
@pass_session
def remove(
    session: Session, name: str, dry_run: bool, yes: bool, wait: bool, timeout: float | None, as_json: bool
) -> None:
    """Remove collection NAME with its sources, and retire its documents to the trash.

    Documents of other collections stay, those with the same content too. Refused with 5 while a job of it is not over.
    """
    from ingest_tui.services.collections.collections import get_collection
    from ingest_tui.services.collections.removal import remove_collection, what_would_go

    seen = get_collection(session.workspace, name)
    wait_policy = wait_policy_of(session.workspace, wait=wait, timeout=timeout)
    goes = what_would_go(session.workspace, name)
    sources = f" and its sources ({', '.join(goes.source_ids)})" if goes.source_ids else ""
    what = f"remove collection {name}{sources}, and retire {counted(goes.documents, 'document')} to the trash"
    if dry_run:
        data = {"collection_id": name, "retired": goes.documents, "sources": list(goes.source_ids)}
        report_dry_run(f"would {what}", data, as_json=as_json)
        return
    confirm(f"{what[:1].upper()}{what[1:]}?", yes=yes, as_json=as_json)
    removed = remove_collection(session.workspace, name, wait_policy=wait_policy, based_on=seen)
    if as_json:
        output.data({"collection_id": name, "retired": removed.documents, "sources": list(removed.source_ids)})
        return
    output.line(f"removed collection {name}; {counted(removed.documents, 'document')} went to the trash")
    output.line(f"next: ingest-tui collection restore {name}   brings it back, as long as they are there")


@collection.command()
@click.argument("name")
@json_option
@pass_session
def restore(session: Session, name: str, as_json: bool) -> None:
    """Bring removed collection NAME back, with its sources and what the trash has of its documents."""
    from ingest_tui.services.collections.removal import restore_collection

    restored = restore_collection(session.workspace, name)
    if as_json:
        sources = list(restored.source_ids)
        output.data({"collection_id": restored.collection_id, "restored": restored.documents, "sources": sources})
    else:
        output.line(f"restored collection {restored.collection_id} with {counted(restored.documents, 'document')}")


collection.add_command(prefs)
