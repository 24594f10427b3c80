"""doc list, show, text, versions, diff, chunks, explain, export, remove, restore; and search."""

from __future__ import annotations

from typing import Any

import click
import humanize

from ingest_tui.cli import diagnostics, output
from ingest_tui.cli.document_choice import choice_of, choice_options
from ingest_tui.cli.export import export_document
from ingest_tui.cli.session import Session, confirm, json_option, pass_session, wait_options, wait_policy_of

_ORDERS = ("address", "newest", "title", "largest")


@click.group()
def doc() -> None:
    """List, show, explain, export, remove and restore documents.

    DOCUMENT is an id, a unique beginning of one, an address, or the path of a local file.
    """


@doc.command("list")
@choice_options
@click.option("--retired", is_flag=True, help="Those in the trash.")
@click.option("--sort", type=click.Choice(_ORDERS), default="address", show_default=True, help="In which order.")
@click.option("--limit", type=click.IntRange(1), default=200, show_default=True, help="At most this many.")
@json_option
@pass_session
def list_(session: Session, /, retired: bool, sort: str, limit: int, as_json: bool, **options: Any) -> None:
    """List documents."""
    from ingest_tui.services.documents.documents import count_documents, list_documents

    workspace = session.workspace
    choice = choice_of(options)
    choice["state"] = "retired" if retired else "active"
    found = list_documents(workspace, order=sort, limit=limit, **choice)
    if as_json:
        output.data([document.as_dict() for document in found])
        return
    rows = [
        (
            item.document_id[:12],
            f"v{item.version}",
            item.media_type,
            humanize.naturalsize(item.bytes),
            item.title,
            item.key,
        )
        for item in found
    ]
    empty = "the trash is empty" if retired else "no documents; 'ingest-tui sync' brings them in"
    if any(value for name, value in choice.items() if name != "state"):
        empty = f"no document {'in the trash ' if retired else ''}is like that; 'doc list' without filters shows all"
    output.table(("DOCUMENT", "VERSION", "TYPE", "SIZE", "TITLE", "KEY"), rows, empty=empty)
    total = count_documents(workspace, **choice)
    if total > len(found):
        output.line(f"{len(found)} of {total}; --limit shows more")


@doc.command()
@click.argument("document")
@json_option
@pass_session
def show(session: Session, document: str, as_json: bool) -> None:
    """Show what is known of DOCUMENT."""
    from ingest_tui.services.documents.documents import get_document, ingestion_record, remarks_of

    found = get_document(session.workspace, document)
    record = ingestion_record(session.workspace, found.document_id)
    if as_json:
        output.data({"document": found.as_dict(), "ingestion": record})
        return
    for name, value in found.as_dict().items():
        output.line(f"{name:14} {value}")
    for name in ("language", "pages", "columns", "links"):
        if record.get(name):
            output.line(f"{name:14} {record[name]}")
    for kind, message in remarks_of(record):
        output.line(f"{kind:14} {message}")


@doc.command()
@click.argument("document")
@click.option("--version", "version", type=click.IntRange(1), help="An earlier version.")
@json_option
@pass_session
def text(session: Session, document: str, version: int | None, as_json: bool) -> None:
    """Print the normalised text of DOCUMENT."""
    from ingest_tui.services.documents.documents import document_text, get_document

    found = get_document(session.workspace, document)
    told = document_text(session.workspace, found.document_id, version)
    if as_json:
        output.data({"document_id": found.document_id, "version": version or found.version, "text": told})
    else:
        output.block(told)


@doc.command()
@click.argument("document")
@json_option
@pass_session
def versions(session: Session, document: str, as_json: bool) -> None:
    """List the versions of DOCUMENT, newest first."""
    from ingest_tui.services.documents.documents import document_versions

    found = document_versions(session.workspace, document)
    if as_json:
        output.data(found)
        return
    rows = [
        (
            f"v{item['version']}",
            item["ingested_at"],
            humanize.naturalsize(item["bytes"]),
            item["raw_sha256"][:16],
            item["job_id"],
        )
        for item in found
    ]
    output.table(("VERSION", "INGESTED", "SIZE", "SHA-256", "JOB"), rows, empty="no versions")


