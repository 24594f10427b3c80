"""doc list, folders, show, text, columns, chunks, links, trace, explain, export, remove, restore."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import humanize

from ingest_tui.cli import diagnostics, output
from ingest_tui.cli.doc_columns import columns
from ingest_tui.cli.doc_folders import folders
from ingest_tui.cli.doc_trace import trace
from ingest_tui.cli.document_choice import choice_of, choice_options, folder_option
from ingest_tui.cli.document_purge import purge
from ingest_tui.cli.document_versions import VERSION_COMMANDS
from ingest_tui.cli.export import export_document
from ingest_tui.cli.groups import CommandGroup
from ingest_tui.cli.name_arguments import COLLECTION, DOCUMENT, RETIRED_DOCUMENT
from ingest_tui.cli.preferences_shown import preferences_as_data, show_preferences
from ingest_tui.cli.selector_options import selector_of, selector_options
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
    from ingest_tui.services.documents.links import LinksFound

_COLUMNS_NAMED = 4
_ORDERS = ("address", "newest", "title", "largest")


@click.group(cls=CommandGroup)
def doc() -> None:
    """List, show, explain, export, remove and restore documents.

    DOCUMENT is an id, a unique beginning of one, an address, the path of a local file, or a file name.
    """


@doc.command("list")
@choice_options
@folder_option
@click.option("--retired", is_flag=True, help="Those in the trash.")
@click.option("--sort", type=click.Choice(_ORDERS), default="address", show_default=True, help="In which order.")
@click.option("--limit", type=click.IntRange(1), default=200, show_default=True, help="At most this many.")
@json_option
@pass_session
def list_(session: Session, /, retired: bool, sort: str, limit: int, as_json: bool, **options: Any) -> None:
    """List documents."""
    documents = session.client.documents
    choice = choice_of(options)
    choice["state"] = "retired" if retired else "active"
    found = documents.list(order=sort, limit=limit, **choice)
    details = documents.details_of_versions(found)
    if as_json:
        shown = {name: one._asdict() | {"embedding": one.embedding or None} for name, one in details.items()}
        output.data([one.as_dict() | shown[one.document_id] for one in found])
        return
    shows_columns = any(one.columns for one in details.values())
    shows_embedding = any(one.embedding for one in details.values())
    rows = [
        (
            item.document_id[:12],
            f"v{item.version} {details[item.document_id].given_label}".rstrip(),
            details[item.document_id].status,
            item.media_type,
            humanize.naturalsize(item.bytes),
            item.title,
            item.key,
            *((_short(details[item.document_id].columns),) if shows_columns else ()),
            *((details[item.document_id].embedding or "-",) if shows_embedding else ()),
        )
        for item in found
    ]
    empty = "the trash is empty" if retired else "no documents; 'ingest-tui sync' brings them in"
    if any(value for name, value in choice.items() if name != "state"):
        where = "in the trash " if retired else ""
        empty = f"no document {where}is like that; 'ingest-tui doc list' without filters shows all"
    columns = ("DOCUMENT", "VERSION", "STATUS", "TYPE", "SIZE", "TITLE", "KEY")
    more = [name for name, is_shown in (("COLUMNS", shows_columns), ("EMBEDDING", shows_embedding)) if is_shown]
    output.table((*columns, *more), rows, empty=empty)
    total = documents.count(**choice)
    if total > len(found):
        output.line(f"{len(found)} of {total}; --limit shows more")


def _short(columns: list[str]) -> str:
    """Return the first columns of a table, and how many more there are."""
    more = f" and {len(columns) - _COLUMNS_NAMED} more" if len(columns) > _COLUMNS_NAMED else ""
    return (", ".join(columns[:_COLUMNS_NAMED]) + more) or "-"


def _table_in_words(table: dict[str, Any]) -> str:
    name = " ".join(table["table"].split())
    return f"{f'{name}: ' if name else ''}{', '.join(table['columns'])}; {counted(table['rows'], 'row')}"


@doc.command()
@click.argument("document", type=DOCUMENT)
@json_option
@pass_session
def show(session: Session, document: str, as_json: bool) -> None:
    """Show what is known of DOCUMENT."""
    from ingest_tui.model.links import links_of
    from ingest_tui.services.documents.documents import remarks_of

    client = session.client
    found = client.documents.get(document)
    record = client.documents.record(found.document_id)
    embedding = client.vectors.states([found])[found.document_id]
    known = found.as_dict() | {"embedding": embedding or None}
    rows = client.documents.preferences(found, record)
    if as_json:
        output.data({"document": known, "ingestion": record, "preferences": preferences_as_data(rows)})
        return
    for name, value in known.items():
        if value is not None:
            output.line(f"{name:14} {value}")
    for name in ("language", "pages"):
        if record.get(name):
            output.line(f"{name:14} {record[name]}")
    for table in record.get("columns") or ():
        output.line(f"{'columns':14} {_table_in_words(table)}")
    show_preferences(rows, width=14)
    links = len(links_of(record))
    if links:
        output.line(f"{'links':14} {links:,}; 'ingest-tui doc links {found.document_id}' shows where they lead")
    for kind, message in remarks_of(record):
        output.line(f"{kind:14} {message}")


@doc.command()
@click.argument("document", type=DOCUMENT)
@click.option("--version", "version", type=click.IntRange(1), help="An earlier version.")
@json_option
@pass_session
def text(session: Session, document: str, version: int | None, as_json: bool) -> None:
    """Print the normalised text of DOCUMENT."""
    documents = session.client.documents
    found = documents.get(document)
    text = documents.text(found.document_id, version)
    if as_json:
        output.data({"document_id": found.document_id, "version": version or found.version, "text": text})
    else:
        output.block(text)


@doc.command()
@click.argument("document", type=DOCUMENT)
@json_option
@pass_session
def chunks(session: Session, document: str, as_json: bool) -> None:
    """Print the chunks by which DOCUMENT is found."""
    found = session.client.documents.chunks(document)
    if as_json:
        output.data([chunk.as_dict() for chunk in found])
        return
    for chunk in found:
        output.line(chunk.headline())
        output.block(chunk.text)
    if not found:
        output.line("no chunks: documents in the trash are not searched")


@doc.command()
@click.argument("document", type=DOCUMENT, required=False)
@click.option("--incoming", is_flag=True, help="The links of other documents that lead to this one.")
@click.option("--broken", is_flag=True, help="Only links into a source that lead to nothing; without DOCUMENT, all.")
@click.option(
    "--collection", "collection_id", type=COLLECTION, metavar="NAME", help="With --broken: of this collection."
)
@json_option
@pass_session
def links(
    session: Session, document: str | None, incoming: bool, broken: bool, collection_id: str | None, as_json: bool
) -> None:
    """Print the links of DOCUMENT and where they lead, the links that lead to it, or all broken ones."""
    documents = session.client.documents
    if document is None:
        if not broken or incoming:
            raise click.UsageError("name a DOCUMENT, or give --broken for the broken links of all documents")
        found = documents.broken_links(collection_id=collection_id)
        _show_links_between(found, as_json=as_json, empty="no link is broken")
        return
    if collection_id is not None:
        raise click.UsageError("--collection is for --broken without a DOCUMENT")
    if incoming:
        if broken:
            raise click.UsageError("a link that leads to a document is not broken: give --incoming or --broken")
        _show_links_between(documents.incoming_links(document), as_json=as_json, empty="no document links to it")
        return
    resolved = documents.links(document)
    if broken:
        resolved = [one for one in resolved if one.state == "broken"]
    if as_json:
        output.data({"links": [one.as_dict() for one in resolved]})
        return
    rows = [(one.state, one.link.text, one.link.target, one.document_id or one.detail) for one in resolved]
    output.table(["STATE", "TEXT", "TARGET", "DOCUMENT"], rows, empty="no link is broken" if broken else "no links")


def _show_links_between(found: LinksFound, *, as_json: bool, empty: str) -> None:
    if as_json:
        output.data(found.as_dict())
        return
    rows = [(one.source.uri, one.resolved.link.text, one.resolved.link.target) for one in found.links]
    output.table(["DOCUMENT", "TEXT", "TARGET"], rows, empty=empty)
    if found.unreadable:
        output.line(f"{counted(len(found.unreadable), 'record')} cannot be read, and their links are missing")


@doc.command()
@click.argument("target", metavar="DOCUMENT|PATH")
@json_option
@pass_session
def explain(session: Session, target: str, as_json: bool) -> None:
    """Explain why a document or a path is here or not, with the evidence."""
    explanation = session.client.documents.explain(target)
    if as_json:
        output.data(explanation.as_dict())
        return
    for line in explanation.lines():
        output.line(line)


doc.add_command(columns, "columns")
doc.add_command(folders)
doc.add_command(trace)
doc.add_command(export_document, "export")
for command in (*VERSION_COMMANDS, purge):
    doc.add_command(command)


@doc.command()
@click.argument("documents", type=DOCUMENT, nargs=-1)
@selector_options
@dry_run_option
@yes_option
@wait_options
@json_option
@pass_session
def remove(
    session: Session,
    /,
    documents: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    wait: bool,
    timeout: float | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Retire DOCUMENTS, or all that the options select, with all their versions to the trash.

    No sync brings them back unless they change.

    Refused with 5 while a job works on a source of theirs.
    """
    from ingest_tui.services.documents.documents import remove_documents
    from ingest_tui.services.documents.selection import select_documents
    from ingest_tui.services.documents.version_details import removal_in_words

    wait_policy = wait_policy_of(session.workspace, wait=wait, timeout=timeout)
    found = select_documents(session.workspace, documents, selector_of(options))
    if dry_run:
        planned = {"removed": 0, "documents": [document.as_dict() for document in found]}
        what = removal_in_words(session.workspace, found)
        lines = [f"  {document.document_id}  {document.uri}" for document in found]
        report_dry_run("\n".join([f"would retire {what} to the trash", *lines]), planned, as_json=as_json)
        return
    if not yes and not as_json:
        for document in found:
            diagnostics.say(f"  {document.title}  {document.uri}")
    confirm(f"Retire {removal_in_words(session.workspace, found)} to the trash?", yes=yes, as_json=as_json)
    removed = remove_documents(session.workspace, [document.document_id for document in found], wait_policy=wait_policy)
    if as_json:
        output.data({"removed": removed})
    else:
        output.line(_removed_words(removed))


def _removed_words(removed: int) -> str:
    if not removed:
        return "nothing was retired: what was named is in the trash already"
    return f"retired {counted(removed, 'document')}; 'ingest-tui doc restore DOCUMENT' brings one back"


@doc.command()
@click.argument("documents", type=RETIRED_DOCUMENT, nargs=-1)
@selector_options
@dry_run_option
@json_option
@pass_session
def restore(session: Session, /, documents: tuple[str, ...], dry_run: bool, as_json: bool, **options: Any) -> None:
    """Bring DOCUMENTS, or all that the options select, back from the trash."""
    service = session.client.documents
    found = service.select(documents, selector_of(options), state="retired")
    if dry_run:
        lines = [f"  {document.document_id}  {document.uri}" for document in found]
        planned = {"restored": 0, "documents": [document.as_dict() for document in found]}
        report_dry_run(
            "\n".join([f"would restore {counted(len(found), 'document')}", *lines]), planned, as_json=as_json
        )
        return
    restored = [service.restore(document.document_id) for document in found]
    if as_json:
        output.data([document.as_dict() for document in restored])
        return
    for document in restored:
        output.line(f"restored {document.document_id}  {document.uri}")
    output.line("what is gone at its source stays here until somebody removes it")
