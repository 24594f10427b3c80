"""The columns of the list of documents, and of what a search found. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import TYPE_CHECKING

from ingest_tui.model.folder import Folder
from ingest_tui.tui import wording
from ingest_tui.tui.views.documents.documents_model import DocumentLine, FolderLine, ListedLine
from ingest_tui.tui.widgets.columns import Cell, Column

if TYPE_CHECKING:
    from ingest_tui.services.documents.version_details import VersionDetails

_TONES = {"failed": "bad", "empty": "warn", "in trash": "quiet"}
_ATTENTION = {"bad", "warn", "running"}
_UNFINISHED = {"queued", "running", "failed", "cancelled"}


CHOICES = {
    "title": "Title",
    "label": "Label of the version",
    "columns": "Columns of its tables",
    "type": "Type",
    "source": "Source",
    "status": "Status",
    "version": "Version",
    "size": "Size",
    "updated": "Last change",
}
"""The columns that can be chosen; the document itself is always shown."""
_LEAST_WIDTH = 12
"""What a column that takes what is left has at least, where columns are chosen."""


def columns_of_hits() -> list[Column[DocumentLine]]:
    """Return the columns of what a search found."""
    return [
        Column("name", "DOCUMENT", 24, lambda line: Cell(line.name), is_path=True),
        Column("snippet", "FOUND", 0, lambda line: Cell(line.snippet, "hits")),
        Column(
            "score", "SCORE", 6, lambda line: Cell(f"{line.score:.2f}" if line.score else ""), from_width=70, right=True
        ),
    ]


def columns_of_list(
    now: Callable[[], float],
    details: Mapping[str, VersionDetails],
    keys: AbstractSet[str],
    chosen: Collection[str] = (),
) -> list[Column[DocumentLine]]:
    """Return the columns of the list. ``details`` by document: those of a line come after it, when it is in sight.

    ``chosen`` columns are shown, and no others, as far as there is room. Without a choice labels and columns of tables
    are shown where there are any; the status in a narrow list where one needs attention.
    """

    def of_details(read: Callable[[VersionDetails], Cell]) -> Callable[[DocumentLine], Cell]:
        def cell(line: DocumentLine) -> Cell:
            known = details.get(line.key)
            return read(known) if known is not None and known.version == line.version else Cell("")

        return cell

    def updated(line: DocumentLine) -> Cell:
        return Cell(wording.age(line.updated_at, now()), "quiet")

    shown = [one for key, one in details.items() if key in keys]
    has_labels = any(one.given_label for one in shown)
    has_tables = any(one.columns for one in shown)
    status_from = 60 if any(status_of(one).tone in _ATTENTION for one in shown) else 92
    optional = [
        Column("label", "LABEL", 12, of_details(lambda one: Cell(one.given_label)), from_width=70),
        Column("columns", "COLUMNS", 0, of_details(lambda one: Cell(", ".join(one.columns), "quiet")), from_width=78),
    ]
    is_shown = {"label": has_labels, "columns": has_tables, "type": False}
    columns = [
        Column("name", "DOCUMENT", 0, lambda line: Cell(line.name), is_path=True, share=2),
        Column("title", "TITLE", 0, lambda line: Cell(line.title, "quiet"), from_width=110 if has_tables else 78),
        *optional,
        Column("type", "TYPE", 18, lambda line: Cell(line.media_type, "quiet")),
        Column("source", "SOURCE", 14, lambda line: Cell(line.source_id), from_width=60),
        Column("status", "STATUS", 16, of_details(status_of), from_width=status_from),
        Column("version", "VER", 4, lambda line: Cell(f"v{line.version}"), from_width=48, right=True),
        Column("size", "SIZE", 9, lambda line: Cell(wording.size(line.size)), right=True),
        Column("updated", "UPDATED", 7, updated, right=True),
    ]
    if chosen:
        return list(_chosen(columns, chosen))
    return [column for column in columns if is_shown.get(column.name, True)]


def columns_of_folder(
    columns: Sequence[Column[DocumentLine]], folder: Folder, now: Callable[[], float]
) -> list[Column[ListedLine]]:
    """Return the columns of what is in a folder, from those of a list: its folders have numbers, documents the rest."""
    of_folder: dict[str, Callable[[FolderLine], Cell]] = {
        "size": lambda line: Cell(wording.size(line.size)),
        "updated": lambda line: Cell(wording.age(line.updated_at, now()), "quiet"),
    }

    def name(line: ListedLine) -> Cell:
        return Cell(line.name, "accent") if isinstance(line, FolderLine) else Cell(folder.name_of(line.name))

    def documents(line: ListedLine) -> Cell:
        return Cell(f"{line.documents:,}" if isinstance(line, FolderLine) else "")

    def of_both(column: Column[DocumentLine]) -> Column[ListedLine]:
        def cell(line: ListedLine) -> Cell:
            if isinstance(line, FolderLine):
                return of_folder[column.name](line) if column.name in of_folder else Cell("")
            return column.cell(line)

        return Column(column.name, column.title, column.width, cell, column.from_width, column.right, column.is_path)

    return [
        Column("name", "NAME", 0, name, is_path=True),
        Column("documents", "DOCUMENTS", 9, documents, right=True),
        *(of_both(one) for one in columns if one.name not in {"name", "source"}),
    ]


def _chosen(columns: list[Column[DocumentLine]], chosen: Collection[str]) -> Iterator[Column[DocumentLine]]:
    """Yield the document and the chosen columns, each shown where those before it leave room."""
    needed = 0
    for column in columns:
        if column.name == "name" or column.name in chosen:
            needed += (column.width or _LEAST_WIDTH) + 1
            yield replace(column, from_width=needed)


def status_of(details: VersionDetails) -> Cell:
    """Return how a document is doing; of one that its words find, how far its embedding is where that is not done."""
    if details.status == "searchable" and details.embedding in _UNFINISHED:
        tone = {"failed": "bad", "cancelled": "warn"}.get(details.embedding, "running")
        return Cell(f"embed {details.embedding}", tone)
    return Cell(details.status, _TONES.get(details.status, "good"))
