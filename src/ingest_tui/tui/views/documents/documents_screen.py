"""Documents: what is in the collections. Narrow them down, search in the text as you type, read them, see the trash."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widgets import Input
from textual.worker import get_current_worker

from ingest_tui.tui import wording
from ingest_tui.tui.actions.actions import bindings_of
from ingest_tui.tui.client.editable_records import Record, document_record
from ingest_tui.tui.client.feed import FeedUpdate
from ingest_tui.tui.header import WIDE
from ingest_tui.tui.views.documents.document_actions import DocumentActions
from ingest_tui.tui.views.documents.document_query import DocumentQuery, read_page
from ingest_tui.tui.views.documents.document_screen import fact_lines, preview_lines
from ingest_tui.tui.views.documents.documents_model import (
    SORTS,
    DocumentLine,
    hit_words,
    line_of_document,
    line_of_hit,
    narrowed_words,
    query_as_typed,
)
from ingest_tui.tui.views.documents.filters import Narrowing
from ingest_tui.tui.widgets.columns import Cell, Column
from ingest_tui.tui.widgets.table import VirtualTable
from ingest_tui.tui.widgets.text import TextLines, TonedLines

if TYPE_CHECKING:
    from ingest_tui.model.document import SearchHit
    from ingest_tui.services.documents.documents import DocumentPage

PAGE = 500
HITS = 100
_READ_AHEAD = 100
_SETTLE_SECONDS = 0.2
_TYPING_SECONDS = 0.15


class DocumentsScreen(Narrowing, DocumentActions):
    """The list of documents."""

    view = "documents"
    heading = "Documents"
    sorts: ClassVar[dict[str, str]] = SORTS
    CSS_PATH = "documents_screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("documents")]

    def __init__(self) -> None:
        super().__init__()
        self.query_text = ""
        self._lines: list[DocumentLine] | None = None
        self._total = 0
        self._reading = False
        self._settling: Timer | None = None
        self._typing: Timer | None = None

    def compose_body(self) -> ComposeResult:
        """A field for searching, the table, and room for the text and what is known of it beside."""
        yield Input(id="search", placeholder="words to look for in the text", compact=True, select_on_focus=False)
        with Horizontal():
            yield VirtualTable(self._columns(), lambda line: line.key, id="documents-table")
            with Vertical(id="beside"):
                yield TextLines(id="preview")
                yield TextLines(id="facts")

    def _columns(self) -> list[Column[DocumentLine]]:
        if self.query_text:
            return [
                Column("name", "DOCUMENT", 24, lambda line: Cell(line.name)),
                Column("snippet", "FOUND", 0, lambda line: Cell(line.snippet, "hits")),
                Column("score", "SCORE", 6, lambda line: Cell(f"{line.score:.2f}"), from_width=70, right=True),
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
        """The text next to the table."""
        return self.query_one("#preview", TextLines)

    def place(self) -> str:
        """Where we are."""
        if self.query_text:
            return f"Documents > search: {self.query_text}"
        if self.narrowed.state == "retired":
            return "Documents > trash"
        return f"Documents > {self.narrowed.source_id or self.narrowed.collection_id or 'all'}"

    def on_mount(self) -> None:
        """Keep the cursor of the search field still."""
        super().on_mount()
        self.query_one("#search", Input).cursor_blink = False

    @property
    def query_now(self) -> DocumentQuery:
        """The documents that are asked for."""
        return replace(self.narrowed, contains=self.words, order=self.sort, backwards=self.reversed)

    # What is shown

    def show_source(self, source_id: str) -> None:
        """Show the documents of one source; Esc shows all again."""
        self.narrowed, self.query_text, self.words = DocumentQuery(source_id=source_id), "", ""
        self._lines = None
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
        query, client = self.query_now, self.ingest.client
        limit = max(PAGE, at_least)
        self._reading = True
        self.ask(lambda: read_page(client, query, limit=limit), self._take, group="documents",
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
        query, client = self.query_now, self.ingest.client

        def more(page: DocumentPage) -> None:
            self._reading = False
            self._lines = [*(self._lines or []), *map(line_of_document, page.rows)]
            self._total = page.total if page.rows else known
            self._show()

        self._reading = True
        self.ask(lambda: read_page(client, query, limit=PAGE, offset=known), more, group="documents",
                 otherwise=self._trouble)  # fmt: skip

    def _trouble(self, message: str, hint: str) -> None:
        self._reading = False
        self.show_notice(message, hint, bad=True)
        if self.narrowed.is_narrowed:  # a source or collection that is gone, as a filter that was remembered
            self.widen()

    def _show(self) -> None:
        self.table.show(self._lines or [], empty=self._empty_words())
        self._say()

    def _say(self) -> None:
        shown, note = len(self.table.rows), narrowed_words(self.narrowed)
        if self.query_text:
            order = f"the best {HITS}, best first" if shown == HITS else "best first"
            self.say_info(shown, self._total, "hit", note, order=order)
        else:
            self.say_info(shown, self._total, "document", note)
        line = self.table.current
        self.say_hint("" if line is None else f"{line.title or line.name}  {line.uri}")

    def _empty_words(self) -> list[str]:
        if self._lines is None:
            return ["reading …"]
        if self.query_text:
            return ["Nothing is found with these words.", "", "esc shows all documents, s searches again"]
        if self.words or self.narrowed.is_narrowed:
            return ["No document matches.", "", "esc shows all of them"]
        if self.narrowed.state == "retired":
            return ["The trash is empty.", "", "esc goes back to the documents"]
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
        entry.cursor_position = len(entry.value)
        self.set_focus(entry)

    @on(Input.Changed, "#search")
    def search_typed(self) -> None:
        """Search while a person types, once they pause for a moment."""
        if self._typing is not None:
            self._typing.stop()
        self._typing = self.set_timer(_TYPING_SECONDS, self._search_typed)

    def _search_typed(self) -> None:
        text = self.query_one("#search", Input).value.strip()
        if self.has_class("-searching") and text != self.query_text:
            self.query_text = text
            self.catch_up()

    @on(Input.Submitted, "#search")
    def search_submitted(self) -> None:
        """Go on to what was found."""
        self._search_typed()
        self.remove_class("-searching")
        self.table.focus()

    def _search(self) -> None:
        """Search in a thread; a search that a newer one supersedes is given up."""
        words, query, client = query_as_typed(self.query_text), self.query_now, self.ingest.client

        def work() -> list[SearchHit]:
            worker = get_current_worker()
            return client.documents.search(words, limit=HITS, given_up=lambda: worker.is_cancelled, **query.as_choice())

        self.ask(work, self._found, group="documents", otherwise=self._not_found)

    def _not_found(self, message: str, hint: str) -> None:
        self._found([])
        self.table.show([], empty=[message, hint])

    def _found(self, hits: list[SearchHit]) -> None:
        self._reading = False
        self._lines = [line_of_hit(hit) for hit in hits]
        self._total = len(hits)
        self._show()

    def go_back(self) -> None:
        """Close the search field, then the search, the marks, the filters, then the trash."""
        if self.has_class("-searching"):
            self.remove_class("-searching")
            self.table.focus()
        elif self.words or self.has_class("-filtering") or self.table.marks:
            super().go_back()
        elif self.query_text:
            self.query_text = ""
            self.catch_up()
        else:
            self.widen()

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
        line, facts = self.table.current, self.query_one("#facts", TextLines)
        if line is None:
            self.preview.show([])
            facts.show([])
            return
        document_id, words, client = line.document_id, hit_words(line.snippet), self.ingest.client

        def read() -> tuple[TonedLines, TonedLines]:
            text = preview_lines(client.documents.text(document_id), document_id)
            return text, fact_lines(client.documents.get(document_id), client.documents.record(document_id))

        def show(read: tuple[TonedLines, TonedLines]) -> None:
            self.preview.show(read[0])
            self.preview.move_to_words(words)
            facts.show(read[1])

        self.ask(read, show, group="preview", otherwise=lambda message, hint: self.preview.show([message, hint]))

    def on_resize(self) -> None:
        """Show the text beside when there is room now."""
        super().on_resize()
        self.query_one("#beside").display = self.size.width >= WIDE
        if self.size.width >= WIDE:
            self._show_preview()

    # Actions

    def rows_changed(self) -> None:
        """Ask for the documents that pass the filter."""
        self.catch_up()

    def toggle_mark(self) -> None:
        """Mark the document under the cursor."""
        self.table.toggle_mark()
        self._say()

    def mark_all(self) -> None:
        """Mark all that are shown."""
        self.table.mark_all()
        self._say()

    def target_documents(self) -> list[tuple[str, str]]:
        """The marked documents, or the one under the cursor; each once, however many hits it has."""
        chosen = set(self.table.chosen_keys)
        return list({line.document_id: line.name for line in self.table.rows if line.key in chosen}.items())

    def export_query(self) -> DocumentQuery:
        """All that pass the filters."""
        return self.query_now

    def exports_marked(self) -> bool:
        """Without marks an export takes all that pass the filters; a search has no filter of its own."""
        return bool(self.table.marks)

    def documents_changed(self) -> None:
        """Documents were removed or restored: their marks mean nothing any more."""
        self.table.clear_marks()
        self.catch_up()

    def command_values(self) -> dict[str, str]:
        """The document under the cursor, and the words of the search."""
        line = self.table.current
        return {"document": line.document_id if line else "", "query": query_as_typed(self.query_text)}

    def copies(self) -> dict[str, str]:
        """The document, and where it comes from."""
        line = self.table.current
        return super().copies() | ({"path": line.uri} if line is not None else {})

    def record(self) -> Record | None:
        """The ingestion record of the document under the cursor."""
        line = self.table.current
        return document_record(self.ingest.client, line.document_id) if line is not None else None

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
