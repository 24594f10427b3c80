"""Documents by source and folder, a level at a time."""

from __future__ import annotations

from typing import NamedTuple, Unpack

from ingest_tui.model.document import Document
from ingest_tui.model.errors import NotFoundError
from ingest_tui.model.folder import Folder, FolderEntry, folder_written
from ingest_tui.model.safe_text import safe_display
from ingest_tui.services.documents.documents import check_choice
from ingest_tui.services.name_lookup import source_id_of
from ingest_tui.store.catalogue import folders as catalogue_folders
from ingest_tui.store.catalogue.queries import DocumentChoice
from ingest_tui.store.workspace import Workspace


class FolderPage(NamedTuple):
    """A part of what is in a folder, its folders first, and how many there are of both in all."""

    folders: list[FolderEntry]
    documents: list[Document]
    all_folders: int
    all_documents: int

    @property
    def total(self) -> int:
        """How many folders and documents are directly in it."""
        return self.all_folders + self.all_documents


def page_of_folder(
    workspace: Workspace,
    *,
    limit: int,
    offset: int = 0,
    order: str = "address",
    backwards: bool = False,
    **choice: Unpack[DocumentChoice],
) -> FolderPage:
    """Return a part of what is directly in the folder of a choice (without one: the sources), as far as it leaves it.

    Folders come first, by name, then documents.

    These are in an order of `list_documents`. A folder that no document is in is as one that never was: empty.
    """
    check_choice(workspace, choice)
    catalogue = workspace.reading
    all_folders = catalogue_folders.count_folders(catalogue, **choice)
    all_documents = catalogue_folders.count_documents_in(catalogue, **choice)
    folders: list[FolderEntry] = []
    if offset < all_folders:
        folders = catalogue_folders.folders_in(catalogue, limit=limit, offset=offset, **choice)
    documents: list[Document] = []
    if left := limit - len(folders):
        start = max(0, offset - all_folders)
        documents = catalogue_folders.documents_in(
            catalogue, limit=left, offset=start, order=order, backwards=backwards, **choice
        )
    return FolderPage(folders, documents, all_folders, all_documents)


def folder_named(workspace: Workspace, name: str) -> Folder:
    """Return the folder that people write as ``handbook/reports/2026``: a source, and a path in it.

    Nothing, or a slash alone, is what is above all sources. Raises `NotFoundError` where no document is in it.
    """
    written = folder_written(name)
    if not written.source_id:
        return written
    folder = Folder(source_id_of(workspace, written.source_id), written.path)
    if not any(page_of_folder(workspace, folder=folder, limit=1, state=None)[:2]):
        raise no_such_folder(name)
    return folder


def no_such_folder(name: str) -> NotFoundError:
    """Return the error of a folder that no document is in, called so by a person."""
    return NotFoundError(
        f"no document is in folder '{safe_display(name, limit=200)}'",
        hint="'ingest-tui doc folders' shows the sources, 'ingest-tui doc folders SOURCE/PATH' what is in a folder",
    )
