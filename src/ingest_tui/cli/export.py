"""export, and doc export: taking documents out of the workspace."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import humanize

from ingest_tui.cli import diagnostics, output
from ingest_tui.cli.document_choice import choice_of, choice_options, folder_option
from ingest_tui.cli.name_arguments import DOCUMENT
from ingest_tui.cli.session import Session, json_option, pass_session
from ingest_tui.model.counted import counted

if TYPE_CHECKING:
    from ingest_tui.services.documents.export import ContentKind, DocumentContent, ExportFormat, ExportReport

_FORMATS = ("jsonl", "csv", "folder")
_KINDS = ("text", "raw", "record")
STDOUT = Path("-")

to_option = click.option(
    "--to", type=click.Path(path_type=Path, allow_dash=True), default=STDOUT, help="Where to write; stdout without it."
)
force_option = click.option("--force", is_flag=True, help="Replace what is there.")


@click.command()
@choice_options
@folder_option
@click.option("--document", "document_ids", multiple=True, help="Only this one; may be given several times.")
@click.option(
    "--format", "form", type=click.Choice(_FORMATS), default="jsonl", show_default=True, help="What to make of them."
)
@to_option
@force_option
@json_option
@pass_session
def export(
    session: Session,
    /,
    document_ids: tuple[str, ...],
    form: ExportFormat,
    to: Path,
    force: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Take the documents out: text and everything known of them.

    jsonl: a line for each document, with its text. csv: a row for each, without text. folder: a file for each text, and
    index.jsonl. With --to the export is whole or not there. Exit code 3: some documents could not be read and are left
    out.
    """
    from ingest_tui.model.errors import UsageError
    from ingest_tui.services.documents.documents import get_document
    from ingest_tui.services.documents.export import Export

    if to == STDOUT and form == "folder":
        raise UsageError("a folder export needs a place", hint="--to FOLDER names it")
    if to == STDOUT and form == "csv" and as_json:
        raise UsageError("CSV on stdout is not JSON", hint="--format jsonl, or --to FILE for a summary in JSON")
    choice = choice_of(options)
    if document_ids:
        choice["document_ids"] = [get_document(session.workspace, name).document_id for name in document_ids]
    wanted = Export(session.workspace, form=form, **choice)
    if to == STDOUT:
        for line in wanted.lines():
            output.raw_text(line)
        return _report_left_out(wanted.report)
    report = wanted.write(to, replace=force)
    if as_json:
        output.data(report.as_dict())
    else:
        output.line(
            f"exported {counted(report.documents, 'document')}, {humanize.naturalsize(report.bytes)}, to {report.to}"
        )
    return _report_left_out(report)


def _report_left_out(report: ExportReport) -> int:
    for one in report.left_out[:5]:
        diagnostics.say(f"warning: left out {one['document_id']} ({one['uri']}): {one['message']}")
    if not report.left_out_total:
        return 0
    diagnostics.say(
        f"warning: {counted(report.left_out_total, 'document')} could not be read and are not in the export"
    )
    diagnostics.say("hint: 'ingest-tui rebuild' finds what is lost, then 'ingest-tui sync SOURCE' reads it again")
    return diagnostics.EXIT_FAILED_ITEMS


@click.command()
@click.argument("document", type=DOCUMENT)
@click.option("--version", "version", type=click.IntRange(1), help="An earlier version.")
@click.option(
    "--what",
    type=click.Choice(_KINDS),
    default="text",
    show_default=True,
    help="The normalised text, the file as it came, or the ingestion record.",
)
@to_option
@force_option
@json_option
@pass_session
def export_document(
    session: Session, document: str, version: int | None, what: ContentKind, to: Path, force: bool, as_json: bool
) -> None:
    """Take one DOCUMENT out, byte for byte: its text, its raw file or its record."""
    from ingest_tui.model.errors import UsageError

    documents = session.client.documents
    if to != STDOUT:
        summary = documents.export_one(document, to, what=what, version=version, replace=force)
        if as_json:
            output.data(summary)
        else:
            output.line(f"exported {what}, {humanize.naturalsize(summary['bytes'])}, to {summary['to']}")
        return
    if what == "raw" and (as_json or sys.stdout.isatty()):
        where = "in JSON" if as_json else "on a terminal"
        raise UsageError(f"a raw file is not shown {where}", hint="--to FILE writes it; a pipe takes it too")
    content = documents.content(document, what=what, version=version)
    _print_content(content, as_json=as_json)
    documents.note_export(content, to="stdout")


def _print_content(content: DocumentContent, *, as_json: bool) -> None:
    if content.what != "record" and not as_json and not sys.stdout.isatty():
        output.raw_bytes(content.pieces)
        return
    text = b"".join(content.pieces).decode(errors="replace")
    if content.what == "record":
        output.raw_text(text)
    elif as_json:
        output.data({"document_id": content.document.document_id, "version": content.version, "text": text})
    else:
        output.block(text)
