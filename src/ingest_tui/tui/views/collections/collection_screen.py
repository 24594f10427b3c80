"""One collection: its sources and documents, how far their vectors are, the generations of these, its settings."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.timer import Timer

from ingest_tui.tui import wording
from ingest_tui.tui.actions.actions import bindings_of
from ingest_tui.tui.client.feed import FeedUpdate
from ingest_tui.tui.views.base.board_screen import BoardScreen
from ingest_tui.tui.views.collections import collection_words as words
from ingest_tui.tui.views.collections.collection_words import DocumentVectors
from ingest_tui.tui.views.collections.vector_actions import VectorActions
from ingest_tui.tui.widgets.board import Board
from ingest_tui.tui.widgets.panel import title_panel
from ingest_tui.tui.widgets.table import VirtualTable
from ingest_tui.tui.widgets.text import TextLines

if TYPE_CHECKING:
    from ingest_tui.services.client import Client
    from ingest_tui.services.collections.page import CollectionPage
    from ingest_tui.services.documents.documents import DocumentPage

BROAD = 110
_DOCUMENTS = 200
"""So many documents are shown with the state of their vectors, which is read from a file of each."""
_READ_SECONDS, _SHARE_OF_TIME = 1.0, 10
"""Read again that long after the last time at the earliest, and for a tenth of the time at most."""


class CollectionScreen(BoardScreen, VectorActions):
    """The page of a collection. The cursor goes from panel to panel."""

    view = "collection"
    heading = "Collections"
    panels: ClassVar[dict[str, str]] = {"collection-about": "Collection"}
    CSS_PATH = "collection_screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("collection")]

    def __init__(self, collection_id: str) -> None:
        super().__init__()
        self.collection_id = collection_id
        self._page: CollectionPage | None = None
        self._shown_source = ""
        self._timer: Timer | None = None
        self._asked_at = self._pause = 0.0

    def compose_body(self) -> ComposeResult:
        """Lists on one side, what is known of the collection on the other, or below."""
        with Container(id="collection-page"):
            with Vertical(id="collection-lists"):
                yield Board("Sources", words.source_columns(), lambda one: one.source_id, id="collection-sources")
                yield Board("Documents", words.document_columns(), _document_id, id="collection-documents")
                columns = words.generation_columns(self.ingest.now)
                yield Board("Vectors", columns, lambda one: str(one.number), id="collection-generations")
            yield TextLines(id="collection-about")

    @property
    def main_id(self) -> str:
        """The sources."""
        return "collection-sources"

    def place(self) -> str:
        """Where we are."""
        return f"Collections > {self.collection_id}"

    def reopener(self) -> tuple[str, Callable[[], CollectionScreen]]:
        """The collection."""
        return f"collection {self.collection_id}", partial(CollectionScreen, self.collection_id)

    def shows_job(self, job_id: str) -> bool:
        """The jobs of this collection."""
        row = self.ingest.model.rows.get(job_id)
        return row is not None and row.collection_id == self.collection_id

    def on_resize(self) -> None:
        """Put what is known next to the lists where there is room."""
        super().on_resize()
        self.set_class(self.size.width >= BROAD, "-broad")

    # What is shown

    def feed_changed(self, update: FeedUpdate) -> None:
        """Read again, soon, where something may have changed."""
        of_this = any(row.collection_id == self.collection_id for row in update.changed)
        if of_this or update.sources_changed or update.documents_changed or update.removed:
            self._read_soon()

    def catch_up(self) -> None:
        """Read again."""
        self._pause = 0.0
        self._read_soon()

    def collections_changed(self) -> None:
        """Read again after an action."""
        self.catch_up()

    def collection_removed(self, collection_id: str) -> None:
        """There is nothing to show any more."""
        del collection_id
        self.close_view()

    def _read_soon(self) -> None:
        """Read, at once where that was not done a moment ago."""
        if self._timer is None:
            wait = self._asked_at + self._pause - time.monotonic()
            self._timer = self.set_timer(max(wait, 0.01), self._read)

    def _read(self) -> None:
        self._timer, self._asked_at = None, time.monotonic()
        client, collection_id = self.ingest.client, self.collection_id
        self.ask(lambda: client.collections.page(collection_id), self._take, group="collection-page",
                 otherwise=self._failed)  # fmt: skip

    def _take(self, page: CollectionPage) -> None:
        self._page = page
        self._pause = max(_READ_SECONDS, (time.monotonic() - self._asked_at) * _SHARE_OF_TIME)
        no_source = ["No source feeds this collection.", "a uploads files by hand."]
        self.board("sources").fill("Sources", page.sources, no_source, subtitle=_embedding_words(page))
        no_vectors = ["Nothing is embedded: m chooses an embedder, E embeds."]
        self.board("generations").fill("Vectors", page.generations[::-1], no_vectors)
        about = self.query_one("#collection-about", TextLines)
        about.show(words.about_lines(page, words.chosen_preferences(page), self.ingest.glyphs, self.ingest.now()))
        title_panel(about, page.summary.collection.name, "P preferences")
        self._read_documents()
        self.say_current()

    def _failed(self, message: str, hint: str) -> None:
        self._pause = _READ_SECONDS
        if self._page is None:
            for name in ("sources", "documents", "generations"):
                self.board(name).show([], empty=[f"! {message}", f"  {hint}"])
        self.say_hint(f"{message}: {hint}", "bad")

    def _read_documents(self) -> None:
        """Read the first documents of the source under the cursor, and how far the vectors of each are."""
        client, collection_id, source_id = self.ingest.client, self.collection_id, self.board("sources").current_key
        self._shown_source = source_id
        self.ask(
            lambda: _documents(client, collection_id, source_id),
            self._take_documents,
            group="collection-documents",
            otherwise=lambda message, hint: self.say_hint(f"{message}: {hint}", "bad"),
        )

    def _take_documents(self, found: tuple[DocumentPage, list[DocumentVectors]]) -> None:
        page, rows = found
        title = f"Documents of {self._shown_source}" if self._shown_source else "Documents"
        more = "d shows all" if len(rows) < page.total else ""
        no_document = ["No documents yet: a uploads files."]
        self.board("documents").fill(title, rows, no_document, subtitle=more, total=page.total)

    @on(VirtualTable.Moved)
    def read_on(self) -> None:
        """Show the documents of the source under the cursor."""
        if self._page is not None and self.board("sources").current_key != self._shown_source:
            self._read_documents()

    def say_current(self) -> None:
        """Say more of the row under the cursor."""
        target, row = self.target, self.current_row
        if self.in_progress:
            self.say_hint(self.in_progress)
        elif row is None:
            self.say_hint(self.ingest.worker_hint, "warn")
        elif target.id == "collection-documents":
            self.say_hint(f"{row.document.title or row.document.file_name}  {row.document.uri}")
        elif target.id == "collection-generations":
            self.say_hint(_GENERATION_HINTS.get(row.state, f"generation {row.number}"))
        else:
            self.say_hint(f"{row.source_id}: {wording.plural(row.documents, 'document')}")

    # Actions

    def chosen_collection(self) -> str:
        """The one that is shown."""
        return self.collection_id

    def menu_targets(self) -> list[str]:
        """The collection, wherever the cursor is."""
        return [self.collection_id]

    def collection_page(self, collection_id: str) -> CollectionPage | None:
        """What the page shows."""
        del collection_id
        return self._page

    def sample_document(self, collection_id: str) -> str:
        """The document under the cursor."""
        del collection_id
        return self.board("documents").current_key

    def parts_to_embed(self) -> list[tuple[str, str]]:
        """The source and the document under their cursors, once something answers."""
        source, row = self.board("sources").current, self.board("documents").current
        parts = []
        if source is not None and source.source_id in (self._page.summary.source_ids if self._page else ()):
            number = wording.plural(source.documents, "document")
            parts.append((f"source:{source.source_id}", f"source {source.source_id}: {number}"))
        if row is not None:
            parts.append((row.document.document_id, f"document {row.document.file_name or row.document.uri}"))
        return parts

    def command_values(self) -> dict[str, str]:
        """The collection, and what is under the cursors."""
        sources, documents = self.board("sources"), self.board("documents")
        return super().command_values() | {"source": sources.current_key, "document": documents.current_key}

    @on(VirtualTable.Opened)
    def open_selected(self) -> None:
        """Open the source or the document under the cursor."""
        target, row = self.target, self.current_row
        if row is None:
            return
        if target.id == "collection-documents":
            self.ingest.open_document(row.document.document_id, row.document.file_name)
        elif target.id == "collection-generations":
            if row.job_id:
                self.ingest.open_job_here(row.job_id)
        elif self._page is not None and row.source_id in self._page.summary.source_ids:
            self.ingest.open_source_here(row.source_id)
        else:
            self.ingest.show_documents_in(self.collection_id)


_GENERATION_HINTS = {
    "answering": "searches by meaning ask these vectors",
    "building": "being built; the others answer until it is complete. X drops it",
    "ready": "complete: b compares it with what answers, n lets it answer, X drops it",
    "kept": "has answered before: b compares, B goes back to it, X drops it",
    "discarded": "its files are being removed",
}


def _embedding_words(page: CollectionPage) -> str:
    """Return what is to be said of the vectors of the whole collection."""
    building = next((one for one in page.generations if one.state in {"building", "ready"}), None)
    if building is not None:
        return f"next vectors: generation {building.number}, {building.state}"
    return f"{page.to_embed:,} to embed: E embeds them" if page.to_embed else ""


def _document_id(one: DocumentVectors) -> str:
    return one.document.document_id


def _documents(client: Client, collection_id: str, source_id: str) -> tuple[DocumentPage, list[DocumentVectors]]:
    """Return the first documents of a source in a collection, and how far the vectors of each are."""
    page = client.documents.page(limit=_DOCUMENTS, collection_id=collection_id, source_id=source_id or None)
    states = client.vectors.states(page.rows, in_next=True)
    return page, [DocumentVectors(one, states.get(one.document_id, "")) for one in page.rows]
