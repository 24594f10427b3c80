"""The text of the document under the cursor next to the list, and what is known of it."""

from __future__ import annotations

from dataclasses import replace

from textual.app import ComposeResult
from textual.containers import Vertical

from ingest_tui.services.client import Client
from ingest_tui.tui.background.questions import Asking
from ingest_tui.tui.views.documents.document_lines import facts_of, preview_lines
from ingest_tui.tui.views.documents.document_query import DocumentQuery
from ingest_tui.tui.views.documents.documents_model import FolderLine, ListedLine
from ingest_tui.tui.views.documents.line_pages import folder_facts, folder_lines, read_lines
from ingest_tui.tui.widgets.text import TextLines
from ingest_tui.tui.widgets.text_lines import TonedLines

_MOST_SHOWN = 200


class DocumentPane(Asking, Vertical):
    """Shows one document, read in a thread; a newer one makes the older void."""

    line: ListedLine | None = None
    """The row whose document or folder is shown."""

    def compose(self) -> ComposeResult:
        """The text, and below it the facts."""
        yield TextLines(id="preview")
        yield TextLines(id="facts")

    def is_outdated(self, line: ListedLine | None) -> bool:
        """Whether a row is that of the document or folder that is shown, which has changed."""
        shown = self.line
        if isinstance(shown, FolderLine) or isinstance(line, FolderLine):
            return shown is not None and line is not None and shown.key == line.key and shown != line
        if shown is None or line is None or shown.document_id != line.document_id:
            return False
        return (shown.version, shown.updated_at) != (line.version, line.updated_at)

    def show(self, client: Client, line: ListedLine | None, query: DocumentQuery) -> None:
        """Show the document of a row, at the words that a search has found, or what a folder has; None: nothing."""
        self.line = line
        text, facts = self.query_one("#preview", TextLines), self.query_one("#facts", TextLines)
        if line is None:
            text.show([])
            facts.show([])
            return
        if isinstance(line, FolderLine):
            text.find([])
            facts.show(folder_facts(line))
            inside = replace(query, folder=line.folder)
            self.ask(lambda: folder_lines(read_lines(client, inside, limit=_MOST_SHOWN), line.folder), text.show,
                     group="preview", otherwise=lambda message, hint: text.show([message, hint]))  # fmt: skip
            return
        document_id, passage = line.document_id, line.passage

        def read() -> tuple[TonedLines, TonedLines]:
            return preview_lines(client.documents.text(document_id), document_id), facts_of(client, document_id)

        def show(answer: tuple[TonedLines, TonedLines]) -> None:
            text.show(answer[0])
            if passage is None:
                text.find([])
            else:
                text.show_passage(*passage)
            facts.show(answer[1])

        self.ask(read, show, group="preview", otherwise=lambda message, hint: text.show([message, hint]))