@doc.command()
@click.argument("document")
@click.option("--from", "older", type=click.IntRange(1), help="The older version; the one before the other without it.")
@click.option("--to", "newer", type=click.IntRange(1), help="The newer version; the current one without it.")
@json_option
@pass_session
def diff(session: Session, document: str, older: int | None, newer: int | None, as_json: bool) -> None:
    """Print what changed in the text of DOCUMENT between two versions."""
    from ingest_tui.model.errors import UsageError
    from ingest_tui.services.documents.documents import document_diff, get_document

    found = get_document(session.workspace, document)
    newer = newer or found.version
    older = older or newer - 1
    if older < 1:
        raise UsageError(f"document {found.document_id} has one version only", hint="--from and --to name two")
    lines = document_diff(session.workspace, found.document_id, older, newer)
    if as_json:
        output.data({"document_id": found.document_id, "from": older, "to": newer, "diff": lines})
    else:
        output.block("\n".join(lines) or "the texts are the same")


@doc.command()
@click.argument("document")
@json_option
@pass_session
def chunks(session: Session, document: str, as_json: bool) -> None:
    """Print the chunks by which DOCUMENT is found."""
    from ingest_tui.services.documents.documents import document_chunks

    found = document_chunks(session.workspace, document)
    if as_json:
        output.data([chunk._asdict() for chunk in found])
        return
    for chunk in found:
        output.line(f"#{chunk.ordinal}  {chunk.heading}".rstrip())
        output.block(chunk.text)
    if not found:
        output.line("no chunks: documents in the trash are not searched")


@doc.command()
@click.argument("target", metavar="DOCUMENT|PATH")
@json_option
@pass_session
def explain(session: Session, target: str, as_json: bool) -> None:
    """Explain why a document or a path is here or not, with the evidence."""
    from ingest_tui.services.documents.explain import explain as tell

    story = tell(session.workspace, target)
    if as_json:
        output.data(story.as_dict())
        return
    for told in story.lines():
        output.line(told)


doc.add_command(export_document, "export")


@doc.command()
@click.argument("documents", nargs=-1, required=True)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@wait_options
@json_option
@pass_session
def remove(
    session: Session, documents: tuple[str, ...], yes: bool, wait: bool, timeout: float | None, as_json: bool
) -> None:
    """Retire DOCUMENTS to the trash; the next sync does not bring them back unless they change.

    Refused with 5 while a job works on a source of theirs.
    """
    from ingest_tui.services.documents.documents import get_document, remove_documents

    patience = wait_policy_of(session.workspace, wait=wait, timeout=timeout)
    found = [get_document(session.workspace, name) for name in documents]
    if not yes and not as_json:
        for document in found:
            diagnostics.say(f"  {document.title}  {document.uri}")
    confirm(f"Retire {len(found)} documents to the trash?", yes=yes, as_json=as_json)
    removed = remove_documents(session.workspace, [document.document_id for document in found], patience=patience)
    if as_json:
        output.data({"removed": removed})
    else:
        output.line(f"retired {removed} documents; 'ingest-tui doc restore DOCUMENT' brings one back")


@doc.command()
@click.argument("documents", nargs=-1, required=True)
@json_option
@pass_session
def restore(session: Session, documents: tuple[str, ...], as_json: bool) -> None:
    """Bring DOCUMENTS back from the trash."""
    from ingest_tui.services.documents.documents import restore_document

    restored = [restore_document(session.workspace, name) for name in documents]
    if as_json:
        output.data([document.as_dict() for document in restored])
        return
    for document in restored:
        output.line(f"restored {document.document_id}  {document.uri}")
    output.line("what is gone at its source stays here until somebody removes it")


@click.command()
@click.argument("query", nargs=-1, required=True)
@choice_options
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="At most this many hits.")
@click.option("--mode", type=click.Choice(["text"]), default="text", show_default=True, help="How to search.")
@json_option
@pass_session
def search(session: Session, /, query: tuple[str, ...], limit: int, mode: str, as_json: bool, **options: Any) -> None:
    """Find text in the documents: all words must occur; "quoted words" together; begin* for beginnings; OR, NOT."""
    from ingest_tui.services.documents.search import search as find

    del mode  # full text is the only mode yet
    hits = find(session.workspace, " ".join(query), limit=limit, **choice_of(options))
    if as_json:
        output.data([hit.as_dict() for hit in hits])
        return
    if not hits:
        output.line("nothing found")
    for number, hit in enumerate(hits, 1):
        below_title = hit.heading_path.removeprefix(hit.title).removeprefix(" › ")
        where = f" › {below_title}" if below_title else ""
        output.line(f"{number:2}. {hit.title}{where}   [{hit.document_id[:12]}, score {hit.score:.2f}]")
        output.raw_line(f"    {output.snippet(hit.snippet)}")
        output.line(f"    {hit.uri}")
