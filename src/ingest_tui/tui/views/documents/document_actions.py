"""What can be done with documents, wherever they are shown. What an action is for is fixed when it begins."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from ingest_tui.tui import wording
from ingest_tui.tui.actions import undo
from ingest_tui.tui.terminal import pager
from ingest_tui.tui.views.base.progress import ShownProgress
from ingest_tui.tui.views.documents.document_query import DocumentQuery

if TYPE_CHECKING:
    from ingest_tui.model.document import Document
    from ingest_tui.services.documents.export import ExportFormat, ExportReport

_FORMATS: list[tuple[str, str]] = [
    ("jsonl", "JSON lines: text and all that is known, a line for each"),
    ("csv", "CSV: all that is known, a row for each, without the text"),
    ("folder", "Folder: a file for each text, and index.jsonl"),
]


class DocumentActions(ShownProgress):
    """Actions on ``target_documents``."""

    def target_documents(self) -> list[tuple[str, str]]:
        """The documents that an action is for: id and name of each, in their order."""
        return []

    def note_removed(self, document_ids: list[str]) -> None:
        """These documents are in the trash now."""

    def export_query(self) -> DocumentQuery:
        """What an export takes where nothing is marked."""
        return DocumentQuery()

    def documents_changed(self) -> None:
        """Documents were removed or restored."""
        self.catch_up()

    # Why

    def explain(self) -> None:
        """Say why the document is here, or why not."""
        targets = self.target_documents()
        if targets:
            self.ingest.explain(targets[0][0])

    # Removing and restoring

    def remove_documents(self) -> None:
        """Retire documents after a question that names them."""
        from ingest_tui.tui.dialogs.dialogs import Confirm

        targets, client = self.target_documents(), self.ingest.client
        if not targets:
            return
        ids = [document_id for document_id, _name in targets]

        def removed(number: int) -> None:
            self.note_removed(ids)
            number_words = wording.plural(number, "document")
            self.ingest.undo_stack.add(
                f"restored {number_words}", lambda: [client.documents.restore(one) for one in ids]
            )
            self.show_notice(f"{number_words} in the trash", f"{undo.HINT}; T shows the trash")
            self.documents_changed()

        def answered(confirmed: bool | None) -> None:
            if confirmed:
                self.ask(lambda: client.documents.remove(ids), removed, group=None)

        question = f"Remove {wording.plural(len(ids), 'document')}?"
        consequence = (
            "They go to the trash with all their versions. No sync brings one back until it changes; "
            "u in the trash restores."
        )
        names = [name for _id, name in targets]
        self.app.push_screen(Confirm(question, names, "Remove", consequence=consequence), answered)

    def restore_documents(self) -> None:
        """Bring documents back from the trash, one after another."""
        targets, client = dict(self.target_documents()), self.ingest.client
        if not targets:
            return

        def restored(_documents: list[Document]) -> None:
            self.documents_changed()

        self.ask_each(list(targets), client.documents.restore, done="restored", say=self.say_hint, then=restored)

    # Taking out

    def export_documents(self) -> None:
        """Write the marked documents, or all that pass the filters, to a file or folder; asks how and where."""
        from ingest_tui.tui.dialogs.ask import Ask
        from ingest_tui.tui.dialogs.dialogs import Choose

        query = self.export_query()
        ids = [document_id for document_id, _name in self.target_documents()] if self.exports_marked() else None
        what = wording.plural(len(ids), "document") if ids is not None else "all that pass the filters"

        def chosen(form: str | None) -> None:
            if form is None:
                return
            ending = {"jsonl": "export.jsonl", "csv": "export.csv"}.get(form, "export")
            value = os.path.join(os.getcwd(), ending)  # noqa: PTH109, PTH118 - shown to be changed

            def asked(target: str | None) -> None:
                if target is not None:
                    self._export(query, ids, form, Path(target).expanduser())  # type: ignore[arg-type]

            self.app.push_screen(Ask(f"Export {what} to", value=value), asked)

        self.app.push_screen(Choose(f"Export {what} as", _FORMATS), chosen)

    def exports_marked(self) -> bool:
        """Whether an export takes the targets alone."""
        return True

    def _export(self, query: DocumentQuery, ids: list[str] | None, form: ExportFormat, target: Path) -> None:
        client, choice = self.ingest.client, query.as_choice()
        choice["document_ids"] = ids
        progress = partial(self.shown_progress(), "exported")

        def exported(report: ExportReport) -> None:
            self.end_progress()
            left = f", {report.left_out_total:,} could not be read" if report.left_out_total else ""
            self.show_notice(f"exported {wording.plural(report.documents, 'document')}{left}", report.to)

        self.ask(
            lambda: client.documents.export(target, form=form, progress=progress, **choice),
            exported,
            group="export",
            otherwise=self.failed_in_progress,
        )

    # The original

    def open_original(self) -> None:
        """Show the original in the pager where it is a text on this machine; else send where it is to the clipboard."""
        targets, client = self.target_documents(), self.ingest.client
        if not targets:
            return
        document_id = targets[0][0]

        def look() -> tuple[Path | None, str | None, str]:
            path = client.documents.original(document_id)
            return path, pager.text_to_page(path) if path is not None else None, client.documents.get(document_id).uri

        self.ask(look, self._show_original, group="original", opens_dialog=True)

    def _show_original(self, found: tuple[Path | None, str | None, str]) -> None:
        path, text, uri = found
        if path is None:
            self.show_notice("the original lies elsewhere: its address goes to the clipboard", uri)
            self.ingest.send_to_clipboard(uri)
            return
        if text is not None and self._page(text):
            return
        why = "the original is no text" if text is None else "there is no pager here"
        self.show_notice(f"{why}: its path goes to the clipboard", str(path))
        self.ingest.send_to_clipboard(str(path))

    def _page(self, text: str) -> bool:
        try:
            with self.app.suspend():
                return pager.show_in_pager(text)
        except SuspendNotSupported:
            return False
