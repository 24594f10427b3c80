"""Collections: groups of documents that are searched together, what is in each, and everything done with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from ingest_tui.model.matching import matches
from ingest_tui.tui import wording
from ingest_tui.tui.actions.actions import bindings_of
from ingest_tui.tui.client.feed import FeedUpdate
from ingest_tui.tui.views.collections.collection_words import (
    about_lines,
    chosen_preferences,
    list_columns,
    searchable,
)
from ingest_tui.tui.views.collections.vector_actions import VectorActions
from ingest_tui.tui.widgets.table import VirtualTable
from ingest_tui.tui.widgets.text import TextLines

if TYPE_CHECKING:
    from ingest_tui.services.collections.page import CollectionPage


class CollectionsScreen(VectorActions):
    """The list of collections."""

    view = "collections"
    heading = "Collections"
    panels: ClassVar[dict[str, str]] = {"collection-detail": "Collection"}
    CSS_PATH = "collections_screen.tcss"
    sorts: ClassVar[dict[str, str]] = {"name": "By name", "documents": "Most documents first"}
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("collections")]

    def __init__(self) -> None:
        super().__init__()
        self._pages: list[CollectionPage] | None = None
        self._unreadable: list[str] = []

    def compose_body(self) -> ComposeResult:
        """The table, and what is known of the collection under the cursor next to it on a wide screen."""
        with Horizontal():
            yield VirtualTable(list_columns(), lambda page: page.summary.collection.collection_id,
                               id="collections-table")  # fmt: skip
            yield TextLines(id="collection-detail")

    @property
    def table(self) -> VirtualTable[CollectionPage]:
        """The table of collections."""
        return cast("VirtualTable[CollectionPage]", self.query_one("#collections-table", VirtualTable))

    # What is shown

    def feed_changed(self, update: FeedUpdate) -> None:
        """Read the collections again when what is in them may have changed."""
        if update.sources_changed or update.documents_changed or update.changed or update.removed:
            self._read()

    def catch_up(self) -> None:
        """Show what is known, and read again."""
        self._show()
        self._read()
        if self._pages is None:
            self.wait_for("collections")

    def rows_changed(self) -> None:
        """Show the rows again."""
        self._show()

    def collections_changed(self) -> None:
        """Read again after an action."""
        self._read()

    def collection_added(self, collection_id: str) -> None:
        """Put the cursor on it."""
        self.table.select(collection_id)

    def _read(self) -> None:
        client = self.ingest.client

        def read() -> tuple[list[CollectionPage], list[str]]:
            return client.collections.pages(), client.collections.unreadable()

        self.ask(read, self._take, group="collections", otherwise=self.could_not_read)

    def _take(self, found: tuple[list[CollectionPage], list[str]]) -> None:
        self._pages, self._unreadable = found
        self.why_unread = []
        self._show()

    def _show(self) -> None:
        pages = [one for one in self._pages or [] if matches(searchable(one), self.words)]
        by_documents = self.sort == "documents"
        pages.sort(
            key=lambda one: (-one.summary.documents if by_documents else 0, one.summary.collection.collection_id),
            reverse=self.reversed,
        )
        self.table.show(pages, empty=self._empty_words())
        names = ", ".join(self._unreadable)
        note = f"! unreadable: {names} ('ingest-tui doctor' shows why)" if names else ""
        self.say_info(len(pages), None if self._pages is None else len(self._pages), "collection", note)
        self.say_current()

    def _empty_words(self) -> list[str]:
        if self.why_unread:
            return self.why_unread
        return ["reading …"] if self._pages is None else wording.nothing_matches("collection")

    @on(VirtualTable.Moved, "#collections-table")
    def say_current(self) -> None:
        """Say something about the collection under the cursor, and show it next to the list where there is room."""
        page = self.table.current
        glyphs, now = self.ingest.glyphs, self.ingest.now()
        known = about_lines(page, chosen_preferences(page), glyphs, now) if page is not None else []
        self.query_one("#collection-detail", TextLines).show(known)
        if page is None or self.in_progress:
            self.say_hint(self.in_progress)
        elif not page.summary.documents:
            self.say_hint(f"{page.summary.collection.collection_id} has no documents yet: a uploads files")
        else:
            sources = ", ".join(page.summary.source_ids) or "no source"
            self.say_hint(f"{page.summary.collection.name}: {sources}")

    # Actions

    def chosen_collection(self) -> str:
        """The one under the cursor."""
        return self.table.current_key

    def collection_page(self, collection_id: str) -> CollectionPage | None:
        """The row of a collection."""
        return next((one for one in self._pages or () if one.summary.collection.collection_id == collection_id), None)

    @on(VirtualTable.Opened, "#collections-table")
    def open_selected(self) -> None:
        """Open the page of the collection."""
        if self.table.current_key:
            self.ingest.open_collection_here(self.table.current_key)
