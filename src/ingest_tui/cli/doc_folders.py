"""doc folders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import humanize

from ingest_tui.cli import output
from ingest_tui.cli.document_choice import choice_of, choice_options
from ingest_tui.cli.name_arguments import FOLDER
from ingest_tui.cli.session import Session, json_option, pass_session

if TYPE_CHECKING:
    from ingest_tui.model.folder import Folder


@click.command()
@click.argument("folder", type=FOLDER, metavar="[SOURCE[/PATH]]", default="")
@choice_options
@click.option("--retired", is_flag=True, help="Of the documents in the trash.")
@click.option("--limit", type=click.IntRange(1), default=200, show_default=True, help="At most this many.")
@json_option
@pass_session
def folders(session: Session, /, folder: Folder, retired: bool, limit: int, as_json: bool, **options: Any) -> None:
    """Show what is in a folder: the folders in it with their documents, however far below, then its own documents.

    Without SOURCE the sources are shown.
    """
    from ingest_tui.services.documents.folders import page_of_folder

    choice = choice_of(options)
    choice["state"] = "retired" if retired else "active"
    choice["folder"] = folder
    page = page_of_folder(session.workspace, limit=limit, **choice)
    if as_json:
        output.data(
            {
                "source_id": folder.source_id or None,
                "path": folder.path,
                "folders": [
                    {"source_id": one.folder.source_id, "path": one.folder.path, "documents": one.documents,
                     "bytes": one.bytes, "updated_at": one.updated_at}
                    for one in page.folders
                ],
                "documents": [one.as_dict() for one in page.documents],
                "folders_total": page.all_folders,
                "documents_total": page.all_documents,
            }
        )  # fmt: skip
        return
    rows = [
        (str(one.folder), f"{one.documents:,}", humanize.naturalsize(one.bytes), one.updated_at) for one in page.folders
    ] + [
        (f"{folder}{folder.name_of(one.key)}", "", humanize.naturalsize(one.bytes), one.updated_at)
        for one in page.documents
    ]
    output.table(("FOLDER OR DOCUMENT", "DOCUMENTS", "SIZE", "UPDATED"), rows, empty="no document is here like that")
    if page.total > len(rows):
        output.line(f"{len(rows)} of {page.total}; --limit shows more")
