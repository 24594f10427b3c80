"""Documents: what is in the collections. Narrow them down, search in the text as you type, read them, see the trash."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.timer import Timer

from ingest_tui.model.folder import Folder
from ingest_tui.tui.actions.actions import bindings_of
from ingest_tui.tui.client.editable_records import Record, document_record
from ingest_tui.tui.client.feed import FeedUpdate
from ingest_tui.tui.header import WIDE
from ingest_tui.tui.views.documents.collection_views import CollectionView
from ingest_tui.tui.views.documents.document_columns import (
    CHOICES,
    columns_of_folder,
    columns_of_hits,
    columns_of_list,
)
from ingest_tui.tui.views.documents.document_pane import DocumentPane
from ingest_tui.tui.views.documents.document_query import DocumentQuery
from ingest_tui.tui.views.documents.document_search import HITS, SearchAnswer
from ingest_tui.tui.views.documents.documents_model import (
    SORTS,
    DocumentLine,
    FolderLine,
    ListedLine,
    empty_words,
    hint_of,
    is_document,
    line_of_hit,
    mode_words,
    narrowed_words,
    query_as_typed,
)
from ingest_tui.tui.views.documents.folder_navigation import FolderNavigation
from ingest_tui.tui.views.documents.line_pages import LinePage, read_lines
from ingest_tui.tui.views.documents.shown_collection import ShownCollection
from ingest_tui.tui.views.documents.shown_commands import shown_commands
from ingest_tui.tui.widgets.columns import Column
from ingest_tui.tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from ingest_tui.services.documents.version_details import VersionDetails

PAGE = 500
_READ_AHEAD = 100
_DETAILS_AHEAD = 50
_SETTLE_SECONDS = 0.2


class DocumentsScreen(FolderNavigation, ShownCollection):
    """The list of documents."""

    view = "documents"
    heading = "Documents"
    panels: ClassVar[dict[str, str]] = {"preview": "Text", "facts": "What is known of it"}
    sorts: ClassVar[dict[str, str]] = SORTS
    sorts_of_heads: ClassVar[dict[str, str]] = {"name": "address", "updated": "newest", "size": "largest"}
    CSS_PATH = "documents_screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("documents")]

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[ListedLine] | None = None
        self._details: dict[str, VersionDetails] = {}
        self._total = 0
        self._has_read = False
        self._shows_hits = False
        self._folder_shown: Folder | None = None  # that of the rows, while those of another one are on their way
        self._remarks: tuple[str, ...] = ()
        self._reading = False
        self._came_for: DocumentQuery | None = None
        self._settling: Timer | None = None
        self._scrolling: Timer | None = None

    def compose_body(self) -> ComposeResult:
        """A field for searching, the table, and room for the text and what is known of it at the side."""
        yield from self.compose_search()
        with Horizontal():
            yield VirtualTable(self._columns(), lambda line: line.key, id="documents-table", can_mark=is_document)
            yield DocumentPane(id="side-pane")

    def _columns(self) -> Sequence[Column[Any]]:
        if self._shows_hits:
            return columns_of_hits()
        keys, chosen = {line.key for line in self._lines or ()}, list(filter(None, self.chosen_columns.split(",")))
        columns = columns_of_list(self.ingest.now, self._details, keys, chosen)
        folder = self._folder_shown
        return columns if folder is None else columns_of_folder(columns, folder, self.ingest.now)

    def choose_columns(self) -> None:
        """Choose what the list shows of each document; kept for the collection that is shown."""
        from ingest_tui.tui.dialogs.dialogs import ChooseSeveral

        width = self.table.line_width
        shown = [column.name for column in self.table.columns if column.from_width <= width]
        marked = self.chosen_columns.split(",") if self.chosen_columns else shown

        def chosen(names: list[str] | None) -> None:
            if names is not None:
                self.chosen_columns = ",".join(names)
                if not self._shows_hits:
                    self.table.set_columns(self._columns())

        title = "Columns of this list (none: as many as there is room for)"
        self.app.push_screen(ChooseSeveral(title, list(CHOICES.items()), marked), chosen)

    @property
    def table(self) -> VirtualTable[ListedLine]:
        """The table of documents."""
        return cast("VirtualTable[ListedLine]", self.query_one("#documents-table", VirtualTable))

    def place(self) -> str:
        """Where we are."""
        if self.query_text:
            return f"Documents > search: {self.query_text}"
        if self.narrowed.state == "retired":
            return "Documents > trash"
        if self.narrowed.folder is not None:
            return f"Documents > {self.narrowed.folder}"
        return f"Documents > {self.narrowed.source_id or self.narrowed.collection_id or 'all'}"

    @property
    def query_now(self) -> DocumentQuery:
        """The documents that are asked for."""
        return replace(self.narrowed, contains=self.words, order=self.sort, backwards=self.reversed)

    # What is shown

    def take_up(self, state: Mapping[str, Any]) -> None:
        """What was remembered; the collection in use is shown as it was last looked at."""
        was_asked_for_others = self.narrowed.is_narrowed
        super().take_up(state)
        used = self.ingest.preferences.collection
        if used and not was_asked_for_others:
            self._take_view(used, self.collection_views.of(used))

    def view_now(self) -> CollectionView:
        """The words that are searched, too."""
        return replace(super().view_now(), query_text=self.query_text)

    def take_view(self, collection_id: str, view: CollectionView) -> None:
        """Show a collection by a view of it, with the cursor on its document and the same rows in sight."""
        self._take_view(collection_id, view)
        self.catch_up(at_least=view.rows)

    def _take_view(self, collection_id: str, view: CollectionView) -> None:
        super().take_view(collection_id, view)
        self.query_text = view.query_text
        self._lines = None
        self.table.show_again(view.row, view.top)

    def come_for(self, *, source_id: str = "", collection_id: str = "") -> None:
        """Show the documents of a source or a collection; Esc goes back to where a person came from, and shows all."""
        self._came_for = DocumentQuery(source_id=source_id or None, collection_id=collection_id or None)
        self.narrowed, self.query_text, self.words = self._came_for, "", ""
        self._lines = None
        if self.is_mounted:
            self.catch_up()

    def feed_changed(self, update: FeedUpdate) -> None:
        """Read again when documents have changed; a search stays until it is asked again."""
        if (update.documents_changed or update.changed) and not self.query_text and not self._reading:
            self._read(len(self._lines or []))

    def catch_up(self, *, at_least: int = 0) -> None:
        """Read the documents from the start, ``at_least`` so many."""
        self.say_header()
        if self.query_text:
            self.search()
        else:
            self._read(at_least)
        self.wait_for("documents")

    def _read(self, at_least: int) -> None:
        """Read the first rows, as many as are shown now."""
        query, client = self.query_now, self.ingest.client
        limit = max(PAGE, at_least)
        self._reading = True
        self.ask(lambda: read_lines(client, query, limit=limit), self._take, group="documents",
                 otherwise=self._failure)  # fmt: skip

    def _take(self, page: LinePage) -> None:
        self._reading = False
        self._total, self._folder_shown, self._has_read = page.total, page.folder, True
        self._show(page.lines, are_hits=False)
        self._read_details(again=True)

    def _read_details(self, *, again: bool = False) -> None:
        """Read what is known of the rows in sight and near them, those that are known only ``again``."""
        lines = [] if self.query_text else self.table.rows_near(_DETAILS_AHEAD)
        near = [line.document_id for line in lines if isinstance(line, DocumentLine)]
        due, client = [one for one in near if again or one not in self._details], self.ingest.client
        if due:
            self.ask(lambda: client.documents.details(due), self._take_details, group="details",
                     otherwise=lambda _message, _hint: None)  # fmt: skip

    def _take_details(self, details: dict[str, VersionDetails]) -> None:
        self._details.update(details)
        if not self._shows_hits:
            self.table.set_columns(self._columns())

    def _read_on(self) -> None:
        """Read the next rows once the cursor, or what is in sight, comes near the end of what is known."""
        known, near = len(self._lines or []), max(self.table.cursor, self.table.last_in_sight)
        if self._reading or self.query_text or known >= self._total or near < known - _READ_AHEAD:
            return
        query, client = self.query_now, self.ingest.client

        def more(page: LinePage) -> None:
            self._reading = False
            self._total = page.total if page.lines else known
            self._show([*(self._lines or []), *page.lines], are_hits=False)

        self._reading = True
        self.ask(lambda: read_lines(client, query, limit=PAGE, offset=known), more, group="documents",
                 otherwise=self._failure)  # fmt: skip

    def _with_all_rows(self, act: Callable[[], None]) -> None:
        """Do something with all documents that pass the filters, of which so far only the first may be read."""
        query, client, known = self.query_now, self.ingest.client, len(self._lines or [])
        if self.query_text or known >= self._total:
            act()
            return

        def take(page: LinePage) -> None:
            self._take(page)
            act()

        self._reading = True
        self.ask(lambda: read_lines(client, query, limit=self._total), take, group="documents", otherwise=self._failure)
        self.wait_for("documents")

    def _failure(self, message: str, hint: str) -> None:
        self._reading = False
        self.could_not_read(message, hint)
        if self.narrowed.is_narrowed:  # a source or collection that is gone, as a filter that was remembered
            self.widen()

    def _show(self, lines: Sequence[ListedLine], *, are_hits: bool, remarks: tuple[str, ...] = ()) -> None:
        """Show other rows, with the columns that are theirs: what was there before stays as it was until then."""
        self._lines, self._shows_hits, self._remarks = list(lines), are_hits, remarks
        self.table.set_columns(self._columns())
        self.table.show(lines, empty=empty_words(self.query_now, is_search=are_hits, remarks=remarks))
        if self.size.width >= WIDE and self.query_one(DocumentPane).is_outdated(self.table.current):
            self._show_preview()
        self._say()

    def _say(self) -> None:
        self.say_keys()
        shown, note = len(self.table.rows), narrowed_words(self.narrowed)
        if self._shows_hits:
            note = "  ".join(filter(None, (note, mode_words(self.narrowed), *self._remarks)))
            order = f"the best {HITS}, best first" if shown == HITS else "best first"
            self.say_info(shown, self._total, "hit", note, order=order)
        else:
            note = "  ".join(filter(None, (note, "more come as you go on, G: all" if shown < self._total else "")))
            word = "document" if self.narrowed.folder is None else "item"
            self.say_info(shown, self._total if self._has_read else None, word, note)
        self.say_hint(self.in_progress or hint_of(self.table.current))

    def found(self, answer: SearchAnswer) -> None:
        """Show what a search has found."""
        self._reading = False
        self._total = len(answer.hits)
        self._show([line_of_hit(hit) for hit in answer.hits], are_hits=True, remarks=answer.remarks)

    def go_back(self) -> None:
        """Close the search field, then the search, the marks, the filters, then the trash."""
        if self.has_class("-searching"):
            self.close_search()
        elif self.words or self.has_class("-filtering") or self.table.marks:
            super().go_back()
        elif self.query_text:
            self.query_text = ""
            self.catch_up()
        elif not self.leave_folder() and not self._go_back_from_visit():
            self.widen()

    def _go_back_from_visit(self) -> bool:
        """Go back to where a source or a collection was opened; False: what is shown now is something else."""
        came_for, self._came_for = self._came_for, None
        if came_for is None or self.narrowed != came_for or not self.ingest.travel(-1):
            return False
        self.narrowed, self._lines = DocumentQuery(), None
        return True

    # The side pane

    @on(VirtualTable.Moved, "#documents-table")
    def moved(self) -> None:
        """Read on, and show the text at the side once the cursor rests."""
        self._say()
        self._read_on()
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(_SETTLE_SECONDS, self._settled)

    @on(VirtualTable.Scrolled, "#documents-table")
    def scrolled(self) -> None:
        """Read on, and what is known of the rows that the mouse wheel has brought into sight."""
        self._read_on()
        if self._scrolling is None:
            self._scrolling = self.set_timer(_SETTLE_SECONDS, self._scrolled)

    def _scrolled(self) -> None:
        self._scrolling = None
        self._read_details()

    def _settled(self) -> None:
        self._read_details()
        if self.size.width >= WIDE:
            self._show_preview()

    def _show_preview(self) -> None:
        self.query_one(DocumentPane).show(self.ingest.client, self.table.current, self.query_now)

    def on_resize(self) -> None:
        """Show the text at the side when there is room now."""
        super().on_resize()
        self.query_one(DocumentPane).display = self.size.width >= WIDE
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
        """Mark all that pass the filters, also those that are further down than what was read."""
        self._with_all_rows(self._mark_all)

    def _mark_all(self) -> None:
        self.table.mark_all()
        self._say()

    def move_bottom(self) -> None:
        """Go to the last of all that pass the filters."""
        if self.target is self.table:
            self._with_all_rows(super().move_bottom)
        else:
            super().move_bottom()

    def target_documents(self) -> list[tuple[str, str]]:
        """The marked documents, or the one under the cursor; each once, however many hits it has."""
        chosen = set(self.table.chosen_keys)
        lines = (line for line in self.table.rows if isinstance(line, DocumentLine) and line.key in chosen)
        return list({line.document_id: line.name for line in lines}.items())

    def export_query(self) -> DocumentQuery:
        """All that pass the filters."""
        return self.query_now

    def exports_marked(self) -> bool:
        """Without marks an export takes all that pass the filters; a search has no filter of its own."""
        return bool(self.table.marks)

    def note_removed(self, document_ids: list[str]) -> None:
        """The trash opens with the cursor on them."""
        self.removed_last = document_ids[0]

    def documents_changed(self) -> None:
        """Documents were removed or restored: their marks mean nothing any more."""
        self.table.clear_marks()
        self.catch_up()

    def command_values(self) -> dict[str, str]:
        """The document under the cursor, and the words of the search."""
        line, folder = self.document_at_cursor(), self.narrowed.folder
        return {
            "document": line.document_id if line else "",
            "folder": "" if folder is None else str(folder),
            "query": query_as_typed(self.query_text),
            "collection": self.chosen_collection(),
        }

    def shown_commands(self) -> dict[str, str]:
        """The list, the folder or the search with all that narrows it down; an export of the marked names these."""
        commands = shown_commands(self.query_now, self.query_text, self._total)
        return {name: line for name, line in commands.items() if name != "document.export" or not self.exports_marked()}

    def copies(self) -> dict[str, str]:
        """The document, and where it comes from."""
        line = self.document_at_cursor()
        return super().copies() | ({"path": line.uri} if line is not None else {})

    def record(self) -> Record | None:
        """The ingestion record of the document under the cursor."""
        line = self.document_at_cursor()
        return document_record(self.ingest.client, line.document_id) if line is not None else None

    @on(VirtualTable.Opened, "#documents-table")
    def open_selected(self) -> None:
        """Read the document under the cursor, or go into the folder."""
        line = self.table.current
        if isinstance(line, FolderLine):
            self.enter_folder(line)
        elif line is not None:
            self.ingest.open_document(line.document_id, line.name, line.passage)
