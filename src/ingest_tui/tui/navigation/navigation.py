"""Going places: the top views, what is opened over them, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from textual.app import App

from ingest_tui.tui.navigation.history import History, HistoryEntry

if TYPE_CHECKING:
    from ingest_tui.tui.application import Application, ShownView
    from ingest_tui.tui.passage import Passage


class Going(App[int]):
    """The part of the application that knows where a person is and was."""

    def __init__(self, driver_class: type | None = None) -> None:
        super().__init__(driver_class=driver_class)
        self.history = History()
        self._shown: tuple[HistoryEntry, ShownView] | None = None
        self._led_from = "", ""
        """The top view that a row of another has led to, and that one."""

    @property
    def _ingest(self) -> Application:
        return cast("Application", self)

    # The way back

    def arrived(self, screen: ShownView) -> None:
        """Take note of a view that is shown now; every view calls this."""
        if not self._is_shown(screen):
            return
        self._note_row()
        reopener = screen.reopener()
        if reopener is not None:
            place = HistoryEntry(self.current_mode, *reopener)
        elif screen.view == self.current_mode:
            place = HistoryEntry(self.current_mode)
        else:
            return
        self._shown = place, screen
        self.history.visit(place)

    def _is_shown(self, screen: object) -> bool:
        return screen is self.screen

    def _note_row(self) -> None:
        """Take note of where the cursor was in the view that was shown."""
        here = self.history.here
        if self._shown is not None and here is not None and here.is_same(self._shown[0]):
            self.history.visit(replace(here, row=self._shown[1].row_key))

    def travel(self, steps: int) -> bool:
        """Go back or forward in the history; False where there is nothing more."""
        self._note_row()
        place = self.history.go(steps)
        if place is None:
            return False
        self._shown = None
        self.show_view(place.view)
        if place.again is not None:
            self.push_screen(place.again())
        if place.row:
            self.call_later(self._select_row, place.row)
        return True

    def _select_row(self, key: str) -> None:
        from ingest_tui.tui.views.base.view_screen import ViewScreen

        if isinstance(self.screen, ViewScreen):
            self.screen.select_row(key)

    # Places

    def show_view(self, view: str, words: str | None = None) -> None:
        """Show a top view without what was opened over it; ``words``: filtered, or searched, by them."""
        from ingest_tui.tui.views.base.view_screen import ViewScreen

        if self.current_mode != view:
            self._led_from = "", ""
            self.switch_mode(view)
        while len(self.screen_stack) > 1:
            self.pop_screen()
        if words is not None and isinstance(self.screen, ViewScreen):
            self.call_later(self.screen.show_words, words)

    def lead_to(self, view: str, *, row: str = "") -> None:
        """Show a top view for a row of another one; Esc goes back there."""
        origin = self.current_mode
        self.show_view(view)
        self._led_from = view, origin
        if row:
            self.call_later(self._select_row, row)

    def go_back_where_led_from(self) -> None:
        """Show the view whose row has led here, if one has."""
        here, origin = self._led_from
        self._led_from = "", ""
        if here == self.current_mode:
            self.show_view(origin)

    def open_job(self, job_id: str) -> None:
        """Show one job over the jobs."""
        self.show_view("jobs")
        self.open_job_here(job_id)

    def open_job_here(self, job_id: str) -> None:
        """Show one job over the view that is shown; Esc goes back to that."""
        from ingest_tui.tui.views.jobs.job_screen import JobScreen

        self.push_screen(JobScreen(job_id))

    def open_source_here(self, source_id: str) -> None:
        """Show the page of a source over the view that is shown; Esc goes back to that."""
        from ingest_tui.tui.views.sources.source_screen import SourceScreen

        self.push_screen(SourceScreen(source_id))

    def open_source(self, source_id: str) -> None:
        """Show the page of a source over the sources, the cursor on it."""
        self._open_page("sources", source_id, self.open_source_here)

    def open_collection(self, collection_id: str) -> None:
        """Show the page of a collection over the collections, the cursor on it."""
        self._open_page("collections", collection_id, self.open_collection_here)

    def open_collection_here(self, collection_id: str) -> None:
        """Show the page of a collection over the view that is shown; Esc goes back to that."""
        from ingest_tui.tui.views.collections.collection_screen import CollectionScreen

        self.push_screen(CollectionScreen(collection_id))

    def _open_page(self, view: str, row: str, open_here: Callable[[str], None]) -> None:
        self.show_view(view)
        self._select_row(row)
        open_here(row)

    def add_source(self) -> None:
        """Go to the sources and open the form."""
        self.switch_mode("sources")
        self.call_later(self._open_form)

    def _open_form(self) -> None:
        from ingest_tui.tui.views.sources.sources_screen import SourcesScreen

        if isinstance(self.screen, SourcesScreen):
            self.screen.add_source()

    def show_documents_of(self, source_id: str) -> None:
        """Show the documents of one source; Esc goes back."""
        self._show_documents(source_id=source_id)

    def show_documents_in(self, collection_id: str) -> None:
        """Show the documents of one collection; Esc goes back."""
        self._show_documents(collection_id=collection_id)

    def _show_documents(self, *, source_id: str = "", collection_id: str = "") -> None:
        from ingest_tui.tui.views.documents.documents_screen import DocumentsScreen

        def narrow() -> None:
            if isinstance(self.screen, DocumentsScreen):
                self.screen.come_for(source_id=source_id, collection_id=collection_id)

        self.show_view("documents")
        self.call_later(narrow)

    def open_document(self, document_id: str, name: str, passage: Passage | None = None) -> None:
        """Show the text of a document over the view, at the passage that a search has found."""
        from ingest_tui.tui.views.documents.document_screen import DocumentScreen

        self.push_screen(DocumentScreen(self._ingest.client, document_id, name, passage))

    def explain(self, target: str) -> None:
        """Show why a document is here, or why not."""
        from ingest_tui.tui.dialogs.report import Story

        self.push_screen(Story(self._ingest.client, target))
