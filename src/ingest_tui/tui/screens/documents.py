"""Documents: what is in the collections. Filter by name, search in the text, read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widgets import Input

from ingest_tui.model.document import Document, SearchHit
from ingest_tui.tui import wording
from ingest_tui.tui.actions import bindings_of
from ingest_tui.tui.feed import FeedUpdate
from ingest_tui.tui.gateway import DocumentPage, DocumentQuery
from ingest_tui.tui.records import Record, document_record
from ingest_tui.tui.screens.base import WIDE, ViewScreen
from ingest_tui.tui.screens.document import preview_lines
from ingest_tui.tui.widgets.table import Cell, Column, VirtualTable
from ingest_tui.tui.widgets.text import TextLines

PAGE = 500
HITS = 100
_READ_AHEAD = 100
_SETTLE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """A document in the list, or a place in its text that a search found."""

    key: str
    document_id: str
    name: str
    title: str = ""
    source_id: str = ""
    version: int = 0
    size: int | None = None
    updated_at: str = ""
    snippet: str = ""
    uri: str = ""


def line_of_document(document: Document) -> DocumentLine:
    """Return the line of a document."""
    return DocumentLine(
        document.document_id,
        document.document_id,
        document.key or document.uri,
        document.title,
        document.source_id,
        document.version,
        document.bytes,
        document.updated_at,
        uri=document.uri,
    )


def line_of_hit(hit: SearchHit) -> DocumentLine:
    """Return the line of a search hit; what matched stands between « and »."""
    snippet = " ".join(hit.snippet.replace("\x02", "«").replace("\x03", "»").split())
    name = hit.uri.rstrip("/").rpartition("/")[2] or hit.title
    return DocumentLine(hit.chunk_id, hit.document_id, name, hit.title, snippet=snippet, uri=hit.uri)


class DocumentsScreen(ViewScreen):
    """The list of documents."""

    view = "documents"
    heading = "Documents"
    CSS_PATH = "documents.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("documents")]

    def __init__(self) -> None:
        super().__init__()
        self.source_id: str | None = None
        self.query_text = ""
        self._lines: list[DocumentLine] | None = None
        self._total = 0
        self._reading = False
        self._settling: Timer | None = None

    def compose_body(self) -> ComposeResult:
        """A field for searching, the table, and room for the text beside it."""
        yield Input(id="search", placeholder="words to look for in the text", compact=True)
        with Horizontal():
            yield VirtualTable(self._columns(), lambda line: line.key, id="documents-table")
            yield TextLines(id="preview")

    def _columns(self) -> list[Column[DocumentLine]]:
        if self.query_text:
            return [
                Column("name", "DOCUMENT", 24, lambda line: Cell(line.name)),
                Column("snippet", "FOUND", 0, lambda line: Cell(line.snippet, "quiet")),
            ]

        def updated(line: DocumentLine) -> Cell:
            return Cell(wording.age(line.updated_at, self.ingest.now()), "quiet")

        return [
            Column("name", "DOCUMENT", 0, lambda line: Cell(line.name)),
            Column("title", "TITLE", 0, lambda line: Cell(line.title, "quiet"), from_width=78),
            Column("source", "SOURCE", 14, lambda line: Cell(line.source_id), from_width=60),
            Column("version", "VER", 4, lambda line: Cell(f"v{line.version}"), from_width=48, right=True),
            Column("size", "SIZE", 9, lambda line: Cell(wording.size(line.size)), right=True),
            Column("updated", "UPDATED", 7, updated, right=True),
        ]

    @property
    def table(self) -> VirtualTable[DocumentLine]:
        """The table of documents."""
        return cast("VirtualTable[DocumentLine]", self.query_one("#documents-table", VirtualTable))

    @property
    def preview(self) -> TextLines:
        """The text beside the table."""
        return self.query_one("#preview", TextLines)

    def place(self) -> str:
        """Where we are."""
        if self.query_text:
            return f"Documents > search: {self.query_text}"
        return f"Documents > {self.source_id or 'all'}"

    def on_mount(self) -> None:
        """Keep the cursor of the search field still."""
        super().on_mount()
        self.query_one("#search", Input).cursor_blink = False

    # What is shown

    def show_source(self, source_id: str) -> None:
        """Show the documents of one source; Esc shows all again."""
        self.source_id, self.query_text, self.words, self._lines = source_id, "", "", None
        if self.is_mounted:
            self.catch_up()

    def feed_changed(self, update: FeedUpdate) -> None:
        """Read again when documents have changed; a search stands until it is asked again."""
        if (update.documents_changed or update.changed) and not self.query_text and not self._reading:
            self._read(len(self._lines or []))

    def catch_up(self) -> None:
        """Read the documents from the start."""
        self.table.set_columns(self._columns())
        self.say_header()
        if self.query_text:
            self._search()
        else:
            self._read(0)

    def _read(self, at_least: int) -> None:
        """Read a first stretch, as long as what is shown now."""
        query, gateway = DocumentQuery(self.words, self.source_id), self.ingest.gateway
        limit = max(PAGE, at_least)
        self._reading = True
        self.ask(lambda: gateway.documents(query, limit=limit, offset=0), self._take, group="documents",
                 otherwise=self._trouble)  # fmt: skip

    def _take(self, page: DocumentPage) -> None:
        self._reading = False
        self._lines = [line_of_document(document) for document in page.rows]
        self._total = page.total
        self._show()

    def _read_on(self) -> None:
        """Read the next stretch once the cursor comes near the end of what is known."""
        known = len(self._lines or [])
        if self._reading or self.query_text or known >= self._total or self.table.cursor < known - _READ_AHEAD:
            return
        query, gateway = DocumentQuery(self.words, self.source_id), self.ingest.gateway

        def more(page: DocumentPage) -> None:
            self._reading = False
            self._lines = [*(self._lines or []), *map(line_of_document, page.rows)]
            self._total = page.total if page.rows else known
            self._show()

        self._reading = True
        self.ask(lambda: gateway.documents(query, limit=PAGE, offset=known), more, group="documents",
                 otherwise=self._trouble)  # fmt: skip

    def _trouble(self, message: str, hint: str) -> None:
        self._reading = False
        if self.source_id is not None:
            self.source_id = None
        self.tell(message, hint, bad=True)

    def _show(self) -> None:
        lines = self._lines or []
        self.table.show(lines, empty=self._empty_words())
        self._say()

    def _say(self) -> None:
        self.say_info(len(self.table.rows), self._total, "hit" if self.query_text else "document")
        line = self.table.current
        self.say_hint("" if line is None else f"{line.title or line.name}  {line.uri}")

    def _empty_words(self) -> list[str]:
        if self._lines is None:
            return ["reading …"]
        if self.query_text:
            return ["Nothing is found with these words.", "", "esc shows all documents, s searches again"]
        if self.words or self.source_id:
            return ["No document matches.", "", "esc shows all of them"]
        return [
            "No documents yet.",
            "",
            "They come in when a source is synced: press 2 for the sources,",
            "a there to add a folder, and s to sync it.",
        ]

    # Searching

    def start_search(self) -> None:
        """Open the search field."""
        self.add_class("-searching")
        entry = self.query_one("#search", Input)
        entry.value = self.query_text
        self.set_focus(entry)

    @on(Input.Submitted, "#search")
    def search_submitted(self, event: Input.Submitted) -> None:
        """Search in the text."""
        self.query_text = event.value.strip()
        self.remove_class("-searching")
        self.table.focus()
        self.catch_up()

    def _search(self) -> None:
        query, gateway = self.query_text, self.ingest.gateway
        self.ask(lambda: gateway.search(query, limit=HITS), self._found, group="documents")

    def _found(self, hits: list[SearchHit]) -> None:
        self._lines = [line_of_hit(hit) for hit in hits]
        self._total = len(hits)
        self._show()

    def go_back(self) -> None:
        """Close the search field, then the search, then the source, then the filter."""
        if self.has_class("-searching"):
            self.remove_class("-searching")
            self.table.focus()
        elif self.query_text:
            self.query_text = ""
            self.catch_up()
        elif self.source_id is not None and not self.words and not self.has_class("-filtering"):
            self.source_id = None
            self.catch_up()
        else:
            super().go_back()

    # The text beside

    @on(VirtualTable.Moved, "#documents-table")
    def moved(self) -> None:
        """Read on, and show the text beside once the cursor rests."""
        self._say()
        self._read_on()
        if self.size.width >= WIDE:
            if self._settling is not None:
                self._settling.stop()
            self._settling = self.set_timer(_SETTLE_SECONDS, self._show_preview)

    def _show_preview(self) -> None:
        line = self.table.current
        if line is None:
            self.preview.show([])
            return
        document_id, gateway = line.document_id, self.ingest.gateway
        self.ask(lambda: preview_lines(gateway.document_text(document_id), document_id), self.preview.show,
                 group="preview", otherwise=lambda message, hint: self.preview.show([message, hint]))  # fmt: skip

    def on_resize(self) -> None:
        """Show the text beside when there is room now."""
        super().on_resize()
        self.preview.display = self.size.width >= WIDE
        if self.size.width >= WIDE:
            self._show_preview()

    # Actions

    def rows_changed(self) -> None:
        """Ask for the documents that pass the filter, or show marks anew."""
        if self.query_text:
            self._say()
        else:
            self._read(0)

    def toggle_mark(self) -> None:
        """Mark the document under the cursor."""
        self.table.toggle_mark()
        self._say()

    def mark_all(self) -> None:
        """Mark all that are shown."""
        self.table.mark_all()
        self._say()

    def command_values(self) -> dict[str, str]:
        """The document under the cursor, and the words of the search."""
        line = self.table.current
        return {"document": line.document_id if line else "", "query": self.query_text}

    def copies(self) -> dict[str, str]:
        """The document, and where it comes from."""
        line = self.table.current
        return super().copies() | ({"path": line.uri} if line is not None else {})

    def record(self) -> Record | None:
        """The ingestion record of the document under the cursor."""
        line = self.table.current
        return document_record(self.ingest.gateway, line.document_id) if line is not None else None

    def show_words(self, words: str) -> None:
        """Search in the text."""
        self.query_text = words
        self.query_one("#search", Input).value = words
        self.catch_up()

    @on(VirtualTable.Opened, "#documents-table")
    def open_selected(self) -> None:
        """Read the document under the cursor."""
        line = self.table.current
        if line is not None:
            self.ingest.open_document(line.document_id, line.name)

    def explain(self) -> None:
        """Say why the document is here."""
        line = self.table.current
        if line is not None:
            self.ingest.explain(line.document_id)

    def choose_sort(self) -> None:
        """The catalogue gives the order."""
        self.tell("documents stand in the order of the catalogue", "/ filters them by name, s searches in the text")

    def reverse_sort(self) -> None:
        """The catalogue gives the order."""
        self.choose_sort()

    def remove_documents(self) -> None:
        """Retire documents after a question."""
        from ingest_tui.tui.screens.dialogs import Confirm

        chosen = set(self.table.chosen_keys)
        lines = [line for line in self.table.rows if line.key in chosen]
        if not lines:
            return
        document_ids = list(dict.fromkeys(line.document_id for line in lines))
        names = list(dict.fromkeys(line.name for line in lines))
        gateway = self.ingest.gateway

        def removed(number: int) -> None:
            self.tell(f"{wording.plural(number, 'document')} in the trash", "'ingest-tui doc restore' brings them back")
            self.table.marks.clear()
            self.catch_up()

        def answered(confirmed: bool | None) -> None:
            if confirmed:
                self.ask(lambda: gateway.remove_documents(document_ids), removed, group="remove")

        question = f"Remove {wording.plural(len(document_ids), 'document')}?"
        consequence = "They go to the trash. A sync brings back what is still in its source."
        self.app.push_screen(Confirm(question, names, "Remove", consequence=consequence), answered)
