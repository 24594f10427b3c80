"""Going through documents by source and folder, a level at a time."""

from __future__ import annotations

from dataclasses import replace

from ingest_tui.model.folder import Folder, folder_of
from ingest_tui.tui.actions.actions import OF_DOCUMENTS, Action
from ingest_tui.tui.views.documents.documents_model import DocumentLine, FolderLine
from ingest_tui.tui.views.documents.search_field import SearchField


class FolderNavigation(SearchField):
    """A list of documents that may be one of folders: then ``narrowed.folder`` is open."""

    def document_at_cursor(self) -> DocumentLine | None:
        """Return the document under the cursor; None where a folder is, or nothing."""
        line = self.main_table.current
        return line if isinstance(line, DocumentLine) else None

    def why_not(self, action: Action) -> tuple[str, str] | None:
        """What is done with documents is not done with a folder."""
        is_folder = isinstance(self.main_table.current, FolderLine)
        if action.id in OF_DOCUMENTS and is_folder and not self.main_table.marks:
            return "this is a folder, not a document", "enter goes into it"
        return super().why_not(action)

    def toggle_folders(self) -> None:
        """Show the folder of the document under the cursor, or all documents in one list again; it stays under it."""
        line = self.document_at_cursor()
        self.query_text = ""
        if self.narrowed.folder is not None:
            self._open(None, row=line.document_id if line else "")
        else:
            folder = folder_of(line.source_id, line.name) if line is not None and line.source_id else Folder()
            self._open(folder, row=line.document_id if line else "")

    def enter_folder(self, line: FolderLine) -> None:
        """Show what is in a folder."""
        self._open(line.folder)

    def leave_folder(self) -> bool:
        """Show the folder above the open one, with the cursor on it; False: there is none."""
        folder = self.narrowed.folder
        above = folder.above if folder is not None else None
        if above is None:
            return False
        self._open(above, row=str(folder))
        return True

    def _open(self, folder: Folder | None, *, row: str = "") -> None:
        self.main_table.show_again(row, 0)
        self.narrow_to(replace(self.narrowed, folder=folder))
