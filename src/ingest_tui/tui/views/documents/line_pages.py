"""Reading the lines of the Documents view: a part of all documents, or of what is in a folder. Runs in a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ingest_tui.model.folder import Folder
from ingest_tui.tui import wording
from ingest_tui.tui.views.documents.document_query import DocumentQuery
from ingest_tui.tui.views.documents.documents_model import FolderLine, ListedLine, line_of_document, line_of_folder
from ingest_tui.tui.widgets.text_lines import TonedLines

if TYPE_CHECKING:
    from ingest_tui.services.client import Client


class LinePage(NamedTuple):
    """A part of the lines, how many there are in all, and the folder that they are of."""

    lines: list[ListedLine]
    total: int
    folder: Folder | None = None


def read_lines(client: Client, query: DocumentQuery, *, limit: int, offset: int = 0) -> LinePage:
    """Return a part of the lines of a query: in a folder its folders, then its documents."""
    choice = query.as_choice()
    order, backwards = query.order, query.backwards
    if query.folder is None:
        page = client.documents.page(limit=limit, offset=offset, order=order, backwards=backwards, **choice)
        return LinePage([line_of_document(one) for one in page.rows], page.total)
    inside = client.documents.folder(limit=limit, offset=offset, order=order, backwards=backwards, **choice)
    lines: list[ListedLine] = [*map(line_of_folder, inside.folders), *map(line_of_document, inside.documents)]
    return LinePage(lines, inside.total, query.folder)


def folder_lines(page: LinePage, folder: Folder) -> TonedLines:
    """Return what is in a folder, for the pane next to the list: the first of it."""
    lines: TonedLines = [
        (f"{one.name}  {one.documents:,}", "head") if isinstance(one, FolderLine) else folder.name_of(one.name)
        for one in page.lines
    ]
    left = page.total - len(page.lines)
    return [*lines, (f"and {left:,} more", "quiet")] if left > 0 else lines


def folder_facts(line: FolderLine) -> TonedLines:
    """Return what is known of a folder."""
    return [
        f"{'source_id':14} {line.folder.source_id}",
        f"{'folder':14} {line.folder.path or '/'}",
        f"{'documents':14} {line.documents:,}",
        f"{'size':14} {wording.size(line.size)}",
        f"{'last change':14} {line.updated_at}",
    ]
